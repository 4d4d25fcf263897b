// The Importance view: which parameters decide whether a config is among the fastest. The figures are those of
// tuner/insight/importance.h over the correct trials with a speed, pruned ones included: left out, "all trials" would
// be the good ones.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/model/chosen_trials.h"
#include "tuner/insight/importance.h"

namespace gemwright::app {

tuner::Importance importance_of(const StudySnapshot& study, const TrialSet& shown);

// How the speeds of the trials with one value of a parameter lie.
struct ValueEffect {
  std::int64_t value = 0;
  std::size_t trials = 0, top = 0;  // of them among the best share
  double best = 0, median = 0;      // GFLOP/s
};
// By value; of trials with a speed.
std::vector<ValueEffect> value_effects(const StudySnapshot& study, const TrialSet& shown, tuner::Param p);

std::vector<nlohmann::json> importance_rows(const StudySnapshot& study, const tuner::Importance& importance);
std::string importance_text(const StudySnapshot& study, const tuner::Importance& importance);
// "the best 12 of 120 trials against all; ..." or why there are no figures.
std::string importance_line(const tuner::Importance& importance);

}  // namespace gemwright::app
