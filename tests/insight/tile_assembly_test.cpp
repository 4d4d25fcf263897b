#include "tuner/insight/tile_assembly.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tuner/insight/annotate.h"

namespace gemwright::tuner {
namespace {

Config with_tile(gemwright::tile t, ComputeMode mode = ComputeMode::f32) {
  Config c;
  c.mode = mode;
  c.tile = t;
  return c;
}

Problem with_chain(std::vector<EpilogueOp> chain, Interface interface = Interface::f32) {
  Problem p;
  p.interface = interface;
  p.chain = std::move(chain);
  return p;
}

// The loop that a compiler makes of a tile. The target attributes need no CPU that could run it.
HotLoop compiled(const Compiler& compiler, const Config& config, const Problem& problem = {}) {
  const auto text = tile_assembly(compiler, config, problem);
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
      const HotLoop loop =
          compiled(compiler, with_tile({gemwright::isa::avx512f, 14, 2, ku, 1, gemwright::prefetch::t0}),
                   with_chain({EpilogueOp::bias, EpilogueOp::relu}));
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
    const auto adds = [&](gemwright::tile t) { return compiled(compiler, with_tile(t)).multiply_adds; };
    EXPECT_EQ(adds({gemwright::isa::avx2, 6, 2, 4, 1, gemwright::prefetch::none}), 48) << compiler.name;
    EXPECT_GT(adds({gemwright::isa::scalar, 4, 4, 1, 1, gemwright::prefetch::none}), 0) << compiler.name;
  }
}

// One dot product for each word of the tile, B loaded once a group of K, A broadcast, nothing on the stack.
TEST(TileAssembly, DotTilesHaveTheInstructionOfTheirFamily) {
  struct Case {
    gemwright::isa family;
    ComputeMode mode;
    Interface interface;
    const char* instruction;
  };
  const Case cases[] = {{gemwright::isa::avx512_bf16, ComputeMode::bf16, Interface::bf16, "vdpbf16ps"},
                        {gemwright::isa::avx512_vnni, ComputeMode::u8s8, Interface::u8s8, "vpdpbusd"},
                        {gemwright::isa::avx_vnni, ComputeMode::u8s8, Interface::f32, "{vex} vpdpbusd"}};
  for (const Compiler& compiler : available_compilers()) {
    for (const Case& c : cases) {
      const HotLoop loop = compiled(compiler, with_tile({c.family, 4, 2, 2, 1, gemwright::prefetch::t0}, c.mode),
                                    with_chain({EpilogueOp::bias, EpilogueOp::gelu_erf}, c.interface));
      SCOPED_TRACE(compiler.name + " " + c.instruction + "\n" + to_text(loop));
      EXPECT_EQ(loop.dot_products, 4 * 2 * 2);
      EXPECT_EQ(loop.multiply_adds, loop.dot_products);
      EXPECT_EQ(loop.loads, 2 * 2);
      EXPECT_EQ(loop.broadcasts + loop.embedded_broadcasts, 4 * 2);
      EXPECT_EQ(loop.spills, 0);
      EXPECT_EQ(loop.stores, 0);
      EXPECT_GT(loop.prefetches, 0);
      EXPECT_TRUE(std::any_of(loop.lines.begin(), loop.lines.end(), [&](const AnnotatedLine& line) {
        return line.note == "dot product" && line.text.find(c.instruction) == 0;
      }));
    }
  }
}

TEST(TileAssembly, ModesWithoutAnInstructionOfTheirOwnMultiplyByOthers) {
  using gemwright::isa;
  const Compiler compiler = available_compilers().at(0);
  const auto loop_of = [&](gemwright::tile t, ComputeMode mode) { return compiled(compiler, with_tile(t, mode)); };
  constexpr auto kNone = gemwright::prefetch::none;
  const HotLoop widened = loop_of({isa::avx512f, 4, 2, 1, 1, kNone}, ComputeMode::bf16);
  EXPECT_EQ(widened.multiply_adds, 4 * 2 * 2) << "two elements a word";
  EXPECT_EQ(widened.dot_products, 0);
  EXPECT_EQ(loop_of({isa::avx2, 2, 2, 1, 1, kNone}, ComputeMode::bf16).multiply_adds, 2 * 2 * 2);
  EXPECT_EQ(loop_of({isa::avx2, 2, 2, 1, 1, kNone}, ComputeMode::u8s8).dot_products, 2 * 2 * 2) << "even and odd bytes";
  for (const ComputeMode mode : {ComputeMode::bf16, ComputeMode::u8s8}) {
    EXPECT_GT(loop_of({isa::scalar, 1, 4, 1, 1, kNone}, mode).multiply_adds, 0);
  }
}
#endif

TEST(TileAssembly, TileThatIsNotOfferedIsRefused) {
  const auto text = tile_assembly({"g++", "/usr/bin/g++", ""},
                                  with_tile({gemwright::isa::avx2, 30, 5, 1, 1, gemwright::prefetch::none}), {});
  ASSERT_FALSE(text);
  EXPECT_FALSE(text.error().message.empty());
  const auto other = tile_assembly(
      {"g++", "/usr/bin/g++", ""},
      with_tile({gemwright::isa::avx512_vnni, 1, 1, 1, 1, gemwright::prefetch::none}, ComputeMode::bf16), {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "avx512_vnni does not compute bf16");
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
