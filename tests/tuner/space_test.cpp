#include "tuner/space/space.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "search_inputs.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;
using test::for_odd_problems;
using test::name_of;
using test::space_of;

Config example() {
  Config c;
  c.tile = {isa::avx512f, 8, 2, 1, 1, prefetch::t0};
  c.format.panel = 32;
  c.blocking = {8, 4096, 4096, loop_order::mnk, true, a_packing::none, 1, 2, 1, 64};
  return c;
}

TEST(Config, JsonKeyAndTileNameGoThereAndBack) {
  Random random(7);
  for (int i = 0; i < 200; ++i) {
    const Config c = *random_config(space_of(100, 333, 5000, 3), random);
    const auto back = config_from_json(nlohmann::json::parse(to_json(c).dump()));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(*back == c);
    EXPECT_EQ(key(*back), key(c));
    const auto tile = parse_tile_name(ComputeMode::f32, tile_name(c.tile));
    ASSERT_TRUE(tile) << tile.error().message;
    EXPECT_TRUE(*tile == c.tile);
  }
}

TEST(Config, TextsAreStable) {
  EXPECT_EQ(tile_name(example().tile), "avx512f_8x2_u1_a1_t0");
  EXPECT_EQ(key(example()), "f32 avx512f_8x2_u1_a1_t0 p32 mc8 nc4096 kc4096 mnk rows plaina 1x2x1 pf64 registers");
  EXPECT_EQ(label(example()), "avx512f 8x2 ku1 t0@64 p32 mc8 nc4096 kc4096 mnk rows grid 1x2x1");
}

TEST(Config, EveryFieldIsPartOfTheKey) {
  std::set<std::string> keys{key(example())};
  for (const Parameter& p : parameters()) {
    Config c = example();
    set_value(c, p.id, value(c, p.id) == 1 ? 2 : 1);
    if (p.id == Param::rows_inside) c.blocking.rows_inside = false;
    EXPECT_TRUE(keys.insert(key(c)).second) << p.name;
  }
}

TEST(Config, JsonIsReadStrictly) {
  const nlohmann::json good = to_json(example());
  const auto refused = [&](const char* name, const nlohmann::json& bad, const char* word) {
    nlohmann::json j = good;
    j[name] = bad;
    const auto c = config_from_json(j);
    ASSERT_FALSE(c) << name << " " << bad;
    EXPECT_NE(c.error().message.find(word), std::string::npos) << c.error().message;
    for (char letter : c.error().message) EXPECT_GE(static_cast<unsigned char>(letter), 0x20);
  };
  refused("mr", 0, "mr");
  refused("mr", 8.0, "mr");
  refused("mr", "8", "mr");
  refused("mr", std::uint64_t{18446744073709551615U}, "mr");
  refused("mr", 15, "registers");
  refused("ku", 3, "unrolled");
  refused("mc", std::int64_t{1} << 31, "mc");
  refused("mc", -1, "mc");
  refused("kc", nullptr, "kc");
  refused("panel", 129, "panel");
  refused("prefetch_rows", 1e300, "prefetch_rows");
  refused("rows_inside", 1, "rows_inside");
  refused("hint", "t9", "hint");
  refused("order", "mmm\x01\x02", "order");
  refused("isa", nlohmann::json::array({1, nlohmann::json::array()}), "isa");
  refused("mode", "bf17", "mode");
  refused("fusion", "none", "fusion");
  refused("pair", 0, "pair");   // absent where the chain is not a pair
  refused("tm", 4096, "grid");  // with tn = 2
  refused("colour\n", 1, "colour");
}

TEST(Config, PackingOfAAsTheSpacesSecondVersionWroteItIsUnderstood) {
  const auto read = [](const char* mode, const char* family, bool pack_a) {
    nlohmann::json j = to_json(example());
    j["mode"] = mode;
    j["isa"] = family;
    j["pack_a"] = pack_a;
    const auto c = config_from_json(j);
    EXPECT_TRUE(c) << (c ? "" : c.error().message);
    return c ? c->blocking.pack_a : static_cast<a_packing>(77);
  };
  EXPECT_EQ(read("f32", "avx512f", false), a_packing::none);
  EXPECT_EQ(read("f32", "avx512f", true), a_packing::job);
  EXPECT_EQ(read("bf16", "avx512_bf16", false), a_packing::job);
  EXPECT_EQ(read("bf16", "avx512_bf16", true), a_packing::shared);
}

TEST(Config, JsonNeedsEveryKeyAndAnObject) {
  const nlohmann::json good = to_json(example());
  for (const auto& item : good.items()) {
    nlohmann::json j = good;
    j.erase(item.key());
    const auto c = config_from_json(j);
    ASSERT_FALSE(c) << item.key();
    EXPECT_NE(c.error().message.find(item.key()), std::string::npos);
  }
  EXPECT_FALSE(config_from_json(nlohmann::json::array()));
  EXPECT_FALSE(config_from_json(nullptr));
}

TEST(Config, TileNamesAreReadStrictly) {
  for (const char* bad : {"", "_", "avx512f", "avx512f_8x2_u1_a1", "avx512f_8x2_u1_a1_t0 ", "avx512f_08x2_u1_a1_t0",
                          "avx512f_+8x2_u1_a1_t0", "avx512f_-8x2_u1_a1_t0", "avx512f_99999999999x2_u1_a1_t0",
                          "sse_8x2_u1_a1_t0", "avx512f_8x2_u1_a1_t0;", "avx512f_15x2_u1_a1_t0", "avx2_7x2_u1_a1_t0",
                          "scalar_5x4_u1_a1_none", "avx512f_8x2_u8_a1_t0", "avx512f_8x2_u1_a2_t0"}) {
    EXPECT_FALSE(parse_tile_name(ComputeMode::f32, bad)) << bad;
  }
}

TEST(Config, TheTilesOfferedAreThoseThatFitTheRegisters) {
  const auto tallest = [](isa family, int nv) {
    int rows = 0;
    while (!violated(ComputeMode::f32, gemwright::tile{family, rows + 1, nv, 1, 1, prefetch::none})) ++rows;
    return rows;
  };
  const int wide[] = {30, 14, 9, 6, 5, 0}, narrow[] = {14, 6, 4, 2, 0};
  for (int nv = 1; nv <= 6; ++nv) EXPECT_EQ(tallest(isa::avx512f, nv), wide[nv - 1]) << nv;
  for (int nv = 1; nv <= 5; ++nv) EXPECT_EQ(tallest(isa::avx2, nv), narrow[nv - 1]) << nv;
  EXPECT_EQ(tallest(isa::scalar, 4), 4);
  EXPECT_EQ(tallest(isa::scalar, 1), 0);
}

TEST(Space, EachConstraintAnswersWhyNot) {
  const SpaceInput in = space_of(8, 4096, 4096, 2);
  EXPECT_EQ(violated(in, example()), std::nullopt);
  const auto why = [&](const std::function<void(Config&)>& change, SpaceInput space) {
    Config c = example();
    change(c);
    return violated(space, c).value_or("");
  };
  const auto contains = [](const std::string& text, const char* word) { return text.find(word) != std::string::npos; };
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.mc = 0; }, in), "at least 1"));
  EXPECT_TRUE(contains(why([](Config&) {}, space_of(8, 4096, 4096, 2, {isa::avx2})), "cannot run"));
  EXPECT_TRUE(contains(why([](Config& c) { c.tile.mr = 16; }, in), "registers"));
  EXPECT_TRUE(contains(why([](Config& c) { c.tile.mr = 9; }, in), "more rows than M"));
  EXPECT_TRUE(contains(why([](Config&) {}, space_of(8, 16, 4096, 2)), "beyond N"));
  EXPECT_TRUE(contains(why([](Config& c) { c.tile.ku = 4; }, space_of(8, 4096, 3, 2)), "shorter than the unroll"));
  EXPECT_TRUE(contains(why([](Config& c) { c.format.panel = 0; }, in), "must be packed"));
  EXPECT_TRUE(contains(why([](Config& c) { c.format.panel = 48; }, in), "whole number of tiles"));
  EXPECT_TRUE(contains(why([](Config& c) { c.format.panel = 160; }, in), "128"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.tm = 2; }, in), "than are offered"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.tm = 2; }, space_of(8, 4096, 4096, 4)), "along M"));
  EXPECT_TRUE(contains(why([](Config& c) { c.format.panel = 64; }, space_of(8, 64, 4096, 2)), "along N"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.tk = 2; }, space_of(8, 4096, 900, 4)), "slices of K pay"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.tk = 2; }, space_of(8, 4 << 20, 4096, 4)), "64 MiB"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.kc = 130; }, in), "kc"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.mc = 12; }, space_of(100, 4096, 4096, 2)), "mc"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.nc = 48; }, in), "nc"));
  EXPECT_TRUE(contains(
      why([](Config& c) { c.blocking.pack_a = a_packing::job, c.blocking.mc = 4096; }, space_of(4096, 4096, 4096, 2)),
      "16 MiB"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.prefetch_rows = 0; }, in), "other way round"));
  EXPECT_TRUE(contains(why([](Config& c) { c.tile.hint = prefetch::none; }, in), "other way round"));
  EXPECT_TRUE(contains(why([](Config& c) { c.blocking.prefetch_rows = 65; }, in), "192"));
  SpaceInput call = space_of(8, 4096, 64, 2);
  call.problem.constant_weights = false;
  EXPECT_TRUE(contains(why([](Config& c) { c.format.panel = 0; }, call), "beyond the last row"));
  const auto next_panel = [](Config& c) { c.blocking.prefetch_rows = gemwright::next_panel_rows; };
  EXPECT_EQ(why(next_panel, in), "");
  call.problem.k = 1 << 20;
  EXPECT_TRUE(contains(why([&](Config& c) { next_panel(c), c.format.panel = 0; }, call), "no next panel"));
  call.problem.k = 64;
  call.problem.b_layout = gemwright::layout::col_major;
  EXPECT_TRUE(contains(why([](Config& c) { c.format.panel = 0; }, call), "must be packed"));
  SpaceInput invariant = in;
  invariant.batch_invariant = true;
  EXPECT_TRUE(contains(why([](Config& c) { c.tile.mr = 1, c.tile.ka = 2; }, invariant), "batch-invariant"));
}

TEST(Space, ConfigsThatRunTheSameProgramAreOne) {
  const SpaceInput in = space_of(16, 4096, 4096, 1);
  Config c = example();
  c.blocking.tn = 1;
  c.blocking.mc = 1 << 20;
  c.blocking.kc = 5000;
  c.blocking.nc = 64;                  // joins the loop over tiles: rows pass inside
  c.blocking.order = loop_order::knm;  // one block of K and one of M: no order
  c.tile.mr = 14;                      // two tiles of 8 rows
  const Config whole = canonical(in, c);
  EXPECT_EQ(whole.blocking.mc, 16);
  EXPECT_EQ(whole.blocking.kc, 4096);
  EXPECT_EQ(whole.blocking.nc, 4096);
  EXPECT_EQ(whole.blocking.order, loop_order::mnk);
  EXPECT_EQ(whole.tile.mr, 8);

  c.blocking.rows_inside = false;  // now nc decides how long an A panel stays
  EXPECT_EQ(canonical(in, c).blocking.nc, 64);
  c.tile.ka = 4;
  EXPECT_EQ(canonical(in, c).tile.ku, 4);
}

TEST(Space, BlocksAreWrittenAsTheLoopNestMakesThem) {
  const SpaceInput in = space_of(100, 4096, 4096, 1);
  Config c = example();
  c.blocking.tn = 1;
  c.blocking.mc = 64;  // two blocks of 50 rows: 56 in whole tiles
  EXPECT_EQ(canonical(in, c).blocking.mc, 56);
}

TEST(Space, SlicesOfKKeepTheirRowsAPhase) {
  const SpaceInput in = space_of(100, 64, 8192, 4);
  Config c = example();
  c.blocking = {64, 64, 8192, loop_order::mnk, true, a_packing::none, 2, 1, 2, 64};
  EXPECT_EQ(canonical(in, c).blocking.mc, 64);
  EXPECT_EQ(violated(in, canonical(in, c)), std::nullopt);
}

TEST(Space, RandomConfigsNeighboursAndRepairsAreValidAndCanonical) {
  Random random(3);
  for_odd_problems([&](const SpaceInput& in) {
    for (int draw = 0; draw < 2; ++draw) {
      const auto c = random_config(in, random);
      ASSERT_TRUE(c) << name_of(in);
      ASSERT_EQ(violated(in, *c), std::nullopt) << name_of(in) << " " << label(*c);
      ASSERT_TRUE(canonical(in, *c) == *c) << name_of(in) << " " << label(*c);
      const auto same = repaired(in, *c);
      ASSERT_TRUE(same && *same == *c) << name_of(in) << " " << label(*c) << " became " << label(*same);
      std::set<std::string> keys{key(*c)};
      for (const Config& n : neighbours(in, *c)) {
        ASSERT_EQ(violated(in, n), std::nullopt) << name_of(in) << " " << label(n);
        ASSERT_TRUE(canonical(in, n) == n) << name_of(in) << " " << label(n) << " / " << label(canonical(in, n));
        ASSERT_TRUE(keys.insert(key(n)).second) << name_of(in) << " " << label(n);
      }
    }
  });
}

TEST(Space, CanonicalIsIdempotentForAnyNumbers) {
  Random random(11);
  for_odd_problems([&](const SpaceInput& in) {
    for (int draw = 0; draw < 4; ++draw) {
      SpaceInput large = space_of(14336, 14336, 14336, 3);
      large.modes = in.modes;
      Config c = *random_config(large, random);
      c.blocking.mc = 1 + static_cast<std::int64_t>(random.below(5000));
      c.blocking.nc = 1 + static_cast<std::int64_t>(random.below(5000));
      c.blocking.kc = 1 + static_cast<std::int64_t>(random.below(5000));
      const Config once = canonical(in, c);
      ASSERT_TRUE(canonical(in, once) == once) << name_of(in) << " " << label(c) << " / " << label(once);
    }
  });
}

TEST(Space, EnumerationVisitsValidCanonicalConfigsOnceAndAgreesWithSize) {
  SpaceInput call = space_of(2, 17, 16, 2, {isa::avx2});
  call.problem.constant_weights = false;
  for (const SpaceInput& in : {space_of(1, 1, 1), space_of(3, 3, 3), space_of(5, 20, 2, 2, {isa::avx2}), call,
                               space_of(2, 9, 1030, 2, {isa::scalar})}) {
    std::set<std::string> keys;
    for_each(in, [&](const Config& c) {
      EXPECT_EQ(violated(in, c), std::nullopt) << label(c);
      EXPECT_TRUE(canonical(in, c) == c) << label(c);
      EXPECT_TRUE(keys.insert(key(c)).second) << label(c);
      return !testing::Test::HasFailure();
    });
    EXPECT_EQ(size(in), keys.size()) << name_of(in);
    EXPECT_GT(keys.size(), 0U) << name_of(in);
    Random random(5);
    for (int i = 0; i < 300; ++i) {
      const Config c = *random_config(in, random);
      EXPECT_EQ(keys.count(key(c)), 1U) << name_of(in) << " " << label(c);
    }
  }
}

TEST(Space, AFilteredEnumerationGivesAllThatTheFilterAllows) {
  for (const SpaceInput& in : {space_of(5, 20, 2, 2, {isa::avx2}), space_of(1, 9, 1030, 2, {isa::scalar})}) {
    std::vector<std::pair<Config, std::string>> all;
    for_each(in, [&](const Config& c) {
      all.emplace_back(c, key(c));
      return true;
    });
    for (const Parameter& p : parameters()) {
      std::map<std::int64_t, std::set<std::string>> by_value;
      for (const auto& [c, name] : all) by_value[value(c, p.id)].insert(name);
      for (const auto& [wanted, expected] : by_value) {
        Enumeration filtered(in, kParamCount, [&](Param q, std::int64_t v) { return q != p.id || v == wanted; });
        std::set<std::string> found;
        while (const auto c = filtered.next()) {
          if (value(*c, p.id) == wanted) found.insert(key(*c));  // else it stands for sizes that are not enumerated
        }
        EXPECT_EQ(found, expected) << p.name << "=" << wanted;
      }
    }
  }
}

TEST(Space, EnumerationNeedsNoMemoryForTheSpace) {
  const SpaceInput in = space_of(4096, 4096, 4096, 2);
  EXPECT_EQ(size(in, 100000), 100000U);
  int visited = 0;
  for_each(in, [&](const Config&) { return ++visited < 1000; });
  EXPECT_EQ(visited, 1000);
}

TEST(Space, ParametersAreReadWrittenAndNamed) {
  ASSERT_EQ(parameters().size(), static_cast<std::size_t>(kParamCount));
  const nlohmann::json j = to_json(example());
  for (std::size_t i = 0; i < parameters().size(); ++i) {
    const Parameter& p = parameters()[i];
    EXPECT_EQ(static_cast<std::size_t>(p.id), i);
    const bool optional = p.id == Param::pair || p.id == Param::along;  // of neither kind
    EXPECT_TRUE(j.contains(std::string(p.name)) || optional) << p.name;
    EXPECT_FALSE(p.reason.empty());
    Config c;
    set_value(c, p.id, value(example(), p.id));
    EXPECT_EQ(value(c, p.id), value(example(), p.id)) << p.name;
  }
  EXPECT_EQ(value_text(Param::order, value(example(), Param::order)), "mnk");
  EXPECT_EQ(value_text(Param::hint, value(example(), Param::hint)), "t0");
  EXPECT_EQ(value_text(Param::pack_a, 1), "job");
  EXPECT_EQ(value_text(Param::along, 1), "k");
  EXPECT_EQ(value_text(Param::kc, 4096), "4096");
  EXPECT_EQ(value_text(Param::prefetch_rows, 64), "64");
  EXPECT_EQ(value_text(Param::prefetch_rows, gemwright::next_panel_rows), "panel");
}

TEST(Space, NeighboursReachWhatMatters) {
  const SpaceInput in = space_of(128, 4096, 4096, 2);
  Config c = example();
  c.blocking.mc = 128;
  c = canonical(in, c);
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
}

}  // namespace
}  // namespace gemwright::tuner
