// What every store must do, asked of the one in memory and of the one on SQLite.
#include "db/store.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "tests/db/store_fixture.h"
#include "tests/db/support.h"

namespace gemwright::tuner {
namespace {

using test::some_attributes;
using test::some_config;
using test::some_key;
using test::some_sample;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class StoreTest : public test::StoreFixture {};

Estimate some_estimate(SubjectId subject) {
  Estimate e;
  e.subject = subject;
  e.method = "median";
  e.samples = 26;
  e.excluded = 1;
  e.ns_per_call = 1234.5;
  e.min_ns = 1200.25;
  e.p10_ns = 1210;
  e.gflops = 99.5;
  e.ratio = 1.05;
  e.ratio_lo = 1.01;
  e.ratio_hi = 1.09;
  return e;
}

TEST_P(StoreTest, ANewStudyHoldsItsKeyAndAttributes) {
  reopen();
  const auto studies = store_->studies();
  ASSERT_TRUE(studies) << studies.error().message;
  ASSERT_EQ(studies->size(), 1u);
  const StudyRecord& s = studies->front();
  const StudyKey expected = some_key();
  EXPECT_EQ(s.generation, 0);
  EXPECT_EQ(key(s.key), key(expected));
  EXPECT_EQ(s.key.problem, expected.problem);
  EXPECT_EQ(s.key.device, expected.device);
  EXPECT_EQ(s.key.build, expected.build);
  EXPECT_EQ(s.key.modes, expected.modes);
  EXPECT_EQ(s.key.cache_bytes, expected.cache_bytes);
  EXPECT_EQ(s.attributes.name, "qkv");
  EXPECT_EQ(s.attributes.suite, "llama-3.1-8b");
  EXPECT_EQ(s.attributes.weight, 32);
  EXPECT_EQ(s.attributes.budget, (Budget{60.0, {}}));
  EXPECT_EQ(s.attributes.seed, 0xfedcba9876543210u);
  EXPECT_EQ(s.state, StudyState::running);
  EXPECT_GT(s.created_at, 0);
  EXPECT_GE(s.updated_at, s.created_at);
  EXPECT_EQ(s.trials, 0);
  EXPECT_FALSE(s.outcome.best_trial);
}

TEST_P(StoreTest, TheSameKeyGoesOnWithTheNewAttributes) {
  StudyAttributes larger = some_attributes();
  larger.budget = {{}, 500};
  larger.seed = 7;
  const auto again = store_->open_study(some_key(), larger, false);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, study_);
  EXPECT_EQ(again->attributes.budget, larger.budget);
  EXPECT_EQ(again->attributes.seed, 7u);
  EXPECT_EQ(store_->studies()->size(), 1u);
}

TEST_P(StoreTest, FreshStartsTheNextGenerationAndTheNewestIsContinued) {
  const auto fresh = store_->open_study(some_key(), some_attributes(), true);
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_NE(fresh->id, study_);
  EXPECT_EQ(fresh->generation, 1);
  EXPECT_EQ(store_->open_study(some_key(), some_attributes(), false)->id, fresh->id);
  EXPECT_EQ(store_->open_study(some_key(), some_attributes(), true)->generation, 2);
}

TEST_P(StoreTest, AnotherMIsAnotherStudy) {
  const auto other = store_->open_study(some_key(8), some_attributes(), false);
  ASSERT_TRUE(other) << other.error().message;
  EXPECT_NE(other->id, study_);
  EXPECT_EQ(other->generation, 0);
}

TEST_P(StoreTest, StateAndTimeSpentAreKept) {
  ASSERT_TRUE(store_->set_study_state(study_, StudyState::interrupted, 12.25, {}));
  const auto again = store_->open_study(some_key(), some_attributes(), false);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->state, StudyState::interrupted);
  EXPECT_EQ(again->spent_seconds, 12.25);
}

TEST_P(StoreTest, AFailedStudySaysWhyAndNoOtherDoes) {
  ASSERT_TRUE(store_->set_study_state(study_, StudyState::failed, 1, "no compiler \"g+\" was found"));
  EXPECT_EQ(store_->studies()->front().failure, "no compiler \"g+\" was found");
  EXPECT_FALSE(store_->set_study_state(study_, StudyState::failed, 1, {}));
  EXPECT_FALSE(store_->set_study_state(study_, StudyState::failed, 1, ""));
  EXPECT_FALSE(store_->set_study_state(study_, StudyState::finished, 1, "why not"));
  const auto again = store_->set_study_state(study_, StudyState::running, 1, {});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(store_->studies()->front().failure);
  ASSERT_TRUE(store_->set_study_state(study_, StudyState::failed, 1, "again"));
  reopen();
  EXPECT_EQ(store_->studies()->front().failure, "again");
}

TEST_P(StoreTest, ATrialKeepsItsReductionClass) {
  auto trial = store_->add_trial(study_, some_config(4), "random");
  ASSERT_TRUE(trial);
  EXPECT_FALSE(trial->reduction_class);
  trial->reduction_class = "f32 fma";
  trial->state = TrialState::ok;
  ASSERT_TRUE(store_->update_trial(*trial));
  trial->reduction_class = "";
  EXPECT_FALSE(store_->update_trial(*trial));
  reopen();
  EXPECT_EQ(store_->trials(study_)->front().reduction_class, "f32 fma");
}

TEST_P(StoreTest, ABaselineIsPresentOrAbsentWithAReason) {
  ASSERT_TRUE(store_->set_baseline(study_, "", "built without oneDNN"));
  EXPECT_EQ(store_->studies()->front().baseline, "");
  EXPECT_EQ(store_->studies()->front().baseline_reason, "built without oneDNN");
  ASSERT_TRUE(store_->set_baseline(study_, "onednn 2.6.3", ""));
  EXPECT_EQ(store_->studies()->front().baseline, "onednn 2.6.3");
  EXPECT_EQ(store_->studies()->front().baseline_reason, "");
  EXPECT_FALSE(store_->set_baseline(study_, "", ""));
}

TEST_P(StoreTest, TrialsCountUpAndKeepTheirConfig) {
  const auto first = store_->add_trial(study_, some_config(4), "seed:blis");
  const auto second = store_->add_trial(study_, some_config(6), "random");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->seq, 0);
  EXPECT_EQ(second->seq, 1);
  reopen();
  const auto trials = store_->trials(study_);
  ASSERT_TRUE(trials) << trials.error().message;
  ASSERT_EQ(trials->size(), 2u);
  EXPECT_EQ((*trials)[0].config, some_config(4));
  EXPECT_EQ((*trials)[0].origin, "seed:blis");
  EXPECT_EQ((*trials)[0].state, TrialState::running);
  EXPECT_EQ((*trials)[1].config, some_config(6));
  EXPECT_EQ((*trials)[1].id, second->id);
  EXPECT_EQ(store_->studies()->front().trials, 2);
}

TEST_P(StoreTest, AConfigIsTriedOnceAStudy) {
  add_trial(4);
  const auto again = store_->add_trial(study_, some_config(4), "random");
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("already"), std::string::npos);
  const auto other = store_->open_study(some_key(8), some_attributes(), false);
  ASSERT_TRUE(other);
  EXPECT_TRUE(store_->add_trial(other->id, some_config(4), "random"));
  EXPECT_EQ(store_->trials(study_)->size(), 1u);
  EXPECT_EQ(store_->add_trial(study_, some_config(6), "random")->seq, 1);
}

TEST_P(StoreTest, ATrialsResultIsKeptAndItsConfigNeverChanges) {
  Trial trial = add_trial(4);
  trial.state = TrialState::correctness;
  trial.reason = std::string("row 3 is wrong: \"x\" 'y'; DROP TABLE trial --\n\0 end", 48);
  trial.error_fro = 0.25;
  trial.compile_ns = 5;
  trial.config = some_config(6);
  ASSERT_TRUE(store_->update_trial(trial));
  reopen();
  const auto trials = store_->trials(study_);
  ASSERT_TRUE(trials) << trials.error().message;
  const Trial& stored = trials->front();
  EXPECT_EQ(stored.config, some_config(4));
  EXPECT_EQ(stored.state, TrialState::correctness);
  EXPECT_EQ(stored.reason, trial.reason);
  EXPECT_EQ(stored.error_fro, 0.25);
  EXPECT_EQ(stored.error_max, std::nullopt);
  EXPECT_EQ(stored.compile_ns, 5);
  EXPECT_EQ(stored.verify_ns, std::nullopt);
}

TEST_P(StoreTest, ATrialMayRunAgain) {
  Trial trial = add_trial(4);
  trial.state = TrialState::running;
  ASSERT_TRUE(store_->update_trial(trial));
  EXPECT_EQ(store_->trials(study_)->front().state, TrialState::running);
}

TEST_P(StoreTest, AnErrorThatIsNoNumberIsRefused) {
  Trial trial = add_trial(4);
  for (const double bad : {kNaN, kInfinity, -1.0}) {
    trial.error_fro = bad;
    EXPECT_FALSE(store_->update_trial(trial)) << bad;
  }
  EXPECT_EQ(store_->trials(study_)->front().error_fro, std::nullopt);
}

TEST_P(StoreTest, ASubjectIsMadeOnce) {
  const Trial trial = add_trial(4);
  const auto first = store_->add_subject(study_, SubjectKind::trial, trial.id, "");
  const auto base = store_->add_subject(study_, SubjectKind::baseline, std::nullopt, "onednn");
  const auto anchor = store_->add_subject(study_, SubjectKind::anchor, std::nullopt, "anchor");
  ASSERT_TRUE(first && base && anchor);
  EXPECT_EQ(store_->add_subject(study_, SubjectKind::trial, trial.id, "")->id, first->id);
  EXPECT_EQ(store_->add_subject(study_, SubjectKind::baseline, std::nullopt, "onednn")->id, base->id);
  EXPECT_NE(store_->add_subject(study_, SubjectKind::baseline, std::nullopt, "openblas")->id, base->id);
  reopen();
  const auto subjects = store_->subjects(study_);
  ASSERT_TRUE(subjects) << subjects.error().message;
  ASSERT_EQ(subjects->size(), 4u);
  EXPECT_EQ((*subjects)[0].trial, trial.id);
  EXPECT_EQ((*subjects)[1].kind, SubjectKind::baseline);
  EXPECT_EQ((*subjects)[2].name, "anchor");
}

TEST_P(StoreTest, ASubjectNamesATrialExactlyWhenItIsOne) {
  const Trial trial = add_trial(4);
  EXPECT_FALSE(store_->add_subject(study_, SubjectKind::trial, std::nullopt, "x"));
  EXPECT_FALSE(store_->add_subject(study_, SubjectKind::baseline, trial.id, "x"));
  EXPECT_FALSE(store_->add_subject(study_, SubjectKind::anchor, std::nullopt, ""));
  EXPECT_FALSE(store_->add_subject(study_, SubjectKind::trial, trial.id + 1, ""));
  EXPECT_FALSE(store_->add_subject(study_ + 1, SubjectKind::anchor, std::nullopt, "anchor"));
  EXPECT_TRUE(store_->subjects(study_)->empty());
}

TEST_P(StoreTest, SamplesComeBackWholeByRoundAndPosition) {
  const SubjectId a = add_subject(add_trial(4)), b = add_subject(add_trial(6));
  Sample odd = some_sample(a, 1, 1);
  odd.phase = Phase::confirm;
  odd.cpu.reset();
  odd.involuntary_switches = 3;
  odd.steal_ticks.reset();
  odd.migrated = true;
  ASSERT_TRUE(store_->add_sample(odd));
  ASSERT_TRUE(store_->add_sample(some_sample(b, 1, 0)));
  ASSERT_TRUE(store_->add_sample(some_sample(a, 0, 0)));
  reopen();
  const auto samples = store_->samples(study_);
  ASSERT_TRUE(samples) << samples.error().message;
  ASSERT_EQ(samples->size(), 3u);
  EXPECT_EQ((*samples)[0].subject, a);
  EXPECT_EQ((*samples)[0].round, 0);
  EXPECT_EQ((*samples)[0].cpu, 1);
  EXPECT_EQ((*samples)[0].steal_ticks, 0);
  EXPECT_EQ((*samples)[1].subject, b);
  const Sample& stored = (*samples)[2];
  EXPECT_EQ(stored.subject, a);
  EXPECT_EQ(stored.phase, Phase::confirm);
  EXPECT_EQ(stored.position, 1);
  EXPECT_EQ(stored.calls, 10);
  EXPECT_EQ(stored.ns, 1000001);
  EXPECT_EQ(stored.cpu, std::nullopt);
  EXPECT_EQ(stored.involuntary_switches, 3);
  EXPECT_EQ(stored.steal_ticks, std::nullopt);
  EXPECT_TRUE(stored.migrated);
}

TEST_P(StoreTest, ASampleThatCannotHaveBeenMeasuredIsRefused) {
  const SubjectId subject = add_subject(add_trial(4));
  std::vector<Sample> bad(8, some_sample(subject, 0));
  bad[0].calls = 0;
  bad[1].ns = -1;
  bad[2].round = -1;
  bad[3].position = -1;
  bad[4].cpu = -1;
  bad[5].steal_ticks = -1;
  bad[6].involuntary_switches = -1;
  bad[7].subject = subject + 1;
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_FALSE(store_->add_sample(bad[i])) << i;
  EXPECT_TRUE(store_->samples(study_)->empty());
}

TEST_P(StoreTest, ASampleIsNeverOverwritten) {
  const SubjectId subject = add_subject(add_trial(4));
  Sample sample = some_sample(subject, 0);
  ASSERT_TRUE(store_->add_sample(sample));
  sample.ns = 1;
  const auto again = store_->add_sample(sample);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("already"), std::string::npos);
  ASSERT_EQ(store_->samples(study_)->size(), 1u);
  EXPECT_EQ(store_->samples(study_)->front().ns, 1000000);
}

StudyOutcome some_outcome(std::optional<TrialId> best, const std::string& verdict,
                          const std::vector<TrialId>& ties = {}) {
  StudyOutcome o;
  o.best_trial = best;
  o.verdict = verdict;
  o.ties = ties;
  return o;
}

TEST_P(StoreTest, TheOutcomeReplacesTheOneBefore) {
  const Trial a = add_trial(4), b = add_trial(6), c = add_trial(3);
  const SubjectId subject = add_subject(a), other = add_subject(b);
  ASSERT_TRUE(store_->set_outcome(study_, some_outcome(b.id, "not separated", {c.id, a.id}), {some_estimate(other)}));
  EXPECT_EQ(store_->studies()->front().outcome.ties, (std::vector<TrialId>{c.id, a.id}));
  Estimate screen = some_estimate(subject);
  screen.phase = Phase::screen;
  screen.ratio = screen.ratio_lo = screen.ratio_hi = std::nullopt;
  ASSERT_TRUE(store_->set_outcome(study_, some_outcome(a.id, "separated"), {some_estimate(subject), screen}));
  reopen();
  const auto outcome = store_->studies()->front().outcome;
  EXPECT_EQ(outcome.best_trial, a.id);
  EXPECT_EQ(outcome.verdict, "separated");
  EXPECT_TRUE(outcome.ties.empty());
  const auto estimates = store_->estimates(study_);
  ASSERT_TRUE(estimates) << estimates.error().message;
  ASSERT_EQ(estimates->size(), 2u);
  EXPECT_EQ((*estimates)[0].phase, Phase::screen);
  EXPECT_EQ((*estimates)[0].ratio, std::nullopt);
  EXPECT_EQ((*estimates)[0].ratio_lo, std::nullopt);
  EXPECT_EQ((*estimates)[1].phase, Phase::confirm);
  EXPECT_EQ((*estimates)[1].ratio_hi, 1.09);
  EXPECT_EQ((*estimates)[1].samples, 26);
  EXPECT_EQ((*estimates)[1].excluded, 1);
  EXPECT_EQ((*estimates)[1].ns_per_call, 1234.5);
  EXPECT_EQ((*estimates)[1].min_ns, 1200.25);
  EXPECT_EQ((*estimates)[1].p10_ns, 1210);
  EXPECT_EQ((*estimates)[1].gflops, 99.5);
  EXPECT_EQ((*estimates)[1].method, "median");
}

TEST_P(StoreTest, AStudyMayEndWithoutAWinner) {
  ASSERT_TRUE(store_->set_outcome(study_, some_outcome(std::nullopt, "nothing valid was found"), {}));
  EXPECT_EQ(store_->studies()->front().outcome.best_trial, std::nullopt);
  EXPECT_EQ(store_->studies()->front().outcome.verdict, "nothing valid was found");
}

TEST_P(StoreTest, ARefusedOutcomeLeavesTheOneBefore) {
  const Trial good = add_trial(4), wrong = add_trial(6, TrialState::correctness);
  const SubjectId subject = add_subject(good);
  ASSERT_TRUE(store_->set_outcome(study_, some_outcome(good.id, "kept"), {some_estimate(subject)}));
  const auto other = store_->open_study(some_key(8), some_attributes(), false);
  const auto elsewhere = store_->add_trial(other->id, some_config(4), "random");
  Estimate nothing = some_estimate(subject), nan = nothing, half = nothing, stranger = nothing, zero = nothing;
  Estimate no_time = nothing, no_order = nothing;
  no_time.min_ns = 0;
  no_order.min_ns = 1200;
  no_order.p10_ns = 1100;
  nothing.samples = 0;
  nan.ns_per_call = kNaN;
  half.ratio_hi.reset();
  zero.ratio = 0;
  stranger.subject = subject + 100;
  const std::vector<std::pair<StudyOutcome, std::vector<Estimate>>> bad = {
      {some_outcome(wrong.id, "wrong answer"), {}},
      {some_outcome(elsewhere->id, "of another study"), {}},
      {some_outcome(good.id + 100, "unknown"), {}},
      {some_outcome(good.id, "ties with a wrong one", {wrong.id}), {}},
      {some_outcome(good.id, "ties twice", {good.id, good.id}), {}},
      {some_outcome(good.id, ""), {nothing}},
      {some_outcome(good.id, ""), {nan}},
      {some_outcome(good.id, ""), {half}},
      {some_outcome(good.id, ""), {zero}},
      {some_outcome(good.id, ""), {no_time}},
      {some_outcome(good.id, ""), {no_order}},
      {some_outcome(good.id, ""), {stranger}},
      {some_outcome(good.id, ""), {some_estimate(subject), some_estimate(subject)}}};
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_FALSE(store_->set_outcome(study_, bad[i].first, bad[i].second)) << i;
  }
  EXPECT_EQ(store_->studies()->front().outcome.verdict, "kept");
  EXPECT_EQ(store_->estimates(study_)->size(), 1u);
}

TEST_P(StoreTest, AnExportNamesTrialsThatExist) {
  const Trial trial = add_trial(4);
  EXPECT_TRUE(store_->record_export("/tmp/tuned.h", "abcd", {trial.id, trial.id}));
  EXPECT_FALSE(store_->record_export("/tmp/tuned.h", "abcd", {trial.id + 1}));
  EXPECT_FALSE(store_->record_export("", "abcd", {}));
  EXPECT_FALSE(store_->record_export("/tmp/tuned.h", "", {}));
}

TEST_P(StoreTest, AKeyWithoutMeaningIsRefused) {
  std::vector<StudyKey> bad(16, some_key());
  bad[0].m = 0;
  bad[1].problem.n = -1;
  bad[2].problem.k = std::int64_t{1} << 62;
  bad[3].device.fingerprint = "";
  bad[4].device.threads = 0;
  bad[5].device.properties_json = "{not json";
  bad[6].device.properties_json = "[1]";
  bad[7].build.digest = "";
  bad[8].space_version = 0;
  bad[9].modes = {};
  bad[10].modes = {ComputeMode::f32, ComputeMode::f32};
  bad[11].max_error = kNaN;
  bad[12].max_error = 0;
  bad[13].cache_bytes = kInfinity;
  bad[14].device.properties_json = std::string(2 << 20, '{');
  bad[15].device.properties_json = "";
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_FALSE(store_->open_study(bad[i], some_attributes(), false)) << i;
  }
  std::vector<StudyAttributes> attributes(4, some_attributes());
  attributes[0].weight = 0;
  attributes[1].weight = kNaN;
  attributes[2].budget.seconds = -1;
  attributes[3].budget = {{}, 0};
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    EXPECT_FALSE(store_->open_study(some_key(), attributes[i], false)) << i;
  }
  EXPECT_EQ(store_->studies()->size(), 1u);
  EXPECT_EQ(store_->studies()->front().attributes.weight, 32);
}

TEST_P(StoreTest, WhatDoesNotExistIsRefused) {
  Trial stranger = add_trial(4);
  stranger.study = study_ + 1;
  EXPECT_FALSE(store_->update_trial(stranger));
  stranger.study = study_;
  stranger.id += 100;
  EXPECT_FALSE(store_->update_trial(stranger));
  EXPECT_FALSE(store_->add_trial(study_ + 1, some_config(6), "random"));
  EXPECT_FALSE(store_->set_study_state(0, StudyState::finished, 0, {}));
  EXPECT_FALSE(store_->set_study_state(study_, StudyState::finished, kNaN, {}));
  EXPECT_FALSE(store_->set_baseline(study_ + 1, "onednn", ""));
  EXPECT_FALSE(store_->set_outcome(study_ + 1, {}, {}));
  EXPECT_TRUE(store_->trials(study_ + 1)->empty());
  EXPECT_TRUE(store_->samples(study_ + 1)->empty());
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTest, testing::Values("memory", "sqlite"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace gemwright::tuner
