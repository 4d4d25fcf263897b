#include "tuner/strategy/seeds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "search_inputs.h"

namespace gemwright::tuner {
namespace {

using test::for_odd_problems;
using test::name_of;
using test::space_of;
using test::space_of_modes;

const NamedConfig* find(const std::vector<NamedConfig>& list, const std::string& name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const NamedConfig& s) { return s.name == name; });
  return found == list.end() ? nullptr : &*found;
}

TEST(Seeds, AreValidCanonicalDistinctAndNeverMissing) {
  for_odd_problems([](const SpaceInput& in) {
    const auto list = seeds(in);
    ASSERT_FALSE(list.empty()) << name_of(in);
    std::set<std::string> keys, names;
    for (const NamedConfig& s : list) {
      ASSERT_EQ(violated(in, s.config), std::nullopt) << name_of(in) << " " << s.name << " " << label(s.config);
      ASSERT_TRUE(canonical(in, s.config) == s.config) << name_of(in) << " " << s.name;
      EXPECT_TRUE(keys.insert(key(s.config)).second) << name_of(in) << " " << s.name;
      EXPECT_TRUE(names.insert(s.name).second) << name_of(in) << " " << s.name;
    }
  });
}

TEST(Seeds, SurviveStrangeCacheSizes) {
  for (std::int64_t bytes : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 50}) {
    SpaceInput in = space_of(300, 4096, 4096, 2);
    in.l1d_bytes = in.l2_bytes = in.l3_bytes = bytes;
    for (const NamedConfig& s : seeds(in)) EXPECT_EQ(violated(in, s.config), std::nullopt) << s.name;
  }
}

TEST(Seeds, RestateTheKnownHeuristics) {
  // 512 x 4096 x 4096 on a core with 48 KiB and 1 MiB, the figures that the heuristics' own sources give.
  const auto list = seeds(space_of(512, 4096, 4096, 1));
  const NamedConfig* inductor = find(list, "inductor");
  ASSERT_NE(inductor, nullptr);
  EXPECT_EQ(inductor->config.blocking.mc, 32);
  const NamedConfig* onednn = find(list, "onednn");
  ASSERT_NE(onednn, nullptr);
  EXPECT_EQ(nr(onednn->config.tile), 64);
  EXPECT_EQ(onednn->config.blocking.kc, 1024);
  EXPECT_EQ(onednn->config.blocking.mc, 258);  // 256, in whole tiles of 6 rows
  const NamedConfig* blis = find(list, "blis-skx");
  ASSERT_NE(blis, nullptr);
  EXPECT_EQ(blis->config.tile.mr, 12);
  EXPECT_EQ(blis->config.blocking.kc, 384);
  EXPECT_FALSE(blis->config.blocking.rows_inside);
  const NamedConfig* model = find(list, "model");
  ASSERT_NE(model, nullptr);
  EXPECT_EQ(model->config.blocking.kc, 192);
  EXPECT_TRUE(model->config.blocking.rows_inside);
}

TEST(Seeds, SmallMStreamsTheWeightsFirst) {
  const auto list = seeds(space_of(8, 4096, 4096, 2));
  const Config& first = list.front().config;
  EXPECT_EQ(list.front().name.substr(0, 6), "stream");
  EXPECT_EQ(first.tile.mr, 8);
  EXPECT_EQ(first.tile.nv, 2);
  EXPECT_EQ(first.tile.hint, gemwright::prefetch::t1);
  EXPECT_EQ(first.blocking.kc, 4096);
  EXPECT_EQ(first.blocking.tn, 2);
  EXPECT_TRUE(first.blocking.rows_inside);
  EXPECT_EQ(seeds(space_of(8, 4096, 4096, 2, {isa::avx2})).front().config.tile.hint, gemwright::prefetch::t0);
}

TEST(Seeds, UpToSixRowsOfWideVectorsWaitForMemoryAlone) {
  const auto first = [](std::int64_t m) {
    SpaceInput in = space_of(m, 4096, 4096);
    in.cache_bytes = 256 << 20;
    return seeds(in).front().config.tile;
  };
  for (const std::int64_t m : {1, 2, 3, 6}) {
    EXPECT_EQ(first(m).hint, gemwright::prefetch::none) << m;
    EXPECT_EQ(first(m).ka, 1) << m;
    EXPECT_EQ(first(m).nv, m < 3 ? 2 : 4) << m;
  }
  EXPECT_EQ(first(7).hint, gemwright::prefetch::t1);
  EXPECT_EQ(seeds(space_of(1, 4096, 4096)).front().config.tile.ka, 4);  // from a cache: waits for its own sums
}

TEST(Seeds, FewColumnsTryVectorsThatLeaveFewerLanesIdle) {
  const auto short_vectors = [](std::int64_t n, std::vector<isa> families) {
    const auto list = seeds(space_of(48, n, 24, 1, families));
    const NamedConfig* const s = find(list, "short-vectors");
    return s == nullptr ? std::nullopt : std::optional(s->config.tile);
  };
  const std::vector<isa> both{isa::avx2, isa::avx512f};
  const auto three = short_vectors(24, both);
  ASSERT_TRUE(three.has_value());
  EXPECT_EQ(three->family, isa::avx2);
  EXPECT_EQ(three->nv, 3);
  EXPECT_TRUE(short_vectors(17, both).has_value());
  EXPECT_FALSE(short_vectors(16, both).has_value());  // one long vector
  EXPECT_FALSE(short_vectors(25, both).has_value());
  SpaceInput same_bits = space_of(48, 24, 24, 1, both);
  same_bits.batch_invariant = true;
  EXPECT_EQ(find(seeds(same_bits), "short-vectors"), nullptr);
  EXPECT_FALSE(short_vectors(24, {isa::avx512f}).has_value());
  EXPECT_FALSE(short_vectors(24, {isa::avx2}).has_value());  // they are the cubes' own there
}

TEST(Seeds, ManyRowsOfWideVectorsTryFlatTilesOverAPartThatL3Holds) {
  SpaceInput in = space_of(512, 4096, 4096, 1, {isa::avx512f});
  in.l3_bytes = 32 << 20;
  const auto list = seeds(in);
  const NamedConfig* const columns = find(list, "flat-columns");
  ASSERT_NE(columns, nullptr);
  EXPECT_EQ(columns->config.tile.nv, 4);
  EXPECT_EQ(columns->config.blocking.nc, 256);  // 4 MB
  EXPECT_FALSE(columns->config.blocking.rows_inside);
  EXPECT_EQ(columns->config.blocking.pack_a, gemwright::a_packing::none);
  const NamedConfig* const rows = find(list, "flat-rows");
  ASSERT_NE(rows, nullptr);
  EXPECT_TRUE(rows->config.blocking.rows_inside);
  EXPECT_EQ(rows->config.blocking.mc, 174);  // 256 rows of A are as much: three even blocks, in whole tiles of 6 rows
  EXPECT_EQ(find(seeds(space_of(512, 4096, 4096, 1, {isa::avx2})), "flat-rows"), nullptr);
  EXPECT_EQ(find(seeds(space_of(512, 48, 4096, 1, {isa::avx512f})), "flat-rows"), nullptr);  // three vectors
  in.format = gemwright::packing{32, 0};
  EXPECT_EQ(find(seeds(in), "flat-rows"), nullptr);  // not the tile's
  // Nor where the mode has to convert A first.
  EXPECT_EQ(find(seeds(space_of_modes({ComputeMode::bf16}, 512, 4096, 4096)), "bf16-flat-rows"), nullptr);
}

TEST(Seeds, TilesThatPassOverAPanelTogetherBringTheNextOne) {
  const auto list = seeds(space_of(32, 4096, 4096));
  const NamedConfig* const next = find(list, "stream-nv2-panel");
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->config.blocking.prefetch_rows, gemwright::next_panel_rows);
  EXPECT_EQ(find(seeds(space_of(8, 4096, 4096)), "stream-nv2-panel"), nullptr);      // one tile of rows
  EXPECT_EQ(find(seeds(space_of(32, 4096, 1 << 16)), "stream-nv2-panel"), nullptr);  // a panel of 8 MB
}

TEST(Seeds, FewRowsReadSeveralPanelsSideBySide) {
  const auto place = [](const std::vector<NamedConfig>& list, const std::string& name) {
    return std::find_if(list.begin(), list.end(), [&](const NamedConfig& s) { return s.name == name; }) - list.begin();
  };
  const auto narrow = seeds(space_of(8, 4096, 4096, 1, {isa::avx2}));
  const NamedConfig* const three = find(narrow, "side-by-side-3x3");
  ASSERT_NE(three, nullptr);
  EXPECT_EQ(three->config.tile.panels, 3);
  EXPECT_EQ(three->config.format.panel, 8);
  EXPECT_EQ(three->config.tile.mr, 4);
  EXPECT_EQ(three->config.tile.hint, gemwright::prefetch::none);  // two tiles pass over each panel
  EXPECT_LT(place(narrow, "side-by-side-3x3"), place(narrow, "side-by-side-2x2"));
  const auto row = seeds(space_of(1, 4096, 4096, 1, {isa::avx2}));
  EXPECT_EQ(find(row, "side-by-side-3x3"), nullptr);
  const NamedConfig* const four = find(row, "side-by-side-4x4");
  ASSERT_NE(four, nullptr);
  EXPECT_EQ(four->config.tile.hint, gemwright::prefetch::t0);
  EXPECT_EQ(four->config.blocking.prefetch_rows, 16);
  const auto wide = seeds(space_of(8, 4096, 4096, 1, {isa::avx512f}));
  EXPECT_EQ(find(wide, "side-by-side-3x3"), nullptr);
  EXPECT_NE(find(wide, "side-by-side-2x2"), nullptr);
}

TEST(Seeds, AFewRowsOfAPairReadTheHalvesInPanelsOfTheirOwn) {
  const auto of_rows = [](std::int64_t m, std::vector<isa> families) {
    SpaceInput in = space_of(m, 8192, 4096, 1, std::move(families));
    in.problem.chain = {EpilogueOp::swiglu};
    return seeds(in);
  };
  const auto one = of_rows(1, {isa::avx2}), four = of_rows(4, {isa::avx2});
  const NamedConfig* const streams = find(one, "apart-4x4");
  ASSERT_NE(streams, nullptr);
  EXPECT_EQ(streams->config.format, (gemwright::packing{8, 0}));
  EXPECT_EQ(streams->config.tile.panels, 4);
  EXPECT_NE(find(one, "side-by-side-4x2"), nullptr);  // panels that hold both
  EXPECT_NE(find(four, "apart-3x3"), nullptr);
  EXPECT_EQ(find(of_rows(1, {isa::avx512f}), "apart-4x4"), nullptr);  // not measured
}

TEST(Seeds, ASmallProductOfFewRowsStreamsWeightsThatComeFromMemory) {
  SpaceInput in = space_of(1, 1024, 1024);
  EXPECT_EQ(seeds(in).front().name.rfind("cube", 0), 0U) << seeds(in).front().name;
  in.cache_bytes = 64 << 20;
  EXPECT_EQ(seeds(in).front().name.rfind("stream", 0), 0U) << seeds(in).front().name;
}

TEST(Seeds, CubesTryRowsOfAThreadsOwnFirstWhereThereIsWorkEnough) {
  for (const NamedConfig& s : seeds(space_of(32, 32, 32, 2))) {
    const bool cube = s.name.substr(0, 4) == "cube";
    EXPECT_TRUE(!cube || threads_used(s.config.blocking) == 1) << s.name;
  }
  EXPECT_NE(find(seeds(space_of(32, 32, 32, 2)), "cube-nv2"), nullptr);
  const auto list = seeds(space_of(64, 64, 64, 2));
  EXPECT_EQ(list.front().config.blocking.tm, 2) << list.front().name;
  EXPECT_EQ(list.front().config.blocking.tn, 1);
  EXPECT_GE((64 + list.front().config.tile.mr - 1) / list.front().config.tile.mr, 2);
  EXPECT_NE(find(list, "cube-nv2"), nullptr);  // one thread may still be best
  const auto row = seeds(space_of(1, 1024, 1024, 2));
  EXPECT_EQ(row.front().config.blocking.tn, 2) << row.front().name;  // no rows to share
  for (const NamedConfig& s : seeds(space_of(64, 64, 64, 1))) EXPECT_EQ(threads_used(s.config.blocking), 1) << s.name;
}

TEST(Seeds, NoMoreThreadsAreTriedThanHaveEnoughToDo) {
  for (const NamedConfig& s : seeds(space_of(48, 48, 48, 64))) {
    const bool cube = s.name.substr(0, 4) == "cube";
    EXPECT_TRUE(!cube || threads_used(s.config.blocking) <= 2) << s.name;
  }
  SpaceInput many = space_of(32, 32, 32, 2);
  many.problem.batch = 64;
  EXPECT_EQ(threads_used(seeds(many).front().config.blocking), 2);
}

TEST(Seeds, AColumnBehindManyRowsTriesAllHeightsOfTilesWhateverTheThreads) {
  for (const int threads : {1, 2}) {
    const auto list = seeds(space_of(4096, 1, 1024, threads));
    for (const char* name : {"along-8-shared", "along-16-shared", "along-4-shared"}) {
      EXPECT_NE(find(list, name), nullptr) << name << " " << threads;
    }
  }
}

TEST(Seeds, LongKTriesSlices) {
  const auto list = seeds(space_of(16, 32, 65536, 2));
  const NamedConfig* slices = find(list, "split-k-nv2");
  ASSERT_NE(slices, nullptr);
  EXPECT_EQ(slices->config.blocking.tk, 2);
}

SpaceInput avx2_space(std::int64_t m, std::int64_t n, std::int64_t k) {
  SpaceInput in = space_of(m, n, k);
  in.families = {gemwright::isa::scalar, gemwright::isa::avx2};
  in.l2_bytes = 512 << 10;
  in.l3_bytes = 32 << 20;
  return in;
}

TEST(Seeds, ManyRowsOfF32StandBehindAPackedBlockOfAThatIsLargerThanL2) {
  const auto list = seeds(avx2_space(2048, 2048, 2048));
  const Config& first = list.front().config;
  EXPECT_EQ(list.front().name, "blocks-rows-nv2");
  EXPECT_EQ(first.tile.mr, 6);
  EXPECT_EQ(first.tile.ku, 4);
  EXPECT_EQ(first.tile.hint, gemwright::prefetch::none);
  EXPECT_EQ(first.blocking.pack_a, gemwright::a_packing::job);
  EXPECT_EQ(first.blocking.mc, 414);  // 4 MB of A are 512 rows: five even blocks, in whole tiles of 6 rows
  EXPECT_EQ(first.blocking.kc, 2048);
  const auto wide = seeds(space_of(2048, 2048, 2048));
  const NamedConfig* const rows = find(wide, "blocks-rows-nv2");
  ASSERT_NE(rows, nullptr);
  EXPECT_GE(rows->config.tile.mr, 12);
}

TEST(Seeds, ManyRowsOverWeightsThatL3HoldsHaveATileOfAPassOverAllColumns) {
  const auto list = seeds(avx2_space(512, 1024, 1024));
  const Config& first = list.front().config;
  EXPECT_EQ(list.front().name, "near-nv2");
  EXPECT_FALSE(first.blocking.rows_inside);
  EXPECT_EQ(first.blocking.pack_a, gemwright::a_packing::job);
  EXPECT_LE(first.blocking.mc * 1024 * 4, 256 << 10);  // half of L2
  EXPECT_EQ(find(seeds(avx2_space(512, 4096, 1024)), "near-nv2"), nullptr);
  EXPECT_EQ(find(seeds(space_of(512, 1024, 1024)), "near-nv2"), nullptr);  // 16 floats a vector: not measured
}

TEST(Seeds, BlocksOfF32CutKOnlyWhereItIsTooLongForTheLeastRows) {
  const auto kc = [](std::int64_t k) {
    const auto list = seeds(avx2_space(2048, 2048, k));
    const NamedConfig* const blocks = find(list, "blocks-rows-nv2");
    return blocks == nullptr ? std::nullopt : std::optional(blocks->config.blocking.kc);
  };
  EXPECT_EQ(kc(768), 768);
  EXPECT_EQ(kc(3072), 3072);
  EXPECT_EQ(kc(16000), 8192);
}

TEST(Seeds, ManyRowsAndFewColumnsReadAWhereItLies) {
  const auto list = seeds(avx2_space(3136, 64, 576));
  EXPECT_EQ(list.front().name, "narrow-nv2");
  EXPECT_EQ(list.front().config.blocking.pack_a, gemwright::a_packing::none);
  EXPECT_FALSE(list.front().config.blocking.rows_inside);
  EXPECT_EQ(find(seeds(avx2_space(3136, 4096, 576)), "narrow-nv2"), nullptr);  // B would not stay in L2
  EXPECT_EQ(find(seeds(avx2_space(16, 64, 576)), "narrow-nv2"), nullptr);
}

TEST(Seeds, ManyRowsAndOneVectorOfColumnsAlsoTakeTilesOfNoMoreRowsThanL1HasWays) {
  const auto list = seeds(space_of(64, 10, 4096, 1));
  const NamedConfig* const low = find(list, "narrow-low");
  ASSERT_NE(low, nullptr);
  EXPECT_EQ(low->config.tile.nv, 1);
  EXPECT_EQ(low->config.tile.mr, 8);
  EXPECT_EQ(find(seeds(space_of(64, 40, 4096, 1)), "narrow-low"), nullptr);
}

TEST(Seeds, ThreadsTakeRowsOfTheirOwnWhereKIsShort) {
  for (const char* name : {"flat-columns", "flat-rows"}) {
    const auto list = seeds(space_of(2048, 512, 13, 2)), longer = seeds(space_of(2048, 512, 512, 2));
    ASSERT_NE(find(list, name), nullptr);
    EXPECT_EQ(find(list, name)->config.blocking.tm, 2);
    EXPECT_EQ(find(list, name)->config.blocking.tn, 1);
    ASSERT_NE(find(longer, name), nullptr);
    EXPECT_EQ(find(longer, name)->config.blocking.tn, 2);
  }
}

TEST(Seeds, WeightsOfACallAreAlsoReadWhereTheyLie) {
  SpaceInput in = space_of(8, 1024, 1024, 2);
  in.problem.constant_weights = false;
  const auto list = seeds(in);
  const auto unpacked = [](const NamedConfig& s) { return s.config.format.panel == 0; };
  EXPECT_TRUE(std::any_of(list.begin(), list.end(), unpacked));
  EXPECT_FALSE(std::all_of(list.begin(), list.end(), unpacked));
}

}  // namespace
}  // namespace gemwright::tuner
