// compare and show rank-flip over a store in memory whose studies are scripted.
#include "app/model/compare.h"

#include <gtest/gtest.h>

#include <cmath>

#include "app/model/rank_flip.h"
#include "app/model/rows.h"

namespace gemwright::app {
namespace {

using tuner::CacheState;
using tuner::Phase;
using tuner::SubjectKind;

constexpr double kBaselineNs = 50e3;
const CompareLabels kLabels{};

TEST(Operand, NamesATrialAStudyOrADatabase) {
  const struct {
    const char* text;
    OperandKind kind;
    const char* file;
    std::int64_t id;
  } table[] = {{"17", OperandKind::trial, "", 17},
               {"trial:17", OperandKind::trial, "", 17},
               {"study:3", OperandKind::study, "", 3},
               {"a.db", OperandKind::database, "a.db", 0},
               {"./17", OperandKind::database, "./17", 0},
               {"dir/a.db#trial:4", OperandKind::trial, "dir/a.db", 4},
               {"a#b.db#study:5", OperandKind::study, "a#b.db", 5},
               {"a#b.db", OperandKind::database, "a#b.db", 0},
               {"dir:x/trial:y", OperandKind::database, "dir:x/trial:y", 0}};
  for (const auto& row : table) {
    const auto o = parse_operand(row.text);
    ASSERT_TRUE(o) << row.text;
    EXPECT_EQ(o->kind, row.kind) << row.text;
    EXPECT_EQ(o->file, row.file) << row.text;
    EXPECT_EQ(o->id, row.id) << row.text;
    EXPECT_EQ(o->text, row.text);
  }
}

TEST(Operand, RefusesWhatNamesNothingInOneUsageSentence) {
  for (const std::string text : {"", "0", "trial:", "trial:0", "trial:x", "trial:-3", "trial:1.5", "trial:17 ",
                                 "study:1e3", "study:0x1", "99999999999999999999", "trial:99999999999999999999",
                                 "#trial:3", "a.db#study:", "a.db#trial:x", "a.db#study:-1", "trial:\n\x1b[31m"}) {
    const auto o = parse_operand(text);
    ASSERT_FALSE(o) << text;
    EXPECT_EQ(o.error().kind, tuner::ErrorKind::usage) << text;
    EXPECT_FALSE(o.error().message.empty());
    EXPECT_EQ(o.error().message.find_first_of("\n\x1b"), std::string::npos);
  }
}

TEST(Operand, BothAreOfOneKind) {
  EXPECT_TRUE(check_operands(*parse_operand("17"), *parse_operand("x.db#trial:18")));
  const auto mixed = check_operands(*parse_operand("17"), *parse_operand("x.db"));
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().kind, tuner::ErrorKind::usage);
  EXPECT_NE(mixed.error().message.find("A is a trial and B a database"), std::string::npos);
}

TEST(Allowance, IsAPercentage) {
  EXPECT_DOUBLE_EQ(*parse_allowance("3%"), 0.03);
  EXPECT_DOUBLE_EQ(*parse_allowance("3"), 0.03);
  EXPECT_DOUBLE_EQ(*parse_allowance("0.5%"), 0.005);
  EXPECT_DOUBLE_EQ(*parse_allowance("0"), 0);
  for (const char* text :
       {"", "%", "-1", "3%%", "% 3", " 3", "3 %", "nan", "inf", "0x3", "100", "1e9", "three", "3,5"}) {
    const auto p = parse_allowance(text);
    ASSERT_FALSE(p) << text;
    EXPECT_EQ(p.error().kind, tuner::ErrorKind::usage);
  }
}

// A config for each number of rows.
tuner::Config config(int mr) {
  tuner::Config c;
  c.tile = {gemwright::isa::avx2, mr, 1, 1, 1, gemwright::prefetch::none};
  c.format.panel = 8;
  c.blocking = {64, 64, 64, gemwright::loop_order::nkm, true, gemwright::a_packing::none, 1, 1, 1, 0};
  return c;
}

struct ScriptedTrial {
  int mr = 1;
  double ns = 40e3;
  Phase phase = Phase::confirm;
  tuner::TrialState state = tuner::TrialState::ok;
};

struct ScriptedStudy {
  std::int64_t m = 4;
  CacheState cache = CacheState::cold;
  std::vector<ScriptedTrial> trials;
  double slowness = 1;  // of the machine during this study
  std::string name = "layer";
  std::string baseline = "scripted 1.0";
  std::string device = "d1";
  int rounds = 26;
};

// Noise without chance: a fixed pattern of up to 1 %.
std::int64_t block_ns(double ns, int round, int salt) {
  return std::llround(40 * ns * (1 + 0.3 * round / 26) * (1 + 0.01 * ((round * 7 + salt * 5) % 11) / 11.0));
}

// The study's trials get the first one as winner.
tuner::StudyRecord add(tuner::Store& store, const ScriptedStudy& s) {
  tuner::StudyKey k;
  k.problem.n = 64;
  k.problem.k = 64;
  k.m = s.m;
  k.device = {s.device, "cpu", "scripted", 1, "{}"};
  k.build = {"build", "0.1", "g++", "g++ 12", "-O2", "source"};
  k.space_version = 1;
  k.modes = {tuner::ComputeMode::f32};
  k.cache = s.cache;
  k.cache_bytes = s.cache == CacheState::hot ? 0 : 2e8;
  tuner::StudyAttributes attributes;
  attributes.name = s.name;
  attributes.strategy = "local";
  attributes.protocol = "normal";
  const auto study = store.open_study(k, attributes, false);
  EXPECT_TRUE(study) << study.error().message;
  const auto add_blocks = [&](tuner::SubjectId subject, double ns, Phase phase, int position) {
    for (int i = 0; i < s.rounds; ++i) {
      tuner::Sample sample;
      sample.subject = subject;
      sample.phase = phase;
      sample.round = (phase == Phase::confirm ? 100 : 0) + i;
      sample.position = position;
      sample.calls = 40;
      sample.ns = block_ns(ns * s.slowness, i, static_cast<int>(subject));
      EXPECT_TRUE(store.add_sample(sample));
    }
  };
  EXPECT_TRUE(store.set_baseline(study->id, s.baseline, s.baseline.empty() ? "none here" : ""));
  if (!s.baseline.empty()) {
    const auto baseline = store.add_subject(study->id, SubjectKind::baseline, {}, s.baseline);
    for (const Phase p : {Phase::race, Phase::confirm}) add_blocks(baseline->id, kBaselineNs, p, 0);
  }
  const auto anchor = store.add_subject(study->id, SubjectKind::anchor, {}, "anchor");
  for (const Phase p : {Phase::race, Phase::confirm}) add_blocks(anchor->id, 5e3, p, 1);
  tuner::StudyOutcome outcome;
  outcome.verdict = "scripted";
  int position = 2;
  for (const ScriptedTrial& t : s.trials) {
    auto trial = store.add_trial(study->id, config(t.mr), "random");
    EXPECT_TRUE(trial) << trial.error().message;
    trial->state = t.state;
    trial->reason = t.state == tuner::TrialState::ok ? "" : "scripted";
    trial->error_fro = 3e-7;
    EXPECT_TRUE(store.update_trial(*trial));
    const auto subject = store.add_subject(study->id, SubjectKind::trial, trial->id, "");
    add_blocks(subject->id, t.ns, t.phase, position++);
    if (!outcome.best_trial) outcome.best_trial = trial->id;
  }
  EXPECT_TRUE(store.set_outcome(study->id, outcome, {}));
  EXPECT_TRUE(store.set_study_state(study->id, tuner::StudyState::finished, 1, {}));
  return store.studies()->back();
}

tuner::Result<TrialComparison> compared(const tuner::Store& store_a, const std::string& a, const tuner::Store& store_b,
                                        const std::string& b) {
  auto x = compared_trial(store_a, *parse_operand(a));
  if (!x) return tl::unexpected(x.error());
  auto y = compared_trial(store_b, *parse_operand(b));
  if (!y) return tl::unexpected(y.error());
  return compare(std::move(*x), std::move(*y), &store_a == &store_b);
}

TEST(Compare, TwoTrialsOfAStudyArePairedAndTheirConfigsTold) {
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::cold, {{1, 42e3}, {2, 40e3}}});
  const auto c = compared(*store, "1", *store, "trial:2");
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_EQ(c->ratio->basis, tuner::Basis::same_rounds);
  EXPECT_NEAR(c->ratio->ratio, 1.05, 0.01);
  EXPECT_TRUE(c->verdict.separated);
  EXPECT_TRUE(c->differences.empty());
  const auto row = comparison_rows(*c, kLabels, 0.03).front();
  EXPECT_EQ(row["type"], "compare");
  EXPECT_EQ(row["version"], kJsonVersion);
  EXPECT_EQ(row["config"].size(), 1u);
  EXPECT_EQ(row["config"]["mr"]["b"], 2);
  EXPECT_EQ(row["slower_than_allowed"], false);
  EXPECT_NEAR(row["ratio"].get<double>(), 1.05, 0.01);
  EXPECT_TRUE(slower_findings(*c, 0.03).empty());
  const auto text = comparison_text(*c, kLabels);
  EXPECT_EQ(text.rfind("B is ", 0), 0u);
  EXPECT_NE(text.find("paired in 26 rounds that timed both, confirmed"), std::string::npos);
}

TEST(Compare, SlowerThanAllowedIsCertainOnlyWithItsWholeInterval) {
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::cold, {{1, 40e3}, {2, 44e3}}});
  const auto c = compared(*store, "1", *store, "2");
  ASSERT_TRUE(c);
  const auto sure = slower_findings(*c, 0.03);
  ASSERT_EQ(sure.size(), 1u);
  EXPECT_TRUE(sure[0].certain);
  EXPECT_NE(sure[0].sentence.find("B is slower than the 3 % allowed: B is 9."), std::string::npos);
  EXPECT_EQ(comparison_rows(*c, kLabels, 0.03).front()["slower_than_allowed"], true);
  const auto perhaps = slower_findings(*c, (1 - c->ratio->ratio + 1 - *c->ratio->hi) / 2);
  ASSERT_EQ(perhaps.size(), 1u);
  EXPECT_FALSE(perhaps[0].certain);
  EXPECT_TRUE(slower_findings(*c, 0.2).empty());
  EXPECT_TRUE(comparison_rows(*c, kLabels, {}).front()["slower_than_allowed"].is_null());
}

TEST(Compare, WinnersOfTwoStudiesAreComparedOverTheirBaseline) {
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::cold, {{1, 42e3}}});
  add(*store, {4, CacheState::hot, {{2, 40e3}}, 1.6});
  const auto c = compared(*store, "study:1", *store, "study:2");
  ASSERT_TRUE(c) << c.error().message;
  EXPECT_EQ(c->ratio->basis, tuner::Basis::baseline);
  EXPECT_NEAR(c->ratio->ratio, 1.05, 0.015);
  ASSERT_EQ(c->differences.size(), 1u);
  EXPECT_EQ(c->differences[0].what, "cache state");
  EXPECT_EQ(c->verdict.text.rfind("over the baseline, B is ", 0), 0u);
}

TEST(Compare, RefusesWhatHasNoComparison) {
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::cold, {{1, 42e3}}});
  add(*store, {8, CacheState::cold, {{1, 42e3}}});
  const auto untimed = store->add_trial(1, config(3), "random");
  ASSERT_TRUE(untimed);
  const auto message = [&](const std::string& a, const std::string& b) {
    const auto c = compared(*store, a, *store, b);
    return c ? std::string() : c.error().message;
  };
  EXPECT_NE(message("1", "1").find("the same trial"), std::string::npos);
  EXPECT_NE(message("study:1", "study:2").find("different M: 4 and 8"), std::string::npos);
  EXPECT_NE(message("1", "99").find("no trial 99"), std::string::npos);
  EXPECT_NE(message("study:1", "study:9").find("no study 9"), std::string::npos);
  EXPECT_NE(message("1", std::to_string(untimed->id)).find("was never timed: its state is running"), std::string::npos);
}

TEST(Compare, CountersStandSideBySideOnlyWhereBothHaveValues) {
  using profilers::CounterStatus;
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::cold, {{1, 42e3}, {2, 40e3}}});
  std::vector<tuner::SubjectId> subjects;
  const auto all = store->subjects(1);
  for (const tuner::Subject& s : *all) {
    if (s.trial) subjects.push_back(s.id);
  }
  ASSERT_EQ(subjects.size(), 2u);
  ASSERT_TRUE(store->set_counters(subjects[0], {{"traffic", "dram", "bytes", CounterStatus::computed, 1000., 10, ""},
                                                {"perf", "cycles", "events", CounterStatus::counted, 500., 10, ""}}));
  ASSERT_TRUE(store->set_counters(
      subjects[1], {{"traffic", "dram", "bytes", CounterStatus::computed, 1500., 10, ""},
                    {"perf", "cycles", "events", CounterStatus::denied, {}, 10, "perf_event_paranoid is 3"}}));
  const auto c = compared(*store, "1", *store, "2");
  ASSERT_TRUE(c) << c.error().message;
  const auto rows = comparison_rows(*c, kLabels, {});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1]["name"], "dram");
  EXPECT_EQ(rows[1]["a"], 100.0);
  EXPECT_EQ(rows[1]["b"], 150.0);
  EXPECT_EQ(rows[2]["name"], "cycles");
  EXPECT_TRUE(rows[2]["a"].is_null());
  EXPECT_EQ(rows[2]["b_status"], "denied");
  const auto text = comparison_text(*c, kLabels);
  EXPECT_NE(text.find("1.500  computed"), std::string::npos);
  EXPECT_NE(text.find("1 counter without a value"), std::string::npos);
}

TEST(CompareDatabases, MatchesStudiesAndMeansTheirRatios) {
  const auto a = tuner::make_memory_store(), b = tuner::make_memory_store();
  for (const std::int64_t m : {1, 4, 16}) add(*a, {m, CacheState::cold, {{1, 40e3}}});
  add(*b, {4, CacheState::cold, {{1, 42e3}}, 1.3});
  add(*b, {1, CacheState::cold, {{2, 38e3}}, 0.8});
  add(*b, {64, CacheState::cold, {{2, 38e3}}});
  const auto d = compare_databases(*a, *b, {});
  ASSERT_TRUE(d) << d.error().message;
  ASSERT_EQ(d->studies.size(), 2u);
  EXPECT_NEAR(d->studies[0].ratio->ratio, 40.0 / 38, 0.015);
  EXPECT_NEAR(d->studies[1].ratio->ratio, 40.0 / 42, 0.015);
  EXPECT_NEAR(d->mean->ratio, std::sqrt(40.0 / 38 * 40 / 42), 0.015);
  EXPECT_EQ(d->a.unmatched, 1);
  EXPECT_EQ(d->b.unmatched, 1);
  const auto findings = slower_findings(*d, 0.01);
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_FALSE(findings[0].certain);
  EXPECT_EQ(findings[0].sentence, "1 of A's studies has no counterpart with a confirmed winner in B");
  EXPECT_TRUE(findings[1].certain);
  EXPECT_NE(findings[1].sentence.find("layer M=4 (study 2 of A, 1 of B): B is slower than the 1 % allowed"),
            std::string::npos);
  const auto rows = comparison_rows(*d, kLabels, 0.01);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["kind"], "database");
  EXPECT_EQ(rows[0]["version"], kJsonVersion);
  EXPECT_EQ(rows[0]["slower_than_allowed"], true);
  EXPECT_EQ(rows[1]["slower_than_allowed"], false);
  EXPECT_EQ(rows[2]["slower_than_allowed"], true);
  EXPECT_EQ(rows[0]["worst_b_study"], 1);
  const auto text = comparison_text(*d, kLabels);
  EXPECT_NE(text.find("geometric mean of 2"), std::string::npos);
  EXPECT_NE(text.find("not compared of A: 1 without counterpart"), std::string::npos);
}

TEST(CompareDatabases, AStudyThatBTriedAndLostFailsTheCheck) {
  const auto a = tuner::make_memory_store(), b = tuner::make_memory_store();
  for (const std::int64_t m : {1, 4}) add(*a, {m, CacheState::cold, {{1, 40e3}}});
  for (const std::int64_t m : {1, 4}) add(*b, {m, CacheState::cold, {{1, 40e3}}});
  const auto lost = *b->studies();
  ASSERT_TRUE(b->set_outcome(lost[1].id, {}, {}));
  const auto d = compare_databases(*a, *b, {});
  ASSERT_TRUE(d);
  const auto findings = slower_findings(*d, 0.5);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(findings[0].certain);
  EXPECT_NE(findings[0].sentence.find("which has 1 without one"), std::string::npos) << findings[0].sentence;
}

TEST(CompareDatabases, TheFilterChoosesAndAnEmptyMatchIsSaid) {
  const auto a = tuner::make_memory_store(), b = tuner::make_memory_store();
  for (const std::int64_t m : {1, 4}) {
    add(*a, {m, CacheState::cold, {{1, 40e3}}});
    add(*b, {m, CacheState::cold, {{1, 40e3}}});
  }
  EXPECT_EQ(compare_databases(*a, *b, *parse_filter("m=4"))->studies.size(), 1u);
  const auto none = compare_databases(*a, *b, *parse_filter("m=7"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, tuner::ErrorKind::failed);
  const auto unknown = compare_databases(*a, *b, *parse_filter("wings=2"));
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("wings"), std::string::npos);
}

TEST(RankFlipView, ListsTheConfigsWhoseOrderDependsOnTheCacheState) {
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::hot, {{1, 30e3}, {2, 40e3}, {3, 41e3, Phase::race}}});
  EXPECT_TRUE(rank_flip_view(*store, {})->pairs.empty());
  EXPECT_NE(no_pairs_text().find("--cache cold"), std::string::npos);
  add(*store, {4, CacheState::cold, {{2, 80e3}, {1, 90e3}, {3, 140e3}, {4, 200e3}}});
  const auto view = rank_flip_view(*store, {});
  ASSERT_TRUE(view);
  ASSERT_EQ(view->pairs.size(), 1u);
  EXPECT_EQ(view->pairs[0].flips.common, 3u);
  ASSERT_EQ(view->count, 1u);
  EXPECT_NEAR(view->flips[0].ratio_hot, 40.0 / 30, 0.02);
  EXPECT_NEAR(view->flips[0].ratio_other, 80.0 / 90, 0.02);
  const auto rows = rank_flip_rows(*view);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["type"], "rank_flip_pair");
  EXPECT_EQ(rows[1]["x_hot_trial"], 1);
  EXPECT_EQ(rows[1]["x_rank_other"], 2);
  EXPECT_NE(rank_flip_text(*view).find("1 -> 2"), std::string::npos);
  EXPECT_TRUE(rank_flip_view(*store, *parse_filter("cache=hot"))->pairs.empty());
  EXPECT_FALSE(rank_flip_view(*store, *parse_filter("wings=2")));
}

TEST(RankFlipView, APrunedConfigCountsAndAWrongOneDoesNot) {
  using tuner::TrialState;
  const auto store = tuner::make_memory_store();
  add(*store, {4, CacheState::hot, {{1, 30e3}, {2, 40e3}, {3, 20e3}}});
  add(*store, {4,
               CacheState::cold,
               {{2, 80e3}, {1, 160e3, Phase::race, TrialState::pruned}, {3, 300e3, Phase::race, TrialState::runtime}}});
  const auto view = rank_flip_view(*store, {});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->pairs[0].flips.common, 2u);
  EXPECT_EQ(view->count, 1u);
}

TEST(RankFlipView, ShowsTheLargestAndCountsTheRest) {
  const auto store = tuner::make_memory_store();
  ScriptedStudy hot{4, CacheState::hot, {}}, cold{4, CacheState::cold, {}};
  hot.baseline = cold.baseline = "";  // the anchor is the reference then
  for (int mr = 1; mr <= 8; ++mr) {
    hot.trials.push_back({mr, 40e3 * std::pow(1.1, mr)});
    cold.trials.push_back({mr, 90e3 * std::pow(1.1, -mr)});
  }
  add(*store, hot);
  add(*store, cold);
  const auto view = rank_flip_view(*store, {});
  ASSERT_TRUE(view);
  EXPECT_EQ(view->count, 28u);
  EXPECT_NE(rank_flip_text(*view).find("and 8 more\n"), std::string::npos);
  EXPECT_EQ(rank_flip_rows(*view).size(), 29u);
}

}  // namespace
}  // namespace gemwright::app
