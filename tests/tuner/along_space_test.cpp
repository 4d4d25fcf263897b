// Tiles whose vectors run along K: their texts, where the space has them, how it leads to them and away from them.
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

using gemwright::loop_order;
using test::name_of;
using test::space_of;

Config example() {
  Config c;
  c.tile = {isa::avx512f, 8, 1, 2, 1, prefetch::none, true};
  c.format.panel = 1;
  c.blocking = {128, 1, 256, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
  return c;
}

TEST(AlongK, TextsAreStableAndGoThereAndBack) {
  const Config c = example();
  EXPECT_EQ(tile_name(c.tile), "avx512f_8x1_u2_a1_none_along_k");
  EXPECT_EQ(label(c), "avx512f 8x1 along-k ku2 none p1 mc128 nc1 kc256 mnk rows grid 1x1x1");
  const auto tile = parse_tile_name(ComputeMode::f32, tile_name(c.tile));
  ASSERT_TRUE(tile) << tile.error().message;
  EXPECT_TRUE(*tile == c.tile);
  const nlohmann::json j = to_json(c);
  EXPECT_EQ(j.at("along"), "k");
  const auto back = config_from_json(j);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_TRUE(*back == c);
  EXPECT_EQ(nr(c.tile), 1);
}

TEST(AlongK, AJsonThatDoesNotSayItHasVectorsAlongColumns) {
  Config c = example();
  c.tile.along_k = false;
  const nlohmann::json j = to_json(c);
  EXPECT_FALSE(j.contains("along"));
  ASSERT_TRUE(config_from_json(j));
  EXPECT_FALSE(config_from_json(j)->tile.along_k);
  EXPECT_NE(key(c), key(example()));
  nlohmann::json bad = to_json(example());
  for (const nlohmann::json& value : {nlohmann::json(true), nlohmann::json("m"), nlohmann::json(1)}) {
    bad["along"] = value;
    EXPECT_FALSE(config_from_json(bad)) << value;
  }
  for (const char* name :
       {"avx512f_8x1_u2_a1_none_along_kk", "avx512f_8x1_u2_a1__along_k", "avx512f_8x1_u2_a1_along_k"}) {
    EXPECT_FALSE(parse_tile_name(ComputeMode::f32, name)) << name;
  }
}

TEST(AlongK, TheTilesOfferedFitTheRegisters) {
  const auto offered = [](const auto& change) {
    gemwright::tile t = example().tile;
    change(t);
    return !violated(ComputeMode::f32, t);
  };
  EXPECT_TRUE(offered([](auto&) {}));
  EXPECT_TRUE(offered([](auto& t) { t.mr = 16; }));
  EXPECT_TRUE(offered([](auto& t) { t.mr = 7, t.ka = t.ku = 4; }));
  EXPECT_TRUE(offered([](auto& t) { t.family = isa::avx2, t.mr = 14; }));
  EXPECT_FALSE(offered([](auto& t) { t.family = isa::avx2, t.mr = 15; }));
  EXPECT_FALSE(offered([](auto& t) { t.mr = 17; }));
  EXPECT_TRUE(offered([](auto& t) { t.nv = 2; }));
  EXPECT_TRUE(offered([](auto& t) { t.mr = t.nv = 5; }));
  EXPECT_FALSE(offered([](auto& t) { t.mr = 6, t.nv = 5; }));
  EXPECT_FALSE(offered([](auto& t) { t.mr = 9, t.nv = 2; }));
  EXPECT_FALSE(offered([](auto& t) { t.mr = 2, t.nv = 3, t.ku = 4; }));
  EXPECT_TRUE(offered([](auto& t) { t.family = isa::avx2, t.mr = 4, t.nv = 3, t.ku = 1; }));
  EXPECT_FALSE(offered([](auto& t) { t.family = isa::avx2, t.mr = 3, t.nv = 4; }));
  EXPECT_FALSE(offered([](auto& t) { t.family = isa::avx2, t.mr = 4, t.nv = 3, t.ku = 2; }));
  EXPECT_FALSE(offered([](auto& t) { t.hint = prefetch::t0; }));
  EXPECT_FALSE(offered([](auto& t) { t.mr = 8, t.ka = t.ku = 4; }));
  EXPECT_FALSE(offered([](auto& t) { t.family = isa::scalar; }));
  EXPECT_TRUE(violated(ComputeMode::bf16, example().tile));
}

TEST(AlongK, EachConstraintAnswersWhyNot) {
  const SpaceInput in = space_of(128, 1, 256);
  EXPECT_EQ(violated(in, example()), std::nullopt);
  const auto why = [&](const auto& change) {
    SpaceInput space = in;
    Config c = example();
    change(space, c);
    return violated(space, c).value_or("");
  };
  const auto says = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_EQ(why([](auto& s, auto& c) { s.problem.n = c.blocking.nc = 4; }), "");
  EXPECT_EQ(why([](auto& s, auto& c) { s.problem.n = c.blocking.nc = 63; }), "");
  EXPECT_TRUE(says(why([](auto& s, auto& c) { s.problem.n = c.blocking.nc = 65; }), "at most 64 columns"));
  EXPECT_TRUE(says(why([](auto& s, auto& c) { s.problem.n = c.blocking.nc = 32; }), "do not fill all vectors"));
  EXPECT_TRUE(says(why([](auto& s, auto& c) {
                     s.problem.n = c.blocking.nc = 5;
                     s.batch_invariant = true;
                   }),
                   "4 where results are batch-invariant"));
  EXPECT_TRUE(says(why([](auto&, auto& c) { c.tile.nv = 2; }), "column along K, lies beyond N"));
  EXPECT_TRUE(says(why([](auto& s, auto&) { s.problem.a_layout = gemwright::layout::col_major; }), "row-major A"));
  EXPECT_TRUE(says(why([](auto&, auto& c) { c.blocking.pack_a = a_packing::job; }), "row-major A"));
  EXPECT_TRUE(says(why([](auto&, auto& c) { c.format.panel = 2; }), "panels of one column"));
  EXPECT_TRUE(says(why([](auto& s, auto&) { s.problem.k = 31; }), "shorter than the unroll"));
  EXPECT_EQ(why([](auto& s, auto& c) { s.problem.k = c.blocking.kc = 33; }), "");
  EXPECT_TRUE(says(why([](auto& s, auto& c) { s.problem.k = 1000, c.blocking.kc = 64; }), "kc must be a multiple"));
  EXPECT_EQ(why([](auto& s, auto& c) { s.problem.k = 1000, c.blocking.kc = 128; }), "");
  EXPECT_TRUE(says(why([](auto& s, auto&) { s.format = gemwright::packing{16}; }), "vectors run along K"));
  EXPECT_TRUE(says(why([](auto&, auto& c) { c.tile.along_k = false; }), "whole number of tiles"));
}

TEST(AlongK, TheSpaceHasThemWhereColumnsDoNotFillVectors) {
  for (const std::int64_t n : {1, 2, 3, 4, 5, 16, 65}) {
    SpaceInput in = space_of(3, n, 40);
    std::set<std::string> keys;
    int along = 0, across = 0;
    for_each(in, [&](const Config& c) {
      EXPECT_EQ(violated(in, c), std::nullopt) << label(c);
      EXPECT_TRUE(canonical(in, c) == c) << label(c);
      EXPECT_TRUE(keys.insert(key(c)).second) << label(c);
      ++(c.tile.along_k ? along : across);
      return !testing::Test::HasFailure();
    });
    EXPECT_EQ(size(in), keys.size()) << n;
    EXPECT_GT(across, 0) << n;
    EXPECT_EQ(along > 0, n <= 5) << n;
    Random random(5);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(keys.count(key(*random_config(in, random))), 1U);
  }
}

TEST(AlongK, RandomConfigsNeighboursAndRepairsAreValidAndCanonical) {
  Random random(3);
  for (int turn = 0; turn < 60; ++turn) {
    SpaceInput in = space_of(1 + static_cast<std::int64_t>(random.below(200)), 1 + turn % 4 + turn % 5 * 5,
                             1 + static_cast<std::int64_t>(random.below(3000)), 1 + turn % 3);
    in.problem.batch = 1 + turn % 2;
    in.problem.constant_weights = turn % 5 != 0;
    in.batch_invariant = turn % 7 == 0;
    for (int draw = 0; draw < 4; ++draw) {
      const auto c = random_config(in, random);
      ASSERT_TRUE(c) << name_of(in);
      ASSERT_EQ(violated(in, *c), std::nullopt) << name_of(in) << " " << label(*c);
      const auto same = repaired(in, *c);
      ASSERT_TRUE(same && *same == *c) << name_of(in) << " " << label(*c);
      for (const Config& n : neighbours(in, *c)) {
        ASSERT_EQ(violated(in, n), std::nullopt) << name_of(in) << " " << label(n);
        ASSERT_TRUE(canonical(in, n) == n) << name_of(in) << " " << label(n);
      }
    }
  }
}

TEST(AlongK, NeighboursLeadThereAndBack) {
  const SpaceInput in = space_of(128, 1, 1024, 2);
  const auto reach = [&](const Config& c, Param p) {
    const auto all = neighbours(in, c);
    return std::any_of(all.begin(), all.end(), [&](const Config& n) { return value(n, p) != value(c, p); });
  };
  const Config along = *repaired(in, example());
  ASSERT_TRUE(along.tile.along_k);
  for (const Param p : {Param::isa, Param::along, Param::mr, Param::ka, Param::ku, Param::tm, Param::tk, Param::kc}) {
    EXPECT_TRUE(reach(along, p)) << static_cast<int>(p);
  }
  Config across = along;
  across.tile.along_k = false;
  across = *repaired(in, across);
  EXPECT_EQ(across.format.panel, 16);
  EXPECT_TRUE(reach(across, Param::along));
}

TEST(AlongK, ASharedFormatSettlesIt) {
  SpaceInput in = space_of(7, 2, 100);
  Config across = example();
  across.tile = {isa::avx512f, 7, 1, 1, 1, prefetch::t0};
  across.format.panel = 16;
  in.format = gemwright::packing{1};
  EXPECT_TRUE(repaired(in, across)->tile.along_k);
  EXPECT_EQ(values(in, across, Param::along), std::vector<std::int64_t>{1});
  in.format = gemwright::packing{16};
  EXPECT_FALSE(repaired(in, example())->tile.along_k);
  EXPECT_EQ(values(in, across, Param::along), std::vector<std::int64_t>{0});
}

TEST(AlongK, ABatchInvariantSpaceIsOneReductionClass) {
  for (const std::int64_t n : {1, 4, 5}) {
    std::set<std::string> classes;
    for (const std::int64_t m : {1, 5}) {
      SpaceInput in = space_of(m, n, 300, 2);
      in.batch_invariant = true;
      Random random(1);
      for (int i = 0; i < 200; ++i) classes.insert(reduction_class(in.problem, *random_config(in, random)));
      for (const NamedConfig& s : seeds(in)) classes.insert(reduction_class(in.problem, s.config));
    }
    EXPECT_EQ(classes.size(), 1U) << n;
    EXPECT_EQ(*classes.begin(), n <= 4 ? "f32>f32 fma along16 ka1 tk1" : "f32>f32 fma ka1 tk1");
  }
}

TEST(AlongK, TheReductionClassNamesWidthAndBlocksOfK) {
  Problem p;
  p.n = 1;
  p.k = 256;
  Config c = example();
  EXPECT_EQ(reduction_class(p, c), "f32>f32 fma along16 ka1 tk1");
  c.tile.family = isa::avx2;
  EXPECT_EQ(reduction_class(p, c), "f32>f32 fma along8 ka1 tk1");
  c.blocking.kc = 128;
  EXPECT_EQ(reduction_class(p, c), "f32>f32 fma along8 ka1 kc128 tk1");
}

TEST(AlongK, SeedsOfFewColumnsBeginWithThem) {
  for (const std::int64_t m : {1, 7, 128, 2048, 65536}) {
    for (const std::int64_t n : {1, 4}) {
      const auto list = seeds(space_of(m, n, 256, 2));
      ASSERT_FALSE(list.empty());
      EXPECT_TRUE(list.front().config.tile.along_k) << m << " " << list.front().name;
      EXPECT_TRUE(std::any_of(list.begin(), list.end(), [](const auto& s) { return !s.config.tile.along_k; }));
    }
  }
}

// Where many lanes would be empty and K is long enough for the sums of the lanes they are the first to try, else behind
// the others; where none is empty there are none.
TEST(AlongK, SeedsOfMoreColumnsHaveThemWhereLanesWouldBeEmpty) {
  const auto place = [](std::int64_t n, std::int64_t k) {
    const auto list = seeds(space_of(100, n, k));
    const auto at = std::find_if(list.begin(), list.end(), [](const auto& s) { return s.config.tile.along_k; });
    return at == list.end() ? std::string("none") : at == list.begin() ? "first" : "behind";
  };
  EXPECT_EQ(place(10, 1000), "first");
  EXPECT_EQ(place(35, 64), "first");
  EXPECT_EQ(place(35, 63), "behind");
  EXPECT_EQ(place(60, 1000), "behind");
  EXPECT_EQ(place(64, 1000), "none");
  SpaceInput shared = space_of(100, 60, 1000);
  shared.format = gemwright::packing{1};
  EXPECT_EQ(seeds(shared).front().name.substr(0, 5), "along");
  EXPECT_EQ(place(70, 1000), "none");
}

TEST(AlongK, TheirTilesAreAsSquareAsTheRegistersAllowAndLackFewColumns) {
  const auto first = [](std::int64_t m, std::int64_t n) { return seeds(space_of(m, n, 1000)).front().config.tile; };
  EXPECT_EQ(tile_name(first(100, 12)), "avx512f_6x4_u1_a1_none_along_k");
  EXPECT_EQ(tile_name(first(100, 10)), "avx512f_5x5_u1_a1_none_along_k");
  EXPECT_EQ(tile_name(first(2, 4)), "avx512f_2x4_u1_a1_none_along_k");
  EXPECT_EQ(tile_name(first(1, 4)), "avx512f_1x4_u2_a2_none_along_k");
}

TEST(AlongK, TilesHaveLibrariesOfTheirOwn) {
  Config across = example();
  across.tile.along_k = false;
  const TileGroup group = group_of({}, example());
  EXPECT_FALSE(group == group_of({}, across));
  const auto tiles = tiles_of(group);
  EXPECT_NE(std::find(tiles.begin(), tiles.end(), example().tile), tiles.end());
  EXPECT_TRUE(std::all_of(tiles.begin(), tiles.end(), [](const auto& t) { return t.along_k && t.mr <= 8; }));
}

}  // namespace
}  // namespace gemwright::tuner
