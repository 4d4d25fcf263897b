#include "profilers/counters/perf_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace gemwright::profilers {
namespace {

std::size_t count_new(const std::vector<int>& before, const std::vector<int>& after) {
  return static_cast<std::size_t>(std::count_if(
      after.begin(), after.end(), [&](int id) { return std::find(before.begin(), before.end(), id) == before.end(); }));
}

// A pass that saw all threads from their beginning, if the second attempt is one.
PerfPass count_settled(PerfKernel& kernel, const std::vector<PerfEvent>& events, const ThreadList& threads,
                       const Workload& work) {
  std::vector<int> before = threads();
  PerfPass pass = count_pass(kernel, events, before, work);
  if (!pass.ran || !pass.run_ok) return pass;
  std::vector<int> after = threads();
  if (count_new(before, after) == 0) return pass;
  before = std::move(after);
  pass = count_pass(kernel, events, before, work);
  const std::size_t missed = count_new(before, threads());
  if (missed == 0) return pass;
  for (auto& outcome : pass.outcomes) {
    if (!outcome || !outcome->value) continue;
    if (!outcome->reason.empty()) outcome->reason += "; ";
    outcome->reason += fmt::format("without {} thread{} that began during the pass", missed, missed == 1 ? "" : "s");
  }
  return pass;
}

void discard_values(std::vector<std::optional<PerfOutcome>>& outcomes) {
  for (auto& outcome : outcomes) {
    if (!outcome || outcome->value) outcome = failed_outcome("a call of the workload failed");
  }
}

}  // namespace

std::vector<int> process_threads() {
  std::vector<int> ids;
  std::error_code error;
  std::filesystem::directory_iterator each("/proc/self/task", error);
  if (error) return ids;
  for (const std::filesystem::directory_iterator end; !error && each != end; each.increment(error)) {
    const std::string name = each->path().filename().string();
    int id = 0;
    const auto [stop, parse_error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (parse_error == std::errc() && stop == name.data() + name.size() && id > 0) ids.push_back(id);
  }
  return ids;
}

std::vector<PerfOutcome> count_events(PerfKernel& kernel, const std::vector<PerfEvent>& events,
                                      const ThreadList& threads, const Workload& work) {
  std::vector<std::optional<PerfOutcome>> outcomes(events.size());
  std::deque<std::size_t> pending;
  for (std::size_t i = 0; i < events.size(); ++i) pending.push_back(i);
  std::size_t limit = kGroupSize;
  while (!pending.empty()) {
    const std::size_t n = std::min(limit, pending.size());
    const std::vector<std::size_t> chosen(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(n));
    std::vector<PerfEvent> group;
    for (const std::size_t i : chosen) group.push_back(events[i]);
    PerfPass pass = count_settled(kernel, group, threads, work);
    if (pass.ran && !pass.run_ok) {
      discard_values(outcomes);
      break;
    }
    if (pass.starved && n > 1) {
      limit = (n + 1) / 2;
      continue;
    }
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(n));
    for (std::size_t k = n; k-- > 0;) {
      if (pass.outcomes[k]) {
        outcomes[chosen[k]] = std::move(pass.outcomes[k]);
      } else {
        pending.push_front(chosen[k]);
      }
    }
  }
  std::vector<PerfOutcome> all;
  for (auto& outcome : outcomes) all.push_back(std::move(*outcome));
  return all;
}

PerfProvider::PerfProvider(std::shared_ptr<PerfKernel> kernel, std::vector<HardwareEvent> events, ThreadList threads)
    : kernel_(std::move(kernel)), events_(std::move(events)), threads_(std::move(threads)) {}

std::vector<Counter> PerfProvider::count(const Workload& work) {
  std::vector<PerfOutcome> outcomes;
  if (kernel_->has_cpu_pmu()) {
    std::vector<PerfEvent> events;
    for (const HardwareEvent& e : events_)
      events.push_back({e.type == EventType::raw ? PERF_TYPE_RAW : PERF_TYPE_HARDWARE, e.config, true});
    outcomes = count_events(*kernel_, events, threads_, work);
  } else {
    const char* machine = kernel_->in_virtual_machine() ? "virtual machine" : "machine";
    outcomes.assign(events_.size(),
                    {CounterStatus::unsupported, std::nullopt, fmt::format("this {} exposes no CPU PMU", machine)});
  }
  std::vector<Counter> counters;
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const HardwareEvent& e = events_[i];
    if (outcomes[i].value) *outcomes[i].value *= e.weight;
    counters.push_back({"perf", std::string(e.name), std::string(e.unit), outcomes[i].status, outcomes[i].value,
                        work.calls, std::move(outcomes[i].reason)});
  }
  return counters;
}

}  // namespace gemwright::profilers
