#include "tuner/measure/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "tuner/random.h"

namespace gemwright::tuner {
namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Statistics, MedianMadAndQuantilesOfKnownValues) {
  EXPECT_EQ(median({3, 1, 2}), 2.0);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({7}), 7.0);
  EXPECT_EQ(mad({1, 1, 2, 2, 4, 6, 9}), 1.0);
  EXPECT_EQ(quantile({10, 20, 30, 40, 50}, 0.25), 20.0);
  EXPECT_DOUBLE_EQ(*quantile({10, 20}, 0.1), 11.0);
  EXPECT_EQ(quantile({10, 20}, 1), 20.0);
  EXPECT_DOUBLE_EQ(*geomean({1, 4, 16}), 4.0);
}

TEST(Statistics, NothingIsMadeOfNothingOrOfValuesThatAreNotNumbers) {
  EXPECT_EQ(median({}), std::nullopt);
  EXPECT_EQ(median({1, kNaN}), std::nullopt);
  EXPECT_EQ(mad({}), std::nullopt);
  EXPECT_EQ(geomean({1, 0}), std::nullopt);
  EXPECT_EQ(quantile({1, 2}, 1.5), std::nullopt);
  EXPECT_EQ(quantile({1, 2}, kNaN), std::nullopt);
  EXPECT_FALSE(sign_test_interval({}, 0.95));
  EXPECT_FALSE(sign_test_interval({1, 2, 3, 4, 5, 6, std::numeric_limits<double>::infinity()}, 0.95));
  EXPECT_FALSE(sign_test_interval({1, 2, 3, 4, 5, 6}, 1));
  EXPECT_FALSE(sign_test_interval({1, 2, 3, 4, 5, 6}, kNaN));
}

TEST(Statistics, SignTestIntervalIsTheTabledOne) {
  const auto ranks = [](int n, double confidence) {
    std::vector<double> values(static_cast<std::size_t>(n));
    std::iota(values.rbegin(), values.rend(), 1.0);
    return sign_test_interval(values, confidence);
  };
  EXPECT_FALSE(ranks(5, 0.95));
  const struct {
    int n;
    double confidence, lo, hi, coverage;
  } table[] = {{6, 0.95, 1, 6, 0.96875},
               {8, 0.95, 1, 8, 0.9921875},
               {9, 0.95, 2, 8, 0.9609375},
               {10, 0.95, 2, 9, 0.978515625},
               {20, 0.95, 6, 15, 0.958610534667969},
               {26, 0.95, 8, 19, 0.9710407257080078},
               {26, 0.99, 7, 20, 0.9906446933746338},
               {100, 0.95, 40, 61, 0.964799799782}};
  for (const auto& row : table) {
    const auto interval = ranks(row.n, row.confidence);
    ASSERT_TRUE(interval) << row.n;
    EXPECT_EQ(interval->lo, row.lo) << row.n;
    EXPECT_EQ(interval->hi, row.hi) << row.n;
    EXPECT_NEAR(interval->coverage, row.coverage, 1e-9) << row.n;
  }
}

TEST(Statistics, SignTestIntervalHoldsForManySamples) {
  std::vector<double> values(5000);
  std::iota(values.begin(), values.end(), 0.0);
  const auto interval = sign_test_interval(values, 0.95);
  ASSERT_TRUE(interval);
  // The normal approximation: n/2 -+ 1.96 sqrt(n)/2.
  EXPECT_NEAR(interval->lo, 2500 - 1.96 * std::sqrt(5000.0) / 2, 2);
  EXPECT_NEAR(interval->hi, 2500 + 1.96 * std::sqrt(5000.0) / 2, 2);
  EXPECT_GE(interval->coverage, 0.95);
}

TEST(Statistics, SignTestIntervalCoversTheMedianOfSkewedNoise) {
  Random random(1);
  int covered = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values;
    for (int i = 0; i < 26; ++i) values.push_back(-std::log(1 - random.unit()));  // exponential: median ln 2
    covered += sign_test_interval(values, 0.95)->contains(std::log(2.0)) ? 1 : 0;
  }
  EXPECT_GT(covered, kTrials * 0.95);
  EXPECT_LT(covered, kTrials * 0.99);
}

TEST(Statistics, ConfidenceIsSharedByAllComparisons) {
  EXPECT_DOUBLE_EQ(confidence_of_each(0.95, 1), 0.95);
  EXPECT_DOUBLE_EQ(confidence_of_each(0.95, 5), 0.99);
  EXPECT_DOUBLE_EQ(confidence_of_each(0.95, 0), 0.95);
}

TEST(Statistics, RoundsFormLatinSquares) {
  for (int subjects : {1, 2, 3, 5, 8}) {
    for (std::int64_t square = 0; square < 4; ++square) {
      std::set<std::pair<int, int>> seen;  // (place, subject)
      for (int row = 0; row < subjects; ++row) {
        const auto order = latin_round_order(subjects, square * subjects + row, Random(42));
        ASSERT_EQ(order.size(), static_cast<std::size_t>(subjects));
        for (int place = 0; place < subjects; ++place) seen.emplace(place, order[static_cast<std::size_t>(place)]);
      }
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(subjects * subjects));
    }
  }
  EXPECT_TRUE(latin_round_order(0, 0, Random(1)).empty());
}

TEST(Statistics, RoundOrderIsRandomByItsSeedAlone) {
  std::set<std::vector<int>> orders;
  for (std::int64_t round = 0; round < 60; ++round) {
    EXPECT_EQ(latin_round_order(6, round, Random(9)), latin_round_order(6, round, Random(9)));
    orders.insert(latin_round_order(6, round, Random(9)));
  }
  EXPECT_GT(orders.size(), 50U);
  EXPECT_NE(latin_round_order(6, 0, Random(1)), latin_round_order(6, 0, Random(2)));
}

TEST(Random, SequenceIsFixed) {
  std::uint64_t state = 0;
  EXPECT_EQ(splitmix64(state), 0xE220A8397B1DCDAFU);  // the reference sequence of SplitMix64 from seed 0
  EXPECT_EQ(splitmix64(state), 0x6E789E6AA1B965F4U);
  Random random(1234);
  std::vector<int> counts(7);
  for (int i = 0; i < 7000; ++i) ++counts[random.below(7)];
  for (int count : counts) EXPECT_NEAR(count, 1000, 150);
  for (int i = 0; i < 1000; ++i) {
    const double u = random.unit();
    EXPECT_TRUE(u >= 0 && u < 1);
  }
}

}  // namespace
}  // namespace gemwright::tuner
