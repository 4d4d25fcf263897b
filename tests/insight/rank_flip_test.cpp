#include "tuner/insight/rank_flip.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemwright::tuner {
namespace {

RankedConfig config(const std::string& name, TrialId trial, double speed, std::int64_t blocks = 26) {
  return {name, "label " + name, trial, speed, blocks};
}

RankedStudy study(StudyId id, CacheState cache, std::vector<RankedConfig> configs) {
  return {id, cache, 0.01, std::move(configs)};
}

TEST(RankFlip, FindsThePairsWhoseOrderChangesLargestFirst) {
  const auto hot = study(1, CacheState::hot, {config("a", 1, 1.2), config("b", 2, 1.1), config("c", 3, 1.0)});
  const auto cold = study(2, CacheState::cold, {config("c", 13, 1.3), config("a", 11, 1.0), config("b", 12, 0.9)});
  const auto r = rank_flips(hot, cold);
  EXPECT_EQ(r.common, 3u);
  ASSERT_EQ(r.count, 2u);
  EXPECT_EQ(r.flips[0].x, "label b");  // 1.1 hot, 0.69 cold
  EXPECT_EQ(r.flips[0].y, "label c");
  EXPECT_NEAR(r.flips[0].ratio_hot, 1.1, 1e-12);
  EXPECT_NEAR(r.flips[0].ratio_other, 0.9 / 1.3, 1e-12);
  EXPECT_EQ(r.flips[0].x_rank_hot, 2u);
  EXPECT_EQ(r.flips[0].x_rank_other, 3u);
  EXPECT_EQ(r.flips[0].y_rank_hot, 3u);
  EXPECT_EQ(r.flips[0].y_rank_other, 1u);
  EXPECT_EQ(r.flips[0].y_other, 13);
  EXPECT_EQ(r.flips[1].x, "label a");
  EXPECT_GT(r.flips[0].size(), r.flips[1].size());
}

TEST(RankFlip, ADifferenceWithinTheNoiseOfEitherStudyIsNone) {
  const auto flips = [](double hot_gain, double cold_loss, std::optional<double> floor, std::int64_t blocks) {
    auto hot = study(1, CacheState::hot, {config("a", 1, hot_gain, blocks), config("b", 2, 1), config("z", 3, 1e-3)});
    auto cold = study(2, CacheState::cold, {config("a", 1, 1), config("b", 2, cold_loss)});
    hot.noise_floor = floor;
    return rank_flips(hot, cold).count;
  };
  EXPECT_EQ(flips(1.02, 1.02, 0.01, 26), 1u);
  EXPECT_EQ(flips(1.02, 1.005, 0.01, 26), 0u);
  EXPECT_EQ(flips(1.02, 1.02, 0.03, 26), 0u);
  EXPECT_EQ(flips(1.005, 1.02, {}, 26), 0u);  // none stated: 1 %
  EXPECT_EQ(flips(1.02, 1.02, {}, 26), 1u);
  EXPECT_EQ(flips(1.02, 1.02, 0.01, 1), 0u);  // one block alone says five times less
  EXPECT_EQ(flips(1.10, 1.02, 0.01, 1), 1u);
}

TEST(RankFlip, OnlyConfigsTriedInBothCountAndEachOnce) {
  const auto hot = study(
      1, CacheState::hot,
      {config("a", 1, 2), config("only hot", 2, 1), config("b", 3, 1), config("b", 4, 1), config("broken", 5, 0)});
  const auto cold =
      study(2, CacheState::cold, {config("a", 1, 1), config("b", 3, 2), config("broken", 5, 1), config("b", 6, 9)});
  const auto r = rank_flips(hot, cold);
  EXPECT_EQ(r.common, 2u);
  EXPECT_EQ(r.count, 1u);
  EXPECT_EQ(rank_flips(hot, study(2, CacheState::cold, {})).common, 0u);
}

TEST(RankFlip, KeepsTheLargestOfTooManyAndCountsAll) {
  std::vector<RankedConfig> hot, cold;
  constexpr int kConfigs = 250;  // 31125 pairs, all of which flip
  for (int i = 0; i < kConfigs; ++i) {
    const std::string name = std::to_string(i);
    hot.push_back(config(name, i, std::exp(0.1 * i)));
    cold.push_back(config(name, i, std::exp(-0.1 * i)));
  }
  const auto r = rank_flips(study(1, CacheState::hot, hot), study(2, CacheState::cold, cold));
  EXPECT_EQ(r.count, static_cast<std::size_t>(kConfigs * (kConfigs - 1) / 2));
  ASSERT_EQ(r.flips.size(), kMaxFlips);
  EXPECT_EQ(r.flips[0].x_hot, kConfigs - 1);
  EXPECT_EQ(r.flips[0].y_hot, 0);
  for (std::size_t i = 1; i < r.flips.size(); ++i) EXPECT_GE(r.flips[i - 1].size(), r.flips[i].size());
}

StudyRecord record(StudyId id, CacheState cache, std::int64_t m, int generation = 0) {
  StudyRecord s;
  s.id = id;
  s.generation = generation;
  s.key.problem.n = 64;
  s.key.problem.k = 64;
  s.key.m = m;
  s.key.cache = cache;
  s.key.cache_bytes = cache == CacheState::hot ? 0 : 2e8;
  s.state = StudyState::finished;
  return s;
}

TEST(CacheStatePairs, DifferInTheCacheStateAlone) {
  auto other_build = record(6, CacheState::cold, 4);
  other_build.key.build.digest = "other";
  auto running = record(5, CacheState::hot, 1, 2);
  running.state = StudyState::running;
  const std::vector<StudyRecord> studies{record(1, CacheState::hot, 1),    record(2, CacheState::cold, 1),
                                         record(3, CacheState::hot, 1, 1), record(4, CacheState::rotate, 1),
                                         record(7, CacheState::cold, 2),   running,
                                         record(8, CacheState::hot, 4),    other_build};
  const std::vector<std::pair<std::size_t, std::size_t>> expected{{2, 1}, {2, 3}};
  EXPECT_EQ(cache_state_pairs(studies), expected);
}

}  // namespace
}  // namespace gemwright::tuner
