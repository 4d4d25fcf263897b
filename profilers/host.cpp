#include "profilers/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>

#include "profilers/text_file.h"

namespace gemwright::profilers {
namespace {

namespace fs = std::filesystem;

Reading<std::string> word_of(const fs::path& root, const std::string& file) {
  if (auto word = read_word(root / file)) return {std::move(word), ""};
  return missing<std::string>(fmt::format("/{} is not readable", file));
}

Reading<bool> flag_of(const std::optional<std::string>& cpuinfo, std::string_view flag) {
  if (!cpuinfo) return missing<bool>("/proc/cpuinfo is not readable");
  for (const std::string_view line : lines(*cpuinfo)) {
    if (!line.starts_with("flags")) continue;
    const auto all = words(line);
    return {std::find(all.begin(), all.end(), flag) != all.end(), ""};
  }
  return missing<bool>("/proc/cpuinfo lists no flags");
}

// A short loop of readings: some 100 us.
void measure_clock(ClockInfo& info) {
  using clock = std::chrono::steady_clock;
  constexpr int kReadings = 4000;
  const auto nanoseconds = [](clock::duration d) { return std::chrono::duration<double, std::nano>(d).count(); };
  double smallest = std::numeric_limits<double>::max();
  const auto begin = clock::now();
  auto last = begin;
  for (int i = 0; i < kReadings; ++i) {
    const auto now = clock::now();
    if (now > last) smallest = std::min(smallest, nanoseconds(now - last));
    last = now;
  }
  const double total = nanoseconds(last - begin);
  if (total > 0) {
    info.resolution_ns = {smallest, ""};
    info.cost_ns = {total / kReadings, ""};
  } else {
    info.resolution_ns = info.cost_ns =
        missing<double>(fmt::format("the clock did not move in {} readings", kReadings));
  }
}

// "always [madvise] never" -> "madvise".
Reading<std::string> huge_pages(const fs::path& root) {
  const std::string file = "sys/kernel/mm/transparent_hugepage/enabled";
  Reading<std::string> all = word_of(root, file);
  if (!all) return all;
  for (const std::string_view word : words(*all.value)) {
    if (word.size() > 2 && word.front() == '[' && word.back() == ']')
      return {std::string(word.substr(1, word.size() - 2)), ""};
  }
  return missing<std::string>(fmt::format("/{} marks no mode", file));
}

Reading<std::int64_t> memory_available(const fs::path& root) {
  const auto text = read_text(root / "proc/meminfo");
  if (!text) return missing<std::int64_t>("/proc/meminfo is not readable");
  for (const std::string_view line : lines(*text)) {
    const auto parts = words(line);
    if (parts.size() < 2 || parts[0] != "MemAvailable:") continue;
    const auto kib = parse_count(parts[1]);
    if (kib && *kib <= (std::numeric_limits<std::int64_t>::max() >> 10)) return {*kib << 10, ""};
  }
  return missing<std::int64_t>("/proc/meminfo has no MemAvailable");
}

}  // namespace

ClockInfo probe_clock(const fs::path& root) {
  ClockInfo info;
  info.source = word_of(root, "sys/devices/system/clocksource/clocksource0/current_clocksource");
  const auto cpuinfo = read_text(root / "proc/cpuinfo");
  info.constant_tsc = flag_of(cpuinfo, "constant_tsc");
  info.nonstop_tsc = flag_of(cpuinfo, "nonstop_tsc");
  measure_clock(info);
  return info;
}

HostInfo probe_host(const fs::path& root) {
  HostInfo host;
  host.clock = probe_clock(root);
  host.transparent_huge_pages = huge_pages(root);
  host.governor = word_of(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  host.steal_ticks = steal_ticks(std::nullopt, root);
  host.memory_available_bytes = memory_available(root);
  host.limits = cgroup_limits(root);
  return host;
}

Reading<std::int64_t> steal_ticks(std::optional<int> cpu, const fs::path& root) {
  const auto text = read_text(root / "proc/stat");
  if (!text) return missing<std::int64_t>("/proc/stat is not readable");
  const std::string name = cpu ? fmt::format("cpu{}", *cpu) : "cpu";
  for (const std::string_view line : lines(*text)) {
    const auto parts = words(line);
    if (parts.empty() || parts[0] != name) continue;
    constexpr std::size_t kSteal = 8;  // name, user, nice, system, idle, iowait, irq, softirq, steal
    const auto ticks = parts.size() > kSteal ? parse_count(parts[kSteal]) : std::nullopt;
    if (ticks) return {*ticks, ""};
    return missing<std::int64_t>(fmt::format("/proc/stat tells no stolen time for {}", name));
  }
  return missing<std::int64_t>(fmt::format("/proc/stat has no line {}", name));
}

}  // namespace gemwright::profilers
