// A study of the database that goes on where it stopped, whatever command or form began it.
#pragma once

#include "app/model/plan.h"

namespace gemwright::app {

// The request with the study's own key and attributes. Refuses a study of another machine or build: going on there
// would be another study.
tuner::Result<PlannedStudy> continuation(const tuner::StudyRecord& study, const Workplace& place);

}  // namespace gemwright::app
