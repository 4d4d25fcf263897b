#include "tuner/study/measure_protocol.h"

#include <gtest/gtest.h>

namespace gemwright::tuner {
namespace {

TEST(MeasureProtocol, RoundsAndFinalistsShrinkWhereACallIsLong) {
  const MeasureProtocol p = *measure_protocol("normal");
  EXPECT_EQ(rounds_for(p.confirm_rounds, p.min_confirm_rounds, {}, 6), 26);
  EXPECT_EQ(rounds_for(p.confirm_rounds, p.min_confirm_rounds, 50e3, 6), 26);
  const int some = rounds_for(p.confirm_rounds, p.min_confirm_rounds, 30e6, 6);
  EXPECT_LT(some, 26);
  EXPECT_GT(some, p.min_confirm_rounds);
  EXPECT_EQ(rounds_for(p.confirm_rounds, p.min_confirm_rounds, 1e9, 6), p.min_confirm_rounds);
  EXPECT_EQ(rounds_for(5, 10, 1e9, 6), 5);
  EXPECT_EQ(final_size(p, {}), (FinalSize{4, 2}));
  EXPECT_EQ(final_size(p, 1e6), (FinalSize{4, 2}));
  EXPECT_EQ(final_size(p, 90e6), (FinalSize{3, 1}));
  EXPECT_EQ(final_size(p, 10e9), (FinalSize{2, 1}));
}

TEST(MeasureProtocol, WhatClaimsNothingIsConfirmedInTheFewestRoundsThatGiveAnInterval) {
  const MeasureProtocol p = *measure_protocol("normal");
  EXPECT_EQ(least_confirm_rounds(p, true), p.min_confirm_rounds);
  EXPECT_EQ(least_confirm_rounds(p, false), 6);
}

}  // namespace
}  // namespace gemwright::tuner
