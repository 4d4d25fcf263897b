#include "tuner/measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gemwright::tuner {
namespace {

bool usable(const std::vector<double>& values) {
  return !values.empty() && std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

double median_of_sorted(const std::vector<double>& v) {
  const std::size_t half = v.size() / 2;
  return v.size() % 2 == 1 ? v[half] : v[half - 1] + (v[half] - v[half - 1]) / 2;
}

}  // namespace

std::optional<double> median(std::vector<double> values) {
  if (!usable(values)) return std::nullopt;
  std::sort(values.begin(), values.end());
  return median_of_sorted(values);
}

std::optional<double> mad(const std::vector<double>& values) {
  const auto centre = median(values);
  if (!centre) return std::nullopt;
  std::vector<double> deviations;
  deviations.reserve(values.size());
  for (double x : values) deviations.push_back(std::abs(x - *centre));
  return median(std::move(deviations));
}

std::optional<double> quantile(std::vector<double> values, double q) {
  if (!usable(values) || !(q >= 0 && q <= 1)) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::optional<double> geomean(const std::vector<double>& values) {
  if (!usable(values)) return std::nullopt;
  double sum = 0;
  for (double x : values) {
    if (x <= 0) return std::nullopt;
    sum += std::log(x);
  }
  return std::exp(sum / static_cast<double>(values.size()));
}

std::optional<Interval> sign_test_interval(std::vector<double> values, double confidence) {
  if (!usable(values) || !(confidence > 0 && confidence < 1)) return std::nullopt;
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  // With cut = P(X < depth), X binomial (n, 1/2), the interval from the depth-th smallest to the depth-th largest value
  // misses the median with probability 2 cut. In logarithms, since 2^-n is below the smallest double from n = 1075 on.
  double log_term = -static_cast<double>(n) * std::log(2.0);
  double cut = 0;
  std::size_t depth = 0;
  double miss = 1;
  for (std::size_t i = 0; i < n / 2 + n % 2; ++i) {
    cut += std::exp(log_term);
    if (2 * cut > 1 - confidence) break;
    depth = i + 1;
    miss = 2 * cut;
    log_term += std::log(static_cast<double>(n - i) / static_cast<double>(i + 1));
  }
  if (depth == 0) return std::nullopt;
  return Interval{values[depth - 1], values[n - depth], 1 - miss};
}

double confidence_of_each(double confidence, int comparisons) {
  return 1 - (1 - confidence) / std::max(comparisons, 1);
}

std::vector<int> latin_round_order(int subjects, std::int64_t round, const Random& random) {
  if (subjects <= 0) return {};
  const std::int64_t square = round / subjects;
  Random copy = random;
  Random of_square(copy.next() ^ static_cast<std::uint64_t>(square));
  std::vector<int> base(static_cast<std::size_t>(subjects)), shifts(base.size());
  std::iota(base.begin(), base.end(), 0);
  std::iota(shifts.begin(), shifts.end(), 0);
  of_square.shuffle(base);
  of_square.shuffle(shifts);
  std::rotate(base.begin(), base.begin() + shifts[static_cast<std::size_t>(round - square * subjects)], base.end());
  return base;
}

}  // namespace gemwright::tuner
