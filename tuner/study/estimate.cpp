#include "tuner/study/estimate.h"

#include <algorithm>
#include <cmath>

#include "tuner/measure/statistics.h"

namespace gemwright::tuner {
namespace {

bool inside(const Sample& s, SampleWindow window) { return s.phase == window.phase && s.round >= window.first_round; }

std::optional<PairedRatio> paired_ratio(const RoundLog& log, SubjectId subject, SubjectId reference) {
  const auto leads = log.leads(subject, reference);
  if (leads.empty()) return std::nullopt;
  PairedRatio out;
  out.ratio = std::exp(*median(leads));
  out.rounds = static_cast<std::int64_t>(leads.size());
  if (const auto interval = sign_test_interval(leads, kConfidence)) {
    out.lo = std::exp(interval->lo);
    out.hi = std::exp(interval->hi);
  }
  return out;
}

}  // namespace

Heat heat_of(const Sample& s) {
  // The clock can stand still during a block that is far too short.
  const double ns = static_cast<double>(std::max<std::int64_t>(s.ns, 1));
  return {s.subject, std::log(ns / static_cast<double>(s.calls)), s.excluded()};
}

RoundLog round_log(const std::vector<Sample>& samples, SampleWindow window) {
  RoundLog log;
  for (const Sample& s : samples) {
    if (inside(s, window)) log.add(s.round, heat_of(s));
  }
  return log;
}

BlockTally tally(const std::vector<Sample>& samples, SampleWindow window) {
  BlockTally t;
  for (const Sample& s : samples) {
    if (!inside(s, window)) continue;
    ++t.blocks;
    const Disturbance cause = s.disturbance();
    if (cause == Disturbance::steal) ++t.steal;
    if (cause == Disturbance::context_switch) ++t.context_switch;
    if (cause == Disturbance::migration) ++t.migration;
  }
  return t;
}

std::optional<PairedRatio> paired_ratio(const std::vector<Sample>& samples, SubjectId subject, SubjectId reference,
                                        SampleWindow window) {
  return paired_ratio(round_log(samples, window), subject, reference);
}

PairedCosts::PairedCosts(const std::vector<Sample>& samples, SubjectId beside, std::optional<SubjectId> reference)
    : beside_(beside), reference_(reference) {
  for (const Sample& s : samples) {
    all_.add(s.round, heat_of(s));
    if (s.phase == Phase::confirm) confirmed_.add(s.round, heat_of(s));
  }
}

std::optional<double> PairedCosts::of(SubjectId x) const {
  if (x == beside_) return 0;
  if (const auto lead = median(confirmed_.leads(x, beside_))) return -*lead;
  if (!reference_) return std::nullopt;
  const auto mine = all_.cost(x, *reference_), other = all_.cost(beside_, *reference_);
  return mine && other ? std::optional(*mine - *other) : std::nullopt;
}

std::optional<Estimate> estimate(const std::vector<Sample>& samples, SubjectId subject,
                                 std::optional<SubjectId> baseline, SampleWindow window, double flops_per_call) {
  const RoundLog log = round_log(samples, window);
  const auto times = log.times(subject);
  if (times.empty()) return std::nullopt;
  Estimate e;
  e.subject = subject;
  e.phase = window.phase;
  e.method = "median of blocks; ratio: median of paired log ratios, sign-test interval";
  e.samples = static_cast<std::int64_t>(times.size());
  e.excluded = static_cast<std::int64_t>(log.blocks(subject) - times.size());
  e.ns_per_call = std::exp(*median(times));
  e.min_ns = std::exp(*std::min_element(times.begin(), times.end()));
  e.p10_ns = std::exp(*quantile(times, 0.1));
  e.gflops = flops_per_call / e.ns_per_call;
  if (baseline && *baseline != subject) {
    if (const auto r = paired_ratio(log, subject, *baseline)) {
      e.ratio = r->ratio;
      e.ratio_lo = r->lo;
      e.ratio_hi = r->hi;
    }
  }
  return e;
}

}  // namespace gemwright::tuner
