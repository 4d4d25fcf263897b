// Which trials of which studies a view is about, for the views that look at many trials at once: heat map, Pareto,
// parallel coordinates, importance. The window has them from its table of trials, the command line from here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "app/model/snapshot.h"
#include "tuner/space/space.h"

namespace gemwright::app {

// One flag for each trial of a study, in its order.
using TrialSet = std::vector<bool>;

struct ChosenTrials {
  StudySnapshot study;
  TrialSet shown;
};

// Of every study the trials whose rows match (fields of `show trials`); studies without one are left out.
tuner::Result<std::vector<ChosenTrials>> chosen_trials(const tuner::Store& store, const Filter& filter);

// Correct and timed: those whose speed counts. A pruned one is correct, and was left behind when it was screened.
bool has_speed(const StudySnapshot& study, std::size_t trial);

struct TriedParameter {
  tuner::Param param{};
  std::vector<std::int64_t> values;  // ascending

  // The place of a value among them; it must be one of them.
  std::size_t place(std::int64_t value) const;
};
// The parameters with more than one value among these trials, in the order of the space.
std::vector<TriedParameter> varying_parameters(const StudySnapshot& study, const TrialSet& shown);

std::string_view name_of(tuner::Param p);
tuner::Result<tuner::Param> parse_param(std::string_view name);

}  // namespace gemwright::app
