#include "app/model/snapshot.h"

#include <algorithm>
#include <map>

#include "app/model/figure_index.h"
#include "tuner/study/runner.h"

namespace gemwright::app {
namespace {

using tuner::Estimate;
using tuner::Phase;
using tuner::Sample;

std::vector<RoundNoise> round_noise(const StudyContents& contents) {
  const auto anchor = anchor_of(contents);
  std::map<std::int64_t, tuner::Disturbance> disturbed;
  for (const Sample& s : contents.samples) {
    if (s.excluded()) disturbed.try_emplace(s.round, s.disturbance());
  }
  std::map<Phase, std::optional<double>> median;
  for (const Phase p : {Phase::screen, Phase::race, Phase::confirm}) median[p] = anchor_ns(contents, p);
  std::vector<RoundNoise> out;
  for (const Sample& s : contents.samples) {
    if (s.subject != anchor || !median[s.phase]) continue;
    const double ns = static_cast<double>(s.ns) / static_cast<double>(s.calls);
    const auto d = disturbed.find(s.round);
    out.push_back(
        {s.round, ns / *median[s.phase], s.phase, d == disturbed.end() ? tuner::Disturbance::none : d->second});
  }
  return out;
}

void add_trials(StudySnapshot& out, StudyContents& contents, const std::vector<tuner::StudyCeiling>& ceilings) {
  const tuner::StudyRecord& study = out.record();
  const FigureIndex index(contents, study);
  if (const auto baseline = baseline_of(contents, study)) out.baseline = index.figure_of(*baseline);
  for (const tuner::Trial& t : contents.trials) {
    std::optional<Estimate> figure = index.figure(t.id);
    out.columns.state.push_back(t.state);
    out.columns.gflops.push_back(figure ? std::optional(figure->gflops) : std::nullopt);
    out.columns.ratio.push_back(figure ? figure->ratio : std::nullopt);
    out.columns.error.push_back(t.error_fro);
    if (figure && t.state == tuner::TrialState::ok) {
      out.roofline.trials.push_back(roofline_trial(study, ceilings, t, *figure, index.anchor_ns(figure->phase)));
    }
    out.estimates.push_back(std::move(figure));
  }
  out.trials = std::move(contents.trials);
}

// Events of a study that does not run are read again only where the process that ran it last may start it again.
bool steered(const tuner::Store& store, const StudySnapshot& before, const tuner::StudyRecord& now) {
  if (!now.runner || !tuner::alive(*now.runner)) return false;
  const auto events = store.events(now.id);
  return !events || events->size() != before.events.size();
}

// Whether a study may have changed since it was read.
bool touched(const StudySnapshot& before, const tuner::StudyRecord& now) {
  const tuner::StudyRecord& r = before.record();
  const bool running = now.state == tuner::StudyState::running && now.runner && tuner::alive(*now.runner);
  return running || before.figures.runner_alive == true || now.state != r.state || now.updated_at != r.updated_at ||
         now.trials != r.trials || now.spent_seconds != r.spent_seconds;
}

}  // namespace

std::optional<std::size_t> StudySnapshot::find(tuner::TrialId trial) const {
  const auto it = std::find_if(trials.begin(), trials.end(), [&](const tuner::Trial& t) { return t.id == trial; });
  return it == trials.end() ? std::nullopt : std::optional(static_cast<std::size_t>(it - trials.begin()));
}

const StudySnapshot* Snapshot::find(const std::optional<StudyRef>& study) const {
  if (!study || study->database < 0 || static_cast<std::size_t>(study->database) >= databases.size()) return nullptr;
  for (const auto& s : databases[static_cast<std::size_t>(study->database)].studies) {
    if (s->ref == *study) return s.get();
  }
  return nullptr;
}

bool Snapshot::loading() const {
  return std::any_of(databases.begin(), databases.end(),
                     [](const DatabaseSnapshot& d) { return !d.loaded && d.error.empty() && !d.closed; });
}

std::size_t Snapshot::studies() const {
  std::size_t count = 0;
  for (const DatabaseSnapshot& d : databases) count += d.studies.size();
  return count;
}

tuner::Result<StudySnapshot> study_snapshot(const tuner::Store& store, const tuner::StudyRecord& record, int database) {
  auto figures = study_figures(store, record);
  auto contents = study_contents(store, record.id);
  const auto ceilings = store.ceilings(record.id);
  auto events = store.events(record.id);
  if (!figures) return tl::unexpected(figures.error());
  if (!contents) return tl::unexpected(contents.error());
  if (!ceilings) return tl::unexpected(ceilings.error());
  if (!events) return tl::unexpected(events.error());
  StudySnapshot out;
  out.ref = {database, record.id};
  out.figures = std::move(*figures);
  out.noise = round_noise(*contents);
  out.roofline.study = record;
  out.roofline.ceilings = newest_ceilings(*ceilings);
  out.events = std::move(*events);
  add_trials(out, *contents, *ceilings);
  return out;
}

DatabaseSnapshot refreshed(const tuner::Store& store, const DatabaseSnapshot& previous, int database) {
  DatabaseSnapshot out{previous.path, previous.loaded, "", previous.studies};
  out.file = previous.file;
  const auto records = store.studies();
  if (!records) {
    out.error = records.error().message;
    return out;
  }
  std::vector<std::shared_ptr<const StudySnapshot>> studies;
  for (const tuner::StudyRecord& r : *records) {
    const auto before = std::find_if(previous.studies.begin(), previous.studies.end(),
                                     [&](const auto& s) { return s->ref.study == r.id; });
    if (before != previous.studies.end() && !touched(**before, r) && !steered(store, **before, r)) {
      studies.push_back(*before);
      continue;
    }
    auto study = study_snapshot(store, r, database);
    if (!study) {
      out.error = study.error().message;
      return out;
    }
    studies.push_back(std::make_shared<const StudySnapshot>(std::move(*study)));
  }
  out.studies = std::move(studies);
  out.loaded = true;
  return out;
}

}  // namespace gemwright::app
