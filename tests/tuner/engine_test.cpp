// The study engine over a scripted measurer and the store in memory: what is tried, recorded, confirmed and resumed.
#include "tuner/study/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "scripted_machine.h"
#include "tuner/study/estimate.h"

namespace gemwright::tuner {
namespace {

const Trial& best_trial(const std::vector<Trial>& trials, const StudyRecord& study) {
  for (const Trial& t : trials) {
    if (t.id == study.outcome.best_trial) return t;
  }
  throw std::logic_error("no best trial");
}

TEST(Engine, FindsAConfigNearTheBestAndReportsOnlyConfirmedFigures) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "120"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->record.state, StudyState::finished);
  const auto trials = *store->trials(result->record.id);
  EXPECT_LE(trials.size(), 120u);
  EXPECT_LT(ScriptedMachine::true_ns(best_trial(trials, result->record).config), kCallNs * 0.8);
  const auto estimates = *store->estimates(result->record.id);
  ASSERT_FALSE(estimates.empty());
  for (const Estimate& e : estimates) EXPECT_EQ(e.phase, Phase::confirm);
}

TEST(Engine, IntervalOfTheWinnerContainsItsTrueRatio) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "60"), hooks_of(machine));
  ASSERT_TRUE(result);
  const auto trials = *store->trials(result->record.id);
  const double truth = kCallNs / ScriptedMachine::true_ns(best_trial(trials, result->record).config);
  const auto subjects = *store->subjects(result->record.id);
  const auto estimates = *store->estimates(result->record.id);
  for (const Subject& s : subjects) {
    if (s.trial != result->record.outcome.best_trial) continue;
    for (const Estimate& e : estimates) {
      if (e.subject != s.id) continue;
      ASSERT_TRUE(e.ratio_lo && e.ratio_hi);
      EXPECT_LT(*e.ratio_lo, truth * 1.01);
      EXPECT_GT(*e.ratio_hi, truth * 0.99);
    }
  }
}

TEST(Engine, FailedCandidatesAreRecordedAndTheStudyGoesOn) {
  ScriptedMachine machine;
  machine.crash_mr = {8};
  machine.wrong_mr = {6};
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "80"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  std::map<TrialState, int> states;
  const auto trials = *store->trials(result->record.id);
  for (const Trial& t : trials) {
    ++states[t.state];
    if (t.config.tile.mr == 8) {
      EXPECT_NE(t.state, TrialState::ok);
    }
    if (t.state == TrialState::crashed || t.state == TrialState::correctness) {
      EXPECT_FALSE(t.reason.empty());
    }
  }
  EXPECT_GT(states[TrialState::crashed], 0);
  EXPECT_GT(states[TrialState::correctness], 0);
  EXPECT_EQ(states[TrialState::running], 0);
}

TEST(Engine, NothingValidSaysSoAndIsItsOwnKindOfError) {
  ScriptedMachine machine;
  for (int mr = 1; mr <= 30; ++mr) machine.wrong_mr.insert(mr);
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "20"), hooks_of(machine));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::nothing_valid);
  const auto failed = *store->studies();
  EXPECT_EQ(failed.front().state, StudyState::failed);
  EXPECT_TRUE(failed.front().failure) << "and says why";
}

TEST(Engine, InterruptedStudyGoesOnWhereItStopped) {
  ScriptedMachine machine;
  machine.stop_after = 25;
  const auto store = make_memory_store();
  const auto first = run_study(*store, machine, request_for(64, "60"), hooks_of(machine));
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, ErrorKind::interrupted);
  ASSERT_EQ((*store->studies()).size(), 1u);
  const StudyRecord stopped = (*store->studies()).front();
  EXPECT_EQ(stopped.state, StudyState::interrupted);
  const auto samples_before = (*store->samples(stopped.id)).size();
  EXPECT_EQ(samples_before, 24u);  // the first block only sizes the others

  ScriptedMachine again;
  const auto second = run_study(*store, again, request_for(64, "60"), hooks_of(again));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ((*store->studies()).size(), 1u);
  EXPECT_EQ(second->record.id, stopped.id);
  EXPECT_GT((*store->samples(stopped.id)).size(), samples_before);
  std::set<std::string> keys;
  std::int64_t seq = 0;
  const auto trials = *store->trials(stopped.id);
  for (const Trial& t : trials) {
    EXPECT_TRUE(keys.insert(key(t.config)).second) << "tried twice: " << label(t.config);
    EXPECT_EQ(t.seq, seq++);
    EXPECT_NE(t.state, TrialState::running);
  }
}

TEST(Engine, FinishedStudyIsReusedUntilItsBudgetGrows) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  ASSERT_TRUE(run_study(*store, machine, request_for(8, "30"), hooks_of(machine)));
  const int blocks = machine.blocks;
  const auto same = run_study(*store, machine, request_for(8, "30"), hooks_of(machine));
  ASSERT_TRUE(same);
  EXPECT_TRUE(same->reused);
  EXPECT_EQ(machine.blocks, blocks);
  const auto larger = run_study(*store, machine, request_for(8, "60"), hooks_of(machine));
  ASSERT_TRUE(larger);
  EXPECT_FALSE(larger->reused);
  EXPECT_EQ(larger->record.id, same->record.id);
  EXPECT_GT((*store->trials(same->record.id)).size(), 30u);
}

TEST(Engine, FreshStartsANewGeneration) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  ASSERT_TRUE(run_study(*store, machine, request_for(8, "20"), hooks_of(machine)));
  StudyRequest fresh = request_for(8, "20");
  fresh.fresh = true;
  const auto second = run_study(*store, machine, fresh, hooks_of(machine));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->reused);
  EXPECT_EQ((*store->studies()).size(), 2u);
  EXPECT_EQ(second->record.generation, (*store->studies()).front().generation + 1);
}

TEST(Engine, WithoutABaselineItComparesByTheAnchorAndReportsNoRatio) {
  ScriptedMachine machine;
  machine.has_baseline = false;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "60"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->record.baseline, "");
  EXPECT_EQ(result->record.baseline_reason, "none here");
  const auto estimates = *store->estimates(result->record.id);
  ASSERT_FALSE(estimates.empty());
  for (const Estimate& e : estimates) EXPECT_FALSE(e.ratio);
}

TEST(Engine, HoldsFewHandlesAtATime) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto request = request_for(64, "100");
  ASSERT_TRUE(run_study(*store, machine, request, hooks_of(machine)));
  EXPECT_LE(machine.open_handles(), static_cast<std::size_t>(request.protocol.contenders));
}

TEST(Engine, ErrorBoundRefusesConfigsByConstraint) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  StudyRequest request = request_for(64, "20");
  request.key.max_error = 1e-9;
  const auto result = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::nothing_valid);
  const auto trials = *store->trials((*store->studies()).front().id);
  ASSERT_FALSE(trials.empty());
  for (const Trial& t : trials) EXPECT_EQ(t.state, TrialState::constraint);
}

StudyRequest auto_request(double max_error) {
  StudyRequest r = request_for(64, "120");
  r.key.modes = r.space.modes = modes_behind(Interface::f32);
  r.space.families = {gemwright::isa::avx512_bf16, gemwright::isa::avx512_vnni, gemwright::isa::avx512f,
                      gemwright::isa::avx2, gemwright::isa::scalar};
  r.key.max_error = max_error;
  return r;
}

ComputeMode winning_mode(Store& store, double max_error) {
  ScriptedMachine machine;
  const auto result = run_study(store, machine, auto_request(max_error), hooks_of(machine));
  if (!result || !result->record.outcome.best_trial) return ComputeMode::f32;
  const auto trials = *store.trials(result->record.id);
  for (const Trial& t : trials) {
    if (t.id == *result->record.outcome.best_trial) return t.config.mode;
  }
  return ComputeMode::f32;
}

TEST(Engine, TheFastestModeThatKeepsTheBoundWins) {
  EXPECT_EQ(winning_mode(*make_memory_store(), 2e-2), ComputeMode::u8s8);
  EXPECT_EQ(winning_mode(*make_memory_store(), 5e-3), ComputeMode::bf16);
  EXPECT_EQ(winning_mode(*make_memory_store(), 1e-5), ComputeMode::f32);
}

TEST(Engine, EveryAdmittedModeIsTriedHoweverSmallTheBudget) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  StudyRequest request = auto_request(2e-2);
  request.attributes.budget = *parse_budget("1");
  ASSERT_TRUE(run_study(*store, machine, request, hooks_of(machine)));
  std::set<ComputeMode> tried;
  const auto trials = *store->trials(1);
  for (const Trial& t : trials) tried.insert(t.config.mode);
  EXPECT_EQ(tried.size(), 3U);
}

TEST(Engine, AModeBeyondTheBoundIsTimedForTheFrontAndThenLeftAlone) {
  const auto store = make_memory_store();
  EXPECT_EQ(winning_mode(*store, 5e-3), ComputeMode::bf16);
  const auto trials = *store->trials(1);
  const auto subjects = *store->subjects(1);
  const auto samples = *store->samples(1);
  int beyond = 0;
  for (const Trial& t : trials) {
    if (t.config.mode != ComputeMode::u8s8) continue;
    ++beyond;
    EXPECT_EQ(t.state, TrialState::constraint);
    EXPECT_NE(t.reason.find("exceeds --max-error"), std::string::npos) << t.reason;
    const auto subject =
        std::find_if(subjects.begin(), subjects.end(), [&](const Subject& s) { return s.trial == t.id; });
    ASSERT_NE(subject, subjects.end());
    EXPECT_TRUE(std::any_of(samples.begin(), samples.end(), [&](const Sample& s) { return s.subject == subject->id; }));
  }
  EXPECT_GE(beyond, 1);
  EXPECT_LT(beyond, static_cast<int>(trials.size()) / 3) << "most of the budget goes to modes that can win";
}

TEST(Engine, AStudyThatGoesOnKnowsWhichModesAreOut) {
  const auto store = make_memory_store();
  EXPECT_EQ(winning_mode(*store, 5e-3), ComputeMode::bf16);
  const auto count = [&] {
    const auto trials = *store->trials(1);
    return std::count_if(trials.begin(), trials.end(),
                         [](const Trial& t) { return t.config.mode == ComputeMode::u8s8; });
  };
  const auto before = count();
  ScriptedMachine machine;
  StudyRequest more = auto_request(5e-3);
  more.attributes.budget = *parse_budget("200");
  ASSERT_TRUE(run_study(*store, machine, more, hooks_of(machine)));
  EXPECT_EQ(count(), before);
}

TEST(Engine, WhereNoModeKeepsTheBoundTheStudySaysSo) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, auto_request(1e-9), hooks_of(machine));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::nothing_valid);
  EXPECT_NE(result.error().message.find("no admitted mode"), std::string::npos) << result.error().message;
}

TEST(Engine, AStudyWithoutAModeTakesUpWhatWasInFlight) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  StudyRequest request = request_for(64, "20");
  request.key.max_error = 1e-9;
  ASSERT_FALSE(run_study(*store, machine, request, hooks_of(machine)));
  // As a kill leaves it: one trial verified, the next not yet.
  auto trials = *store->trials(1);
  ASSERT_FALSE(trials.empty());
  Trial in_flight = trials.back();
  in_flight.state = TrialState::running;
  in_flight.error_fro.reset();
  ASSERT_TRUE(store->update_trial(in_flight));
  const auto result = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::nothing_valid);
  trials = *store->trials(1);
  for (const Trial& t : trials) EXPECT_EQ(t.state, TrialState::constraint);
}

TEST(Engine, ASmallBudgetThatWentToModesBeyondTheBoundIsNotTheEnd) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  StudyRequest request = auto_request(1e-5);
  request.attributes.budget = *parse_budget("1");
  const auto result = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->record.outcome.best_trial);
}

TEST(Engine, WinnersOfOtherMAreTriedFirst) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "60"), hooks_of(machine)));
  StudyRequest next = request_for(128, "20");
  const auto good = known_good_configs(*store, next.key, next.space, 4);
  ASSERT_TRUE(good);
  ASSERT_EQ(good->size(), 1u);
  next.known_good = *good;
  const auto result = run_study(*store, machine, next, hooks_of(machine));
  ASSERT_TRUE(result);
  const auto trials = *store->trials(result->record.id);
  EXPECT_EQ(trials.front().origin, "known good");
  EXPECT_EQ(key(trials.front().config), key(good->front()));
}

TEST(Engine, ATrialBeyondTheComputeRoofIsAnErrorAndCannotWin) {
  ScriptedMachine machine;
  const double fastest = 2.0 * 64 * 1024 * 1024 / (kCallNs * 0.8 * 0.9);  // GFLOP/s of 28 accumulators, two threads
  machine.roof_gflops = fastest / 1.2;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "120"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(result->record.id);
  int refused = 0;
  for (const Trial& t : trials) {
    if (2.0 * 64 * 1024 * 1024 / ScriptedMachine::true_ns(t.config) < machine.roof_gflops * 1.1) continue;
    EXPECT_NE(t.id, result->record.outcome.best_trial);
    if (t.state != TrialState::runtime) continue;
    EXPECT_NE(t.reason.find("fma.avx512f.f32"), std::string::npos) << t.reason;
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

// Its anchor is slow for some blocks: a clock that nobody else saw.
class SlowAnchorMachine : public ScriptedMachine {
 public:
  Result<Block> block(int handle, std::int64_t calls) override {
    auto b = ScriptedMachine::block(handle, calls);
    if (b && handle == 2) b->ns = b->ns * 6 / 5;
    return b;
  }
};

TEST(Engine, ASlowAnchorOfALaterSittingCondemnsNobody) {
  const double fastest = 2.0 * 64 * 1024 * 1024 / (kCallNs * 0.8 * 0.9);
  const auto store = make_memory_store();
  ScriptedMachine machine;
  machine.roof_gflops = fastest * 1.02;
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "40"), hooks_of(machine)));
  SlowAnchorMachine again;
  again.roof_gflops = fastest * 1.02;
  const auto result = run_study(*store, again, request_for(64, "80"), hooks_of(again));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(result->record.id);
  for (const Trial& t : trials) EXPECT_NE(t.state, TrialState::runtime) << t.reason;
}

// Somebody else finishes the study while this process waits for the machine.
class LateMachine : public ScriptedMachine {
 public:
  std::function<void()> meanwhile;
  Result<SetupReply> setup(const MeasureSetup& s) override {
    if (meanwhile) std::exchange(meanwhile, {})();
    return ScriptedMachine::setup(s);
  }
};

TEST(Engine, AStudyThatAnotherProcessFinishedMeanwhileIsReused) {
  const auto store = make_memory_store();
  LateMachine machine;
  ScriptedMachine other;
  machine.meanwhile = [&] { ASSERT_TRUE(run_study(*store, other, request_for(64, "30"), hooks_of(other))); };
  const auto result = run_study(*store, machine, request_for(64, "30"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->reused);
  EXPECT_TRUE(result->record.outcome.best_trial);
  EXPECT_EQ(machine.blocks, 0);
}

TEST(Engine, ADisturbedRoofIsNoWitnessAgainstATrial) {
  ScriptedMachine machine;
  machine.roof_gflops = 50;
  machine.roof_spread = 0.3;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(result->record.id);
  for (const Trial& t : trials) EXPECT_NE(t.state, TrialState::runtime) << t.reason;
}

TEST(Engine, ARoofThatTheBaselineIsAboveIsNoWitnessAgainstATrial) {
  ScriptedMachine machine;
  machine.roof_gflops = 0.7 * 2.0 * 64 * 1024 * 1024 / kCallNs;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(result->record.id);
  for (const Trial& t : trials) EXPECT_NE(t.state, TrialState::runtime) << t.reason;
}

TEST(Engine, CountersOfWinnerRunnerUpAndBaselineAreStoredApartFromTiming) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(result);
  EXPECT_EQ(machine.counted, 3);
  std::set<SubjectId> counted;
  const auto counters = *store->counters(result->record.id);
  for (const SubjectCounter& c : counters) {
    counted.insert(c.subject);
    EXPECT_EQ(profilers::has_value(c.counter.status), c.counter.value.has_value());
  }
  EXPECT_EQ(counted.size(), 3U);
  EXPECT_FALSE((*store->ceilings(result->record.id)).empty());
}

TEST(Engine, AMeasurerThatCannotCountLeavesTheStudyWhole) {
  ScriptedMachine machine;
  machine.cannot_count = true;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE((*store->ceilings(result->record.id)).empty());
  const auto counters = *store->counters(result->record.id);
  for (const SubjectCounter& c : counters) EXPECT_EQ(c.counter.provider, "traffic");
}

TEST(Engine, TheSameSeedGivesTheSameStudy) {
  std::vector<std::string> verdicts;
  std::vector<std::vector<Sample>> samples;
  for (int i = 0; i < 2; ++i) {
    ScriptedMachine machine;
    const auto store = make_memory_store();
    const auto result = run_study(*store, machine, request_for(64, "60"), hooks_of(machine));
    ASSERT_TRUE(result);
    verdicts.push_back(result->record.outcome.verdict);
    samples.push_back(*store->samples(result->record.id));
  }
  EXPECT_EQ(verdicts[0], verdicts[1]);
  ASSERT_EQ(samples[0].size(), samples[1].size());
  for (std::size_t i = 0; i < samples[0].size(); ++i) {
    EXPECT_EQ(samples[0][i].subject, samples[1][i].subject);
    EXPECT_EQ(samples[0][i].ns, samples[1][i].ns);
  }
}

TEST(Engine, TheOutcomeNamesFloorTallyAndConfidence) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "60"), hooks_of(machine));
  ASSERT_TRUE(result);
  const StudyOutcome& out = result->record.outcome;
  EXPECT_TRUE(out.noise_floor);
  EXPECT_GT(out.tally.blocks, 26 * 4);
  EXPECT_EQ(out.tally.excluded(), 0);
  EXPECT_EQ(out.certified(), out.ties.empty());
}

TEST(Estimate, DisturbedBlocksAreLeftOutWhileEnoughRemain) {
  std::vector<Sample> samples;
  for (int round = 0; round < 12; ++round) {
    Sample mine{1, Phase::confirm, round, 0, 10, 1000, {}, {}, {}, false};
    Sample base{2, Phase::confirm, round, 1, 10, 1500, {}, {}, {}, false};
    if (round % 3 == 0) {
      mine.ns = 9000;
      mine.steal_ticks = 1;
    }
    samples.push_back(mine);
    samples.push_back(base);
  }
  const auto e = estimate(samples, 1, 2, {Phase::confirm, 0}, 1000);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->samples, 8);
  EXPECT_EQ(e->excluded, 4);
  EXPECT_DOUBLE_EQ(e->ns_per_call, 100);
  EXPECT_NEAR(*e->ratio, 1.5, 1e-12);
  EXPECT_FALSE(estimate(samples, 3, 2, {Phase::confirm, 0}, 1000));
  EXPECT_FALSE(estimate(samples, 1, 2, {Phase::screen, 0}, 1000));
}

TEST(Estimate, TooFewRoundsGiveARatioWithoutAnInterval) {
  std::vector<Sample> samples;
  for (int round = 0; round < 4; ++round) {
    samples.push_back({1, Phase::confirm, round, 0, 1, 100, {}, {}, {}, false});
    samples.push_back({2, Phase::confirm, round, 1, 1, 110, {}, {}, {}, false});
  }
  const auto r = paired_ratio(samples, 1, 2, {Phase::confirm, 0});
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->ratio, 1.1, 1e-12);
  EXPECT_FALSE(r->lo);
}

}  // namespace
}  // namespace gemwright::tuner
