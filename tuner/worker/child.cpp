#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <utility>

#include "tuner/toolchain/kernel_source.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/guard.h"
#include "tuner/worker/protocol.h"
#include "tuner/worker/session.h"

namespace gemwright::tuner {
namespace {

// Moves a descriptor out of the way of standard streams and of programs that are started.
int moved(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

void settle() {
  std::signal(SIGPIPE, SIG_IGN);
  // A crash is a recorded result; a dump of gigabytes of operands helps nobody. One byte, not zero: that also keeps a
  // program that the kernel would pipe the dump to from being started.
  const rlimit no_dump{1, 1};
  setrlimit(RLIMIT_CORE, &no_dump);
  // When memory runs out, this process goes first and the guard lives to tell.
  std::ofstream("/proc/self/oom_score_adj") << 500;
}

template <class T>
void answer(Reply& reply, Result<T> result) {
  if (!result) {
    reply.body = result.error();
  } else if constexpr (!std::is_void_v<T>) {
    reply.body = std::move(*result);
  }
}

class Child {
 public:
  Reply handle(const Request& r) {
    Reply reply{r.id, false, Done{}};
    if (const auto* setup = std::get_if<SetupRequest>(&r.body)) {
      answer(reply, session_.setup(setup->setup));
    } else if (const auto* load = std::get_if<LoadRequest>(&r.body)) {
      answer(reply, admit(*load));
    } else if (const auto* block = std::get_if<BlockRequest>(&r.body)) {
      answer(reply, session_.block(block->handle, block->calls));
    } else if (const auto* count = std::get_if<CountRequest>(&r.body)) {
      answer(reply, session_.count(count->handle, count->calls));
    } else if (std::holds_alternative<CeilingsRequest>(r.body)) {
      answer(reply, session_.ceilings());
    } else if (const auto* drop = std::get_if<DropRequest>(&r.body)) {
      answer(reply, session_.drop(drop->handle));
    } else {
      reply.body = Error{"this request is not for the worker's child"};
    }
    return reply;
  }

 private:
  Result<Admission> admit(const LoadRequest& load) {
    if (!load.config) return session_.admit_header(load.library, load.verify);
    if (load.bare) return session_.admit_bare(*load.config, load.library);
    return session_.admit(*load.config, load.library, load.verify, load.timed);
  }

  Session session_{source_digest()};
};

}  // namespace

int run_worker_child(int in_fd, int out_fd) {
  const int in = moved(in_fd), out = moved(out_fd);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (in < 0 || out < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) return 1;
  settle();
  Child child;
  LineReader lines(in, kMaxRequestLine);
  for (;;) {
    const auto line = lines.next();
    if (!line && lines.ended()) return 0;
    if (!line) {
      wait_readable({in}, -1);
      lines.fill();
      continue;
    }
    const auto request = parse_request(*line);
    if (!request || std::holds_alternative<QuitRequest>(request->body)) return request ? 0 : 1;
    if (!write_all(out, to_line(Message(child.handle(*request))))) return 0;
  }
}

}  // namespace gemwright::tuner
