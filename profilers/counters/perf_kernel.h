// What of the Linux kernel the perf counters use: perf_event_open and the files that say what it allows. Thin on
// purpose: no decision is taken here, so that a scripted kernel can stand in for this one. A call that fails tells its
// errno and is not repeated.
#pragma once

#include <linux/perf_event.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

namespace gemwright::profilers {

struct PerfReply {
  std::int64_t value = -1;  // a descriptor, a number of bytes, or 0; below 0 exactly when there is an error
  int error = 0;            // errno

  explicit operator bool() const { return error == 0; }
};

enum class PerfControl { reset, enable, disable };

class PerfKernel {
 public:
  virtual ~PerfKernel() = default;

  // The calls on events; arguments as in perf_event_open(2). `control` applies to the whole group of a leader.
  virtual PerfReply open(const perf_event_attr& attr, pid_t pid, int cpu, int group_fd, unsigned long flags) = 0;
  virtual PerfReply read(int fd, std::span<std::byte> into) = 0;
  virtual PerfReply control(int leader_fd, PerfControl what) = 0;
  virtual void close(int fd) = 0;

  // Whether the CPU's counters are exposed. True also where sysfs does not tell: opening an event will.
  virtual bool has_cpu_pmu() = 0;
  virtual std::optional<int> paranoid() = 0;  // /proc/sys/kernel/perf_event_paranoid
  virtual bool in_virtual_machine() = 0;
};

// The kernel that runs this process. `root` stands for "/" in tests: of the files, not of the calls.
std::shared_ptr<PerfKernel> system_perf_kernel(const std::filesystem::path& root = "/");

}  // namespace gemwright::profilers
