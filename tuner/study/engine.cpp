#include "tuner/study/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "tuner/measure/statistics.h"
#include "tuner/strategy/strategy.h"
#include "tuner/study/budget.h"
#include "tuner/study/contender.h"
#include "tuner/study/estimate.h"

namespace gemwright::tuner {
namespace {

// A candidate slower than this against the best of its round is not looked at again.
const double kPruneLog = std::log(1.5);
// A follow-up in one packing format brings back this many of what was found before, to leave room for that format.
constexpr std::size_t kRecalledInFollowUp = 2;
// Of the anchor loop: about 0.1 ms a block, enough to see the clock frequency.
constexpr std::int64_t kAnchorCalls = 8;

class StudyRun {
 public:
  StudyRun(Store& store, Measurer& measurer, const StudyRequest& request, const EngineHooks& hooks)
      : store_(store), measurer_(measurer), request_(request), hooks_(hooks), random_(request.attributes.seed) {}

  Result<StudyResult> run();

 private:
  Result<bool> finished_before();
  Result<void> prepare();
  Result<void> recall();
  Result<void> search();
  Result<void> race();
  Result<void> confirm();
  Result<void> conclude(const std::vector<Contender*>& finalists, SampleWindow window);

  std::vector<Candidate> next_batch();
  Result<void> admit(const Candidate& candidate);
  Result<void> round(Phase phase, const std::vector<Contender*>& contenders);
  Result<void> time_block(Phase phase, int position, Entrant& entrant);
  Result<void> lose(Entrant& entrant, const Block& block);
  Result<void> screen(std::size_t newcomers);
  Result<void> keep_best(std::size_t most);

  // Of this budget: a follow-up has one of its own.
  double spent() const { return record_.spent_seconds - spent_before_ + hooks_.now() - started_; }
  std::int64_t tried() const { return record_.trials - tried_before_; }
  const Budget& budget() const { return request_.follow_up ? *request_.follow_up : request_.attributes.budget; }
  double budget_seconds() const { return seconds_of(budget()); }
  bool search_is_over() const;
  void report(const std::string& phase);
  Result<void> save(StudyState state);
  Result<void> check_stop();

  Store& store_;
  Measurer& measurer_;
  const StudyRequest& request_;
  const EngineHooks& hooks_;
  Random random_;
  StudyRecord record_;
  SetupReply setup_;
  std::optional<Subject> baseline_, anchor_;
  std::unique_ptr<Strategy> strategy_;
  std::vector<std::unique_ptr<Contender>> field_;
  std::set<std::string> known_;  // keys of configs tried or being tried
  std::size_t next_known_good_ = 0;
  std::vector<Trial> retry_;  // in flight when an earlier sitting ended
  std::int64_t next_round_ = 0, calls_made_ = 0, failed_ = 0;
  double started_ = 0, spent_before_ = 0;
  std::int64_t tried_before_ = 0;
  std::optional<double> call_ns_;  // of the reference, sizes the blocks
  std::optional<double> baseline_ns_;
  std::string phase_ = "setup";
};

Result<StudyResult> StudyRun::run() {
  const auto done = finished_before();
  if (!done) return tl::unexpected(done.error());
  if (*done) return StudyResult{record_, true};
  for (const auto step :
       {&StudyRun::prepare, &StudyRun::recall, &StudyRun::search, &StudyRun::race, &StudyRun::confirm}) {
    if (const auto r = (this->*step)(); !r) {
      if (record_.id != 0) {
        (void)save(r.error().kind == ErrorKind::interrupted ? StudyState::interrupted : StudyState::failed);
      }
      return tl::unexpected(r.error());
    }
  }
  return StudyResult{record_, false};
}

Result<bool> StudyRun::finished_before() {
  const auto all = store_.studies();
  if (!all) return tl::unexpected(all.error());
  const std::string wanted = key(request_.key);
  const StudyRecord* newest = nullptr;
  for (const StudyRecord& s : *all) {
    if (key(s.key) == wanted && (newest == nullptr || s.generation > newest->generation)) newest = &s;
  }
  if (newest == nullptr || request_.fresh || newest->state != StudyState::finished) return false;
  if (request_.follow_up) return false;
  if (larger(request_.attributes.budget, newest->attributes.budget)) return false;
  record_ = *newest;
  return true;
}

Result<void> StudyRun::prepare() {
  const auto record = store_.open_study(request_.key, request_.attributes, request_.fresh);
  if (!record) return tl::unexpected(record.error());
  record_ = *record;
  started_ = hooks_.now();
  report("setup");
  const StudyKey& k = request_.key;
  const auto setup = measurer_.setup(
      {k.problem, k.m, k.device.threads, k.data, request_.attributes.seed, k.cache, k.cache_bytes, k.build.compiler});
  if (!setup) return tl::unexpected(setup.error());
  setup_ = *setup;
  if (const auto r = store_.set_baseline(record_.id, setup_.baseline, setup_.baseline_reason); !r) return r;
  record_.baseline = setup_.baseline;
  record_.baseline_reason = setup_.baseline_reason;
  if (!setup_.baseline.empty()) {
    const auto s = store_.add_subject(record_.id, SubjectKind::baseline, std::nullopt, setup_.baseline);
    if (!s) return tl::unexpected(s.error());
    baseline_ = *s;
  }
  const auto s = store_.add_subject(record_.id, SubjectKind::anchor, std::nullopt, "anchor");
  if (!s) return tl::unexpected(s.error());
  anchor_ = *s;
  auto strategy = make_strategy(request_.attributes.strategy, request_.space, request_.attributes.seed);
  if (!strategy) return tl::unexpected(strategy.error());
  strategy_ = std::move(*strategy);
  started_ = hooks_.now();  // making operands is paid once a problem, not by the study
  return {};
}

// Feeds the strategy with what earlier sittings observed. The best of them come back into the field.
Result<void> StudyRun::recall() {
  const auto trials = store_.trials(record_.id);
  const auto subjects = store_.subjects(record_.id);
  const auto samples = store_.samples(record_.id);
  if (!trials) return tl::unexpected(trials.error());
  if (!subjects) return tl::unexpected(subjects.error());
  if (!samples) return tl::unexpected(samples.error());
  for (const Sample& s : *samples) next_round_ = std::max(next_round_, s.round + 1);
  std::map<TrialId, SubjectId> subject_of;
  for (const Subject& s : *subjects) {
    if (s.trial) subject_of[*s.trial] = s.id;
  }
  const SubjectId reference = baseline_ ? baseline_->id : anchor_->id;
  std::vector<std::pair<double, const Trial*>> ranked;
  for (const Trial& t : *trials) {
    known_.insert(key(t.config));
    if (t.state == TrialState::running) {
      retry_.push_back(t);
      continue;
    }
    std::optional<double> cost;
    for (const Phase phase : {Phase::race, Phase::screen}) {
      if (cost || !subject_of.contains(t.id)) continue;
      if (const auto r = paired_ratio(*samples, subject_of[t.id], reference, {phase, 0})) cost = -std::log(r->ratio);
    }
    strategy_->observe({t.config, cost, t.state});
    if (t.state == TrialState::ok && cost) ranked.emplace_back(*cost, &t);
    if (t.state != TrialState::ok && t.state != TrialState::pruned) ++failed_;
  }
  record_.trials = static_cast<std::int64_t>(trials->size());
  if (request_.follow_up) {
    tried_before_ = record_.trials;
    spent_before_ = record_.spent_seconds;
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.resize(std::min(ranked.size(), request_.follow_up ? kRecalledInFollowUp
                                                           : static_cast<std::size_t>(request_.protocol.contenders)));
  for (const auto& [cost, t] : ranked) {
    if (const auto r = check_stop(); !r) return r;
    const auto admission = measurer_.admit(t->config);
    if (!admission) return tl::unexpected(admission.error());
    if (admission->state != TrialState::ok) continue;
    field_.push_back(std::make_unique<Contender>(Contender{*t, subject_of[t->id], admission->handle, {cost}}));
  }
  return {};
}

bool StudyRun::search_is_over() const {
  return search_is_over_after(budget(), {spent(), tried(), calls_made_, call_ns_});
}

std::vector<Candidate> StudyRun::next_batch() {
  auto most = static_cast<std::size_t>(request_.protocol.batch);
  if (const Budget& b = budget(); b.trials) {
    most = std::min(most, static_cast<std::size_t>(std::max<std::int64_t>(*b.trials - tried(), 1)));
  }
  most = std::max(most, retry_.size());  // their rows are there and count already, whatever the budget
  std::vector<Candidate> batch;
  while (!retry_.empty() && batch.size() < most) {
    batch.push_back({retry_.back().config, retry_.back().origin, retry_.back()});
    retry_.pop_back();
  }
  while (next_known_good_ < request_.known_good.size() && batch.size() < most) {
    const Config& c = request_.known_good[next_known_good_++];
    if (known_.insert(key(c)).second) batch.push_back({c, "known good", {}});
  }
  while (batch.size() < most && !strategy_->finished()) {
    const auto proposed = strategy_->propose(static_cast<int>(most - batch.size()));
    if (proposed.empty()) break;
    for (const Proposal& p : proposed) {
      if (known_.insert(key(p.config)).second) batch.push_back({p.config, p.origin, {}});
    }
  }
  return batch;
}

Result<void> StudyRun::search() {
  phase_ = "search";
  while (!retry_.empty() || !search_is_over()) {
    const auto batch = next_batch();
    if (batch.empty()) break;
    std::vector<Config> configs;
    for (const Candidate& c : batch) configs.push_back(c.config);
    if (const auto r = measurer_.prefetch_code(configs); !r) return r;
    const std::size_t before = field_.size();
    for (const Candidate& c : batch) {
      if (const auto r = check_stop(); !r) return r;
      // Admitting alone can be slow: on large problems, or where a first study has to compile its tiles. The seeds come
      // first and are worth waiting for, up to twice the budget. What an earlier sitting began is always finished.
      const bool seeds = tried() <= request_.protocol.batch && spent() < 2 * budget_seconds();
      if (!c.row && field_.size() > before && !seeds && search_is_over()) break;
      if (const auto r = admit(c); !r) return r;
    }
    if (const auto r = screen(field_.size() - before); !r) return r;
    if (const auto r = save(StudyState::running); !r) return r;
  }
  if (field_.empty()) {
    return fail(fmt::format("no config of {} at M={} passed: {} tried, see 'gemwright show trials'",
                            key(request_.key.problem), request_.key.m, record_.trials),
                ErrorKind::nothing_valid);
  }
  return {};
}

Result<void> StudyRun::admit(const Candidate& candidate) {
  const Config& config = candidate.config;
  auto trial = candidate.row ? Result<Trial>(*candidate.row) : store_.add_trial(record_.id, config, candidate.origin);
  if (!trial) return tl::unexpected(trial.error());
  record_.trials = std::max(record_.trials, trial->seq + 1);
  const auto admission = measurer_.admit(config);
  if (!admission) return tl::unexpected(admission.error());
  trial->state = admission->state;
  trial->reason = admission->reason;
  trial->error_fro = admission->error_fro;
  trial->error_max = admission->error_max;
  trial->compile_ns = admission->compile_ns;
  trial->verify_ns = admission->verify_ns;
  if (const auto bound = request_.key.max_error; trial->state == TrialState::ok && bound && trial->error_fro > *bound) {
    trial->state = TrialState::constraint;
    trial->reason = fmt::format("its error {:.2e} exceeds --max-error {:.2e}", *trial->error_fro, *bound);
    if (const auto r = measurer_.drop(admission->handle); !r) return r;
  }
  if (trial->state != TrialState::ok) {
    ++failed_;
    strategy_->observe({config, std::nullopt, trial->state});
    return store_.update_trial(*trial);
  }
  trial->state = TrialState::running;  // ok when its first block is stored
  if (const auto r = store_.update_trial(*trial); !r) return r;
  const auto subject = store_.add_subject(record_.id, SubjectKind::trial, trial->id, "");
  if (!subject) return tl::unexpected(subject.error());
  field_.push_back(std::make_unique<Contender>(Contender{*trial, subject->id, admission->handle, {}}));
  return {};
}

// One round over the newcomers and the two best so far, whose figures gain from it.
Result<void> StudyRun::screen(std::size_t newcomers) {
  if (newcomers == 0) return {};
  const std::size_t old = field_.size() - newcomers;
  std::stable_sort(field_.begin(), field_.begin() + static_cast<std::ptrdiff_t>(old),
                   [](const auto& x, const auto& y) { return x->cost() < y->cost(); });
  std::vector<Contender*> entrants;
  for (std::size_t i = 0; i < field_.size(); ++i) {
    if (i < 2 || i >= old) entrants.push_back(field_[i].get());
  }
  if (const auto r = round(Phase::screen, entrants); !r) return r;
  double best = std::numeric_limits<double>::infinity();
  for (const auto& c : field_) best = std::min(best, c->cost());
  for (Contender* c : entrants) {
    if (c->costs.empty()) continue;
    strategy_->observe({c->trial.config, c->cost(), TrialState::ok});
    if (c->trial.state != TrialState::running) continue;
    c->trial.state = c->cost() > best + kPruneLog ? TrialState::pruned : TrialState::ok;
    if (c->trial.state == TrialState::pruned) {
      c->trial.reason = fmt::format("{:.2f} times slower than the best when screened", std::exp(c->cost() - best));
    }
    if (const auto r = store_.update_trial(c->trial); !r) return r;
  }
  return keep_best(static_cast<std::size_t>(request_.protocol.contenders));
}

// Drops what failed, what was pruned and what exceeds the number, best first.
Result<void> StudyRun::keep_best(std::size_t most) {
  std::stable_sort(field_.begin(), field_.end(), [](const auto& x, const auto& y) { return x->cost() < y->cost(); });
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

Result<void> StudyRun::race() {
  phase_ = "race";
  for (int i = 0; i < request_.protocol.race_rounds && field_.size() > 1; ++i) {
    // Long calls leave no time for a race: the final comes at once.
    if (!budget().trials && spent() > 0.8 * budget_seconds() && i > 0) break;
    std::vector<Contender*> all;
    for (const auto& c : field_) all.push_back(c.get());
    if (const auto r = round(Phase::race, all); !r) return r;
    if (const auto r = keep_best(field_.size()); !r) return r;
    if (i == 0 || request_.space.panel) continue;  // a follow-up in one format keeps what it found of it
    std::size_t near = 0;
    while (near < field_.size() && field_[near]->cost() <= field_[0]->cost() + kRaceLog) ++near;
    if (const auto r = keep_best(std::max<std::size_t>(near, 1)); !r) return r;
  }
  return {};
}

Result<void> StudyRun::confirm() {
  phase_ = "confirm";
  if (const auto r = keep_best(field_.size()); !r) return r;
  std::vector<Contender*> finalists = choose_finalists(field_, request_.protocol.finalists, request_.space.panel);
  const SampleWindow window{Phase::confirm, next_round_};
  const MeasureProtocol& p = request_.protocol;
  const bool timed = !budget().trials;
  for (int i = 0; i < p.confirm_rounds && !finalists.empty(); ++i) {
    if (timed && i >= p.min_confirm_rounds && spent() > budget_seconds()) break;
    if (const auto r = round(Phase::confirm, finalists); !r) return r;
    std::erase_if(finalists, [](const Contender* c) { return c->trial.state != TrialState::ok; });
  }
  return conclude(finalists, window);
}

Result<void> StudyRun::conclude(const std::vector<Contender*>& finalists, SampleWindow window) {
  const auto samples = store_.samples(record_.id);
  if (!samples) return tl::unexpected(samples.error());
  const double work = flops(request_.key.problem, request_.key.m);
  std::optional<SubjectId> reference;
  if (baseline_) reference = baseline_->id;
  std::vector<Estimate> estimates;
  std::vector<Finalist> confirmed;
  for (const Contender* c : finalists) {
    if (auto e = estimate(*samples, c->subject, reference, window, work)) {
      estimates.push_back(*e);
      confirmed.push_back({c->trial.id, c->subject});
    }
  }
  const StudyOutcome outcome = decide(*samples, confirmed, estimates, window);
  if (!outcome.best_trial) return fail("every finalist failed while it was confirmed", ErrorKind::nothing_valid);
  if (reference) {
    if (auto e = estimate(*samples, *reference, std::nullopt, window, work)) estimates.push_back(*e);
  }
  if (const auto r = store_.set_outcome(record_.id, outcome, estimates); !r) return r;
  record_.outcome = outcome;
  if (const auto r = save(StudyState::finished); !r) return r;
  report("done");
  return {};
}

Result<void> StudyRun::round(Phase phase, const std::vector<Contender*>& contenders) {
  std::vector<Entrant> entrants;
  for (Contender* c : contenders) entrants.push_back({c->subject, c->handle, 1, c, {}});
  if (baseline_) entrants.push_back({baseline_->id, setup_.baseline_handle, 1, nullptr, {}});
  entrants.push_back({anchor_->id, setup_.anchor_handle, kAnchorCalls, nullptr, {}});
  const auto order = latin_round_order(static_cast<int>(entrants.size()), next_round_, random_);
  int position = 0;
  for (const int i : order) {
    if (const auto r = check_stop(); !r) return r;
    if (const auto r = time_block(phase, position++, entrants[static_cast<std::size_t>(i)]); !r) return r;
  }
  ++next_round_;
  const SubjectId reference = baseline_ ? baseline_->id : anchor_->id;
  const auto ref =
      std::find_if(entrants.begin(), entrants.end(), [&](const Entrant& e) { return e.subject == reference; });
  for (const Entrant& e : entrants) {
    if (e.contender != nullptr && e.log_ns && ref->log_ns) e.contender->costs.push_back(*e.log_ns - *ref->log_ns);
  }
  report(phase_);
  return {};
}

Result<void> StudyRun::time_block(Phase phase, int position, Entrant& entrant) {
  if (entrant.subject != anchor_->id) {
    if (!call_ns_) {  // nothing is known yet: one call that is not recorded sizes the first blocks
      const auto sizing = measurer_.block(entrant.handle, 1);
      if (!sizing) return tl::unexpected(sizing.error());
      if (sizing->state != TrialState::ok) return lose(entrant, *sizing);
      call_ns_ = static_cast<double>(std::max<std::int64_t>(sizing->ns, 1));
    }
    entrant.calls = call_ns_ ? std::max<std::int64_t>(1, std::llround(request_.protocol.block_ns / *call_ns_)) : 1;
  }
  const auto block = measurer_.block(entrant.handle, entrant.calls);
  if (!block) return tl::unexpected(block.error());
  if (block->state != TrialState::ok) return lose(entrant, *block);
  Sample s;
  s.subject = entrant.subject;
  s.phase = phase;
  s.round = next_round_;
  s.position = position;
  s.calls = block->calls;
  s.ns = block->ns;
  s.cpu = block->cpu;
  s.involuntary_switches = block->involuntary_switches;
  s.steal_ticks = block->steal_ticks;
  s.migrated = block->migrated;
  if (const auto r = store_.add_sample(s); !r) return r;
  const double ns = static_cast<double>(std::max<std::int64_t>(s.ns, 1)) / static_cast<double>(s.calls);
  entrant.log_ns = std::log(ns);
  if (entrant.subject == anchor_->id) return {};
  calls_made_ += s.calls;
  if (baseline_ && entrant.subject == baseline_->id) baseline_ns_ = ns;
  if (!call_ns_ || !baseline_ || entrant.subject == baseline_->id) call_ns_ = ns;
  return {};
}

// A subject that failed while it was timed: recorded, and the study goes on without it.
Result<void> StudyRun::lose(Entrant& entrant, const Block& block) {
  if (entrant.contender != nullptr) {
    Trial& t = entrant.contender->trial;
    t.state = block.state;
    t.reason = block.reason;
    ++failed_;
    entrant.contender->handle = 0;
    strategy_->observe({t.config, std::nullopt, t.state});
    return store_.update_trial(t);
  }
  if (baseline_ && entrant.subject == baseline_->id) {
    return fail(fmt::format("the baseline {} failed while it was timed: {}", setup_.baseline, block.reason));
  }
  return fail(fmt::format("the anchor loop failed: {}", block.reason));
}

void StudyRun::report(const std::string& phase) {
  if (!hooks_.progress) return;
  StudyProgress p;
  p.phase = phase;
  p.trials = record_.trials;
  p.failed = failed_;
  p.spent_seconds = phase == "setup" ? record_.spent_seconds : spent();
  p.budget_seconds = budget_seconds();
  const double work = flops(request_.key.problem, request_.key.m);
  if (baseline_ns_) p.baseline_gflops = work / *baseline_ns_;
  double best = std::numeric_limits<double>::infinity();
  for (const auto& c : field_) best = std::min(best, c->cost());
  if (baseline_ && std::isfinite(best)) {
    p.best_ratio = std::exp(-best);
    if (p.baseline_gflops) p.best_gflops = *p.best_ratio * *p.baseline_gflops;
  }
  hooks_.progress(p);
}

Result<void> StudyRun::save(StudyState state) {
  record_.state = state;
  const double now = hooks_.now();
  record_.spent_seconds += now - started_;
  started_ = now;
  return store_.set_study_state(record_.id, state, record_.spent_seconds);
}

Result<void> StudyRun::check_stop() {
  if (hooks_.stop && hooks_.stop())
    return fail("interrupted: everything so far is saved, and the same command goes on", ErrorKind::interrupted);
  return {};
}

}  // namespace

Result<StudyResult> run_study(Store& store, Measurer& measurer, const StudyRequest& request, const EngineHooks& hooks) {
  return StudyRun(store, measurer, request, hooks).run();
}

}  // namespace gemwright::tuner
