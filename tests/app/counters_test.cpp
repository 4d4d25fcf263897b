#include "app/model/counters.h"

#include "app/model/rows.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

// Of the winner: two values and three that are missing for one reason; of the baseline: one value.
ScriptedStudy with_counters() {
  ScriptedStudy s = scripted_study();
  EXPECT_TRUE(s.store->set_counters(s.baseline_subject, {counted("software", "task-clock", 500, 10)}));
  EXPECT_TRUE(s.store->set_counters(
      s.winner_subject, {unsupported("cycles"), unsupported("instructions"), unsupported("branches"),
                         counted("software", "task-clock", 300, 10), counted("rusage", "page-faults.minor", 0, 10)}));
  return s;
}

TEST(Counters, AreToldPerCallWithTheirSubjectTrialsFirst) {
  const auto s = with_counters();
  const auto lines = counter_lines(*s.store, {});
  ASSERT_TRUE(lines) << lines.error().message;
  ASSERT_EQ(lines->size(), 6u);
  const auto clock = counter_row((*lines)[3]);
  EXPECT_EQ(clock["type"], "counter");
  EXPECT_EQ(clock["trial"], s.winner.id);
  EXPECT_EQ(clock["value"], 30.0);
  EXPECT_EQ(clock["status"], "counted");
  EXPECT_TRUE(clock["reason"].is_null());
  const auto last = counter_row(lines->back());
  EXPECT_TRUE(last["trial"].is_null());
  EXPECT_EQ(last["subject"], "scripted 1.0");
}

TEST(Counters, AMissingOneIsNullAndACountedZeroIsZero) {
  const auto s = with_counters();
  const auto lines = counter_lines(*s.store, {});
  ASSERT_TRUE(lines);
  const auto missing = counter_row((*lines)[0]);
  EXPECT_TRUE(missing["value"].is_null());
  EXPECT_EQ(missing["reason"], "no PMU here");
  EXPECT_EQ(counter_row((*lines)[4])["value"], 0.0);
}

TEST(Counters, TheTableFoldsManyThatAreMissingForOneReason) {
  const auto s = with_counters();
  const auto text = counters_table(*counter_lines(*s.store, {}));
  EXPECT_NE(text.find("perf: 3 counters missing of trial 2: no PMU here\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("branches"), std::string::npos);
}

TEST(Counters, FewMissingOnesKeepTheirRowsWithADash) {
  const auto s = with_counters();
  const auto text = counters_table(*counter_lines(*s.store, *parse_filter("name=cycles or name=task-clock")));
  EXPECT_NE(text.find("cycles"), std::string::npos);
  EXPECT_NE(text.find("-  events  unsupported  no PMU here"), std::string::npos) << text;
  EXPECT_EQ(text.find("counters missing"), std::string::npos);
}

TEST(Counters, AnUnknownFieldIsRefusedEvenWithoutCounters) {
  const auto s = scripted_study();
  const auto lines = counter_lines(*s.store, *parse_filter("wings=2"));
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().kind, tuner::ErrorKind::usage);
}

}  // namespace
}  // namespace gemwright::app
