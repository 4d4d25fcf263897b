// Pairs of products (swiglu, geglu): in registers where both halves meet in a tile, through scratch memory otherwise.
#include <cstring>
#include <numeric>

#include "tests/kernels/pair_case.h"

namespace gemwright::test {
namespace {

struct PairTile {
  kernel_set set;
  PairChain chain;
};

template <isa F, int MR, int NV>
std::vector<PairTile> pair_tiles() {
  using op = epilogue_op;
  return {
      {compiled_tile<F, MR, NV, 1, 1, prefetch::t0, chain<op::swiglu>>(), {}},
      {compiled_tile<F, 2, 2 * NV, 1, 1, prefetch::none, chain<op::bias, op::geglu, op::add>>(), {true, true, true}},
      {compiled_tile<F, MR / 2, 2 * NV, 2, 1, prefetch::none, chain<op::swiglu>, false, 2>(), {}}};
}

const std::vector<PairTile>& pair_tiles_of(isa family) {
  static const auto scalar = pair_tiles<isa::scalar, 3, 4>();
  static const auto avx2 = pair_tiles<isa::avx2, 4, 2>();
  static const auto avx512f = pair_tiles<isa::avx512f, 5, 2>();
  return family == isa::avx512f ? avx512f : family == isa::avx2 ? avx2 : scalar;
}

struct Case {
  const PairTile* tile;
  std::int64_t m, half, k, batch;
  layout a_layout, b_layout;
  std::int64_t pad;
  Weights weights;
  packing format;
  blocking block;
  Threads threads;
};

struct Memory {
  explicit Memory(const Case& x)
      : lda((x.a_layout == layout::row_major ? x.k : x.m) + x.pad),
        ldb((x.b_layout == layout::row_major ? 2 * x.half : x.k) + x.pad),
        ldc(x.half + x.pad),
        a(size(x.batch * (x.a_layout == layout::row_major ? x.m : x.k) * lda)),
        b(size(x.batch * (x.b_layout == layout::row_major ? x.k : 2 * x.half) * ldb)),
        c(size(x.batch * x.m * ldc)),
        residual(size(x.batch * x.m * x.half)),
        bias(size(2 * x.half)) {
    Random random(5);
    for (const GuardedBuffer* buffer : {&a, &b, &residual}) {
      for (std::size_t i = 0; i < buffer->size(); ++i) {
        (*buffer)[static_cast<std::int64_t>(i)] = static_cast<float>(pick(random, -1000, 1000)) / 500.0F;
      }
    }
    for (std::int64_t j = 0; j < 2 * x.half; ++j) bias[j] = pair_bias(j);
  }
  static std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }
  std::int64_t lda, ldb, ldc;
  GuardedBuffer a, b, c, residual, bias;
};

gemm_call call_of(const Case& x, const Memory& o) {
  gemm_call g;
  g.m = x.m;
  g.n = 2 * x.half;
  g.k = x.k;
  g.batch = x.batch;
  g.a = o.a.data();
  g.lda = o.lda;
  g.stride_a = static_cast<std::int64_t>(o.a.size()) / x.batch;
  g.a_layout = x.a_layout;
  g.b = o.b.data();
  g.ldb = o.ldb;
  g.stride_b = static_cast<std::int64_t>(o.b.size()) / x.batch;
  g.b_layout = x.b_layout;
  g.c = o.c.data();
  g.ldc = o.ldc;
  g.stride_c = x.m * o.ldc;
  g.operands.bias = o.bias.data();
  g.operands.residual = o.residual.data();
  g.operands.ld_residual = x.half;
  g.operands.stride_residual = x.m * x.half;
  return g;
}

status run(const Case& x, const Memory& o) {
  const plan p{&x.tile->set, x.format, x.block};
  gemm_call call = call_of(x, o);
  packed_weights packed;
  if (x.weights == Weights::constant) {
    packed = pack_weights(call.b, call.ldb, call.b_layout, call.n, x.k, x.batch, call.stride_b, x.format);
    if (!packed.valid()) return packed.state();
    call.b = packed.data();
    call.b_packed = true;
    call.stride_b = packed_b_size(call.n, x.k, x.format);
  }
  context ctx = make_context(x.threads, scratch_for(p, call.n, x.k, x.batch, call.b_packed));
  return run_gemm(call, p, ctx);
}

void check(const Case& x, const Memory& o) {
  const auto half = [&](std::int64_t item, std::int64_t row, std::int64_t col) {
    Bounded e{0, 0};
    for (std::int64_t i = 0; i < x.k; ++i) {
      const std::int64_t at_a = item * static_cast<std::int64_t>(o.a.size()) / x.batch;
      const std::int64_t at_b = item * static_cast<std::int64_t>(o.b.size()) / x.batch;
      const float a = o.a[at_a + (x.a_layout == layout::row_major ? row * o.lda + i : i * o.lda + row)];
      const float b = o.b[at_b + (x.b_layout == layout::row_major ? i * o.ldb + col : col * o.ldb + i)];
      e.value += static_cast<double>(a) * static_cast<double>(b);
      e.bound += std::fabs(static_cast<double>(a) * static_cast<double>(b));
    }
    if (x.tile->chain.bias) e.value += static_cast<double>(pair_bias(col));
    e.bound = static_cast<double>(x.k + 4) * 0x1p-24 * (e.bound + std::fabs(e.value));
    return e;
  };
  for (std::int64_t item = 0; item < x.batch; ++item) {
    for (std::int64_t row = 0; row < x.m; ++row) {
      for (std::int64_t col = 0; col < o.ldc; ++col) {
        const float got = o.c[(item * x.m + row) * o.ldc + col];
        if (col >= x.half) {
          ASSERT_TRUE(is_poison(got)) << "written beside C";
          continue;
        }
        const double residual = x.tile->chain.add ? o.residual[(item * x.m + row) * x.half + col] : 0.0F;
        const Bounded want = paired(x.tile->chain, half(item, row, col), half(item, row, x.half + col), residual);
        ASSERT_NEAR(static_cast<double>(got), want.value, want.bound)
            << "item " << item << " row " << row << " column " << col << " of " << x.m << "x" << x.half << "x" << x.k
            << ", tile nr " << x.tile->set.nr << " panel " << x.format.panel << " pair " << x.format.pair << " tk "
            << x.block.tk << " kc " << x.block.kc;
      }
    }
  }
  for (const GuardedBuffer* buffer : {&o.a, &o.b, &o.c, &o.residual, &o.bias}) ASSERT_TRUE(buffer->slack_untouched());
}

Case random_pair_case(Random& random, const PairTile& tile) {
  Case x{};
  x.tile = &tile;
  const auto order = [&] { return pick(random, 0, 1) == 0 ? layout::row_major : layout::col_major; };
  x.m = pick(random, 1, 2 * tile.set.shape.mr + 5);
  x.half = pick(random, 1, tile.set.nr + 19);
  x.k = pick(random, 0, 5) == 0 ? 0 : pick(random, 1, 50);
  x.batch = pick(random, 1, 2);
  x.a_layout = order();
  x.b_layout = order();
  x.pad = pick(random, 0, 3);
  const int spanned = tile.set.shape.panels;
  x.weights = static_cast<Weights>(pick(random, 0, x.b_layout == layout::row_major && spanned == 1 ? 2 : 1));
  x.threads = static_cast<Threads>(pick(random, 0, 4));
  constexpr int kRuns[] = {0, 1, 2, 8, 16, 32};
  const int run = x.weights == Weights::unpacked ? 0 : kRuns[pick(random, 0, 5)];
  const int panel = x.weights == Weights::unpacked ? 0 : std::lcm(tile.set.nr, std::max(2 * run, 1));
  x.format = {panel * static_cast<int>(pick(random, 1, 2)), run};
  if (const int each = tile.set.nr / spanned; spanned > 1)
    x.format = {each, run > 0 && each % (2 * run) == 0 ? run : 0};
  x.block = {pick(random, 1, 20),
             pick(random, 1, 90),
             pick(random, 0, 1) == 0 ? 100 : pick(random, 1, 40),
             static_cast<loop_order>(pick(random, 0, loop_order_count - 1)),
             pick(random, 0, 1) == 1,
             pick(random, 0, 1) == 1 ? a_packing::job : a_packing::none,
             static_cast<int>(pick(random, 1, 3)),
             static_cast<int>(pick(random, 1, 3)),
             pick(random, 0, 2) == 0 ? static_cast<int>(pick(random, 1, 3)) : 1,
             pick(random, 0, 50),
             pick(random, 0, 1) == 0 ? fusion::registers : static_cast<fusion>(pick(random, 1, fusion_count - 1))};
  return x;
}

class Pairs : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, Pairs, all_families(), family_name);

TEST_P(Pairs, RandomProblemsMatchFloat64WhereverTheHalvesMeet) {
  SKIP_WITHOUT(GetParam());
  Random random(41);
  int in_tile = 0, through = 0;
  for (const PairTile& tile : pair_tiles_of(GetParam())) {
    for (int i = 0; i < 4 * GEMWRIGHT_TEST_CASES && !HasFatalFailure(); ++i) {
      const Case x = random_pair_case(random, tile);
      const Memory o(x);
      ASSERT_EQ(run(x, o), status::ok);
      check(x, o);
      (pairs_in_tile(tile.set.shape, x.format, x.block, x.k) ? in_tile : through) += 1;
    }
  }
  EXPECT_GT(in_tile, 0);
  EXPECT_GT(through, 0);
}

// As long as K is one slice, neither where the halves meet nor how B is packed changes a bit.
TEST_P(Pairs, RegistersAndScratchMemoryGiveTheSameBits) {
  SKIP_WITHOUT(GetParam());
  Random random(42);
  for (const PairTile& tile : pair_tiles_of(GetParam())) {
    const int width = vector_width(GetParam());
    Case x{&tile,
           23,
           61,
           37,
           1,
           layout::row_major,
           layout::row_major,
           1,
           Weights::constant,
           {tile.set.nr / tile.set.shape.panels, width},
           {},
           Threads::none};
    x.block = {64, 64, 64, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
    ASSERT_TRUE(pairs_in_tile(tile.set.shape, x.format, x.block, x.k));
    const Memory first(x);
    ASSERT_EQ(run(x, first), status::ok);
    for (int i = 0; i < 20; ++i) {
      Case y = random_pair_case(random, tile);
      y.m = x.m;
      y.half = x.half;
      y.k = x.k;
      y.batch = 1;
      y.pad = 1;
      y.a_layout = y.b_layout = layout::row_major;
      y.block.tk = 1;
      const Memory other(y);
      ASSERT_EQ(run(y, other), status::ok);
      ASSERT_EQ(std::memcmp(first.c.data(), other.c.data(), first.c.size() * sizeof(float)), 0)
          << "panel " << y.format.panel << " pair " << y.format.pair << " kc " << y.block.kc;
    }
  }
}

TEST_P(Pairs, WhatCannotBeAPairIsRefused) {
  SKIP_WITHOUT(GetParam());
  const PairTile& tile = pair_tiles_of(GetParam()).front();
  const int nr = tile.set.nr;
  Case x{&tile, 3, 5, 7, 1, layout::row_major, layout::row_major, 0, Weights::per_call, {nr, 1}, {}, Threads::none};
  x.block = {8, 8, 8, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
  const Memory o(x);
  context ctx(1, {4096, 1, 4096});
  const plan p{&tile.set, x.format, x.block};
  gemm_call call = call_of(x, o);
  EXPECT_EQ(run_gemm(call, p, ctx), status::ok);
  call.n = 9;  // an odd number of columns has no halves
  EXPECT_EQ(run_gemm(call, p, ctx), status::bad_size);
  call = call_of(x, o);
  call.beta = true;
  EXPECT_EQ(run_gemm(call, p, ctx), status::bad_config);
  call = call_of(x, o);
  call.ldc = 4;
  EXPECT_EQ(run_gemm(call, p, ctx), status::bad_stride);
  call = call_of(x, o);
  EXPECT_EQ(run_gemm(call, {&tile.set, {nr, nr}, x.block}, ctx), status::bad_config);
  EXPECT_EQ(run_gemm(call, {&bare_tile(GetParam()).set, {2 * bare_tile(GetParam()).set.nr, 1}, x.block}, ctx),
            status::bad_stride);  // not a pair: C is as wide as B
  EXPECT_EQ(pack_weights(o.b.data(), 10, layout::row_major, 9, 7, 1, 0, {nr, 1}).state(), status::bad_config);
  EXPECT_EQ(pack_weights(o.b.data(), 10, layout::row_major, 10, 7, 1, 0, {nr, nr}).state(), status::bad_config);
  context small(1, {});
  EXPECT_EQ(run_gemm(call, {&tile.set, {nr, 0}, x.block}, small), status::bad_config);
}

}  // namespace
}  // namespace gemwright::test
