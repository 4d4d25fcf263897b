#include "app/model/snapshot.h"

#include <gtest/gtest.h>

#include "app/model/run_view.h"
#include "app/model/trial_table.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

DatabaseSnapshot read(const tuner::Store& store, const DatabaseSnapshot& before = {}) {
  return refreshed(store, before, 0);
}

std::shared_ptr<const StudySnapshot> only_study(const tuner::Store& store) { return read(store).studies.front(); }

TEST(Snapshot, HoldsTheSameRowsAsTheCommandLineShows) {
  const ScriptedStudy s = scripted_study();
  const auto study = only_study(*s.store);
  const auto rows = trial_rows(*s.store, *study_figures(*s.store, s.record));
  ASSERT_TRUE(rows);
  ASSERT_EQ(study->trials.size(), rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i) EXPECT_EQ(study->row(i), (*rows)[i]);
}

TEST(Snapshot, ItsRooflineIsThatOfTheCommandLine) {
  const ScriptedStudy s = scripted_study();
  const auto study = only_study(*s.store);
  const auto view = roofline_view(*s.store, {});
  ASSERT_TRUE(view);
  ASSERT_EQ(study->roofline.trials.size(), view->front().trials.size());
  for (const RooflineTrial& t : view->front().trials) {
    const auto same = [&](const RooflineTrial& o) { return roofline_row(s.record, o) == roofline_row(s.record, t); };
    EXPECT_TRUE(std::any_of(study->roofline.trials.begin(), study->roofline.trials.end(), same));
  }
}

TEST(Snapshot, AFinishedStudyThatNobodyTouchedIsNotReadAgain) {
  const ScriptedStudy s = scripted_study();
  const auto first = read(*s.store);
  EXPECT_TRUE(first.loaded);
  EXPECT_EQ(read(*s.store, first).studies.front(), first.studies.front());
  EXPECT_TRUE(s.store->add_trial(s.record.id, scripted_config(3), "random"));
  EXPECT_NE(read(*s.store, first).studies.front(), first.studies.front());
}

TEST(Snapshot, FindsAStudyOfTheRightDatabaseOnly) {
  const ScriptedStudy s = scripted_study();
  Snapshot snapshot;
  EXPECT_EQ(snapshot.find(StudyRef{0, s.record.id}), nullptr);
  snapshot.databases.push_back(read(*s.store));
  EXPECT_NE(snapshot.find(StudyRef{0, s.record.id}), nullptr);
  EXPECT_EQ(snapshot.find(StudyRef{1, s.record.id}), nullptr);
  EXPECT_EQ(snapshot.find(std::nullopt), nullptr);
}

TEST(TrialTable, SortsWithMissingValuesLastInBothOrders) {
  ScriptedStudy s = scripted_study();
  auto failed = s.store->add_trial(s.record.id, scripted_config(3), "random");
  failed->state = tuner::TrialState::crashed;
  failed->reason = "signal 11";
  EXPECT_TRUE(s.store->update_trial(*failed));
  const auto study = only_study(*s.store);
  TrialTable table;
  table.show(study, {});
  EXPECT_FALSE(table.advance(100));
  ASSERT_EQ(table.rows().size(), 4u);
  EXPECT_EQ(study->trials[table.rows().front()].id, s.winner.id);
  EXPECT_EQ(study->trials[table.rows().back()].id, failed->id);
  table.sort_by(TrialColumn::gflops, false);
  EXPECT_EQ(study->trials[table.rows().front()].id, s.screened.id);
  EXPECT_EQ(study->trials[table.rows().back()].id, failed->id);
  EXPECT_NE(table.as_text().find("signal 11"), std::string::npos);
}

TEST(TrialTable, FiltersInPortionsWithTheLanguageOfTheCommandLine) {
  const ScriptedStudy s = scripted_study();
  Selection selection;
  selection.set_filter("mr>=2");
  TrialTable table;
  table.show(only_study(*s.store), selection);
  EXPECT_TRUE(table.advance(2));
  EXPECT_EQ(table.looked_at(), 2u);
  EXPECT_FALSE(table.advance(2));
  EXPECT_EQ(table.rows().size(), 2u);
  EXPECT_FALSE(table.shows(0));
  EXPECT_TRUE(table.shows(1));
}

TEST(TrialTable, AnUnknownFieldShowsAllTrialsAndSaysWhichFieldsThereAre) {
  const ScriptedStudy s = scripted_study();
  Selection selection;
  selection.set_filter("speed>1");
  TrialTable table;
  table.show(only_study(*s.store), selection);
  table.advance(100);
  EXPECT_EQ(table.rows().size(), 3u);
  EXPECT_NE(table.error().find("no field 'speed'"), std::string::npos);
}

TEST(RunView, TheBestSoFarRisesAndCountsCorrectTrialsOnly) {
  ScriptedStudy s = scripted_study();
  const auto steps = best_so_far(*only_study(*s.store));
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].trial, 0u);
  EXPECT_EQ(steps[1].trial, 1u);
  s.winner.state = tuner::TrialState::correctness;
  EXPECT_TRUE(s.store->update_trial(s.winner));
  EXPECT_EQ(best_so_far(*only_study(*s.store)).back().trial, 2u);
}

TEST(RunView, TheNoiseIsThatOfTheAnchorAndOfTheRounds) {
  const ScriptedStudy s = scripted_study();
  const NoiseSummary noise = noise_summary(*only_study(*s.store));
  EXPECT_EQ(noise.rounds, 52u);
  EXPECT_EQ(noise.disturbed, 0u);
  ASSERT_TRUE(noise.anchor_spread);
  EXPECT_LT(*noise.anchor_spread, 0.01);
  EXPECT_EQ(noise_text({}), "no rounds were measured");
}

TEST(RunView, ABudgetIsToldInItsOwnUnit) {
  tuner::StudyRecord r;
  r.spent_seconds = 3;
  r.trials = 5;
  EXPECT_EQ(budget_text(r, {}), "3.0 s, default budget");
  EXPECT_FALSE(budget_spent(r));
  r.attributes.budget.seconds = 60;
  EXPECT_EQ(budget_text(r, {}), "3.0 s of 60 s");
  EXPECT_DOUBLE_EQ(*budget_spent(r), 0.05);
  EXPECT_EQ(budget_text(r, {}, 12.3), "12.3 s of 60 s");
  EXPECT_EQ(budget_text(r, {}, 64.5), "64.5 s, budget 60 s");
  tuner::StudyEvent more;
  more.kind = tuner::EventKind::extend;
  more.argument = "30s";
  EXPECT_EQ(budget_text(r, {more}, 64.5), "64.5 s of 90 s");
  r.attributes.budget = {std::nullopt, 10};
  EXPECT_EQ(budget_text(r, {}), "5 of 10 trials");
  EXPECT_DOUBLE_EQ(*budget_spent(r), 0.5);
}

TEST(RunView, WhatAStudySpendsGrowsWhileItRuns) {
  StudyFigures f;
  f.study.spent_seconds = 3;
  f.study.updated_at = 1'000'000'000;
  EXPECT_FALSE(spent_so_far(f, {}, 3'000'000'000));
  f.runner_alive = true;
  EXPECT_FALSE(spent_so_far(f, {}, 3'000'000'000)) << "the set-up costs nothing";
  f.study.trials = 1;
  EXPECT_DOUBLE_EQ(*spent_so_far(f, {}, 3'000'000'000), 5);
  EXPECT_DOUBLE_EQ(*spent_so_far(f, {}, 500'000'000), 3) << "a clock that was set back";
  f.paused = true;
  EXPECT_EQ(state_text(f), "paused");
}

TEST(RunView, WhatAStudyHasSpentNeverFallsOverAPause) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  StudyFigures f;
  f.runner_alive = true;
  f.study.trials = 1;
  const auto event = [](std::int64_t id, tuner::EventKind kind, std::int64_t at) {
    return tuner::StudyEvent{id, 1, kind, "", at * kSecond, {}};
  };
  std::vector<tuner::StudyEvent> events;
  double last = 0;
  // At each moment: what the record said then and when it was written.
  const auto at = [&](std::int64_t now, double spent, std::int64_t written) {
    f.study.spent_seconds = spent;
    f.study.updated_at = written * kSecond;
    const double seconds = *spent_so_far(f, events, now * kSecond);
    EXPECT_GE(seconds, last) << now;
    last = seconds;
    return seconds;
  };
  EXPECT_DOUBLE_EQ(at(14, 2, 10), 6);
  events.push_back(event(1, tuner::EventKind::pause, 15));
  EXPECT_DOUBLE_EQ(at(16, 2, 10), 7);  // it has not heard of it
  EXPECT_DOUBLE_EQ(at(18, 8, 16), 8);  // it has
  EXPECT_DOUBLE_EQ(at(90, 8, 16), 8);
  events.push_back(event(2, tuner::EventKind::resume, 100));
  EXPECT_DOUBLE_EQ(at(101, 8, 16), 8);
  EXPECT_DOUBLE_EQ(at(102, 8, 101), 9);
  // Paused and resumed before it was heard.
  events.push_back(event(3, tuner::EventKind::pause, 103));
  events.push_back(event(4, tuner::EventKind::resume, 104));
  EXPECT_DOUBLE_EQ(at(110, 8, 101), 10);
  EXPECT_DOUBLE_EQ(at(112, 18, 111), 19);
}

TEST(Snapshot, AStudyThatThisProcessMayStartAgainIsReadAgainWhenItIsSteered) {
  const ScriptedStudy s = scripted_study();
  const auto before = read(*s.store);
  ASSERT_TRUE(s.store->add_event(s.record.id, tuner::EventKind::pause, ""));
  const auto after = read(*s.store, before);
  EXPECT_EQ(after.studies.front()->events.size(), 1u);
}

TEST(RunView, BeforeAnythingIsConfirmedTheFiguresAreThoseOfTheSearch) {
  ScriptedStudy s = scripted_study();
  StudySnapshot study = *only_study(*s.store);
  EXPECT_EQ(best_text(study).find("so far"), std::string::npos);
  ASSERT_TRUE(study.baseline);
  study.figures.best.reset();
  study.figures.baseline.reset();
  EXPECT_NE(best_text(study).find("at one moment, not confirmed"), std::string::npos);
  EXPECT_NE(baseline_text(study).find("so far"), std::string::npos);
}

TEST(RunView, CountsOfStatesSayHowManyTheFilterLeaves) {
  const auto study = only_study(*scripted_study().store);
  const auto counts = state_counts(*study, {true, false, false});
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].count, 3u);
  EXPECT_EQ(counts[0].shown, 1u);
}

TEST(Contents, AFilterThatNamesAStudyWhichIsNotThereIsTold) {
  const ScriptedStudy s = scripted_study();
  const auto said = [&](const char* text, bool ids = false) {
    const auto r = check_studies(*s.store, *parse_filter(text), ids);
    return r ? std::string() : r.error().message;
  };
  EXPECT_EQ(said("study=999"), "there is no study 999: see 'gemwright show studies'");
  EXPECT_EQ(said("id=999", true), said("study=999"));
  EXPECT_EQ(said("study=1 or study=999"), said("study=999"));
  for (const char* text : {"study=1", "id=999", "m=77", ""}) EXPECT_EQ(said(text), "") << text;
}

TEST(Snapshot, AStudyThatRunsAndWasPausedIsShownAsPaused) {
  const ScriptedStudy s = scripted_study(tuner::StudyState::running);
  EXPECT_TRUE(s.store->add_event(s.record.id, tuner::EventKind::pause, ""));
  const auto figures = study_figures(*s.store, s.record);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->paused, figures->runner_alive == true);
  EXPECT_EQ(study_row(*figures)["paused"], figures->paused);
}

TEST(SpeedRange, HoldsBothEndsOfTheIntervals) {
  StudySnapshot study;
  study.columns.gflops = {80.0, 100.0};
  BestStep step;
  step.trial = 1;
  step.gflops = 100;
  EXPECT_EQ(speed_range(study, {step}).high, 100);
  step.lo = -5;
  step.hi = 150;
  EXPECT_EQ(speed_range(study, {step}).high, 150);
  EXPECT_EQ(speed_range(study, {step}).low, -5);
  EXPECT_EQ(speed_range({}, {}).high, 1);
}

}  // namespace
}  // namespace gemwright::app
