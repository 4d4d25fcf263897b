// Which compute modes stay in the search: those that keep the study's error bound.
//
// The error of a mode hardly depends on the config: it is the rounding of the operands. So a mode whose smallest error
// is far above the bound leaves the space, and the search spends its budget on the others.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// Errors of configs of one mode differ by less than this factor: the order of sums is all that differs.
constexpr double kSpreadOfErrors = 1.5;

}  // namespace

bool StudyRun::over_bound(const Trial& t) const {
  const auto bound = request_.key.max_error;
  return bound && t.error_fro && *t.error_fro > *bound;
}

std::string StudyRun::over_bound_text(const Trial& t) const {
  return fmt::format("its error {:.2e} exceeds --max-error {:.2e}", *t.error_fro, *request_.key.max_error);
}

Result<void> StudyRun::narrow_modes() {
  if (!request_.key.max_error) return {};
  const auto trials = store_.trials(record_.id);
  if (!trials) return tl::unexpected(trials.error());
  std::map<ComputeMode, double> least;
  for (const Trial& t : *trials) {
    if (!t.error_fro) continue;
    const auto [known, fresh] = least.try_emplace(t.config.mode, *t.error_fro);
    if (!fresh) known->second = std::min(known->second, *t.error_fro);
  }
  const auto hopeless = [&](ComputeMode m) {
    return least.contains(m) && least[m] > kSpreadOfErrors * *request_.key.max_error;
  };
  if (std::erase_if(space_.modes, hopeless) == 0 || strategy_ == nullptr) return {};
  return start_strategy();
}

// Whether a mode that is still admitted was not tried yet.
bool StudyRun::modes_left() const {
  return std::any_of(space_.modes.begin(), space_.modes.end(),
                     [this](ComputeMode m) { return !tried_modes_.contains(m); });
}

// Contenders that keep the bound, from place `first` of the field on.
std::size_t StudyRun::within_bound(std::size_t first) const {
  return static_cast<std::size_t>(std::count_if(field_.begin() + static_cast<std::ptrdiff_t>(first), field_.end(),
                                                [this](const auto& c) { return !over_bound(c->trial); }));
}

// A strategy over the space as it is now, told everything that the study observed. Without any mode nobody asks it, but
// trials that are taken back are still told to it.
Result<void> StudyRun::start_strategy() {
  const auto trials = store_.trials(record_.id);
  const auto subjects = store_.subjects(record_.id);
  if (!trials) return tl::unexpected(trials.error());
  if (!subjects) return tl::unexpected(subjects.error());
  auto strategy = make_strategy(request_.attributes.strategy, space_.modes.empty() ? request_.space : space_,
                                request_.attributes.seed, {},
                                [this](Param p, std::int64_t value) { return steering_.allows(p, value); });
  if (!strategy) return tl::unexpected(strategy.error());
  strategy_ = std::move(*strategy);
  const auto subject_of = subjects_by_trial(*subjects);
  for (const Trial& t : *trials) {
    if (t.state == TrialState::running) continue;
    const bool timed = subject_of.contains(t.id) && !over_bound(t);
    strategy_->observe({t.config, timed ? log_.cost(subject_of.at(t.id), reference()) : std::nullopt, t.state});
  }
  return {};
}

}  // namespace gemwright::tuner
