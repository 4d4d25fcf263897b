// The rungs that the operating system counts, there on nearly every machine; 0 is a value here.
//  * "software": time on CPUs, page faults, context switches and migrations of all threads of this process, by the
//    kernel's software perf events. Without permission to observe the kernel (perf_event_paranoid 2) faults are those
//    of user mode only, and switches and migrations are denied.
//  * "rusage": CPU time, faults and switches of this process, by getrusage; ended threads are in it.
//  * "steal": ticks (1/100 s) that the hypervisor gave to others, over all CPUs of the machine.
// "software" opens events for each thread, so it runs the workload by itself, but for one that lasts (the faults and
// switches of "rusage" are those of the opening, too, then); it runs it again where a thread began meanwhile. The
// others share one pass. All give totals over its calls. Times in ns.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "profilers/counters/counter.h"
#include "profilers/counters/perf_event.h"
#include "profilers/counters/perf_kernel.h"
#include "profilers/reading.h"

namespace gemwright::profilers {

class SoftwareProvider final : public CounterProvider {
 public:
  explicit SoftwareProvider(std::shared_ptr<PerfKernel> kernel, ThreadList threads = process_threads);
  std::vector<Counter> count(const Workload& work) override;
  bool shares_a_pass(const Workload& work) const override { return work.lasting; }
  bool repeats() const override { return true; }

 private:
  bool may_observe_kernel();

  std::shared_ptr<PerfKernel> kernel_;
  ThreadList threads_;
};

// Since the process began.
struct ResourceUsage {
  std::int64_t user_ns = 0, system_ns = 0;
  std::int64_t minor_faults = 0, major_faults = 0;
  std::int64_t voluntary_switches = 0, involuntary_switches = 0;
};
Reading<ResourceUsage> resource_usage();  // of this process, by getrusage

class RusageProvider final : public CounterProvider {
 public:
  explicit RusageProvider(std::function<Reading<ResourceUsage>()> usage = resource_usage) : usage_(std::move(usage)) {}
  std::vector<Counter> count(const Workload& work) override;
  bool shares_a_pass(const Workload&) const override { return true; }

 private:
  std::function<Reading<ResourceUsage>()> usage_;
};

class StealProvider final : public CounterProvider {
 public:
  // `root` stands for "/" in tests.
  explicit StealProvider(std::filesystem::path root = "/") : root_(std::move(root)) {}
  std::vector<Counter> count(const Workload& work) override;
  bool shares_a_pass(const Workload&) const override { return true; }

 private:
  std::filesystem::path root_;
};

}  // namespace gemwright::profilers
