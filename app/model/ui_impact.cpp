#include "app/model/ui_impact.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemwright::app {
namespace {

tuner::Interval as_ratio(const tuner::Interval& logs) { return {std::exp(logs.lo), std::exp(logs.hi), logs.coverage}; }

std::string interval_text(const tuner::Interval& i) { return fmt::format("[{:.4f}, {:.4f}]", i.lo, i.hi); }

std::string verdict(const UiImpact& i) {
  if (i.holds()) return "yes: the window does not disturb the measurement beyond the noise";
  if (i.contains_one && !i.can_tell()) {
    return fmt::format(
        "cannot tell: the noise floor of {:.2g} % is above {:.0f} %, measure again while nothing else runs",
        100 * i.noise_floor, 100 * kMostImpactNoise);
  }
  if (i.contains_one) return "no: too noisy to tell, measure again while nothing else runs";
  return i.ratio > 1 ? "no: blocks take longer while the window is open"
                     : "no: blocks take longer while no window is open";
}

}  // namespace

std::optional<UiImpact> ui_impact(const std::vector<ImpactRound>& rounds, ImpactFacts facts) {
  std::vector<double> impact, noise;
  for (const ImpactRound& r : rounds) {
    for (const int i : {0, 1}) impact.push_back(r.open[i] - r.closed[i]);
    noise.push_back(r.closed[1] - r.closed[0]);
  }
  const auto median = tuner::median(impact);
  const auto of = tuner::sign_test_interval(impact, kImpactConfidence);
  const auto chance = tuner::sign_test_interval(noise, kImpactConfidence);
  if (!median || !of || !chance) return std::nullopt;
  UiImpact out;
  out.facts = std::move(facts);
  out.rounds = static_cast<int>(rounds.size());
  out.ratio = std::exp(*median);
  out.of = as_ratio(*of);
  out.noise = as_ratio(*chance);
  const double floor = std::max(std::abs(chance->lo), std::abs(chance->hi));
  out.noise_floor = std::expm1(floor);
  out.contains_one = of->contains(0);
  out.narrow = of->hi - of->lo <= 2 * floor;
  return out;
}

std::string ui_impact_text(const UiImpact& i) {
  const ImpactFacts& f = i.facts;
  return fmt::format(
      "block time, window open over closed  {:.4f} {}\n"
      "closed over closed                   {}, noise floor {:.2g} %\n"
      "contains 1, and is no wider than twice the noise floor: {}\n"
      "({} on one thread, {} rounds of {} phases of {} blocks, 95 % intervals; a window on {} showed {} new rows and "
      "drew for {:.2g} s of the {:.0f} s it was open)\n",
      i.ratio, interval_text(i.of), interval_text(i.noise), 100 * i.noise_floor, verdict(i), f.subject, i.rounds,
      kImpactPhases, f.blocks, f.display, f.rows, f.window_cpu_seconds, f.open_seconds);
}

nlohmann::json ui_impact_row(const UiImpact& i) {
  return {{"type", "ui_impact"},
          {"subject", i.facts.subject},
          {"threads", 1},
          {"display", i.facts.display},
          {"rounds", i.rounds},
          {"blocks", i.facts.blocks},
          {"rows", i.facts.rows},
          {"open_seconds", i.facts.open_seconds},
          {"window_cpu_seconds", i.facts.window_cpu_seconds},
          {"time_ratio", i.ratio},
          {"time_ratio_lo", i.of.lo},
          {"time_ratio_hi", i.of.hi},
          {"noise_lo", i.noise.lo},
          {"noise_hi", i.noise.hi},
          {"noise_floor", i.noise_floor},
          {"contains_one", i.contains_one},
          {"narrow", i.narrow},
          {"can_tell", i.can_tell()},
          {"holds", i.holds()}};
}

}  // namespace gemwright::app
