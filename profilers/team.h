// Threads that start together and are timed together. The calling thread is member 0; between two runs the others
// sleep, so that what the caller does meanwhile has the machine for itself.
//
// Idea: everybody is awake and waits in a spinning barrier before the first starts, so that waking up is not timed.
// Limits: one caller; `work` must not throw.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

namespace gemwright::profilers {

class Team {
 public:
  // One member on each of `cpus`, the caller on the first. The caller's own affinity is the caller's to restore.
  explicit Team(const std::vector<int>& cpus);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  // False where the system refused a thread; then `run` must not be called.
  bool complete() const { return complete_; }
  int size() const { return static_cast<int>(spans_.size()); }
  // Seconds from the first member's start to the last one's end.
  double run(const std::function<void(int member)>& work);

 private:
  struct Span {
    double begin = 0, end = 0;  // seconds of the steady clock
  };
  void member_loop(int member, int cpu);
  void take_part(int member);

  std::vector<Span> spans_;  // one of each member
  std::vector<std::thread> threads_;
  bool complete_ = true;
  const std::function<void(int)>* work_ = nullptr;  // of the present run; null ends the threads
  std::atomic<unsigned> run_{0};                    // number of the present run
  std::atomic<int> waiting_{0};                     // members that are not yet at the barrier
  std::atomic<int> working_{0};                     // members that are not yet done
};

}  // namespace gemwright::profilers
