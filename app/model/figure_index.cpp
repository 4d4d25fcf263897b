#include "app/model/figure_index.h"

#include <algorithm>
#include <utility>

#include "app/model/roofline.h"
#include "tuner/study/estimate.h"

namespace gemwright::app {

using tuner::Estimate;
using tuner::Phase;
using tuner::Sample;
using tuner::SubjectId;

FigureIndex::FigureIndex(const StudyContents& contents, const tuner::StudyRecord& study,
                         std::optional<SubjectId> reference)
    : reference_(reference), flops_(tuner::flops(study.key.problem, study.key.m)) {
  for (const tuner::Subject& s : contents.subjects) {
    if (s.trial) subject_of_.try_emplace(*s.trial, s.id);
  }
  if (!reference || reference == baseline_of(contents, study)) {
    for (const Estimate& e : contents.estimates) reported_.try_emplace(e.subject, &e);
  }
  for (const Sample& s : contents.samples) {
    samples_of_[s.subject].push_back(&s);
    if (s.subject == reference) reference_in_[s.round].push_back(&s);
  }
  for (const Phase p : {Phase::screen, Phase::race, Phase::confirm}) anchor_ns_[p] = app::anchor_ns(contents, p);
}

FigureIndex::FigureIndex(const StudyContents& contents, const tuner::StudyRecord& study)
    : FigureIndex(contents, study, baseline_of(contents, study)) {}

std::optional<SubjectId> FigureIndex::subject(tuner::TrialId trial) const {
  const auto it = subject_of_.find(trial);
  return it == subject_of_.end() ? std::nullopt : std::optional(it->second);
}

std::optional<Estimate> FigureIndex::figure(tuner::TrialId trial) const {
  const auto own = subject(trial);
  return own ? figure_of(*own) : std::nullopt;
}

std::optional<Estimate> FigureIndex::figure_of(SubjectId subject) const {
  if (const auto r = reported_.find(subject); r != reported_.end()) return *r->second;
  const std::vector<Sample> samples = beside_reference(subject);
  for (const Phase phase : {Phase::confirm, Phase::race, Phase::screen}) {
    if (auto e = tuner::estimate(samples, subject, reference_, {phase, 0}, flops_)) return e;
  }
  return std::nullopt;
}

std::vector<Sample> FigureIndex::beside_reference(SubjectId subject) const {
  std::vector<Sample> out;
  const auto own = samples_of_.find(subject);
  if (own == samples_of_.end()) return out;
  std::optional<std::int64_t> round;
  for (const Sample* s : own->second) {
    out.push_back(*s);
    if (round == s->round) continue;
    round = s->round;
    const auto beside = reference_in_.find(s->round);
    if (beside == reference_in_.end() || subject == reference_) continue;
    for (const Sample* r : beside->second) out.push_back(*r);
  }
  std::stable_sort(out.begin(), out.end(), [](const Sample& x, const Sample& y) {
    return std::pair(x.round, x.position) < std::pair(y.round, y.position);
  });
  return out;
}

std::optional<double> FigureIndex::anchor_ns(Phase phase) const { return anchor_ns_.at(phase); }

}  // namespace gemwright::app
