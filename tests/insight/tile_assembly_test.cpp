#include "tuner/insight/tile_assembly.h"

#include <gtest/gtest.h>

#include "tuner/insight/annotate.h"

namespace gemwright::tuner {
namespace {

Config with_tile(gemwright::tile t) {
  Config c;
  c.tile = t;
  return c;
}

// The loop that a compiler makes of a tile. The target attributes need no CPU that could run it.
HotLoop compiled(const Compiler& compiler, gemwright::tile t, const std::vector<EpilogueOp>& chain = {}) {
  const auto text = tile_assembly(compiler, with_tile(t), chain);
  EXPECT_TRUE(text) << compiler.name << ": " << (text ? "" : text.error().message);
  if (!text) return {};
  const auto loop = hot_loop(*text);
  EXPECT_TRUE(loop) << compiler.name << ": " << (loop ? "" : loop.error().message);
  return loop ? *loop : HotLoop{};
}

#if defined(__x86_64__)
TEST(TileAssembly, TallAvx512TileKeepsItsAccumulatorsInRegisters) {
  for (const Compiler& compiler : available_compilers()) {
    for (const int ku : {1, 2}) {
      const HotLoop loop = compiled(compiler, {gemwright::isa::avx512f, 14, 2, ku, 1, gemwright::prefetch::t0},
                                    {EpilogueOp::bias, EpilogueOp::relu});
      SCOPED_TRACE(compiler.name + " unrolled by " + std::to_string(ku) + "\n" + to_text(loop));
      EXPECT_EQ(loop.multiply_adds, 14 * 2 * ku);
      EXPECT_EQ(loop.spills, 0);
      EXPECT_EQ(loop.stores, 0);
      EXPECT_EQ(loop.loads, 2 * ku);
      EXPECT_EQ(loop.prefetches, 2 * ku);
      EXPECT_GE(loop.broadcasts + loop.embedded_broadcasts, 14 * ku);
      EXPECT_GE(loop.vector_registers, 28 + 2) << "accumulators and the row of B";
    }
  }
}

TEST(TileAssembly, EachFamilyHasItsMultiplyAdds) {
  for (const Compiler& compiler : available_compilers()) {
    EXPECT_EQ(compiled(compiler, {gemwright::isa::avx2, 6, 2, 4, 1, gemwright::prefetch::none}).multiply_adds, 48)
        << compiler.name;
    EXPECT_GT(compiled(compiler, {gemwright::isa::scalar, 4, 4, 1, 1, gemwright::prefetch::none}).multiply_adds, 0)
        << compiler.name;
  }
}
#endif

TEST(TileAssembly, TileThatIsNotOfferedIsRefused) {
  const auto text = tile_assembly({"g++", "/usr/bin/g++", ""},
                                  with_tile({gemwright::isa::avx2, 30, 5, 1, 1, gemwright::prefetch::none}), {});
  ASSERT_FALSE(text);
  EXPECT_FALSE(text.error().message.empty());
}

TEST(TileAssembly, CompilerThatFailsIsNamed) {
  const Config config = with_tile({gemwright::isa::scalar, 1, 4, 1, 1, gemwright::prefetch::none});
  const auto failed = tile_assembly({"false", "/bin/false", ""}, config, {});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "false: it ended with exit code 1");
  EXPECT_FALSE(tile_assembly({"gone", "/no/such/compiler", ""}, config, {}));
  EXPECT_FALSE(tile_assembly({"true", "/bin/true", ""}, config, {})) << "it wrote nothing";
}

}  // namespace
}  // namespace gemwright::tuner
