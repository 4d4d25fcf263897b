#include "app/model/log_ticks.h"

#include <cmath>
#include <cstddef>

namespace gemwright::app {
namespace {

// Of the length of the axis: half of a label.
constexpr double kMargin = 0.04;
constexpr std::size_t kEnough = 3;

std::vector<double> ticks_of(double low, double high, const std::vector<int>& digits) {
  std::vector<double> out;
  const double end = high / std::pow(high / low, kMargin);
  for (int decade = static_cast<int>(std::floor(std::log10(low))); std::pow(10, decade) <= end; ++decade) {
    for (const int d : digits) {
      const double at = d * std::pow(10, decade);
      if (at >= low && at <= end) out.push_back(at);
    }
  }
  return out;
}

}  // namespace

std::vector<double> log_ticks(double low, double high) {
  if (!(low > 0) || !(high > low) || !std::isfinite(high)) return {};
  std::vector<double> out;
  for (const auto& digits : {std::vector<int>{1}, {1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}) {
    out = ticks_of(low, high, digits);
    if (out.size() >= kEnough) break;
  }
  return out;
}

}  // namespace gemwright::app
