#include "profilers/counters/perf_kernel.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>
#include <system_error>

#include "profilers/cpu_id.h"
#include "profilers/text_file.h"

namespace gemwright::profilers {
namespace {

PerfReply reply(std::int64_t value) { return value < 0 ? PerfReply{-1, errno} : PerfReply{value, 0}; }

class SystemPerfKernel final : public PerfKernel {
 public:
  explicit SystemPerfKernel(std::filesystem::path root) : root_(std::move(root)) {}

  PerfReply open(const perf_event_attr& attr, pid_t pid, int cpu, int group_fd, unsigned long flags) override {
    return reply(syscall(SYS_perf_event_open, &attr, pid, cpu, group_fd, flags));
  }

  PerfReply read(int fd, std::span<std::byte> into) override { return reply(::read(fd, into.data(), into.size())); }

  PerfReply control(int leader_fd, PerfControl what) override {
    const unsigned long request = what == PerfControl::reset    ? PERF_EVENT_IOC_RESET
                                  : what == PerfControl::enable ? PERF_EVENT_IOC_ENABLE
                                                                : PERF_EVENT_IOC_DISABLE;
    return reply(ioctl(leader_fd, request, PERF_IOC_FLAG_GROUP));
  }

  void close(int fd) override { ::close(fd); }

  bool has_cpu_pmu() override {
    std::error_code error;
    std::filesystem::directory_iterator each(root_ / "sys/bus/event_source/devices", error);
    if (error) return true;
    for (const std::filesystem::directory_iterator end; each != end; each.increment(error)) {
      // "cpu"; "cpu_core" and "cpu_atom" of hybrid CPUs; "armv8_pmuv3_0"
      const std::string name = each->path().filename().string();
      if (name.starts_with("cpu") || name.starts_with("armv")) return true;
      if (error) return true;
    }
    return false;
  }

  std::optional<int> paranoid() override {
    const auto word = read_word(root_ / "proc/sys/kernel/perf_event_paranoid");
    if (!word) return std::nullopt;
    int level = 0;
    const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), level);
    if (error != std::errc() || end != word->data() + word->size()) return std::nullopt;
    return level;
  }

  bool in_virtual_machine() override {
    const auto leaves = read_cpuid();
    return leaves && hypervisor(*leaves);
  }

 private:
  std::filesystem::path root_;
};

}  // namespace

std::shared_ptr<PerfKernel> system_perf_kernel(const std::filesystem::path& root) {
  return std::make_shared<SystemPerfKernel>(root);
}

}  // namespace gemwright::profilers
