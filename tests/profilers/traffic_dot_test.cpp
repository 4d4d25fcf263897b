// The traffic model of the dot modes' loop nest.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "profilers/counters/traffic_model.h"
#include "tests/profilers/simulated_cache.h"

namespace gemwright::profilers {
namespace {

constexpr std::int64_t kWhole = std::int64_t{1} << 40;

double value(const TrafficInput& in, const std::string& name) {
  for (const Counter& c : model_traffic(in)) {
    if (c.name != name) continue;
    EXPECT_TRUE(c.value) << name << ": " << c.reason;
    return c.value.value_or(-1);
  }
  ADD_FAILURE() << name;
  return -1;
}

// u8 x s8 -> f32 in tiles of 8 x 32; one thread, 48 KiB, 1 MiB and 32 MiB of cache.
TrafficInput u8s8(std::int64_t m, std::int64_t n, std::int64_t k) {
  TrafficInput in;
  in.m = m;
  in.n = n;
  in.k = k;
  in.dot = true;
  in.a_bytes = in.b_bytes = in.a_source_bytes = in.b_source_bytes = 1;
  in.tile = {isa::avx512_vnni, 8, 2, 1, 1, prefetch::none};
  in.format = {32};
  in.blocking = {kWhole, kWhole, kWhole, loop_order::mnk, true, a_packing::job, 1, 1, 1, 0};
  in.l1d_bytes = 48 << 10;
  in.l2_bytes = 1 << 20;
  in.l3_bytes = 32 << 20;
  return in;
}

TEST(DotTraffic, AIsPackedOnceAndAccumulatorsWaitBetweenBlocksOfK) {
  TrafficInput in = u8s8(64, 256, 128);
  in.blocking.mc = 32;
  in.blocking.nc = 64;
  in.blocking.kc = 64;
  const double a = 64 * 128, b = 256 * 128, c = 64 * 256;
  EXPECT_EQ(value(in, "flops"), 2.0 * 64 * 256 * 128);
  EXPECT_EQ(value(in, "bytes.min"), a + b + 4 * c);
  // A is read and copied once, then read for each of 8 columns of tiles; B for each of 8 rows of tiles; sums are stored
  // and loaded once, and C is stored.
  EXPECT_EQ(value(in, "traffic.l1"), 2 * a + 8 * a + 8 * b + 2 * 4 * c + 4 * c);
  in.blocking.kc = kWhole;
  EXPECT_EQ(value(in, "traffic.l1"), 2 * a + 8 * a + 8 * b + 4 * c) << "one block of K keeps them in registers";
  in.beta = true;
  EXPECT_EQ(value(in, "traffic.l1"), 2 * a + 8 * a + 8 * b + 2 * 4 * c);
}

TEST(DotTraffic, FloatsAreReadTwiceToBeQuantisedAndShrink) {
  TrafficInput in = u8s8(8, 32, 1024);
  const double a = 8 * 1024, rest = 32 * 1024 + 4 * 8 * 32;
  EXPECT_EQ(value(in, "traffic.l1"), 3 * a + rest);
  in.a_source_bytes = 4;
  in.a_passes = 2;
  EXPECT_EQ(value(in, "traffic.l1"), 2 * 4 * a + 2 * a + rest);
  EXPECT_EQ(value(in, "bytes.min"), 4 * a + rest);
  in.l1d_bytes = 8 << 10;  // the eight rows stay in L2 for the second pass
  in.l2_bytes = 64 << 10;
  EXPECT_EQ(value(in, "traffic.l2"), 2 * 4 * a + 2 * a + rest);
  EXPECT_EQ(value(in, "traffic.l3"), 4 * a + rest);
}

TEST(DotTraffic, DecodeStreamsItsWeightsOnce) {
  TrafficInput in = u8s8(8, 4096, 4096);
  in.weights_between = 200e6;
  const double b = 4096.0 * 4096;
  EXPECT_EQ(value(in, "traffic.dram"), b) << "a quarter of what f32 moves";
  in.b_bytes = in.b_source_bytes = 2;  // bf16
  in.n = 2048;
  EXPECT_EQ(value(in, "traffic.dram"), b);
}

TEST(DotTraffic, ThreadsPackEachForItselfOrTogether) {
  TrafficInput in = u8s8(64, 1024, 256);
  in.blocking.tn = 4;
  const double a = 64 * 256, rest = 32 * a + 8 * 1024 * 256 + 4 * 64 * 1024;
  EXPECT_EQ(value(in, "traffic.l1"), 4 * 2 * a + rest);
  in.blocking.pack_a = a_packing::shared;
  EXPECT_EQ(value(in, "traffic.l1"), 2 * a + rest);
  in.l1d_bytes = 4 << 20;  // what another thread packed comes from outside
  EXPECT_EQ(value(in, "traffic.l2"), a + 4 * a);
}

TEST(DotTraffic, SlicesOfKLeaveTheirSumsForAnotherThread) {
  TrafficInput in = u8s8(8, 32, 1024);
  in.blocking.tk = 2;
  in.blocking.pack_a = a_packing::shared;
  const double a = 8 * 1024, b = 32 * 1024, c = 4 * 8 * 32;
  // Both slices are stored; the one is added to the other, which is loaded once more to become C.
  EXPECT_EQ(value(in, "traffic.l1"), 3 * a + b + 6 * c + c);
  in.l1d_bytes = 4 << 20;
  EXPECT_EQ(value(in, "traffic.l2"), 2 * a + 4 * c) << "what another thread packed or summed comes from outside";
  in.blocking.kc = 256;
  EXPECT_EQ(value(in, "traffic.l2"), 2 * a + 4 * c) << "blocks of a slice stay with their thread";
}

TEST(DotTraffic, SumsOfSlicesThatFitNoCacheGoToMemory) {
  TrafficInput in = u8s8(4096, 4096, 4096);
  in.blocking.tk = 2;
  in.blocking.pack_a = a_packing::shared;
  in.blocking.mc = 4096;  // 128 MiB of them
  const double whole = value(in, "traffic.dram");
  in.blocking.mc = 256;  // 8 MiB
  EXPECT_GT(whole - value(in, "traffic.dram"), 4 * 4.0 * 4096 * 4096 - 1) << "stored and loaded, both";
}

TEST(DotTraffic, AThatIsReadWhereItLiesIsNotCopied) {
  TrafficInput in = u8s8(64, 256, 128);
  in.blocking.pack_a = a_packing::none;
  const double a = 64 * 128, b = 256 * 128, c = 64 * 256;
  EXPECT_EQ(value(in, "traffic.l1"), 8 * a + 8 * b + 4 * c) << "for each of 8 columns of tiles";
  in.l1d_bytes = 1;
  in.l2_bytes = 12 << 10;
  in.weights_between = 1e9;
  EXPECT_EQ(value(in, "traffic.l3"), 8 * a + b + 4 * c) << "all rows pass for each column of tiles";
  in.blocking.rows_inside = false;
  EXPECT_EQ(value(in, "traffic.l3"), a + 8 * b + 4 * c);
}

TEST(DotTraffic, WeightsGivenPerCallAreReadAsTheyLieAndWrittenPacked) {
  TrafficInput packed = u8s8(8, 40, 64), per_call = packed;
  per_call.b_packed = false;
  per_call.b_source_bytes = 4;
  EXPECT_EQ(value(per_call, "traffic.l1") - value(packed, "traffic.l1"), 64 * (4 * 40 + 64));
}

TEST(DotTraffic, ConfigsThatNoDotModeHasFail) {
  TrafficInput bad[6];
  std::fill(std::begin(bad), std::end(bad), u8s8(8, 8, 8));
  bad[0].blocking.order = loop_order::nmk;
  bad[1].format.panel = 0;
  bad[2].a_source_bytes = 0;
  bad[3].dot = false;
  bad[4].blocking.pack_a = static_cast<a_packing>(3);
  bad[5].blocking.tk = 2;
  for (const TrafficInput& in : bad) {
    for (const Counter& c : model_traffic(in)) EXPECT_EQ(c.status, CounterStatus::failed) << c.name;
  }
}

TEST(DotTraffic, NoLevelCarriesMoreThanTheOneAboveIt) {
  std::mt19937_64 random(11);
  const auto pick = [&](std::initializer_list<std::int64_t> from) { return from.begin()[random() % from.size()]; };
  for (int i = 0; i < 20000; ++i) {
    TrafficInput in =
        u8s8(pick({1, 7, 8, 9, 64, 65, 1000}), pick({1, 31, 32, 33, 500, 4096}), pick({0, 1, 3, 64, 1000, 4096}));
    in.batch = pick({1, 1, 2, 7});
    in.a_bytes = static_cast<int>(pick({1, 2, 4}));
    in.b_bytes = static_cast<int>(pick({1, 2}));
    in.c_bytes = static_cast<int>(pick({2, 4}));
    in.a_source_bytes = static_cast<int>(pick({1, 2, 4}));
    in.b_source_bytes = in.b_bytes;
    in.a_passes = static_cast<int>(pick({1, 2}));
    in.b_packed = random() % 2 == 0;
    in.blocking.mc = pick({1, 8, 60, kWhole});
    in.blocking.nc = pick({1, 64, 640, kWhole});
    in.blocking.kc = pick({4, 48, 256, kWhole});
    in.blocking.rows_inside = random() % 2 == 0;
    in.blocking.pack_a = static_cast<a_packing>(pick({0, 1, 2}));
    if (in.blocking.pack_a == a_packing::none) in.a_bytes = in.a_source_bytes;
    in.blocking.tm = static_cast<int>(pick({1, 1, 2, 5, 16}));
    in.blocking.tn = static_cast<int>(pick({1, 1, 2, 5, 16}));
    in.beta = random() % 2 == 0;
    in.chain_column_bytes = static_cast<int>(pick({0, 8, 12}));
    in.chain_element_bytes = static_cast<int>(pick({0, 4}));
    in.l1d_bytes = pick({1, 4096, 48 << 10, 256 << 10});
    in.l2_bytes = pick({1, 64 << 10, 1 << 20});
    in.l3_bytes = pick({1, 1 << 20, 32 << 20});
    in.weights_between = static_cast<double>(pick({0, 0, 8 << 20, 1 << 30}));
    double above = value(in, "traffic.l1");
    ASSERT_GE(above, value(in, "bytes.min")) << i;
    for (const char* level : {"traffic.l2", "traffic.l3", "traffic.dram"}) {
      const double here = value(in, level);
      ASSERT_LE(here, above) << i << " " << level;
      ASSERT_GE(here, 0) << i << " " << level;
      above = here;
    }
    if (in.weights_between == 1 << 30) {
      ASSERT_GE(above, static_cast<double>(in.b_bytes * in.batch * in.n * in.k)) << i << " cold weights";
    }
  }
}

struct Range {
  std::int64_t begin, end;
};

void walk_tile(const TrafficInput& in, Lru& cache, Range rows, Range columns, Range depth, Range block) {
  constexpr std::int64_t kPacked = 1 << 23, kB = 1 << 24, kC = 1 << 25, kSums = 1 << 26;
  const auto sums = [&](bool write) {
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      for (std::int64_t j = columns.begin; j < columns.end; ++j) {
        const bool last = depth.end == in.k;
        const std::int64_t waiting = kSums + (i - block.begin) * in.blocking.nc + j % in.blocking.nc;
        cache.touch(write && last ? kC + i * in.n + j : waiting, write);
      }
    }
  };
  if (depth.begin > 0) sums(false);
  for (std::int64_t p = depth.begin; p < depth.end; ++p) {
    for (std::int64_t j = columns.begin; j < columns.end; ++j) cache.touch(kB + p * in.n + j, false);
    for (std::int64_t i = rows.begin; i < rows.end; ++i) cache.touch(kPacked + (i - block.begin) * in.k + p, false);
  }
  sums(true);
}

void walk_chunk(const TrafficInput& in, Lru& cache, Range chunk) {
  constexpr std::int64_t kPacked = 1 << 23;
  const std::int64_t mr = in.tile.mr, nr = in.tile.nv;
  for (std::int64_t i = chunk.begin; i < chunk.end; ++i) {
    for (std::int64_t p = 0; p < in.k; ++p) {
      cache.touch(i * in.k + p, false);
      cache.touch(kPacked + (i - chunk.begin) * in.k + p, true);
    }
  }
  const auto tile = [&](std::int64_t i, std::int64_t j, Range depth) {
    walk_tile(in, cache, {i, i + mr}, {j, j + nr}, depth, chunk);
  };
  for (std::int64_t n0 = 0; n0 < in.n; n0 += in.blocking.nc) {
    for (std::int64_t k0 = 0; k0 < in.k; k0 += in.blocking.kc) {
      const Range depth{k0, k0 + in.blocking.kc};
      if (in.blocking.rows_inside) {
        for (std::int64_t j = n0; j < n0 + in.blocking.nc; j += nr) {
          for (std::int64_t i = chunk.begin; i < chunk.end; i += mr) tile(i, j, depth);
        }
      } else {
        for (std::int64_t i = chunk.begin; i < chunk.end; i += mr) {
          for (std::int64_t j = n0; j < n0 + in.blocking.nc; j += nr) tile(i, j, depth);
        }
      }
    }
  }
}

// Elements that a call moves through a cache of so many, after the call before.
double simulated(const TrafficInput& in, std::size_t elements) {
  Lru cache(elements);
  for (int call = 0; call < 2; ++call) {
    cache.moved = 0;
    for (std::int64_t m0 = 0; m0 < in.m; m0 += in.blocking.mc) walk_chunk(in, cache, {m0, m0 + in.blocking.mc});
  }
  return cache.moved;
}

// As for f32: the model knows "fits" and "does not", a true cache loses a block little by little.
TEST(DotTraffic, AgreesWithASimulatedCacheOfAnySize) {
  for (const std::int64_t kc : {16, 32, 64}) {
    for (const bool rows_inside : {true, false}) {
      TrafficInput in = u8s8(32, 48, 64);
      in.a_bytes = in.b_bytes = in.a_source_bytes = in.b_source_bytes = 4;
      in.tile = {isa::scalar, 4, 4, 1, 1, prefetch::none};
      in.format = {4};
      in.blocking = {16, 16, kc, loop_order::mnk, rows_inside, a_packing::job, 1, 1, 1, 0};
      for (const std::int64_t elements : {50, 170, 500, 800, 1500, 2500, 5000, 9000, 12000}) {
        in.l1d_bytes = 4 * elements;
        const double model = value(in, "traffic.l2") / 4;
        const auto size = static_cast<double>(elements);
        const std::string what =
            (rows_inside ? "rows " : "columns ") + std::to_string(elements) + " kc " + std::to_string(kc);
        EXPECT_GE(model, 0.99 * simulated(in, static_cast<std::size_t>(size * 1.2))) << what;
        EXPECT_LE(model, 1.3 * simulated(in, static_cast<std::size_t>(size / 1.2))) << what;
      }
    }
  }
}

}  // namespace
}  // namespace gemwright::profilers
