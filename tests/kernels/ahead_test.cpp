// Where tiles prefetch B: rows of their own panel, or together the next one; and whether they prefetch C.
#include <gemwright/ahead.h>
#include <gemwright/dot_plan.h>
#include <gemwright/gemm.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <vector>

namespace gemwright::test {
namespace {

TEST(Ahead, RowsOfTheSamePanelMoveWithTheTile) {
  const look_ahead rows{64, 1000, 32, 3};
  for (std::int64_t t = 0; t < 3; ++t) {
    EXPECT_EQ(rows.of(t, 32000).from, 64 * 32);
    EXPECT_EQ(rows.of(t, 32000).step, 32);
    EXPECT_EQ(rows.of(t, 0).from, 64 * 32);  // the last panel: what lies behind it is harmless
  }
}

TEST(Ahead, TheTilesOfRowsBringAllOfTheNextPanelTogether) {
  constexpr std::int64_t kLine = 16;
  for (const std::int64_t k : {1, 7, 64, 1000}) {
    for (const std::int64_t width : {16, 32, 48, 64}) {
      for (std::int64_t tiles = 1; tiles <= 12; ++tiles) {
        const std::int64_t panel = k * width;
        std::vector<bool> brought(static_cast<std::size_t>(panel / kLine));
        const look_ahead next{next_panel_rows, k, width, tiles};
        for (std::int64_t t = 0; t < tiles; ++t) {
          const b_ahead a = next.of(t, panel);
          for (std::int64_t step = 0; step < k; ++step) {
            for (std::int64_t j = 0; j < width; j += kLine) {  // as a tile of that width does
              const std::int64_t line = (a.from + step * a.step + j - panel) / kLine;
              if (line >= 0 && line < panel / kLine) brought[static_cast<std::size_t>(line)] = true;
            }
          }
        }
        EXPECT_EQ(std::count(brought.begin(), brought.end(), false), 0) << k << " x " << width << ", " << tiles;
      }
    }
  }
}

TEST(Ahead, NothingIsBroughtBehindTheLastPanelNorByTilesWithoutAShare) {
  const look_ahead next{next_panel_rows, 100, 32, 20};
  EXPECT_EQ(next.of(0, 0).from, 0);
  EXPECT_EQ(next.of(8, 3200).from, 0);
  EXPECT_EQ(next.of(19, 3200).from, 0);
}

// Row, column, where the prefetch begins from b on, and its step, of each tile that is run.
using Seen = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;
std::vector<Seen>& seen() {
  static std::vector<Seen> list;
  return list;
}
void spy(const micro_args& x) { seen().emplace_back(x.row, x.col, x.prefetch.from, x.prefetch.step); }
constexpr micro_kernel kSpies[] = {spy, spy, spy, spy};

std::vector<Seen> tiles_of(blocking block) {
  constexpr std::int64_t kM = 10, kN = 40, kK = 50;
  const kernel_set set{{isa::scalar, 4, 16, 1, 1, prefetch::t1}, 16, kSpies, kSpies, nullptr, {}};
  const plan p{&set, {16}, block};
  std::vector<float> a(kM * kK), b(packed_b_size(kN, kK, p.format)), c(kM * kN);
  gemm_call x;
  x.m = kM;
  x.n = kN;
  x.k = kK;
  x.a = a.data();
  x.lda = kK;
  x.b = b.data();
  x.b_packed = true;
  x.c = c.data();
  x.ldc = kN;
  context ctx(1, scratch_for(p, kN, kK, 1, true));
  seen().clear();
  EXPECT_EQ(run_gemm(x, p, ctx), status::ok);
  return seen();
}

TEST(Ahead, TheNestAndTheShortWayPastItPrefetchTheSame) {
  constexpr std::int64_t kAll = 1 << 20, kPanel = 50 * 16;
  blocking whole{kAll, kAll, kAll, loop_order::mnk, true, a_packing::none, 1, 1, 1, next_panel_rows};
  const std::vector<Seen> by_rows = {{0, 0, kPanel, 6},
                                     {4, 0, kPanel + 16 * 16, 6},
                                     {7, 0, kPanel + 33 * 16, 6},
                                     {0, 16, kPanel, 6},
                                     {4, 16, kPanel + 16 * 16, 6},
                                     {7, 16, kPanel + 33 * 16, 6},
                                     {0, 32, 0, 16},
                                     {4, 32, 0, 16},
                                     {7, 32, 0, 16}};
  EXPECT_EQ(tiles_of(whole), by_rows);
  blocking nest = whole;
  nest.pack_a = a_packing::job;
  EXPECT_EQ(tiles_of(nest), by_rows);
  whole.rows_inside = nest.rows_inside = false;  // a panel is read once, by each tile of rows
  const std::vector<Seen> by_columns = {{0, 0, kPanel, 16}, {0, 16, kPanel, 16}, {0, 32, 0, 16},
                                        {4, 0, kPanel, 16}, {4, 16, kPanel, 16}, {4, 32, 0, 16},
                                        {7, 0, kPanel, 16}, {7, 16, kPanel, 16}, {7, 32, 0, 16}};
  EXPECT_EQ(tiles_of(whole), by_columns);
  EXPECT_EQ(tiles_of(nest), by_columns);
}

TEST(Ahead, DotTilesPrefetchACThatLeavesTheNearestCacheWhereTheyHaveTime) {
  EXPECT_TRUE(prefetches_c(1024, 1024, 256, 4));
  EXPECT_FALSE(prefetches_c(1024, 1024, 40, 4)) << "prefetches of short tiles wait for each other";
  EXPECT_FALSE(prefetches_c(90, 90, 256, 4));
  EXPECT_TRUE(prefetches_c(91, 91, 256, 4));
  EXPECT_FALSE(prefetches_c(128, 128, 256, 2));
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(prefetches_c(kHuge, 1, 256, 4));
  EXPECT_TRUE(prefetches_c(1, kHuge, 256, 4));
}

}  // namespace
}  // namespace gemwright::test
