// Rounds, race, confirmation and conclusion of a study.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuner/insight/traffic.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// Past this share of the budget there is no time left for a race: the final comes at once.
constexpr double kRaceShare = 0.8;
// Of the budget, for the final at least.
constexpr double kFinalShare = 0.2;

// The winner, then the fastest of the others.
std::vector<SubjectId> winner_and_runner_up(const FinalResult& result, const std::vector<Finalist>& finalists,
                                            const StudyOutcome& outcome) {
  std::vector<SubjectId> by_speed;
  if (result.best) by_speed.push_back(*result.best);
  for (const Rival& r : result.rivals) by_speed.push_back(r.entrant);
  const auto winner = std::find_if(finalists.begin(), finalists.end(),
                                   [&](const Finalist& f) { return f.trial == outcome.best_trial; });
  if (winner == finalists.end()) return {};
  std::erase(by_speed, winner->subject);
  by_speed.insert(by_speed.begin(), winner->subject);
  by_speed.resize(std::min<std::size_t>(by_speed.size(), 2));
  return by_speed;
}

}  // namespace

Contender* StudyRun::contender_of(SubjectId subject) {
  for (const auto& c : field_) {
    if (c->subject == subject) return c.get();
  }
  return nullptr;
}

RoundOrder StudyRun::order_from_here() {
  std::vector<EntrantId> fixed;
  if (baseline_) fixed.push_back(baseline_->id);
  fixed.push_back(anchor_->id);
  Random copy = random_;
  return {fixed, Random(copy.next() ^ static_cast<std::uint64_t>(timer_->next_round()))};
}

Result<RoundOutcome> StudyRun::round(Phase phase, const std::vector<EntrantId>& order) {
  std::vector<Entrant> entrants;
  for (const EntrantId id : order) {
    int handle = id == anchor_->id ? setup_.anchor_handle : setup_.baseline_handle;
    if (const Contender* c = contender_of(id)) handle = c->handle;
    entrants.push_back({id, handle});
  }
  const std::int64_t number = timer_->next_round();
  auto timed = timer_->round(phase, entrants, [this] { return attend(); });
  if (!timed) return timed;
  for (const Lost& l : timed->lost) {
    if (const auto r = lose(l); !r) return tl::unexpected(r.error());
  }
  if (phase != Phase::confirm) {
    for (const Heat& h : timed->heats) log_.add(number, h);
    update_costs();
  }
  report(phase_);
  return timed;
}

void StudyRun::update_costs() {
  for (const auto& c : field_) {
    c->cost = log_.cost(c->subject, reference()).value_or(std::numeric_limits<double>::infinity());
  }
}

// A subject that failed while it was timed: recorded, and the study goes on without it.
Result<void> StudyRun::lose(const Lost& lost) {
  if (Contender* c = contender_of(lost.subject)) {
    c->trial.state = lost.block.state;
    c->trial.reason = lost.block.reason;
    ++failed_;
    c->handle = 0;
    strategy_->observe({c->trial.config, std::nullopt, c->trial.state});
    return store_.update_trial(c->trial);
  }
  if (baseline_ && lost.subject == baseline_->id) {
    return fail(fmt::format("the baseline {} failed while it was timed: {}", setup_.baseline, lost.block.reason));
  }
  return fail(fmt::format("the anchor loop failed: {}", lost.block.reason));
}

Result<void> StudyRun::race() {
  phase_ = "race";
  if (const auto r = keep_best(field_.size()); !r) return r;
  std::vector<EntrantId> entrants;
  for (const auto& c : field_) entrants.push_back(c->subject);
  if (is_very_long(timer_->call_ns()) && out_of_time(kRaceShare)) {
    racing_ = entrants;
    return {};
  }
  const std::size_t blocks = entrants.size() + (baseline_ ? 1 : 0);
  const int rounds = rounds_for(request_.protocol.race_rounds, kRaceMinRounds, timer_->call_ns(), blocks);
  Race race(entrants, reference(), {rounds, static_cast<std::size_t>(request_.protocol.finalists)}, order_from_here());
  for (auto order = race.next(); !order.empty(); order = race.next()) {
    const auto timed = round(Phase::race, order);
    if (!timed) return tl::unexpected(timed.error());
    for (const Lost& l : timed->lost) race.withdraw(l.subject);
    race.finish_round(timed->heats, out_of_time(kRaceShare));
  }
  racing_ = race.left();
  return keep_best(field_.size());
}

// Whether there is time for the rounds that a lead needs: a final of very long calls does without.
bool StudyRun::may_claim(std::size_t finalists, std::size_t blocks, double seconds) const {
  const auto call_ns = timer_->call_ns();
  if (!is_very_long(call_ns)) return true;
  const int rounds = std::max(request_.protocol.min_confirm_rounds, rounds_for_a_lead(finalists));
  return static_cast<double>(rounds) * static_cast<double>(blocks) * *call_ns <= seconds * 1e9;
}

Result<void> StudyRun::confirm() {
  phase_ = "confirm";
  const MeasureProtocol& p = request_.protocol;
  finalists_ =
      choose_finalists(field_, racing_, final_size(p, timer_->call_ns()), {wanted_format(), request_.likely_format});
  std::vector<EntrantId> entrants;
  for (const Contender* c : finalists_) entrants.push_back(c->subject);
  const std::size_t once = entrants.size() + (baseline_ ? 1 : 0);
  // A search that ran late leaves the final its share all the same: a verdict of a few rounds is worth little.
  const double until = std::max(budget_seconds(), spent() + kFinalShare * budget_seconds());
  const bool claims = may_claim(entrants.size(), once + 1, until - spent());
  const int least = least_confirm_rounds(p, claims);
  const int rounds = rounds_for(p.confirm_rounds, least, timer_->call_ns(), claims ? once + 1 : once);
  const SampleWindow window{Phase::confirm, timer_->next_round()};
  Final final(entrants, {rounds, least, claims}, order_from_here());
  for (auto order = final.next(); !order.empty(); order = final.next()) {
    const auto timed = round(Phase::confirm, order);
    if (!timed) return tl::unexpected(timed.error());
    for (const Lost& l : timed->lost) final.withdraw(l.subject);
    final.finish_round(timed->heats, !budget().trials && spent() > until);
  }
  if (const auto r = refuse_too_fast(final.log()); !r) return r;
  for (const Contender* c : finalists_) {
    if (c->trial.state != TrialState::ok) final.withdraw(c->subject);
  }
  return conclude(final, window);
}

Result<void> StudyRun::conclude(const Final& final, SampleWindow window) {
  std::erase_if(finalists_, [](const Contender* c) { return c->trial.state != TrialState::ok; });
  if (finalists_.empty()) return fail("every finalist failed while it was confirmed", ErrorKind::nothing_valid);
  std::vector<Finalist> finalists;
  for (const Contender* c : finalists_) finalists.push_back({c->trial.id, c->subject, c->trial.config});
  const auto samples = store_.samples(record_.id);
  if (!samples) return tl::unexpected(samples.error());
  const FinalResult result = final.result();
  const StudyOutcome outcome = decide(result, finalists, incumbent_, tally(*samples, window));
  counted_ = winner_and_runner_up(result, finalists, outcome);
  const double work = flops(request_.key.problem, request_.key.m);
  std::optional<SubjectId> against;
  if (baseline_) against = baseline_->id;
  std::vector<Estimate> estimates;
  for (const Finalist& f : finalists) {
    auto e = estimate(*samples, f.subject, against, window, work);
    if (e && f.trial == outcome.best_trial) confirmed_ = e;
    if (e) estimates.push_back(*e);
  }
  if (baseline_) {
    confirmed_baseline_ = estimate(*samples, baseline_->id, std::nullopt, window, work);
    if (confirmed_baseline_) estimates.push_back(*confirmed_baseline_);
  }
  if (const auto r = store_.set_outcome(record_.id, outcome, estimates); !r) return r;
  record_.outcome = outcome;
  return {};
}

// The computed counters and, where the measurer can count, the observed ones.
Result<std::vector<profilers::Counter>> StudyRun::counters_of(SubjectId subject, int handle) const {
  std::vector<profilers::Counter> all;
  for (const Contender* c : finalists_) {
    if (c->subject == subject) all = traffic_of(request_.key, c->trial.config);
  }
  const auto observed = measurer_.count(handle, timer_->calls_of_a_block());
  if (observed) all.insert(all.end(), observed->begin(), observed->end());
  if (!observed && observed.error().kind == ErrorKind::interrupted) return tl::unexpected(observed.error());
  return all;
}

// The winner, the runner-up and the baseline once more, apart from timing.
Result<void> StudyRun::count() {
  phase_ = "count";
  std::vector<std::pair<SubjectId, int>> subjects;
  for (const SubjectId wanted : counted_) {
    const Contender* const c = contender_of(wanted);
    if (c != nullptr && c->handle != 0) subjects.emplace_back(c->subject, c->handle);
  }
  if (baseline_) subjects.emplace_back(baseline_->id, setup_.baseline_handle);
  for (const auto& [subject, handle] : subjects) {
    if (const auto r = attend(); !r) return r;
    auto counters = counters_of(subject, handle);
    if (!counters) return tl::unexpected(counters.error());
    if (!counted_.empty() && subject == counted_.front()) {
      const auto fusion = fusion_of(*contender_of(subject));
      if (!fusion) return tl::unexpected(fusion.error());
      counters->insert(counters->end(), fusion->begin(), fusion->end());
    }
    if (counters->empty()) continue;
    if (const auto r = store_.set_counters(subject, *counters); !r) return r;
  }
  return {};
}

}  // namespace gemwright::tuner
