// What fusing the chain gained: the winner beside its product alone, and beside product and chain as two passes.
#include <vector>

#include "tuner/measure/statistics.h"
#include "tuner/space/limits.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// Blocks of each of the three, in turns that begin with another one each time: fewer where they are long.
constexpr int kFusionRounds = 9;
constexpr int kLeastRounds = 3;
// Of the budget: rounds beyond the least, and all of it.
constexpr double kFusionShare = 0.1, kMostFusionShare = 0.3;

}  // namespace

// Times of the subjects, round by round; none where one of them failed.
Result<std::vector<std::vector<double>>> StudyRun::fusion_times(const std::vector<int>& handles) {
  const double until = hooks_.now() + kFusionShare * budget_seconds();
  std::vector<std::vector<double>> times(handles.size());
  for (std::size_t round = 0; round < kFusionRounds; ++round) {
    if (round >= kLeastRounds && hooks_.now() > until) break;
    for (std::size_t i = 0; i < handles.size(); ++i) {
      const std::size_t which = (i + round) % handles.size();
      if (const auto r = attend(); !r) return tl::unexpected(r.error());
      const auto block = measurer_.block(handles[which], timer_->calls_of_a_block());
      if (!block) return tl::unexpected(block.error());
      if (block->state != TrialState::ok) return std::vector<std::vector<double>>();
      times[which].push_back(static_cast<double>(block->ns) / static_cast<double>(block->calls));
    }
  }
  return times;
}

// Nothing where the chain has no other place, where its blocks would take more than the budget allows, or where a
// subject fails: the study is as good without.
Result<std::vector<profilers::Counter>> StudyRun::fusion_of(const Contender& winner) {
  std::vector<profilers::Counter> found;
  const Config& config = winner.trial.config;
  if (!may_choose_fusion(request_.key.problem, config)) return found;
  const double least_calls = 3 * kLeastRounds + 2;  // two of the three are verified first
  if (timer_->call_ns().value_or(0) * 1e-9 * least_calls > kMostFusionShare * budget_seconds()) return found;
  Config apart = config;
  apart.blocking.chain_at = gemwright::fusion::pass;
  // The sums of a pair wait in memory then: chunks that fit it.
  const auto fitting = repaired(space_, apart);
  if (!fitting) return found;
  apart = *fitting;
  apart.blocking.chain_at = gemwright::fusion::pass;  // also where the halves meet nowhere else
  const auto bare = measurer_.admit_bare(apart);
  if (!bare || bare->state != TrialState::ok) return found;
  std::vector<int> handles{winner.handle, bare->handle}, ours{bare->handle};
  if (config.blocking.chain_at == gemwright::fusion::pass) {
    handles.push_back(winner.handle);
  } else if (const auto separate = measurer_.admit(apart); separate && separate->state == TrialState::ok) {
    handles.push_back(separate->handle);
    ours.push_back(separate->handle);
  }
  const auto times = handles.size() == 3 ? fusion_times(handles) : std::vector<std::vector<double>>();
  for (const int handle : ours) {
    if (const auto r = measurer_.drop(handle); !r) return tl::unexpected(r.error());
  }
  if (!times) return tl::unexpected(times.error());
  constexpr const char* kNames[] = {kFusionWhole, kFusionProduct, kFusionSeparate};
  for (std::size_t i = 0; i < times->size(); ++i) {
    found.push_back({kFusionProvider, kNames[i], "ns", profilers::CounterStatus::counted, median((*times)[i]), 1,
                     "median of interleaved blocks"});
  }
  return found;
}

}  // namespace gemwright::tuner
