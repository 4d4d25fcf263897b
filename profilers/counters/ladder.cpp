#include "profilers/counters/ladder.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "profilers/counters/event_tables.h"
#include "profilers/counters/perf_event.h"
#include "profilers/counters/perf_kernel.h"
#include "profilers/counters/software.h"

namespace gemwright::profilers {
namespace {

std::string main_reason(const std::vector<const Counter*>& missing) {
  std::map<std::string, int> votes;
  for (const Counter* c : missing) ++votes[c->reason];
  const auto more = [](const auto& a, const auto& b) { return a.second < b.second; };
  return std::max_element(votes.begin(), votes.end(), more)->first;
}

CounterAvailability summary_of(const std::string& provider, const std::vector<Counter>& counters) {
  CounterAvailability out;
  out.provider = provider;
  std::vector<const Counter*> missing;
  for (const Counter& c : counters) {
    if (c.provider != provider) continue;
    ++out.counters;
    if (!has_value(c.status)) missing.push_back(&c);
  }
  out.available = out.counters - missing.size();
  if (out.available == 0) {
    out.text = fmt::format("missing: {}", main_reason(missing));
  } else if (missing.empty()) {
    out.text = fmt::format("{} counter{}", out.counters, out.counters == 1 ? "" : "s");
  } else {
    out.text = fmt::format("{} of {} counters; {} missing: {}", out.available, out.counters, missing.size(),
                           main_reason(missing));
  }
  return out;
}

using Providers = std::vector<std::unique_ptr<CounterProvider>>;

// Who counts one pass, the outermost last.
using Sharing = std::vector<std::size_t>;

// The pass that the first `count` of `sharing` count, and whether its calls succeeded. A provider that has nothing to
// count does not run it.
bool shared_pass(const Providers& providers, const Sharing& sharing, std::size_t count, const Workload& work,
                 std::vector<std::vector<Counter>>& counters) {
  if (count == 0) return work.run && work.run();
  std::optional<bool> done;
  const auto inside = [&] {
    done = shared_pass(providers, sharing, count - 1, work, counters);
    return *done;
  };
  const std::size_t outermost = sharing[count - 1];
  counters[outermost] = providers[outermost]->count({inside, work.calls, work.lasting});
  return done ? *done : inside();
}

}  // namespace

std::vector<std::unique_ptr<CounterProvider>> counter_ladder(const CpuInfo& cpu) {
  const std::shared_ptr<PerfKernel> kernel = system_perf_kernel();
  std::vector<std::unique_ptr<CounterProvider>> ladder;
  ladder.push_back(std::make_unique<PerfProvider>(kernel, hardware_events(cpu)));
  ladder.push_back(std::make_unique<SoftwareProvider>(kernel));
  ladder.push_back(std::make_unique<RusageProvider>());
  ladder.push_back(std::make_unique<StealProvider>());
  return ladder;
}

std::vector<Counter> count_all(const std::vector<std::unique_ptr<CounterProvider>>& providers, const Workload& work) {
  std::vector<std::vector<Counter>> counters(providers.size());
  Sharing sharing;
  for (std::size_t i = 0; i < providers.size(); ++i) {
    if (!providers[i]->shares_a_pass(work)) {
      counters[i] = providers[i]->count(work);
    } else {
      sharing.insert(providers[i]->repeats() ? sharing.begin() : sharing.end(), i);
    }
  }
  int runs = 0;
  const auto once_more = [&] {
    ++runs;
    return work.run && work.run();
  };
  const auto count_shared = [&] {
    if (sharing.empty()) return;
    (void)shared_pass(providers, sharing, sharing.size(), {once_more, work.calls, work.lasting}, counters);
  };  // a failure is in the counters
  count_shared();
  if (runs > 1) {
    std::erase_if(sharing, [&](std::size_t i) { return providers[i]->repeats(); });
    count_shared();
  }
  std::vector<Counter> all;
  for (std::vector<Counter>& c : counters) {
    all.insert(all.end(), std::make_move_iterator(c.begin()), std::make_move_iterator(c.end()));
  }
  return all;
}

std::vector<CounterAvailability> summarize(const std::vector<Counter>& counters) {
  std::vector<CounterAvailability> out;
  for (const Counter& c : counters) {
    const auto known = std::find_if(out.begin(), out.end(), [&](const auto& a) { return a.provider == c.provider; });
    if (known == out.end()) out.push_back(summary_of(c.provider, counters));
  }
  return out;
}

std::vector<CounterAvailability> availability(const std::vector<std::unique_ptr<CounterProvider>>& providers) {
  return summarize(count_all(providers, {[] { return true; }, 1}));
}

}  // namespace gemwright::profilers
