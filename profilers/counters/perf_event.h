// The rung that the hardware counts: provider "perf", through the kernel's perf_event_open.
//
// Idea: never multiplex. At most kGroupSize events are counted at once, over all threads of this process and in user
// mode only; the workload runs once for each group. Where the hardware has fewer counters, groups become smaller and
// passes more. Values are totals over threads and over the calls of one pass.
// Limits: threads that begin during a pass are not in it; such a pass is repeated once, so that a pool that the first
// call creates is counted. Other threads of the process that run at the same time are counted too.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "profilers/counters/counter.h"
#include "profilers/counters/event_tables.h"
#include "profilers/counters/perf_kernel.h"
#include "profilers/counters/perf_pass.h"

namespace gemwright::profilers {

// Programmable counters of a Zen core; Intel has more.
constexpr std::size_t kGroupSize = 6;

// Ids of the threads of this process.
using ThreadList = std::function<std::vector<int>()>;
std::vector<int> process_threads();  // of /proc/self/task

// One outcome for each event, in as many passes as it takes. A workload that fails ends it: no value is kept then.
std::vector<PerfOutcome> count_events(PerfKernel& kernel, const std::vector<PerfEvent>& events,
                                      const ThreadList& threads, const Workload& work);

class PerfProvider final : public CounterProvider {
 public:
  PerfProvider(std::shared_ptr<PerfKernel> kernel, std::vector<HardwareEvent> events,
               ThreadList threads = process_threads);
  std::vector<Counter> count(const Workload& work) override;

 private:
  std::shared_ptr<PerfKernel> kernel_;
  std::vector<HardwareEvent> events_;
  ThreadList threads_;
};

}  // namespace gemwright::profilers
