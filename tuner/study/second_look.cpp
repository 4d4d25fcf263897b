// Candidates that were screened while the whole machine was slow get a second look once it is calm: a neighbour on the
// host who takes memory bandwidth does not slow all configs alike, so that their ratios of that time say little. A
// study saw its later winner 1.7 times slower than its rivals while the baseline took 3 times as long as afterwards.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "tuner/study/budget.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// A round in which the reference takes so much longer than at its best was a slow one; calm rounds here lie within
// 15 % of each other.
constexpr double kSlow = 1.25;
// Best first. Each is verified once more, some 10 ms.
constexpr std::size_t kSecondLooks = 16;
// A median leaves the slow rounds out once there are two others (rounds.h).
constexpr int kCalmRounds = 2;
// Of the budget: the race and the final have their time.
constexpr double kUntil = 0.75;

}  // namespace

// Of what left the field, what was only seen in slow rounds.
std::vector<StudyRun::Ranked> StudyRun::doubtful(const std::vector<Trial>& trials, const std::vector<Subject>& subjects,
                                                 double slow_log_ns) const {
  std::map<TrialId, SubjectId> subject_of;
  for (const Subject& s : subjects) {
    if (s.trial) subject_of[*s.trial] = s.id;
  }
  std::vector<Ranked> found;
  for (const Trial& t : trials) {
    const bool valid = t.state == TrialState::ok || t.state == TrialState::pruned;
    const bool in_field = std::any_of(field_.begin(), field_.end(), [&](const auto& c) { return c->trial.id == t.id; });
    if (!valid || in_field || over_bound(t) || !steering_.admits(t.config) || !subject_of.contains(t.id)) continue;
    const SubjectId subject = subject_of[t.id];
    const auto calmest = log_.calmest(subject, reference());
    const auto cost = log_.cost(subject, reference());
    if (calmest && *calmest > slow_log_ns && cost) found.push_back({*cost, subject, &t});
  }
  std::stable_sort(found.begin(), found.end(), [](const Ranked& x, const Ranked& y) { return x.cost < y.cost; });
  if (found.size() > kSecondLooks) found.resize(kSecondLooks);
  return found;
}

Result<void> StudyRun::look_again() {
  const auto best_ns = timer_->fastest_ns(reference()), now_ns = timer_->last_ns(reference());
  const bool calm = best_ns && now_ns && *now_ns <= kSlow * *best_ns;
  const auto call_ns = timer_->call_ns();
  if (!calm || !call_ns || *call_ns > kLongCallNs || out_of_time(kUntil) || steering_.stopped()) return {};
  const double slow = std::log(kSlow * *best_ns);
  log_.mark_slow(reference(), slow);
  update_costs();
  const auto trials = store_.trials(record_.id);
  const auto subjects = store_.subjects(record_.id);
  if (!trials) return tl::unexpected(trials.error());
  if (!subjects) return tl::unexpected(subjects.error());
  const auto again = doubtful(*trials, *subjects, slow);
  if (again.empty()) return {};
  phase_ = "second look";
  const std::size_t before = field_.size();
  if (const auto r = readmit(again); !r) return r;
  std::vector<EntrantId> entrants;
  for (const auto& c : field_) entrants.push_back(c->subject);
  for (int i = 0; i < kCalmRounds; ++i) {
    const auto timed = round(Phase::screen, order_from_here().of(entrants, i));
    if (!timed) return tl::unexpected(timed.error());
    for (const Lost& l : timed->lost) std::erase(entrants, l.subject);
  }
  double best = std::numeric_limits<double>::infinity();
  for (const auto& c : field_) {
    if (c->handle != 0 && !over_bound(c->trial)) best = std::min(best, c->cost);
  }
  for (std::size_t i = before; i < field_.size(); ++i) {
    if (field_[i]->handle == 0 || !std::isfinite(field_[i]->cost)) continue;
    if (const auto r = settle(*field_[i], best); !r) return r;
  }
  return keep_best(static_cast<std::size_t>(request_.protocol.contenders));
}

}  // namespace gemwright::tuner
