// Tiles that span several panels of B: their texts, where the space has them, how it leads to them and away from them.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "search_inputs.h"
#include "tuner/space/reduction.h"
#include "tuner/space/tile_group.h"
#include "tuner/strategy/seeds.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::loop_order;
using test::name_of;
using test::space_of;
using test::space_of_modes;

Config example() {
  Config c;
  c.tile = {isa::avx2, 2, 4, 2, 1, prefetch::none, false, 2};
  c.format.panel = 16;
  c.blocking = {2, 4096, 1024, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
  return c;
}

TEST(Panels, TextsAreStableAndGoThereAndBack) {
  const Config c = example();
  EXPECT_EQ(tile_name(c.tile), "avx2_2x4_u2_a1_none_p2");
  EXPECT_EQ(label(c), "avx2 2x4 ku2 none p16 mc2 nc4096 kc1024 mnk rows grid 1x1x1");
  const auto tile = parse_tile_name(ComputeMode::f32, tile_name(c.tile));
  ASSERT_TRUE(tile) << tile.error().message;
  EXPECT_TRUE(*tile == c.tile);
  const auto back = config_from_json(to_json(c));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == c);
  for (const char* name : {"avx2_2x4_u2_a1_none_p1", "avx2_2x4_u2_a1_none_p", "avx2_2x4_u2_a1_none_p3",
                           "avx2_2x4_u2_a1_none_p02", "avx2_2x4_u2_a1_none_p2_along_k", "avx2_2x4_u2_a1_p2"}) {
    EXPECT_FALSE(parse_tile_name(ComputeMode::f32, name)) << name;
  }
  EXPECT_TRUE(parse_tile_name(ComputeMode::bf16, "avx2_1x4_u1_a1_none_p2"));
  EXPECT_TRUE(parse_tile_name(ComputeMode::bf16, "avx2_1x4_u1_a1_none_p4"));
  EXPECT_FALSE(parse_tile_name(ComputeMode::bf16, "avx512_bf16_1x5_u1_a1_none_p5"));
}

TEST(Panels, TheNumberFollowsFromTileAndPanel) {
  Config c = example();
  const auto panels_with = [&](int panel) {
    set_value(c, Param::panel, panel);
    return c.tile.panels;
  };
  EXPECT_EQ(panels_with(8), 4);
  EXPECT_EQ(panels_with(16), 2);
  EXPECT_EQ(panels_with(32), 1);
  EXPECT_EQ(panels_with(64), 1);
  EXPECT_EQ(panels_with(0), 1);
  c.mode = ComputeMode::bf16;
  EXPECT_EQ(panels_with(16), 2);
  EXPECT_EQ(panels_with(8), 4);
  EXPECT_EQ(panels_with(32), 1);
}

TEST(Panels, EachConstraintAnswersWhyNot) {
  const SpaceInput in = space_of(2, 4096, 1024);
  EXPECT_EQ(violated(in, example()), std::nullopt);
  const auto why = [&](const auto& change) {
    Config c = example();
    change(c);
    return violated(in, c).value_or("");
  };
  const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(says(why([](auto& c) { c.tile.panels = 1; }), "whole number of tiles"));
  EXPECT_TRUE(says(why([](auto& c) { c.tile.panels = 4; }), "whole number of tiles"));
  EXPECT_TRUE(says(why([](auto& c) { c.tile.panels = 3; }), "does not span 3 panels"));
  EXPECT_TRUE(says(why([](auto& c) { c.tile.ku = 4; }), "unrolled by 4"));
  EXPECT_TRUE(says(why([](auto& c) { c.tile.mr = 3; }), "registers"));
  EXPECT_TRUE(violated(ComputeMode::f32, {isa::avx2, 3, 2, 1, 2, prefetch::none, false, 2}));
  EXPECT_FALSE(violated(ComputeMode::f32, {isa::avx2, 3, 2, 1, 2, prefetch::none}));
  EXPECT_TRUE(says(why([](auto& c) { c.blocking.nc = 48; }), "nc must be a multiple"));
  EXPECT_EQ(why([](auto& c) { c.blocking.nc = 64; }), "");
}

TEST(Panels, TheSpaceHasThemBesideTheOthersEachOnce) {
  SpaceInput in = space_of(2, 40, 20, 1, {isa::avx2});
  std::set<std::string> keys;
  std::set<int> spanned;
  for_each(in, [&](const Config& c) {
    EXPECT_EQ(violated(in, c), std::nullopt) << label(c);
    EXPECT_TRUE(canonical(in, c) == c) << label(c);
    EXPECT_TRUE(keys.insert(key(c)).second) << label(c);
    spanned.insert(c.tile.panels);
    return !testing::Test::HasFailure();
  });
  EXPECT_EQ(size(in), keys.size());
  EXPECT_EQ(spanned, (std::set<int>{1, 2, 3, 4}));
  Random random(5);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(keys.count(key(*random_config(in, random))), 1U);
}

TEST(Panels, ADotModeSpansUpToFourAndOneOfAPair) {
  for (const ComputeMode mode : {ComputeMode::bf16, ComputeMode::u8s8}) {
    SpaceInput in = space_of_modes({mode}, 2, 40, 20, 1, {isa::avx2});
    std::set<int> spanned;
    for_each(in, [&](const Config& c) {
      EXPECT_EQ(violated(in, c), std::nullopt) << label(c);
      EXPECT_TRUE(canonical(in, c) == c) << label(c);
      spanned.insert(c.tile.panels);
      return !testing::Test::HasFailure();
    });
    EXPECT_EQ(spanned, (std::set<int>{1, 2, 3, 4}));
    in.problem.chain = {EpilogueOp::swiglu};
    Random random(7);
    for (int i = 0; i < 200; ++i) {
      const Config c = *random_config(in, random);
      EXPECT_EQ(c.tile.panels, 1) << label(c);
      for (const Config& n : neighbours(in, c)) EXPECT_EQ(n.tile.panels, 1) << label(n);
    }
    Config across = *random_config(in, random);
    across.tile = {isa::avx2, 1, 4, 1, 1, prefetch::none, false, 2};
    across.format = {16, 0};
    EXPECT_NE(violated(in, across).value_or("").find("span one"), std::string::npos);
  }
}

// 16 MiB of waiting sums of 4100 rows are 1023 columns: an odd number of panels, and half a tile.
TEST(Panels, AChunkOfADotModeIsBoundedInWholeTiles) {
  const SpaceInput in = space_of_modes({ComputeMode::bf16}, 4100, 4096, 8192, 1, {isa::avx2});
  Config c;
  c.mode = ComputeMode::bf16;
  c.tile = {isa::avx2, 2, 2, 1, 1, prefetch::none, false, 2};
  c.format = {8, 0};
  c.blocking = {4100, 4096, 512, loop_order::mnk, true, a_packing::job, 1, 1, 1, 0};
  const auto valid = repaired(in, c);
  ASSERT_TRUE(valid);
  EXPECT_EQ(valid->tile.panels, 2);
  EXPECT_EQ(valid->blocking.nc % 16, 0);
}

TEST(Panels, RandomConfigsNeighboursAndRepairsAreValidAndCanonical) {
  Random random(3);
  int spanning = 0;
  for (int turn = 0; turn < 60; ++turn) {
    SpaceInput in = space_of(1 + static_cast<std::int64_t>(random.below(9)), 8 + 13 * turn,
                             1 + static_cast<std::int64_t>(random.below(3000)), 1 + turn % 3);
    in.problem.constant_weights = turn % 5 != 0;
    if (turn % 4 == 0) in.format = gemwright::packing{turn % 8 == 0 ? 16 : 32};
    for (int draw = 0; draw < 4; ++draw) {
      const auto c = random_config(in, random);
      ASSERT_TRUE(c) << name_of(in);
      spanning += c->tile.panels > 1 ? 1 : 0;
      const auto same = repaired(in, *c);
      ASSERT_TRUE(same && *same == *c) << name_of(in) << " " << label(*c);
      for (const Config& n : neighbours(in, *c)) {
        ASSERT_EQ(violated(in, n), std::nullopt) << name_of(in) << " " << label(n);
        ASSERT_TRUE(canonical(in, n) == n) << name_of(in) << " " << label(n);
      }
    }
  }
  EXPECT_GT(spanning, 10);
}

TEST(Panels, NeighboursLeadThereAndBack) {
  const SpaceInput in = space_of(2, 4096, 1024);
  const auto reach = [&](const Config& c, int panels) {
    const auto all = neighbours(in, c);
    return std::any_of(all.begin(), all.end(), [&](const Config& n) { return n.tile.panels == panels; });
  };
  EXPECT_TRUE(reach(example(), 1));
  EXPECT_TRUE(reach(example(), 4));
  Config one = example();
  set_value(one, Param::panel, 32);
  EXPECT_TRUE(reach(one, 2));
}

TEST(Panels, ASharedFormatAdmitsTheTilesThatSpanIt) {
  SpaceInput in = space_of(2, 4096, 1024, 1, {isa::avx2});
  in.format = gemwright::packing{16};
  std::set<int> spanned;
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const Config c = *random_config(in, random);
    EXPECT_EQ(c.format.panel, 16);
    spanned.insert(c.tile.panels);
  }
  EXPECT_EQ(spanned, (std::set<int>{1, 2}));
  Config wide = example();
  set_value(wide, Param::panel, 32);
  EXPECT_EQ(repaired(in, wide)->tile.panels, 2);
}

// The bits do not depend on it.
TEST(Panels, TheReductionClassIsThatOfOnePanel) {
  Problem p;
  p.n = 4096;
  p.k = 1024;
  Config one = example();
  set_value(one, Param::panel, 32);
  EXPECT_EQ(reduction_class(p, example()), reduction_class(p, one));
}

TEST(Panels, SeedsOfFewRowsHaveThemAlsoForPairs) {
  for (const isa family : {isa::avx2, isa::avx512f}) {
    for (const bool pair : {false, true}) {
      SpaceInput in = space_of(1, 4096, 1024, 2, {family});
      if (pair) in.problem.chain = {EpilogueOp::swiglu};
      const auto list = seeds(in);
      EXPECT_TRUE(std::any_of(list.begin(), list.end(), [&](const auto& s) {
        return s.config.tile.panels > 1 && (s.config.format.pair > 0) == pair;
      })) << pair;
    }
  }
  for (const ComputeMode mode : {ComputeMode::bf16, ComputeMode::u8s8}) {
    const auto list = seeds(space_of_modes({mode}, 1, 4096, 1024, 2, {isa::avx2}));
    EXPECT_TRUE(std::any_of(list.begin(), list.end(), [](const auto& s) { return s.config.tile.panels == 4; }));
  }
  const auto large = seeds(space_of(512, 4096, 1024, 2));
  EXPECT_TRUE(std::all_of(large.begin(), large.end(), [](const auto& s) { return s.config.tile.panels == 1; }));
}

TEST(Panels, TilesHaveLibrariesOfTheirOwn) {
  Config one = example();
  set_value(one, Param::panel, 32);
  const TileGroup group = group_of({}, example());
  EXPECT_FALSE(group == group_of({}, one));
  const auto tiles = tiles_of(group);
  EXPECT_NE(std::find(tiles.begin(), tiles.end(), example().tile), tiles.end());
  EXPECT_TRUE(std::all_of(tiles.begin(), tiles.end(), [](const auto& t) { return t.panels == 2; }));
}

}  // namespace
}  // namespace gemwright::tuner
