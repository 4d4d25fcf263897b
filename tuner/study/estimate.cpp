#include "tuner/study/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tuner/measure/statistics.h"

namespace gemwright::tuner {
namespace {

struct Cell {
  double log_ns = 0;
  bool excluded = false;
};

// Round -> time of the subject's block in it.
std::map<std::int64_t, Cell> by_round(const std::vector<Sample>& samples, SubjectId subject, SampleWindow window) {
  std::map<std::int64_t, Cell> cells;
  for (const Sample& s : samples) {
    if (s.subject != subject || s.phase != window.phase || s.round < window.first_round || s.ns <= 0) continue;
    cells[s.round] = {std::log(static_cast<double>(s.ns) / static_cast<double>(s.calls)), s.excluded()};
  }
  return cells;
}

// A warning for the verdict, or nothing.
std::string disturbance(const std::vector<Sample>& samples, SampleWindow window) {
  double all = 0, excluded = 0;
  for (const Sample& s : samples) {
    if (s.phase != window.phase || s.round < window.first_round) continue;
    ++all;
    if (s.excluded()) ++excluded;
  }
  if (all == 0 || excluded / all <= kNoisyShare) return {};
  return fmt::format("; noisy host: {:.0f} % of the blocks were disturbed from outside", 100 * excluded / all);
}

}  // namespace

std::optional<PairedRatio> paired_ratio(const std::vector<Sample>& samples, SubjectId subject, SubjectId reference,
                                        SampleWindow window) {
  const auto mine = by_round(samples, subject, window);
  const auto theirs = by_round(samples, reference, window);
  std::vector<double> clean, all;
  for (const auto& [round, cell] : mine) {
    const auto other = theirs.find(round);
    if (other == theirs.end()) continue;
    const double gain = other->second.log_ns - cell.log_ns;
    all.push_back(gain);
    if (!cell.excluded && !other->second.excluded) clean.push_back(gain);
  }
  const std::vector<double>& used = clean.size() >= std::min(kMinPairs, all.size()) ? clean : all;
  if (used.empty()) return std::nullopt;
  PairedRatio out;
  out.ratio = std::exp(*median(used));
  out.rounds = static_cast<std::int64_t>(used.size());
  if (const auto interval = sign_test_interval(used, kConfidence)) {
    out.lo = std::exp(interval->lo);
    out.hi = std::exp(interval->hi);
  }
  return out;
}

std::optional<Estimate> estimate(const std::vector<Sample>& samples, SubjectId subject,
                                 std::optional<SubjectId> baseline, SampleWindow window, double flops_per_call) {
  const auto cells = by_round(samples, subject, window);
  std::vector<double> clean, all;
  for (const auto& [round, cell] : cells) {
    all.push_back(cell.log_ns);
    if (!cell.excluded) clean.push_back(cell.log_ns);
  }
  if (all.empty()) return std::nullopt;
  const std::vector<double>& used = clean.size() >= std::min(kMinPairs, all.size()) ? clean : all;
  Estimate e;
  e.subject = subject;
  e.phase = window.phase;
  e.method = "median of blocks; ratio: median of paired log ratios, sign-test interval";
  e.samples = static_cast<std::int64_t>(used.size());
  e.excluded = static_cast<std::int64_t>(all.size() - used.size());
  e.ns_per_call = std::exp(*median(used));
  e.gflops = flops_per_call / e.ns_per_call;
  if (baseline && *baseline != subject) {
    if (const auto r = paired_ratio(samples, subject, *baseline, window)) {
      e.ratio = r->ratio;
      e.ratio_lo = r->lo;
      e.ratio_hi = r->hi;
    }
  }
  return e;
}

StudyOutcome decide(const std::vector<Sample>& samples, const std::vector<Finalist>& finalists,
                    const std::vector<Estimate>& estimates, SampleWindow window) {
  const auto figure = [&](const Finalist& f) -> const Estimate* {
    const auto it =
        std::find_if(estimates.begin(), estimates.end(), [&](const Estimate& e) { return e.subject == f.subject; });
    return it == estimates.end() ? nullptr : &*it;
  };
  const Finalist* best = nullptr;
  for (const Finalist& f : finalists) {
    if (figure(f) != nullptr && (best == nullptr || figure(f)->ns_per_call < figure(*best)->ns_per_call)) best = &f;
  }
  StudyOutcome out;
  if (best == nullptr) {
    out.verdict = "no config was confirmed";
    return out;
  }
  out.best_trial = best->trial;
  std::optional<PairedRatio> nearest;
  for (const Finalist& f : finalists) {
    if (f.subject == best->subject || figure(f) == nullptr) continue;
    const auto lead = paired_ratio(samples, best->subject, f.subject, window);
    if (!lead || !lead->lo || *lead->lo <= 1.0) out.ties.push_back(f.trial);
    if (lead && (!nearest || lead->ratio < nearest->ratio)) nearest = lead;
  }
  if (!nearest) {
    out.verdict = "the only config confirmed";
  } else if (out.ties.empty()) {
    out.verdict =
        fmt::format("separated: {:.1f} % ahead of the runner-up (95 % interval {:.1f} to {:.1f} %, {} rounds)",
                    100 * (nearest->ratio - 1), 100 * (*nearest->lo - 1), 100 * (*nearest->hi - 1), nearest->rounds);
  } else {
    out.verdict =
        fmt::format("not separated from {} other confirmed config{}", out.ties.size(), out.ties.size() == 1 ? "" : "s");
  }
  out.verdict += disturbance(samples, window);
  return out;
}

}  // namespace gemwright::tuner
