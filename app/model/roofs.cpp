#include "app/model/roofs.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace gemwright::app {

std::vector<RoofLine> roof_lines(const RooflineStudy& study, int threads) {
  std::set<std::string> used;
  for (const RooflineTrial& t : study.trials) used.insert(t.point.compute_name);
  std::vector<RoofLine> memory, compute;
  for (const tuner::StudyCeiling& c : study.ceilings) {
    if (!c.ceiling.value || c.ceiling.threads != threads) continue;
    const bool is_memory = c.ceiling.unit == "GB/s";
    (is_memory ? memory : compute).push_back({c.ceiling.name, threads, is_memory, *c.ceiling.value});
  }
  const auto higher = [](const RoofLine& x, const RoofLine& y) { return x.value > y.value; };
  std::stable_sort(memory.begin(), memory.end(), higher);
  std::stable_sort(compute.begin(), compute.end(), higher);
  const auto unused = [&](const RoofLine& r) { return used.count(r.name) == 0; };
  if (used == std::set<std::string>{""}) {  // no ceiling bounds these trials
    compute.clear();
  } else if (std::all_of(compute.begin(), compute.end(), unused)) {
    if (compute.size() > 1) compute.resize(1);
  } else {
    compute.erase(std::remove_if(compute.begin(), compute.end(), unused), compute.end());
  }
  compute.insert(compute.end(), memory.begin(), memory.end());
  return compute;
}

double height_at(const RoofLine& roof, double intensity) { return roof.memory ? roof.value * intensity : roof.value; }

AboveMemory above_memory(const RooflineStudy& study, const std::vector<RoofLine>& roofs) {
  constexpr double kTolerance = 1.1;  // what a roof and a trial are off by on a quiet machine
  const RoofLine* slowest = nullptr;
  for (const RoofLine& r : roofs) {
    if (r.memory && (slowest == nullptr || r.value < slowest->value)) slowest = &r;
  }
  if (slowest == nullptr) return {};
  const auto above = [&](const RooflineTrial& t) {
    return t.point.intensity && t.point.gflops > kTolerance * height_at(*slowest, *t.point.intensity);
  };
  return {slowest->name, static_cast<std::size_t>(std::count_if(study.trials.begin(), study.trials.end(), above))};
}

RoofArea roof_area(const RooflineStudy& study, const std::vector<RoofLine>& roofs) {
  double x_min = HUGE_VAL, x_max = 0, y_min = HUGE_VAL, y_max = 0;
  for (const RooflineTrial& t : study.trials) {
    if (!t.point.intensity || !(*t.point.intensity > 0) || !(t.point.gflops > 0)) continue;
    x_min = std::min(x_min, *t.point.intensity);
    x_max = std::max(x_max, *t.point.intensity);
    y_min = std::min(y_min, t.point.gflops);
    y_max = std::max(y_max, t.point.gflops);
  }
  double compute = 0;
  for (const RoofLine& r : roofs) compute = std::max(compute, r.memory ? 0 : r.value);
  y_max = std::max(y_max, compute);
  if (!(x_max > 0) || !(y_max > 0)) return {};
  // The ridge of each memory roof, where it meets the highest compute roof, and some of its slope left of that: trials
  // far to the right of a ridge would otherwise stand under a flat line with nothing to tell why.
  constexpr double kSlope = 4;
  for (const RoofLine& r : roofs) {
    if (!r.memory || !(r.value > 0) || !(compute > 0)) continue;
    x_min = std::min(x_min, compute / r.value / kSlope);
    x_max = std::max(x_max, compute / r.value);
  }
  // A little beyond the points and the roofs.
  constexpr double kMargin = 1.5, kLeastHeight = 4;
  return {x_min / kMargin, x_max * kMargin, std::min(y_min, y_max / kLeastHeight) / kMargin, y_max * kMargin};
}

}  // namespace gemwright::app
