// One pass: a group of events counted over all threads of this process while the workload runs once.
//
// Idea: for each thread one group, so that its events are counted over exactly the same time. The first event that the
// kernel accepts leads. What a thread counted is scaled by its own share of time, then summed over the threads. Threads
// that never ran add nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "profilers/counters/counter.h"
#include "profilers/counters/perf_kernel.h"

namespace gemwright::profilers {

struct PerfEvent {
  std::uint32_t type = PERF_TYPE_HARDWARE;
  std::uint64_t config = 0;
  bool exclude_kernel = true;  // all that perf_event_paranoid 2 allows
};

// Status, value and reason as in Counter.
struct PerfOutcome {
  CounterStatus status = CounterStatus::failed;
  std::optional<double> value;
  std::string reason;
};

struct PerfPass {
  // One for each event; nothing where the kernel takes the event but not beside the others of this group.
  std::vector<std::optional<PerfOutcome>> outcomes;
  bool ran = false;      // the workload: not when no event could be opened
  bool run_ok = true;    // false: it ran and failed; the opened events are `failed`
  bool starved = false;  // threads ran, but the hardware had not enough counters for the group
};

PerfPass count_pass(PerfKernel& kernel, const std::vector<PerfEvent>& events, const std::vector<int>& thread_ids,
                    const Workload& work);

// The outcome of an event that perf_event_open refused with `error`.
PerfOutcome refused(PerfKernel& kernel, int error, std::uint32_t event_type);
PerfOutcome failed_outcome(std::string reason);

}  // namespace gemwright::profilers
