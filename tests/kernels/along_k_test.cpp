// Tiles whose vectors run along K: against float64 over odd sizes, with every means of the loop nest; what decides
// their bits; what they refuse.
#include <cstring>

#include "tests/kernels/gemm_case.h"

namespace gemwright::test {
namespace {

class AlongK : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, AlongK, all_families(), family_name);

constexpr std::int64_t kDepths[] = {0, 1, 15, 16, 17, 31, 255, 256, 1000};

// What such a tile takes, everything else at random.
GemmCase admissible(Random& random, const CompiledTile& tile, std::int64_t m, std::int64_t n, std::int64_t k) {
  GemmCase x = random_case(random, tile);
  x.m = m;
  x.n = n;
  x.k = k;
  x.a_layout = layout::row_major;
  x.weights = pick(random, 0, 1) == 0 ? Weights::constant : Weights::per_call;
  x.panels = 1;
  x.block = random_blocking(random, x, 3);
  x.block.pack_a = a_packing::none;
  return x;
}

GemmCase whole(const CompiledTile& tile, std::int64_t m, std::int64_t n, std::int64_t k) {
  GemmCase x;
  x.tile = &tile;
  x.m = m;
  x.n = n;
  x.k = k;
  x.block = {1 << 20, 1 << 20, 1 << 20, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
  return x;
}

std::vector<float> bits_of(const GemmCase& x) {
  Operands o(x, 99);
  EXPECT_EQ(run_case(x, o), status::ok) << x.describe();
  return o.result(x);
}

bool same(const std::vector<float>& x, const std::vector<float>& y) {
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
}

TEST_P(AlongK, ATileIsAsManyColumnsAsItSaysAndPortableCodeIsOne) {
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    EXPECT_EQ(tile.set.nr, GetParam() == isa::scalar ? 1 : tile.set.shape.nv);
    EXPECT_EQ(columns_of(tile.set.shape), tile.set.nr);
    EXPECT_EQ(tile.set.shape.along_k, GetParam() != isa::scalar);
  }
}

TEST_P(AlongK, OddProblemsWithRandomBlockingMatchFloat64) {
  SKIP_WITHOUT(GetParam());
  Random random(31);
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    for (std::int64_t m = 1; m <= 33; ++m) {
      for (const std::int64_t k : kDepths) {
        const GemmCase x = admissible(random, tile, m, pick(random, 1, 12), k);
        Operands o(x, random());
        ASSERT_EQ(run_case(x, o), status::ok) << x.describe();
        ASSERT_TRUE(holds(x, o));
      }
    }
  }
}

TEST_P(AlongK, InfinitiesNanAndDenormalsPropagateAsInFloat64) {
  SKIP_WITHOUT(GetParam());
  Random random(37);
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    for (int i = 0; i < 40; ++i) {
      GemmCase x = admissible(random, tile, pick(random, 1, 20), pick(random, 1, 7), pick(random, 1, 70));
      x.data = Data::special;
      Operands o(x, random());
      ASSERT_EQ(run_case(x, o), status::ok) << x.describe();
      ASSERT_TRUE(holds(x, o));
    }
  }
}

TEST_P(AlongK, WholeProductsGiveTheBitsOfTheNest) {
  SKIP_WITHOUT(GetParam());
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    for (const std::int64_t k : {7, 256, 333}) {
      GemmCase x = whole(tile, 29, 7, k);
      const std::vector<float> direct = bits_of(x);
      x.block.tm = 2;  // needs the nest
      EXPECT_TRUE(same(direct, bits_of(x))) << x.describe();
    }
  }
}

// Whatever the rest, with the same blocks and slices of K.
void expect_the_bits_of(const GemmCase& plain, Random& random) {
  const std::vector<float> want = bits_of(plain);
  for (int i = 0; i < 20; ++i) {
    GemmCase x = plain;
    x.block = random_blocking(random, x, 1);
    x.block.pack_a = a_packing::none;
    x.block.kc = plain.block.kc;
    x.block.tk = plain.block.tk;
    x.weights = pick(random, 0, 1) == 0 ? Weights::constant : Weights::per_call;
    x.threads = static_cast<Threads>(pick(random, 0, 4));
    ASSERT_TRUE(same(want, bits_of(x))) << x.describe();
  }
}

// As long as K is one block and one slice.
TEST_P(AlongK, BlocksOfRowsAndColumnsGridAndThreadsDoNotChangeABit) {
  SKIP_WITHOUT(GetParam());
  Random random(41);
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    GemmCase plain = whole(tile, 37, 8, 131);
    plain.batch = 2;
    plain.beta = true;
    expect_the_bits_of(plain, random);
  }
}

// Blocks and slices of K fix them for their own size and number, whatever the rest.
TEST_P(AlongK, BlocksAndSlicesOfKFixTheBits) {
  SKIP_WITHOUT(GetParam());
  Random random(43);
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    GemmCase plain = whole(tile, 21, 7, 333);
    plain.block.kc = 48;
    plain.block.tk = 2;
    expect_the_bits_of(plain, random);
  }
}

TEST_P(AlongK, TilesOfOneFamilyAgree) {
  SKIP_WITHOUT(GetParam());
  const auto& tiles = along_tiles(GetParam());
  for (const CompiledTile& tile : tiles) {
    for (const CompiledTile& other : tiles) {
      if (other.chain != tile.chain || other.set.shape.ka != tile.set.shape.ka) continue;
      EXPECT_TRUE(same(bits_of(whole(tile, 37, 9, 131)), bits_of(whole(other, 37, 9, 131)))) << other.name();
    }
  }
}

TEST_P(AlongK, ARowDoesNotDependOnM) {
  SKIP_WITHOUT(GetParam());
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    const GemmCase x = whole(tile, 37, 9, 131);
    const std::vector<float> want = bits_of(x);
    for (std::int64_t rows = 1; rows <= 9; ++rows) {
      Operands some(x, 99);  // the same operands, of which fewer rows are used
      GemmCase fewer = x;
      fewer.m = rows;
      ASSERT_EQ(run_case(fewer, some), status::ok);
      const std::vector<float> got = some.result(fewer);
      ASSERT_EQ(std::memcmp(want.data(), got.data(), got.size() * sizeof(float)), 0) << fewer.describe();
    }
  }
}

TEST_P(AlongK, ABareCallGivesTheProductWithoutTheChain) {
  SKIP_WITHOUT(GetParam());
  for (const CompiledTile& tile : along_tiles(GetParam())) {
    if (tile.chain.empty() || tile.set.shape.ka > 1) continue;
    const GemmCase x = whole(tile, 19, 6, 131);
    Operands o(x, 99);
    ASSERT_EQ(run_case(x, o, true), status::ok);
    const std::vector<float> product = o.result(x);
    o.reset_c();
    const GemmCase without = whole(along_tiles(GetParam()).front(), 19, 6, 131);
    ASSERT_EQ(run_case(without, o), status::ok);
    EXPECT_TRUE(same(product, o.result(x))) << x.describe();
  }
}

TEST_P(AlongK, OperandsThatAreNotContiguousAlongKAreRefused) {
  SKIP_WITHOUT(GetParam());
  if (GetParam() == isa::scalar) GTEST_SKIP() << "portable code takes any";
  const GemmCase good = whole(along_tiles(GetParam()).front(), 9, 2, 40);
  const auto status_of = [&](auto spoil) {
    GemmCase x = good;
    spoil(x);
    Operands o(x, 1);
    const status s = run_case(x, o);
    EXPECT_TRUE(s == status::ok || std::all_of(o.c.data(), o.c.data() + o.c.size(), is_poison));
    return s;
  };
  EXPECT_EQ(status_of([](GemmCase&) {}), status::ok);
  EXPECT_EQ(status_of([](GemmCase& x) { x.a_layout = layout::col_major; }), status::bad_config);
  EXPECT_EQ(status_of([](GemmCase& x) { x.block.pack_a = a_packing::job; }), status::bad_config);
  EXPECT_EQ(status_of([](GemmCase& x) { x.panels = 2; }), status::bad_config);
  EXPECT_EQ(status_of([](GemmCase& x) { x.weights = Weights::unpacked; }), status::bad_config);
}

}  // namespace
}  // namespace gemwright::test
