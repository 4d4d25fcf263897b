// The perf rung against a scripted kernel.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "counters_fake_kernel.h"
#include "profilers/counters/perf_event.h"

namespace gemwright::profilers {
namespace {

using test::FakePerfKernel;

constexpr auto kOk = CounterStatus::counted;

// Events named e1, e2, ... whose config is their number.
std::vector<HardwareEvent> events(std::size_t n) {
  static constexpr std::string_view kNames[] = {"e1", "e2", "e3",  "e4",  "e5",  "e6",  "e7",
                                                "e8", "e9", "e10", "e11", "e12", "e13", "e14"};
  std::vector<HardwareEvent> all;
  for (std::size_t i = 0; i < n; ++i) all.push_back({kNames[i], "events", EventType::raw, i + 1, 1, ""});
  return all;
}

struct Observed {
  std::shared_ptr<FakePerfKernel> kernel = std::make_shared<FakePerfKernel>();
  std::vector<int> threads = {7};
  std::size_t event_count = 3;
  int runs = 0;
  bool workload_ok = true;
  std::function<void()> during = [] {};

  std::vector<Counter> count() {
    PerfProvider provider(kernel, events(event_count), [this] { return threads; });
    return provider.count({[this] {
                             ++runs;
                             during();
                             return workload_ok;
                           },
                           5});
  }
};

std::vector<CounterStatus> statuses(const std::vector<Counter>& counters) {
  std::vector<CounterStatus> all;
  for (const Counter& c : counters) all.push_back(c.status);
  return all;
}

std::vector<double> values(const std::vector<Counter>& counters) {
  std::vector<double> all;
  for (const Counter& c : counters) all.push_back(c.value.value_or(-1));
  return all;
}

TEST(PerfRung, GivesExactValuesOfAGroupReadInTheOrderOfItsEvents) {
  Observed run;
  run.kernel->raw[7] = {{3, 5000, 5000, 111, 0, 9007199254740992}};
  const auto counters = run.count();
  ASSERT_EQ(counters.size(), 3u);
  EXPECT_EQ(counters[0], (Counter{"perf", "e1", "events", kOk, 111.0, 5, ""}));
  EXPECT_EQ(counters[1], (Counter{"perf", "e2", "events", kOk, 0.0, 5, ""}));
  EXPECT_EQ(counters[2], (Counter{"perf", "e3", "events", kOk, 9007199254740992.0, 5, ""}));
  EXPECT_EQ(run.runs, 1);
  EXPECT_TRUE(run.kernel->open_now.empty());
}

TEST(PerfRung, AsksForUserModeCountsOfOneGroupThatItsLeaderStarts) {
  Observed run;
  run.count();
  const auto& opened = run.kernel->all_opened;
  ASSERT_EQ(opened.size(), 3u);
  for (const auto& e : opened) {
    EXPECT_EQ(e.attr.type, PERF_TYPE_RAW);
    EXPECT_EQ(e.attr.exclude_kernel, 1u);
    EXPECT_EQ(e.attr.exclude_hv, 1u);
    EXPECT_EQ(e.attr.inherit, 0u);
    EXPECT_EQ(e.attr.pinned, 0u);
    EXPECT_EQ(e.attr.read_format, PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING);
    EXPECT_EQ(e.flags, PERF_FLAG_FD_CLOEXEC);
    EXPECT_EQ(e.attr.disabled, e.leader == -1 ? 1u : 0u);
  }
  EXPECT_EQ(std::count_if(opened.begin(), opened.end(), [](const auto& e) { return e.leader == -1; }), 1);
}

TEST(PerfRung, MultipliesByTheWeightOfAnEvent) {
  auto kernel = std::make_shared<FakePerfKernel>();
  PerfProvider provider(kernel, {{"wide", "flops", EventType::raw, 10, 16, ""}}, [] { return std::vector<int>{7}; });
  EXPECT_EQ(values(provider.count({[] { return true; }, 1})), (std::vector<double>{160}));
}

TEST(PerfRung, ScalesAPartlyCountedGroupAndSaysWhichPart) {
  Observed run;
  run.kernel->raw[7] = {{3, 4000, 1000, 10, 20, 30}};
  const auto counters = run.count();
  EXPECT_EQ(values(counters), (std::vector<double>{40, 80, 120}));
  for (const Counter& c : counters) {
    EXPECT_EQ(c.status, CounterStatus::scaled);
    EXPECT_EQ(c.reason, "counted for 25.0 % of the time and extrapolated");
  }
}

TEST(PerfRung, SumsOverThreads) {
  Observed run;
  run.threads = {7, 8, 9};
  run.kernel->raw[7] = {{3, 100, 100, 1, 2, 3}};
  run.kernel->raw[8] = {{3, 200, 200, 10, 20, 30}};
  run.kernel->raw[9] = {{3, 300, 300, 100, 200, 300}};
  const auto counters = run.count();
  EXPECT_EQ(values(counters), (std::vector<double>{111, 222, 333}));
  EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>(3, kOk)));
  EXPECT_EQ(run.kernel->enables, 3);
}

TEST(PerfRung, AThreadThatNeverRanLeavesTheSumExact) {
  Observed run;
  run.threads = {7, 8};
  run.kernel->raw[7] = {{3, 100, 100, 1, 2, 3}};
  run.kernel->raw[8] = {{3, 0, 0, 0, 0, 0}};
  const auto counters = run.count();
  EXPECT_EQ(values(counters), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>(3, kOk)));
}

TEST(PerfRung, EachThreadIsScaledByItsOwnShare) {
  Observed run;
  run.event_count = 1;
  run.threads = {7, 8};
  run.kernel->raw[7] = {{1, 100, 100, 50}};
  run.kernel->raw[8] = {{1, 300, 100, 10}};
  const auto counters = run.count();
  EXPECT_EQ(values(counters), (std::vector<double>{80}));
  EXPECT_EQ(counters[0].reason, "counted for 50.0 % of the time and extrapolated");
}

TEST(PerfRung, AThreadWithoutACounterIsTakenToCountLikeTheOthers) {
  Observed run;
  run.event_count = 1;
  run.threads = {7, 8};
  run.kernel->raw[7] = {{1, 100, 100, 50}};
  run.kernel->raw[8] = {{1, 300, 0, 0}};
  const auto counters = run.count();
  EXPECT_EQ(counters[0].status, CounterStatus::scaled);
  EXPECT_EQ(counters[0].value, 200.0);
}

TEST(PerfRung, WhatNeverRanIsNotCounted) {
  Observed run;
  run.kernel->raw[7] = {{3, 0, 0, 0, 0, 0}};
  const auto counters = run.count();
  EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>(3, CounterStatus::not_counted)));
  EXPECT_EQ(run.runs, 1);
}

TEST(PerfRung, AnEventThatNeverGetsACounterIsNotCounted) {
  Observed run;
  run.kernel->scheduled_limit = 0;
  const auto counters = run.count();
  EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>(3, CounterStatus::not_counted)));
}

TEST(PerfRung, RunsTheWorkloadOnceForEachGroupOfSix) {
  Observed run;
  run.event_count = 13;
  const auto counters = run.count();
  EXPECT_EQ(run.runs, 3);
  for (std::size_t i = 0; i < 13; ++i) EXPECT_EQ(counters[i].value, i + 1.0);
}

TEST(PerfRung, MakesGroupsSmallerWhereTheHardwareHasFewerCountersFree) {
  Observed run;
  run.event_count = 12;
  run.kernel->scheduled_limit = 5;
  const auto counters = run.count();
  EXPECT_EQ(run.runs, 1 + 4);  // one of six that starved, four of three
  EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>(12, kOk)));
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(counters[i].value, i + 1.0);
}

TEST(PerfRung, AnEventThatDoesNotFitTheGroupGetsAnotherPass) {
  Observed run;
  run.event_count = 6;
  run.kernel->group_limit = 4;
  const auto counters = run.count();
  EXPECT_EQ(run.runs, 2);
  EXPECT_EQ(values(counters), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

TEST(PerfRung, ARefusedEventDoesNotLoseTheOthersOfItsGroup) {
  for (const std::uint64_t lost : {1, 2, 3}) {
    Observed run;
    run.kernel->refused[lost] = ENOENT;
    const auto counters = run.count();
    for (std::uint64_t i = 1; i <= 3; ++i) {
      EXPECT_EQ(counters[i - 1].status, i == lost ? CounterStatus::unsupported : kOk) << lost << i;
      EXPECT_EQ(counters[i - 1].value, i == lost ? std::nullopt : std::optional(double(i)));
    }
    EXPECT_EQ(counters[lost - 1].reason, "this CPU has no such event");
    EXPECT_EQ(run.runs, 1);
  }
}

TEST(PerfRung, MapsEveryRefusalToItsStatus) {
  const std::pair<int, CounterStatus> cases[] = {
      {ENOENT, CounterStatus::unsupported}, {EOPNOTSUPP, CounterStatus::unsupported},
      {ENODEV, CounterStatus::unsupported}, {ENOSYS, CounterStatus::unsupported},
      {EACCES, CounterStatus::denied},      {EPERM, CounterStatus::denied},
      {EINVAL, CounterStatus::failed},      {EMFILE, CounterStatus::failed}};
  for (const auto& [error, status] : cases) {
    Observed run;
    for (std::uint64_t i = 1; i <= 3; ++i) run.kernel->refused[i] = error;
    const auto counters = run.count();
    EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>(3, status))) << error;
    EXPECT_EQ(run.runs, 0) << "nothing to count, nothing to run";
  }
}

TEST(PerfRung, ADenialNamesTheSettingAndTheCapability) {
  Observed run;
  run.kernel->refused_with_kernel = 0;
  run.kernel->refused_threads[7] = EACCES;
  run.kernel->paranoid_level = 3;
  for (const Counter& c : run.count()) {
    EXPECT_NE(c.reason.find("perf_event_paranoid is 3"), std::string::npos) << c.reason;
    EXPECT_NE(c.reason.find("CAP_PERFMON"), std::string::npos) << c.reason;
  }
}

TEST(PerfRung, WithoutAPmuEveryEventIsUnsupportedAndNothingRuns) {
  Observed run;
  run.kernel->pmu = false;
  run.kernel->virtual_machine = true;
  for (const Counter& c : run.count()) {
    EXPECT_EQ(c.status, CounterStatus::unsupported);
    EXPECT_EQ(c.reason, "this virtual machine exposes no CPU PMU");
  }
  run.kernel->virtual_machine = false;
  EXPECT_EQ(run.count()[0].reason, "this machine exposes no CPU PMU");
  EXPECT_EQ(run.runs, 0);
  EXPECT_TRUE(run.kernel->all_opened.empty());
}

TEST(PerfRung, InterruptedCallsAreRepeated) {
  Observed run;
  run.kernel->interrupt_first = true;
  EXPECT_EQ(values(run.count()), (std::vector<double>{1, 2, 3}));
  EXPECT_TRUE(run.kernel->open_now.empty());
}

TEST(PerfRung, AShortReadIsAFailure) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{8}, std::size_t{48}}) {
    Observed run;
    run.kernel->cut_read = cut;
    EXPECT_EQ(statuses(run.count()), (std::vector<CounterStatus>(3, CounterStatus::failed))) << cut;
  }
}

TEST(PerfRung, AReadOfAnotherGroupIsAFailure) {
  Observed run;
  run.kernel->raw[7] = {{2, 100, 100, 1, 2, 3}};
  EXPECT_EQ(statuses(run.count()), (std::vector<CounterStatus>(3, CounterStatus::failed)));
}

TEST(PerfRung, AThreadThatHasEndedIsLeftOut) {
  Observed run;
  run.threads = {7, 8};
  run.kernel->refused_threads[7] = ESRCH;
  EXPECT_EQ(values(run.count()), (std::vector<double>{1, 2, 3}));
  run.kernel->refused_threads[8] = ESRCH;
  EXPECT_EQ(statuses(run.count()), (std::vector<CounterStatus>(3, CounterStatus::failed)));
}

TEST(PerfRung, AnEventRefusedInOneThreadOnlyHasNoPartialSum) {
  Observed run;
  run.threads = {7, 8};
  run.kernel->refused_in[{8, 2}] = EMFILE;
  const auto counters = run.count();
  EXPECT_EQ(statuses(counters), (std::vector<CounterStatus>{kOk, CounterStatus::failed, kOk}));
  EXPECT_EQ(values(counters), (std::vector<double>{2, -1, 6}));
}

TEST(PerfRung, AWorkloadThatFailsLeavesNoValueAndIsNotRunAgain) {
  Observed run;
  run.event_count = 13;
  run.during = [&run] { run.workload_ok = run.runs < 2; };
  EXPECT_EQ(statuses(run.count()), (std::vector<CounterStatus>(13, CounterStatus::failed)));
  EXPECT_EQ(run.runs, 2);
  EXPECT_TRUE(run.kernel->open_now.empty());
}

TEST(PerfRung, APassDuringWhichAThreadBeganIsRepeated) {
  Observed run;
  run.during = [&run] { run.threads = {7, 8}; };
  const auto counters = run.count();
  EXPECT_EQ(run.runs, 2);
  EXPECT_EQ(values(counters), (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(counters[0].reason, "");
}

TEST(PerfRung, ThreadsThatKeepBeginningAreToldBesideTheValue) {
  Observed run;
  run.during = [&run] { run.threads.push_back(100 + run.runs); };
  const auto counters = run.count();
  EXPECT_EQ(run.runs, 2);
  EXPECT_EQ(counters[0].status, kOk);
  EXPECT_EQ(counters[0].reason, "without 1 thread that began during the pass");
}

// Whatever the kernel does: a value exactly beside a status that has one, a reason beside every other, no descriptor
// left open, none closed twice.
TEST(PerfRung, NeverGivesAValueBesideAMissingStatus) {
  const std::vector<std::function<void(Observed&)>> scripts = {
      [](Observed&) {},
      [](Observed& r) { r.kernel->pmu = false; },
      [](Observed& r) { r.kernel->refused[1] = ENOENT; },
      [](Observed& r) { r.kernel->refused[8] = EACCES; },
      [](Observed& r) { r.kernel->refused[3] = EINVAL; },
      [](Observed& r) {
        r.kernel->refused_in[{8, 1}] = ENOENT;
      },
      [](Observed& r) {
        r.kernel->refused_in[{8, 4}] = EINVAL;
      },
      [](Observed& r) { r.kernel->refused_threads[8] = ESRCH; },
      [](Observed& r) { r.kernel->refused_threads[7] = EMFILE; },
      [](Observed& r) { r.kernel->group_limit = 1; },
      [](Observed& r) { r.kernel->group_limit = 2, r.kernel->scheduled_limit = 1; },
      [](Observed& r) { r.kernel->scheduled_limit = 0; },
      [](Observed& r) {
        r.kernel->raw[7] = {{6, 10, 5, 1, 2, 3, 4, 5, 6}, {1}};
      },
      [](Observed& r) {
        r.kernel->raw[8] = {{6, 10, 0, 0, 0, 0, 0, 0, 0}};
      },
      [](Observed& r) { r.kernel->cut_read = 8; },
      [](Observed& r) { r.kernel->read_error = EIO; },
      [](Observed& r) { r.kernel->control_error = EBADF; },
      [](Observed& r) { r.kernel->interrupt_first = true; },
      [](Observed& r) { r.workload_ok = false; },
      [](Observed& r) { r.threads.clear(); },
      [](Observed& r) { r.during = [&r] { r.threads.push_back(100 + r.runs); }; },
  };
  for (std::size_t script = 0; script < scripts.size(); ++script) {
    Observed run;
    run.event_count = 9;
    run.threads = {7, 8};
    scripts[script](run);
    const auto counters = run.count();
    EXPECT_EQ(counters.size(), 9u) << script;
    for (const Counter& c : counters) {
      EXPECT_EQ(c.value.has_value(), has_value(c.status)) << script << " " << c.name;
      EXPECT_TRUE(c.status == kOk || !c.reason.empty()) << script << " " << c.name;
      EXPECT_EQ(c.calls, 5);
    }
    EXPECT_TRUE(run.kernel->open_now.empty()) << script;
    EXPECT_EQ(run.kernel->failed_closes, 0) << script;
  }
}

}  // namespace
}  // namespace gemwright::profilers
