// When a study has searched enough. Pure, so that the rule stands in one place and is tested without a clock.
//
// A budget names a time or a number of trials; without one it is kDefaultSeconds, and for products whose call is long
// also a number of calls, those that verify a config among them: kDefaultCalls, or fewer where they would take more
// than kLongStudySeconds. The search gets kSearchShare of a time and kSearchCallShare of the calls, the rest confirms.
#pragma once

#include <cstdint>
#include <optional>

#include "tuner/study/records.h"

namespace gemwright::tuner {

constexpr double kDefaultSeconds = 10;
constexpr std::int64_t kDefaultCalls = 100;
constexpr double kLongCallNs = 10e6;
constexpr double kSearchShare = 0.65;
// So that the 28 products of a model with 7 values of M take minutes where some of them take a second a call.
constexpr double kLongStudySeconds = 12;
// However long one takes: the search's share is eight candidates, verified and timed by one call each, and the
// baseline; who is in doubt is timed again, and the final has its least rounds, all the same.
constexpr std::int64_t kLeastCalls = 24;
// The final of long calls has a dozen rounds of five blocks, or six of very long ones (measure_protocol.h).
constexpr double kSearchCallShare = 0.45;
constexpr double kVeryLongNs = 100e6;
// From here on the call that verifies a config is its first block, too. A first call may take 0.1 s longer where a
// virtual machine has to get fresh memory from its host: calls of 0.2 s came out 1.5 times as long, of 0.8 s as usual.
constexpr double kOneCallNs = 400e6;

// The time of a budget; that of the default where it counts trials.
double seconds_of(const Budget& budget);

// Whether a finished study of budget `before` has to go on for `asked`.
bool larger(const Budget& asked, const Budget& before);

inline bool verifies_and_times(std::optional<double> call_ns) { return call_ns && *call_ns > kOneCallNs; }
inline bool is_very_long(std::optional<double> call_ns) { return call_ns && *call_ns > kVeryLongNs; }

// Calls of the default budget where one takes `call_ns`.
std::int64_t default_calls(double call_ns);

struct Spent {
  double seconds = 0;
  std::int64_t trials = 0, calls = 0;
  std::optional<double> call_ns;  // as BlockTimer has it
};
bool search_is_over_after(const Budget& budget, const Spent& spent);

// The largest batch of candidates that, verified and timed once each with the baseline beside them, fits the search's
// share of a time, or what is left of that of the calls; absent where the budget is neither, or nothing is known of a
// call.
std::optional<std::size_t> affordable_batch(const Budget& budget, const Spent& spent);

}  // namespace gemwright::tuner
