#include "tuner/insight/pareto.h"

#include <algorithm>
#include <cmath>

namespace gemwright::tuner {
namespace {

// Relative: errors this close are one.
constexpr double kSameError = 0.01;

}  // namespace

bool ErrorAndSpeed::usable() const {
  return error && speed && std::isfinite(*error) && std::isfinite(*speed) && *error >= 0 && *speed > 0;
}

std::vector<std::size_t> pareto_front(const std::vector<ErrorAndSpeed>& points) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].usable()) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return *points[x].error < *points[y].error; });
  std::vector<std::size_t> front;
  double fastest = 0;
  for (auto first = order.begin(); first != order.end();) {
    const double least = *points[*first].error;
    const auto last =
        std::find_if(first, order.end(), [&](std::size_t i) { return *points[i].error > least * (1 + kSameError); });
    const auto best = std::max_element(
        first, last, [&](std::size_t x, std::size_t y) { return *points[x].speed < *points[y].speed; });
    // What is not faster than all that is more exact is dominated.
    if (*points[*best].speed > fastest) {
      fastest = *points[*best].speed;
      front.push_back(*best);
    }
    first = last;
  }
  return front;
}

}  // namespace gemwright::tuner
