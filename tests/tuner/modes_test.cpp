// The space and the strategies where compute modes beside f32 are admitted.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "search_inputs.h"
#include "tuner/strategy/strategy.h"

namespace gemwright::tuner {
namespace {

using gemwright::loop_order;
using test::kAllModes;
using test::kDotFamilies;
using test::name_of;
using test::space_of_modes;
using test::synthetic_cost;

const std::vector<ComputeMode> kDotModes = {ComputeMode::bf16, ComputeMode::u8s8};

bool admits(const SpaceInput& in, ComputeMode mode) {
  return std::find(in.modes.begin(), in.modes.end(), mode) != in.modes.end();
}

TEST(Modes, TheModeIsTheFirstParameterAndAdmittedModesAreItsValues) {
  EXPECT_EQ(parameters().front().name, "mode");
  EXPECT_TRUE(parameters().front().compile_time);
  const auto modes = [](const SpaceInput& in) { return values(in, Config{}, Param::mode); };
  SpaceInput in = space_of_modes(kAllModes, 8, 4096, 4096);
  EXPECT_EQ(modes(in), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(value_text(Param::mode, 1), "bf16");
  in.families = {isa::avx512f};
  EXPECT_EQ(modes(in), (std::vector<std::int64_t>{0, 1})) << "avx512f does not compute u8s8";
  in.families = kDotFamilies;
  in.problem.interface = Interface::bf16;
  EXPECT_EQ(modes(in), (std::vector<std::int64_t>{1, 2})) << "no f32 tile reads bf16";
  in.problem.interface = Interface::f32;
  in.problem.k = gemwright::max_u8s8_depth;
  EXPECT_EQ(modes(in).size(), 3U);
  ++in.problem.k;
  EXPECT_EQ(modes(in), (std::vector<std::int64_t>{0, 1})) << "s32 sums of so many products may overflow";
}

TEST(Modes, FamiliesAreThoseThatComputeTheMode) {
  const auto families = [](ComputeMode mode, std::vector<isa> there) {
    Config c;
    c.mode = mode;
    std::vector<isa> found;
    for (const std::int64_t v : values(space_of_modes({mode}, 8, 64, 64, 1, std::move(there)), c, Param::isa)) {
      found.push_back(static_cast<isa>(v));
    }
    return found;
  };
  EXPECT_EQ(families(ComputeMode::f32, kDotFamilies), (std::vector{isa::avx2, isa::avx512f}));
  EXPECT_EQ(families(ComputeMode::bf16, kDotFamilies), std::vector{isa::avx512_bf16});
  EXPECT_EQ(families(ComputeMode::u8s8, kDotFamilies), (std::vector{isa::avx_vnni, isa::avx512_vnni}));
  EXPECT_EQ(families(ComputeMode::bf16, test::kAllFamilies), (std::vector{isa::avx2, isa::avx512f}));
  EXPECT_EQ(families(ComputeMode::u8s8, test::kAllFamilies), std::vector{isa::avx2});
  EXPECT_EQ(families(ComputeMode::u8s8, {isa::scalar}), std::vector{isa::scalar});
}

TEST(Modes, TheDotTilesOfferedAreThoseWithoutSpills) {
  const auto tallest = [](ComputeMode mode, isa family, int nv, int ku) {
    int rows = 0;
    while (!violated(mode, gemwright::tile{family, rows + 1, nv, ku, 1, prefetch::none})) ++rows;
    return rows;
  };
  struct Border {
    ComputeMode mode;
    isa family;
    int ku;
    std::vector<int> rows;  // of tiles with 1, 2, ... vectors
  };
  const Border borders[] = {
      {ComputeMode::bf16, isa::avx512_bf16, 1, {29, 14, 9, 6, 5, 0}},
      {ComputeMode::bf16, isa::avx512_bf16, 4, {29, 14, 8, 6, 5, 0}},
      {ComputeMode::u8s8, isa::avx512_vnni, 1, {29, 14, 9, 6, 5, 0}},
      {ComputeMode::u8s8, isa::avx_vnni, 4, {13, 6, 3, 2, 0}},
      {ComputeMode::bf16, isa::avx512f, 1, {26, 12, 7, 5, 3, 0}},
      {ComputeMode::bf16, isa::avx512f, 2, {26, 8, 5, 4, 3, 0}},
      {ComputeMode::bf16, isa::avx2, 1, {7, 4, 2, 1, 0}},
      {ComputeMode::bf16, isa::avx2, 2, {7, 3, 2, 1, 0}},
      {ComputeMode::u8s8, isa::avx2, 1, {10, 4, 2, 1, 0}},
      {ComputeMode::u8s8, isa::avx2, 2, {0, 0}},
      {ComputeMode::bf16, isa::scalar, 4, {0, 0, 0, 4, 0}},
  };
  for (const Border& b : borders) {
    for (std::size_t i = 0; i < b.rows.size(); ++i) {
      const int nv = static_cast<int>(i) + 1;
      EXPECT_EQ(tallest(b.mode, b.family, nv, b.ku), b.rows[i])
          << to_text(b.mode) << " " << gemwright::isa_name(b.family) << " nv " << nv << " ku " << b.ku;
    }
  }
}

TEST(Modes, ConfigsGoThroughJsonAndTileNamesAndBack) {
  Random random(7);
  for (const ComputeMode mode : kDotModes) {
    for (int i = 0; i < 100; ++i) {
      const Config c = *random_config(space_of_modes({mode}, 100, 333, 5000, 3), random);
      EXPECT_EQ(c.mode, mode);
      const auto back = config_from_json(nlohmann::json::parse(to_json(c).dump()));
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_TRUE(*back == c);
      EXPECT_EQ(key(*back), key(c));
      const auto tile = parse_tile_name(mode, tile_name(c.tile));
      ASSERT_TRUE(tile) << tile.error().message;
      EXPECT_TRUE(*tile == c.tile);
      EXPECT_NE(label(c).find(to_text(mode)), std::string::npos);
    }
  }
}

TEST(Modes, EachConstraintOfADotModeAnswersWhyNot) {
  const SpaceInput in = space_of_modes(kAllModes, 64, 4096, 8192, 2);
  Config good;
  good.mode = ComputeMode::bf16;
  good.tile = {isa::avx512_bf16, 13, 2, 1, 1, prefetch::none};
  good.format.panel = 32;
  good.blocking = {64, 4096, 8192, loop_order::mnk, true, a_packing::job, 1, 2, 1, 0};
  EXPECT_EQ(violated(in, good), std::nullopt);
  const auto expect_why = [&](const SpaceInput& space, const std::function<void(Config&)>& change, const char* word) {
    Config c = good;
    change(c);
    const std::string why = violated(space, c).value_or("");
    EXPECT_NE(why.find(word), std::string::npos) << why << " / " << word;
  };
  const auto nothing = [](Config&) {};
  const auto to_u8s8 = [](Config& c) { c.mode = ComputeMode::u8s8, c.tile.family = isa::avx512_vnni; };
  SpaceInput without = in;
  without.modes = {ComputeMode::f32, ComputeMode::u8s8};
  expect_why(without, nothing, "does not admit");
  SpaceInput bytes = in;
  bytes.problem.interface = Interface::u8s8;
  expect_why(bytes, nothing, "other elements");
  SpaceInput deep = in;
  deep.problem.k = 1 << 17;
  expect_why(deep, to_u8s8, "65793");
  expect_why(
      in, [](Config& c) { c.mode = ComputeMode::u8s8; }, "does not compute");
  expect_why(
      in, [](Config& c) { c.blocking.order = loop_order::nmk; }, "mnk");
  expect_why(
      in, [](Config& c) { c.blocking.tn = 1, c.blocking.tk = 2, c.blocking.pack_a = a_packing::job; }, "slices");
  expect_why(
      in, [](Config& c) { c.blocking.kc = 1028; }, "kc");
  SpaceInput shallow = in;
  shallow.problem.k = 7;  // two groups of four
  expect_why(
      shallow, [&](Config& c) { to_u8s8(c), c.tile.ku = 4; }, "shorter than the unroll");
  SpaceInput call = in;
  call.problem.constant_weights = false;
  expect_why(
      call, [](Config& c) { c.format.panel = 0; }, "must be packed");
  SpaceInput tall = in;
  tall.m = 4096;
  expect_why(
      tall, [](Config& c) { c.blocking.mc = 4096; }, "packed block of A");
  tall.problem.n = 8192;
  expect_why(
      tall, [](Config& c) { c.blocking.mc = 1014, c.blocking.kc = 1024, c.blocking.nc = 8192; }, "wait");
  SpaceInput invariant = in;
  invariant.batch_invariant = true;
  expect_why(
      invariant, [](Config& c) { c.tile.family = isa::avx512f, c.tile.mr = 12, c.blocking.mc = 60; }, "bits");
}

TEST(Modes, AIsReadWhereItLiesOnlyIfADotTileFindsItsElementsThere) {
  SpaceInput in = space_of_modes({ComputeMode::bf16}, 32, 512, 512, 2);
  in.problem.interface = Interface::bf16;
  Config c = *Enumeration(in).next();
  c.tile = {isa::avx512_bf16, 8, 2, 1, 1, prefetch::none};
  c.blocking.pack_a = a_packing::none;
  const auto fitting = repaired(in, c);
  ASSERT_TRUE(fitting);
  EXPECT_EQ(fitting->blocking.pack_a, a_packing::none);
  EXPECT_EQ(seeds(in).front().config.blocking.pack_a, a_packing::none);
  const auto packed = [&](const SpaceInput& space, gemwright::isa family) {
    Config changed = *fitting;
    changed.tile.family = family;
    EXPECT_TRUE(violated(space, changed).value_or("").find("where it lies") != std::string::npos);
    const auto other = repaired(space, changed);
    return other && other->blocking.pack_a == a_packing::job;
  };
  EXPECT_TRUE(packed(in, isa::avx512f)) << "the family widens A";
  SpaceInput columns = in, floats = in;
  columns.problem.a_layout = layout::col_major;
  floats.problem.interface = Interface::f32;
  EXPECT_TRUE(packed(columns, isa::avx512_bf16));
  EXPECT_TRUE(packed(floats, isa::avx512_bf16));
}

TEST(Modes, EverySpaceHasConfigsOfEachModeForOddSizes) {
  for (const ComputeMode mode : kAllModes) {
    for (const std::int64_t m : {1, 5}) {
      for (const std::int64_t n : {1, 17}) {
        for (const std::int64_t k : {1, 3, 37}) {
          for (const bool constant : {true, false}) {
            SpaceInput in = space_of_modes({mode}, m, n, k, 2);
            in.problem.constant_weights = constant;
            in.families = {isa::avx2, isa::avx_vnni};
            std::set<std::string> keys;
            for_each(in, [&](const Config& c) {
              EXPECT_EQ(c.mode, mode);
              EXPECT_EQ(violated(in, c), std::nullopt) << label(c);
              EXPECT_TRUE(canonical(in, c) == c) << label(c);
              EXPECT_TRUE(keys.insert(key(c)).second) << label(c);
              return !testing::Test::HasFailure();
            });
            EXPECT_GT(keys.size(), 0U) << name_of(in);
            EXPECT_EQ(size(in), keys.size()) << name_of(in);
            Random random(5);
            for (int i = 0; i < 100; ++i) {
              const Config c = *random_config(in, random);
              EXPECT_EQ(keys.count(key(c)), 1U) << name_of(in) << " " << label(c);
            }
          }
        }
      }
    }
  }
}

TEST(Modes, TheSpaceOfSeveralIsTheSumOfTheirs) {
  std::uint64_t sum = 0;
  for (const ComputeMode mode : kAllModes) sum += size(space_of_modes({mode}, 3, 9, 12, 2));
  EXPECT_EQ(size(space_of_modes(kAllModes, 3, 9, 12, 2)), sum);
}

TEST(Modes, RandomConfigsAreMostlyOfTheCheapestModeAndNeighboursStayInTheirs) {
  const SpaceInput in = space_of_modes(kAllModes, 32, 512, 512, 2);
  Random random(31);
  std::map<ComputeMode, int> drawn;
  for (int i = 0; i < 200; ++i) {
    const Config c = *random_config(in, random);
    ++drawn[c.mode];
    if (i % 10 != 0) continue;
    const auto around = neighbours(in, c);
    EXPECT_GT(around.size(), 5U) << label(c);
    for (const Config& n : around) EXPECT_EQ(n.mode, c.mode);
  }
  EXPECT_GT(drawn[ComputeMode::u8s8], 100);
  EXPECT_GT(drawn[ComputeMode::f32], 0);
  EXPECT_GT(drawn[ComputeMode::bf16], 0);
}

TEST(Modes, NeighboursOfADotConfigReachWhatMatters) {
  const SpaceInput in = space_of_modes({ComputeMode::u8s8}, 128, 4096, 4096, 2);
  Config c;
  c.mode = ComputeMode::u8s8;
  c.tile = {isa::avx512_vnni, 8, 2, 1, 1, prefetch::t0};
  c.format.panel = 32;
  c.blocking = {128, 4096, 4096, loop_order::mnk, true, a_packing::job, 1, 2, 1, 64};
  ASSERT_EQ(violated(in, c), std::nullopt);
  std::set<std::string> changed;
  for (const Config& n : neighbours(in, c)) {
    for (const Parameter& p : parameters()) {
      if (value(n, p.id) != value(c, p.id)) changed.insert(std::string(p.name));
    }
  }
  for (const char* name : {"isa", "nv", "mr", "ku", "panel", "tm", "tn", "tk", "kc", "mc", "nc", "rows_inside",
                           "pack_a", "hint", "prefetch_rows"}) {
    EXPECT_EQ(changed.count(name), 1U) << name;
  }
  for (const char* name : {"mode", "order"}) EXPECT_EQ(changed.count(name), 0U) << name;
}

TEST(Modes, WhatAnotherModeLeftBehindIsRepaired) {
  const SpaceInput in = space_of_modes(kAllModes, 4096, 4096, 16384, 4);
  Config c;
  c.mode = ComputeMode::bf16;
  c.tile = {isa::avx512_bf16, 30, 1, 4, 1, prefetch::none};
  c.format.panel = 0;
  c.blocking = {4096, 4096, 1000, loop_order::knm, true, a_packing::job, 1, 2, 2, 0};
  const auto fitting = repaired(in, c);
  ASSERT_TRUE(fitting);
  EXPECT_EQ(fitting->blocking.order, loop_order::mnk);
  EXPECT_EQ(fitting->blocking.tk, 2);
  EXPECT_EQ(fitting->blocking.pack_a, a_packing::shared);
  EXPECT_GT(fitting->format.panel, 0);
  EXPECT_EQ(fitting->tile.family, isa::avx512_bf16);
  EXPECT_LT(fitting->blocking.mc, 4096);
  c.tile.family = isa::avx512_vnni;
  EXPECT_FALSE(repaired(in, c)) << "a mode is never changed for a family";
}

TEST(Modes, SlicesOfKKeepTheirSumsWithinTheBound) {
  for (const ComputeMode mode : kDotModes) {
    const SpaceInput in = space_of_modes({mode}, 4096, 8192, 16384, 2);
    const auto list = seeds(in);
    Config c = list.front().config;
    c.blocking.tm = c.blocking.tn = 1;
    c.blocking.tk = 2;
    const auto fitting = repaired(in, c);
    ASSERT_TRUE(fitting);
    EXPECT_EQ(fitting->blocking.tk, 2);
    EXPECT_LE(fitting->blocking.mc, 1024) << "2 slices of 8192 columns and 4 bytes in 64 MiB";
    Config whole = *fitting;
    whole.blocking.mc = in.m;
    EXPECT_NE(violated(in, whole).value_or("").find("64 MiB"), std::string::npos);
  }
}

TEST(Modes, ALongKTriesSlices) {
  for (const ComputeMode mode : kDotModes) {
    const auto list = seeds(space_of_modes({mode}, 16, 32, 65536, 2));
    const auto slices = [](const NamedConfig& s) { return s.config.blocking.tk == 2; };
    EXPECT_TRUE(std::any_of(list.begin(), list.end(), slices));
  }
}

TEST(Modes, TheFirstSeedsMeasureEveryMode) {
  for (const std::int64_t m : {1, 8, 32, 512, 4096}) {
    for (const int threads : {1, 2}) {
      const SpaceInput in = space_of_modes(kAllModes, m, 4096, 4096, threads);
      const auto first = make_strategy(kDefaultStrategy, in, 1);
      ASSERT_TRUE(first);
      std::set<ComputeMode> met;
      const auto batch = (*first)->propose(8);
      for (const Proposal& p : batch) met.insert(p.config.mode);
      EXPECT_EQ(met.size(), 3U) << name_of(in);
      ASSERT_FALSE(batch.empty());
      EXPECT_EQ(batch.front().config.mode, ComputeMode::u8s8);
    }
  }
}

TEST(Modes, SeedsOfADotModeFillTheRegistersAndShareTheColumns) {
  for (const ComputeMode mode : kDotModes) {
    for (const std::int64_t m : {1, 4, 32, 512, 4096}) {
      const SpaceInput in = space_of_modes({mode}, m, 4096, 4096, 2);
      const auto list = seeds(in);
      EXPECT_GT(list.size(), 5U) << name_of(in);
      int busiest = 0;
      for (const NamedConfig& s : list) {
        EXPECT_EQ(s.name.rfind(std::string(to_text(mode)) + "-", 0), 0U) << s.name;
        EXPECT_EQ(vector_width(s.config.tile.family), 16) << s.name;
        EXPECT_EQ(s.config.blocking.tk, 1) << s.name;
        busiest = std::max(busiest, s.config.tile.mr * s.config.tile.nv * s.config.tile.ka);
      }
      EXPECT_GE(busiest, m < 32 ? 8 : 24) << name_of(in);
      EXPECT_EQ(threads_used(list.front().config.blocking), 2) << name_of(in);
      const bool packs_together = std::any_of(list.begin(), list.end(), [](const NamedConfig& s) {
        return s.config.blocking.pack_a == a_packing::shared && s.config.blocking.tn == 2;
      });
      EXPECT_TRUE(packs_together || m <= 32) << name_of(in);
    }
  }
}

TEST(Modes, LocalSearchFindsTheCheapModeAndOnlyProposesAdmittedOnes) {
  SpaceInput in = space_of_modes(kAllModes, 128, 4096, 4096, 2);
  const auto strategy = *make_strategy("local", in, 3);
  std::optional<Config> best;
  std::vector<Config> tried;
  for (int i = 0; i < 40; ++i) {
    for (const Proposal& p : strategy->propose(4)) {
      EXPECT_TRUE(admits(in, p.config.mode));
      strategy->observe({p.config, synthetic_cost(p.config), TrialState::ok});
      tried.push_back(p.config);
      if (!best || synthetic_cost(p.config) < synthetic_cost(*best)) best = p.config;
    }
  }
  ASSERT_TRUE(best);
  EXPECT_EQ(best->mode, ComputeMode::u8s8);

  // A mode whose error is too large is dropped: the same observations go to a strategy without it.
  in.modes = {ComputeMode::f32, ComputeMode::bf16};
  for (const std::string_view name : strategy_names()) {
    const auto next = *make_strategy(name, in, 3);
    for (const Config& c : tried) next->observe({c, synthetic_cost(c), TrialState::ok});
    const auto proposed = next->propose(20);
    EXPECT_EQ(proposed.size(), 20U) << name;
    for (const Proposal& p : proposed) {
      EXPECT_NE(p.config.mode, ComputeMode::u8s8) << name;
      EXPECT_EQ(violated(in, p.config), std::nullopt) << name;
    }
  }
}

// Of 4096 bytes each: a tall tile would have all its rows in one set of the first-level cache.
TEST(ModeSpace, RowsOfAThatShareASetAreReadInPlaceByShortTilesAlone) {
  SpaceInput in = test::space_of_modes({ComputeMode::u8s8}, 64, 256, 4096, 1, {isa::avx512_vnni});
  in.problem.interface = Interface::u8s8;
  Random random(11);
  int in_place = 0, tall = 0;
  for (int i = 0; i < 400; ++i) {
    const Config c = *random_config(in, random);
    tall += c.tile.mr > 8 ? 1 : 0;
    if (c.blocking.pack_a != gemwright::a_packing::none) continue;
    ++in_place;
    EXPECT_LE(c.tile.mr, 8) << label(c);
  }
  EXPECT_GT(in_place, 10);
  EXPECT_GT(tall, 10);
  in.problem.k = 4100;
  for (int i = 0; i < 400 && tall > 0; ++i) {
    const Config c = *random_config(in, random);
    if (c.blocking.pack_a == gemwright::a_packing::none && c.tile.mr > 8) tall = 0;
  }
  EXPECT_EQ(tall, 0) << "rows that do not share a set may be as many as fit";
}

}  // namespace
}  // namespace gemwright::tuner
