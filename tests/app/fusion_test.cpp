// What `show fusion` makes of a study with a chain.
#include "app/model/fusion.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

FusionView view(double whole, double product, double separate) {
  FusionView v;
  v.study.id = 3;
  v.study.key.m = 8;
  v.study.key.problem.chain = {tuner::EpilogueOp::bias, tuner::EpilogueOp::silu};
  v.winner = 17;
  v.place = gemwright::fusion::tile;
  v.whole_ns = whole;
  v.product_ns = product;
  v.separate_ns = separate;
  v.best_gflops[1] = 123.4;
  return v;
}

TEST(Fusion, GainAndHiddenShareComeFromTheThreeTimes) {
  EXPECT_DOUBLE_EQ(*view(1000, 900, 1400).gain(), 1.4);
  EXPECT_DOUBLE_EQ(*view(1000, 900, 1400).hidden(), 0.8);
  EXPECT_LT(*view(1500, 900, 1400).hidden(), 0);  // fusing lost
  EXPECT_FALSE(view(1000, 900, 850).hidden());    // a pass that takes no time hides nothing
}

TEST(Fusion, AWinnerThatIsThePassGainsNothingAndAPassInTheNoiseHidesNothing) {
  FusionView pass = view(1000, 900, 1000);
  pass.place = gemwright::fusion::pass;
  EXPECT_FALSE(pass.gain());
  EXPECT_FALSE(pass.hidden());
  EXPECT_EQ(pass.note(), "the winner is the pass");
  FusionView noisy = view(1000, 900, 920);
  EXPECT_TRUE(noisy.hidden());
  noisy.study.outcome.noise_floor = 0.03;
  EXPECT_FALSE(noisy.hidden());
  EXPECT_EQ(noisy.note(), "the pass is lost in the noise");
  FusionView close = view(1000, 900, 1020);
  close.study.outcome.noise_floor = 0.03;
  EXPECT_EQ(close.note(), "the gain is within the noise floor");
  close.separate_ns = 950;
  EXPECT_EQ(close.note(), "two passes were faster here");
  close.separate_ns = 1400;
  EXPECT_EQ(close.note(), "");
  FusionView alone = view(1000, 900, 1400);
  alone.whole_ns.reset();
  EXPECT_EQ(alone.note(), "not timed");
  alone.has_choice = false;
  EXPECT_EQ(alone.note(), "registers are the only place in this mode");
}

TEST(Fusion, WhatWasNotTimedIsAbsent) {
  FusionView v = view(1000, 900, 1400);
  v.separate_ns.reset();
  EXPECT_FALSE(v.gain());
  EXPECT_FALSE(v.hidden());
  const auto row = fusion_row(v);
  EXPECT_TRUE(row.at("separate_ns").is_null());
  EXPECT_TRUE(row.at("gain").is_null());
  EXPECT_TRUE(row.at("best_gflops").at("pass").is_null());
  EXPECT_EQ(row.at("best_gflops").at("tile"), 123.4);
}

TEST(Fusion, TheTableNamesThePlaceAndItsSpeed) {
  const std::string text = fusion_table({view(1000, 900, 1400)});
  for (const char* part : {"bias+silu", "tile", "1.400", "80 %", "123.4"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

}  // namespace
}  // namespace gemwright::app
