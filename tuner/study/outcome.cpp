#include "tuner/study/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace gemwright::tuner {
namespace {

const Finalist& of(const std::vector<Finalist>& finalists, EntrantId entrant) {
  return *std::find_if(finalists.begin(), finalists.end(), [&](const Finalist& f) { return f.subject == entrant; });
}

double percent(double log_ratio) { return 100 * std::expm1(log_ratio); }

// Of the best and those that noise cannot tell from it.
const Finalist& choose(const FinalResult& result, const std::vector<Finalist>& finalists,
                       std::optional<TrialId> incumbent) {
  const Finalist* chosen = &of(finalists, *result.best);
  for (const Rival& r : result.rivals) {
    if (r.separated || !result.noise_floor || r.lead > std::min(*result.noise_floor, kNegligible)) continue;
    const Finalist& equal = of(finalists, r.entrant);
    if (chosen->trial == incumbent) continue;
    if (equal.trial == incumbent || simpler(equal.config, chosen->config)) chosen = &equal;
  }
  return *chosen;
}

std::string sentence(const FinalResult& result, const StudyOutcome& out) {
  const std::string floor = out.noise_floor ? fmt::format("; noise floor {:.2g} %", 100 * *out.noise_floor) : "";
  if (result.rivals.empty()) return "the only config confirmed: there was nothing to compare it with" + floor;
  const Rival& nearest = result.rivals.front();
  if (out.certified()) {
    return fmt::format("certified: {:.1f} % ahead of the runner-up ({:.0f} % interval {:.1f} to {:.1f} %, {} rounds{})",
                       percent(nearest.lead), 100 * *out.confidence, percent(nearest.of->lo), percent(nearest.of->hi),
                       nearest.rounds, floor);
  }
  const char* const few = nearest.of ? "" : ", too few to tell: a larger --budget gives more";
  return fmt::format("not separated from {} other confirmed config{} (the nearest differs by {:.1f} %, {} rounds{}{})",
                     out.ties.size(), out.ties.size() == 1 ? "" : "s", std::abs(percent(nearest.lead)), nearest.rounds,
                     few, floor);
}

std::string disturbance(const BlockTally& t) {
  const double share = t.blocks == 0 ? 0 : static_cast<double>(t.excluded()) / static_cast<double>(t.blocks);
  if (share <= kNoisyShare) return {};
  const auto part = [&](std::int64_t n) { return 100 * static_cast<double>(n) / static_cast<double>(t.blocks); };
  return fmt::format(
      "; host too noisy: {:.0f} % of the blocks were disturbed (steal {:.0f} %, context switches {:.0f} %, migration "
      "{:.0f} %)",
      100 * share, part(t.steal), part(t.context_switch), part(t.migration));
}

}  // namespace

bool simpler(const Config& x, const Config& y) {
  const auto rank = [](const Config& c) {
    return std::tuple(threads_used(c.blocking), c.blocking.tk, c.tile.ka, c.blocking.pack_a,
                      c.tile.hint != gemwright::prefetch::none, c.tile.mr * nr(c.tile), c.tile.ku, key(c));
  };
  return rank(x) < rank(y);
}

StudyOutcome decide(const FinalResult& result, const std::vector<Finalist>& finalists, std::optional<TrialId> incumbent,
                    const BlockTally& blocks) {
  StudyOutcome out;
  out.tally = blocks;
  if (!result.best) {
    out.verdict = "no config was confirmed";
    return out;
  }
  const Finalist& winner = choose(result, finalists, incumbent);
  out.best_trial = winner.trial;
  if (result.noise_floor) out.noise_floor = std::expm1(*result.noise_floor);
  if (of(finalists, *result.best).trial != winner.trial) out.ties.push_back(of(finalists, *result.best).trial);
  for (const Rival& r : result.rivals) {
    const TrialId trial = of(finalists, r.entrant).trial;
    if (!r.separated && trial != winner.trial) out.ties.push_back(trial);
  }
  if (result.certified()) {
    const Rival& nearest = result.rivals.front();
    out.confidence = result.confidence;
    out.lead = std::exp(nearest.lead);
    out.lead_lo = std::exp(nearest.of->lo);
    out.lead_hi = std::exp(nearest.of->hi);
  }
  out.verdict = sentence(result, out) + disturbance(blocks);
  return out;
}

}  // namespace gemwright::tuner
