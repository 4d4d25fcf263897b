#include "tuner/worker/meter.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace gemwright::tuner {
namespace {

std::int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::optional<std::int64_t> difference(std::optional<std::int64_t> before, std::optional<std::int64_t> after) {
  if (!before || !after) return std::nullopt;
  return *after - *before;
}

// The other threads of this process, in the order in which they were made.
std::vector<pid_t> other_threads() {
  std::vector<pid_t> ids;
  std::error_code error;
  using Tasks = std::filesystem::directory_iterator;
  for (Tasks task("/proc/self/task", error); !error && task != Tasks(); task.increment(error)) {
    const auto id = static_cast<pid_t>(std::strtol(task->path().filename().c_str(), nullptr, 10));
    if (id != gettid()) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

// Whether another thread of this process is running or could.
bool another_thread_runs() {
  for (const pid_t id : other_threads()) {
    std::string line;
    std::ifstream in(fmt::format("/proc/self/task/{}/stat", id));
    std::getline(in, line);
    const std::size_t name_end = line.rfind(')');  // a thread's name may hold blanks and brackets
    if (name_end != std::string::npos && line.compare(name_end, 3, ") R") == 0) return true;
  }
  return false;
}

}  // namespace

void await_sleeping_threads() {
  constexpr std::int64_t kLimitNs = 20'000'000;
  constexpr std::chrono::microseconds kPause{200};
  const std::int64_t start = now_ns();
  while (another_thread_runs() && now_ns() - start < kLimitNs) std::this_thread::sleep_for(kPause);
}

Affinity::Affinity() { known_ = sched_getaffinity(0, sizeof allowed_, &allowed_) == 0; }

Affinity::~Affinity() {
  if (known_) sched_setaffinity(0, sizeof allowed_, &allowed_);
}

void Affinity::set(int threads) {
  pinned_.reset();
  if (!known_) return;
  if (threads > 1) {
    sched_setaffinity(0, sizeof allowed_, &allowed_);
    return;
  }
  for (int cpu = CPU_SETSIZE - 1; cpu >= 0; --cpu) {
    if (!CPU_ISSET(cpu, &allowed_)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) == 0) pinned_ = cpu;
    return;
  }
}

void Affinity::place_threads(int threads) {
  if (!known_ || threads < 2) return;
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &allowed_)) cpus.push_back(cpu);
  }
  const std::vector<pid_t> others = other_threads();
  const auto team = static_cast<std::size_t>(threads - 1);
  const bool place = static_cast<std::size_t>(threads) <= cpus.size() && others.size() % team == 0;
  const auto put = [&](pid_t id, std::size_t member) {
    cpu_set_t set = allowed_;
    if (place) {
      CPU_ZERO(&set);
      CPU_SET(cpus[member], &set);
    }
    sched_setaffinity(id, sizeof set, &set);  // a thread that has just ended is no loss
  };
  put(0, 0);
  for (std::size_t i = 0; i < others.size(); ++i) put(others[i], 1 + i % team);
}

void BlockMeter::begin() { steal_before_ = steal_ticks(); }

void BlockMeter::start() {
  switches_before_ = involuntary_switches();
  start_cpu_ = sched_getcpu();
  start_ns_ = now_ns();
}

void BlockMeter::stop() {
  stop_ns_ = now_ns();
  stop_cpu_ = sched_getcpu();
  switches_ = difference(switches_before_, involuntary_switches());
  steal_ = difference(steal_before_, steal_ticks());
}

Block BlockMeter::block() const {
  Block b;
  b.ns = stop_ns_ - start_ns_;
  if (stop_cpu_ >= 0) b.cpu = stop_cpu_;
  b.migrated = start_cpu_ != stop_cpu_;
  b.involuntary_switches = switches_;
  b.steal_ticks = steal_;
  return b;
}

std::optional<std::int64_t> BlockMeter::involuntary_switches() const {
  rusage use;
  if (getrusage(pinned_ ? RUSAGE_THREAD : RUSAGE_SELF, &use) != 0) return std::nullopt;
  return use.ru_nivcsw;
}

std::optional<std::int64_t> BlockMeter::steal_ticks() const {
  constexpr int kStealField = 8;  // user nice system idle iowait irq softirq steal
  const std::string wanted = pinned_ ? fmt::format("cpu{}", *pinned_) : "cpu";
  std::ifstream in("/proc/stat");
  for (std::string line; std::getline(in, line) && line.compare(0, 3, "cpu") == 0;) {
    std::istringstream fields(line);
    std::string name;
    fields >> name;
    if (name != wanted) continue;
    std::int64_t value = 0;
    for (int i = 0; i < kStealField; ++i) fields >> value;
    if (fields) return value;
  }
  return std::nullopt;
}

}  // namespace gemwright::tuner
