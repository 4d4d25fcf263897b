#include "app/gui/interrupts.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace gemwright::app::gui {
namespace {

// A signal handler can reach nothing but these.
volatile std::sig_atomic_t signal_came = 0;
volatile std::sig_atomic_t signal_pipe = -1;

void on_signal(int) {
  signal_came = 1;
  const char byte = 's';
  if (signal_pipe >= 0) (void)!write(static_cast<int>(signal_pipe), &byte, 1);
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupts::Interrupts(std::function<void()> wake) : wake_(std::move(wake)) {
  // A worker that died is an error to report, not a reason to die.
  handle(SIGPIPE, SIG_IGN);
  if (pipe2(ends_, O_CLOEXEC) != 0) return;
  signal_pipe = ends_[1];
  thread_ = std::thread([this] {
    char byte = 0;
    while (read(ends_[0], &byte, 1) == 1 && byte == 's') wake_();
  });
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  // The terminal that started the window was closed. nohup ignores it: then it stays ignored.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) handle(SIGHUP, on_signal);
}

Interrupts::~Interrupts() {
  if (!thread_.joinable()) return;
  handle(SIGINT, SIG_DFL);
  handle(SIGTERM, SIG_DFL);
  struct sigaction ours {};
  if (sigaction(SIGHUP, nullptr, &ours) == 0 && ours.sa_handler == on_signal) handle(SIGHUP, SIG_DFL);
  signal_pipe = -1;
  const char end = 'e';
  (void)!write(ends_[1], &end, 1);
  thread_.join();
  close(ends_[0]);
  close(ends_[1]);
}

bool Interrupts::came() const { return signal_came != 0; }

}  // namespace gemwright::app::gui
