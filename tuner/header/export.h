// From a store to the spec of a header: selects studies, reads what they measured and chooses formats, configs and
// ranges.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tuner/header/header.h"
#include "tuner/result.h"
#include "tuner/study/store.h"

namespace gemwright::tuner {

struct ExportRequest {
  HeaderStyle style = HeaderStyle::standalone;
  std::string name_space = "tuned";
  double max_regret = 0.02;
  std::function<bool(const StudyRecord&)> filter;  // empty: all
  std::string tool_version;
  std::string date;
};

struct ExportPlan {
  HeaderSpec spec;                 // for write_header
  std::vector<TrialId> trials;     // that the header ships; for Store::record_export
  std::vector<std::string> notes;  // sentences for the user, e.g. studies left out
};

Result<ExportPlan> plan_export(const Store& store, const ExportRequest& request);

// What a study measured, as input of the dispatch. One candidate a trial that is valid and was timed, with its best
// time: beside the winner's, as far as samples pair them (PairedCosts), else that of its best estimate: confirmed
// before raced before screened. Nothing when there is none.
std::optional<Cell> cell_of_study(const StudyRecord& study, const std::vector<Trial>& trials,
                                  const std::vector<Subject>& subjects, const std::vector<Estimate>& estimates,
                                  const std::vector<Sample>& samples);
// The same, read from a store.
Result<std::optional<Cell>> cell_of_study(const Store& store, const StudyRecord& study);

}  // namespace gemwright::tuner
