// How far two timings of the same work differ on this machine: an A/A run. What a study claims must exceed it.
//
// Idea: blocks of about a millisecond in the order A B, B A, A B, ..., where A and B are the same loop; each pair gives
// ln(time of A / time of B). Their median is 0 but for chance, so the sign-test interval of the median is the noise
// floor. The statistics are the caller's. Limits: one thread, pinned to the last allowed CPU.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "profilers/reading.h"

namespace gemwright::profilers {

// One of the two loops, as blocks of so many seconds that are timed one by one: for a comparison of the same work while
// something beside it changes. The thread that makes it is to be pinned as the one that times it.
class NoiseLoop {
 public:
  static NoiseLoop computing(double block_seconds);
  // Missing where there is too little memory for a buffer that no cache holds.
  static Reading<NoiseLoop> reading(double block_seconds);

  double seconds() const;  // that one block took now

 private:
  using Work = std::function<void(std::int64_t repeats)>;
  NoiseLoop(Work work, double block_seconds);

  Work work_;
  std::int64_t repeats_ = 1;
};

struct NoiseProbe {
  std::vector<double> compute;          // log ratios of a loop of dependent integer operations
  Reading<std::vector<double>> memory;  // and of one that reads from DRAM; missing where there is too little memory
};

// Lasts about `seconds`, but at least kMinNoisePairs pairs of each loop (0.05 s) and at most ten minutes.
constexpr int kMinNoisePairs = 6;  // with fewer a 95 % interval of the median does not exist
NoiseProbe measure_noise(double seconds);

}  // namespace gemwright::profilers
