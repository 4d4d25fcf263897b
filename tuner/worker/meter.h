// Where and how a timed block ran: the CPU it is pinned to, the clock, and what disturbed it.
#pragma once

#include <sched.h>

#include <cstdint>
#include <optional>

#include "tuner/study/measurer.h"

namespace gemwright::tuner {

// The CPUs that the calling thread may use. The last word is the destructor's: it restores what was allowed at first.
class Affinity {
 public:
  Affinity();
  ~Affinity();
  Affinity(const Affinity&) = delete;
  Affinity& operator=(const Affinity&) = delete;

  // One thread: the last CPU allowed, since device interrupts and what else the system does by default favour the
  // first. More threads: all allowed CPUs, until `place_threads`.
  void set(int threads);
  // Gives the calling thread the first CPU and each other thread of its team one of the next. Left to itself the system
  // may wake a worker on its caller's CPU and leave it there for milliseconds: a block then runs at half its speed.
  // Pools and OpenMP make the threads of a team together, so thread ids in ascending order are teams of `threads` - 1;
  // where they do not divide into such teams, all threads may use all CPUs.
  void place_threads(int threads);
  std::optional<int> pinned() const { return pinned_; }

 private:
  cpu_set_t allowed_;
  bool known_ = false;
  std::optional<int> pinned_;
};

// Waits until no other thread of this process runs, at most 20 ms. OpenMP's threads spin for milliseconds after a
// parallel region and cannot be parked; they would take the cores from the next subject's threads.
void await_sleeping_threads();

// Times one block: begin() before the discarded call, start() and stop() around the timed calls.
class BlockMeter {
 public:
  // Steal ticks are those of the pinned CPU, or of the whole machine; switches those of this thread, or of the process.
  explicit BlockMeter(std::optional<int> pinned) : pinned_(pinned) {}
  void begin();
  void start();
  void stop();
  // All of a Block but state, reason and calls.
  Block block() const;

 private:
  std::optional<std::int64_t> involuntary_switches() const;
  std::optional<std::int64_t> steal_ticks() const;

  const std::optional<int> pinned_;
  std::int64_t start_ns_ = 0, stop_ns_ = 0;
  int start_cpu_ = -1, stop_cpu_ = -1;
  std::optional<std::int64_t> switches_before_, switches_, steal_before_, steal_;
};

}  // namespace gemwright::tuner
