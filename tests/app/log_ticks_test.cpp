#include "app/model/log_ticks.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

std::vector<int> whole(const std::vector<double>& ticks) {
  std::vector<int> out;
  for (const double t : ticks) out.push_back(static_cast<int>(t + 0.5));
  return out;
}

TEST(LogTicks, AreDecadesWhereTheAxisIsLong) {
  EXPECT_EQ(whole(log_ticks(0.5, 20000)), (std::vector<int>{1, 10, 100, 1000, 10000}));
}

TEST(LogTicks, AreCloserWhereTheAxisIsShort) {
  EXPECT_EQ(whole(log_ticks(8, 300)), (std::vector<int>{10, 20, 50, 100, 200}));
  EXPECT_EQ(whole(log_ticks(38, 85)), (std::vector<int>{40, 50, 60, 70, 80}));
}

TEST(LogTicks, LeaveTheEndOfTheAxisFree) { EXPECT_EQ(whole(log_ticks(1, 1000)), (std::vector<int>{1, 10, 100})); }

TEST(LogTicks, OfNoRangeThereAreNone) {
  EXPECT_TRUE(log_ticks(0, 10).empty());
  EXPECT_TRUE(log_ticks(10, 10).empty());
  EXPECT_TRUE(log_ticks(-1, 10).empty());
}

}  // namespace
}  // namespace gemwright::app
