// Configs whose order changes with the cache state, over the studies of a store: rows and tables. The decision is in
// tuner/insight/rank_flip.h.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/model/filter.h"
#include "tuner/insight/rank_flip.h"
#include "tuner/study/store.h"

namespace gemwright::app {

// How many flips a table shows; JSON has them all, up to tuner::kMaxFlips.
constexpr std::size_t kShownFlips = 20;

// Two studies that differ in their cache state only.
struct FlipPair {
  tuner::StudyRecord hot, other;
  tuner::RankFlips flips;
};

struct RankFlipView {
  std::vector<FlipPair> pairs;
  std::vector<tuner::RankFlip> flips;  // of all pairs, the largest first, at most tuner::kMaxFlips
  std::size_t count = 0;               // of flips, kept or not
};

// Only studies whose rows match the filter.
tuner::Result<RankFlipView> rank_flip_view(const tuner::Store& store, const Filter& filter);

// What to do where no two studies differ in their cache state only.
std::string no_pairs_text();
std::string rank_flip_text(const RankFlipView& view);
std::vector<nlohmann::json> rank_flip_rows(const RankFlipView& view);

}  // namespace gemwright::app
