#include "tuner/insight/importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace gemwright::tuner {
namespace {

// Of the values of a parameter: how often each was tried, by its place among them.
using Counts = std::vector<double>;

double total(const Counts& counts) { return std::accumulate(counts.begin(), counts.end(), 0.0); }

// Adds one trial that is spread over all values, and makes it sum to 1.
Counts normalised(Counts counts) {
  const double all = total(counts) + 1, spread = 1 / static_cast<double>(counts.size());
  for (double& c : counts) c = (c + spread) / all;
  return counts;
}

// Scott's rule for the places of the values; 0 where all are one value.
double bandwidth(const Counts& counts) {
  const double n = total(counts);
  double mean = 0, square = 0;
  for (std::size_t v = 0; v < counts.size(); ++v) mean += counts[v] * static_cast<double>(v) / n;
  for (std::size_t v = 0; v < counts.size(); ++v) {
    square += counts[v] * (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  }
  return n > 1 ? 1.059 * std::sqrt(square / (n - 1)) * std::pow(n, -0.2) : 0;
}

// Each trial's weight goes to its value and, by a Gaussian, to those beside it.
Counts smoothed(const Counts& counts) {
  const double h = bandwidth(counts);
  if (!(h > 0)) return counts;
  Counts out(counts.size(), 0.0), kernel(counts.size());
  for (std::size_t d = 0; d < kernel.size(); ++d) {
    kernel[d] = std::exp(-0.5 * static_cast<double>(d * d) / (h * h));
  }
  for (std::size_t v = 0; v < counts.size(); ++v) {
    if (counts[v] == 0) continue;
    const auto weight = [&](std::size_t w) { return kernel[w > v ? w - v : v - w]; };
    double sum = 0;
    for (std::size_t w = 0; w < counts.size(); ++w) sum += weight(w);
    for (std::size_t w = 0; w < counts.size(); ++w) out[w] += counts[v] * weight(w) / sum;
  }
  return out;
}

double pearson_divergence(const Counts& p, const Counts& q) {
  double sum = 0;
  for (std::size_t v = 0; v < p.size(); ++v) sum += q[v] * (p[v] / q[v] - 1) * (p[v] / q[v] - 1);
  return sum;
}

// `order`: all trials, the best first.
ParameterImportance of_parameter(Param param, const std::vector<ObservedCost>& trials,
                                 const std::vector<std::size_t>& order, std::size_t top) {
  std::vector<std::int64_t> values;
  for (const std::size_t i : order) values.push_back(value(trials[i].config, param));
  std::vector<std::int64_t> tried = values;
  std::sort(tried.begin(), tried.end());
  tried.erase(std::unique(tried.begin(), tried.end()), tried.end());
  Counts best(tried.size(), 0.0), all(tried.size(), 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto place = std::lower_bound(tried.begin(), tried.end(), values[i]) - tried.begin();
    ++all[static_cast<std::size_t>(place)];
    if (i < top) ++best[static_cast<std::size_t>(place)];
  }
  ParameterImportance out;
  out.param = param;
  out.values = tried.size();
  const bool names = has_names(param);
  out.divergence =
      pearson_divergence(normalised(names ? best : smoothed(best)), normalised(names ? all : smoothed(all)));
  // Without effect, top * D is about chi-square with values - 1 degrees of freedom.
  const double freedom = static_cast<double>(out.values) - 1;
  out.beyond_chance = out.divergence * static_cast<double>(top) > freedom + 2 * std::sqrt(2 * freedom);
  return out;
}

}  // namespace

bool has_names(Param p) { return value_text(p, 0) != "0"; }

std::size_t top_count(std::size_t trials) {
  return std::max(kMinTop, static_cast<std::size_t>(std::ceil(kTopShare * static_cast<double>(trials))));
}

Importance importance(const std::vector<ObservedCost>& trials) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (std::isfinite(trials[i].cost)) order.push_back(i);
  }
  Importance out;
  out.trials = order.size();
  if (out.trials < kMinForImportance) {
    out.reason = fmt::format("importance needs {} trials with a speed, there {} {}", kMinForImportance,
                             out.trials == 1 ? "is" : "are", out.trials);
    return out;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t x, std::size_t y) { return trials[x].cost < trials[y].cost; });
  out.top = top_count(out.trials);
  double sum = 0;
  for (const Parameter& p : parameters()) {
    const ParameterImportance one = of_parameter(p.id, trials, order, out.top);
    if (one.values < 2) continue;
    sum += one.divergence;
    out.parameters.push_back(one);
  }
  for (ParameterImportance& p : out.parameters) p.importance = sum > 0 ? p.divergence / sum : 0;
  std::stable_sort(out.parameters.begin(), out.parameters.end(),
                   [](const auto& x, const auto& y) { return x.divergence > y.divergence; });
  if (out.parameters.empty()) out.reason = "all trials with a speed have the same config";
  return out;
}

}  // namespace gemwright::tuner
