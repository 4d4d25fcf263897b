// A config of one problem means the same for another one.
#include "tuner/strategy/transfer.h"

#include <gtest/gtest.h>

#include "search_inputs.h"
#include "tuner/strategy/seeds.h"

namespace gemwright::tuner {
namespace {

using test::for_odd_problems;
using test::name_of;
using test::space_of;

Config config(std::int64_t mc, std::int64_t nc, std::int64_t kc, int tm = 1, int tn = 1) {
  Config c;
  c.tile = {gemwright::isa::avx512f, 6, 2, 1, 1, gemwright::prefetch::none};
  c.format.panel = 32;
  c.blocking = {mc, nc, kc, gemwright::loop_order::mnk, true, gemwright::a_packing::none, tm, tn, 1, 0};
  return c;
}

TEST(Transfer, WhatWasAllOfAProblemIsAllOfAnotherOne) {
  const auto c = transferred({96, 256, 256, 1}, config(96, 256, 256), space_of(768, 1024, 2048));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->blocking.mc, 768);
  EXPECT_EQ(c->blocking.nc, 1024);
  EXPECT_EQ(c->blocking.kc, 2048);
  EXPECT_EQ(c->tile.mr, 6);
}

TEST(Transfer, ABlockThatWasCutStaysAsItIs) {
  Config cut = config(48, 512, 256);
  cut.blocking.order = gemwright::loop_order::knm;
  const auto c = transferred({96, 1024, 1024, 1}, cut, space_of(768, 1024, 2048));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->blocking.mc, 48);
  EXPECT_EQ(c->blocking.nc, 512);
  EXPECT_EQ(c->blocking.kc, 256);
}

TEST(Transfer, OneTileOfRowsGrowsToEvenTilesAndATallerOneShrinks) {
  Config row = config(1, 1024, 1024);
  row.tile.mr = 1;
  EXPECT_EQ(transferred({1, 1024, 1024, 1}, row, space_of(8, 1024, 1024))->tile.mr, 8);
  const int tall = transferred({1, 1024, 1024, 1}, row, space_of(100, 1024, 1024))->tile.mr;
  EXPECT_GE(tall, 10);  // two vectors of each row and of B in 32 registers, 14 at most
  EXPECT_LE(tall, 14);
  EXPECT_LT((100 + tall - 1) / tall * tall - 100, tall);
  EXPECT_EQ(transferred({100, 1024, 1024, 1}, config(100, 1024, 1024), space_of(4, 1024, 1024))->tile.mr, 4);
}

TEST(Transfer, ThreadsThatWereAllOfThemAreAllOfThemAgain) {
  // A single panel gives two threads nothing to share along N.
  const auto narrow = transferred({512, 512, 512, 2}, config(512, 512, 512, 1, 2), space_of(512, 16, 512, 2));
  ASSERT_TRUE(narrow);
  EXPECT_EQ(narrow->blocking.tm, 2);
  EXPECT_EQ(narrow->blocking.tn, 1);
  const auto wider = transferred({512, 512, 512, 1}, config(512, 512, 512), space_of(512, 512, 512, 2));
  EXPECT_EQ(threads_used(wider->blocking), 2);
  // One of two was chosen: so it stays.
  const auto alone = transferred({64, 64, 64, 2}, config(64, 64, 64), space_of(64, 64, 64, 2));
  EXPECT_EQ(threads_used(alone->blocking), 1);
}

TEST(Transfer, IsValidAndCanonicalBetweenAnyTwoProblems) {
  const SpaceInput to = space_of(37, 100, 300, 2);
  for_odd_problems([&](const SpaceInput& from) {
    const ConfigOrigin origin{from.m, from.problem.n, from.problem.k, from.threads};
    for (const NamedConfig& s : seeds(from)) {
      if (s.config.mode != ComputeMode::f32) continue;
      const auto c = transferred(origin, s.config, to);
      if (!c) continue;
      EXPECT_EQ(violated(to, *c), std::nullopt) << name_of(from) << " " << label(s.config);
      EXPECT_TRUE(canonical(to, *c) == *c) << name_of(from) << " " << label(s.config);
    }
  });
}

}  // namespace
}  // namespace gemwright::tuner
