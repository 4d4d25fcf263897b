#include "tuner/measure/rounds.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gemwright::tuner {
namespace {

TEST(Rounds, PairsWhatWasTimedInTheSameRound) {
  // The host halves its clock in round 2; the pairing does not see it. Round 3 and 4 lack one of the two.
  RoundLog log;
  for (const auto& [round, fast, slow] : {std::tuple{0, 10.0, 20.0}, {2, 20.0, 40.0}, {5, 10.0, 20.0}}) {
    log.add(round, {1, std::log(fast), false});
    log.add(round, {2, std::log(slow), false});
  }
  log.add(3, {1, std::log(10.0), false});
  log.add(4, {2, std::log(10.0), false});
  const auto leads = log.leads(1, 2);
  ASSERT_EQ(leads.size(), 3U);
  for (const double lead : leads) EXPECT_NEAR(lead, std::log(2.0), 1e-12);
  EXPECT_NEAR(*log.cost(1, 2), -std::log(2.0), 1e-12);
  EXPECT_TRUE(log.leads(1, 7).empty());
  EXPECT_FALSE(log.cost(1, 7));
}

TEST(Rounds, DisturbedBlocksCountOnlyWhereTooFewOthersAreThere) {
  RoundLog log;
  for (int round = 0; round < 10; ++round) {
    log.add(round, {1, round < 4 ? 5.0 : 1.0, round < 4});
    log.add(round, {2, 2.0, false});
  }
  EXPECT_EQ(log.clean_pairs(1, 2), 6U);
  EXPECT_EQ(log.leads(1, 2).size(), 6U);
  EXPECT_DOUBLE_EQ(*log.log_ns(1), 1.0);
  RoundLog few;
  for (int round = 0; round < 10; ++round) {
    few.add(round, {1, 1.0, round < 5});
    few.add(round, {2, 2.0, false});
  }
  EXPECT_EQ(few.leads(1, 2).size(), 10U);
}

TEST(Rounds, TwinsOfOneEntrantDifferByNoiseOnlyWhateverTheirPlaceCosts) {
  // The second place costs 3 %: with alternating signs the median of A/A stays at nothing.
  RoundLog log;
  for (int round = 0; round < 20; ++round) {
    log.add(round, {1, 1.00, false});
    log.add(round, {1, 1.03, false});
  }
  const auto twins = log.twins(1);
  ASSERT_EQ(twins.size(), 20U);
  EXPECT_NEAR(*median(twins), 0.0, 1e-12);
  EXPECT_TRUE(log.twins(2).empty());
}

TEST(Rounds, AnUndisturbedTwinSpeaksForItsRound) {
  RoundLog log;
  log.add(0, {1, 9.0, true});
  log.add(0, {1, 1.0, false});
  log.add(0, {2, 2.0, false});
  EXPECT_NEAR(log.leads(1, 2).front(), 1.0, 1e-12);
  EXPECT_EQ(log.clean_pairs(1, 2), 1U);
}

TEST(Rounds, AFieldIsRankedWithoutAReference) {
  RoundLog log;
  for (int round = 0; round < 8; ++round) {
    const double clock = 0.1 * round;
    log.add(round, {1, 1.0 + clock, false});
    log.add(round, {2, 1.2 + clock, false});
    log.add(round, {3, 1.1 + clock, false});
  }
  log.add(8, {2, -50, false});  // a round that misses others says nothing about the order
  const std::vector<EntrantId> field{1, 2, 3};
  EXPECT_NEAR(*log.centred(1, field), -0.1, 1e-12);
  EXPECT_NEAR(*log.centred(2, field), 0.1, 1e-12);
  EXPECT_NEAR(*log.centred(3, field), 0.0, 1e-12);
  EXPECT_FALSE(log.centred(9, field));
}

TEST(Rounds, ARoundIsSlowWhereEveryBlockOfTheReferenceWas) {
  constexpr EntrantId kReference = 9;
  RoundLog log;
  for (int round = 0; round < 3; ++round) {
    log.add(round, {1, round == 0 ? 4.0 : 1.0, false});
    log.add(round, {kReference, round == 0 ? 3.0 : 2.0, false});
  }
  log.add(0, {2, 1.5, false});
  log.add(3, {3, 1.5, false});  // without the reference
  log.add(4, {4, 1.5, false});
  log.add(4, {kReference, 3.0, false});
  log.add(4, {kReference, 2.0, false});  // the second block was not slow
  log.mark_slow(kReference, 2.5);
  EXPECT_EQ(log.clean_pairs(1, kReference), 2U);
  EXPECT_EQ(log.clean_pairs(2, kReference), 0U);
  EXPECT_DOUBLE_EQ(*log.cost(1, kReference), -1.0);
  EXPECT_EQ(log.clean_pairs(4, kReference), 1U);
}

}  // namespace
}  // namespace gemwright::tuner
