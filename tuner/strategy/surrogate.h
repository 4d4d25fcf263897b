// A guess at the cost of configs that were not measured yet, to order them: the analytic prior corrected by what the
// nearest measured configs cost more or less than theirs.
//
// Idea: k nearest neighbours over the logarithms of the parameters. In replays of recorded search spaces this cheap
// surrogate was the best cold start on average. Costs are logarithms (of a time, or of a ratio to the baseline); only
// differences count, so the prior needs no unit. Cost of a prediction: linear in the number of observations.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "tuner/space/space.h"

namespace gemwright::tuner {

// log of the cycles that one call takes by a simple model: arithmetic with its latency and load limits, weights
// streamed with or without prefetch, C visited once per block of K, A packed. For ordering only.
double analytic_log_cost(const SpaceInput& in, const Config& c);

class Surrogate {
 public:
  explicit Surrogate(SpaceInput in);

  // A config that is added again keeps its last cost only: no stale label outlives a better measurement.
  void add(const Config& c, double cost);
  // A failed config: as bad as the worst one so far, so that the search leaves its surroundings.
  void add_failure(const Config& c);
  double predict(const Config& c) const;

 private:
  static constexpr int kFeatures = 22;
  using Features = std::array<double, kFeatures>;
  struct Point {
    Features features;
    double excess;  // cost beyond the prior
  };

  static Features features(const Config& c);
  void add_excess(const Config& c, double excess);

  SpaceInput in_;
  std::vector<Point> points_;
  std::map<std::string, std::size_t> index_;  // of a config's point, by its key
  double worst_cost_ = 0;
  double sum_ = 0;
  bool measured_ = false;
};

}  // namespace gemwright::tuner
