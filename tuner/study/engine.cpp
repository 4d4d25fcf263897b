#include "tuner/study/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuner/study/budget.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// A follow-up in one packing format brings back this many of what was found before, to leave room for that format; and
// of that format as many as a final of it may be between. One fewer of each where a call is very long.
constexpr std::size_t kRecalledInFollowUp = 2;
constexpr std::size_t kRecalledOfFormat = 3;
// How often the store is asked for events: far below what a person notices, far above what a query costs.
constexpr double kLookSeconds = 0.05;
constexpr double kPausedLookSeconds = 0.2;

}  // namespace

Result<StudyResult> StudyRun::run() {
  const auto done = finished_before();
  if (!done) return tl::unexpected(done.error());
  if (*done) return StudyResult{record_, true};
  auto ended = prepare();
  if (ended) {
    // Another process may have finished it while this one waited for the machine.
    const auto meanwhile = reopened_ ? Result<bool>(false) : finished_before();
    if (!meanwhile) return tl::unexpected(meanwhile.error());
    if (*meanwhile) return StudyResult{record_, true};
    // From here on it runs for whoever looks at it: a study that goes on was finished or interrupted until now.
    ended = save(StudyState::running);
    if (ended) ended = recall();
  }
  while (ended) {
    ended = take_steps(
        {&StudyRun::search, &StudyRun::look_again, &StudyRun::race, &StudyRun::confirm, &StudyRun::read_events});
    if (!ended || !asked_for_more()) break;
  }
  if (ended) ended = count();
  if (!ended) {
    if (record_.id != 0) {
      const StudyState state = state_after(ended.error());
      if (state == StudyState::failed) record_.failure = ended.error().message;
      (void)save(state);
    }
    return tl::unexpected(ended.error());
  }
  if (const auto r = save(StudyState::finished); !r) return tl::unexpected(r.error());
  report("done");
  return StudyResult{record_, false};
}

Result<void> StudyRun::take_steps(std::initializer_list<Result<void> (StudyRun::*)()> steps) {
  for (const auto step : steps) {
    if (const auto r = (this->*step)(); !r) return r;
  }
  return {};
}

// Somebody extended the budget, wants a trial again, or does not want what won, after the search had ended.
bool StudyRun::asked_for_more() {
  take_back();
  if (!retry_.empty()) return true;
  const auto unwanted = [this](const Contender* c) { return !steering_.admits(c->trial.config); };
  if (std::any_of(finalists_.begin(), finalists_.end(), unwanted)) return true;
  return !(budget() == searched_) && !search_is_over();
}

// A winner that was confirmed before stands, whatever became of the attempt to find a better one.
StudyState StudyRun::state_after(const Error& error) const {
  if (error.kind == ErrorKind::interrupted) return StudyState::interrupted;
  if (!record_.outcome.best_trial) return StudyState::failed;
  return error.kind == ErrorKind::nothing_valid ? StudyState::finished : StudyState::interrupted;
}

Result<bool> StudyRun::finished_before() {
  const auto all = store_.studies();
  if (!all) return tl::unexpected(all.error());
  const std::string wanted = key(request_.key);
  const StudyRecord* newest = nullptr;
  for (const StudyRecord& s : *all) {
    if (key(s.key) == wanted && (newest == nullptr || s.generation > newest->generation)) newest = &s;
  }
  // A fresh generation that exists already is ours.
  if (newest == nullptr || (request_.fresh && newest->id != record_.id)) return false;
  if (newest->state != StudyState::finished) return false;
  reopened_ = true;
  if (request_.follow_up) return false;
  if (larger(request_.attributes.budget, newest->attributes.budget)) return false;
  const auto events = store_.events(newest->id);
  if (!events) return tl::unexpected(events.error());
  if (std::any_of(events->begin(), events->end(), Steering::wakes)) return false;
  record_ = *newest;
  reopened_ = false;
  return true;
}

Result<void> StudyRun::prepare() {
  auto record = store_.open_study(request_.key, request_.attributes, request_.fresh);
  if (!record) return tl::unexpected(record.error());
  record_ = *record;
  started_ = hooks_.now();
  report("setup");
  const StudyKey& k = request_.key;
  const auto setup = measurer_.setup(
      {k.problem, k.m, k.device.threads, k.data, request_.attributes.seed, k.cache, k.cache_bytes, k.build.compiler});
  if (!setup) return tl::unexpected(setup.error());
  setup_ = *setup;
  // Once more: while this process waited for the machine, another one may have gone on with the study.
  record = store_.open_study(request_.key, request_.attributes, false);
  if (!record) return tl::unexpected(record.error());
  record_ = *record;
  incumbent_ = record_.outcome.best_trial;
  if (const auto r = add_fixed_subjects(); !r) return r;
  if (const auto r = measure_ceilings(); !r) return r;
  started_ = hooks_.now();  // making operands is paid once a problem, not by the study
  return {};
}

Result<void> StudyRun::add_fixed_subjects() {
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
  timer_ = std::make_unique<BlockTimer>(store_, measurer_, request_.protocol.block_ns, reference(), anchor_->id);
  return {};
}

// A measurer that cannot give ceilings leaves the study without roofs.
Result<void> StudyRun::measure_ceilings() {
  const auto measured = measurer_.ceilings();
  if (!measured && measured.error().kind == ErrorKind::interrupted) return tl::unexpected(measured.error());
  if (!measured) return {};
  if (const auto r = store_.add_ceilings(record_.id, *measured); !r) return r;
  auto all = store_.ceilings(record_.id);
  if (!all) return tl::unexpected(all.error());
  ceilings_ = std::move(*all);
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
  for (const Sample& s : *samples) {
    timer_->remember(s);
    if (s.phase != Phase::confirm) log_.add(s.round, heat_of(s));
  }
  record_.trials = static_cast<std::int64_t>(trials->size());
  if (!verifies_and_times(setup_.baseline_ns)) verified_apart_ = record_.trials;
  if (const auto r = hear_what_waited(); !r) return r;
  const auto subject_of = subjects_by_trial(*subjects);
  mark_slow_rounds();
  if (const auto r = narrow_modes(); !r) return r;
  if (const auto r = start_strategy(); !r) return r;
  std::vector<Ranked> ranked;
  for (const Trial& t : *trials) {
    known_.insert(key(t.config));
    if (t.state != TrialState::running) tried_modes_.insert(t.config.mode);
    if (t.state == TrialState::running) {
      retry_.push_back(t);
      continue;
    }
    const auto subject = subject_of.find(t.id);
    const auto cost = subject != subject_of.end() ? log_.cost(subject->second, reference()) : std::nullopt;
    if (t.state == TrialState::ok && cost) ranked.push_back({*cost, subject->second, &t});
    if (t.state != TrialState::ok && t.state != TrialState::pruned) ++failed_;
  }
  if (request_.follow_up) {
    tried_before_ = record_.trials;
    spent_before_ = record_.spent_seconds;
  }
  return readmit(best_of(std::move(ranked)));
}

std::optional<PackingFormat> StudyRun::wanted_format() const {
  if (!space_.format || space_.modes.empty()) return std::nullopt;
  return PackingFormat{space_.modes.front(), space_.format->panel, space_.format->pair};
}

// Which of them come back, best first. What was tried is not proposed again: a follow-up takes the best of its format
// from here.
std::vector<StudyRun::Ranked> StudyRun::best_of(std::vector<Ranked> ranked) const {
  std::erase_if(ranked, [this](const Ranked& r) { return !steering_.admits(r.trial->config); });
  std::stable_sort(ranked.begin(), ranked.end(), [](const Ranked& x, const Ranked& y) { return x.cost < y.cost; });
  if (!request_.follow_up) {
    ranked.resize(std::min(ranked.size(), static_cast<std::size_t>(request_.protocol.contenders)));
    return ranked;
  }
  const std::size_t fewer = is_very_long(setup_.baseline_ns) ? 1 : 0;
  std::size_t others = kRecalledInFollowUp - fewer, of_format = kRecalledOfFormat - fewer;
  std::vector<Ranked> best;
  for (const Ranked& r : ranked) {
    const bool wanted = format_of(r.trial->config) == wanted_format();
    std::size_t& left = wanted ? of_format : others;
    if (left == 0) continue;
    best.push_back(r);
    --left;
  }
  return best;
}

Result<void> StudyRun::readmit(const std::vector<Ranked>& ranked) {
  for (const Ranked& r : ranked) {
    if (const auto go_on = attend(); !go_on) return go_on;
    const auto admission = measurer_.admit(r.trial->config);
    if (!admission) return tl::unexpected(admission.error());
    compiled_.insert(group_of(request_.key.problem, r.trial->config));
    if (admission->state != TrialState::ok) continue;
    field_.push_back(std::make_unique<Contender>(Contender{*r.trial, r.subject, admission->handle, r.cost}));
  }
  return {};
}

// Events of earlier sittings, and those that waited for this one. An extension that waited is given in full: what was
// overspent before it came does not count.
Result<void> StudyRun::hear_what_waited() {
  const auto events = store_.events(record_.id);
  if (!events) return tl::unexpected(events.error());
  Steering before;
  for (const StudyEvent& e : *events) {
    if (e.applied_round) before.apply(e);
  }
  const Budget old = before.extended(request_.attributes.budget);
  if (const auto r = read_events(); !r) return r;
  if (budget() == old || request_.follow_up) return {};
  spent_before_ = std::max(0.0, record_.spent_seconds - seconds_of(old));
  if (old.trials) tried_before_ = std::max<std::int64_t>(0, record_.trials - *old.trials);
  return {};
}

Result<void> StudyRun::attend() {
  const auto interrupted = [this]() -> Result<void> {
    if (!hooks_.stop || !hooks_.stop()) return {};
    return fail("interrupted: everything so far is saved, and the same command goes on", ErrorKind::interrupted);
  };
  if (const auto r = interrupted(); !r) return r;
  if (hooks_.now() - last_look_ < kLookSeconds) return {};
  last_look_ = hooks_.now();
  if (const auto r = read_events(); !r) return r;
  if (!steering_.paused()) return {};
  // What was spent so far stands in the store while the clock of the study stands still.
  if (const auto r = save(StudyState::running); !r) return r;
  report("paused");
  auto ended = interrupted();
  while (ended && steering_.paused()) {
    hooks_.sleep(kPausedLookSeconds);
    ended = interrupted();
    if (ended) ended = read_events();
  }
  started_ = hooks_.now();  // a pause costs no budget, however it ends
  return ended ? save(StudyState::running) : ended;
}

Result<void> StudyRun::read_events() {
  const auto events = store_.events(record_.id);
  if (!events) return tl::unexpected(events.error());
  bool chosen = false;
  for (const StudyEvent& e : *events) {
    if (e.id <= last_event_) continue;
    last_event_ = e.id;
    steering_.apply(e);
    chosen = chosen || e.kind == EventKind::pin || e.kind == EventKind::veto;
    if (e.applied_round) continue;
    if (const auto r = store_.stamp_event(e.id, timer_->next_round()); !r) return r;
  }
  // It walks what the pins and vetoes leave, and has passed over what they left out until now.
  const bool walks = request_.attributes.strategy == kExhaustiveStrategy;
  return chosen && walks && strategy_ != nullptr ? start_strategy() : Result<void>{};
}

void StudyRun::report(const std::string& phase) {
  if (!hooks_.progress) return;
  StudyProgress p;
  p.study = record_.id;
  p.phase = phase;
  p.trials = record_.trials;
  p.failed = failed_;
  p.spent_seconds = phase == "setup" ? record_.spent_seconds : spent();
  p.budget_seconds = budget_seconds();
  const double work = flops(request_.key.problem, request_.key.m);
  if (baseline_) {
    if (const auto ns = timer_->last_ns(baseline_->id)) p.baseline_gflops = work / *ns;
  }
  const Contender* best = nullptr;
  for (const auto& c : field_) {
    if (!over_bound(c->trial) && std::isfinite(c->cost) && (best == nullptr || c->cost < best->cost)) best = c.get();
  }
  if (best != nullptr) {
    // Its own blocks: its ratio times a block of the baseline may be a speed that nothing ever had.
    if (const auto log_ns = log_.log_ns(best->subject)) p.best_gflops = work / std::exp(*log_ns);
    if (baseline_) p.best_ratio = std::exp(-best->cost);
  }
  if ((phase == "count" || phase == "done") && confirmed_) {
    p.best_gflops = confirmed_->gflops;
    p.best_ratio = confirmed_->ratio;
    if (confirmed_baseline_) p.baseline_gflops = confirmed_baseline_->gflops;
  }
  hooks_.progress(p);
}

Result<void> StudyRun::save(StudyState state) {
  record_.state = state;
  if (state != StudyState::failed) record_.failure.reset();
  const double now = hooks_.now();
  record_.spent_seconds += now - started_;
  started_ = now;
  return store_.set_study_state(record_.id, state, record_.spent_seconds, record_.failure);
}

Result<StudyResult> run_study(Store& store, Measurer& measurer, const StudyRequest& request, const EngineHooks& hooks) {
  return StudyRun(store, measurer, request, hooks).run();
}

}  // namespace gemwright::tuner
