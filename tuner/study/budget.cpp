#include "tuner/study/budget.h"

#include <algorithm>

namespace gemwright::tuner {
namespace {

// A candidate is run to be verified and timed once, which may be one call; beside each batch runs the baseline, and
// some are in doubt.
double calls_of_a_candidate(std::optional<double> call_ns) { return verifies_and_times(call_ns) ? 1.25 : 2.25; }
// Fewer cannot be compared.
constexpr double kLeastBatch = 2;

bool counts_calls(const Budget& budget, std::optional<double> call_ns) {
  return !budget.seconds && !budget.trials && call_ns && *call_ns > kLongCallNs;
}

double default_search_calls(double call_ns) { return kSearchCallShare * static_cast<double>(default_calls(call_ns)); }

}  // namespace

double seconds_of(const Budget& budget) { return budget.seconds.value_or(kDefaultSeconds); }

bool larger(const Budget& asked, const Budget& before) {
  if (asked.trials && before.trials) return *asked.trials > *before.trials;
  if (asked.trials || before.trials) return true;
  return seconds_of(asked) > seconds_of(before);
}

std::int64_t default_calls(double call_ns) {
  const double fit = std::min(kLongStudySeconds * 1e9 / call_ns, static_cast<double>(kDefaultCalls));
  return std::max(static_cast<std::int64_t>(fit), kLeastCalls);
}

bool search_is_over_after(const Budget& budget, const Spent& spent) {
  if (budget.trials) return spent.trials >= *budget.trials;
  if (spent.seconds < kSearchShare * seconds_of(budget)) return false;
  if (!counts_calls(budget, spent.call_ns)) return true;
  const double left = default_search_calls(*spent.call_ns) - static_cast<double>(spent.calls);
  return left < kLeastBatch * calls_of_a_candidate(spent.call_ns);
}

std::optional<std::size_t> affordable_batch(const Budget& budget, const Spent& spent) {
  double calls = 0;
  if (counts_calls(budget, spent.call_ns)) {
    calls = default_search_calls(*spent.call_ns) - static_cast<double>(spent.calls);
  } else if (budget.seconds && spent.call_ns) {
    calls = kSearchShare * *budget.seconds * 1e9 / *spent.call_ns;
  } else {
    return std::nullopt;
  }
  return static_cast<std::size_t>(std::clamp(calls / calls_of_a_candidate(spent.call_ns), kLeastBatch, 1e6));
}

}  // namespace gemwright::tuner
