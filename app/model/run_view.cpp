#include "app/model/run_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include "tuner/problem/input_text.h"
#include "tuner/study/steer.h"

namespace gemwright::app {
namespace {

// Of a name or a verdict of the database: foreign text on one line.
constexpr std::size_t kMaxName = 80, kMaxSentence = 1024;
// The tails that a spread leaves out.
constexpr double kTail = 0.05;

}  // namespace

std::vector<BestStep> best_so_far(const StudySnapshot& study) {
  std::vector<BestStep> out;
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    const auto& gflops = study.columns.gflops[i];
    if (!gflops || study.columns.state[i] != tuner::TrialState::ok) continue;
    if (!out.empty() && *gflops <= out.back().gflops) continue;
    out.push_back({i, *gflops, {}, {}});
    const auto& e = study.estimates[i];
    if (!e || !e->ratio || !e->ratio_lo || !e->ratio_hi || !(*e->ratio > 0)) continue;
    out.back().lo = *gflops * *e->ratio_lo / *e->ratio;
    out.back().hi = *gflops * *e->ratio_hi / *e->ratio;
  }
  return out;
}

SpeedRange speed_range(const StudySnapshot& study, const std::vector<BestStep>& steps) {
  SpeedRange out{0, 0};
  for (const auto& g : study.columns.gflops) out.high = std::max(out.high, g.value_or(0));
  if (study.baseline) out.high = std::max(out.high, study.baseline->gflops);
  for (const BestStep& s : steps) {
    out.high = std::max({out.high, s.gflops, s.hi.value_or(0)});
    out.low = std::min(out.low, s.lo.value_or(0));
  }
  if (!(out.high > 0)) out.high = 1;
  return out;
}

std::vector<StateCount> state_counts(const StudySnapshot& study, const std::vector<bool>& shown) {
  // By place of the state: the legend asks in every frame.
  std::array<StateCount, static_cast<std::size_t>(tuner::TrialState::cancelled) + 1> counts{};
  for (std::size_t i = 0; i < study.columns.state.size(); ++i) {
    StateCount& c = counts[static_cast<std::size_t>(study.columns.state[i])];
    c.state = study.columns.state[i];
    ++c.count;
    if (i < shown.size() && shown[i]) ++c.shown;
  }
  std::vector<StateCount> out;
  std::copy_if(counts.begin(), counts.end(), std::back_inserter(out), [](const StateCount& c) { return c.count > 0; });
  return out;
}

std::optional<double> budget_spent(const tuner::StudyRecord& s) {
  const tuner::Budget& b = s.attributes.budget;
  std::optional<double> share;
  if (b.seconds && *b.seconds > 0) share = s.spent_seconds / *b.seconds;
  if (b.trials && *b.trials > 0) share = static_cast<double>(s.trials) / static_cast<double>(*b.trials);
  return share ? std::optional(std::clamp(*share, 0.0, 1.0)) : std::nullopt;
}

std::string budget_text(const tuner::StudyRecord& s, const std::vector<tuner::StudyEvent>& events,
                        std::optional<double> spent) {
  tuner::Steering steering;
  for (const tuner::StudyEvent& e : events) steering.apply(e);
  const tuner::Budget b = steering.extended(s.attributes.budget);
  if (b.trials) return fmt::format("{} of {} trials", s.trials, *b.trials);
  const double seconds = spent.value_or(s.spent_seconds);
  if (!b.seconds) return fmt::format("{:.1f} s, default budget", seconds);
  // More than that: the confirmation gets its share however late the search ran, what is in flight is finished, and a
  // follow-up in another packing format gets its own.
  if (seconds > *b.seconds) return fmt::format("{:.1f} s, budget {:.4g} s", seconds, *b.seconds);
  return fmt::format("{:.1f} s of {:.4g} s", seconds, *b.seconds);
}

std::optional<double> spent_so_far(const StudyFigures& f, const std::vector<tuner::StudyEvent>& events,
                                   std::int64_t now) {
  const tuner::StudyRecord& s = f.study;
  // Before the first trial there is no more than the set-up, which costs no budget.
  if (f.runner_alive != true || s.trials == 0) return std::nullopt;
  tuner::Steering steering;
  std::optional<std::int64_t> paused_at;
  for (const tuner::StudyEvent& e : events) {
    const bool was_paused = steering.paused();
    steering.apply(e);
    if (!was_paused && steering.paused()) paused_at = e.created_at;
    if (!was_paused || steering.paused()) continue;
    // Its end is written with a record of its own: until that comes the figure stands.
    if (e.created_at > s.updated_at) break;
    paused_at.reset();
  }
  const std::int64_t until = std::min(now, paused_at.value_or(now));
  return s.spent_seconds + static_cast<double>(std::max<std::int64_t>(until - s.updated_at, 0)) * 1e-9;
}

std::string best_text(const StudySnapshot& study) {
  if (study.figures.best) return number_text(study.figures.best->gflops, 1) + " GFLOP/s";
  const auto steps = best_so_far(study);
  return steps.empty() ? "-" : number_text(steps.back().gflops, 1) + " GFLOP/s at one moment, not confirmed";
}

std::string baseline_text(const StudySnapshot& study) {
  if (!study.baseline) return "-";
  return number_text(study.baseline->gflops, 1) + (study.figures.baseline ? " GFLOP/s" : " GFLOP/s so far");
}

NoiseSummary noise_summary(const StudySnapshot& study) {
  NoiseSummary out;
  out.noise_floor = study.record().outcome.noise_floor;
  std::set<std::int64_t> rounds, disturbed;
  std::vector<double> anchors;
  for (const RoundNoise& n : study.noise) {
    rounds.insert(n.round);
    if (n.disturbance == tuner::Disturbance::none) {
      anchors.push_back(n.anchor);
    } else {
      disturbed.insert(n.round);
    }
  }
  out.rounds = rounds.size();
  out.disturbed = disturbed.size();
  if (anchors.size() < 2) return out;
  std::sort(anchors.begin(), anchors.end());
  const auto at = [&](double share) { return anchors[static_cast<std::size_t>(share * (anchors.size() - 1))]; };
  out.anchor_spread = (at(1 - kTail) - at(kTail)) / 2;
  return out;
}

std::string noise_text(const NoiseSummary& n) {
  std::vector<std::string> parts;
  if (n.noise_floor) parts.push_back(fmt::format("noise floor {:.2g} %", 100 * *n.noise_floor));
  if (n.anchor_spread) {
    // Closer than a figure of its own would tell.
    constexpr double kLeast = 0.001;
    parts.push_back(*n.anchor_spread < kLeast ? std::string("anchor within 0.1 %")
                                              : fmt::format("anchor within {:.2g} %", 100 * *n.anchor_spread));
  }
  if (n.rounds > 0) parts.push_back(fmt::format("{} of {} rounds disturbed", n.disturbed, n.rounds));
  return parts.empty() ? "no rounds were measured" : fmt::format("{}", fmt::join(parts, ", "));
}

std::string study_title(const tuner::StudyRecord& s) {
  const std::string name = tuner::printable(s.attributes.name, kMaxName);
  return fmt::format("{}{}M={} N={} K={}  {}", name, name.empty() ? "" : "  ", s.key.m, s.key.problem.n,
                     s.key.problem.k, tuner::precision_text(s.key));
}

std::string state_text(const StudyFigures& f) {
  if (f.paused) return "paused";
  return f.abandoned() ? "abandoned" : std::string(tuner::to_text(f.study.state));
}

std::string run_text(const StudySnapshot& study) {
  const tuner::StudyRecord& s = study.record();
  std::string out = fmt::format("study {}: {}\n{}, {}\n", s.id, study_title(s), state_text(study.figures),
                                budget_text(s, study.events));
  if (!s.outcome.verdict.empty()) out += tuner::printable(s.outcome.verdict, kMaxSentence) + "\n";
  out += noise_text(noise_summary(study)) + "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (const BestStep& b : best_so_far(study)) {
    const tuner::Trial& t = study.trials[b.trial];
    rows.push_back(
        {std::to_string(t.id), number_text(b.gflops, 1), tuner::printable(t.origin, kMaxName), tuner::label(t.config)});
  }
  return out + (rows.empty() ? "no trial has a figure yet\n"
                             : table({{"trial", true}, {"GFLOP/s", true}, {"origin"}, {"config"}}, rows));
}

}  // namespace gemwright::app
