#include "profilers/counters/software.h"

#include <sys/resource.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "profilers/host.h"

namespace gemwright::profilers {
namespace {

enum class UserMode {
  complete,  // counts the same when the kernel is excluded
  partial,   // misses what happens inside the kernel
  nothing,   // happens inside the kernel only: excluding it would count a wrong 0
};

struct SoftwareEvent {
  std::string_view name, unit;
  std::uint64_t config;
  UserMode user_mode;
};

constexpr std::array kEvents = {
    SoftwareEvent{"task-clock", "ns", PERF_COUNT_SW_TASK_CLOCK, UserMode::complete},
    SoftwareEvent{"page-faults.minor", "events", PERF_COUNT_SW_PAGE_FAULTS_MIN, UserMode::partial},
    SoftwareEvent{"page-faults.major", "events", PERF_COUNT_SW_PAGE_FAULTS_MAJ, UserMode::partial},
    SoftwareEvent{"context-switches", "events", PERF_COUNT_SW_CONTEXT_SWITCHES, UserMode::nothing},
    SoftwareEvent{"cpu-migrations", "events", PERF_COUNT_SW_CPU_MIGRATIONS, UserMode::nothing},
};

struct UsageField {
  std::string_view name, unit;
  std::int64_t ResourceUsage::*field;
};

constexpr std::array kUsage = {
    UsageField{"user-time", "ns", &ResourceUsage::user_ns},
    UsageField{"system-time", "ns", &ResourceUsage::system_ns},
    UsageField{"page-faults.minor", "events", &ResourceUsage::minor_faults},
    UsageField{"page-faults.major", "events", &ResourceUsage::major_faults},
    UsageField{"context-switches.voluntary", "events", &ResourceUsage::voluntary_switches},
    UsageField{"context-switches.involuntary", "events", &ResourceUsage::involuntary_switches},
};

std::int64_t nanoseconds(const timeval& t) {
  return std::int64_t{t.tv_sec} * 1'000'000'000 + std::int64_t{t.tv_usec} * 1000;
}

// The counter of a total that was read before and after the pass. It only grows, unless the machine was moved.
Counter difference(std::string_view provider, std::string_view name, std::string_view unit, std::int64_t before,
                   std::int64_t after, std::int64_t calls) {
  Counter counter{
      std::string(provider), std::string(name), std::string(unit), CounterStatus::failed, std::nullopt, calls, ""};
  if (after < before) {
    counter.reason = "the system's total became smaller during the pass";
  } else {
    counter.status = CounterStatus::counted;
    counter.value = static_cast<double>(after - before);
  }
  return counter;
}

}  // namespace

SoftwareProvider::SoftwareProvider(std::shared_ptr<PerfKernel> kernel, ThreadList threads)
    : kernel_(std::move(kernel)), threads_(std::move(threads)) {}

bool SoftwareProvider::may_observe_kernel() {
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_TASK_CLOCK;
  attr.disabled = 1;
  const PerfReply reply = kernel_->open(attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  if (reply) kernel_->close(static_cast<int>(reply.value));
  return reply.error != EACCES && reply.error != EPERM;
}

std::vector<Counter> SoftwareProvider::count(const Workload& work) {
  const bool user_only = !may_observe_kernel();
  std::vector<PerfEvent> events;
  for (const SoftwareEvent& e : kEvents)
    events.push_back({PERF_TYPE_SOFTWARE, e.config, user_only && e.user_mode != UserMode::nothing});
  std::vector<PerfOutcome> outcomes = count_events(*kernel_, events, threads_, work);
  std::vector<Counter> counters;
  for (std::size_t i = 0; i < kEvents.size(); ++i) {
    const SoftwareEvent& e = kEvents[i];
    PerfOutcome& outcome = outcomes[i];
    if (user_only && e.user_mode == UserMode::partial && outcome.value) {
      if (!outcome.reason.empty()) outcome.reason += "; ";
      outcome.reason += "in user mode only: perf_event_paranoid hides the kernel";
    }
    counters.push_back({"software", std::string(e.name), std::string(e.unit), outcome.status, outcome.value, work.calls,
                        std::move(outcome.reason)});
  }
  return counters;
}

Reading<ResourceUsage> resource_usage() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0)
    return missing<ResourceUsage>("getrusage failed: " + std::error_code(errno, std::generic_category()).message());
  return {ResourceUsage{nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime), usage.ru_minflt, usage.ru_majflt,
                        usage.ru_nvcsw, usage.ru_nivcsw},
          ""};
}

std::vector<Counter> RusageProvider::count(const Workload& work) {
  const Reading<ResourceUsage> before = usage_();
  const bool run_ok = before && work.run && work.run();
  const Reading<ResourceUsage> after = usage_();
  std::vector<Counter> counters;
  for (const UsageField& f : kUsage) {
    if (run_ok && after) {
      counters.push_back(
          difference("rusage", f.name, f.unit, (*before.value).*f.field, (*after.value).*f.field, work.calls));
      continue;
    }
    const std::string reason = !before ? before.reason : !run_ok ? "a call of the workload failed" : after.reason;
    counters.push_back(
        {"rusage", std::string(f.name), std::string(f.unit), CounterStatus::failed, std::nullopt, work.calls, reason});
  }
  return counters;
}

std::vector<Counter> StealProvider::count(const Workload& work) {
  Counter counter{"steal", "steal-time", "ticks", CounterStatus::unsupported, std::nullopt, work.calls, ""};
  const Reading<std::int64_t> before = steal_ticks(std::nullopt, root_);
  if (!before) {
    counter.reason = before.reason;
    return {counter};
  }
  const bool run_ok = work.run && work.run();
  const Reading<std::int64_t> after = steal_ticks(std::nullopt, root_);
  if (run_ok && after)
    return {difference("steal", counter.name, counter.unit, *before.value, *after.value, work.calls)};
  counter.status = CounterStatus::failed;
  counter.reason = run_ok ? after.reason : "a call of the workload failed";
  return {counter};
}

}  // namespace gemwright::profilers
