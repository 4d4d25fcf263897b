// Where the trials of a study stand under the roofs of its machine: rows and tables. The model is in
// tuner/insight/roofline.h.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/contents.h"
#include "app/model/rows.h"
#include "tuner/insight/roofline.h"

namespace gemwright::app {

struct RooflineTrial {
  tuner::Trial trial;
  tuner::Phase phase = tuner::Phase::confirm;  // of its figure
  tuner::RooflinePoint point;
};

struct RooflineStudy {
  tuner::StudyRecord study;
  std::vector<tuner::StudyCeiling> ceilings;  // the newest of each name and thread count
  std::vector<RooflineTrial> trials;          // the fastest first
};

// The point of one trial: its figure, the traffic of its config, and the study's ceilings at the clock that the anchor
// loop had in those rounds. Nothing without a figure.
std::optional<RooflineTrial> roofline_trial(const tuner::StudyRecord& study, const StudyContents& contents,
                                            const std::vector<tuner::StudyCeiling>& ceilings,
                                            const tuner::Trial& trial);
// The same from a figure that is known; `anchor_ns` is of one anchor call in the rounds of its phase.
RooflineTrial roofline_trial(const tuner::StudyRecord& study, const std::vector<tuner::StudyCeiling>& ceilings,
                             const tuner::Trial& trial, const tuner::Estimate& figure, std::optional<double> anchor_ns);
// The newest of each name and thread count.
std::vector<tuner::StudyCeiling> newest_ceilings(const std::vector<tuner::StudyCeiling>& all);
// Median time of one undisturbed call of the anchor in this phase.
std::optional<double> anchor_ns(const StudyContents& contents, tuner::Phase phase);

// Of each study those trials that are ok and whose rows match; studies without one are left out.
tuner::Result<std::vector<RooflineStudy>> roofline_view(const tuner::Store& store, const Filter& filter);

nlohmann::json roofline_row(const tuner::StudyRecord& study, const RooflineTrial& trial);
std::vector<nlohmann::json> roofline_rows(const std::vector<RooflineStudy>& view);
std::string roofline_text(const std::vector<RooflineStudy>& view);
// "0.81 of read.dram"; a dash where no roof is known.
std::string share_text(const tuner::RooflinePoint& point);

}  // namespace gemwright::app
