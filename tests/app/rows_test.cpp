#include "app/model/rows.h"

#include <gtest/gtest.h>

#include "app/model/bench.h"

namespace gemwright::app {
namespace {

StudyFigures unfinished() {
  StudyFigures f;
  f.study.id = 7;
  f.study.key.problem.n = 64;
  f.study.key.problem.k = 32;
  f.study.key.m = 4;
  f.study.key.modes = {tuner::ComputeMode::f32};
  f.study.baseline_reason = "built without oneDNN";
  return f;
}

TEST(Rows, AMissingValueIsNullAndNeverZero) {
  const auto row = study_row(unfinished());
  for (const char* field :
       {"gflops", "baseline_gflops", "ratio", "ratio_lo", "ratio_hi", "error", "best_trial", "config", "baseline"}) {
    ASSERT_TRUE(row.contains(field)) << field;
    EXPECT_TRUE(row[field].is_null()) << field;
  }
  EXPECT_EQ(row["baseline_reason"], "built without oneDNN");
}

TEST(Rows, CarryTheFieldsThatScriptsRelyOn) {
  const auto row = study_row(unfinished());
  for (const char* field :
       {"type", "id", "problem", "m", "device", "state", "trials", "best_trial", "gflops", "ratio", "verdict"}) {
    EXPECT_TRUE(row.contains(field)) << field;
  }
  const auto trial = trial_row(unfinished(), tuner::Trial{}, {});
  for (const char* field : {"type", "id", "study", "state", "config", "gflops", "error", "reason"}) {
    EXPECT_TRUE(trial.contains(field)) << field;
  }
  EXPECT_TRUE(trial["config"].is_object());
}

TEST(Rows, TableAlignsAndKeepsControlCharactersOutOfTheTerminal) {
  EXPECT_EQ(table({{"name"}, {"M", true}}, {{"a\x1b[31m", "1"}, {"bcd", "128"}}),
            "name      M\na?[31m    1\nbcd     128\n");
}

TEST(Rows, RatioTextNamesTheIntervalOnlyWhereThereIsOne) {
  EXPECT_EQ(ratio_text(1.25, 1.2, 1.3), "1.250 [1.200, 1.300]");
  EXPECT_EQ(ratio_text(1.25, {}, {}), "1.250");
  EXPECT_EQ(ratio_text({}, {}, {}), "-");
}

TEST(Bench, SummariesArePerThreadCountAndIgnoreRowsWithoutARatio) {
  std::vector<BenchRow> rows(4);
  rows[0].study.request.key.device.threads = 1;
  rows[0].ratio = 2.0;
  rows[1].study.request.key.device.threads = 1;
  rows[1].ratio = 0.5;
  rows[2].study.request.key.device.threads = 2;
  rows[2].ratio = 1.5;
  rows[3].study.request.key.device.threads = 2;
  const auto s = bench_summaries(rows);
  ASSERT_EQ(s.size(), 2u);
  EXPECT_DOUBLE_EQ(s[0].geomean, 1.0);
  EXPECT_DOUBLE_EQ(s[0].worst, 0.5);
  EXPECT_DOUBLE_EQ(s[0].slower, 0.5);
  EXPECT_EQ(s[1].rows, 1u);
}

}  // namespace
}  // namespace gemwright::app
