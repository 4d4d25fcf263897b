// Dot products that go past the loop nest: the same bits, against float64 and within the guards.
#include <gemwright/dot_direct.h>
#include <sys/mman.h>
#include <unistd.h>

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

// Bytes that begin with a page, with an unreadable one in front.
class PageStart {
 public:
  PageStart() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    map_ = mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ready_ = map_ != MAP_FAILED && mprotect(map_, page_, PROT_NONE) == 0;
  }
  ~PageStart() {
    if (map_ != MAP_FAILED) munmap(map_, 2 * page_);
  }
  PageStart(const PageStart&) = delete;
  PageStart& operator=(const PageStart&) = delete;
  bool ready() const { return ready_; }
  std::size_t size() const { return page_; }
  char* data() const { return static_cast<char*>(map_) + page_; }

 private:
  std::size_t page_;
  void* map_;
  bool ready_ = false;
};

// Rows shorter than a group of K, read where they lie.
TEST_P(DotDirect, NothingInFrontOfAIsRead) {
  SKIP_WITHOUT_DOT(GetParam());
  const PageStart page;
  ASSERT_TRUE(page.ready());
  Random random(41);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    DotCase x = whole_case(random, tile);
    if (!reads_a_in_place(tile.set, x.a_type, x.a_layout)) return;
    x.m = 3;
    for (x.k = 1; x.k < k_group(tile.set.mode); ++x.k) {
      for (const std::int64_t mc : {8, 2}) {  // whole, and chunks of the nest
        x.block.mc = mc;
        const DotOperands o(x, 5);
        dot_call call = o.call(x);
        const dot_plan p = x.plan();
        const auto packed = pack_dot_weights(tile.set.mode, call.b, x.n, x.k, x.batch, p.format);
        call.weights = &packed;
        const auto a = o.a.copy();
        ASSERT_LE(a.size(), page.size());
        std::memcpy(page.data(), a.data(), a.size());
        call.a = page.data();
        context ctx(1, scratch_for(p, x.n, x.k, x.batch, true));
        ASSERT_EQ(is_direct(call, p, ctx), mc > x.m);
        ASSERT_EQ(run_dot(call, p, ctx), status::ok) << x.describe();
        ASSERT_TRUE(dot_holds(x, o));
      }
    }
  }
}

}  // namespace
}  // namespace gemwright::test
