// All rungs of this machine, best first, and what doctor says of them.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "profilers/counters/counter.h"
#include "profilers/cpu_info.h"

namespace gemwright::profilers {

// perf, software, rusage, steal.
std::vector<std::unique_ptr<CounterProvider>> counter_ladder(const CpuInfo& cpu);

// The counters of every provider. Those that share a pass count it one around the other, the first of them innermost;
// each of the others runs the workload itself.
std::vector<Counter> count_all(const std::vector<std::unique_ptr<CounterProvider>>& providers, const Workload& work);

struct CounterAvailability {
  std::string provider;
  std::size_t counters = 0;   // that it knows
  std::size_t available = 0;  // of them, those that can be counted here
  std::string text;           // for people: "25 of 30 counters; 5 missing: ..." or "missing: ..."

  bool operator==(const CounterAvailability&) const = default;
};

// One entry for each provider, in the order of its first counter; the reason is that of most of its missing counters.
std::vector<CounterAvailability> summarize(const std::vector<Counter>& counters);

// Opens each event once, around nothing.
std::vector<CounterAvailability> availability(const std::vector<std::unique_ptr<CounterProvider>>& providers);

}  // namespace gemwright::profilers
