#include "app/model/log_ticks.h"

#include <algorithm>
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

// 0 is kept first.
int rank(double tick) {
  // Rounded: powers of ten below 1 are not exact.
  switch (std::lround(tick / std::pow(10, std::floor(std::log10(tick) + 1e-9)))) {
    case 1:
      return 0;
    case 2:
    case 5:
      return 1;
    default:
      return 2;
  }
}

// Without those that stand nearer than `apart` decades to one that is kept.
std::vector<double> spread(const std::vector<double>& ticks, double apart) {
  std::vector<double> kept;
  for (const int wanted : {0, 1, 2}) {
    for (const double t : ticks) {
      const auto near = [&](double k) { return std::abs(std::log10(t / k)) < apart; };
      if (rank(t) == wanted && std::none_of(kept.begin(), kept.end(), near)) kept.push_back(t);
    }
  }
  std::sort(kept.begin(), kept.end());
  return kept;
}

}  // namespace

std::vector<double> log_ticks(double low, double high, double apart) {
  if (!(low > 0) || !(high > low) || !std::isfinite(high)) return {};
  std::vector<double> out;
  for (const auto& digits : {std::vector<int>{1}, {1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}) {
    out = ticks_of(low, high, digits);
    if (out.size() >= kEnough) break;
  }
  return spread(out, apart * std::log10(high / low));
}

}  // namespace gemwright::app
