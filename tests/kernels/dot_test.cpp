// The dot modes against float64, over random shapes, layouts, types, scales, tails and threads, on every family of this
// host; and what changes no bit of a result.
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include "tests/kernels/dot_case.h"

#ifndef GEMWRIGHT_TEST_CASES
#define GEMWRIGHT_TEST_CASES 40
#endif

namespace gemwright::test {
namespace {

class Dot : public ::testing::TestWithParam<DotFamily> {};
INSTANTIATE_TEST_SUITE_P(Families, Dot, ::testing::ValuesIn(kDotFamilies), dot_family_name);

// The families of u8s8 stand behind those of bf16.
class DotBytes : public Dot {};
INSTANTIATE_TEST_SUITE_P(Families, DotBytes, ::testing::ValuesIn(kDotFamilies + 4, std::end(kDotFamilies)),
                         dot_family_name);

void run_and_check(const DotCase& x, std::uint64_t seed) {
  const DotOperands o(x, seed);
  ASSERT_EQ(run_dot_case(x, o), status::ok) << x.describe();
  ASSERT_TRUE(dot_holds(x, o));
}

TEST_P(Dot, RandomProductsMatchFloat64) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(11);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    for (int i = 0; i < GEMWRIGHT_TEST_CASES && !HasFatalFailure(); ++i) {
      run_and_check(random_dot_case(random, tile), static_cast<std::uint64_t>(i));
    }
  }
}

// The tiles that can read A where it lies, at any alignment of its rows and with K that ends inside a group.
TEST_P(Dot, RowMajorAOfTheModesElementsIsReadWhereItLies) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(19);
  int cases = 0;
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    for (int i = 0; i < GEMWRIGHT_TEST_CASES && !HasFatalFailure(); ++i) {
      DotCase x = random_dot_case(random, tile);
      x.a_type = tile.set.mode == compute_mode::bf16 ? element::bf16 : element::u8;
      x.a_layout = layout::row_major;
      x.pad_a = pick(random, 0, 3);
      if (x.a_type == element::u8) {
        x.a_scale = 0.0123F;
        x.a_zero = static_cast<int>(pick(random, 0, 255));
      }
      x.block.pack_a = a_packing::none;
      if (!reads_a_in_place(tile.set, x.a_type, x.a_layout)) {
        const DotOperands o(x, 1);
        ASSERT_EQ(run_dot_case(x, o), status::bad_config) << x.describe();
        break;
      }
      run_and_check(x, static_cast<std::uint64_t>(i));
      ++cases;
    }
  }
  const bool reads = dot_tiles_of(GetParam()).front().set.a_words == 1;
  EXPECT_EQ(cases > 0, reads);
}

TEST_P(Dot, SubnormalElementsCountAsZeroOrAsThemselves) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(12);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    for (int i = 0; i < 8 && !HasFatalFailure(); ++i) {
      DotCase x = random_dot_case(random, tile);
      x.data = DotData::subnormal;
      run_and_check(x, static_cast<std::uint64_t>(i));
    }
  }
}

TEST_P(Dot, InfinityAndNanStayWhereTheyBelong) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(13);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    for (int i = 0; i < 8 && !HasFatalFailure(); ++i) {
      DotCase x = random_dot_case(random, tile);
      x.data = DotData::special;
      run_and_check(x, static_cast<std::uint64_t>(i));
    }
  }
}

TEST_P(Dot, EmptyAndSingleExtentsAreValid) {
  SKIP_WITHOUT_DOT(GetParam());
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    for (int i = 0; i < 27 && !HasFatalFailure(); ++i) {
      DotCase x;
      x.tile = &tile;
      const std::int64_t sizes[] = {0, 1, 5};
      x.m = sizes[i % 3];
      x.n = sizes[i / 3 % 3];
      x.k = sizes[i / 9];
      x.beta = tile.set.c_type != element::u8;
      x.constant_weights = i % 2 == 0;
      x.block.pack_a = a_packing::shared;
      x.block.tn = 2;
      run_and_check(x, 1);
    }
  }
}

// With one accumulator along K neither blocking, packing, grid, threads, layout nor the number of rows changes a bit.
TEST_P(Dot, BlockingThreadsAndRowsDoNotChangeABit) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(14);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    if (tile.set.shape.ka > 1) continue;
    DotCase plain;
    plain.tile = &tile;
    plain.m = 37;
    plain.n = 101;
    plain.k = 131;
    // Where the tile can, A is read where it lies now and then.
    plain.a_type = tile.set.mode == compute_mode::bf16 ? element::bf16 : element::u8;
    plain.beta = tile.set.c_type != element::u8;
    plain.requant = {20.0F, 100};
    const DotOperands o(plain, 5);
    ASSERT_EQ(run_dot_case(plain, o), status::ok);
    const std::vector<char> want = o.c.copy();
    for (int i = 0; i < 20; ++i) {
      DotCase x = plain;
      x.block = random_dot_blocking(random, x);
      if (tile.set.mode == compute_mode::bf16) x.block.tk = 1;  // its number of slices is part of the bits
      x.threads = static_cast<Threads>(pick(random, 0, 4));
      x.panels = static_cast<int>(pick(random, 1, 3));
      x.constant_weights = pick(random, 0, 1) == 1;
      x.m = pick(random, 1, plain.m);  // the first rows alone
      const DotOperands some(plain, 5);
      ASSERT_EQ(run_dot_case(x, some), status::ok) << x.describe();
      const std::vector<char> got = some.c.copy();
      const auto bytes = static_cast<std::size_t>(x.m * plain.n * element_size(tile.set.c_type));
      ASSERT_TRUE(std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(bytes), want.begin()))
          << x.describe();
    }
  }
}

// Whatever else the blocking is, and with fewer groups of K than slices too.
TEST_P(Dot, SlicesOfKFixTheBitsForTheirNumber) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(15);
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    if (tile.set.shape.ka > 1) continue;
    for (const std::int64_t k : {std::int64_t{131}, std::int64_t{6}}) {
      DotCase plain;
      plain.tile = &tile;
      plain.m = 21;
      plain.n = 53;
      plain.k = k;
      plain.a_type = tile.set.mode == compute_mode::bf16 ? element::bf16 : element::u8;
      plain.requant = {20.0F, 100};
      plain.block.pack_a = a_packing::shared;
      plain.block.tk = 3;
      const DotOperands o(plain, 5);
      ASSERT_EQ(run_dot_case(plain, o), status::ok);
      for (int i = 0; i < 10; ++i) {
        DotCase x = plain;
        x.block = random_dot_blocking(random, x);
        slice_k(x.block, 3);
        x.threads = static_cast<Threads>(pick(random, 0, 4));
        x.panels = static_cast<int>(pick(random, 1, 3));
        const DotOperands some(plain, 5);
        ASSERT_EQ(run_dot_case(x, some), status::ok) << x.describe();
        ASSERT_EQ(some.c.copy(), o.c.copy()) << x.describe();
      }
    }
  }
}

// Tiles of one family differ in rows, vectors, unrolling and prefetch, and in the narrower tiles that they leave the
// last columns to; u8s8 sums are exact on every family too.
void expect_one_family_agrees(DotFamily family, std::int64_t columns) {
  std::vector<std::pair<const CompiledDotTile*, std::vector<char>>> first;
  for (const CompiledDotTile& tile : dot_tiles_of(family)) {
    DotCase x;
    x.tile = &tile;
    x.m = 19;
    x.n = columns;
    x.k = 301;
    x.beta = tile.set.c_type != element::u8;
    x.requant = {20.0F, 100};
    const DotOperands o(x, 3);
    ASSERT_EQ(run_dot_case(x, o), status::ok);
    for (const auto& [other, want] : first) {
      if (other->bias_relu != tile.bias_relu || other->bias_gelu != tile.bias_gelu) continue;
      if (other->set.c_type != tile.set.c_type) continue;
      if (tile.set.mode == compute_mode::bf16 && other->set.shape.ka != tile.set.shape.ka) continue;
      EXPECT_TRUE(want == o.c.copy()) << other->name() << " and " << tile.name() << " at " << columns << " columns";
    }
    first.emplace_back(&tile, o.c.copy());
  }
}
TEST_P(Dot, TilesOfOneFamilyAgree) {
  SKIP_WITHOUT_DOT(GetParam());
  for (const std::int64_t columns : {17, 67, 104}) expect_one_family_agrees(GetParam(), columns);
}

// Nor do vector families that compute a mode by the same arithmetic: bf16 widened to f32, and every one of u8s8.
TEST(DotFamilies, FamiliesOfOneInstructionAgree) {
  std::size_t pairs = 0;
  std::vector<std::pair<const CompiledDotTile*, std::vector<char>>> first;
  for (const DotFamily f : kDotFamilies) {
    if (f.family == isa::scalar || f.family == isa::avx512_bf16 || !cpu_has(f.family)) continue;
    for (const CompiledDotTile& tile : dot_tiles_of(f)) {
      DotCase x;
      x.tile = &tile;
      x.m = 19;
      x.n = 67;
      x.k = 301;
      x.beta = tile.set.c_type != element::u8;
      x.requant = {20.0F, 100};
      const DotOperands o(x, 3);
      ASSERT_EQ(run_dot_case(x, o), status::ok);
      for (const auto& [other, want] : first) {
        if (other->set.mode != tile.set.mode || other->bias_relu != tile.bias_relu) continue;
        if (other->bias_gelu != tile.bias_gelu) continue;
        if (other->set.c_type != tile.set.c_type || other->set.shape.ka != tile.set.shape.ka) continue;
        if (other->set.shape.family == f.family) continue;
        EXPECT_TRUE(want == o.c.copy()) << other->name() << " and " << tile.name();
        ++pairs;
      }
      first.emplace_back(&tile, o.c.copy());
    }
  }
  if (first.empty()) GTEST_SKIP() << "this CPU has none of the vector families";
  EXPECT_TRUE(pairs > 5 || !cpu_has(isa::avx512f));
}

TEST_P(Dot, U8SaturatesAtBothEnds) {
  SKIP_WITHOUT_DOT(GetParam());
  for (const CompiledDotTile& tile : dot_tiles_of(GetParam())) {
    if (tile.set.c_type != element::u8 || tile.bias_relu) continue;
    DotCase x;
    x.tile = &tile;
    x.m = 5;
    x.n = 70;
    x.k = 40;
    x.requant = {1e30F, 128};
    const DotOperands o(x, 9);
    ASSERT_EQ(run_dot_case(x, o), status::ok);
    bool low = false, high = false;
    for (const double v : o.result(x)) {
      EXPECT_TRUE(v == 0 || v == 255) << v;
      low = low || v == 0;
      high = high || v == 255;
    }
    EXPECT_TRUE(low && high);
  }
}

TEST_P(DotBytes, TheLargestSumsAreExactAndLongerRowsAreRefused) {
  SKIP_WITHOUT_DOT(GetParam());
  const CompiledDotTile& tile = dot_tiles_of(GetParam()).front();
  for (const int zero : {0, 255, 3}) {
    DotCase x;
    x.tile = &tile;
    x.a_type = element::u8;
    x.b_type = element::s8;
    x.data = DotData::extreme;
    x.m = 2;
    x.n = 3;
    x.k = max_u8s8_depth;
    x.a_zero = zero;
    run_and_check(x, 1);
    ++x.k;
    const DotOperands longer(x, 1);
    EXPECT_EQ(run_dot_case(x, longer), status::bad_size);
    x.constant_weights = false;
    EXPECT_EQ(run_dot_case(x, longer), status::bad_size);
  }
}

TEST_P(Dot, ALargeProductOnSeveralThreadsMatchesFloat64) {
  SKIP_WITHOUT_DOT(GetParam());
  DotCase x;
  x.tile = &dot_tiles_of(GetParam()).front();
  x.m = 150;
  x.n = 230;
  x.k = 517;
  x.threads = Threads::pool3;
  for (const a_packing pack_a : {a_packing::job, a_packing::shared}) {
    x.block = {32, 96, 128, loop_order::mnk, true, pack_a, 2, 3, 1, 16};
    run_and_check(x, 21);
  }
}

TEST(Bf16, RoundsToNearestEvenAndKeepsNan) {
  Random random(3);
  for (int i = 0; i < 200000; ++i) {
    const auto bits = static_cast<std::uint32_t>(random());
    float v = 0;
    std::memcpy(&v, &bits, sizeof v);
    const float got = to_float(to_bf16(v));
    if (std::isnan(v)) {
      EXPECT_TRUE(std::isnan(got));
      continue;
    }
    // The two bf16 numbers around v; the nearer one, or the one with an even last bit.
    const double below = static_cast<double>(to_float({static_cast<std::uint16_t>(bits >> 16U)}));
    const std::uint32_t next = (bits >> 16U) + 1;
    double above = static_cast<double>(to_float({static_cast<std::uint16_t>(next)}));
    if (std::isinf(v)) above = below;
    if (std::isinf(above) && !std::isinf(v)) above = std::copysign(0x1p128, above);  // where the next would be
    const double exact = static_cast<double>(v);
    const double to_below = std::fabs(exact - below), to_above = std::fabs(above - exact);
    const bool up = to_above < to_below || (to_above == to_below && (next & 1U) == 0);
    const double want = up ? above : below;
    const double held = std::isinf(got) && std::isfinite(v) ? std::copysign(0x1p128, static_cast<double>(got))
                                                            : static_cast<double>(got);
    EXPECT_TRUE(held == want) << v << " became " << got;
  }
}

}  // namespace
}  // namespace gemwright::test
