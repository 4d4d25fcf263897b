#include "tuner/study/block_timer.h"

#include <algorithm>
#include <cmath>

#include "tuner/study/budget.h"
#include "tuner/study/estimate.h"

namespace gemwright::tuner {
namespace {

// Of the anchor loop: about 0.1 ms a block, enough to see the clock frequency.
constexpr std::int64_t kAnchorCalls = 8;

std::optional<double> value_of(const std::map<SubjectId, double>& values, SubjectId subject) {
  const auto found = values.find(subject);
  return found == values.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::optional<double> BlockTimer::last_ns(SubjectId subject) const { return value_of(last_ns_, subject); }

std::optional<double> BlockTimer::fastest_ns(SubjectId subject) const { return value_of(fastest_ns_, subject); }

void BlockTimer::note_fastest(SubjectId subject, double ns) {
  const auto [fastest, first] = fastest_ns_.emplace(subject, ns);
  if (!first) fastest->second = std::min(fastest->second, ns);
}

void BlockTimer::remember(const Sample& sample) {
  next_round_ = std::max(next_round_, sample.round + 1);
  const double ns = std::exp(heat_of(sample).log_ns);
  last_ns_[sample.subject] = ns;
  note_fastest(sample.subject, ns);
  if (sample.subject != anchor_) calls_made_ += sample.calls;
}

std::int64_t BlockTimer::calls_of_a_block() const {
  return call_ns_ ? std::max<std::int64_t>(1, std::llround(block_ns_ / *call_ns_)) : 1;
}

Result<void> BlockTimer::size(const Entrant& entrant, std::optional<double> known_ns) {
  // What a first call does beside its work is a small part of a long one.
  if (!call_ns_ && known_ns && *known_ns > kLongCallNs) call_ns_ = known_ns;
  const auto lost = size_by_a_call(entrant);
  if (!lost) return tl::unexpected(lost.error());
  return {};
}

Result<std::optional<Lost>> BlockTimer::size_by_a_call(const Entrant& entrant) {
  if (call_ns_) return std::nullopt;
  const auto call = measurer_.block(entrant.handle, 1);
  if (!call) return tl::unexpected(call.error());
  if (call->state != TrialState::ok) return Lost{entrant.subject, *call};
  call_ns_ = static_cast<double>(std::max<std::int64_t>(call->ns, 1));
  return std::nullopt;
}

Result<RoundOutcome> BlockTimer::round(Phase phase, const std::vector<Entrant>& order,
                                       const std::function<Result<void>()>& between) {
  RoundOutcome out;
  for (const Entrant& e : order) {
    if (const auto r = between(); !r) return tl::unexpected(r.error());
    const bool lost =
        std::any_of(out.lost.begin(), out.lost.end(), [&](const Lost& l) { return l.subject == e.subject; });
    if (lost) continue;  // it runs twice in this round and failed the first time
    if (const auto r = time_block(phase, e, out); !r) return tl::unexpected(r.error());
  }
  ++next_round_;
  position_ = 0;
  return out;
}

Result<Heat> BlockTimer::record(Phase phase, SubjectId subject, const Block& block) {
  Sample s;
  s.subject = subject;
  s.phase = phase;
  s.round = next_round_;
  s.position = position_++;
  s.calls = block.calls;
  s.ns = block.ns;
  s.cpu = block.cpu;
  s.involuntary_switches = block.involuntary_switches;
  s.steal_ticks = block.steal_ticks;
  s.migrated = block.migrated;
  if (const auto r = store_.add_sample(s); !r) return tl::unexpected(r.error());
  const Heat heat = heat_of(s);
  const double ns = std::exp(heat.log_ns);
  last_ns_[subject] = ns;
  note_fastest(subject, ns);
  if (subject == anchor_) return heat;
  calls_made_ += s.calls;
  if (!call_ns_ || subject == reference_) call_ns_ = ns;
  if (reference_ == anchor_) call_ns_ = std::min(*call_ns_, ns);
  return heat;
}

Result<void> BlockTimer::time_block(Phase phase, const Entrant& entrant, RoundOutcome& out) {
  const bool anchor = entrant.subject == anchor_;
  if (!anchor) {
    const auto lost = size_by_a_call(entrant);
    if (!lost) return tl::unexpected(lost.error());
    if (*lost) {
      out.lost.push_back(**lost);
      return {};
    }
  }
  const auto block = measurer_.block(entrant.handle, anchor ? kAnchorCalls : calls_of_a_block());
  if (!block) return tl::unexpected(block.error());
  if (block->state != TrialState::ok) {
    out.lost.push_back({entrant.subject, *block});
    return {};
  }
  const auto heat = record(phase, entrant.subject, *block);
  if (!heat) return tl::unexpected(heat.error());
  out.heats.push_back(*heat);
  return {};
}

}  // namespace gemwright::tuner
