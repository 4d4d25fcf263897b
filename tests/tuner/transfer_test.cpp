// A config of one problem means the same for another one.
#include "tuner/strategy/transfer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "search_inputs.h"
#include "tuner/space/limits.h"
#include "tuner/strategy/seeds.h"

namespace gemwright::tuner {
namespace {

using test::for_odd_problems;
using test::name_of;
using test::space_of;
using test::space_of_modes;

Config config(std::int64_t mc, std::int64_t nc, std::int64_t kc, int tm = 1, int tn = 1) {
  Config c;
  c.tile = {gemwright::isa::avx512f, 6, 2, 1, 1, gemwright::prefetch::none};
  c.format.panel = 32;
  c.blocking = {mc, nc, kc, gemwright::loop_order::mnk, true, gemwright::a_packing::none, tm, tn, 1, 0};
  return c;
}

TEST(Transfer, WhatWasAllOfAProblemIsAllOfAnotherOne) {
  const auto c = transferred(space_of(96, 256, 256), config(96, 256, 256), space_of(768, 1024, 2048));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->blocking.mc, 768);
  EXPECT_EQ(c->blocking.nc, 1024);
  EXPECT_EQ(c->blocking.kc, 2048);
  EXPECT_EQ(c->tile.mr, 6);
}

TEST(Transfer, AThreadsWholeShareOfAPackedChunkIsWholeAgain) {
  const SpaceInput from = space_of_modes({ComputeMode::bf16}, 512, 512, 512, 2);
  Config packed = config(kMaxSize, kMaxSize, kMaxSize, 2);
  packed.mode = ComputeMode::bf16;
  packed.tile.family = gemwright::isa::avx512_bf16;
  packed.blocking.pack_a = gemwright::a_packing::job;
  const Config c = *repaired(from, packed);
  ASSERT_LT(c.blocking.mc, 512);  // written as the largest share
  for (const SpaceInput& to : {space_of_modes({ComputeMode::bf16}, 512, 512, 512, 1),
                               space_of_modes({ComputeMode::bf16}, 1024, 512, 512, 2)}) {
    const auto fits = transferred(from, c, to);
    ASSERT_TRUE(fits);
    EXPECT_EQ(geometry(to, *fits).row_blocks, 1) << label(*fits);
  }
}

TEST(Transfer, ABlockThatWasCutStaysAsItIs) {
  Config cut = config(48, 512, 256);
  cut.blocking.order = gemwright::loop_order::knm;
  const auto c = transferred(space_of(96, 1024, 1024), cut, space_of(768, 1024, 2048));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->blocking.mc, 48);
  EXPECT_EQ(c->blocking.nc, 512);
  EXPECT_EQ(c->blocking.kc, 256);
}

TEST(Transfer, OneTileOfRowsGrowsToEvenTilesAndATallerOneShrinks) {
  Config row = config(1, 1024, 1024);
  row.tile.mr = 1;
  row.tile.ka = row.tile.ku = 4;
  const SpaceInput one = space_of(1, 1024, 1024);
  const Config eight = *transferred(one, row, space_of(8, 1024, 1024));
  EXPECT_EQ(eight.tile.mr, 8);
  EXPECT_EQ(eight.tile.ka, 1);  // enough accumulators without
  EXPECT_EQ(eight.tile.ku, 4);
  EXPECT_EQ(transferred(one, row, space_of(2, 1024, 1024))->tile.ka, 2);
  const int tall = transferred(one, row, space_of(100, 1024, 1024))->tile.mr;
  EXPECT_GE(tall, 10);  // two vectors of each row and of B in 32 registers, 14 at most
  EXPECT_LE(tall, 14);
  EXPECT_LT((100 + tall - 1) / tall * tall - 100, tall);
  EXPECT_EQ(transferred(space_of(100, 1024, 1024), config(100, 1024, 1024), space_of(4, 1024, 1024))->tile.mr, 4);
}

TEST(Transfer, AGrownTileOfADotModeKeepsItsUnrolling) {
  const auto of_rows = [](std::int64_t m) { return space_of_modes({ComputeMode::bf16}, m, 1024, 1024); };
  Config c = config(8, 1024, 1024);
  c.mode = ComputeMode::bf16;
  c.tile = {gemwright::isa::avx512_bf16, 8, 2, 4, 1, gemwright::prefetch::none};
  const auto grown = transferred(of_rows(8), *repaired(of_rows(8), c), of_rows(32));
  ASSERT_TRUE(grown);
  EXPECT_EQ(grown->tile.mr, 11);
  EXPECT_EQ(grown->tile.ku, 4);
}

TEST(Transfer, ThreadsThatWereAllOfThemAreAllOfThemAgain) {
  // A single panel gives two threads nothing to share along N.
  const auto narrow = transferred(space_of(512, 512, 512, 2), config(512, 512, 512, 1, 2), space_of(512, 16, 512, 2));
  ASSERT_TRUE(narrow);
  EXPECT_EQ(narrow->blocking.tm, 2);
  EXPECT_EQ(narrow->blocking.tn, 1);
  const auto wider = transferred(space_of(512, 512, 512, 1), config(512, 512, 512), space_of(512, 512, 512, 2));
  EXPECT_EQ(threads_used(wider->blocking), 2);
  // One of two was chosen: so it stays.
  const auto alone = transferred(space_of(64, 64, 64, 2), config(64, 64, 64), space_of(64, 64, 64, 2));
  EXPECT_EQ(threads_used(alone->blocking), 1);
  // One of one was not, but there is nothing to share.
  const auto tiny = transferred(space_of(16, 16, 16, 1), config(16, 16, 16), space_of(16, 16, 16, 8));
  EXPECT_EQ(threads_used(tiny->blocking), 1);
}

TEST(Transfer, ThreadsOnRowsAloneStayOnRowsAlone) {
  const auto c = transferred(space_of(2048, 512, 13, 2), config(2048, 512, 13, 2, 1), space_of(2048, 512, 13, 4));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->blocking.tm, 4);
  EXPECT_EQ(c->blocking.tn, 1);
}

TEST(Transfer, IsValidAndCanonicalBetweenAnyTwoProblemsAndModes) {
  std::vector<SpaceInput> targets{space_of(37, 100, 300, 2), space_of(1, 64, 5000, 3)};
  targets.push_back(space_of_modes({ComputeMode::bf16, ComputeMode::u8s8, ComputeMode::f32}, 64, 96, 128, 4));
  targets.push_back(targets.back());
  targets.back().format = gemwright::packing{32, 0};
  targets.push_back(targets.front());
  targets.back().batch_invariant = true;
  int transfers = 0;
  for_odd_problems([&](const SpaceInput& from) {
    for (const NamedConfig& s : seeds(from)) {
      for (const SpaceInput& to : targets) {
        if (std::count(to.modes.begin(), to.modes.end(), s.config.mode) == 0) continue;
        const auto c = transferred(from, s.config, to);
        if (!c) continue;
        ++transfers;
        EXPECT_EQ(violated(to, *c), std::nullopt) << name_of(from) << " " << label(s.config);
        EXPECT_TRUE(canonical(to, *c) == *c) << name_of(from) << " " << label(s.config);
      }
      EXPECT_TRUE(transferred(from, s.config, from) == s.config) << name_of(from) << " " << s.name;
    }
  });
  EXPECT_GT(transfers, 1000);
}

}  // namespace
}  // namespace gemwright::tuner
