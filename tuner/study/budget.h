// When a study has searched enough. Pure, so that the rule stands in one place and is tested without a clock.
//
// A budget names a time or a number of trials; without one it is kDefaultSeconds, and for products whose call is long
// also kDefaultCalls calls, however long they take, those that verify a config among them. The search gets kSearchShare
// of it, the rest confirms.
#pragma once

#include <cstdint>
#include <optional>

#include "tuner/study/records.h"

namespace gemwright::tuner {

constexpr double kDefaultSeconds = 10;
constexpr std::int64_t kDefaultCalls = 100;
constexpr double kLongCallNs = 10e6;
constexpr double kSearchShare = 0.65;

// The time of a budget; that of the default where it counts trials.
double seconds_of(const Budget& budget);

// Whether a finished study of budget `before` has to go on for `asked`.
bool larger(const Budget& asked, const Budget& before);

struct Spent {
  double seconds = 0;
  std::int64_t trials = 0, calls = 0;
  std::optional<double> call_ns;  // of the baseline; absent before the first block
};
bool search_is_over_after(const Budget& budget, const Spent& spent);

}  // namespace gemwright::tuner
