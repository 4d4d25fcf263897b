#include "app/model/figure_index.h"

#include "app/model/figures.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

using tuner::Phase;

// A study of many trials that were screened in three rounds each, of which no two trials share one.
StudyContents many_trials(std::int64_t trials, const ScriptedStudy& s) {
  StudyContents c;
  c.subjects.push_back({1, s.record.id, tuner::SubjectKind::baseline, {}, s.record.baseline});
  for (std::int64_t t = 0; t < trials; ++t) {
    tuner::Trial trial;
    trial.id = t + 1;
    c.trials.push_back(trial);
    c.subjects.push_back({t + 2, s.record.id, tuner::SubjectKind::trial, trial.id, ""});
    for (std::int64_t round = 3 * t; round < 3 * t + 3; ++round) {
      for (const tuner::SubjectId subject : {tuner::SubjectId{1}, t + 2}) {
        tuner::Sample sample;
        sample.subject = subject;
        sample.phase = Phase::screen;
        sample.round = round;
        sample.position = subject == 1 ? 0 : 1;
        sample.calls = 1;
        sample.ns = subject == 1 ? 2000 : 1000;
        c.samples.push_back(sample);
      }
    }
  }
  return c;
}

TEST(FigureIndex, AFigureTakesTheBlocksOfItsOwnRoundsHoweverManyTrialsThereAre) {
  const ScriptedStudy s = scripted_study();
  for (const std::int64_t trials : {2, 200}) {
    const StudyContents c = many_trials(trials, s);
    const FigureIndex index(c, s.record);
    for (const tuner::TrialId t : {tuner::TrialId{1}, trials}) {
      EXPECT_EQ(index.beside_reference(*index.subject(t)).size(), 6u);
      const auto figure = index.figure(t);
      ASSERT_TRUE(figure);
      EXPECT_NEAR(*figure->ratio, 2, 1e-9);
      EXPECT_EQ(figure->samples, 3);
    }
  }
}

TEST(FigureIndex, IsTheFigureThatAllSamplesTogetherGive) {
  const ScriptedStudy s = scripted_study();
  const auto contents = study_contents(*s.store, s.record.id);
  ASSERT_TRUE(contents);
  const FigureIndex index(*contents, s.record);
  for (const tuner::Trial& t : contents->trials) {
    const auto subject = subject_of(*contents, t.id);
    const auto all = best_figure(*contents, s.record, *subject, baseline_of(*contents, s.record));
    const auto one = index.figure(t.id);
    ASSERT_TRUE(all && one);
    EXPECT_EQ(all->phase, one->phase);
    EXPECT_DOUBLE_EQ(all->gflops, one->gflops);
    EXPECT_EQ(all->ratio, one->ratio);
  }
  EXPECT_FALSE(index.figure(999));
  EXPECT_TRUE(index.anchor_ns(Phase::confirm));
  EXPECT_FALSE(index.anchor_ns(Phase::race));
}

}  // namespace
}  // namespace gemwright::app
