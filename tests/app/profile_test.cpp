#include "app/model/profile.h"

#include <algorithm>

#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

using profilers::CounterStatus;

Operand trial(tuner::TrialId id) { return {OperandKind::trial, "", id, ""}; }

profilers::Counter traffic(const std::string& name, double bytes) {
  return {"traffic", name, "bytes", CounterStatus::computed, bytes, 1, ""};
}

bool any_contains(const std::vector<std::string>& sentences, const std::string& part) {
  return std::any_of(sentences.begin(), sentences.end(),
                     [&](const std::string& s) { return s.find(part) != std::string::npos; });
}

// Answers every count with one counter.
class CountingMachine final : public tuner::Measurer {
 public:
  std::int64_t calls = 0;
  int counts = 0;
  std::string baseline = "scripted 1.0";

  tuner::Result<tuner::SetupReply> setup(const tuner::MeasureSetup&) override {
    return tuner::SetupReply{baseline, "", 1, 2};
  }
  tuner::Result<void> prefetch_code(const std::vector<tuner::Config>&) override { return {}; }
  tuner::Result<tuner::Admission> admit(const tuner::Config&) override {
    tuner::Admission a;
    a.handle = 3;
    return a;
  }
  tuner::Result<tuner::Admission> admit_header(const std::string&, const std::string&) override {
    return tuner::fail("not scripted");
  }
  tuner::Result<tuner::Block> block(int, std::int64_t) override { return tuner::fail("not scripted"); }
  tuner::Result<std::vector<profilers::Counter>> count(int, std::int64_t n) override {
    calls = n;
    ++counts;
    return std::vector{counted("software", "task-clock", 100, n)};
  }
  tuner::Result<std::vector<profilers::Ceiling>> ceilings() override { return tuner::fail("not scripted"); }
  tuner::Result<void> drop(int) override { return {}; }
};

TEST(Profile, TheWinnerStandsBesideTheRunnerUpAndTheBaseline) {
  const auto s = scripted_study();
  const auto p = profile_of(*s.store, {OperandKind::study, "", s.record.id, ""});
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->subject.role, "winner");
  EXPECT_EQ(p->subject.trial->id, s.winner.id);
  EXPECT_EQ(p->rival->role, "runner-up");
  EXPECT_EQ(p->rival->trial->id, s.runner_up.id);
  EXPECT_EQ(p->baseline->name, "scripted 1.0");
  EXPECT_NEAR(p->over_rival->ratio, 1.25, 0.02);
  EXPECT_TRUE(any_contains(profile_findings(*p), "% faster than the runner-up (95 % interval"));
}

TEST(Profile, AnotherTrialStandsBesideTheWinner) {
  const auto s = scripted_study();
  const auto p = profile_of(*s.store, trial(s.screened.id));
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(p->subject.role, "trial");
  EXPECT_EQ(p->rival->trial->id, s.winner.id);
  EXPECT_FALSE(any_contains(profile_findings(*p), "% slower"));
}

TEST(Profile, SentencesCompareOnlyWhatBothHaveAndSayHowItCameAbout) {
  const auto s = scripted_study();
  ASSERT_TRUE(s.store->set_counters(s.winner_subject, {traffic("traffic.l2", 1000), traffic("traffic.l3", 1000),
                                                       traffic("traffic.dram", 0), counted("perf", "cycles", 900)}));
  ASSERT_TRUE(s.store->set_counters(s.runner_up_subject, {traffic("traffic.l2", 1800), traffic("traffic.l3", 1020),
                                                          traffic("traffic.dram", 64), unsupported("cycles")}));
  const auto p = profile_of(*s.store, trial(s.winner.id));
  ASSERT_TRUE(p);
  const auto findings = profile_findings(*p);
  EXPECT_TRUE(any_contains(findings, "moves 1.8x fewer bytes between L2 and L1 than the runner-up (computed)"));
  EXPECT_TRUE(any_contains(findings, "moves no bytes between DRAM and L3, the runner-up 64 (computed)"));
  EXPECT_FALSE(any_contains(findings, "L3 and L2"));  // alike
  EXPECT_FALSE(any_contains(findings, "cycles"));     // of one only
  EXPECT_TRUE(any_contains(profile_gaps(*p), "perf: cycles is missing of trial"));
}

TEST(Profile, InstructionsACycleNeedBothCounters) {
  const auto s = scripted_study();
  const auto set = [&](tuner::SubjectId subject, double instructions) {
    ASSERT_TRUE(s.store->set_counters(subject,
                                      {counted("perf", "cycles", 100), counted("perf", "instructions", instructions)}));
  };
  set(s.winner_subject, 300);
  set(s.baseline_subject, 200);
  const auto p = profile_of(*s.store, trial(s.winner.id));
  ASSERT_TRUE(p);
  EXPECT_TRUE(any_contains(profile_findings(*p), "executes 3.00 instructions a cycle, scripted 1.0 2.00 (counted)"));
  EXPECT_TRUE(any_contains(profile_gaps(*p), "the runner-up has no counters"));
}

TEST(Profile, ATieIsNotCalledFaster) {
  auto s = scripted_study();
  auto outcome = s.record.outcome;
  outcome.confidence = outcome.lead = outcome.lead_lo = outcome.lead_hi = std::nullopt;
  outcome.ties = {s.runner_up.id};
  ASSERT_TRUE(s.store->set_outcome(s.record.id, outcome, *s.store->estimates(s.record.id)));
  const auto p = profile_of(*s.store, trial(s.winner.id));
  ASSERT_TRUE(p);
  const auto findings = profile_findings(*p);
  EXPECT_FALSE(any_contains(findings, "faster"));
  EXPECT_TRUE(any_contains(findings, "not separated from that of the runner-up"));
}

TEST(Profile, RowsCarryTheConfigsThatDifferAndNullForWhatIsMissing) {
  const auto s = scripted_study();
  ASSERT_TRUE(s.store->set_counters(s.winner_subject, {unsupported("cycles")}));
  const auto p = profile_of(*s.store, trial(s.winner.id));
  ASSERT_TRUE(p);
  const auto rows = profile_rows(*p);
  EXPECT_EQ(rows[0]["type"], "profile");
  EXPECT_EQ(rows[0]["config"]["mr"]["subject"], 4);
  EXPECT_EQ(rows[0]["config"]["mr"]["rival"], 2);
  EXPECT_EQ(rows.back()["type"], "counter");
  EXPECT_TRUE(rows.back()["value"].is_null());
  const auto text = profile_text(*p);
  EXPECT_NE(text.find("mr 4 (2)"), std::string::npos) << text;
}

TEST(Profile, CountsWhatIsMissingWithAsManyCallsAsABlockHas) {
  const auto s = scripted_study();
  ASSERT_TRUE(s.store->set_counters(s.runner_up_subject, {unsupported("cycles")}));
  CountingMachine machine;
  const auto p = profile_of(*s.store, trial(s.winner.id));
  ASSERT_TRUE(count_subjects(*s.store, machine, *p, false));
  EXPECT_EQ(machine.counts, 2);  // the winner and the baseline
  EXPECT_GT(machine.calls, 10);
  const auto again = profile_of(*s.store, trial(s.winner.id));
  EXPECT_NE(again->subject.find("software", "task-clock"), nullptr);
  EXPECT_NE(again->subject.find("traffic", "traffic.l2"), nullptr);
  EXPECT_EQ(again->rival->counters.size(), 1u);
  ASSERT_TRUE(count_subjects(*s.store, machine, *again, true));
  EXPECT_EQ(machine.counts, 5);
}

TEST(Profile, TheCountersOfAnotherBaselineAreNotTaken) {
  const auto s = scripted_study();
  CountingMachine machine;
  machine.baseline = "scripted 2.0";
  ASSERT_TRUE(count_subjects(*s.store, machine, *profile_of(*s.store, trial(s.winner.id)), true));
  EXPECT_TRUE(profile_of(*s.store, trial(s.winner.id))->baseline->counters.empty());
}

TEST(Profile, OnlyTheSameDeviceAndBuildMayBeCounted) {
  const auto s = scripted_study();
  tuner::Device device = s.record.key.device;
  tuner::Build build = s.record.key.build;
  EXPECT_TRUE(check_same_machine(s.record, device, build));
  device.fingerprint = "d2";
  EXPECT_NE(check_same_machine(s.record, device, build).error().message.find("another device (scripted)"),
            std::string::npos);
  build.digest = "newer";
  EXPECT_NE(check_same_machine(s.record, s.record.key.device, build).error().message.find("another build"),
            std::string::npos);
}

}  // namespace
}  // namespace gemwright::app
