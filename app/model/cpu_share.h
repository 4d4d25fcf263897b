// Which CPUs the threads of the window leave to what is measured. Threads and processes inherit the CPUs of the thread
// that starts them, so whoever starts a worker, or asks how many CPUs there are, takes all of them back first.
#pragma once

#include <vector>

namespace gemwright::app {

// Of the calling thread, ascending; empty where the system does not tell.
std::vector<int> allowed_cpus();
// Restricts the calling thread, or frees it again. Best effort; nothing happens where `cpus` is empty.
void allow_cpus(const std::vector<int>& cpus);

// One thread is measured on the last CPU (see profilers/ceilings.h): all but that one, where there is another.
std::vector<int> without_measured(std::vector<int> cpus);

// The calling thread has these CPUs for as long as this lives; on the stack.
class CpusHere {
 public:
  explicit CpusHere(const std::vector<int>& cpus) : before_(allowed_cpus()) { allow_cpus(cpus); }
  ~CpusHere() { allow_cpus(before_); }
  CpusHere(const CpusHere&) = delete;
  CpusHere& operator=(const CpusHere&) = delete;

 private:
  std::vector<int> before_;
};

}  // namespace gemwright::app
