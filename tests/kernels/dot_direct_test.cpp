// Dot products that go past the loop nest: the same bits, against float64 and within the guards.
#include <gemwright/dot_direct.h>

#include <cstring>

#include "tests/kernels/dot_case.h"

#ifndef GEMWRIGHT_TEST_CASES
#define GEMWRIGHT_TEST_CASES 40
#endif

namespace gemwright::test {
namespace {

class DotDirect : public ::testing::TestWithParam<DotFamily> {};
INSTANTIATE_TEST_SUITE_P(Families, DotDirect, ::testing::ValuesIn(kDotFamilies), dot_family_name);

DotCase whole_case(Random& random, const CompiledDotTile& tile) {
  DotCase x = random_dot_case(random, tile);
  const bool integers = tile.set.mode == compute_mode::u8s8;
  x.batch = 1;
  x.a_type = integers ? element::u8 : element::bf16;
  x.a_scale = integers ? 0.0123F : 1.0F;
  x.a_zero = integers ? static_cast<int>(pick(random, 0, 255)) : 0;
  x.a_layout = layout::row_major;
  x.constant_weights = true;
  x.threads = Threads::none;
  x.panels = 1;
  x.block = {1 << 20, 1 << 20, 1 << 20, loop_order::mnk, pick(random, 0, 1) == 1, a_packing::none, 1, 1, 1, 7};
  return x;
}

bool goes_past_the_nest(const DotCase& x) {
  const DotOperands o(x, 1);
  dot_call call = o.call(x);
  const dot_plan p = x.plan();
  const auto packed = pack_dot_weights(p.kernels->mode, call.b, x.n, x.k, x.batch, p.format);
  call.weights = &packed;
  return is_direct(call, p, context(1, scratch_for(p, x.n, x.k, x.batch, true)));
}

TEST_P(DotDirect, WholeProductsGiveTheBitsOfTheNest) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(31);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    for (int i = 0; i < GEMWRIGHT_TEST_CASES; ++i) {
      DotCase x = whole_case(random, tile);
      if (!reads_a_in_place(tile.set, x.a_type, x.a_layout)) {
        ASSERT_FALSE(goes_past_the_nest(x));
        break;
      }
      ASSERT_TRUE(goes_past_the_nest(x)) << x.describe();
      const DotOperands direct(x, 5);
      ASSERT_EQ(run_dot_case(x, direct), status::ok) << x.describe();
      ASSERT_TRUE(dot_holds(x, direct));
      x.block.pack_a = a_packing::job;
      ASSERT_FALSE(goes_past_the_nest(x));
      const DotOperands nest(x, 5);
      ASSERT_EQ(run_dot_case(x, nest), status::ok) << x.describe();
      const auto got = direct.c.copy(), want = nest.c.copy();
      ASSERT_EQ(std::memcmp(got.data(), want.data(), want.size()), 0) << x.describe();
    }
  }
}

TEST_P(DotDirect, WhatNeedsTheNestGoesThroughIt) {
  SKIP_WITHOUT_DOT(GetParam());
  const CompiledDotTile& tile = dot_tiles_of(GetParam()).front();
  Random random(37);
  DotCase plain = whole_case(random, tile);
  plain.m = plain.n = 9;
  plain.k = 12;
  const bool in_place = reads_a_in_place(tile.set, plain.a_type, plain.a_layout);
  ASSERT_EQ(goes_past_the_nest(plain), in_place);
  if (!in_place) return;  // no tile of this family is ever direct
  const auto with = [&](auto change) {
    DotCase x = plain;
    change(x);
    return goes_past_the_nest(x);
  };
  EXPECT_TRUE(with([](DotCase& x) { x.k = 11; }));  // ends inside a group
  EXPECT_FALSE(with([](DotCase& x) { x.batch = 2; }));
  EXPECT_FALSE(with([](DotCase& x) { x.panels = 2; }));
  EXPECT_FALSE(with([](DotCase& x) { x.a_type = element::f32; }));
  EXPECT_FALSE(with([](DotCase& x) { x.a_layout = layout::col_major; }));
  EXPECT_FALSE(with([](DotCase& x) { x.block.mc = 8; }));
  EXPECT_FALSE(with([](DotCase& x) { x.block.kc = 8; }));
  EXPECT_FALSE(with([](DotCase& x) { x.block.tn = 2; }));
  EXPECT_FALSE(with([](DotCase& x) { x.block.order = loop_order::nmk; }));
  EXPECT_FALSE(with([](DotCase& x) { x.block.chain_at = fusion::tile; }));
}

}  // namespace
}  // namespace gemwright::test
