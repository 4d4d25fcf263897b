// Studies of products whose call takes half a second, in the default budget.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "tests/tuner/scripted_machine.h"
#include "tuner/study/budget.h"

namespace gemwright::tuner {
namespace {

constexpr double kHalfASecond = 0.5e9 / kCallNs;

StudyRequest default_request() {
  StudyRequest r = request_for(8, "40");
  r.attributes.budget = {};
  return r;
}

// Of trials and baseline; the anchor is no product.
std::int64_t timed_calls(const Store& store, const StudyRecord& study) {
  const auto subjects = store.subjects(study.id);
  const auto samples = store.samples(study.id);
  std::int64_t calls = 0;
  for (const Sample& s : *samples) {
    for (const Subject& x : *subjects) {
      if (x.id == s.subject && x.kind != SubjectKind::anchor) calls += s.calls;
    }
  }
  return calls;
}

TEST(LongCalls, AStudyMakesTheCallsOfItsBudgetAndClaimsNoLead) {
  ScriptedMachine machine;
  machine.slowness = kHalfASecond;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, default_request(), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const StudyRecord& study = result->record;
  ASSERT_TRUE(study.outcome.best_trial);
  EXPECT_FALSE(study.outcome.certified());
  EXPECT_GE(study.trials, 8);
  // The search's share; eight candidates and the baseline, where they are in doubt, twice more; six rounds of a final.
  const auto share = static_cast<std::int64_t>(kSearchCallShare * static_cast<double>(default_calls(0.5e9)));
  EXPECT_LE(timed_calls(*store, study), share + 2 * 9 + 6 * 5);
}

TEST(LongCalls, TheCallThatVerifiesAConfigIsItsFirstBlock) {
  struct Screened {
    std::size_t trials = 0, blocks = 0, rounds = 0;  // of trials, in their first rounds
  };
  const auto screened = [](bool times_admissions) {
    ScriptedMachine machine;
    machine.slowness = kHalfASecond;
    machine.times_admissions = times_admissions;
    const auto store = make_memory_store();
    StudyRequest r = default_request();
    r.attributes.budget = {{}, 4};  // one batch
    const auto result = run_study(*store, machine, r, hooks_of(machine));
    EXPECT_TRUE(result) << result.error().message;
    std::map<SubjectId, SubjectKind> kinds;
    const auto subjects = *store->subjects(result->record.id);
    const auto samples = *store->samples(result->record.id);
    for (const Subject& s : subjects) kinds[s.id] = s.kind;
    Screened out;
    std::set<std::pair<std::int64_t, int>> places;
    std::set<std::int64_t> rounds;
    for (const Sample& s : samples) {
      EXPECT_TRUE(places.emplace(s.round, s.position).second) << "two blocks at one place of a round";
      if (s.phase != Phase::screen) continue;
      rounds.insert(s.round);
      if (kinds.at(s.subject) == SubjectKind::trial) ++out.blocks;
    }
    out.trials = store->trials(result->record.id)->size();
    out.rounds = rounds.size();
    EXPECT_EQ(machine.blocks, static_cast<int>(samples.size()));
    return out;
  };
  for (const bool times_admissions : {true, false}) {
    const Screened s = screened(times_admissions);
    EXPECT_EQ(s.trials, 4U);
    EXPECT_EQ(s.blocks, 4U) << "once each, whoever times it";
    EXPECT_EQ(s.rounds, 1U) << "the baseline beside them";
  }
}

std::size_t confirmed_rounds(const Store& store, const StudyRecord& study) {
  std::set<std::int64_t> rounds;
  const auto samples = store.samples(study.id);
  for (const Sample& s : *samples) {
    if (s.phase == Phase::confirm) rounds.insert(s.round);
  }
  return rounds.size();
}

TEST(LongCalls, AFinalHasTheRoundsThatALeadNeedsWhereThereIsTime) {
  const auto rounds = [](const Budget& budget) {
    ScriptedMachine machine;
    machine.slowness = kHalfASecond;
    StudyRequest r = default_request();
    r.attributes.budget = budget;
    const auto store = make_memory_store();
    const auto result = run_study(*store, machine, r, hooks_of(machine));
    EXPECT_TRUE(result) << result.error().message;
    return confirmed_rounds(*store, result->record);
  };
  EXPECT_EQ(rounds({}), 6U);
  EXPECT_EQ(rounds({{}, 6}), 6U);
  EXPECT_GE(rounds({1000.0, {}}), static_cast<std::size_t>(measure_protocol("normal")->min_confirm_rounds));
}

TEST(LongCalls, TheCallThatVerifiedTheBaselineSizesTheBlocks) {
  // Blocks that are not recorded.
  const auto spare = [](double slowness, bool told) {
    ScriptedMachine machine;
    machine.slowness = slowness;
    machine.tells_baseline_ns = told;
    const auto store = make_memory_store();
    const auto result = run_study(*store, machine, default_request(), hooks_of(machine));
    EXPECT_TRUE(result) << result.error().message;
    return machine.blocks - static_cast<int>(store->samples(result->record.id)->size());
  };
  EXPECT_EQ(spare(kHalfASecond, true), 0);
  EXPECT_EQ(spare(kHalfASecond, false), 1);
  EXPECT_EQ(spare(1, true), 1);  // a first call of a short product says little
}

TEST(LongCalls, SeedsOfTheLikelyFormatAreAmongTheFewThatAreTried) {
  ScriptedMachine machine;
  machine.slowness = kHalfASecond;
  StudyRequest r = default_request();
  r.likely_format = {ComputeMode::f32, 80, 0};  // no seed has it by itself
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, r, hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(result->record.id);
  EXPECT_EQ(std::count_if(trials.begin(), trials.end(),
                          [&](const Trial& t) {
                            return format_of(t.config) == r.likely_format && t.origin.rfind("seed:", 0) == 0;
                          }),
            2);
}

TEST(LongCalls, AStudyThatIsTakenUpInItsFinalDoesNotSearchAgain) {
  ScriptedMachine whole;
  whole.slowness = kHalfASecond;
  const auto finished = run_study(*make_memory_store(), whole, default_request(), hooks_of(whole));
  ASSERT_TRUE(finished) << finished.error().message;
  ScriptedMachine machine;
  machine.slowness = kHalfASecond;
  machine.stop_after = whole.blocks - 4;
  const auto store = make_memory_store();
  const auto interrupted = run_study(*store, machine, default_request(), hooks_of(machine));
  ASSERT_FALSE(interrupted);
  machine.stop_after.reset();
  const auto resumed = run_study(*store, machine, default_request(), hooks_of(machine));
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(resumed->record.trials, finished->record.trials);
}

TEST(LongCalls, TheCallsOfAnInterruptedSearchCountOnce) {
  ScriptedMachine machine;
  machine.slowness = 3 * kHalfASecond;
  machine.stop_after = 4;  // candidates of eight
  const auto store = make_memory_store();
  ASSERT_FALSE(run_study(*store, machine, default_request(), hooks_of(machine)));
  machine.stop_after.reset();
  const auto resumed = run_study(*store, machine, default_request(), hooks_of(machine));
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_GE(resumed->record.trials, 5) << "the four in flight, which never met the baseline, are timed again";
}

TEST(LongCalls, WithoutABaselineTheFastestCallSaysHowLongTheyAre) {
  ScriptedMachine machine;
  machine.has_baseline = false;
  machine.slowness = kHalfASecond;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, default_request(), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->record.outcome.best_trial);
  EXPECT_LE(timed_calls(*store, result->record) + result->record.trials, kDefaultCalls);
}

TEST(LongCalls, TheGainOfFusingIsNotAskedWhereItWouldTakeLong) {
  const auto fusion_rows = [](double slowness) {
    ScriptedMachine machine;
    machine.slowness = slowness;
    StudyRequest r = default_request();
    r.key.problem.chain = {EpilogueOp::bias, EpilogueOp::silu};
    r.key.problem.k = 512;  // too short for slices of K, which leave the chain no choice
    r.space.problem = r.key.problem;
    const auto store = make_memory_store();
    const auto result = run_study(*store, machine, r, hooks_of(machine));
    EXPECT_TRUE(result) << result.error().message;
    const auto counters = *store->counters(result->record.id);
    return std::count_if(counters.begin(), counters.end(),
                         [](const SubjectCounter& c) { return c.counter.name.find("fusion.") == 0; });
  };
  EXPECT_EQ(fusion_rows(0.1 * kHalfASecond), 3);
  EXPECT_EQ(fusion_rows(kHalfASecond), 0);
}

}  // namespace
}  // namespace gemwright::tuner
