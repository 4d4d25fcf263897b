// What fusing the chain gained: the winner beside its product alone, and beside product and chain as two passes.
#include <array>

#include "tuner/measure/statistics.h"
#include "tuner/space/limits.h"
#include "tuner/study/study_run.h"

namespace gemwright::tuner {
namespace {

// Blocks of each of the three, in turns that begin with another one each time.
constexpr int kFusionRounds = 9;

}  // namespace

// Nothing where the chain has no other place, or a subject fails: the study is as good without.
Result<std::vector<profilers::Counter>> StudyRun::fusion_of(const Contender& winner) {
  std::vector<profilers::Counter> none;
  const Config& config = winner.trial.config;
  if (!may_choose_fusion(request_.key.problem, config)) return none;
  Config apart = config;
  apart.blocking.chain_at = gemwright::fusion::pass;
  const auto bare = measurer_.admit_bare(apart);
  if (!bare || bare->state != TrialState::ok) return none;
  int separate = winner.handle;
  if (config.blocking.chain_at != gemwright::fusion::pass) {
    const auto admitted = measurer_.admit(apart);
    if (!admitted || admitted->state != TrialState::ok) return none;
    separate = admitted->handle;
  }
  const std::array<std::pair<const char*, int>, 3> subjects = {
      {{kFusionWhole, winner.handle}, {kFusionProduct, bare->handle}, {kFusionSeparate, separate}}};
  std::array<std::vector<double>, 3> times;
  for (std::size_t i = 0; i < kFusionRounds * subjects.size(); ++i) {
    const std::size_t which = (i + i / subjects.size()) % subjects.size();
    if (const auto r = attend(); !r) return tl::unexpected(r.error());
    const auto block = measurer_.block(subjects[which].second, timer_->calls_of_a_block());
    if (!block) return tl::unexpected(block.error());
    if (block->state != TrialState::ok) return none;
    times[which].push_back(static_cast<double>(block->ns) / static_cast<double>(block->calls));
  }
  for (const int handle : {bare->handle, separate}) {
    if (handle == winner.handle) continue;
    if (const auto r = measurer_.drop(handle); !r) return tl::unexpected(r.error());
  }
  std::vector<profilers::Counter> found;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    found.push_back({kFusionProvider, subjects[i].first, "ns", profilers::CounterStatus::counted, median(times[i]), 1,
                     "median of interleaved blocks"});
  }
  return found;
}

}  // namespace gemwright::tuner
