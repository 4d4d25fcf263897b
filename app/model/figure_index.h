// The best figure of each trial of a study. One pass over the samples builds it; a figure then costs the blocks of its
// own trial and the reference's blocks in the same rounds, never those of the whole study.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "app/model/contents.h"

namespace gemwright::app {

class FigureIndex {
 public:
  // Ratios are speed over `reference`. Reads `contents` for as long as it lives.
  FigureIndex(const StudyContents& contents, const tuner::StudyRecord& study,
              std::optional<tuner::SubjectId> reference);
  // Over the study's baseline.
  FigureIndex(const StudyContents& contents, const tuner::StudyRecord& study);

  std::optional<tuner::SubjectId> subject(tuner::TrialId trial) const;
  // What the study reported where that is over the same reference; else from the confirmation, the race, screening.
  std::optional<tuner::Estimate> figure(tuner::TrialId trial) const;
  std::optional<tuner::Estimate> figure_of(tuner::SubjectId subject) const;
  // Its own blocks and those of the reference in its rounds, by round and position.
  std::vector<tuner::Sample> beside_reference(tuner::SubjectId subject) const;
  // Median time of one undisturbed call of the anchor loop in this phase.
  std::optional<double> anchor_ns(tuner::Phase phase) const;

 private:
  std::optional<tuner::SubjectId> reference_;
  double flops_;
  std::unordered_map<tuner::TrialId, tuner::SubjectId> subject_of_;
  std::unordered_map<tuner::SubjectId, const tuner::Estimate*> reported_;
  std::unordered_map<tuner::SubjectId, std::vector<const tuner::Sample*>> samples_of_;
  std::unordered_map<std::int64_t, std::vector<const tuner::Sample*>> reference_in_;  // by round
  std::map<tuner::Phase, std::optional<double>> anchor_ns_;
};

}  // namespace gemwright::app
