#include "tuner/strategy/strategy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "search_inputs.h"
#include "tuner/strategy/surrogate.h"

namespace gemwright::tuner {
namespace {

using test::name_of;
using test::space_of;
using test::synthetic_cost;

std::unique_ptr<Strategy> make(std::string_view name, const SpaceInput& in, std::uint64_t seed = 1,
                               const std::vector<NamedConfig>& more = {}) {
  auto strategy = make_strategy(name, in, seed, more);
  EXPECT_TRUE(strategy);
  return std::move(*strategy);
}

struct SearchRun {
  std::vector<Proposal> proposals;
  double best = std::numeric_limits<double>::infinity();
};

// Proposes in batches and observes, like the engine; checks what every strategy promises.
SearchRun run(Strategy& strategy, const SpaceInput& in, int budget, int batch,
              double (*cost)(const Config&) = synthetic_cost) {
  SearchRun r;
  std::set<std::string> keys;
  while (static_cast<int>(r.proposals.size()) < budget && !strategy.finished()) {
    const auto proposed = strategy.propose(batch);
    if (proposed.empty()) {
      EXPECT_TRUE(strategy.finished()) << "nothing proposed, nothing under way, and not finished: " << name_of(in);
      return r;
    }
    EXPECT_LE(proposed.size(), static_cast<std::size_t>(batch));
    for (const Proposal& p : proposed) {
      EXPECT_TRUE(keys.insert(key(p.config)).second) << "again: " << label(p.config);
      EXPECT_EQ(violated(in, p.config), std::nullopt) << label(p.config);
      EXPECT_TRUE(canonical(in, p.config) == p.config) << label(p.config);
      EXPECT_FALSE(p.origin.empty());
      const double c = cost(p.config);
      r.best = std::min(r.best, c);
      strategy.observe({p.config, c, TrialState::ok});
      r.proposals.push_back(p);
    }
  }
  return r;
}

TEST(Strategy, UnknownNamesListTheKnownOnes) {
  const auto strategy = make_strategy("genetic", space_of(8, 64, 64), 1);
  ASSERT_FALSE(strategy);
  EXPECT_EQ(strategy.error().kind, ErrorKind::usage);
  for (std::string_view name : strategy_names()) {
    EXPECT_NE(strategy.error().message.find(name), std::string::npos) << name;
    EXPECT_TRUE(make_strategy(name, space_of(8, 64, 64), 1));
  }
  EXPECT_TRUE(make_strategy(kDefaultStrategy, space_of(8, 64, 64), 1));
}

TEST(Strategy, ExhaustiveVisitsEachConfigOfASmallSpaceOnce) {
  const SpaceInput in = space_of(3, 5, 3, 2, {isa::avx2});
  const auto strategy = make("exhaustive", in);
  const SearchRun r = run(*strategy, in, 1 << 20, 7);
  EXPECT_EQ(r.proposals.size(), size(in));
  EXPECT_TRUE(strategy->finished());
  EXPECT_TRUE(strategy->propose(5).empty());
}

// Spaces far too large to be walked: what is not allowed has to be left out branch by branch.
ValueFilter only(std::map<Param, std::int64_t> wanted) {
  return [wanted = std::move(wanted)](Param p, std::int64_t value) {
    const auto known = wanted.find(p);
    return known == wanted.end() || known->second == value;
  };
}

TEST(Strategy, ExhaustivePassesOverWhatIsNotAllowed) {
  const SpaceInput in = space_of(384, 768, 768, 1, {isa::avx2});
  const std::map<Param, std::int64_t> wanted{{Param::nv, 2},   {Param::mr, 6},   {Param::ku, 4},    {Param::ka, 1},
                                             {Param::kc, 384}, {Param::nc, 768}, {Param::order, 0}, {Param::hint, 0}};
  const auto strategy = *make_strategy("exhaustive", in, 1, {}, only(wanted));
  const SearchRun r = run(*strategy, in, 1 << 20, 5);
  EXPECT_TRUE(strategy->finished());
  EXPECT_GT(r.proposals.size(), 5U);
  for (const Proposal& p : r.proposals) {
    for (const auto& [param, value] : wanted) EXPECT_EQ(gemwright::tuner::value(p.config, param), value);
  }
}

TEST(Strategy, ExhaustiveGivesUpWhereNothingIsAllowed) {
  const SpaceInput in = space_of(4096, 4096, 4096, 2);
  const auto pass = static_cast<std::int64_t>(gemwright::fusion::pass);  // of a problem without a chain
  const auto strategy = *make_strategy("exhaustive", in, 1, {}, only({{Param::fusion, pass}}));
  EXPECT_TRUE(strategy->propose(1).empty());
  EXPECT_TRUE(strategy->finished());
}

TEST(Strategy, RandomEndsWithAllOfASmallSpace) {
  const SpaceInput in = space_of(3, 5, 1, 1, {isa::avx2});
  const auto strategy = make("random", in);
  EXPECT_EQ(run(*strategy, in, 1 << 20, 7).proposals.size(), size(in));
  EXPECT_TRUE(strategy->finished());
}

TEST(Strategy, LocalBeatsRandomAtEqualEvaluations) {
  const SpaceInput in = space_of(128, 4096, 4096, 2);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const SearchRun local = run(*make("local", in, seed), in, 150, 4);
    const SearchRun random = run(*make("random", in, seed), in, 150, 4);
    EXPECT_LT(local.best, random.best) << "seed " << seed;
  }
}

TEST(Strategy, LocalEndsWhereNoNeighbourIsBetter) {
  for (const SpaceInput& in :
       {space_of(128, 4096, 4096, 2), space_of(1, 1, 1), space_of(3, 17, 127, 3), space_of(64, 64, 64)}) {
    const auto strategy = make("local", in, 5);
    const SearchRun r = run(*strategy, in, 1 << 20, 3);
    ASSERT_TRUE(strategy->finished()) << name_of(in);
    const auto best = std::min_element(
        r.proposals.begin(), r.proposals.end(),
        [](const Proposal& x, const Proposal& y) { return synthetic_cost(x.config) < synthetic_cost(y.config); });
    for (const Config& n : neighbours(in, best->config)) EXPECT_GE(synthetic_cost(n), r.best) << label(n);
  }
}

TEST(Strategy, LocalStartsWithTheSeedsGivenAndBuiltIn) {
  const SpaceInput in = space_of(8, 4096, 4096, 2);
  Random random(99);
  const Config mine = *random_config(in, random);
  Config foreign = mine;
  foreign.blocking.tm = 0;
  const auto strategy = make("local", in, 1, {{"study 12", mine}, {"broken", foreign}});
  const auto proposed = strategy->propose(3);
  ASSERT_EQ(proposed.size(), 3U);
  EXPECT_EQ(proposed[0].origin, "seed:study 12");
  EXPECT_TRUE(proposed[0].config == mine);
  EXPECT_EQ(proposed[1].origin, "seed:" + seeds(in)[0].name);
}

TEST(Strategy, LocalTriesTheFirstBestWithItsChainAtEachPlace) {
  SpaceInput in = space_of(8, 512, 2048, 1);
  in.problem.chain = {EpilogueOp::bias, EpilogueOp::relu};
  const auto strategy = make("local", in, 1);
  const auto first = strategy->propose(2);
  ASSERT_EQ(first.size(), 2U);
  strategy->observe({first[0].config, 2.0, TrialState::ok});
  strategy->observe({first[1].config, 1.0, TrialState::ok});
  const auto next = strategy->propose(4);
  ASSERT_EQ(next.size(), 4U);
  const char* const origins[] = {"seed:chain-at-tile", "seed:chain-at-block", "seed:chain-at-pass"};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(next[i].origin, origins[i]);
    Config c = next[i].config;
    c.blocking.chain_at = first[1].config.blocking.chain_at;
    EXPECT_TRUE(c == first[1].config) << label(next[i].config);
  }
  EXPECT_EQ(next[3].origin.find("chain-at"), std::string::npos);
}

TEST(Strategy, TheSameSeedGivesTheSameSequence) {
  const SpaceInput in = space_of(100, 333, 5000, 2);
  for (std::string_view name : strategy_names()) {
    const SearchRun first = run(*make(name, in, 42), in, 120, 5), again = run(*make(name, in, 42), in, 120, 5);
    ASSERT_EQ(first.proposals.size(), again.proposals.size());
    for (std::size_t i = 0; i < first.proposals.size(); ++i) {
      ASSERT_EQ(key(first.proposals[i].config), key(again.proposals[i].config)) << name << " " << i;
    }
  }
  const auto keys = [&](std::uint64_t seed) {
    std::set<std::string> s;
    for (const Proposal& p : run(*make("local", in, seed), in, 120, 5).proposals) s.insert(key(p.config));
    return s;
  };
  EXPECT_NE(keys(1), keys(2));
}

TEST(Strategy, WhatWasObservedBeforeIsNotProposedAgain) {
  const SpaceInput in = space_of(32, 512, 2048, 2);
  for (std::string_view name : strategy_names()) {
    std::set<std::string> before;
    const auto resumed = make(name, in, 7);
    for (const Proposal& p : run(*make(name, in, 7), in, 60, 4).proposals) {
      before.insert(key(p.config));
      resumed->observe({p.config, synthetic_cost(p.config), TrialState::ok});
    }
    for (const Proposal& p : run(*resumed, in, 60, 4).proposals) EXPECT_EQ(before.count(key(p.config)), 0U) << name;
  }
}

TEST(Strategy, FailuresAndNumbersThatAreNotCostsEndNoSearch) {
  const SpaceInput in = space_of(3, 17, 127, 2);
  const auto strategy = make("local", in, 3);
  int count = 0;
  while (!strategy->finished()) {
    const auto proposed = strategy->propose(4);
    ASSERT_TRUE(!proposed.empty() || strategy->finished());
    for (const Proposal& p : proposed) {
      const bool failed = ++count % 3 != 0;
      if (failed) strategy->observe({p.config, std::nullopt, TrialState::crashed});
      if (!failed)
        strategy->observe({p.config, count % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0, TrialState::ok});
    }
    ASSERT_LT(count, 5000);
  }
  EXPECT_GT(count, 20);
}

TEST(Strategy, LocalWaitsForItsSeedsAndGoesOnWhenTheyAreObserved) {
  const SpaceInput in = space_of(64, 64, 64, 1);
  const auto strategy = make("local", in, 1);
  const auto all_seeds = strategy->propose(1000);
  EXPECT_EQ(all_seeds.size(), seeds(in).size());
  EXPECT_TRUE(strategy->propose(10).empty());
  EXPECT_FALSE(strategy->finished());
  for (const Proposal& p : all_seeds) strategy->observe({p.config, synthetic_cost(p.config), TrialState::ok});
  EXPECT_EQ(strategy->propose(10).size(), 10U);
}

TEST(Surrogate, PrefersWhatIsNearToGoodObservationsAndForgetsOldOnes) {
  const SpaceInput in = space_of(128, 4096, 4096, 1);
  const auto list = seeds(in);
  const Config good = list[0].config, bad = list.back().config;
  Surrogate s(in);
  s.add(good, 0);
  s.add(bad, 0);
  s.add(bad, 5);  // measured again: the first cost was wrong
  EXPECT_LT(s.predict(good), s.predict(bad));
  EXPECT_NEAR(s.predict(bad), 5, 2.5);
  Surrogate failing(in);
  failing.add(good, 0);
  failing.add(list[1].config, 4);
  const double before = failing.predict(bad);
  failing.add_failure(bad);
  EXPECT_GT(failing.predict(bad), before - 10);
  EXPECT_GT(failing.predict(bad), failing.predict(good));
}

}  // namespace
}  // namespace gemwright::tuner
