// Which parameters decide whether a config is among the fastest: PED-ANOVA.
//
// Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces",
// IJCAI 2023 (arXiv:2304.10255). Idea: a parameter matters when its values among the best trials are spread unlike
// its values among all trials. With p the distribution of one parameter over the best share of the trials and q that
// over all of them (each a Parzen estimate), its importance is the Pearson divergence, here a sum over the values,
//
//     D(p || q) = sum over v of q(v) * (p(v) / q(v) - 1)^2
//
// and what is shown is its share of the sum over all parameters: the variance that the parameter explains alone, of
// reaching the best share. It is the paper's "local" form: relative to what was tried, not to the whole space.
//
// The estimates: of an ordered parameter a Gaussian over the places of its tried values in their order (block sizes
// double from one to the next), its bandwidth by Scott's rule; of a parameter with names a count of each. One trial
// spread evenly over all values is added to each, so that no q(v) is 0.
//
// Limits: interactions are not seen. With few trials chance makes differences too: p of a parameter that does nothing
// has, with `values` values and `top` trials, a D of about (values - 1) / top; `beyond_chance` says whether D exceeds
// that by two of its standard deviations. A search that has settled has tried mostly good values: what is important is
// then what still differs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tuner/space/space.h"

namespace gemwright::tuner {

struct ObservedCost {
  Config config;
  double cost = 0;  // smaller is better; only the order matters
};

// The best share that is compared with all; more where fewer than kMinTop trials are in it.
constexpr double kTopShare = 0.1;
constexpr std::size_t kMinTop = 5;
// With fewer the best kMinTop are more than a quarter of all, and say little.
constexpr std::size_t kMinForImportance = 4 * kMinTop;
// How many of so many trials are the best share.
std::size_t top_count(std::size_t trials);

struct ParameterImportance {
  Param param{};
  double importance = 0;   // share: all of them sum to 1, or are 0
  double divergence = 0;   // D
  std::size_t values = 0;  // tried
  bool beyond_chance = false;
};

struct Importance {
  std::size_t trials = 0, top = 0;
  // Those with more than one tried value, the most important first. Empty with too few trials.
  std::vector<ParameterImportance> parameters;
  std::string reason;  // why there is none; else empty
};

// Costs that are no finite numbers are left out. Of equal costs the earlier trial counts as better.
Importance importance(const std::vector<ObservedCost>& trials);

// Whether the values of p are names (isa, order, hint, true and false) rather than sizes.
bool has_names(Param p);

}  // namespace gemwright::tuner
