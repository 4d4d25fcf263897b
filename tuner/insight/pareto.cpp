#include "tuner/insight/pareto.h"

#include <algorithm>
#include <cmath>

namespace gemwright::tuner {

bool ErrorAndSpeed::usable() const {
  return error && speed && std::isfinite(*error) && std::isfinite(*speed) && *error >= 0 && *speed > 0;
}

std::vector<std::size_t> pareto_front(const std::vector<ErrorAndSpeed>& points) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].usable()) order.push_back(i);
  }
  // Of one error the fastest comes first; what is not faster than all before it is dominated.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
    return *points[x].error != *points[y].error ? *points[x].error < *points[y].error
                                                : *points[x].speed > *points[y].speed;
  });
  std::vector<std::size_t> front;
  double fastest = 0;
  for (const std::size_t i : order) {
    if (*points[i].speed <= fastest) continue;
    fastest = *points[i].speed;
    front.push_back(i);
  }
  return front;
}

}  // namespace gemwright::tuner
