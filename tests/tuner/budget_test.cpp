// When a study has searched enough, without a clock.
#include "tuner/study/budget.h"

#include <gtest/gtest.h>

namespace gemwright::tuner {
namespace {

constexpr double kMs = 1e6;

Budget seconds(double s) {
  Budget b;
  b.seconds = s;
  return b;
}

Budget trials(std::int64_t n) {
  Budget b;
  b.trials = n;
  return b;
}

TEST(Budget, OfTrialsEndsWithThemWhateverTheTime) {
  EXPECT_FALSE(search_is_over_after(trials(8), {1000, 7, 1000, 1 * kMs}));
  EXPECT_TRUE(search_is_over_after(trials(8), {0, 8, 0, {}}));
}

TEST(Budget, OfATimeLeavesAShareToTheFinal) {
  EXPECT_FALSE(search_is_over_after(seconds(20), {12.9, 0, 0, 900 * kMs}));
  EXPECT_TRUE(search_is_over_after(seconds(20), {13, 0, 0, 900 * kMs}));
}

TEST(Budget, TheDefaultIsATimeAndForLongCallsAlsoANumberOfThem) {
  EXPECT_TRUE(search_is_over_after({}, {6.5, 3, 3, 9 * kMs}));
  EXPECT_TRUE(search_is_over_after({}, {6.5, 3, 3, {}}));
  EXPECT_FALSE(search_is_over_after({}, {6.5, 3, 40, 100 * kMs}));
  EXPECT_TRUE(search_is_over_after({}, {6.5, 3, 41, 100 * kMs}));  // two candidates more would be too many
  EXPECT_FALSE(search_is_over_after({}, {1, 3, kDefaultCalls, 11 * kMs}));
}

TEST(Budget, FewerCallsWhereAHundredWouldTakeTooLongButNeverTooFewToCompare) {
  EXPECT_EQ(default_calls(20 * kMs), 100);
  EXPECT_EQ(default_calls(120 * kMs), 100);
  EXPECT_EQ(default_calls(300 * kMs), 40);
  EXPECT_EQ(default_calls(1400 * kMs), kLeastCalls);
  EXPECT_EQ(default_calls(1e15), kLeastCalls);
  EXPECT_FALSE(search_is_over_after({}, {20, 3, 8, 1400 * kMs}));
  EXPECT_TRUE(search_is_over_after({}, {20, 3, 9, 1400 * kMs}));
}

TEST(Budget, BatchesOfLongCallsFitTheSearch) {
  EXPECT_FALSE(affordable_batch({}, {0, 0, 0, {}}));
  EXPECT_FALSE(affordable_batch({}, {0, 0, 0, 1 * kMs}));
  EXPECT_FALSE(affordable_batch(trials(8), {0, 0, 0, 1400 * kMs}));
  EXPECT_EQ(affordable_batch({}, {0, 0, 0, 100 * kMs}), 20U);
  EXPECT_EQ(affordable_batch({}, {0, 0, 0, 300 * kMs}), 8U);
  EXPECT_EQ(affordable_batch({}, {0, 0, 0, 410 * kMs}), 10U);  // one call each from here on
  EXPECT_EQ(affordable_batch({}, {0, 0, 0, 1400 * kMs}), 8U);
  EXPECT_EQ(affordable_batch({}, {0, 3, 5, 1400 * kMs}), 4U);
  EXPECT_EQ(affordable_batch({}, {0, 20, 100, 1400 * kMs}), 2U);
  EXPECT_EQ(affordable_batch(seconds(60), {0, 0, 0, 1300 * kMs}), 24U);
  EXPECT_EQ(affordable_batch(seconds(1), {0, 0, 0, 1400 * kMs}), 2U);
  EXPECT_GT(affordable_batch(seconds(10), {0, 0, 0, 1e-3}), 1000U);
}

}  // namespace
}  // namespace gemwright::tuner
