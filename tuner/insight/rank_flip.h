// Configs whose order depends on the cache state: x beats y when the operands are in the caches and loses to it when
// they are not. A tuner that measures in the wrong state then picks the wrong one.
//
// Idea: two studies that differ in their cache state only are put side by side, and each pair of configs that both have
// tried is looked up in both. Pure decision over speeds that somebody measured.
//
// Units: speeds are over the same reference within a study, so only their ratios within a study mean anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

// Of a study that states none: what a quiet machine does to two identical candidates.
constexpr double kDefaultNoiseFloor = 0.01;
// No more flips are kept; the largest are.
constexpr std::size_t kMaxFlips = 10'000;

struct RankedConfig {
  std::string key;  // of the config: identity over studies
  std::string label;
  TrialId trial = 0;
  double speed = 0;         // over the study's reference; > 0
  std::int64_t blocks = 1;  // that the speed is the median of
};

struct RankedStudy {
  StudyId study = 0;
  CacheState cache = CacheState::hot;
  std::optional<double> noise_floor;  // 0.01 is 1 %
  std::vector<RankedConfig> configs;
};

// x is faster than y in the hot study and slower in the other.
struct RankFlip {
  StudyId hot = 0, other = 0;
  TrialId x_hot = 0, y_hot = 0, x_other = 0, y_other = 0;
  std::string x, y;                            // labels
  double ratio_hot = 1, ratio_other = 1;       // speed of x over y
  std::size_t x_rank_hot = 0, y_rank_hot = 0;  // 1 is the fastest among the configs tried in both
  std::size_t x_rank_other = 0, y_rank_other = 0;

  // By how much the ratio moves from one cache state to the other: what the flips are sorted by.
  double size() const { return ratio_hot / ratio_other; }
};

struct RankFlips {
  std::size_t common = 0;       // configs tried in both
  std::size_t count = 0;        // of flips, kept or not
  std::vector<RankFlip> flips;  // the largest first, at most kMaxFlips
};

// Both differences have to exceed the noise floor of their study. The floor is one of medians of so many blocks as the
// best measured config has; for a median of fewer it is wider by the root of their ratio.
RankFlips rank_flips(const RankedStudy& hot, const RankedStudy& other);

// Pairs of indices (hot, rotate or cold) of studies that differ in nothing else; of each key the newest finished one.
std::vector<std::pair<std::size_t, std::size_t>> cache_state_pairs(const std::vector<StudyRecord>& studies);

}  // namespace gemwright::tuner
