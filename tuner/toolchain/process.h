// Other programs: compilers, the worker, its child. Started with an argument array, never through a shell.
//
// A process leads a group of its own, so that whatever it started (cc1plus, ld) is stopped and killed with it. What it
// prints is either captured, in bounded memory, or comes to us as a stream. Every descriptor is closed on exec; a
// Process that is destroyed kills its group.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"

namespace gemwright::tuner {

struct ExitStatus {
  std::optional<int> code;  // exactly one of the two is there
  std::optional<int> signal;

  bool success() const { return code == 0; }
};
// "exit code 1" or "signal 11 (Segmentation fault)".
std::string to_text(ExitStatus status);

struct ProcessOptions {
  // False: standard input is empty and standard output captured. True: both are streams, see input() and output().
  bool streams = false;
  bool inherit_stderr = false;  // false: captured
  // SIGKILL when the thread that started it ends. Only for programs with one thread: another thread's end counts too.
  bool die_with_parent = false;
  std::vector<std::string> environment = {};  // "NAME=value", beside what we have
};

// The first executable file of this name on PATH; a name with a slash is taken as it is. Nothing when there is none.
std::optional<std::string> find_program(std::string_view name);

class Process {
 public:
  // `argv[0]` is found as find_program does.
  static Result<Process> start(const std::vector<std::string>& argv, const ProcessOptions& options);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  int pid() const;
  // True when it has ended; takes in what it printed. Never waits.
  bool finished();
  // Waits until it has ended; false when that takes longer.
  bool wait(std::chrono::milliseconds most);
  // Valid when it has finished.
  std::optional<ExitStatus> status() const;

  void kill();
  // SIGSTOP and SIGCONT to the group.
  void stop();
  void resume();

  // The streams: a socket that its standard input reads, and its standard output.
  int input() const;
  int output() const;
  void close_input();

  // Captured so far, at most kMaxCaptured bytes each; what comes after is thrown away.
  const std::string& out() const;
  const std::string& err() const;
  // What to wait for with poll(): readable when there is output or it has ended.
  std::vector<int> poll_fds() const;

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A compiler that fails prints its first error at the beginning.
constexpr std::size_t kMaxCaptured = 64 << 10;

}  // namespace gemwright::tuner
