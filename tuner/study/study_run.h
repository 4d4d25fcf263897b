// One run of one study, behind run_study; internal to the engine. engine.cpp opens and ends it, search.cpp proposes and
// screens, second_look.cpp screens again what was screened in a bad moment, finish.cpp races, confirms, counts and
// concludes, fusion.cpp says what fusing the chain gained, modes.cpp drops modes.
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/space/tile_group.h"
#include "tuner/strategy/seeds.h"
#include "tuner/strategy/strategy.h"
#include "tuner/study/block_timer.h"
#include "tuner/study/budget.h"
#include "tuner/study/contender.h"
#include "tuner/study/engine.h"
#include "tuner/study/estimate.h"
#include "tuner/study/outcome.h"
#include "tuner/study/steer.h"

namespace gemwright::tuner {

class StudyRun {
 public:
  StudyRun(Store& store, Measurer& measurer, const StudyRequest& request, const EngineHooks& hooks)
      : store_(store),
        measurer_(measurer),
        request_(request),
        hooks_(hooks),
        random_(request.attributes.seed),
        space_(request.space) {}

  Result<StudyResult> run();

 private:
  Result<void> take_steps(std::initializer_list<Result<void> (StudyRun::*)()> steps);
  bool asked_for_more();
  Result<bool> finished_before();
  Result<void> prepare();
  Result<void> add_fixed_subjects();
  Result<void> measure_ceilings();
  Result<std::vector<profilers::Counter>> fusion_of(const Contender& winner);
  Result<std::vector<std::vector<double>>> fusion_times(const std::vector<int>& handles);
  Result<std::vector<profilers::Counter>> counters_of(SubjectId subject, int handle) const;
  Result<void> recall();
  struct Ranked {
    double cost = 0;  // as Contender has it
    SubjectId subject = 0;
    const Trial* trial = nullptr;
  };
  std::vector<Ranked> best_of(std::vector<Ranked> ranked) const;
  Result<void> readmit(const std::vector<Ranked>& ranked);
  // Of a follow-up.
  std::optional<PackingFormat> wanted_format() const;
  Result<void> search();
  Result<void> look_again();
  void mark_slow_rounds();
  std::vector<Ranked> doubtful(const std::vector<Trial>& trials, const std::vector<Subject>& subjects) const;
  Result<void> time_calmly();
  Result<void> race();
  Result<void> confirm();
  Result<void> count();

  // Modes that cannot keep the error bound leave the space (modes.cpp).
  bool over_bound(const Trial& trial) const;
  std::string over_bound_text(const Trial& trial) const;
  Result<void> narrow_modes();
  Result<void> start_strategy();
  bool modes_left() const;
  std::size_t within_bound(std::size_t first) const;

  std::deque<NamedConfig> likely_seeds() const;
  std::vector<Candidate> next_batch();
  bool is_compiled(const Config& config) const;
  bool compiles_too_late(const Candidate& candidate) const;
  bool may_wait_for_seeds() const;
  bool owes_modes() const;
  bool owes_format() const;
  bool owes(const Candidate& candidate) const;
  bool set_late_apart(std::vector<Candidate>& batch);
  void take_back();
  Result<void> admit(const Candidate& candidate);
  Result<void> screen(std::size_t newcomers);
  double best_cost() const;
  Result<void> judge(Contender& contender, double best);
  // A sentence when the contender is faster than this CPU can compute.
  std::optional<std::string> too_fast(const Contender& contender, const RoundLog& log) const;
  std::optional<std::string> above_every_roof(const Config& config, double gflops) const;
  Result<void> refuse_too_fast(const RoundLog& log);
  Result<void> keep_best(std::size_t most);
  Result<void> drop_unwanted();

  // Times a round and keeps its heats; whoever failed has left the field's game: its handle is 0.
  Result<RoundOutcome> round(Phase phase, const std::vector<EntrantId>& order);
  Result<void> lose(const Lost& lost);
  Contender* contender_of(SubjectId subject);
  void update_costs();
  RoundOrder order_from_here();

  bool may_claim(std::size_t finalists, std::size_t blocks, double seconds) const;
  Result<void> conclude(const Final& final, SampleWindow window);

  // Between blocks: whoever wants to stop, pause or steer is heard.
  Result<void> attend();
  Result<void> read_events();

  // Of this budget: a follow-up has one of its own.
  double spent() const { return record_.spent_seconds - spent_before_ + hooks_.now() - started_; }
  std::int64_t tried() const { return record_.trials - tried_before_; }
  Spent used() const { return {spent(), tried(), timer_->calls_made() + verified_apart_, timer_->call_ns()}; }
  Budget budget() const {
    return steering_.extended(request_.follow_up ? *request_.follow_up : request_.attributes.budget);
  }
  double budget_seconds() const { return seconds_of(budget()); }
  bool out_of_time(double share) const { return !budget().trials && spent() > share * budget_seconds(); }
  StudyState state_after(const Error& error) const;
  Result<void> hear_what_waited();
  bool search_is_over() const;
  SubjectId reference() const { return baseline_ ? baseline_->id : anchor_->id; }
  void report(const std::string& phase);
  Result<void> save(StudyState state);

  Store& store_;
  Measurer& measurer_;
  const StudyRequest& request_;
  const EngineHooks& hooks_;
  Random random_;
  std::set<ComputeMode> tried_modes_;
  SpaceInput space_;  // of the request, without the modes that turned out not to keep the bound
  StudyRecord record_;
  std::set<TileGroup> compiled_;     // what was admitted, or tried to be
  std::optional<double> compile_s_;  // the latest compilation
  std::deque<Candidate> late_;       // that would have been compiled until after the end of the search
  SetupReply setup_;
  std::optional<Subject> baseline_, anchor_;
  std::unique_ptr<Strategy> strategy_;
  std::unique_ptr<BlockTimer> timer_;
  std::vector<std::unique_ptr<Contender>> field_;
  RoundLog log_;                   // of screening and race
  std::vector<Heat> seen_;         // of this batch's newcomers, timed when they were admitted
  std::vector<EntrantId> racing_;  // whom the race left
  std::set<std::string> known_;    // keys of configs tried or being tried
  std::size_t next_known_good_ = 0;
  std::deque<NamedConfig> likely_;  // seeds of the likely format that are not proposed yet
  std::vector<Trial> retry_;        // in flight when an earlier sitting ended, or asked for again
  // Of the winner and the baseline, when the study is concluded: what progress says from then on.
  std::optional<Estimate> confirmed_, confirmed_baseline_;
  std::optional<TrialId> incumbent_;
  std::vector<StudyCeiling> ceilings_;
  std::vector<Contender*> finalists_;
  std::vector<SubjectId> counted_;  // winner and runner-up
  std::int64_t failed_ = 0;
  std::int64_t verified_apart_ = 0;  // configs, by a call that was no block
  double started_ = 0, spent_before_ = 0;
  std::int64_t tried_before_ = 0;
  Steering steering_;
  Budget searched_;        // the budget when the search ended
  bool reopened_ = false;  // it was finished before and goes on
  std::int64_t last_event_ = 0;
  double last_look_ = 0;
  std::string phase_ = "setup";
};

}  // namespace gemwright::tuner
