#include "app/model/repaint.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

const auto kQuiet = [] { return false; };
const auto kTimed = [] { return true; };

// The frames that are drawn until the policy waits.
int frames_until_wait(RepaintPolicy& policy, double now) {
  int frames = 0;
  while (frames < 100 && policy.next(now, kQuiet).draw) ++frames;
  return frames;
}

RepaintPolicy settled() {
  RepaintPolicy policy;
  frames_until_wait(policy, 0);
  return policy;
}

TEST(Repaint, AnIdleWindowDrawsItsFirstPictureAndThenNothingForEver) {
  RepaintPolicy policy;
  EXPECT_EQ(frames_until_wait(policy, 0), 4);
  const RepaintStep step = policy.next(1e9, kQuiet);
  EXPECT_FALSE(step.draw);
  EXPECT_EQ(step.wait, RepaintPolicy::kForEver);
}

TEST(Repaint, InputIsAnsweredAtOnceEvenWhileABlockIsTimed) {
  RepaintPolicy policy = settled();
  policy.input();
  EXPECT_TRUE(policy.next(10, kTimed).draw);
  EXPECT_EQ(frames_until_wait(policy, 10), 3);
}

TEST(Repaint, NewDataWaitsForTheEndOfATimedBlock) {
  RepaintPolicy policy = settled();
  policy.data();
  const RepaintStep step = policy.next(10, kTimed);
  EXPECT_FALSE(step.draw);
  EXPECT_GT(step.wait, 0);
  EXPECT_LT(step.wait, 1);
  EXPECT_TRUE(policy.next(10.1, kQuiet).draw);
  EXPECT_FALSE(policy.next(10.2, kQuiet).draw);
}

TEST(Repaint, MuchDataIsDrawnFourTimesASecondAtMost) {
  RepaintPolicy policy = settled();
  int frames = 0;
  for (int ms = 1000; ms < 3000; ms += 10) {
    policy.data();
    if (policy.next(ms / 1000.0, kQuiet).draw) ++frames;
  }
  EXPECT_GE(frames, 7);
  EXPECT_LE(frames, 9);
}

TEST(Repaint, FramesThatTakeLongAreDrawnLessOften) {
  RepaintPolicy policy = settled();
  policy.took(0.02);
  int frames = 0;
  for (int ms = 1000; ms < 11000; ms += 10) {
    policy.data();
    if (policy.next(ms / 1000.0, kQuiet).draw) ++frames;
  }
  EXPECT_EQ(frames, 10) << "2 % of ten seconds";
  policy.input();
  EXPECT_TRUE(policy.next(11, kQuiet).draw) << "input is answered at once";
}

TEST(Repaint, DataThatCameTooSoonWaitsAsLongAsItMust) {
  RepaintPolicy policy = settled();
  policy.data();
  EXPECT_TRUE(policy.next(10, kQuiet).draw);
  policy.data();
  const RepaintStep step = policy.next(10.05, kQuiet);
  EXPECT_FALSE(step.draw);
  EXPECT_NEAR(step.wait, 0.2, 1e-9);
}

TEST(Repaint, WorkInProgressIsShownMoreOftenAndStopsWithIt) {
  RepaintPolicy policy = settled();
  policy.progress();
  EXPECT_TRUE(policy.next(10, kQuiet).draw);
  policy.progress();
  EXPECT_TRUE(policy.next(10.04, kQuiet).draw);
  EXPECT_EQ(policy.next(10.1, kQuiet).wait, RepaintPolicy::kForEver);
}

TEST(Repaint, AMinimisedWindowDrawsNothingUntilItIsBack) {
  RepaintPolicy policy = settled();
  policy.minimised(true);
  policy.input();
  policy.data();
  EXPECT_EQ(policy.next(10, kQuiet).wait, RepaintPolicy::kForEver);
  policy.minimised(false);
  EXPECT_TRUE(policy.next(11, kQuiet).draw);
}

}  // namespace
}  // namespace gemwright::app
