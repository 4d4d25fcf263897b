#include "tuner/insight/pareto.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gemwright::tuner {
namespace {

using Front = std::vector<std::size_t>;

TEST(Pareto, KeepsWhatIsFasterThanAllThatIsMoreExactByGrowingError) {
  EXPECT_EQ(pareto_front({{2e-2, 400}, {3e-7, 100}, {4e-3, 200}, {5e-3, 150}, {3e-2, 390}}), (Front{1, 2, 0}));
}

TEST(Pareto, OfEqualPointsTheFirstStandsAndHalfEqualOnesAreDominated) {
  EXPECT_EQ(pareto_front({{1e-3, 100}, {1e-3, 100}}), (Front{0}));
  EXPECT_EQ(pareto_front({{1e-3, 100}, {1e-3, 120}}), (Front{1}));
  EXPECT_EQ(pareto_front({{2e-3, 100}, {1e-3, 100}}), (Front{1}));
}

TEST(Pareto, OfErrorsWithinOnePercentTheFastestStands) {
  EXPECT_EQ(pareto_front({{1e-3, 100}, {1.005e-3, 120}, {1.009e-3, 110}}), (Front{1}));
  EXPECT_EQ(pareto_front({{1e-3, 100}, {1.02e-3, 120}}), (Front{0, 1}));
}

TEST(Pareto, AnErrorOfZeroIsOnTheFront) { EXPECT_EQ(pareto_front({{1e-3, 100}, {0, 50}}), (Front{1, 0})); }

TEST(Pareto, WhatLacksAFigureOrHasNoNumberIsOnNoFront) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(pareto_front({{std::nullopt, 100},
                          {1e-3, std::nullopt},
                          {kNan, 100},
                          {1e-3, kNan},
                          {-1.0, 100},
                          {1e-3, 0},
                          {1e-3, HUGE_VAL},
                          {1e-2, 1}}),
            (Front{7}));
  EXPECT_TRUE(pareto_front({}).empty());
}

}  // namespace
}  // namespace gemwright::tuner
