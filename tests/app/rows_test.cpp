#include "app/model/rows.h"

#include <gtest/gtest.h>

#include "tests/app/scripted_study.h"

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

TEST(Rows, TheOutcomeIsToldWithItsCertaintyAndItsDisturbances) {
  const auto s = scripted_study();
  StudyFigures f;
  f.study = s.record;
  const auto row = study_row(f);
  EXPECT_EQ(row["certified"], true);
  EXPECT_EQ(row["confidence"], 0.99);
  EXPECT_EQ(row["lead_lo"], 1.2);
  EXPECT_EQ(row["noise_floor"], 0.01);
  EXPECT_EQ(row["blocks"], 100);
  EXPECT_EQ(row["excluded"], 0.1);
  EXPECT_EQ(row["excluded_steal"], 0.06);
  EXPECT_EQ(row["excluded_migration"], 0.01);
  EXPECT_TRUE(row["ties"].empty());
}

TEST(Rows, WhatWasNotTalliedIsNull) {
  const auto row = study_row(unfinished());
  for (const char* field : {"blocks", "excluded", "excluded_steal", "certified", "ties", "confidence", "lead",
                            "noise_floor", "runner_alive"}) {
    ASSERT_TRUE(row.contains(field)) << field;
    EXPECT_TRUE(row[field].is_null()) << field;
  }
}

TEST(Rows, AStudyWhoseProcessIsGoneIsAbandoned) {
  StudyFigures f = unfinished();
  f.study.state = tuner::StudyState::running;
  f.runner_alive = false;
  EXPECT_EQ(study_row(f)["state"], "interrupted");
  EXPECT_EQ(study_row(f)["runner_alive"], false);
  EXPECT_NE(studies_table({f}).find("abandoned"), std::string::npos);
  f.runner_alive = true;
  EXPECT_EQ(study_row(f)["state"], "running");
}

TEST(Rows, TheTableOfStudiesNamesOnlyWhatIsUnusual) {
  StudyFigures plain = unfinished(), other = unfinished();
  plain.study.key.build.compiler = other.study.key.build.compiler = "g++";
  const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
  EXPECT_EQ(first_line(studies_table({plain, other})).find("layout"), std::string::npos);
  other.study.key.problem.b_layout = gemwright::layout::col_major;
  other.study.key.build.compiler = "clang++";
  const auto titles = first_line(studies_table({plain, other}));
  EXPECT_NE(titles.find("layout"), std::string::npos);
  EXPECT_NE(titles.find("compiler"), std::string::npos);
  EXPECT_EQ(titles.find("beta"), std::string::npos);
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

}  // namespace
}  // namespace gemwright::app
