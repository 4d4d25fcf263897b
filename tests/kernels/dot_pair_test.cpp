// Pairs of products in the dot modes, against the bare product of the same operands, whose sums are the same bits.
#include <algorithm>
#include <numeric>
#include <optional>

#include "tests/kernels/dot_case.h"
#include "tests/kernels/pair_case.h"

#ifndef GEMWRIGHT_TEST_CASES
#define GEMWRIGHT_TEST_CASES 40
#endif

namespace gemwright::test {
namespace {

struct PairTile {
  dot_kernel_set set;
  PairChain chain;
};

// Three vectors, which no two halves share evenly: scalar tiles have no such width.
template <compute_mode Mode, isa F>
PairTile odd_tile() {
  using op = epilogue_op;
  if constexpr (Mode == compute_mode::u8s8) {
    return {compiled_dot_tile<Mode, F, 3, 3, 1, 1, prefetch::none, element::u8, chain<op::swiglu>>(), {}};
  } else {
    return {compiled_dot_tile<Mode, F, 3, 3, 1, 1, prefetch::none, element::bf16, chain<op::swiglu, op::add>>(),
            {false, false, true}};
  }
}
std::optional<PairTile> odd_tile_of(DotFamily f) {
  constexpr compute_mode b = compute_mode::bf16, u = compute_mode::u8s8;
  if (f.mode == b && f.family == isa::avx512_bf16) return odd_tile<b, isa::avx512_bf16>();
  if (f.mode == b && f.family == isa::avx2) return odd_tile<b, isa::avx2>();
  if (f.mode == u && f.family == isa::avx512_vnni) return odd_tile<u, isa::avx512_vnni>();
  if (f.mode == u && f.family == isa::avx2) return odd_tile<u, isa::avx2>();
  return std::nullopt;
}

template <compute_mode Mode, isa F, element C>
PairTile pair_tile() {
  using op = epilogue_op;
  if constexpr (C == element::f32) {
    return {compiled_dot_tile<Mode, F, 2, 4, 2, 1, prefetch::t0, C, chain<op::bias, op::swiglu, op::add>>(),
            {false, true, true}};
  } else {
    return {compiled_dot_tile<Mode, F, 2, 2, 1, 1, prefetch::none, C, chain<op::geglu>>(), {true, false, false}};
  }
}

// make<mode, family>() of a family that is known at run time.
template <class Make>
auto of_family(DotFamily f, const Make& make) {
  constexpr compute_mode b = compute_mode::bf16, u = compute_mode::u8s8;
  if (f.mode == b) {
    return f.family == isa::scalar    ? make.template operator()<b, isa::scalar>()
           : f.family == isa::avx2    ? make.template operator()<b, isa::avx2>()
           : f.family == isa::avx512f ? make.template operator()<b, isa::avx512f>()
                                      : make.template operator()<b, isa::avx512_bf16>();
  }
  return f.family == isa::scalar     ? make.template operator()<u, isa::scalar>()
         : f.family == isa::avx2     ? make.template operator()<u, isa::avx2>()
         : f.family == isa::avx_vnni ? make.template operator()<u, isa::avx_vnni>()
                                     : make.template operator()<u, isa::avx512_vnni>();
}

PairTile pair_tile_of(DotFamily f) {
  return of_family(f, []<compute_mode Mode, isa F>() {
    constexpr bool short_c = F == isa::avx512_bf16 || F == isa::avx_vnni;
    return pair_tile < Mode, F, short_c ? element::bf16 : element::f32 > ();
  });
}

// The product alone, to f32.
CompiledDotTile bare_tile_of(DotFamily f) {
  return of_family(f, []<compute_mode Mode, isa F>() {
    return CompiledDotTile{compiled_dot_tile<Mode, F, 2, 2, 1, 1, prefetch::none, element::f32, chain<>>()};
  });
}

class DotPairs : public ::testing::TestWithParam<DotFamily> {};
INSTANTIATE_TEST_SUITE_P(Families, DotPairs, ::testing::ValuesIn(kDotFamilies), dot_family_name);

struct PairRun {
  DotCase x;  // of the bare product, n columns wide
  packing format;
  blocking block;
};

PairRun random_run(Random& random, const CompiledDotTile& bare, const PairTile& tile) {
  PairRun r{random_dot_case(random, bare), {1}, {}};
  const int nr = tile.set.nr, width = nr / tile.set.shape.nv;
  r.x.n = 2 * pick(random, 1, nr + 9);
  if (pick(random, 0, 9) == 0) r.x.k = 0;
  r.x.beta = false;
  r.x.data = DotData::uniform;
  // One behind the other; in turns that meet in the tile; and in longer ones that do not.
  const int runs[] = {0, width, nr / 2 / width * width, nr};
  const int run = runs[pick(random, 0, 3)];
  r.format = {static_cast<int>(pick(random, 1, 2)) * std::lcm(nr, std::max(2 * run, 1)), run};
  r.block = random_dot_blocking(random, r.x);
  r.block.chain_at = r.block.tk == 1 && pick(random, 0, 2) == 0 ? fusion::pass : fusion::registers;
  if (pairs_in_memory(tile.set, r.format, r.block) && r.block.pack_a == a_packing::job) {
    r.block.pack_a = a_packing::shared;
  }
  r.x.block.tk = 1;
  if (r.block.tk > 1) slice_k(r.x.block, r.block.tk);  // the bits of bf16 depend on their number
  return r;
}

// The nearest code: half a step off at most, and what f32 makes of the step.
Bounded requantised(Bounded v, requantisation q) {
  const double inverse = static_cast<double>(q.inverse_scale), code = v.value * inverse;
  return {std::clamp(code + q.zero, 0.0, 255.0), v.bound * inverse + 0.5 + 0x1p-22 * std::fabs(code)};
}

void check(const PairRun& r, const PairTile& tile) {
  const DotCase& x = r.x;
  const DotOperands o(x, 6);
  ASSERT_EQ(run_dot_case(x, o), status::ok) << x.describe();
  const std::vector<double> product = o.result(x);
  const std::int64_t half = x.n / 2, ldc = half + x.pad_c;
  const GuardedElements c(tile.set.c_type, x.batch * x.m * ldc);
  GuardedElements bias(element::f32, x.n), residual(element::f32, x.batch * x.m * half);
  for (std::int64_t j = 0; j < x.n; ++j) bias.set(j, pair_bias(j));
  for (std::int64_t j = 0; j < residual.count(); ++j) residual.set(j, pair_bias(3 * j));
  const std::vector<char> before = c.copy();

  const dot_plan p{&tile.set, r.format, r.block};
  dot_call call = o.call(x);
  call.c = c.bytes();
  call.ldc = ldc;
  call.stride_c = x.m * ldc;
  call.operands.bias = reinterpret_cast<const float*>(bias.bytes());
  call.operands.residual = reinterpret_cast<const float*>(residual.bytes());
  call.operands.ld_residual = half;
  call.operands.stride_residual = x.m * half;
  packed_dot_weights packed;
  if (x.constant_weights) {
    packed = pack_dot_weights(tile.set.mode, call.b, x.n, x.k, x.batch, r.format);
    ASSERT_EQ(packed.state(), status::ok);
    call.weights = &packed;
    call.b = {};
  }
  context ctx = make_context(x.threads, scratch_for(p, x.n, x.k, x.batch, x.constant_weights));
  ASSERT_EQ(run_dot(call, p, ctx), status::ok) << x.describe();

  const auto before_pair = [&](std::int64_t line, std::int64_t col) {
    const double v = product[static_cast<std::size_t>(line * x.n + col)];
    const double b = tile.chain.bias ? static_cast<double>(pair_bias(col)) : 0.0;
    // The tile may add the bias to the product before that is rounded.
    return Bounded{v + b, 0x1p-24 * (std::fabs(v) + std::fabs(v + b))};
  };
  const int size = element_size(tile.set.c_type);
  for (std::int64_t line = 0; line < x.batch * x.m; ++line) {
    for (std::int64_t col = 0; col < half; ++col) {
      const double add = tile.chain.add ? residual.get(line * half + col) : 0.0;
      Bounded want = paired(tile.chain, before_pair(line, col), before_pair(line, half + col), add);
      if (tile.set.c_type == element::bf16) want.bound += 0x1p-8 * (std::fabs(want.value) + want.bound);
      if (tile.set.c_type == element::u8) want = requantised(want, x.requant);
      ASSERT_NEAR(c.get(line * ldc + col), want.value, want.bound)
          << "row " << line << " column " << col << " panel " << r.format.panel << " pair " << r.format.pair << ": "
          << x.describe();
    }
    const char* const beside = c.bytes() + (line * ldc + half) * size;
    ASSERT_TRUE(std::equal(beside, beside + x.pad_c * size, before.data() + (line * ldc + half) * size))
        << "written beside C";
  }
  ASSERT_TRUE(c.slack_untouched());
}

TEST_P(DotPairs, RandomProblemsMatchTheBareProduct) {
  SKIP_WITHOUT_DOT(GetParam());
  Random random(51);
  const PairTile tile = pair_tile_of(GetParam());
  const CompiledDotTile bare = bare_tile_of(GetParam());
  int in_memory = 0;
  constexpr int kCases = 3 * GEMWRIGHT_TEST_CASES;
  for (int i = 0; i < kCases && !HasFatalFailure(); ++i) {
    const PairRun r = random_run(random, bare, tile);
    check(r, tile);
    if (pairs_in_memory(tile.set, r.format, r.block)) ++in_memory;
  }
  EXPECT_GT(in_memory, 0);
  EXPECT_LT(in_memory, kCases);
  const std::optional<PairTile> odd = odd_tile_of(GetParam());
  for (int i = 0; odd && i < kCases && !HasFatalFailure(); ++i) check(random_run(random, bare, *odd), *odd);
}

TEST_P(DotPairs, WhatCannotBeAPairIsRefused) {
  SKIP_WITHOUT_DOT(GetParam());
  const PairTile tile = pair_tile_of(GetParam());
  const int nr = tile.set.nr, run = nr / tile.set.shape.nv;
  const std::vector<float> a(15), b(50), bias(10), residual(15);
  std::vector<float> c(15);
  dot_call call;
  call.m = 3;
  call.n = 10;
  call.k = 5;
  call.a = a.data();
  call.lda = 5;
  call.b.b = b.data();
  call.b.ldb = 10;
  call.c = c.data();
  call.ldc = 5;
  call.operands.bias = bias.data();
  call.operands.residual = residual.data();
  call.operands.ld_residual = 5;
  blocking g{8, 8, 8, loop_order::mnk, true, a_packing::job, 1, 1, 1, 0};
  context ctx(1, {100000, 1, 100000});
  const auto with = [&](packing format) { return run_dot(call, {&tile.set, format, g}, ctx); };
  EXPECT_EQ(with({nr, run}), status::ok);
  EXPECT_EQ(with({nr, nr}), status::bad_config);  // no whole turns in a panel
  // A phase of all jobs needs all of a chunk.
  EXPECT_EQ(with({nr, 0}), status::bad_config);
  EXPECT_EQ(with({2 * nr, nr}), status::bad_config);
  g.pack_a = a_packing::shared;
  EXPECT_EQ(with({nr, 0}), status::ok);
  EXPECT_EQ(with({2 * nr, nr}), status::ok);
  if (run > 1) {
    EXPECT_EQ(with({2 * nr, run / 2}), status::bad_config);  // a turn of half a vector
  }
  // The product alone is no C.
  call.bare = true;
  EXPECT_EQ(with({nr, 0}), status::bad_config);
  g.chain_at = fusion::pass;
  EXPECT_EQ(with({nr, 0}), status::ok);
  call.bare = false;
  g.chain_at = fusion::registers;
  call.beta = true;
  EXPECT_EQ(with({nr, run}), status::bad_config);
  call.beta = false;
  call.n = 9;
  EXPECT_EQ(with({nr, run}), status::bad_size);
  const CompiledDotTile bare = bare_tile_of(GetParam());
  call.n = 10;
  call.ldc = 10;
  EXPECT_EQ(run_dot(call, {&bare.set, {2 * bare.set.nr, bare.set.nr}, g}, ctx), status::bad_config);
  EXPECT_EQ(pack_dot_weights(tile.set.mode, call.b, 9, 5, 1, {nr, run}).state(), status::bad_config);
}

}  // namespace
}  // namespace gemwright::test
