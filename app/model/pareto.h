// The Pareto view: what speed a larger error buys. The front is that of tuner/insight/pareto.h over the trials that
// were verified and timed: also those of state `constraint`, which were timed although their error is over the study's
// bound.
//
// Speeds of different phases of a study are not comparable where the clock of the machine changed in between; their
// ratios to the baseline, timed in the same rounds, are. So the speed of the front is that ratio where the study has a
// baseline, else GFLOP/s.
//
// A figure of the search rests on few blocks: one disturbed block of the baseline beside it makes any trial look fast.
// So of a mode only confirmed figures make the front, as long as there are any; and a figure that is not confirmed
// counts by its GFLOP/s over those of the baseline in the whole study.
//
// Units: the error is the relative Frobenius distance to the float64 result.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/chosen_trials.h"

namespace gemwright::app {

struct ParetoPoint {
  std::size_t trial = 0;  // index in the study
  double error = 0, gflops = 0;
  double speed = 0;  // what the front is made of
  bool confirmed = false;
  bool counts = false;  // for the front
  bool on_front = false, over_bound = false;
};

struct Pareto {
  std::vector<ParetoPoint> points;  // in the order of the trials
  std::vector<std::size_t> front;   // of points, by growing error
  std::optional<double> bound;      // of the study
  bool over_baseline = false;       // speeds are ratios to the baseline, else GFLOP/s
  std::size_t without = 0;          // shown trials that lack an error or a speed
};

Pareto pareto(const StudySnapshot& study, const TrialSet& shown);
std::string speed_unit(const StudySnapshot& study, const Pareto& p);

nlohmann::json pareto_row(const StudySnapshot& study, const ParetoPoint& point);
std::vector<nlohmann::json> pareto_rows(const StudySnapshot& study, const Pareto& p);
// The front as a table, with the fastest point of each mode that is not on it, and how many are dominated.
std::string pareto_text(const StudySnapshot& study, const Pareto& p);
// "front of 3 of 120 trials, error bound 2.0e-02, 4 over it".
std::string pareto_line(const StudySnapshot& study, const Pareto& p);

}  // namespace gemwright::app
