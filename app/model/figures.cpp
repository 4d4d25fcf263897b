#include "app/model/figures.h"

#include <algorithm>
#include <map>

#include "tuner/study/estimate.h"
#include "tuner/study/runner.h"

namespace gemwright::app {

using tuner::Estimate;
using tuner::Phase;
using tuner::Subject;
using tuner::SubjectId;
using tuner::SubjectKind;
using tuner::Trial;

tuner::Result<StudyFigures> study_figures(const tuner::Store& store, const tuner::StudyRecord& study) {
  StudyFigures f;
  f.study = study;
  if (study.state == tuner::StudyState::running && study.runner) f.runner_alive = tuner::alive(*study.runner);
  const auto estimates = store.estimates(study.id);
  const auto subjects = store.subjects(study.id);
  if (!estimates) return tl::unexpected(estimates.error());
  if (!subjects) return tl::unexpected(subjects.error());
  for (const Estimate& e : *estimates) {
    for (const Subject& s : *subjects) {
      if (s.id != e.subject) continue;
      if (s.kind == SubjectKind::baseline) f.baseline = e;
      if (s.kind == SubjectKind::trial && s.trial == study.outcome.best_trial) f.best = e;
    }
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
  const auto trials = store.trials(study.study.id);
  const auto subjects = store.subjects(study.study.id);
  const auto samples = store.samples(study.study.id);
  const auto confirmed = store.estimates(study.study.id);
  if (!trials) return tl::unexpected(trials.error());
  if (!subjects) return tl::unexpected(subjects.error());
  if (!samples) return tl::unexpected(samples.error());
  if (!confirmed) return tl::unexpected(confirmed.error());
  std::map<tuner::TrialId, SubjectId> subject_of;
  std::optional<SubjectId> baseline;
  for (const Subject& s : *subjects) {
    if (s.trial) subject_of[*s.trial] = s.id;
    if (s.kind == SubjectKind::baseline && s.name == study.study.baseline) baseline = s.id;
  }
  const double work = tuner::flops(study.study.key.problem, study.study.key.m);
  std::vector<nlohmann::json> rows;
  for (const Trial& t : *trials) {
    std::optional<Estimate> figure;
    if (const auto s = subject_of.find(t.id); s != subject_of.end()) {
      const auto e =
          std::find_if(confirmed->begin(), confirmed->end(), [&](const Estimate& x) { return x.subject == s->second; });
      if (e != confirmed->end()) figure = *e;
      for (const Phase phase : {Phase::race, Phase::screen}) {
        if (!figure) figure = tuner::estimate(*samples, s->second, baseline, {phase, 0}, work);
      }
    }
    rows.push_back(trial_row(study, t, figure));
  }
  return rows;
}

}  // namespace gemwright::app
