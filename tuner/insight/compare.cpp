#include "tuner/insight/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tuner/measure/rounds.h"
#include "tuner/measure/statistics.h"

namespace gemwright::tuner {
namespace {

constexpr double kConfidenceOfRatio = 0.95;
// Two references contradict each other where both are this far from 1, in logarithms, and on different sides.
constexpr double kContradiction = 0.03;

// Log speeds of a subject over a reference, one value a round.
struct Gains {
  std::vector<double> values;
  bool confirmed = false;
};

void add_heats(RoundLog& log, const std::vector<Sample>& samples, EntrantId entrant, bool confirm) {
  for (const Sample& s : samples) {
    if ((s.phase == Phase::confirm) != confirm || s.ns <= 0 || s.calls <= 0) continue;
    log.add(s.round, {entrant, std::log(static_cast<double>(s.ns) / static_cast<double>(s.calls)), s.excluded()});
  }
}

// From the confirmation where both ran in it, else from screening and race together.
Gains gains(const std::vector<Sample>& subject, const std::vector<Sample>& reference) {
  constexpr EntrantId kSubject = 1, kReference = 2;
  for (const bool confirm : {true, false}) {
    RoundLog log;
    add_heats(log, subject, kSubject, confirm);
    add_heats(log, reference, kReference, confirm);
    Gains g{log.leads(kSubject, kReference), confirm};
    if (!g.values.empty()) return g;
  }
  return {};
}

std::optional<SpeedRatio> paired(const TimedTrial& a, const TimedTrial& b) {
  const Gains g = gains(b.blocks, a.blocks);
  const auto centre = median(g.values);
  if (!centre) return std::nullopt;
  SpeedRatio r;
  r.ratio = std::exp(*centre);
  r.confirmed_a = r.confirmed_b = g.confirmed;
  r.rounds_a = r.rounds_b = static_cast<std::int64_t>(g.values.size());
  if (const auto interval = sign_test_interval(g.values, kConfidenceOfRatio)) {
    r.lo = std::exp(interval->lo);
    r.hi = std::exp(interval->hi);
  }
  return r;
}

std::optional<SpeedRatio> through(Basis basis, const TimedTrial& a, const TimedTrial& b) {
  const bool anchor = basis == Basis::anchor;
  const Gains of_a = gains(a.blocks, anchor ? a.anchor : a.baseline);
  const Gains of_b = gains(b.blocks, anchor ? b.anchor : b.baseline);
  const auto centre_a = median(of_a.values), centre_b = median(of_b.values);
  if (!centre_a || !centre_b) return std::nullopt;
  SpeedRatio r;
  r.ratio = std::exp(*centre_b - *centre_a);
  r.basis = basis;
  r.confirmed_a = of_a.confirmed;
  r.confirmed_b = of_b.confirmed;
  r.rounds_a = static_cast<std::int64_t>(of_a.values.size());
  r.rounds_b = static_cast<std::int64_t>(of_b.values.size());
  const double each = confidence_of_each(kConfidenceOfRatio, 2);
  const auto interval_a = sign_test_interval(of_a.values, each), interval_b = sign_test_interval(of_b.values, each);
  if (interval_a && interval_b) {
    r.lo = std::exp(interval_b->lo - interval_a->hi);
    r.hi = std::exp(interval_b->hi - interval_a->lo);
  }
  return r;
}

// Small figures keep a digit more: they are not zero.
std::string percent(double fraction) { return fmt::format("{:.{}f}", 100 * fraction, fraction < 0.001 ? 2 : 1); }

std::string plain(const SpeedRatio& r) {
  if (!r.lo || !r.hi) return fmt::format("B/A = {:.3f}", r.ratio);
  return fmt::format("B/A = {:.3f} [{:.3f}, {:.3f}]", r.ratio, *r.lo, *r.hi);
}

std::string rounds_text(std::int64_t n) { return fmt::format("{} round{}", n, n == 1 ? "" : "s"); }

}  // namespace

bool SpeedRatio::contradicted() const {
  if (!by_anchor || (ratio > 1) == (*by_anchor > 1)) return false;
  return std::min(std::abs(std::log(ratio)), std::abs(std::log(*by_anchor))) > kContradiction;
}

std::optional<SpeedRatio> speed_ratio(const TimedTrial& a, const TimedTrial& b, bool same_study) {
  if (same_study) {
    if (auto r = paired(a, b)) return r;
  }
  const auto by_anchor = through(Basis::anchor, a, b);
  if (!a.baseline_name.empty() && a.baseline_name == b.baseline_name) {
    if (auto r = through(Basis::baseline, a, b)) {
      if (by_anchor) r->by_anchor = by_anchor->ratio;
      return r;
    }
  }
  return by_anchor;
}

std::string basis_text(const SpeedRatio& r, const std::string& baseline_name) {
  std::string text;
  if (r.basis == Basis::same_rounds) {
    text = fmt::format("paired in {} that timed both", rounds_text(r.rounds_a));
  } else if (r.basis == Basis::baseline) {
    text = fmt::format("speeds over {}, each in its own rounds ({} and {})", baseline_name, r.rounds_a, r.rounds_b);
  } else {
    text = fmt::format("no common baseline: times scaled by the anchor loop, each in its own rounds ({} and {})",
                       r.rounds_a, r.rounds_b);
  }
  if (r.confirmed_a && r.confirmed_b) return text + ", confirmed";
  if (!r.confirmed_a && !r.confirmed_b) return text + ", from the search (screening and race): not confirmed";
  return text +
         fmt::format("; {} comes from the search (screening and race) and is not confirmed", r.confirmed_a ? "B" : "A");
}

Verdict verdict(const SpeedRatio& r, double noise_floor) {
  std::string over;
  if (r.basis == Basis::baseline) over = "over the baseline, ";
  if (r.basis == Basis::anchor) over = "over the anchor loop, ";
  if (r.contradicted()) {
    return {false, fmt::format("nothing can be claimed: over the baseline {}, but over the anchor loop {:.3f}; the "
                               "baseline was disturbed or drifted in one of the two studies",
                               plain(r), *r.by_anchor)};
  }
  if (!r.lo || !r.hi) return {false, fmt::format("{}too few rounds for an interval: {}", over, plain(r))};
  if (*r.lo <= 1 && *r.hi >= 1) return {false, fmt::format("{}not separated: {}", over, plain(r))};
  if (std::abs(r.ratio - 1) <= noise_floor) {
    return {false, fmt::format("{}not separated: {} lies within the noise floor of {} %", over, plain(r),
                               percent(noise_floor))};
  }
  if (r.ratio > 1) {
    return {true, fmt::format("{}B is {} % faster (95 % interval {} to {} %)", over, percent(r.ratio - 1),
                              percent(*r.lo - 1), percent(*r.hi - 1))};
  }
  return {true, fmt::format("{}B is {} % slower (95 % interval {} to {} %)", over, percent(1 - r.ratio),
                            percent(1 - *r.hi), percent(1 - *r.lo))};
}

SlowerCheck check_slower(double ratio, std::optional<double> hi, double noise_floor, double allowed) {
  const double limit = 1 - allowed;
  if (hi && *hi < limit && 1 - ratio > noise_floor) return SlowerCheck::slower;
  return ratio < limit ? SlowerCheck::uncertain : SlowerCheck::within;
}

std::optional<RatioMean> mean_ratio(const std::vector<SpeedRatio>& ratios) {
  const auto has_interval = [](const SpeedRatio& r) { return r.lo && r.hi; };
  const bool intervals = std::any_of(ratios.begin(), ratios.end(), has_interval);
  RatioMean mean;
  double sum = 0, below = 0, above = 0;
  for (const SpeedRatio& r : ratios) {
    if (intervals && !has_interval(r)) continue;
    ++mean.studies;
    sum += std::log(r.ratio);
    if (!intervals) continue;
    below += std::pow(std::log(r.ratio / *r.lo), 2);
    above += std::pow(std::log(*r.hi / r.ratio), 2);
  }
  if (mean.studies == 0) return std::nullopt;
  const double n = static_cast<double>(mean.studies), centre = sum / n;
  mean.ratio = std::exp(centre);
  if (intervals) {
    mean.lo = std::exp(centre - std::sqrt(below) / n);
    mean.hi = std::exp(centre + std::sqrt(above) / n);
  }
  return mean;
}

}  // namespace gemwright::tuner
