#include "tuner/insight/importance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tuner/random.h"

namespace gemwright::tuner {
namespace {

// Every combination of mr 1..8, ku 1, 2, 4, order 0..5 and kc 64, 128, 256, 512.
std::vector<ObservedCost> grid(double (*cost)(const Config&)) {
  std::vector<ObservedCost> out;
  for (int mr = 1; mr <= 8; ++mr) {
    for (const int ku : {1, 2, 4}) {
      for (int order = 0; order < 6; ++order) {
        for (const int kc : {64, 128, 256, 512}) {
          Config c;
          set_value(c, Param::mr, mr);
          set_value(c, Param::ku, ku);
          set_value(c, Param::order, order);
          set_value(c, Param::kc, kc);
          out.push_back({c, cost(c)});
        }
      }
    }
  }
  return out;
}

const ParameterImportance& of(const Importance& i, Param p) {
  return *std::find_if(i.parameters.begin(), i.parameters.end(), [&](const auto& x) { return x.param == p; });
}

TEST(Importance, TheParameterThatDecidesAloneIsAlmostAllOfIt) {
  const Importance i = importance(grid([](const Config& c) { return 100.0 / c.tile.mr; }));
  ASSERT_EQ(i.parameters.size(), 4u);
  EXPECT_EQ(i.trials, 576u);
  EXPECT_EQ(i.top, 58u);
  EXPECT_EQ(i.parameters.front().param, Param::mr);
  EXPECT_EQ(i.parameters.front().values, 8u);
  EXPECT_TRUE(i.parameters.front().beyond_chance);
  EXPECT_GT(i.parameters.front().importance, 0.8);
  double sum = 0;
  for (const auto& p : i.parameters) sum += p.importance;
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_TRUE(i.reason.empty());
}

TEST(Importance, AParameterWithNamesCountsWhateverTheOrderOfItsNames) {
  // The fast ones are neither the first nor the last, nor beside each other.
  const Importance i = importance(grid([](const Config& c) {
    const auto o = value(c, Param::order);
    return (o == 1 || o == 4 ? 1.0 : 2.0) + 0.01 / c.tile.mr;
  }));
  EXPECT_EQ(i.parameters.front().param, Param::order);
  EXPECT_TRUE(of(i, Param::order).beyond_chance);
  EXPECT_FALSE(of(i, Param::ku).beyond_chance);
}

TEST(Importance, ItIsTheClosedFormOfThePaperOnTwoNames) {
  // 20 trials, 10 of each name; the best 5 have the one name. One trial more is spread over both.
  std::vector<ObservedCost> trials;
  for (int i = 0; i < 20; ++i) {
    Config c;
    set_value(c, Param::rows_inside, i < 10 ? 1 : 0);
    trials.push_back({c, static_cast<double>(i)});
  }
  const Importance i = importance(trials);
  ASSERT_EQ(i.parameters.size(), 1u);
  EXPECT_EQ(i.top, 5u);
  const double p = 5.5 / 6, q = 0.5;
  EXPECT_NEAR(i.parameters[0].divergence, q * std::pow(p / q - 1, 2) + q * std::pow((1 - p) / q - 1, 2), 1e-12);
  EXPECT_DOUBLE_EQ(i.parameters[0].importance, 1);
}

TEST(Importance, ChanceAloneIsSaidToBeChance) {
  Random random(7);
  int beyond = 0, parameters = 0;
  for (int repeat = 0; repeat < 20; ++repeat) {
    auto trials = grid([](const Config&) { return 0.0; });
    for (ObservedCost& t : trials) t.cost = static_cast<double>(random.below(1'000'000));
    for (const auto& p : importance(trials).parameters) {
      ++parameters;
      beyond += p.beyond_chance ? 1 : 0;
    }
  }
  EXPECT_EQ(parameters, 80);
  EXPECT_LE(beyond, 8);
}

TEST(Importance, TooFewTrialsGiveAReasonInsteadOfFigures) {
  auto trials = grid([](const Config& c) { return static_cast<double>(c.tile.mr); });
  trials.resize(kMinForImportance + 1);
  trials[0].cost = std::numeric_limits<double>::quiet_NaN();
  trials[1].cost = HUGE_VAL;
  const Importance i = importance(trials);
  EXPECT_EQ(i.trials, kMinForImportance - 1);
  EXPECT_TRUE(i.parameters.empty());
  EXPECT_NE(i.reason.find("needs 20 trials"), std::string::npos);
  EXPECT_FALSE(importance({}).reason.empty());
}

TEST(Importance, TrialsOfOneConfigHaveNoParameterToTellOf) {
  const Importance i = importance(std::vector<ObservedCost>(50, ObservedCost{{}, 1}));
  EXPECT_TRUE(i.parameters.empty());
  EXPECT_FALSE(i.reason.empty());
}

TEST(Importance, SizesAndNamesAreToldApart) {
  EXPECT_TRUE(has_names(Param::isa));
  EXPECT_TRUE(has_names(Param::pack_a));
  EXPECT_FALSE(has_names(Param::kc));
}

}  // namespace
}  // namespace gemwright::tuner
