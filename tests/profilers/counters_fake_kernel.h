// A kernel that follows a script: which events it refuses, what its groups count, and which descriptors are still open.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "profilers/counters/perf_kernel.h"

namespace gemwright::profilers::test {

class FakePerfKernel final : public PerfKernel {
 public:
  struct Opened {
    perf_event_attr attr{};
    pid_t thread = 0;
    int leader = -1;  // descriptor
    unsigned long flags = 0;
  };

  // The script.
  std::map<std::uint64_t, int> refused;                         // errno of a config, in every thread
  std::map<std::pair<pid_t, std::uint64_t>, int> refused_in;    // of a config in one thread
  std::map<pid_t, int> refused_threads;                         // errno of every event of a thread
  int refused_with_kernel = 0;                                  // errno of events that do not exclude the kernel
  std::size_t group_limit = 99;                                 // events that fit one group when it is opened: EINVAL
  std::size_t scheduled_limit = 99;                             // events that fit when it runs: running is 0
  std::map<pid_t, std::deque<std::vector<std::uint64_t>>> raw;  // words of the next group reads of a thread
  std::size_t cut_read = 0;                                     // bytes missing at the end of every read
  int read_error = 0, control_error = 0;
  bool interrupt_first = false;  // every call is interrupted once
  bool pmu = true, virtual_machine = false;
  std::optional<int> paranoid_level = 2;

  // What happened.
  std::map<int, Opened> open_now;
  std::vector<Opened> all_opened;
  int enables = 0, failed_closes = 0;

  PerfReply open(const perf_event_attr& attr, pid_t pid, int, int group_fd, unsigned long flags) override {
    if (interrupted()) return {-1, EINTR};
    if (const int error = refusal(attr, pid, group_fd)) return {-1, error};
    const int fd = next_fd_++;
    open_now[fd] = {attr, pid, group_fd, flags};
    all_opened.push_back(open_now[fd]);
    return {fd, 0};
  }

  PerfReply read(int fd, std::span<std::byte> into) override {
    if (interrupted()) return {-1, EINTR};
    if (read_error != 0) return {-1, read_error};
    std::vector<std::uint64_t> words = answer(fd);
    const std::size_t bytes = words.size() * sizeof words[0];
    if (bytes > into.size()) return {-1, ENOSPC};
    std::memcpy(into.data(), words.data(), bytes);
    return {static_cast<std::int64_t>(bytes - std::min(cut_read, bytes)), 0};
  }

  PerfReply control(int leader_fd, PerfControl what) override {
    if (interrupted()) return {-1, EINTR};
    if (control_error != 0) return {-1, control_error};
    if (open_now.count(leader_fd) == 0 || open_now[leader_fd].leader != -1) return {-1, EBADF};
    enables += what == PerfControl::enable;
    return {0, 0};
  }

  void close(int fd) override { failed_closes += open_now.erase(fd) == 0; }

  bool has_cpu_pmu() override { return pmu; }
  std::optional<int> paranoid() override { return paranoid_level; }
  bool in_virtual_machine() override { return virtual_machine; }

 private:
  bool interrupted() {
    if (!interrupt_first) return false;
    interrupting_ = !interrupting_;
    return interrupting_;
  }

  int refusal(const perf_event_attr& attr, pid_t pid, int group_fd) const {
    if (const auto it = refused_threads.find(pid); it != refused_threads.end()) return it->second;
    if (refused_with_kernel != 0 && attr.exclude_kernel == 0) return refused_with_kernel;
    if (const auto it = refused.find(attr.config); it != refused.end()) return it->second;
    if (const auto it = refused_in.find({pid, attr.config}); it != refused_in.end()) return it->second;
    if (group_fd >= 0 && open_now.count(group_fd) == 0) return EBADF;
    if (group_fd >= 0 && members(group_fd).size() >= group_limit) return EINVAL;
    return 0;
  }

  std::vector<std::uint64_t> members(int leader) const {
    std::vector<std::uint64_t> configs;
    for (const auto& [fd, opened] : open_now) {
      if (fd == leader || opened.leader == leader) configs.push_back(opened.attr.config);
    }
    return configs;
  }

  // Without a script an event counts its config, over 1000 ns.
  std::vector<std::uint64_t> answer(int leader) {
    auto& script = raw[open_now.at(leader).thread];
    if (!script.empty()) {
      std::vector<std::uint64_t> words = script.front();
      script.pop_front();
      return words;
    }
    const std::vector<std::uint64_t> configs = members(leader);
    const bool runs = configs.size() <= scheduled_limit;
    std::vector<std::uint64_t> words = {configs.size(), 1000, runs ? 1000u : 0u};
    for (const std::uint64_t config : configs) words.push_back(runs ? config : 0);
    return words;
  }

  int next_fd_ = 100;
  bool interrupting_ = false;
};

}  // namespace gemwright::profilers::test
