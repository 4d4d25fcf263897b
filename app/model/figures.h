// Reads what a store holds about studies in the form that show, export and the views want.
#pragma once

#include <vector>

#include "app/model/rows.h"
#include "tuner/study/store.h"

namespace gemwright::app {

// The confirmed figures of one study: absent where it is not finished.
tuner::Result<StudyFigures> study_figures(const tuner::Store& store, const tuner::StudyRecord& study);

// Every trial of a study as a row, with its best figure: confirmed, else from the race, else from screening (see
// `phase`).
tuner::Result<std::vector<nlohmann::json>> trial_rows(const tuner::Store& store, const StudyFigures& study);

}  // namespace gemwright::app
