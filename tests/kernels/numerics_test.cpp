// Every family and tile against float64: random odd problems with random configs, sizes of one and none, special
// values.
#include <cmath>
#include <limits>

#include "tests/kernels/gemm_case.h"

namespace gemwright::test {
namespace {

class Numerics : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, Numerics, all_families(), family_name);

void expect_holds(const GemmCase& x, std::uint64_t seed) {
  Operands o(x, seed);
  ASSERT_EQ(run_case(x, o), status::ok) << x.describe();
  ASSERT_TRUE(holds(x, o));
}

TEST_P(Numerics, RandomProblemsWithRandomConfigsMatchFloat64) {
  SKIP_WITHOUT(GetParam());
  Random random(20240601);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    for (int i = 0; i < GEMWRIGHT_TEST_CASES; ++i) {
      ASSERT_NO_FATAL_FAILURE(expect_holds(random_case(random, tile), random()));
    }
  }
}

TEST_P(Numerics, InfinitiesNanAndDenormalsPropagateAsInFloat64) {
  SKIP_WITHOUT(GetParam());
  Random random(7);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    for (int i = 0; i < GEMWRIGHT_TEST_CASES / 4; ++i) {
      GemmCase x = random_case(random, tile);
      x.data = Data::special;
      ASSERT_NO_FATAL_FAILURE(expect_holds(x, random()));
    }
  }
}

// Sizes of one, whole blocks, exact multiples of the tile and one more or less, all layouts and kinds of weights.
TEST_P(Numerics, SizesAroundTheTileMatchFloat64) {
  SKIP_WITHOUT(GetParam());
  Random random(11);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    const std::int64_t mr = tile.set.shape.mr, nr = tile.set.nr;
    for (const std::int64_t m : {std::int64_t{1}, mr - 1, mr, mr + 1, 2 * mr}) {
      for (const std::int64_t n : {std::int64_t{1}, nr - 1, nr, nr + 1, 2 * nr}) {
        if (m < 1 || n < 1) continue;
        GemmCase x = random_case(random, tile);
        x.m = m;
        x.n = n;
        x.k = pick(random, 1, 9);
        x.data = Data::integers;
        ASSERT_NO_FATAL_FAILURE(expect_holds(x, random()));
      }
    }
  }
}

TEST_P(Numerics, WithoutDepthTheProductIsZero) {
  SKIP_WITHOUT(GetParam());
  Random random(13);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    for (int i = 0; i < 12; ++i) {
      GemmCase x = random_case(random, tile);
      x.k = 0;
      ASSERT_NO_FATAL_FAILURE(expect_holds(x, random()));
    }
  }
}

TEST_P(Numerics, WithoutDepthTheOperandsMayBeNull) {
  SKIP_WITHOUT(GetParam());
  Random random(17);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    for (const a_packing pack_a : {a_packing::none, a_packing::job}) {
      GemmCase x = random_case(random, tile);
      x.m = 2 * tile.set.shape.mr + 1;
      x.n = 2 * tile.set.nr + 1;
      x.k = 0;
      x.weights = Weights::per_call;
      x.block.pack_a = pack_a;
      Operands o(x, 1);
      gemm_call call = o.call(x);
      call.a = call.b = nullptr;
      const plan p = x.make_plan();
      context ctx(1, scratch_for(p.kernels->shape, p.format, p.block, x.n, x.k, x.batch, false));
      ASSERT_EQ(run_gemm(call, p, ctx), status::ok) << x.describe();
      ASSERT_TRUE(holds(x, o));
    }
  }
}

TEST_P(Numerics, WithoutRowsColumnsOrItemsNothingIsTouched) {
  SKIP_WITHOUT(GetParam());
  Random random(19);
  const CompiledTile& tile = tiles_of(GetParam()).front();
  for (int none = 0; none < 3; ++none) {
    GemmCase x = random_case(random, tile);
    (none == 0 ? x.m : none == 1 ? x.n : x.batch) = 0;
    Operands o(x, 1);
    gemm_call call = o.call(x);
    call.a = call.b = nullptr;
    call.c = nullptr;
    context ctx(1, {});
    EXPECT_EQ(run_gemm(call, x.make_plan(), ctx), status::ok);
    EXPECT_TRUE(o.c.slack_untouched());
  }
}

TEST_P(Numerics, DenormalsAreNotFlushed) {
  SKIP_WITHOUT(GetParam());
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    if (!tile.simple()) continue;
    GemmCase x;
    x.tile = &tile;
    x.block = {1, 1, 1, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
    Operands o(x, 1);
    o.a[0] = std::numeric_limits<float>::denorm_min();
    o.b[0] = 3;
    o.bias[0] = 0;
    ASSERT_EQ(run_case(x, o), status::ok);
    EXPECT_EQ(o.c[0], 3 * std::numeric_limits<float>::denorm_min()) << tile.name();
  }
}

// What relu does with values that compare with nothing or with both sides of zero.
TEST_P(Numerics, ReluKeepsNanAndStopsMinusInfinity) {
  SKIP_WITHOUT(GetParam());
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    if (!tile.simple() || !tile.has(epilogue_op::relu)) continue;
    for (const int tk : {1, 2}) {  // in registers, and in the second phase of split-K
      GemmCase x;
      x.tile = &tile;
      x.n = 4;
      x.block = {1, 4, 1, loop_order::mnk, true, a_packing::none, 1, 1, tk, 0};
      Operands o(x, 1);
      const float b[] = {std::numeric_limits<float>::quiet_NaN(), -kInf, kInf, -0.0F};
      o.a[0] = 1;
      for (int j = 0; j < 4; ++j) {
        o.b[j] = b[j];
        o.bias[j] = 0;
      }
      ASSERT_EQ(run_case(x, o), status::ok);
      EXPECT_TRUE(std::isnan(o.c[0])) << tile.name();
      EXPECT_EQ(o.c[1], 0.0F) << tile.name();
      EXPECT_EQ(o.c[2], kInf) << tile.name();
      EXPECT_EQ(o.c[3], 0.0F) << tile.name();
    }
  }
}

// Blocks larger than the problem mean the whole of it.
TEST_P(Numerics, HugeBlocksMeanTheWholeProblem) {
  SKIP_WITHOUT(GetParam());
  Random random(23);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    GemmCase x = random_case(random, tile);
    x.block = {max_extent, max_extent, max_extent, loop_order::kmn, false, a_packing::none, 2, 2, 1, 8};
    ASSERT_NO_FATAL_FAILURE(expect_holds(x, random()));
  }
}

// Items of a batch may share A or B, lie interleaved in C, or run backwards in memory.
TEST_P(Numerics, StridesOfABatchMayBeZeroInterleavedOrNegative) {
  SKIP_WITHOUT(GetParam());
  GemmCase x;
  x.tile = &bare_tile(GetParam());
  x.m = 5;
  x.n = 7;
  x.k = 11;
  x.batch = 3;
  x.weights = Weights::per_call;
  x.data = Data::integers;
  x.block = {3, 5, 4, loop_order::nkm, true, a_packing::job, 2, 2, 1, 0};
  Operands o(x, 3);
  gemm_call call = o.call(x);
  call.stride_a = 0;
  call.b = o.b.data() + 2 * o.stride_b;
  call.stride_b = -o.stride_b;
  std::vector<float> c(static_cast<std::size_t>(x.m * x.n * x.batch));
  call.c = c.data();
  call.ldc = x.n * x.batch;
  call.stride_c = x.n;
  const plan p = x.make_plan();
  context ctx(2, scratch_for(p.kernels->shape, p.format, p.block, x.n, x.k, x.batch, false));
  ASSERT_EQ(run_gemm(call, p, ctx), status::ok);
  for (std::int64_t item = 0; item < x.batch; ++item) {
    for (std::int64_t row = 0; row < x.m; ++row) {
      for (std::int64_t col = 0; col < x.n; ++col) {
        double want = 0;
        for (std::int64_t i = 0; i < x.k; ++i) {
          want += static_cast<double>(o.a_at(x, 0, row, i)) * static_cast<double>(o.b_at(x, 2 - item, i, col));
        }
        const float got = c[static_cast<std::size_t>((row * x.batch + item) * x.n + col)];
        ASSERT_EQ(static_cast<double>(got), want) << item << " " << row << " " << col;
      }
    }
  }
}

}  // namespace
}  // namespace gemwright::test
