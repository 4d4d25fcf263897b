// Proposing, admitting and screening of a study.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "tuner/insight/roofline.h"
#include "tuner/space/reduction.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// Proposals in a row that pins and vetoes turn away before the search is over.
constexpr int kMaxTurnedAway = 2000;
// Seeds of the likely format.
constexpr std::size_t kLikelySeeds = 2;
// Batches in a row of nothing but candidates that would be compiled too late: a strategy may name nothing else.
constexpr int kMostLateBatches = 16;
// Measurements of the ceilings beside the first that have to agree before a trial is called impossible.
constexpr int kRoofRepeats = 2;
// Blocks of a ceiling that was not disturbed lie within 2 % of each other; one that was is no witness against a trial.
constexpr double kSteadySpread = 0.05;

}  // namespace

bool StudyRun::search_is_over() const {
  if (steering_.stopped()) return true;
  return search_is_over_after(budget(), used());
}

// Trials that somebody wants to see again.
void StudyRun::take_back() {
  const auto wanted = steering_.take_again();
  if (wanted.empty()) return;
  const auto trials = store_.trials(record_.id);
  if (!trials) return;  // the next use of the store says why
  for (const Trial& t : *trials) {
    const bool in_field = std::any_of(field_.begin(), field_.end(), [&](const auto& c) { return c->trial.id == t.id; });
    if (!in_field && std::find(wanted.begin(), wanted.end(), t.id) != wanted.end()) retry_.push_back(t);
  }
}

// The first seeds of the format that other studies of the problem share.
std::deque<NamedConfig> StudyRun::likely_seeds() const {
  const auto& likely = request_.likely_format;
  SpaceInput in = space_;
  const bool admitted = likely && std::find(in.modes.begin(), in.modes.end(), likely->mode) != in.modes.end();
  if (!admitted || in.format) return {};
  in.modes = {likely->mode};
  in.format = gemwright::packing{likely->panel, likely->pair};
  const std::vector<NamedConfig> all = seeds(in);
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kLikelySeeds))};
}

std::vector<Candidate> StudyRun::next_batch() {
  auto most = static_cast<std::size_t>(request_.protocol.batch);
  if (const Budget b = budget(); b.trials) {
    most = std::min(most, static_cast<std::size_t>(std::max<std::int64_t>(*b.trials - tried(), 1)));
  }
  // Batches of long calls are so small that one ends within the budget, as far as anything can be compared then.
  most = std::min(most, affordable_batch(budget(), used()).value_or(most));
  most = std::max(most, retry_.size());  // their rows are there and count already, whatever the budget
  std::vector<Candidate> batch;
  while (!late_.empty() && batch.size() < most && !compiles_too_late(late_.front())) {
    batch.push_back(std::move(late_.front()));
    late_.pop_front();
  }
  while (!retry_.empty() && batch.size() < most) {
    batch.push_back({retry_.back().config, retry_.back().origin, retry_.back()});
    retry_.pop_back();
  }
  if ((!batch.empty() && search_is_over()) || space_.modes.empty()) return batch;
  int turned_away = 0;
  const auto take = [&](const Config& proposed, const std::string& origin) {
    const auto config = steering_.steered(space_, proposed);
    if (!config || *config != proposed) strategy_->observe({proposed, std::nullopt, TrialState::constraint});
    if (config && known_.insert(key(*config)).second) {
      batch.push_back({*config, origin, {}});
    } else {
      ++turned_away;
    }
  };
  // Half of each batch, so that what is right for this size alone is measured early too.
  const std::size_t known = batch.size() + (most - batch.size() + 1) / 2;
  while (next_known_good_ < request_.known_good.size() && batch.size() < known) {
    take(request_.known_good[next_known_good_++], "known good");
  }
  while (!likely_.empty() && batch.size() < most) {
    take(likely_.front().config, "seed:" + likely_.front().name);
    likely_.pop_front();
  }
  while (batch.size() < most && turned_away < kMaxTurnedAway && !strategy_->finished()) {
    const auto proposed = strategy_->propose(static_cast<int>(most - batch.size()));
    if (proposed.empty()) break;
    for (const Proposal& p : proposed) take(p.config, p.origin);
  }
  return batch;
}

bool StudyRun::is_compiled(const Config& config) const {
  return compiled_.count(group_of(request_.key.problem, config)) != 0;
}

// What each admitted mode gives up and gains is the question: all are tried once, for one more budget at most.
bool StudyRun::owes_modes() const {
  const auto modes = static_cast<std::int64_t>(request_.key.modes.size());
  const Budget b = budget();
  const bool left = b.trials ? tried() < std::max(2 * *b.trials, modes) : spent() < 2 * budget_seconds();
  return modes > 1 && left && modes_left() && !steering_.stopped();
}

// A follow-up is there for its format: one config of it is tried, for one more budget at most.
bool StudyRun::owes_format() const {
  if (!request_.follow_up || !wanted_format() || steering_.stopped()) return false;
  const auto wanted = [this](const auto& c) { return format_of(c->trial.config) == *wanted_format(); };
  if (std::any_of(field_.begin(), field_.end(), wanted)) return false;
  const Budget b = budget();
  return b.trials ? tried() < 2 * *b.trials : spent() < 2 * budget_seconds();
}

bool StudyRun::owes(const Candidate& c) const { return owes_modes() && !tried_modes_.contains(c.config.mode); }

// It would be compiled until after the end of the search, and there are candidates that need no compilation.
bool StudyRun::compiles_too_late(const Candidate& c) const {
  if (c.row || field_.empty() || !compile_s_ || is_compiled(c.config) || owes(c)) return false;
  Spent then = used();
  then.seconds += *compile_s_;
  return search_is_over_after(budget(), then);
}

bool StudyRun::may_wait_for_seeds() const {
  return tried() < request_.protocol.batch && spent() < 2 * budget_seconds() && !steering_.stopped();
}

// Takes out what would be compiled too late; a longer budget brings it back. False where that is everything.
bool StudyRun::set_late_apart(std::vector<Candidate>& batch) {
  if (may_wait_for_seeds()) return true;
  const auto late =
      std::stable_partition(batch.begin(), batch.end(), [this](const Candidate& c) { return !compiles_too_late(c); });
  for (auto c = late; c != batch.end(); ++c) {
    strategy_->observe({c->config, std::nullopt, TrialState::cancelled});
    late_.push_back(std::move(*c));
  }
  batch.erase(late, batch.end());
  return !batch.empty();
}

Result<void> StudyRun::search() {
  phase_ = "search";
  if (baseline_) {
    if (const auto r = timer_->size({baseline_->id, setup_.baseline_handle}, setup_.baseline_ns); !r) return r;
  }
  likely_ = likely_seeds();
  take_back();
  if (const auto r = drop_unwanted(); !r) return r;
  // What was found may have been unwanted since: then something else is looked for, for one more budget at most.
  const auto bare = [this] {
    const Budget b = budget();
    const bool time_left = b.trials ? tried() < 2 * *b.trials : spent() < 2 * budget_seconds();
    return field_.empty() && steering_.restricts() && !steering_.stopped() && time_left;
  };
  // Modes that came first may all exceed the bound: the others are tried before the study gives up.
  const auto unlucky = [this] { return field_.empty() && modes_left() && !steering_.stopped(); };
  int late_batches = 0;
  while (!retry_.empty() || !search_is_over() || bare() || unlucky() || owes_modes() || owes_format()) {
    if (const auto r = drop_unwanted(); !r) return r;
    auto batch = next_batch();
    if (batch.empty()) break;
    // What needs no compilation goes first: the rest is compiled meanwhile.
    std::stable_partition(batch.begin(), batch.end(), [this](const Candidate& c) { return is_compiled(c.config); });
    // Where nothing is left of it, what comes next may need no compilation.
    late_batches = set_late_apart(batch) ? 0 : late_batches + 1;
    if (late_batches == kMostLateBatches) break;
    if (batch.empty()) continue;
    std::vector<Config> configs;
    for (const Candidate& c : batch) configs.push_back(c.config);
    if (const auto r = measurer_.prefetch_code(configs); !r) return r;
    const std::size_t before = field_.size();
    for (const Candidate& c : batch) {
      if (const auto r = attend(); !r) return r;
      // Admitting alone can be slow: on large problems, or where a first study has to compile its tiles. The seeds come
      // first and are worth waiting for, up to twice the budget. What an earlier sitting began is always finished.
      const bool needed = c.row || within_bound(before) == 0 || may_wait_for_seeds() || owes(c);
      if (!needed && search_is_over()) continue;
      if (const auto r = admit(c); !r) return r;
    }
    if (const auto r = screen(field_.size() - before); !r) return r;
    if (const auto r = narrow_modes(); !r) return r;
    if (const auto r = save(StudyState::running); !r) return r;
    take_back();
  }
  searched_ = budget();
  if (const auto r = drop_unwanted(); !r) return r;
  if (!field_.empty()) return {};
  const std::string what = fmt::format("{} at M={}", key(request_.key.problem), request_.key.m);
  if (space_.modes.empty()) {
    return fail(fmt::format("no admitted mode of {} keeps --max-error {:.2e}: see 'gemwright show pareto'", what,
                            *request_.key.max_error),
                ErrorKind::nothing_valid);
  }
  if (failed_ < record_.trials && steering_.restricts()) {
    return fail(fmt::format("the pins and vetoes of study {} leave no config of {} that passed: take them back with "
                            "'tune --fresh'",
                            record_.id, what),
                ErrorKind::nothing_valid);
  }
  return fail(fmt::format("no config of {} passed: {} tried, see 'gemwright show trials'", what, record_.trials),
              ErrorKind::nothing_valid);
}

Result<void> StudyRun::admit(const Candidate& candidate) {
  const Config& config = candidate.config;
  auto trial = candidate.row ? Result<Trial>(*candidate.row) : store_.add_trial(record_.id, config, candidate.origin);
  if (!trial) return tl::unexpected(trial.error());
  record_.trials = std::max(record_.trials, trial->seq + 1);
  const auto admission =
      verifies_and_times(timer_->call_ns()) ? measurer_.admit_timed(config) : measurer_.admit(config);
  if (!admission) return tl::unexpected(admission.error());
  if (!admission->block) ++verified_apart_;
  tried_modes_.insert(config.mode);
  compiled_.insert(group_of(request_.key.problem, config));
  if (admission->compile_ns) {
    compile_s_ = static_cast<double>(*admission->compile_ns) * 1e-9;  // the first ones lack precompiled headers
  }
  trial->state = admission->state;
  trial->reason = admission->reason;
  trial->error_fro = admission->error_fro;
  trial->error_max = admission->error_max;
  trial->compile_ns = admission->compile_ns;
  trial->verify_ns = admission->verify_ns;
  trial->reduction_class = reduction_class(request_.key.problem, config);
  // Where several modes are admitted it is timed all the same: what the bound costs is worth knowing.
  if (trial->state == TrialState::ok && over_bound(*trial) && request_.key.modes.size() == 1) {
    trial->state = TrialState::constraint;
    trial->reason = over_bound_text(*trial);
    if (const auto r = measurer_.drop(admission->handle); !r) return r;
  }
  if (trial->state != TrialState::ok) {
    ++failed_;
    strategy_->observe({config, std::nullopt, trial->state});
    return store_.update_trial(*trial);
  }
  trial->state = TrialState::running;  // ok when it has been screened
  if (const auto r = store_.update_trial(*trial); !r) return r;
  const auto subject = store_.add_subject(record_.id, SubjectKind::trial, trial->id, "");
  if (!subject) return tl::unexpected(subject.error());
  field_.push_back(std::make_unique<Contender>(
      Contender{*trial, subject->id, admission->handle, std::numeric_limits<double>::infinity()}));
  if (!admission->block) return {};
  const auto heat = timer_->record(Phase::screen, subject->id, *admission->block);
  if (!heat) return tl::unexpected(heat.error());
  log_.add(timer_->next_round(), *heat);
  seen_.push_back(*heat);
  return {};
}

// The newcomers stand at the end of the field; the two best so far run beside them, and their figures gain from it.
Result<void> StudyRun::screen(std::size_t newcomers) {
  if (newcomers == 0) return {};
  const std::size_t old = field_.size() - newcomers;
  std::stable_sort(field_.begin(), field_.begin() + static_cast<std::ptrdiff_t>(old),
                   [](const auto& x, const auto& y) { return x->cost < y->cost; });
  std::vector<EntrantId> fresh, company;
  for (std::size_t i = 0; i < field_.size(); ++i) {
    if (i >= old) fresh.push_back(field_[i]->subject);
    if (i < std::min<std::size_t>(old, 2)) company.push_back(field_[i]->subject);
  }
  Screen screen(fresh, company, reference(), order_from_here(), std::exchange(seen_, {}));
  for (auto order = screen.next(); !order.empty(); order = screen.next()) {
    const auto timed = round(Phase::screen, order);
    if (!timed) return tl::unexpected(timed.error());
    screen.finish_round(timed->heats);
  }
  if (const auto r = refuse_too_fast(log_); !r) return r;
  const double best = best_cost();
  for (const auto& c : field_) {
    const bool timed = std::find(fresh.begin(), fresh.end(), c->subject) != fresh.end() ||
                       std::find(company.begin(), company.end(), c->subject) != company.end();
    if (!timed || c->handle == 0 || !std::isfinite(c->cost)) continue;
    if (const auto r = judge(*c, best); !r) return r;
  }
  return keep_best(static_cast<std::size_t>(request_.protocol.contenders));
}

// Of who may win.
double StudyRun::best_cost() const {
  double best = std::numeric_limits<double>::infinity();
  for (const auto& c : field_) {
    if (c->handle != 0 && !over_bound(c->trial)) best = std::min(best, c->cost);
  }
  return best;
}

// What its figure means for a trial that was screened.
Result<void> StudyRun::judge(Contender& c, double best) {
  if (over_bound(c.trial)) {
    c.trial.state = TrialState::constraint;
    c.trial.reason = over_bound_text(c.trial);
    ++failed_;
    strategy_->observe({c.trial.config, std::nullopt, c.trial.state});
    return store_.update_trial(c.trial);
  }
  strategy_->observe({c.trial.config, c.cost, TrialState::ok});
  if (c.trial.state != TrialState::running) return {};
  c.trial.state = c.cost > best + std::log(kScreenFactor) ? TrialState::pruned : TrialState::ok;
  c.trial.reason.clear();
  if (c.trial.state == TrialState::pruned) {
    c.trial.reason = fmt::format("{:.2f}x slower when screened", std::exp(c.cost - best));
  }
  return store_.update_trial(c.trial);
}

// Lenient where a measurement was disturbed: the contender's figure is its median, the clock the fastest that any
// anchor block of the study showed (so that a roof is never scaled below what was measured), every measurement of the
// ceilings has to agree, and a roof that the baseline is above, too, is no witness: a host that lends its cores to
// others now and then may have done so whenever the ceilings were measured.
std::optional<std::string> StudyRun::too_fast(const Contender& c, const RoundLog& log) const {
  const auto log_ns = log.log_ns(c.subject);
  if (!log_ns || ceilings_.empty()) return std::nullopt;
  const double work = flops(request_.key.problem, request_.key.m);
  const auto why = above_every_roof(c.trial.config, work / std::exp(*log_ns));
  const auto baseline_ns = why && baseline_ ? timer_->fastest_ns(baseline_->id) : std::nullopt;
  if (baseline_ns && above_every_roof(c.trial.config, work / *baseline_ns)) return std::nullopt;
  return why;
}

// A sentence when a speed is above the roof of each measurement of the ceilings that was steady.
std::optional<std::string> StudyRun::above_every_roof(const Config& config, double gflops) const {
  RooflineInput in;
  in.flops = flops(request_.key.problem, request_.key.m);
  in.config = config;
  in.gflops = gflops;
  in.anchor_ns = timer_->fastest_ns(anchor_->id);
  for (const StudyCeiling& x : ceilings_) {
    if (in.anchor_ns && x.ceiling.anchor_ns) in.anchor_ns = std::min(*in.anchor_ns, *x.ceiling.anchor_ns);
  }
  std::optional<std::string> why;
  for (auto first = ceilings_.begin(); first != ceilings_.end();) {
    const auto last = std::find_if(first, ceilings_.end(),
                                   [&](const StudyCeiling& x) { return x.measured_at != first->measured_at; });
    in.ceilings.clear();
    std::copy_if(first, last, std::back_inserter(in.ceilings),
                 [](const StudyCeiling& x) { return x.ceiling.spread <= kSteadySpread; });
    why = above_roof(roofline_point(in));
    if (!why) return why;
    first = last;
  }
  return why;
}

// A figure beyond the compute roof is an error of the measurement or of the check, and must not win. The roof is
// measured again before it is believed.
Result<void> StudyRun::refuse_too_fast(const RoundLog& log) {
  const auto suspect = [&](const auto& c) { return c->handle != 0 && too_fast(*c, log); };
  for (int i = 0; i < kRoofRepeats && std::any_of(field_.begin(), field_.end(), suspect); ++i) {
    if (const auto r = measure_ceilings(); !r) return r;
  }
  for (const auto& c : field_) {
    const auto why = c->handle == 0 ? std::nullopt : too_fast(*c, log);
    if (!why) continue;
    Block refused;
    refused.state = TrialState::runtime;
    refused.reason = *why;
    const int handle = c->handle;
    if (const auto r = lose({c->subject, refused}); !r) return r;
    if (const auto r = measurer_.drop(handle); !r) return r;
  }
  return {};
}

// Drops what failed, what was pruned and what exceeds the number, best first.
Result<void> StudyRun::keep_best(std::size_t most) {
  std::stable_sort(field_.begin(), field_.end(), [](const auto& x, const auto& y) { return x->cost < y->cost; });
  std::vector<std::unique_ptr<Contender>> kept;
  for (auto& c : field_) {
    if (c->trial.state == TrialState::ok && kept.size() < most) {
      kept.push_back(std::move(c));
    } else if (c->handle != 0) {
      if (const auto r = measurer_.drop(c->handle); !r) return r;
    }
  }
  field_ = std::move(kept);
  return {};
}

// What a pin or veto excludes leaves the field: the rest is compared with its like.
Result<void> StudyRun::drop_unwanted() {
  const auto unwanted = [this](const auto& c) { return !steering_.admits(c->trial.config); };
  for (const auto& c : field_) {
    if (!unwanted(c)) continue;
    if (const auto r = measurer_.drop(c->handle); !r) return r;
  }
  std::erase_if(field_, unwanted);
  return {};
}

}  // namespace gemwright::tuner
