#include "app/model/selection.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

const StudyRef kStudy{0, 1}, kOther{1, 1};

TEST(Selection, WhatIsHoveredInOneFrameIsShownInTheNextAndNoLonger) {
  Selection s;
  s.begin_frame();
  s.hover({kStudy, 7});
  EXPECT_FALSE(s.hovered());
  EXPECT_TRUE(s.hover_changed());
  s.begin_frame();
  EXPECT_EQ(s.hovered()->trial, 7);
  s.begin_frame();
  EXPECT_FALSE(s.hovered());
}

TEST(Selection, SelectingATrialSelectsItsStudyAndAnotherStudyClearsTheTrial) {
  Selection s;
  s.select(TrialRef{kStudy, 7});
  EXPECT_EQ(s.study(), kStudy);
  s.select(kStudy);
  EXPECT_TRUE(s.trial());
  s.select(kOther);  // the same number in another database
  EXPECT_FALSE(s.trial());
}

TEST(Selection, PinningTheSameTrialAgainTakesThePinOff) {
  Selection s;
  s.pin(Selection::Side::a, {kStudy, 7});
  EXPECT_EQ(s.pinned(Selection::Side::a)->trial, 7);
  EXPECT_FALSE(s.pinned(Selection::Side::b));
  s.pin(Selection::Side::a, {kStudy, 8});
  EXPECT_EQ(s.pinned(Selection::Side::a)->trial, 8);
  s.pin(Selection::Side::a, {kStudy, 8});
  EXPECT_FALSE(s.pinned(Selection::Side::a));
}

TEST(Selection, AHalfTypedFilterKeepsTheLastValidOneAndSaysWhatIsMissing) {
  Selection s;
  s.set_filter("m<=32");
  const int version = s.filter_version();
  EXPECT_TRUE(s.filtered());
  s.set_filter("m<=32 and");
  EXPECT_EQ(s.filter_version(), version);
  ASSERT_EQ(s.filter().comparisons().size(), 1u);
  EXPECT_EQ(s.filter().comparisons().front().field, "m");
  EXPECT_EQ(s.filter_text(), "m<=32 and");
  EXPECT_EQ(s.filter_error().find("--filter"), std::string::npos);
  EXPECT_NE(s.filter_error().find("expected 'field op value'"), std::string::npos);
  s.set_filter("");
  EXPECT_FALSE(s.filtered());
  EXPECT_TRUE(s.filter_error().empty());
  EXPECT_GT(s.filter_version(), version);
}

}  // namespace
}  // namespace gemwright::app
