#include "app/model/figures.h"

#include <unordered_map>

#include "app/model/figure_index.h"
#include "app/model/steer.h"
#include "tuner/study/runner.h"

namespace gemwright::app {

using tuner::Estimate;
using tuner::Subject;
using tuner::SubjectId;
using tuner::SubjectKind;
using tuner::Trial;

tuner::Result<StudyFigures> study_figures(const tuner::Store& store, const tuner::StudyRecord& study) {
  StudyFigures f;
  f.study = study;
  if (study.state == tuner::StudyState::running && study.runner) f.runner_alive = tuner::alive(*study.runner);
  if (f.runner_alive == true) {
    const auto events = store.events(study.id);
    if (!events) return tl::unexpected(events.error());
    f.paused = paused(*events);
  }
  const auto estimates = store.estimates(study.id);
  const auto subjects = store.subjects(study.id);
  if (!estimates) return tl::unexpected(estimates.error());
  if (!subjects) return tl::unexpected(subjects.error());
  std::unordered_map<SubjectId, const Estimate*> of_subject;
  for (const Estimate& e : *estimates) of_subject[e.subject] = &e;
  for (const Subject& s : *subjects) {
    const auto e = of_subject.find(s.id);
    if (e == of_subject.end()) continue;
    if (s.kind == SubjectKind::baseline) f.baseline = *e->second;
    if (s.kind == SubjectKind::trial && s.trial == study.outcome.best_trial) f.best = *e->second;
  }
  if (!study.outcome.best_trial) return f;
  const auto trials = store.trials(study.id);
  if (!trials) return tl::unexpected(trials.error());
  for (const Trial& t : *trials) {
    if (t.id == *study.outcome.best_trial) f.trial = t;
  }
  return f;
}

tuner::Result<std::vector<nlohmann::json>> trial_rows(const tuner::Store& store, const StudyFigures& study) {
  const auto contents = study_contents(store, study.study.id);
  if (!contents) return tl::unexpected(contents.error());
  const FigureIndex index(*contents, study.study);
  std::vector<nlohmann::json> rows;
  for (const Trial& t : contents->trials) rows.push_back(trial_row(study, t, index.figure(t.id)));
  return rows;
}

}  // namespace gemwright::app
