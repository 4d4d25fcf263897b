#include "tuner/study/runner.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "profilers/text_file.h"

namespace gemwright::tuner {
namespace {

std::string boot_id() { return profilers::read_word("/proc/sys/kernel/random/boot_id").value_or(""); }

}  // namespace

Runner this_process() { return {getpid(), boot_id()}; }

bool alive(const Runner& runner) {
  // 0 and below name groups of processes.
  if (runner.pid < 1 || runner.pid > std::numeric_limits<pid_t>::max()) return false;
  if (runner.boot_id != boot_id()) return false;
  return kill(static_cast<pid_t>(runner.pid), 0) == 0 || errno == EPERM;
}

}  // namespace gemwright::tuner
