// Candidates that were screened while the whole machine was slow get a second look once it is calm: a neighbour on the
// host who takes memory bandwidth does not slow all configs alike, so that their ratios of that time say little. A
// study whose baseline took 3 times as long at first as afterwards shipped a config of 0.85 of the baseline's speed.
// Of short calls only: of long ones it would take longer than the race that follows.
#include <algorithm>
#include <cmath>

#include "tuner/study/budget.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// A round in which the reference takes so much longer than at its best was a slow one. Calm blocks of one baseline were
// seen to differ by 13 %.
constexpr double kSlow = 1.25;
// Best first. Each is verified once more, which takes longer than its rounds.
constexpr std::size_t kSecondLooks = 16;
// A median leaves the slow rounds out once there are two others (rounds.h); so many are tried.
constexpr std::size_t kCalmPairs = 2;
constexpr int kMostRounds = 4;
// Of the budget: the race and the final have their time.
constexpr double kUntil = 0.75;

}  // namespace

void StudyRun::mark_slow_rounds() {
  const auto best_ns = timer_->fastest_ns(reference());
  if (best_ns) log_.mark_slow(reference(), std::log(kSlow * *best_ns));
}

// Of what left the field, what was disturbed and seen calm less often than a median takes to leave that out; of a
// follow-up only what has its format.
std::vector<StudyRun::Ranked> StudyRun::doubtful(const std::vector<Trial>& trials,
                                                 const std::vector<Subject>& subjects) const {
  const auto subject_of = subjects_by_trial(subjects);
  std::vector<Ranked> found;
  for (const Trial& t : trials) {
    const bool valid = t.state == TrialState::ok || t.state == TrialState::pruned;
    const bool in_field = std::any_of(field_.begin(), field_.end(), [&](const auto& c) { return c->trial.id == t.id; });
    const auto subject = subject_of.find(t.id);
    if (!valid || in_field || over_bound(t) || !steering_.admits(t.config) || subject == subject_of.end()) continue;
    if (wanted_format() && format_of(t.config) != *wanted_format()) continue;
    const auto cost = log_.cost(subject->second, reference());
    const std::size_t calm = log_.clean_pairs(subject->second, reference());
    const bool doubted = calm < kCalmPairs && calm < log_.blocks(subject->second);
    if (cost && doubted) found.push_back({*cost, subject->second, &t});
  }
  std::stable_sort(found.begin(), found.end(), [](const Ranked& x, const Ranked& y) { return x.cost < y.cost; });
  if (found.size() > kSecondLooks) found.resize(kSecondLooks);
  return found;
}

Result<void> StudyRun::look_again() {
  const auto best_ns = timer_->fastest_ns(reference()), now_ns = timer_->last_ns(reference());
  const bool calm = best_ns && now_ns && *now_ns <= kSlow * *best_ns;
  const auto call_ns = timer_->call_ns();
  if (!calm || !call_ns || *call_ns > kLongCallNs || steering_.stopped()) return {};
  mark_slow_rounds();
  update_costs();
  if (const auto r = keep_best(field_.size()); !r) return r;
  const auto trials = store_.trials(record_.id);
  const auto subjects = store_.subjects(record_.id);
  if (!trials) return tl::unexpected(trials.error());
  if (!subjects) return tl::unexpected(subjects.error());
  const std::size_t before = field_.size();
  for (const Ranked& r : doubtful(*trials, *subjects)) {
    if (out_of_time(kUntil)) break;
    if (const auto back = readmit({r}); !back) return back;
  }
  if (field_.size() == before) return {};
  phase_ = "recheck";
  if (const auto r = time_calmly(); !r) return r;
  if (const auto r = refuse_too_fast(log_); !r) return r;
  const double best = best_cost();
  for (std::size_t i = before; i < field_.size(); ++i) {
    Contender& c = *field_[i];
    if (c.handle == 0 || log_.clean_pairs(c.subject, reference()) < kCalmPairs) continue;
    c.trial.state = TrialState::running;  // until it is judged
    if (const auto r = judge(c, best); !r) return r;
  }
  return keep_best(static_cast<std::size_t>(request_.protocol.contenders));
}

// Rounds of the whole field, until everyone was seen calm.
Result<void> StudyRun::time_calmly() {
  const RoundOrder order = order_from_here();
  std::vector<EntrantId> waiting;
  for (const auto& c : field_) waiting.push_back(c->subject);
  for (int i = 0; i < kMostRounds && !waiting.empty(); ++i) {
    const auto timed = round(Phase::screen, order.of(waiting, i));
    if (!timed) return tl::unexpected(timed.error());
    mark_slow_rounds();
    update_costs();
    for (const Lost& l : timed->lost) std::erase(waiting, l.subject);
    std::erase_if(waiting, [this](EntrantId x) { return log_.clean_pairs(x, reference()) >= kCalmPairs; });
  }
  return {};
}

}  // namespace gemwright::tuner
