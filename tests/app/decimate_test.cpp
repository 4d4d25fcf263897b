#include "app/model/decimate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gemwright::app {
namespace {

const PlotArea kArea{0, 100, 0, 100};

TEST(Decimate, EachCellKeepsItsHighestPointAndCountsAll) {
  const auto cells = decimate({{1, 1, 0}, {2, 9, 1}, {3, 5, 2}, {51, 1, 3}}, kArea, 10, 10);
  ASSERT_EQ(cells.size(), 2u);
  EXPECT_EQ(cells[0].best.index, 1u);
  EXPECT_EQ(cells[0].count, 3u);
  EXPECT_EQ(cells[1].best.index, 3u);
  EXPECT_EQ(cells[1].count, 1u);
}

TEST(Decimate, OfEqualPointsTheFirstStands) {
  EXPECT_EQ(decimate({{1, 1, 8}, {1, 1, 9}}, kArea, 10, 10).front().best.index, 8u);
}

TEST(Decimate, TheEdgesBelongToTheAreaAndWhatLiesOutsideIsLeftOut) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const auto cells =
      decimate({{0, 0, 0}, {100, 100, 1}, {-1, 5, 2}, {5, 101, 3}, {kNan, 5, 4}, {5, HUGE_VAL, 5}}, kArea, 4, 4);
  ASSERT_EQ(cells.size(), 2u);
  EXPECT_EQ(cells[0].best.index, 0u);
  EXPECT_EQ(cells[1].best.index, 1u);
}

TEST(Decimate, AnAreaWithoutExtentHasNoCells) {
  EXPECT_TRUE(decimate({{1, 1, 0}}, {1, 1, 0, 2}, 4, 4).empty());
  EXPECT_TRUE(decimate({{1, 1, 0}}, kArea, 0, 4).empty());
}

TEST(Decimate, FewPointsAreDrawnExactlyAndManyInAsManyCellsAsAllowed) {
  EXPECT_EQ(cell_side(800, 500, 2000, 2000), 1);
  const int side = cell_side(800, 500, 50000, 2000);
  EXPECT_LE((800 / side) * (500 / side), 2000);
  EXPECT_GT(side, 10);
}

}  // namespace
}  // namespace gemwright::app
