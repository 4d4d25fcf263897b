#include "app/model/log_ticks.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemwright::app {
namespace {

std::vector<int> whole(const std::vector<double>& ticks) {
  std::vector<int> out;
  for (const double t : ticks) out.push_back(static_cast<int>(t + 0.5));
  return out;
}

TEST(LogTicks, AreDecadesWhereTheAxisIsLong) {
  EXPECT_EQ(whole(log_ticks(0.5, 20000, 0)), (std::vector<int>{1, 10, 100, 1000, 10000}));
}

TEST(LogTicks, AreCloserWhereTheAxisIsShort) {
  EXPECT_EQ(whole(log_ticks(8, 300, 0)), (std::vector<int>{10, 20, 50, 100, 200}));
  EXPECT_EQ(whole(log_ticks(38, 85, 0)), (std::vector<int>{40, 50, 60, 70, 80}));
}

TEST(LogTicks, KeepTheirDistanceAndDropTheOddDigitsFirst) {
  // Labels of a quarter of the axis: that of 9e-7 would run into that of 1e-6.
  const auto ticks = log_ticks(7e-7, 3.5e-6, 0.25);
  ASSERT_FALSE(ticks.empty());
  EXPECT_DOUBLE_EQ(ticks.front(), 1e-6);
  for (std::size_t i = 1; i < ticks.size(); ++i) EXPECT_GE(std::log(ticks[i] / ticks[i - 1]), 0.25 * std::log(5));
  EXPECT_EQ(whole(log_ticks(38, 85, 0.2)), (std::vector<int>{40, 50, 60, 80}));
  EXPECT_EQ(whole(log_ticks(0.5, 20000, 0.3)), (std::vector<int>{1, 100, 10000}));
}

TEST(LogTicks, LeaveTheEndOfTheAxisFree) { EXPECT_EQ(whole(log_ticks(1, 1000, 0)), (std::vector<int>{1, 10, 100})); }

TEST(LogTicks, OfNoRangeThereAreNone) {
  EXPECT_TRUE(log_ticks(0, 10, 0).empty());
  EXPECT_TRUE(log_ticks(10, 10, 0).empty());
  EXPECT_TRUE(log_ticks(-1, 10, 0).empty());
}

}  // namespace
}  // namespace gemwright::app
