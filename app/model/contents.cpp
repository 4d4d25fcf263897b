#include "app/model/contents.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/figures.h"
#include "tuner/problem/input_text.h"
#include "tuner/study/estimate.h"

namespace gemwright::app {

using tuner::Phase;
using tuner::StudyRecord;
using tuner::Subject;
using tuner::SubjectId;
using tuner::SubjectKind;

namespace {

template <class Matches>
std::optional<SubjectId> find_subject(const StudyContents& contents, Matches matches) {
  const auto it = std::find_if(contents.subjects.begin(), contents.subjects.end(), matches);
  return it == contents.subjects.end() ? std::nullopt : std::optional(it->id);
}

}  // namespace

tuner::Result<std::vector<StudyRecord>> chosen_studies(const tuner::Store& store, const Filter& filter) {
  if (const auto r = check_fields(filter, any_study_row()); !r) return tl::unexpected(r.error());
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  std::vector<StudyRecord> out;
  for (const StudyRecord& s : *studies) {
    const auto figures = study_figures(store, s);
    if (!figures) return tl::unexpected(figures.error());
    if (filter.matches(study_row(*figures))) out.push_back(s);
  }
  return out;
}

tuner::Result<void> check_studies(const tuner::Store& store, const Filter& filter, bool ids) {
  std::vector<std::string> wanted = filter.wanted("study");
  if (ids) {
    for (std::string& id : filter.wanted("id")) wanted.push_back(std::move(id));
  }
  if (wanted.empty()) return {};
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  for (const std::string& id : wanted) {
    const auto there = [&](const StudyRecord& s) { return std::to_string(s.id) == id; };
    if (std::any_of(studies->begin(), studies->end(), there)) continue;
    return tuner::fail(fmt::format("there is no study {}: see 'gemwright show studies'", tuner::printable(id)));
  }
  return {};
}

tuner::Result<StudyContents> study_contents(const tuner::Store& store, tuner::StudyId study) {
  auto trials = store.trials(study);
  auto subjects = store.subjects(study);
  auto samples = store.samples(study);
  auto estimates = store.estimates(study);
  if (!trials) return tl::unexpected(trials.error());
  if (!subjects) return tl::unexpected(subjects.error());
  if (!samples) return tl::unexpected(samples.error());
  if (!estimates) return tl::unexpected(estimates.error());
  return StudyContents{std::move(*trials), std::move(*subjects), std::move(*samples), std::move(*estimates)};
}

std::optional<SubjectId> subject_of(const StudyContents& contents, tuner::TrialId trial) {
  return find_subject(contents, [&](const Subject& s) { return s.kind == SubjectKind::trial && s.trial == trial; });
}

std::optional<SubjectId> baseline_of(const StudyContents& contents, const tuner::StudyRecord& study) {
  return find_subject(contents,
                      [&](const Subject& s) { return s.kind == SubjectKind::baseline && s.name == study.baseline; });
}

std::optional<SubjectId> anchor_of(const StudyContents& contents) {
  return find_subject(contents, [](const Subject& s) { return s.kind == SubjectKind::anchor; });
}

std::optional<tuner::Estimate> best_figure(const StudyContents& contents, const tuner::StudyRecord& study,
                                           SubjectId subject, std::optional<SubjectId> reference) {
  // What the study reported, where that is over this reference.
  const bool reported = !reference || reference == baseline_of(contents, study);
  for (const tuner::Estimate& e : contents.estimates) {
    if (reported && e.subject == subject) return e;
  }
  const double work = tuner::flops(study.key.problem, study.key.m);
  for (const Phase phase : {Phase::confirm, Phase::race, Phase::screen}) {
    if (auto e = tuner::estimate(contents.samples, subject, reference, {phase, 0}, work)) return e;
  }
  return std::nullopt;
}

}  // namespace gemwright::app
