#include "tuner/study/budget.h"

namespace gemwright::tuner {

double seconds_of(const Budget& budget) { return budget.seconds.value_or(kDefaultSeconds); }

bool larger(const Budget& asked, const Budget& before) {
  if (asked.trials && before.trials) return *asked.trials > *before.trials;
  if (asked.trials || before.trials) return true;
  return seconds_of(asked) > seconds_of(before);
}

bool search_is_over_after(const Budget& budget, const Spent& spent) {
  if (budget.trials) return spent.trials >= *budget.trials;
  if (spent.seconds < kSearchShare * seconds_of(budget)) return false;
  const bool long_calls = spent.call_ns && *spent.call_ns > kLongCallNs;
  return budget.seconds || !long_calls ||
         static_cast<double>(spent.calls) >= kSearchShare * static_cast<double>(kDefaultCalls);
}

}  // namespace gemwright::tuner
