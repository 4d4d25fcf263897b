// A study of the database that goes on where it stopped, whatever command or form began it.
#pragma once

#include "app/model/plan.h"

namespace gemwright::app {

// The request with the study's own key and attributes. Refuses a study of another machine or build: going on there
// would be another study.
tuner::Result<PlannedStudy> continuation(const tuner::StudyRecord& study, const Workplace& place);

// The study of this number, if it is the one that its key goes on with: where --fresh began it anew, that is the
// newest, and an earlier one is refused.
tuner::Result<tuner::StudyRecord> study_to_continue(const std::vector<tuner::StudyRecord>& studies, tuner::StudyId id);

}  // namespace gemwright::app
