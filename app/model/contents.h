// What a store holds: the studies that a filter chooses, everything of one study, the best figure of each of its
// trials.
#pragma once

#include <optional>
#include <vector>

#include "app/model/filter.h"
#include "tuner/study/store.h"

namespace gemwright::app {

// Those whose rows match; an unknown field is refused.
tuner::Result<std::vector<tuner::StudyRecord>> chosen_studies(const tuner::Store& store, const Filter& filter);

// For what finds nothing: an error where the filter asks for a study that is not there. `ids`: `id` names a study, too.
tuner::Result<void> check_studies(const tuner::Store& store, const Filter& filter, bool ids);

struct StudyContents {
  std::vector<tuner::Trial> trials;
  std::vector<tuner::Subject> subjects;
  std::vector<tuner::Sample> samples;
  std::vector<tuner::Estimate> estimates;
};
tuner::Result<StudyContents> study_contents(const tuner::Store& store, tuner::StudyId study);

std::optional<tuner::SubjectId> subject_of(const StudyContents& contents, tuner::TrialId trial);
// The study's baseline, by its name.
std::optional<tuner::SubjectId> baseline_of(const StudyContents& contents, const tuner::StudyRecord& study);
std::optional<tuner::SubjectId> anchor_of(const StudyContents& contents);

// From the confirmation, else from the race, else from screening; its ratio is speed over `reference`.
std::optional<tuner::Estimate> best_figure(const StudyContents& contents, const tuner::StudyRecord& study,
                                           tuner::SubjectId subject, std::optional<tuner::SubjectId> reference);

}  // namespace gemwright::app
