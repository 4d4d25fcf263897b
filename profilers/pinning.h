// Which CPUs a thread runs on. A timed thread that the system moves, or puts on another's CPU, runs at half its speed.
#pragma once

#include <vector>

namespace gemwright::profilers {

// Restricts the calling thread to one CPU; false where the system refuses.
bool pin_to(int cpu);

// Remembers the CPUs that the calling thread may use and gives them back when it goes; for one thread, on its stack.
class Pinning {
 public:
  Pinning();
  ~Pinning();
  Pinning(const Pinning&) = delete;
  Pinning& operator=(const Pinning&) = delete;

  const std::vector<int>& allowed() const { return allowed_; }  // ascending; empty where the system does not tell

 private:
  std::vector<int> allowed_;
};

}  // namespace gemwright::profilers
