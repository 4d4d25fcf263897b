// What explains a result, asked of both stores: ceilings, counters, events, how sure an outcome is.
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tests/db/store_fixture.h"
#include "tests/db/support.h"
#include "tuner/study/runner.h"

namespace gemwright::tuner {
namespace {

using profilers::Ceiling;
using profilers::Counter;
using profilers::CounterStatus;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class ProfileStoreTest : public test::StoreFixture {
 protected:
  SubjectId some_subject() { return add_subject(add_trial(4)); }
  // As stored: nothing when the store refused.
  std::optional<StudyOutcome> stored(const StudyOutcome& outcome) {
    if (!store_->set_outcome(study_, outcome, {})) return std::nullopt;
    return store_->studies()->front().outcome;
  }
};

Ceiling some_ceiling() { return {"fma.avx512f.f32", 2, "GFLOP/s", 180.5, "", 0.01, 25.5}; }
Ceiling missing_ceiling() {
  return {"read.l3", 1, "GB/s", std::nullopt, "the size of L3 is not told", 0, std::nullopt};
}
Counter some_counter() { return {"perf", "instructions", "events", CounterStatus::counted, 1e9, 12, ""}; }
Counter missing_counter() {
  return {"perf", "l1d.fills.dram", "events", CounterStatus::unsupported, std::nullopt, 12, "no such event here"};
}

TEST_P(ProfileStoreTest, CeilingsAddUpOldestFirst) {
  ASSERT_TRUE(store_->add_ceilings(study_, {some_ceiling(), missing_ceiling()}));
  ASSERT_TRUE(store_->add_ceilings(study_, {some_ceiling()}));
  ASSERT_TRUE(store_->add_ceilings(study_, {}));
  reopen();
  const auto ceilings = store_->ceilings(study_);
  ASSERT_TRUE(ceilings) << ceilings.error().message;
  ASSERT_EQ(ceilings->size(), 3u);
  EXPECT_EQ((*ceilings)[0].ceiling, some_ceiling());
  EXPECT_EQ((*ceilings)[1].ceiling, missing_ceiling());
  EXPECT_EQ((*ceilings)[2].ceiling, some_ceiling());
  EXPECT_GT((*ceilings)[0].measured_at, 0);
  EXPECT_EQ((*ceilings)[0].measured_at, (*ceilings)[1].measured_at);
  EXPECT_TRUE(store_->ceilings(study_ + 1)->empty());
}

TEST_P(ProfileStoreTest, ACeilingThatCannotHaveBeenMeasuredIsRefusedWithItsCompany) {
  std::vector<Ceiling> bad(13, some_ceiling());
  bad[0].value = 0;
  bad[1].value = -1;
  bad[2].value = kNaN;
  bad[3].value = kInfinity;
  bad[4].value.reset();
  bad[5].reason = "but it has a value";
  bad[6].name = "";
  bad[7].name = "a\nb";
  bad[8].unit = "";
  bad[9].threads = 0;
  bad[10].spread = kNaN;
  bad[11].anchor_ns = 0;
  bad[12].name = std::string(1000, 'x');
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_FALSE(store_->add_ceilings(study_, {some_ceiling(), bad[i]})) << i;
  }
  EXPECT_FALSE(store_->add_ceilings(study_ + 1, {some_ceiling()}));
  EXPECT_TRUE(store_->ceilings(study_)->empty());
}

TEST_P(ProfileStoreTest, CountersReplaceThoseOfTheSubjectInTheOrderGiven) {
  const SubjectId a = some_subject(), b = add_subject(add_trial(6));
  Counter scaled = some_counter();
  scaled.provider = "software";
  scaled.status = CounterStatus::scaled;
  scaled.reason = "counted for 40 % of the pass";
  scaled.value = 0;
  ASSERT_TRUE(store_->set_counters(b, {some_counter()}));
  ASSERT_TRUE(store_->set_counters(a, {some_counter()}));
  ASSERT_TRUE(store_->set_counters(a, {scaled, missing_counter(), some_counter()}));
  reopen();
  const auto counters = store_->counters(study_);
  ASSERT_TRUE(counters) << counters.error().message;
  ASSERT_EQ(counters->size(), 4u);
  EXPECT_EQ((*counters)[0].subject, a);
  EXPECT_EQ((*counters)[0].counter, scaled);
  EXPECT_EQ((*counters)[1].counter, missing_counter());
  EXPECT_EQ((*counters)[2].counter, some_counter());
  EXPECT_EQ((*counters)[3].subject, b);
  EXPECT_TRUE(store_->counters(study_ + 1)->empty());
}

TEST_P(ProfileStoreTest, EveryStatusIsReadBack) {
  const SubjectId subject = some_subject();
  std::vector<Counter> all;
  for (int i = 0; i < 8; ++i) {
    Counter c = missing_counter();
    c.name = "counter " + std::to_string(i);
    c.status = static_cast<CounterStatus>(i);
    if (has_value(c.status)) c.value = i;
    all.push_back(c);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const char* const providers[] = {"perf", "software", "rusage", "steal", "callgrind", "traffic", "cupti", "nvml"};
    all[i].provider = providers[i];
  }
  const auto kept = store_->set_counters(subject, all);
  ASSERT_TRUE(kept) << kept.error().message;
  const auto counters = store_->counters(study_);
  ASSERT_EQ(counters->size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ((*counters)[i].counter, all[i]);
}

TEST_P(ProfileStoreTest, ACounterThatSaysWhatWasNotCountedIsRefusedAndTheOldOnesStay) {
  const SubjectId subject = some_subject();
  ASSERT_TRUE(store_->set_counters(subject, {some_counter()}));
  std::vector<Counter> bad(6, missing_counter());
  bad[0].value = 0;
  bad[1].reason = "";
  bad[2].status = CounterStatus::counted;
  bad[3].provider = "guess";
  bad[4].provider = "";
  bad[5].calls = 0;
  for (const auto& [name, unit] : {std::pair("", "events"), std::pair("x", ""), std::pair("a\x1b", "events")}) {
    bad.push_back(missing_counter());
    bad.back().name = name;
    bad.back().unit = unit;
  }
  for (const double value : {kNaN, kInfinity, -kInfinity, -1.0}) {
    bad.push_back(some_counter());
    bad.back().name = "other";
    bad.back().value = value;
  }
  bad.push_back(some_counter());  // a second time
  for (std::size_t i = 0; i < bad.size(); ++i) {
    EXPECT_FALSE(store_->set_counters(subject, {some_counter(), bad[i]})) << i;
  }
  EXPECT_FALSE(store_->set_counters(subject + 1, {some_counter()}));
  ASSERT_EQ(store_->counters(study_)->size(), 1u);
  EXPECT_EQ(store_->counters(study_)->front().counter, some_counter());
  ASSERT_TRUE(store_->set_counters(subject, {}));
  EXPECT_TRUE(store_->counters(study_)->empty());
}

TEST_P(ProfileStoreTest, EventsAscendAndAreStampedOnce) {
  const auto pause = store_->add_event(study_, EventKind::pause, "");
  const auto veto = store_->add_event(study_, EventKind::veto, "mr=8");
  ASSERT_TRUE(pause && veto);
  EXPECT_LT(pause->id, veto->id);
  EXPECT_EQ(veto->study, study_);
  EXPECT_EQ(veto->applied_round, std::nullopt);
  ASSERT_TRUE(store_->stamp_event(veto->id, 0));
  EXPECT_FALSE(store_->stamp_event(veto->id, 7));
  EXPECT_FALSE(store_->stamp_event(pause->id, -1));
  EXPECT_FALSE(store_->stamp_event(veto->id + 1, 0));
  EXPECT_FALSE(store_->stamp_event(0, 0));
  reopen();
  const auto events = store_->events(study_);
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].id, pause->id);
  EXPECT_EQ((*events)[0].kind, EventKind::pause);
  EXPECT_EQ((*events)[0].argument, "");
  EXPECT_EQ((*events)[0].created_at, pause->created_at);
  EXPECT_EQ((*events)[0].applied_round, std::nullopt);
  EXPECT_EQ((*events)[1].kind, EventKind::veto);
  EXPECT_EQ((*events)[1].argument, "mr=8");
  EXPECT_EQ((*events)[1].applied_round, 0);
  EXPECT_TRUE(store_->events(study_ + 1)->empty());
}

TEST_P(ProfileStoreTest, AnEventHasTheArgumentOfItsKind) {
  for (const EventKind kind : {EventKind::pause, EventKind::resume, EventKind::stop}) {
    EXPECT_TRUE(store_->add_event(study_, kind, ""));
    EXPECT_FALSE(store_->add_event(study_, kind, "now"));
  }
  for (const EventKind kind : {EventKind::again, EventKind::pin, EventKind::veto, EventKind::extend}) {
    EXPECT_FALSE(store_->add_event(study_, kind, ""));
    EXPECT_TRUE(store_->add_event(study_, kind, std::string(4096, 'x')));
    EXPECT_FALSE(store_->add_event(study_, kind, std::string(4097, 'x')));
    for (const std::string bad : {"a\nb", "\x1b[31m", "\xff\xfe"}) EXPECT_FALSE(store_->add_event(study_, kind, bad));
    EXPECT_FALSE(store_->add_event(study_, kind, std::string("a\0b", 3)));
  }
  EXPECT_FALSE(store_->add_event(study_ + 1, EventKind::pause, ""));
  EXPECT_EQ(store_->events(study_)->size(), 7u);
}

TEST_P(ProfileStoreTest, AnOutcomeKeepsHowSureItIs) {
  StudyOutcome o;
  o.best_trial = add_trial(4).id;
  o.verdict = "separated";
  o.confidence = 0.95;
  o.lead = 1.03;
  o.lead_lo = 1.01;
  o.lead_hi = 1.05;
  o.noise_floor = 0.004;
  o.tally = {60, 3, 2, 1};
  ASSERT_TRUE(stored(o));
  reopen();
  const StudyOutcome back = store_->studies()->front().outcome;
  EXPECT_TRUE(back.certified());
  EXPECT_EQ(back.confidence, 0.95);
  EXPECT_EQ(back.lead, 1.03);
  EXPECT_EQ(back.lead_lo, 1.01);
  EXPECT_EQ(back.lead_hi, 1.05);
  EXPECT_EQ(back.noise_floor, 0.004);
  EXPECT_EQ(back.tally, o.tally);
}

TEST_P(ProfileStoreTest, AnOutcomeWithoutARunnerUpHasNoLead) {
  StudyOutcome o;
  o.best_trial = add_trial(4).id;
  const auto back = stored(o);
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->certified());
  EXPECT_EQ(back->lead, std::nullopt);
  EXPECT_EQ(back->lead_lo, std::nullopt);
  EXPECT_EQ(back->noise_floor, std::nullopt);
  EXPECT_EQ(back->tally, BlockTally{});
}

TEST_P(ProfileStoreTest, AnOutcomeThatClaimsTheImpossibleIsRefused) {
  StudyOutcome good;
  good.best_trial = add_trial(4).id;
  good.confidence = 0.95;
  good.lead = 1.03;
  good.lead_lo = 1.01;
  good.lead_hi = 1.05;
  good.noise_floor = 0;
  good.tally = {6, 3, 2, 1};
  std::vector<StudyOutcome> bad(20, good);
  bad[0].confidence = 0;
  bad[1].confidence = 1;
  bad[2].confidence = kNaN;
  bad[3].best_trial.reset();
  bad[4].lead.reset();
  bad[5].lead_lo.reset();
  bad[6].lead_hi.reset();
  bad[7].lead = 0;
  bad[8].lead_lo = 1.06;
  bad[9].lead_lo = -1;
  bad[10].lead_hi = kInfinity;
  bad[11].noise_floor = -0.1;
  bad[12].noise_floor = kNaN;
  bad[13].tally.blocks = 5;
  bad[14].tally.steal = -1;
  bad[15].tally = {-1, 0, 0, 0};
  bad[16].tally.migration = std::numeric_limits<std::int64_t>::max();
  bad[17].tally.context_switch = -2;
  bad[18].ties = {add_trial(6).id};  // certified and tied
  bad[19].lead = bad[19].lead_lo = bad[19].lead_hi = std::nullopt;
  for (std::size_t i = 0; i < bad.size(); ++i) EXPECT_FALSE(stored(bad[i])) << i;
  EXPECT_TRUE(stored(good));
}

TEST_P(ProfileStoreTest, TheProcessThatOpensAStudyIsItsRunner) {
  const auto again = store_->open_study(test::some_key(), test::some_attributes(), false);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->runner, this_process());
  reopen();
  const auto runner = store_->studies()->front().runner;
  ASSERT_TRUE(runner);
  EXPECT_EQ(*runner, this_process());
  EXPECT_TRUE(alive(*runner));
}

INSTANTIATE_TEST_SUITE_P(Stores, ProfileStoreTest, testing::Values("memory", "sqlite"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace gemwright::tuner
