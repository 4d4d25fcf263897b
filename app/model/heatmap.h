// The Heat map view: how two parameters go together. A cell holds the trials with one value of each; the others are
// reduced to the best or to the median of them.
//
// Units: GFLOP/s. A cell that nobody tried, and one whose trials all failed, have no figure: they are told apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/model/chosen_trials.h"

namespace gemwright::app {

enum class Reduction { best, median };
std::string_view to_text(Reduction r);

struct HeatCell {
  std::size_t tried = 0, timed = 0;    // trials; those with a speed
  std::optional<double> gflops;        // reduced
  std::optional<std::size_t> fastest;  // index of the fastest trial
};

struct HeatMap {
  TriedParameter x, y;
  std::vector<HeatCell> cells;  // row by row, y ascending
  double low = 0, high = 0;     // of the figures; equal where there is one or none
  bool timed = false;           // whether there is one at all

  const HeatCell& at(std::size_t column, std::size_t row) const { return cells[row * x.values.size() + column]; }
  // 0 is the slowest cell, 1 the fastest.
  double share(double gflops) const { return high > low ? (gflops - low) / (high - low) : 1; }
};

// Both parameters must vary among the trials; nothing where one does not.
std::optional<HeatMap> heat_map(const StudySnapshot& study, const TrialSet& shown, tuner::Param x, tuner::Param y,
                                Reduction reduction);
// The two most important parameters; where importance cannot be told the first two that vary.
std::optional<std::pair<tuner::Param, tuner::Param>> default_axes(const StudySnapshot& study, const TrialSet& shown);

std::vector<nlohmann::json> heatmap_rows(const StudySnapshot& study, const HeatMap& map, Reduction reduction);
std::string heatmap_text(const StudySnapshot& study, const HeatMap& map, Reduction reduction);

}  // namespace gemwright::app
