// The study engine over a scripted measurer and the store in memory: what is tried, recorded, confirmed and resumed.
#include "tuner/study/engine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "tuner/random.h"
#include "tuner/study/estimate.h"

namespace gemwright::tuner {
namespace {

constexpr double kCallNs = 50e3;  // of the baseline

// A machine whose speed is known: the more accumulators up to 28 the faster, wide noise, a baseline in the middle.
class ScriptedMachine : public Measurer {
 public:
  bool has_baseline = true;
  std::set<int> crash_mr;         // tiles with so many rows crash when they are timed
  std::set<int> wrong_mr;         // and these give wrong results
  std::optional<int> stop_after;  // blocks until somebody asks to stop
  int blocks = 0, admissions = 0;
  double clock = 0;

  Result<SetupReply> setup(const MeasureSetup&) override {
    SetupReply r;
    if (has_baseline) {
      r.baseline = "scripted 1.0";
      r.baseline_handle = 1;
    } else {
      r.baseline_reason = "none here";
    }
    r.anchor_handle = 2;
    return r;
  }
  Result<void> prefetch_code(const std::vector<Config>&) override { return {}; }
  Result<Admission> admit(const Config& c) override {
    ++admissions;
    clock += 0.02;
    Admission a;
    a.error_fro = 3e-7;
    if (wrong_mr.contains(c.tile.mr)) {
      a.state = TrialState::correctness;
      a.reason = "row 3 is wrong";
      return a;
    }
    a.handle = next_++;
    configs_[a.handle] = c;
    return a;
  }
  Result<Admission> admit_header(const std::string&, const std::string&) override { return fail("not scripted"); }
  Result<Block> block(int handle, std::int64_t calls) override {
    ++blocks;
    Block b;
    b.calls = calls;
    if (handle > 2 && crash_mr.contains(configs_.at(handle).tile.mr)) {
      b.state = TrialState::crashed;
      b.reason = "signal 11";
      return b;
    }
    const double noise = 1 + 0.02 * (static_cast<double>(random_.below(1000)) / 1000.0);
    const double ns = handle == 1 ? kCallNs : handle == 2 ? 5e3 : true_ns(configs_.at(handle));
    b.ns = std::llround(ns * noise * static_cast<double>(calls));
    clock += static_cast<double>(b.ns) * 1e-9;
    return b;
  }
  Result<void> drop(int handle) override {
    configs_.erase(handle);
    return {};
  }

  static double true_ns(const Config& c) {
    const int accumulators = c.tile.mr * c.tile.nv * c.tile.ka;
    return kCallNs * 0.8 * (1 + 0.03 * std::abs(28 - accumulators)) * (threads_used(c.blocking) == 2 ? 0.9 : 1.0);
  }
  std::size_t open_handles() const { return configs_.size(); }

 private:
  int next_ = 3;
  std::map<int, Config> configs_;
  Random random_{7};
};

StudyRequest request_for(std::int64_t m, const std::string& budget) {
  StudyRequest r;
  r.key.problem.n = 1024;
  r.key.problem.k = 1024;
  r.key.m = m;
  r.key.device = {"fingerprint", "cpu", "scripted", 2, "{}"};
  r.key.build = {"digest", "0.1", "g++", "g++ 12", "-O2", "source"};
  r.key.space_version = kSpaceVersion;
  r.key.modes = {ComputeMode::f32};
  r.attributes = {"layer", "suite", 1, *parse_budget(budget), "normal", "local", 1};
  r.protocol = *measure_protocol("normal");
  r.space.problem = r.key.problem;
  r.space.m = m;
  r.space.threads = 2;
  r.space.families = {gemwright::isa::avx512f, gemwright::isa::avx2, gemwright::isa::scalar};
  return r;
}

EngineHooks hooks_of(ScriptedMachine& machine) {
  return {
      [&] { return machine.clock; }, {}, [&] { return machine.stop_after && machine.blocks >= *machine.stop_after; }};
}

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
  EXPECT_EQ((*store->studies()).front().state, StudyState::failed);
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

TEST(Estimate, AVerdictSaysThatTheHostIsNoisy) {
  std::vector<Sample> samples;
  for (int round = 0; round < 10; ++round) {
    samples.push_back({1, Phase::confirm, round, 0, 1, 100, {}, round < 4 ? 1 : 0, {}, false});
  }
  const auto e = estimate(samples, 1, {}, {Phase::confirm, 0}, 1);
  ASSERT_TRUE(e);
  const auto noisy = decide(samples, {{10, 1}}, {*e}, {Phase::confirm, 0});
  EXPECT_NE(noisy.verdict.find("noisy host: 40 %"), std::string::npos) << noisy.verdict;
  samples[0].involuntary_switches = 0;
  EXPECT_EQ(decide(samples, {{10, 1}}, {*e}, {Phase::confirm, 0}).verdict, "the only config confirmed");
}

TEST(Estimate, EqualFinalistsAreTiesAndALeadIsSeparated) {
  std::vector<Sample> samples;
  Random random(3);
  for (int round = 0; round < 26; ++round) {
    const auto noisy = [&](double ns) {
      return static_cast<std::int64_t>(ns * (1 + static_cast<double>(random.below(100)) / 5000));
    };
    samples.push_back({1, Phase::confirm, round, 0, 1, noisy(100000), {}, {}, {}, false});
    samples.push_back({2, Phase::confirm, round, 1, 1, noisy(100010), {}, {}, {}, false});
    samples.push_back({3, Phase::confirm, round, 2, 1, noisy(130000), {}, {}, {}, false});
  }
  std::vector<Estimate> estimates;
  for (const SubjectId s : {1, 2, 3}) estimates.push_back(*estimate(samples, s, {}, {Phase::confirm, 0}, 1));
  const auto tied = decide(samples, {{10, 1}, {20, 2}, {30, 3}}, estimates, {Phase::confirm, 0});
  EXPECT_EQ(tied.ties.size(), 1u);
  const auto separated = decide(samples, {{10, 1}, {30, 3}}, estimates, {Phase::confirm, 0});
  EXPECT_EQ(separated.best_trial, 10);
  EXPECT_TRUE(separated.ties.empty());
  EXPECT_EQ(separated.verdict.rfind("separated", 0), 0u);
}

}  // namespace
}  // namespace gemwright::tuner
