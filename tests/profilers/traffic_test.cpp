#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "gemwright/loop_nest.h"
#include "profilers/counters/traffic_model.h"
#include "tests/profilers/simulated_cache.h"

namespace gemwright::profilers {
namespace {

constexpr double kMiB = 1 << 20;
constexpr std::int64_t kWhole = std::int64_t{1} << 40;

Counter named(const std::vector<Counter>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Counter& c) { return c.name == name; });
  EXPECT_NE(found, all.end()) << name;
  return found == all.end() ? Counter{} : *found;
}
double value(const TrafficInput& in, const std::string& name) {
  const Counter c = named(model_traffic(in), name);
  EXPECT_TRUE(c.value) << name << ": " << c.reason;
  return c.value.value_or(-1);
}

// Tiles of 8 x 32, B packed in panels of one tile, one thread, 48 KiB, 1 MiB and 32 MiB of cache.
TrafficInput base(std::int64_t m, std::int64_t n, std::int64_t k) {
  TrafficInput in;
  in.m = m;
  in.n = n;
  in.k = k;
  in.tile = {isa::avx512f, 8, 2, 1, 1, prefetch::none};
  in.format = {32};
  in.blocking = {kWhole, kWhole, kWhole, loop_order::nmk, true, a_packing::none, 1, 1, 1, 0};
  in.l1d_bytes = 48 << 10;
  in.l2_bytes = 1 << 20;
  in.l3_bytes = 32 << 20;
  return in;
}

// The loop nest of Goto and van de Geijn: a panel of B in L1, a packed block of A in L2, 4 MiB an operand.
TrafficInput goto_nest() {
  TrafficInput in = base(1024, 1024, 1024);
  in.blocking = {128, 1024, 256, loop_order::nkm, true, a_packing::job, 1, 1, 1, 0};
  return in;
}

TEST(Traffic, CountersAreComputedAndInAFixedOrder) {
  const std::vector<Counter> all = model_traffic(goto_nest());
  std::vector<std::string> names;
  for (const Counter& c : all) {
    names.push_back(c.name);
    EXPECT_EQ(c.provider, "traffic");
    EXPECT_EQ(c.status, CounterStatus::computed) << c.name;
    EXPECT_EQ(c.unit, c.name == "flops" ? "flops" : "bytes");
    EXPECT_EQ(c.calls, 1);
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"flops", "bytes.min", "traffic.l1", "traffic.l2", "traffic.l3", "traffic.dram"}));
}

TEST(Traffic, GotosNestHasItsKnownTraffic) {
  const TrafficInput in = goto_nest();
  EXPECT_EQ(value(in, "flops"), 2.0 * 1024 * 1024 * 1024);
  EXPECT_EQ(value(in, "bytes.min"), 12 * kMiB);
  // A is read and copied once, then read for each of 32 columns of tiles; B for each of 128 rows of tiles; C is stored
  // for each of 4 blocks of K and loaded for 3.
  EXPECT_EQ(value(in, "traffic.l1"), 4 * kMiB * (1 + 1 + 32 + 128 + 7));
  // A panel of B (32 KiB) stays in L1 for the 16 rows of tiles of a block: B once for each of 8 blocks of rows.
  EXPECT_EQ(value(in, "traffic.l2"), 4 * kMiB * (1 + 1 + 32 + 8 + 7));
  // The packed block of A (128 KiB) stays in L2 all along.
  EXPECT_EQ(value(in, "traffic.l3"), 4 * kMiB * (1 + 8 + 7));
  EXPECT_EQ(value(in, "traffic.dram"), 0);  // 12 MiB stay in L3 from call to call
}

TEST(Traffic, ATileWhoseVectorsRunAlongKIsOneColumn) {
  TrafficInput in = base(128, 3, 256);
  in.tile = {isa::avx512f, 8, 1, 2, 1, prefetch::none, true};
  in.format = {1};
  // A for each column, B for each of 16 rows of tiles, C once.
  EXPECT_EQ(value(in, "traffic.l1"), 4.0 * (128 * 256 * 3 + 256 * 3 * 16 + 128 * 3));
  in.format = {16};
  EXPECT_EQ(named(model_traffic(in), "flops").status, CounterStatus::failed);
}

TEST(Traffic, ATileThatSpansPanelsMovesWhatOneOfItsWidthMoves) {
  TrafficInput one = base(24, 1000, 300), two = one;
  one.blocking = two.blocking = {8, 320, 128, loop_order::nkm, true, a_packing::job, 1, 3, 1, 0};
  two.tile.panels = 2;
  two.format = {16};
  for (const char* name : {"flops", "traffic.l1", "traffic.l2", "traffic.l3", "traffic.dram"}) {
    EXPECT_EQ(value(two, name), value(one, name)) << name;
  }
  two.format = {8};
  EXPECT_EQ(named(model_traffic(two), "flops").status, CounterStatus::failed);
}

TEST(Traffic, SmallerL3MakesOperandsComeOnceOrForEachBlockOfK) {
  TrafficInput in = goto_nest();
  in.l3_bytes = 8 << 20;  // C and what passes of A and B in a step of K: it is there still when the next call begins
  EXPECT_EQ(value(in, "traffic.dram"), 8 * kMiB);
  in.l3_bytes = 5 << 20;  // C is visited four times
  EXPECT_EQ(value(in, "traffic.dram"), 4 * kMiB * (1 + 1 + 7));
}

TEST(Traffic, ColdWeightsComeFromMemoryAndNothingElseDoes) {
  TrafficInput in = goto_nest();
  in.weights_between = 200e6;
  EXPECT_EQ(value(in, "traffic.dram"), 4 * kMiB);
  in.weights_between = 24 * kMiB;  // rotating weights that stay in L3
  EXPECT_EQ(value(in, "traffic.dram"), 0);
  EXPECT_EQ(value(in, "traffic.l3"), value(goto_nest(), "traffic.l3"));
  TrafficInput small = base(64, 64, 64);
  EXPECT_EQ(value(small, "traffic.l3"), 0);
  small.weights_between = 2 * kMiB;  // more than L2
  EXPECT_EQ(value(small, "traffic.l3"), 4 * 64 * 64);
  EXPECT_EQ(value(small, "traffic.dram"), 0);
}

TEST(Traffic, DecodeStreamsItsWeightsOnce) {
  TrafficInput in = base(8, 4096, 4096);
  in.weights_between = 200e6;
  const double a = kMiB / 8, c = kMiB / 8, b = 64 * kMiB;
  EXPECT_EQ(value(in, "traffic.l1"), 128 * a + b + c);
  EXPECT_EQ(value(in, "traffic.l2"), 128 * a + b + c) << "128 KiB of A do not stay in L1";
  EXPECT_EQ(value(in, "traffic.l3"), b + c) << "they stay in L2 beside a panel of B, from call to call";
  EXPECT_EQ(value(in, "traffic.dram"), b + c);
}

TEST(Traffic, ShallowerBlocksKeepThePanelOfBInL1AndVisitCMoreOften) {
  TrafficInput deep = base(64, 1024, 4096), shallow = deep;
  shallow.blocking.kc = 256;
  const double a = kMiB, b = 16 * kMiB, c = kMiB / 4;
  // Deep: a panel of B is 512 KiB, so L1 loses it for each of 8 rows of tiles.
  EXPECT_EQ(value(deep, "traffic.l2"), 32 * a + 8 * b + c);
  EXPECT_EQ(value(shallow, "traffic.l2"), 32 * a + b + (16 + 15) * c);
  EXPECT_GT(value(shallow, "traffic.l1"), value(deep, "traffic.l1"));
}

TEST(Traffic, NarrowerBlocksKeepBInL2AndReadAMoreOften) {
  TrafficInput wide = base(1024, 1024, 256), narrow = wide;
  wide.blocking.mc = narrow.blocking.mc = 64;
  narrow.blocking.nc = 256;
  const double operand = kMiB, c = 4 * kMiB;
  // Wide: 1 MiB of B does not stay in L2 for the next of 16 blocks of rows.
  EXPECT_EQ(value(wide, "traffic.l3"), operand * (1 + 16) + c);
  EXPECT_EQ(value(narrow, "traffic.l3"), operand * (4 + 1) + c);
}

TEST(Traffic, LoopOrderDecidesHowOftenCIsVisited) {
  TrafficInput in = base(512, 512, 2048);
  in.l2_bytes = 2 << 20;
  in.blocking.kc = 256;
  in.blocking.mc = 128;
  in.blocking.nc = 128;
  in.blocking.order = loop_order::mnk;
  const double inside = value(in, "traffic.l3");
  in.blocking.order = loop_order::kmn;
  const double c = kMiB;
  // K outside: A once, B for each of 4 blocks of rows (512 KiB of B stay beside them: once), C 8 + 7 times.
  EXPECT_EQ(value(in, "traffic.l3"), (4 + 4) * kMiB + 15 * c);
  // K inside: C once, A and B for each of 4 blocks of the other.
  EXPECT_EQ(inside, (4 + 4) * 4 * kMiB + c);
}

TEST(Traffic, BetaLoadsCAndTheChainReadsItsOperands) {
  TrafficInput in = base(16, 64, 32), more = in;
  more.beta = true;
  more.chain_column_bytes = 4;
  more.chain_element_bytes = 4;
  const double c = 4 * 16 * 64;
  EXPECT_EQ(value(more, "bytes.min") - value(in, "bytes.min"), c + 4 * 64 + c);
  // The bias is read for each of 2 rows of tiles.
  EXPECT_EQ(value(more, "traffic.l1") - value(in, "traffic.l1"), c + 2 * 4 * 64 + c);
}

TEST(Traffic, SplitKWritesPartialsAndAddsThemUp) {
  TrafficInput in = base(1, 4096, 4096);
  in.tile.mr = 1;
  in.blocking.tk = 2;
  in.weights_between = 200e6;
  const double a = 4 * 4096, b = 64 * kMiB, c = 4 * 4096;
  // Two slices store, the second phase loads both and stores C.
  EXPECT_EQ(value(in, "traffic.l1"), 128 * a + b + 5 * c);
  EXPECT_EQ(value(in, "traffic.l3"), a + b + 5 * c);
  TrafficInput one = in;
  one.blocking.tk = 1;
  EXPECT_EQ(value(one, "traffic.l1"), 128 * a + b + c);
}

TEST(Traffic, SplitKCrossesCachesEvenWhereEverythingFits) {
  TrafficInput in = base(8, 32, 1024);
  in.blocking.tk = 2;
  in.l1d_bytes = 4 << 20;
  EXPECT_EQ(value(in, "traffic.l2"), 5 * 4 * 8 * 32);
  EXPECT_EQ(value(in, "traffic.dram"), 0);
}

TEST(Traffic, ThreadsFetchSharedOperandsEachButMemoryServesThemOnce) {
  TrafficInput in = base(64, 1024, 1024);
  in.l2_bytes = in.l3_bytes = 256 << 10;  // a panel of B stays, A does not
  const double a = kMiB / 4, b = 4 * kMiB, c = kMiB / 4;
  in.blocking.tn = 2;  // 16 columns of tiles each
  EXPECT_EQ(value(in, "traffic.l3"), 32 * a + b + c);
  EXPECT_EQ(value(in, "traffic.dram"), 16 * a + b + c);
  in.blocking.tn = 1;
  in.blocking.tm = 2;  // the same B for both
  EXPECT_EQ(value(in, "traffic.l3"), 32 * a + 2 * b + c);
  EXPECT_EQ(value(in, "traffic.dram"), 32 * a + b + c);
}

TEST(Traffic, BatchItemsShareNothing) {
  TrafficInput one = base(24, 64, 128), five = one;
  five.batch = 5;
  EXPECT_EQ(value(five, "traffic.l1"), 5 * value(one, "traffic.l1"));
  five.blocking.tm = 2;  // 15 tiles: 8 and 7, so the third item is split
  EXPECT_EQ(value(five, "traffic.l1"), 5 * value(one, "traffic.l1"));
  EXPECT_EQ(value(five, "flops"), 5 * value(one, "flops"));
}

TEST(Traffic, PackingBInTheCallReadsItAndWritesItPadded) {
  TrafficInput packed = base(32, 40, 64), per_call = packed;
  per_call.b_packed = false;
  EXPECT_EQ(value(per_call, "traffic.l1") - value(packed, "traffic.l1"), 4 * 64 * (40 + 64));
  EXPECT_EQ(value(per_call, "bytes.min"), value(packed, "bytes.min"));
  per_call.format.panel = 0;  // read where it lies
  EXPECT_EQ(value(per_call, "traffic.l1"), value(packed, "traffic.l1"));
}

TEST(Traffic, PackingARepeatsForEachBlockOfColumnsWhereTheOrderForgetsTheBlock) {
  TrafficInput in = base(64, 256, 256);
  in.blocking.pack_a = a_packing::job;
  in.blocking.mc = 32;
  in.blocking.nc = 64;
  in.blocking.order = loop_order::mkn;  // the same block of A for all columns
  const double a = 4 * 64 * 256, other = a * 8 + 4 * 256 * 256 * 8 + 4 * 64 * 256;
  EXPECT_EQ(value(in, "traffic.l1"), 2 * a + other);
  in.blocking.order = loop_order::nkm;
  EXPECT_EQ(value(in, "traffic.l1"), 4 * 2 * a + other);
}

TEST(Traffic, UnknownCacheLeavesItsLevelMissingWithAReason) {
  TrafficInput in = goto_nest();
  in.l2_bytes.reset();
  const Counter missing = named(model_traffic(in), "traffic.l3");
  EXPECT_EQ(missing.status, CounterStatus::unsupported);
  EXPECT_FALSE(missing.value);
  EXPECT_EQ(missing.reason, "the size of L2 is not known");
  EXPECT_EQ(value(in, "traffic.l2"), value(goto_nest(), "traffic.l2"));
  EXPECT_EQ(value(in, "traffic.dram"), 0);
}

TEST(Traffic, InputThatIsNoCallFailsWithAReason) {
  std::vector<TrafficInput> bad(9, goto_nest());
  bad[0].m = -1;
  bad[1].k = kWhole + 1;
  bad[2].batch = kWhole;
  bad[3].blocking.kc = 0;
  bad[4].blocking.tm = bad[4].blocking.tn = bad[4].blocking.tk = 100;
  bad[5].format.panel = 48;
  bad[6].b_bytes = 0;
  bad[7].weights_between = std::nan("");
  bad[8].blocking.order = static_cast<loop_order>(9);
  for (const TrafficInput& in : bad) {
    for (const Counter& c : model_traffic(in)) {
      EXPECT_EQ(c.status, CounterStatus::failed);
      EXPECT_FALSE(c.value);
      EXPECT_FALSE(c.reason.empty());
    }
  }
}

TEST(Traffic, DegenerateSizesAreExact) {
  TrafficInput one = base(1, 1, 1);
  EXPECT_EQ(value(one, "flops"), 2);
  EXPECT_EQ(value(one, "traffic.l1"), 12);
  EXPECT_EQ(value(base(0, 5, 5), "traffic.l1"), 0);
  EXPECT_EQ(value(base(2, 3, 0), "traffic.l1"), 4 * 2 * 3) << "only C is written";
  const std::int64_t huge = std::int64_t{1} << 30;
  TrafficInput cube = base(huge, huge, huge);
  EXPECT_EQ(value(cube, "flops"), std::ldexp(1.0, 91));
  EXPECT_EQ(value(cube, "bytes.min"), 3 * std::ldexp(1.0, 62));
  EXPECT_EQ(value(cube, "traffic.l1"), std::ldexp(1.0, 62) * (std::ldexp(1.0, 25) + std::ldexp(1.0, 27) + 1));
  EXPECT_EQ(value(cube, "traffic.dram"), value(cube, "traffic.l1")) << "no cache holds a panel of that depth";
}

// What holds for every call: each level carries at most what the level above it does, and at least what it must.
TEST(Traffic, LawsHoldForAnyConfig) {
  std::mt19937_64 random(7);
  const auto pick = [&](std::initializer_list<std::int64_t> from) { return from.begin()[random() % from.size()]; };
  for (int i = 0; i < 20000; ++i) {
    TrafficInput in =
        base(pick({1, 2, 7, 8, 9, 64, 65, 1000}), pick({1, 31, 32, 33, 500, 4096}), pick({0, 1, 3, 64, 1000, 4096}));
    in.batch = pick({1, 1, 2, 7});
    in.tile.mr = static_cast<int>(pick({1, 3, 8, 14}));
    in.tile.nv = static_cast<int>(pick({1, 2, 4}));
    in.format.panel = static_cast<int>(pick({0, 64, 128}));
    in.b_packed = random() % 2 == 0;
    in.blocking = {pick({1, 8, 60, kWhole}),
                   pick({1, 64, 640, kWhole}),
                   pick({1, 48, 256, kWhole}),
                   static_cast<loop_order>(random() % loop_order_count),
                   random() % 2 == 0,
                   random() % 2 == 0 ? a_packing::job : a_packing::none,
                   static_cast<int>(pick({1, 1, 2, 5, 16})),
                   static_cast<int>(pick({1, 1, 2, 5, 16})),
                   static_cast<int>(pick({1, 1, 2, 3})),
                   0};
    in.beta = random() % 2 == 0;
    in.chain_column_bytes = static_cast<int>(pick({0, 4}));
    in.chain_element_bytes = static_cast<int>(pick({0, 0, 4}));
    in.l1d_bytes = pick({1, 4096, 48 << 10, 256 << 10});
    in.l2_bytes = pick({1, 64 << 10, 1 << 20});
    in.l3_bytes = pick({1, 1 << 20, 32 << 20});
    in.weights_between = static_cast<double>(pick({0, 0, 8 << 20, 1 << 30}));
    const std::vector<Counter> all = model_traffic(in);
    const double weights = 4.0 * static_cast<double>(in.batch * in.n * in.k);
    double above = *named(all, "traffic.l1").value;
    ASSERT_GE(above, *named(all, "bytes.min").value) << i;
    for (const char* level : {"traffic.l2", "traffic.l3", "traffic.dram"}) {
      const double here = *named(all, level).value;
      ASSERT_LE(here, above) << i << " " << level;
      ASSERT_GE(here, 0) << i << " " << level;
      above = here;
    }
    if (in.weights_between == 1 << 30) {
      ASSERT_GE(above, weights) << i << " cold weights come from memory";
    }
    if (*in.l1d_bytes == 1 && *in.l2_bytes == 1 && *in.l3_bytes == 1) {
      ASSERT_GE(above, *named(all, "bytes.min").value) << i;
    }
  }
}

void walk_tile(const TrafficInput& in, Lru& cache, const std::int64_t (&from)[3], const std::int64_t (&to)[3]) {
  constexpr std::int64_t kB = 1 << 24, kC = 1 << 25;
  for (std::int64_t i = from[0]; i < to[0]; ++i) {
    for (std::int64_t j = from[1]; from[2] > 0 && j < to[1]; ++j) cache.touch(kC + i * in.n + j, false);
  }
  for (std::int64_t p = from[2]; p < to[2]; ++p) {
    for (std::int64_t j = from[1]; j < to[1]; ++j) cache.touch(kB + p * in.n + j, false);
    for (std::int64_t i = from[0]; i < to[0]; ++i) cache.touch(i * in.k + p, false);
  }
  for (std::int64_t i = from[0]; i < to[0]; ++i) {
    for (std::int64_t j = from[1]; j < to[1]; ++j) cache.touch(kC + i * in.n + j, true);
  }
}

void walk_block(const TrafficInput& in, Lru& cache, const std::int64_t (&from)[3], const std::int64_t (&to)[3]) {
  const std::int64_t step[2] = {in.tile.mr, in.tile.nv};
  const int outer = in.blocking.rows_inside ? 1 : 0, inner = 1 - outer;
  for (std::int64_t x = from[outer]; x < to[outer]; x += step[outer]) {
    for (std::int64_t y = from[inner]; y < to[inner]; y += step[inner]) {
      std::int64_t a[3] = {0, 0, from[2]}, b[3] = {0, 0, to[2]};
      a[outer] = x;
      a[inner] = y;
      for (int d = 0; d < 2; ++d) b[d] = std::min(a[d] + step[d], to[d]);
      walk_tile(in, cache, a, b);
    }
  }
}

// Elements that a call moves through a cache of so many, after the call before.
double simulated(const TrafficInput& in, std::size_t elements) {
  constexpr int kOrder[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const int* const o = kOrder[static_cast<int>(in.blocking.order)];
  const std::int64_t whole[3] = {in.m, in.n, in.k};
  const std::int64_t step[3] = {in.blocking.mc, in.blocking.nc, in.blocking.kc};
  Lru cache(elements);
  for (int call = 0; call < 2; ++call) {
    cache.moved = 0;
    std::int64_t at[3];
    for (at[o[0]] = 0; at[o[0]] < whole[o[0]]; at[o[0]] += step[o[0]]) {
      for (at[o[1]] = 0; at[o[1]] < whole[o[1]]; at[o[1]] += step[o[1]]) {
        for (at[o[2]] = 0; at[o[2]] < whole[o[2]]; at[o[2]] += step[o[2]]) {
          std::int64_t to[3];
          for (int d = 0; d < 3; ++d) to[d] = std::min(at[d] + step[d], whole[d]);
          walk_block(in, cache, at, to);
        }
      }
    }
  }
  return cache.moved;
}

// Scalar tiles of 4 x 4 over 32 x 48 x 64 in blocks of 16 x 16 x 16.
TrafficInput small_nest(loop_order order, bool rows_inside) {
  TrafficInput in = base(32, 48, 64);
  in.tile = {isa::scalar, 4, 4, 1, 1, prefetch::none};
  in.format = {0};
  in.blocking = {16, 16, 16, order, rows_inside, a_packing::none, 1, 1, 1, 0};
  return in;
}

// The model knows "fits" and "does not"; a true cache loses a block little by little as it gets smaller. So the model
// may say more, by less than a third, but not less than a cache a fifth larger.
TEST(Traffic, AgreesWithASimulatedCacheOfAnySize) {
  for (int order = 0; order < loop_order_count; ++order) {
    for (const bool rows_inside : {true, false}) {
      TrafficInput in = small_nest(static_cast<loop_order>(order), rows_inside);
      for (const std::int64_t elements : {50, 170, 500, 800, 1500, 2500, 5000, 9000}) {
        in.l1d_bytes = 4 * elements;
        const double model = value(in, "traffic.l2") / 4;
        const auto size = static_cast<double>(elements);
        const std::string what = std::string(loop_order_name(in.blocking.order)) +
                                 (rows_inside ? " rows " : " columns ") + std::to_string(elements);
        EXPECT_GE(model, 0.99 * simulated(in, static_cast<std::size_t>(size * 1.2))) << what;
        EXPECT_LE(model, 1.3 * simulated(in, static_cast<std::size_t>(size / 1.2))) << what;
      }
    }
  }
}

}  // namespace
}  // namespace gemwright::profilers
