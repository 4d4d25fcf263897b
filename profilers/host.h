// What of this machine's present state matters to a measurement: the clock, huge pages, frequency governor, stolen
// time, memory and the limits of its control group. Each value is present or missing with the reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "profilers/cgroup.h"
#include "profilers/reading.h"

namespace gemwright::profilers {

// The clock that blocks are timed with: std::chrono::steady_clock.
struct ClockInfo {
  Reading<std::string> source;    // "tsc", "kvm-clock"
  Reading<bool> constant_tsc;     // ticks at one rate whatever the frequency
  Reading<bool> nonstop_tsc;      // and through sleep states
  Reading<double> resolution_ns;  // smallest step seen between two readings
  Reading<double> cost_ns;        // of one reading
};
ClockInfo probe_clock(const std::filesystem::path& root = "/");

struct HostInfo {
  ClockInfo clock;
  Reading<std::string> transparent_huge_pages;  // "always", "madvise", "never"
  Reading<std::string> governor;                // of CPU 0
  Reading<std::int64_t> steal_ticks;            // since boot, over all CPUs
  Reading<std::int64_t> memory_available_bytes;
  CgroupLimits limits;
};
HostInfo probe_host(const std::filesystem::path& root = "/");

// Ticks (1/100 s) that the hypervisor gave to others since boot: of one CPU, or of all. One small read, so that it can
// be asked before and after a block.
Reading<std::int64_t> steal_ticks(std::optional<int> cpu, const std::filesystem::path& root = "/");

}  // namespace gemwright::profilers
