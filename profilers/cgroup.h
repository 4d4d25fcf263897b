// The limits that a control group (container, systemd slice) puts on this process: versions 1 and 2. The tightest limit
// on the way from the process's group to the root counts. "No limit" is an absent value whose reason says so.
#pragma once

#include <cstdint>
#include <filesystem>

#include "profilers/reading.h"

namespace gemwright::profilers {

constexpr const char* kNoLimit = "no limit is set";

struct CgroupLimits {
  Reading<double> cpus;  // CPU time per time, e.g. 1.5
  Reading<std::int64_t> memory_bytes;
};

CgroupLimits cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace gemwright::profilers
