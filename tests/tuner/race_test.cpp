// Screen, race and final over scripted noise with known answers.
#include "tuner/measure/race.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "scripted_noise.h"

namespace gemwright::tuner {
namespace {

constexpr EntrantId kReference = 100, kAnchor = 101;
constexpr Noise kAllNoise[] = {Noise::quiet, Noise::drift, Noise::steal, Noise::heavy_tails, Noise::bimodal};

std::map<EntrantId, double> with_fixed(std::map<EntrantId, double> ns) {
  ns[kReference] = 1300;
  ns[kAnchor] = 160;
  return ns;
}

RoundOrder order_for(std::uint64_t seed) { return {{kReference, kAnchor}, Random(seed)}; }

struct FinalRun {
  FinalResult result;
  int rounds = 0;
  std::vector<std::vector<EntrantId>> orders;
};

FinalRun run_final(Noise noise, const std::map<EntrantId, double>& ns, std::uint64_t seed, FinalRules rules = {}) {
  ScriptedNoise machine(noise, with_fixed(ns), seed * 7919 + 1);
  std::vector<EntrantId> finalists;
  for (const auto& [x, time] : ns) finalists.push_back(x);
  Final final(finalists, rules, order_for(seed));
  FinalRun run;
  while (true) {
    const auto order = final.next();
    if (order.empty()) break;
    run.orders.push_back(order);
    final.finish_round(machine.time(order), false);
    ++run.rounds;
  }
  run.result = final.result();
  return run;
}

// How many of 100 finals certify entrant 1.
int wins_of_the_first(Noise noise, const std::map<EntrantId, double>& ns) {
  int wins = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const FinalRun run = run_final(noise, ns, seed);
    wins += run.result.certified() && run.result.best == 1 ? 1 : 0;
  }
  return wins;
}

TEST(Final, TwoIdenticalCandidatesHaveNoWinner) {
  for (const Noise noise : kAllNoise) {
    int named = 0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
      named += run_final(noise, {{1, 1000}, {2, 1000}}, seed).result.certified() ? 1 : 0;
    }
    EXPECT_LE(named, 4) << static_cast<int>(noise);  // 1 % of 200 is 2
  }
}

TEST(Final, SkewedNoiseOfSingleBlocksMakesNoWinner) {
  // More rounds make a bias worse: those of the careful protocol.
  for (const Noise noise : {Noise::lognormal, Noise::fast_mode, Noise::slow_mode, Noise::exponential}) {
    int named = 0;
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
      named += run_final(noise, {{1, 1000}, {2, 1000}}, seed, {52, 12}).result.certified() ? 1 : 0;
    }
    EXPECT_LE(named, 15) << static_cast<int>(noise);  // 1 % of 1000 is 10
  }
}

TEST(Final, FourIdenticalCandidatesHaveNoWinner) {
  int named = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    named += run_final(Noise::drift, {{1, 1000}, {2, 1000}, {3, 1000}, {4, 1000}}, seed).result.certified() ? 1 : 0;
  }
  EXPECT_LE(named, 4);
}

TEST(Final, ALeadOfThreePercentIsFoundUnderEveryKindOfNoise) {
  for (const Noise noise : kAllNoise) {
    EXPECT_GE(wins_of_the_first(noise, {{1, 1000}, {2, 1030}}), 97) << static_cast<int>(noise);
  }
}

TEST(Final, ALeadOfThreePercentOverThreeRivalsIsFound) {
  EXPECT_GE(wins_of_the_first(Noise::quiet, {{1, 1000}, {2, 1030}, {3, 1040}, {4, 1050}}), 97);
}

TEST(Final, RoughNoiseNeedsMoreThanOneLook) {
  const std::map<EntrantId, double> ns{{1, 1000}, {2, 1030}};
  int longer = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) longer += run_final(Noise::rough, ns, seed).rounds > 26 ? 1 : 0;
  EXPECT_GT(longer, 0);
  EXPECT_GE(wins_of_the_first(Noise::rough, ns), 80);
}

TEST(Final, NoLeadBelowTheNoiseFloorIsClaimed) {
  for (const Noise noise : kAllNoise) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      const FinalResult r = run_final(noise, {{1, 1000}, {2, 1004}}, seed).result;
      ASSERT_TRUE(r.noise_floor);
      if (!r.certified()) continue;
      EXPECT_GT(r.rivals.front().lead, *r.noise_floor);
    }
  }
}

TEST(Final, TheLeaderRunsTwiceAndEveryOtherOnceARound) {
  const FinalRun run = run_final(Noise::quiet, {{1, 1000}, {2, 1030}, {3, 1200}}, 3);
  for (const auto& order : run.orders) {
    EXPECT_EQ(std::count(order.begin(), order.end(), 1), 2);
    EXPECT_EQ(std::count(order.begin(), order.end(), kReference), 1);
    EXPECT_EQ(std::count(order.begin(), order.end(), kAnchor), 1);
  }
}

TEST(Final, DisturbedRoundsAreRepeatedUpToHalfAsManyAgain) {
  EXPECT_GT(run_final(Noise::steal, {{1, 1000}, {2, 1100}}, 5).rounds, 26);
  EXPECT_EQ(run_final(Noise::quiet, {{1, 1000}, {2, 1100}}, 5).rounds, 26);
  // Nothing but disturbed blocks: 1.5 times as many rounds, and the figures are made of them.
  Final final({1, 2}, {}, order_for(1));
  int rounds = 0;
  while (!final.next().empty() && rounds < 1000) {
    std::vector<Heat> heats;
    for (const EntrantId x : final.next()) heats.push_back({x, x == 2 ? 1.1 : 1.0, true});
    final.finish_round(heats, false);
    ++rounds;
  }
  EXPECT_EQ(rounds, 39);
  EXPECT_EQ(final.result().best, 1);
}

TEST(Final, StopsAtTheLeastNumberOfRoundsWhenTimeIsUp) {
  ScriptedNoise machine(Noise::quiet, with_fixed({{1, 1000}, {2, 1200}}), 1);
  Final final({1, 2}, {26, 12}, order_for(1));
  int rounds = 0;
  while (!final.next().empty()) {
    final.finish_round(machine.time(final.next()), true);
    ++rounds;
  }
  EXPECT_EQ(rounds, 12);
  EXPECT_TRUE(final.result().certified());  // 20 % ahead in twelve rounds of twelve
}

TEST(Final, HoweverLittleTimeThereIsALeadInEveryRoundCanBeCertified) {
  for (const int finalists : {2, 4, 6}) {
    std::vector<EntrantId> all;
    for (int i = 1; i <= finalists; ++i) all.push_back(i);
    Final final(all, {26, 1}, order_for(1));
    while (!final.next().empty()) {
      std::vector<Heat> heats;
      const auto order = final.next();
      for (const EntrantId x : order) heats.push_back({x, static_cast<double>(x), false});
      final.finish_round(heats, true);
    }
    EXPECT_TRUE(final.result().certified()) << finalists;
  }
}

TEST(Final, ClaimsNothingFromTheFewRoundsThatVeryLongCallsAreWorth) {
  ScriptedNoise machine(Noise::quiet, with_fixed({{1, 1000}, {2, 1200}}), 1);
  Final final({1, 2}, {6, 6, false}, order_for(1));
  int rounds = 0;
  while (!final.next().empty()) {
    auto members = final.next();
    std::sort(members.begin(), members.end());
    EXPECT_EQ(members, (std::vector<EntrantId>{1, 2, kReference, kAnchor})) << "nobody runs twice";
    final.finish_round(machine.time(final.next()), false);
    ++rounds;
  }
  EXPECT_EQ(rounds, 6);
  EXPECT_EQ(final.result().best, 1);
  EXPECT_TRUE(final.result().noise_floor) << "of the ratio to the rival";
  EXPECT_FALSE(final.result().certified());
}

TEST(Final, ClaimsNothingWithoutTimeHoweverManyRoundsWereDisturbed) {
  Final final({1, 2}, {8, 6, false}, order_for(1));
  int rounds = 0;
  for (auto order = final.next(); !order.empty(); order = final.next(), ++rounds) {
    std::vector<Heat> heats;
    for (const EntrantId x : order) heats.push_back({x, static_cast<double>(x), true});
    final.finish_round(heats, false);
  }
  EXPECT_EQ(rounds, 12);  // more than a certificate takes
  EXPECT_FALSE(final.result().certified());
}

TEST(Final, ALoneFinalistRunsTwiceWhetherOrNotThereIsTime) {
  Final final({1}, {6, 6, false}, order_for(1));
  int rounds = 0;
  for (auto order = final.next(); !order.empty(); order = final.next(), ++rounds) {
    EXPECT_EQ(std::count(order.begin(), order.end(), 1), 2);
    std::vector<Heat> heats;
    for (const EntrantId x : order) heats.push_back({x, static_cast<double>(x), false});
    final.finish_round(heats, false);
  }
  EXPECT_EQ(rounds, 6);
  EXPECT_TRUE(final.result().noise_floor);
}

TEST(Final, NoRoundIsWastedOnATwinThatHasLeft) {
  // 1 runs twice and is slower; 2 and 3 go on to the later looks.
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_LE(run_final(Noise::rough, {{1, 1100}, {2, 1000}, {3, 1015}}, seed).rounds, 78);
  }
}

TEST(Final, ALoneFinalistIsMeasuredButBeatsNobody) {
  const FinalRun run = run_final(Noise::quiet, {{1, 1000}}, 1);
  EXPECT_EQ(run.rounds, 26);
  EXPECT_EQ(run.result.best, 1);
  EXPECT_FALSE(run.result.certified());
  EXPECT_TRUE(run.result.noise_floor);
}

TEST(Final, AFailedFinalistNeitherWinsNorTies) {
  ScriptedNoise machine(Noise::quiet, with_fixed({{1, 1000}, {2, 1100}, {3, 1200}}), 1);
  Final final({1, 2, 3}, {}, order_for(1));
  int rounds = 0;
  while (!final.next().empty()) {
    if (++rounds == 5) final.withdraw(1);
    const auto order = final.next();
    if (rounds >= 5) {
      EXPECT_EQ(std::count(order.begin(), order.end(), 1), 0);
      EXPECT_EQ(std::count(order.begin(), order.end(), 2), 2);  // the next one runs twice
    }
    final.finish_round(machine.time(order), false);
  }
  const FinalResult r = final.result();
  EXPECT_EQ(r.best, 2);
  ASSERT_EQ(r.rivals.size(), 1U);
  EXPECT_EQ(r.rivals.front().entrant, 3);
  Final all_fail({1}, {}, order_for(1));
  all_fail.withdraw(1);
  EXPECT_TRUE(all_fail.next().empty());
  EXPECT_FALSE(all_fail.result().best);
}

TEST(Final, TheSameSeedGivesTheSameDecisionsBitForBit) {
  for (const Noise noise : kAllNoise) {
    const std::map<EntrantId, double> ns{{1, 1000}, {2, 1006}, {3, 1012}};
    const FinalRun x = run_final(noise, ns, 11), y = run_final(noise, ns, 11);
    EXPECT_EQ(x.orders, y.orders);
    EXPECT_EQ(x.result.best, y.result.best);
    EXPECT_EQ(x.result.noise_floor, y.result.noise_floor);
    ASSERT_EQ(x.result.rivals.size(), y.result.rivals.size());
    for (std::size_t i = 0; i < x.result.rivals.size(); ++i) {
      EXPECT_EQ(x.result.rivals[i].entrant, y.result.rivals[i].entrant);
      EXPECT_EQ(x.result.rivals[i].lead, y.result.rivals[i].lead);
    }
    EXPECT_NE(x.orders, run_final(noise, ns, 12).orders);
  }
}

std::vector<EntrantId> run_race(Noise noise, const std::map<EntrantId, double>& ns, std::uint64_t seed, int& rounds) {
  ScriptedNoise machine(noise, with_fixed(ns), seed);
  std::vector<EntrantId> entrants;
  for (const auto& [x, time] : ns) entrants.push_back(x);
  Race race(entrants, kReference, {}, order_for(seed));
  rounds = 0;
  while (true) {
    const auto order = race.next();
    if (order.empty()) break;
    race.finish_round(machine.time(order), false);
    ++rounds;
  }
  return race.left();
}

TEST(Race, KeepsTheBestAndLosesThoseFarBehind) {
  for (const Noise noise : kAllNoise) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      int rounds = 0;
      const auto left =
          run_race(noise, {{1, 1000}, {2, 1010}, {3, 1020}, {4, 1500}, {5, 1600}, {6, 1700}}, seed, rounds);
      EXPECT_NE(std::find(left.begin(), left.end(), 1), left.end()) << static_cast<int>(noise) << " seed " << seed;
      EXPECT_LE(left.size(), 4U);
      EXPECT_LE(rounds, 12);
    }
  }
}

TEST(Race, EndsAsSoonAsFewEnoughAreLeft) {
  int rounds = 0;
  const auto left = run_race(Noise::quiet, {{1, 1000}, {2, 1500}, {3, 1500}, {4, 1500}, {5, 1500}}, 1, rounds);
  EXPECT_EQ(left, std::vector<EntrantId>{1});
  EXPECT_EQ(rounds, kRaceMinRounds);
  (void)run_race(Noise::quiet, {{1, 1000}, {2, 1500}}, 1, rounds);
  EXPECT_EQ(rounds, 0);
}

TEST(Race, RacesEqualsToTheEndAndStopsWhenTimeIsUp) {
  int rounds = 0;
  const auto left = run_race(Noise::quiet, {{1, 1000}, {2, 1000}, {3, 1000}, {4, 1000}, {5, 1000}}, 4, rounds);
  EXPECT_EQ(rounds, 8);
  EXPECT_GE(left.size(), 4U);
  Race race({1, 2, 3, 4, 5}, kReference, {}, order_for(1));
  ScriptedNoise machine(Noise::quiet, with_fixed({{1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}}), 1);
  race.finish_round(machine.time(race.next()), true);
  EXPECT_TRUE(race.next().empty());
}

TEST(Screen, TimesEachNewcomerOnceBesideTheBestSoFar) {
  Screen screen({1, 2, 3}, {8, 9}, kReference, order_for(1));
  const auto order = screen.next();
  EXPECT_EQ(std::set<EntrantId>(order.begin(), order.end()), (std::set<EntrantId>{1, 2, 3, 8, 9, kReference, kAnchor}));
  std::vector<Heat> heats;
  for (const EntrantId x : order) heats.push_back({x, 1, false});
  screen.finish_round(heats);
  EXPECT_TRUE(screen.next().empty());
  EXPECT_TRUE(Screen({}, {8, 9}, kReference, order_for(1)).next().empty());
}

TEST(Screen, WhoWasSeenAlreadyIsNotTimedAgainUnlessInDoubt) {
  Screen screen({1, 2, 3}, {8}, kReference, order_for(1), {{1, 1, false}, {2, 1, true}});
  const auto order = screen.next();
  EXPECT_EQ(std::set<EntrantId>(order.begin(), order.end()), (std::set<EntrantId>{3, 8, kReference, kAnchor}));
  std::vector<Heat> heats;
  for (const EntrantId x : order) heats.push_back({x, 1, false});
  screen.finish_round(heats);
  const auto again = screen.next();  // the block of 2 was disturbed
  EXPECT_EQ(std::set<EntrantId>(again.begin(), again.end()), (std::set<EntrantId>{2, kReference, kAnchor}));
  const auto alone = Screen({1}, {}, kReference, order_for(1), {{1, 1, false}}).next();
  EXPECT_EQ(std::set<EntrantId>(alone.begin(), alone.end()), (std::set<EntrantId>{kReference, kAnchor}));
}

TEST(Screen, ADisturbedNewcomerGetsAnotherBlockButNotForEver) {
  Screen screen({1, 2, 3}, {8}, kReference, order_for(1));
  int rounds = 0;
  for (auto order = screen.next(); !order.empty(); order = screen.next()) {
    std::vector<Heat> heats;
    for (const EntrantId x : order) {
      if (x != 3) heats.push_back({x, 1, x == 2});  // 3 failed: nothing came back
    }
    screen.finish_round(heats);
    if (++rounds > 1) {
      EXPECT_EQ(std::count(order.begin(), order.end(), 2), 1);
      EXPECT_EQ(std::count(order.begin(), order.end(), 1), 0);
      EXPECT_EQ(std::count(order.begin(), order.end(), 3), 0);
    }
  }
  EXPECT_EQ(rounds, 3);
}

TEST(Screen, ADisturbedBlockOfALongCallIsRepeatedOnce) {
  const auto rounds = [](double log_ns) {
    Screen screen({1, 2}, {}, kReference, order_for(1));
    int timed = 0;
    for (auto order = screen.next(); !order.empty(); order = screen.next(), ++timed) {
      std::vector<Heat> heats;
      for (const EntrantId x : order) heats.push_back({x, log_ns, x == 2});
      screen.finish_round(heats);
    }
    return timed;
  };
  EXPECT_EQ(rounds(std::log(kSteadyNs)), 3);
  EXPECT_EQ(rounds(std::log(kSteadyNs) + 0.1), 2);
}

TEST(Screen, ALongCallThatIsFarBehindIsNotRepeatedForItsDisturbance) {
  const auto again = [](double log_ns) {
    Screen screen({1, 2, 3}, {}, kReference, order_for(1));
    std::vector<Heat> heats;
    const auto first = screen.next();
    for (const EntrantId x : first) heats.push_back({x, x == 3 ? log_ns + 2 * std::log(kRaceFactor) : log_ns, true});
    screen.finish_round(heats);
    const auto order = screen.next();
    return std::count(order.begin(), order.end(), 3);
  };
  EXPECT_EQ(again(std::log(kSteadyNs) - 1), 1);
  EXPECT_EQ(again(std::log(kSteadyNs) + 0.1), 0);
}

TEST(Screen, WhoWouldLeaveGetsASecondBlockAndAThirdWhereTheyContradictEachOther) {
  Screen screen({1, 2, 3}, {}, kReference, order_for(1));
  const auto run = [&](double of_2, double of_3) {
    const auto order = screen.next();
    std::vector<Heat> heats;
    for (const EntrantId x : order) heats.push_back({x, x == 2 ? of_2 : x == 3 ? of_3 : 1, false});
    screen.finish_round(heats);
    return std::set<EntrantId>(order.begin(), order.end());
  };
  EXPECT_EQ(run(2, 2), (std::set<EntrantId>{1, 2, 3, kReference, kAnchor}));  // both e times slower than 1
  EXPECT_EQ(run(2, 1), (std::set<EntrantId>{2, 3, kReference, kAnchor}));     // again for 2, no longer for 3
  EXPECT_EQ(run(2, 1), (std::set<EntrantId>{3, kReference, kAnchor}));
  EXPECT_TRUE(screen.next().empty());
}

TEST(Screen, ABlockOfALongCallThatSaysSlowIsBelieved) {
  const auto again = [](double log_ns) {
    Screen screen({1, 2}, {}, kReference, order_for(1));
    std::vector<Heat> heats;
    for (const EntrantId x : screen.next()) heats.push_back({x, x == 2 ? log_ns + 1 : log_ns, false});
    screen.finish_round(heats);
    return !screen.next().empty();
  };
  EXPECT_TRUE(again(std::log(kSteadyNs) - 1.5));
  EXPECT_FALSE(again(std::log(kSteadyNs)));
}

TEST(Screen, ADisturbedReferenceIsNobodysFault) {
  Screen screen({1, 2}, {}, kReference, order_for(1));
  std::vector<Heat> heats;
  for (const EntrantId x : screen.next()) heats.push_back({x, 1, x == kReference});
  screen.finish_round(heats);
  EXPECT_EQ(screen.next().size(), 4U);
}

}  // namespace
}  // namespace gemwright::tuner
