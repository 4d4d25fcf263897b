// The reduction class: what may change without changing one bit of the result. Within a family with one accumulator
// along K that is everything but slices of K: tile, unrolling, prefetch, blocking, order, grid, packing, layouts and M
// itself. With more accumulators, or slices of K, it is less; what remains is stated by each test.
#include <cstring>

#include "tests/kernels/gemm_case.h"

namespace gemwright::test {
namespace {

class Bitwise : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, Bitwise, all_families(), family_name);

constexpr int kVariants = 40;
constexpr std::uint64_t kSeed = 99;

// Larger than every tile of the tests in M and N, and odd; K leaves 3 steps behind the last whole unroll of 4.
GemmCase problem(const CompiledTile& tile) {
  GemmCase x;
  x.tile = &tile;
  x.m = 37;
  x.n = 101;
  x.k = 131;
  x.batch = 2;
  x.beta = true;
  x.block = {64, 128, 256, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
  return x;
}

std::vector<float> bits_of(const GemmCase& x) {
  Operands o(x, kSeed);
  EXPECT_EQ(run_case(x, o), status::ok) << x.describe();
  return o.result(x);
}

bool same(const std::vector<float>& x, const std::vector<float>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

// The same values of A and B whatever the layout: they are drawn for row-major operands and transposed here.
std::vector<float> bits_of_transposed(const GemmCase& x) {
  GemmCase plain = x;
  plain.a_layout = plain.b_layout = layout::row_major;
  const Operands source(plain, kSeed);
  Operands o(x, kSeed);
  for (std::int64_t item = 0; item < x.batch; ++item) {
    for (std::int64_t row = 0; row < x.m; ++row) {
      for (std::int64_t i = 0; i < x.k; ++i) {
        const std::int64_t at = x.a_layout == layout::row_major ? row * o.lda + i : i * o.lda + row;
        o.a[item * o.stride_a + at] = source.a_at(plain, item, row, i);
      }
    }
    for (std::int64_t i = 0; i < x.k; ++i) {
      for (std::int64_t col = 0; col < x.n; ++col) {
        const std::int64_t at = x.b_layout == layout::row_major ? i * o.ldb + col : col * o.ldb + i;
        o.b[item * o.stride_b + at] = source.b_at(plain, item, i, col);
      }
    }
  }
  EXPECT_EQ(run_case(x, o), status::ok) << x.describe();
  return o.result(x);
}

void vary(Random& random, GemmCase& x, int tk) {
  const std::int64_t kc = x.block.kc;
  x.block = random_blocking(random, x, 1);
  x.block.tk = tk;
  if (x.tile->set.shape.ka > 1) x.block.kc = kc;
  x.panels = static_cast<int>(pick(random, 1, 3));
  x.weights = static_cast<Weights>(pick(random, 0, x.tile->spans() ? 1 : 2));
  x.threads = static_cast<Threads>(pick(random, 0, 4));
}

TEST_P(Bitwise, BlockingOrderGridPackingAndThreadsDoNotChangeABit) {
  SKIP_WITHOUT(GetParam());
  Random random(1);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    const GemmCase plain = problem(tile);
    const std::vector<float> want = bits_of(plain);
    for (int i = 0; i < kVariants; ++i) {
      GemmCase x = plain;
      vary(random, x, 1);
      ASSERT_TRUE(same(want, bits_of(x))) << x.describe();
    }
  }
}

TEST_P(Bitwise, SlicesOfKFixTheBitsForTheirNumberWhateverTheRest) {
  SKIP_WITHOUT(GetParam());
  Random random(2);
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    GemmCase plain = problem(tile);
    plain.block.tk = 3;
    const std::vector<float> want = bits_of(plain);
    for (int i = 0; i < kVariants / 4; ++i) {
      GemmCase x = plain;
      vary(random, x, 3);
      ASSERT_TRUE(same(want, bits_of(x))) << x.describe();
    }
  }
}

// Tiles of one family, one chain and one number of accumulators differ in rows, vectors, unrolling and prefetch only.
TEST_P(Bitwise, TilesOfOneFamilyAgree) {
  SKIP_WITHOUT(GetParam());
  std::vector<std::pair<const CompiledTile*, std::vector<float>>> first;
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    std::vector<float> got = bits_of(problem(tile));
    bool known = false;
    for (const auto& [other, want] : first) {
      const bool same_class = other->chain == tile.chain && other->set.shape.ka == tile.set.shape.ka;
      if (!same_class) continue;
      known = true;
      EXPECT_TRUE(same(want, got)) << other->name() << " and " << tile.name();
    }
    if (!known) first.emplace_back(&tile, std::move(got));
  }
}

TEST_P(Bitwise, ABareCallGivesTheProductOfATileWithoutTheChain) {
  SKIP_WITHOUT(GetParam());
  Random random(3);
  int chains = 0;
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    if (tile.chain.empty() || tile.set.shape.ka != bare_tile(GetParam()).set.shape.ka) continue;
    GemmCase x = problem(tile);
    vary(random, x, 1);
    Operands o(x, kSeed);
    ASSERT_EQ(run_case(x, o, true), status::ok);
    const std::vector<float> product = o.result(x);
    EXPECT_FALSE(same(product, bits_of(x))) << x.describe();
    GemmCase without = problem(bare_tile(GetParam()));
    without.block = x.block;
    o.reset_c();
    ASSERT_EQ(run_case(without, o), status::ok);
    ASSERT_TRUE(same(product, o.result(x))) << x.describe();
    ++chains;
  }
  EXPECT_GT(chains, 0);
}

// Nor do families that multiply and add by the same instruction, whatever the chain: it is written once for all.
TEST(BitwiseFamilies, FamiliesOfOneInstructionAgree) {
  SKIP_WITHOUT(isa::avx2);
  SKIP_WITHOUT(isa::avx512f);
  std::size_t pairs = 0;
  for (const CompiledTile& narrow : tiles_of(isa::avx2)) {
    const std::vector<float> want = bits_of(problem(narrow));
    for (const CompiledTile& wide : tiles_of(isa::avx512f)) {
      if (wide.chain != narrow.chain || wide.set.shape.ka != narrow.set.shape.ka) continue;
      EXPECT_TRUE(same(want, bits_of(problem(wide)))) << narrow.name() << " and " << wide.name();
      ++pairs;
      break;  // tiles of one family agree
    }
  }
  EXPECT_GT(pairs, 10U);
}

TEST_P(Bitwise, LayoutsAgree) {
  SKIP_WITHOUT(GetParam());
  const GemmCase plain = problem(bare_tile(GetParam()));
  const std::vector<float> want = bits_of_transposed(plain);
  for (const layout a : {layout::row_major, layout::col_major}) {
    for (const layout b : {layout::row_major, layout::col_major}) {
      for (const a_packing pack_a : {a_packing::none, a_packing::job}) {
        GemmCase x = plain;
        x.a_layout = a;
        x.b_layout = b;
        x.block.pack_a = pack_a;
        ASSERT_TRUE(same(want, bits_of_transposed(x))) << x.describe();
      }
    }
  }
}

// Nor does a column depend on how many others there are, although the last ones run through masked functions, in
// narrower tiles where they leave whole vectors empty.
TEST_P(Bitwise, AColumnDoesNotDependOnN) {
  SKIP_WITHOUT(GetParam());
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    GemmCase x = problem(tile);
    x.batch = 1;
    x.weights = Weights::per_call;
    Operands all(x, kSeed);
    ASSERT_EQ(run_case(x, all), status::ok);
    const std::vector<float> want = all.result(x);
    const plan p = x.make_plan();
    for (const std::int64_t columns : {1, 7, 20, 35, 50}) {
      Operands some(x, kSeed);
      gemm_call call = some.call(x);
      call.n = columns;
      context ctx(1, scratch_for(p.kernels->shape, p.format, p.block, x.n, x.k, x.batch, false));
      ASSERT_EQ(run_gemm(call, p, ctx), status::ok);
      for (std::int64_t row = 0; row < x.m; ++row) {
        const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
        ASSERT_EQ(std::memcmp(want.data() + row * x.n, some.c.data() + row * some.ldc, bytes), 0)
            << tile.name() << " row " << row << " of " << columns << " columns";
      }
    }
  }
}

// A row of C does not depend on how many other rows are computed with it.
TEST_P(Bitwise, ARowDoesNotDependOnM) {
  SKIP_WITHOUT(GetParam());
  for (const CompiledTile& tile : tiles_of(GetParam())) {
    GemmCase x = problem(tile);
    x.batch = 1;
    Operands all(x, kSeed);
    ASSERT_EQ(run_case(x, all), status::ok);
    const std::vector<float> want = all.result(x);
    for (std::int64_t rows = 1; rows <= 9; rows += 4) {
      Operands some(x, kSeed);  // the same operands, of which fewer rows are used
      GemmCase fewer = x;
      fewer.m = rows;
      ASSERT_EQ(run_case(fewer, some), status::ok);
      const std::vector<float> got = some.result(fewer);
      ASSERT_EQ(std::memcmp(want.data(), got.data(), got.size() * sizeof(float)), 0) << fewer.describe();
    }
  }
}

}  // namespace
}  // namespace gemwright::test
