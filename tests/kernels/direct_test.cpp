// Products that go past the loop nest: the same bits, against float64 and within the guards.
#include <gemwright/direct.h>
#include <gemwright/isa/scalar.h>

#include <cstring>

#include "tests/kernels/gemm_case.h"

#ifndef GEMWRIGHT_TEST_CASES
#define GEMWRIGHT_TEST_CASES 40
#endif

namespace gemwright::test {
namespace {

class Direct : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, Direct, all_families(), family_name);

GemmCase whole_case(Random& random, const CompiledTile& tile) {
  GemmCase x = random_case(random, tile);
  x.batch = 1;
  x.k = x.k > 0 ? x.k : 1;
  x.weights = Weights::constant;
  x.threads = Threads::none;
  x.panels = 1;
  x.block = {1 << 20, 1 << 20, 1 << 20, loop_order::mnk, pick(random, 0, 1) == 1, a_packing::none, 1, 1, 1, 7};
  return x;
}

bool goes_past_the_nest(const GemmCase& x) {
  const Operands o(x, 1);
  gemm_call call = o.call(x);
  call.b_packed = true;
  const plan p = x.make_plan();
  return is_direct(call, p, context(1, scratch_for(p, x.n, x.k, x.batch, true)));
}

TEST_P(Direct, WholeProductsGiveTheBitsOfTheNest) {
  SKIP_WITHOUT(GetParam());
  Random random(23);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    if (tile.set.reads.pair) continue;
    for (int i = 0; i < GEMWRIGHT_TEST_CASES; ++i) {
      GemmCase x = whole_case(random, tile);
      ASSERT_TRUE(goes_past_the_nest(x)) << x.describe();
      Operands direct(x, 5);
      ASSERT_EQ(run_case(x, direct), status::ok) << x.describe();
      ASSERT_TRUE(holds(x, direct)) << x.describe();
      ASSERT_TRUE(guards_hold(x, direct)) << x.describe();
      x.block.pack_a = a_packing::job;
      ASSERT_FALSE(goes_past_the_nest(x));
      Operands nest(x, 5);
      ASSERT_EQ(run_case(x, nest), status::ok) << x.describe();
      const auto got = direct.result(x), want = nest.result(x);
      ASSERT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)), 0) << x.describe();
    }
  }
}

TEST_P(Direct, WhatNeedsTheNestGoesThroughIt) {
  SKIP_WITHOUT(GetParam());
  Random random(29);
  GemmCase plain = whole_case(random, bare_tile(GetParam()));
  plain.m = plain.n = plain.k = 9;
  ASSERT_TRUE(goes_past_the_nest(plain));
  const auto with = [&](auto change) {
    GemmCase x = plain;
    change(x);
    return goes_past_the_nest(x);
  };
  EXPECT_FALSE(with([](GemmCase& x) { x.batch = 2; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.panels = 2; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.mc = 8; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.nc = 8; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.kc = 8; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.tm = 2; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.tn = 2; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.tk = 2; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.prefetch_rows = -1; }));
  EXPECT_FALSE(with([](GemmCase& x) { x.block.chain_at = fusion::tile; }));
}

// A masked load of what is not mapped is right and a hundred times slower, so that no result can show it.
TEST(LastColumns, NameNoPanelThatIsNotThere) {
  constexpr int kPanels = 3, kVectors = 6;
  using Columns = scalar_kernels::last_columns<kVectors, kPanels>;
  constexpr std::int64_t kApart = 10;
  const float b[kPanels * kApart] = {};
  for (int cols = 1; cols <= kVectors; ++cols) {
    const Columns columns(b, kApart, cols);
    for (int column = 0; column < kVectors; ++column) {
      const int panel = column / Columns::kColumns;
      const std::int64_t there = panel * Columns::kColumns < cols ? panel * kApart : 0;
      EXPECT_EQ(columns.of(column) - b, there + column % Columns::kColumns) << cols << " columns";
    }
  }
}

}  // namespace
}  // namespace gemwright::test
