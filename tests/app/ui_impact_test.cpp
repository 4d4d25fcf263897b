#include "app/model/ui_impact.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemwright::app {
namespace {

// Rounds that drift slowly, with chance of up to `noise` either way; beside the window a block takes `cost` longer.
std::vector<ImpactRound> rounds(int count, double cost, double noise) {
  std::vector<ImpactRound> out;
  for (int i = 0; i < count; ++i) {
    const double drift = 0.05 * i;
    const double chance[] = {0.0, 1.0, -0.6, 0.3, -1.0, 0.7, -0.2};
    const auto at = [&](int place) { return drift + noise * chance[(i + place) % 7]; };
    out.push_back({{at(0), at(1)}, {at(2) + cost, at(5) + cost}});
  }
  return out;
}

TEST(UiImpact, AWindowThatCostsNothingHolds) {
  const auto impact = ui_impact(rounds(14, 0, 0.01), {});
  ASSERT_TRUE(impact);
  EXPECT_TRUE(impact->holds()) << ui_impact_text(*impact);
  EXPECT_LE(impact->of.lo, 1);
  EXPECT_GE(impact->of.hi, 1);
  EXPECT_EQ(impact->rounds, 14);
}

TEST(UiImpact, AWindowThatCostsMoreThanTheNoiseDoesNot) {
  const auto impact = ui_impact(rounds(14, 0.05, 0.01), {});
  ASSERT_TRUE(impact);
  EXPECT_FALSE(impact->contains_one);
  EXPECT_FALSE(impact->holds());
  EXPECT_NEAR(impact->ratio, std::exp(0.05), 0.01);
  EXPECT_NE(ui_impact_text(*impact).find("no: blocks take longer while the window is open"), std::string::npos);
}

TEST(UiImpact, AnIntervalFarWiderThanTheNoiseDoesNotHoldAlthoughItContainsOne) {
  auto r = rounds(14, 0, 0.001);
  for (std::size_t i = 0; i < r.size(); ++i) {
    for (double& open : r[i].open) open += i % 2 == 0 ? 0.5 : -0.5;
  }
  const auto impact = ui_impact(r, {});
  ASSERT_TRUE(impact);
  EXPECT_TRUE(impact->contains_one);
  EXPECT_FALSE(impact->narrow);
  EXPECT_FALSE(impact->holds());
  EXPECT_EQ(ui_impact_row(*impact)["holds"], false);
}

TEST(UiImpact, AboveAFloorOfTenPercentNothingCanBeTold) {
  const auto impact = ui_impact(rounds(14, 0, 0.4), {});
  ASSERT_TRUE(impact);
  EXPECT_TRUE(impact->contains_one);
  EXPECT_TRUE(impact->narrow);
  EXPECT_FALSE(impact->can_tell());
  EXPECT_FALSE(impact->holds());
  EXPECT_NE(ui_impact_text(*impact).find("cannot tell: the noise floor of"), std::string::npos);
  EXPECT_EQ(ui_impact_row(*impact)["can_tell"], false);
}

TEST(UiImpact, TheNoiseFloorIsTheFarEndOfClosedOverClosed) {
  auto r = rounds(14, 0, 0);
  for (ImpactRound& x : r) x.closed[1] += 0.02;
  const auto impact = ui_impact(r, {});
  ASSERT_TRUE(impact);
  EXPECT_NEAR(impact->noise_floor, std::expm1(0.02), 1e-9);
}

TEST(UiImpact, TooFewRoundsTellNothing) {
  EXPECT_FALSE(ui_impact(rounds(kMinImpactRounds - 1, 0, 0.01), {}));
  EXPECT_TRUE(ui_impact(rounds(kMinImpactRounds, 0, 0.01), {}));
  EXPECT_FALSE(ui_impact({}, {}));
}

}  // namespace
}  // namespace gemwright::app
