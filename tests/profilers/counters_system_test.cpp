// Event tables, the rungs of the operating system, and the ladder of the machine that runs this test.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>

#include "counters_fake_kernel.h"
#include "fake_root.h"
#include "profilers/counters/event_tables.h"
#include "profilers/counters/ladder.h"
#include "profilers/counters/software.h"

namespace gemwright::profilers {
namespace {

using test::FakePerfKernel;
using test::FakeRoot;

CpuInfo cpu(const std::string& vendor, int family, int model, std::vector<std::string> instruction_sets = {}) {
  CpuInfo info;
  info.vendor = vendor;
  info.family = family;
  info.model = model;
  info.instruction_sets = std::move(instruction_sets);
  return info;
}

const HardwareEvent* find(const std::vector<HardwareEvent>& events, std::string_view name) {
  for (const HardwareEvent& e : events) {
    if (e.name == name) return &e;
  }
  return nullptr;
}

const Counter* find(const std::vector<Counter>& counters, std::string_view provider, std::string_view name) {
  for (const Counter& c : counters) {
    if (c.provider == provider && c.name == name) return &c;
  }
  return nullptr;
}

const CpuInfo kZen5 = cpu("AuthenticAMD", 26, 2);
const CpuInfo kSapphireRapids = cpu("GenuineIntel", 6, 0x8f, {"avx2", "avx512f", "amx_tile"});

TEST(EventTables, PlaceEventAndUnitMask) {
  EXPECT_EQ(amd_config(0x03, 0x0f), 0x0f03u);
  EXPECT_EQ(amd_config(0x1a0, 0x1e), 0x1'0000'1ea0u);
  EXPECT_EQ(amd_config(0xfff, 0xff), 0xf'0000'ffffu);
  EXPECT_EQ(intel_config(0xc7, 0x80), 0x80c7u);
}

TEST(EventTables, Zen5EventsHaveTheirPublishedEncodings) {
  const auto events = hardware_events(kZen5);
  const std::pair<std::string_view, std::uint64_t> expected[] = {{"fp.flops", 0x0f03},
                                                                 {"fp.ops.128b", 0x0808},
                                                                 {"fp.ops.256b", 0x1008},
                                                                 {"fp.ops.512b", 0x2008},
                                                                 {"vnni.ops", 0xc00b},
                                                                 {"l1d.fills", 0xff44},
                                                                 {"l1d.fills.l2", 0x0144},
                                                                 {"l1d.fills.l3", 0x0244},
                                                                 {"l1d.fills.dram", 0x4844},
                                                                 {"l1d.fills.demand", 0xff43},
                                                                 {"dtlb.misses", 0xff45},
                                                                 {"dtlb.walks", 0xf045},
                                                                 {"slots.frontend", 0x1000001a0},
                                                                 {"slots.backend", 0x100001ea0},
                                                                 {"slots.smt", 0x1000060a0},
                                                                 {"ops.dispatched", 0x07aa},
                                                                 {"stall.load", 0xa2d6},
                                                                 {"stall.any", 0x02d6}};
  for (const auto& [name, config] : expected) {
    const HardwareEvent* event = find(events, name);
    ASSERT_NE(event, nullptr) << name;
    EXPECT_EQ(event->config, config) << name;
    EXPECT_EQ(event->type, EventType::raw) << name;
  }
}

TEST(EventTables, IntelVectorFlopsCountTheirLanes) {
  const auto events = hardware_events(kSapphireRapids);
  const std::pair<std::string_view, std::pair<std::uint64_t, double>> expected[] = {
      {"fp.flops.512b.f32", {0x80c7, 16}},  {"fp.flops.512b.f64", {0x40c7, 8}},   {"fp.flops.256b.f32", {0x20c7, 8}},
      {"fp.flops.256b.f64", {0x10c7, 4}},   {"fp.flops.128b.f32", {0x08c7, 4}},   {"fp.flops.128b.f64", {0x04c7, 2}},
      {"fp.flops.scalar.f32", {0x02c7, 1}}, {"fp.flops.scalar.f64", {0x01c7, 1}}, {"amx.busy", {0x02b7, 1}}};
  for (const auto& [name, encoding] : expected) {
    const HardwareEvent* event = find(events, name);
    ASSERT_NE(event, nullptr) << name;
    EXPECT_EQ(event->config, encoding.first) << name;
    EXPECT_EQ(event->weight, encoding.second) << name;
  }
}

TEST(EventTables, NamesAreUniqueAndEveryEventIsExplained) {
  for (const CpuInfo& info : {kZen5, kSapphireRapids, CpuInfo{}}) {
    std::set<std::string_view> names;
    std::set<std::pair<EventType, std::uint64_t>> encodings;
    for (const HardwareEvent& e : hardware_events(info)) {
      EXPECT_TRUE(names.insert(e.name).second) << e.name;
      EXPECT_TRUE(encodings.insert({e.type, e.config}).second) << e.name;
      EXPECT_FALSE(e.unit.empty()) << e.name;
      EXPECT_FALSE(e.doc.empty()) << e.name;
      EXPECT_GE(e.weight, 1) << e.name;
    }
  }
}

TEST(EventTables, ACpuWithoutACertainTableGetsOnlyTheGenericEvents) {
  const auto generic = hardware_events(CpuInfo{});
  ASSERT_NE(find(generic, "instructions"), nullptr);
  ASSERT_NE(find(generic, "cycles"), nullptr);
  for (const HardwareEvent& e : generic) EXPECT_EQ(e.type, EventType::generic) << e.name;
  const CpuInfo others[] = {cpu("AuthenticAMD", 25, 1),
                            cpu("AuthenticAMD", 26, 0x50),
                            cpu("AuthenticAMD", 26, 0x90),
                            cpu("GenuineIntel", 6, 0xb7, {"avx2"}),
                            cpu("GenuineIntel", 6, 0x57, {"avx512f"}),
                            cpu("GenuineIntel", 26, 2)};
  for (const CpuInfo& other : others) EXPECT_EQ(hardware_events(other).size(), generic.size()) << other.vendor;
  EXPECT_GT(hardware_events(kZen5).size(), generic.size());
  EXPECT_EQ(find(hardware_events(cpu("GenuineIntel", 6, 0x55, {"avx512f"})), "amx.busy"), nullptr);
}

const Workload kNothing = {[] { return true; }, 4};

TEST(SoftwareRung, CountsInsideTheKernelWhereItMay) {
  auto kernel = std::make_shared<FakePerfKernel>();
  SoftwareProvider provider(kernel, [] { return std::vector<int>{7, 8}; });
  const auto counters = provider.count(kNothing);
  ASSERT_EQ(counters.size(), 5u);
  for (const Counter& c : counters) {
    EXPECT_EQ(c.status, CounterStatus::counted) << c.name;
    EXPECT_EQ(c.reason, "") << c.name;
    EXPECT_EQ(c.calls, 4);
  }
  EXPECT_EQ(counters[0].value, 2.0 * std::uint64_t{PERF_COUNT_SW_TASK_CLOCK});
  EXPECT_EQ(counters[4].value, 2.0 * std::uint64_t{PERF_COUNT_SW_CPU_MIGRATIONS});
  EXPECT_TRUE(kernel->open_now.empty());
}

TEST(SoftwareRung, WithoutPermissionGivesNoFalseZeroForWhatHappensInTheKernel) {
  auto kernel = std::make_shared<FakePerfKernel>();
  kernel->refused_with_kernel = EACCES;
  SoftwareProvider provider(kernel, [] { return std::vector<int>{7}; });
  const auto counters = provider.count(kNothing);
  EXPECT_EQ(find(counters, "software", "task-clock")->status, CounterStatus::counted);
  EXPECT_EQ(find(counters, "software", "task-clock")->reason, "");
  EXPECT_EQ(find(counters, "software", "page-faults.minor")->status, CounterStatus::counted);
  EXPECT_NE(find(counters, "software", "page-faults.minor")->reason.find("user mode"), std::string::npos);
  EXPECT_EQ(find(counters, "software", "context-switches")->status, CounterStatus::denied);
  EXPECT_EQ(find(counters, "software", "cpu-migrations")->status, CounterStatus::denied);
}

TEST(SoftwareRung, AKernelWithoutPerfEventsIsUnsupported) {
  auto kernel = std::make_shared<FakePerfKernel>();
  kernel->refused_threads[7] = ENOSYS;
  SoftwareProvider provider(kernel, [] { return std::vector<int>{7}; });
  for (const Counter& c : provider.count(kNothing)) EXPECT_EQ(c.status, CounterStatus::unsupported) << c.reason;
}

Reading<ResourceUsage> usage_of(std::int64_t n) { return {ResourceUsage{n, 2 * n, 3 * n, 4 * n, 5 * n, 6 * n}, ""}; }

TEST(RusageRung, CountsDifferencesAndZeroIsAValue) {
  std::int64_t now = 10;
  RusageProvider provider([&now] { return usage_of(now); });
  const auto counters = provider.count({[&now] { return now += 7, true; }, 4});
  std::vector<double> seen;
  for (const Counter& c : counters) seen.push_back(c.value.value());
  EXPECT_EQ(seen, (std::vector<double>{7, 14, 21, 28, 35, 42}));
  EXPECT_EQ(counters[0], (Counter{"rusage", "user-time", "ns", CounterStatus::counted, 7.0, 4, ""}));
  for (const Counter& c : provider.count(kNothing)) EXPECT_EQ(c.value, 0.0);
}

TEST(RusageRung, FailsWithTheWorkloadOrTheSystemCall) {
  RusageProvider provider([] { return usage_of(1); });
  for (const Counter& c : provider.count({[] { return false; }, 1})) {
    EXPECT_EQ(c.status, CounterStatus::failed);
    EXPECT_EQ(c.value, std::nullopt);
  }
  RusageProvider broken([] { return missing<ResourceUsage>("no such call"); });
  for (const Counter& c : broken.count(kNothing)) {
    EXPECT_EQ(c.status, CounterStatus::failed);
    EXPECT_EQ(c.reason, "no such call");
  }
}

TEST(StealRung, CountsTheTicksOfTheMachine) {
  FakeRoot root;
  root.write("proc/stat", "cpu  1 2 3 4 5 6 7 100 0 0\ncpu0 1 2 3 4 5 6 7 50 0 0\n");
  StealProvider provider(root.path());
  const auto steal = [&](const std::string& after) {
    return provider.count({[&] {
                             root.write("proc/stat", "cpu  1 2 3 4 5 6 7 " + after + " 0 0\n");
                             return true;
                           },
                           4})[0];
  };
  EXPECT_EQ(steal("103"), (Counter{"steal", "steal-time", "ticks", CounterStatus::counted, 3.0, 4, ""}));
  EXPECT_EQ(steal("103").value, 0.0);
  EXPECT_EQ(steal("5").status, CounterStatus::failed);
}

TEST(StealRung, IsUnsupportedWhereTheSystemDoesNotTell) {
  FakeRoot root;
  const auto counters = StealProvider(root.path()).count(kNothing);
  EXPECT_EQ(counters[0].status, CounterStatus::unsupported);
  EXPECT_FALSE(counters[0].reason.empty());
}

TEST(SystemPerfKernel, ReadsWhatTheSystemAllows) {
  FakeRoot root;
  EXPECT_TRUE(system_perf_kernel(root.path())->has_cpu_pmu()) << "not known, so not ruled out";
  EXPECT_EQ(system_perf_kernel(root.path())->paranoid(), std::nullopt);
  root.write("sys/bus/event_source/devices/software/type", "1\n");
  root.write("sys/bus/event_source/devices/msr/type", "9\n");
  root.write("proc/sys/kernel/perf_event_paranoid", "-1\n");
  EXPECT_FALSE(system_perf_kernel(root.path())->has_cpu_pmu());
  EXPECT_EQ(system_perf_kernel(root.path())->paranoid(), -1);
  root.write("sys/bus/event_source/devices/cpu_core/type", "4\n");
  EXPECT_TRUE(system_perf_kernel(root.path())->has_cpu_pmu());
}

Counter counter(const std::string& provider, CounterStatus status, const std::string& reason) {
  Counter c{provider, "c", "events", status, std::nullopt, 1, reason};
  if (has_value(status)) c.value = 1;
  return c;
}

TEST(Ladder, SummarizesEachProviderInOneLine) {
  const auto none = CounterStatus::unsupported;
  const auto summary = summarize({counter("perf", none, "no PMU"), counter("perf", none, "no PMU"),
                                  counter("software", CounterStatus::counted, ""),
                                  counter("software", CounterStatus::denied, "not permitted"),
                                  counter("steal", CounterStatus::counted, "")});
  ASSERT_EQ(summary.size(), 3u);
  EXPECT_EQ(summary[0], (CounterAvailability{"perf", 2, 0, "missing: no PMU"}));
  EXPECT_EQ(summary[1], (CounterAvailability{"software", 2, 1, "1 of 2 counters; 1 missing: not permitted"}));
  EXPECT_EQ(summary[2], (CounterAvailability{"steal", 1, 1, "1 counter"}));
}

// A thread that works beside the caller, so that the workload is more than one thread's.
bool spin_and_touch() {
  const auto work = [] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    volatile double x = 1;
    while (std::chrono::steady_clock::now() < end) x = x * 1.0000001;
    return x > 0;
  };
  bool other = false;
  std::thread thread([&] { other = work(); });
  const bool mine = work();
  thread.join();
  return mine && other;
}

enum class Sharing { never, always, lasting };

// Runs the workload `passes` times. Its figure is how often it has counted.
class ScriptedProvider final : public CounterProvider {
 public:
  ScriptedProvider(int passes, Sharing shares) : passes_(passes), shares_(shares) {}
  std::vector<Counter> count(const Workload& work) override {
    bool ok = true;
    for (int i = 0; i < passes_; ++i) ok = work.run() && ok;
    Counter c = counter("scripted", ok ? CounterStatus::counted : CounterStatus::failed, "");
    c.value = ++counts_;
    return {c};
  }
  bool shares_a_pass(const Workload& work) const override {
    return shares_ == Sharing::always || (shares_ == Sharing::lasting && work.lasting);
  }
  bool repeats() const override { return passes_ > 1; }

 private:
  int passes_, counts_ = 0;
  Sharing shares_;
};

class SharedPasses : public testing::Test {
 protected:
  // How often the workload ran.
  int passes(const std::vector<std::pair<int, Sharing>>& providers, bool succeeds, bool lasting = false) {
    std::vector<std::unique_ptr<CounterProvider>> ladder;
    for (const auto& [times, shares] : providers) ladder.push_back(std::make_unique<ScriptedProvider>(times, shares));
    int runs = 0;
    const auto counters = count_all(ladder, {[&] { return ++runs, succeeds; }, 1, lasting});
    EXPECT_EQ(counters.size(), providers.size());
    counts_.clear();
    for (std::size_t i = 0; i < counters.size(); ++i) {
      const bool counted = succeeds || providers[i].first == 0;
      EXPECT_EQ(counters[i].status, counted ? CounterStatus::counted : CounterStatus::failed) << i;
      counts_.push_back(*counters[i].value);
    }
    return runs;
  }

  static constexpr auto kNever = Sharing::never, kAlways = Sharing::always, kLasting = Sharing::lasting;
  std::vector<double> counts_;
};

TEST_F(SharedPasses, AreThoseOfProvidersThatReadTotals) {
  EXPECT_EQ(passes({{3, kNever}, {1, kAlways}, {1, kAlways}, {1, kAlways}}, true), 4);
  EXPECT_EQ(passes({{3, kNever}, {1, kAlways}, {0, kAlways}, {1, kAlways}}, true), 4);  // one has nothing to count
  EXPECT_EQ(passes({{1, kAlways}, {1, kAlways}}, false), 1);
  EXPECT_EQ(passes({{2, kNever}}, true), 2);
}

TEST_F(SharedPasses, AreThoseOfAllWhereTheWorkLasts) {
  EXPECT_EQ(passes({{1, kLasting}, {1, kAlways}, {1, kAlways}}, true, false), 2);
  EXPECT_EQ(passes({{1, kLasting}, {1, kAlways}, {1, kAlways}}, true, true), 1);
}

TEST_F(SharedPasses, AreCountedAnewWhereSomebodyRanTheWorkAgain) {
  EXPECT_EQ(passes({{1, kAlways}, {2, kLasting}, {1, kAlways}}, true, true), 3);
  EXPECT_EQ(counts_, (std::vector<double>{2, 1, 2}));
}

TEST(Ladder, OfThisMachineGivesAValueOrAReasonForEveryCounter) {
  const CpuInfo here = probe_cpu();
  const auto ladder = counter_ladder(here);
  const auto counters = count_all(ladder, {spin_and_touch, 1});
  EXPECT_EQ(counters.size(), hardware_events(here).size() + 5 + 6 + 1);
  std::set<std::string> seen;
  for (const Counter& c : counters) {
    EXPECT_EQ(c.value.has_value(), has_value(c.status)) << c.provider << " " << c.name;
    EXPECT_TRUE(c.value || !c.reason.empty()) << c.provider << " " << c.name;
    EXPECT_TRUE(seen.insert(c.provider + " " + c.name).second) << c.name;
  }
  const Counter* clock = find(counters, "software", "task-clock");
  ASSERT_NE(clock, nullptr);
  EXPECT_TRUE(!clock->value || *clock->value > 0);
}

TEST(Ladder, TellsWhatIsAvailableHere) {
  const auto all = availability(counter_ladder(probe_cpu()));
  ASSERT_EQ(all.size(), 4u);
  for (const CounterAvailability& a : all) {
    EXPECT_LE(a.available, a.counters);
    EXPECT_EQ(a.text.starts_with("missing: "), a.available == 0) << a.text;
  }
}

}  // namespace
}  // namespace gemwright::profilers
