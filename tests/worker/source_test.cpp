#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "tuner/space/config.h"
#include "tuner/space/tile_group.h"
#include "tuner/toolchain/header_source.h"
#include "tuner/toolchain/tile_source.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::prefetch;

const Problem kProblem{};
const auto of_tile = [](const gemwright::tile& t) {
  Config c;
  c.tile = t;
  return group_of(kProblem, c);
};

TEST(TileGroup, HoldsEveryTileThatBelongsToIt) {
  for (const isa family : {isa::scalar, isa::avx2, isa::avx512f}) {
    for (int nv = 1; nv <= 5; ++nv) {
      for (int mr = 1; mr <= 30; ++mr) {
        for (const int unrolls : {11, 21, 22, 41, 42, 44}) {
          const gemwright::tile t{family, mr, nv, unrolls / 10, unrolls % 10, prefetch::none};
          if (violated(ComputeMode::f32, t)) continue;
          bool found = false;
          for (const auto& x : tiles_of(of_tile(t))) {
            found = found || x == t;
            EXPECT_EQ(of_tile(x).nv, nv);
            EXPECT_FALSE(violated(ComputeMode::f32, x)) << tile_name(x);
          }
          EXPECT_TRUE(found) << tile_name(t);
        }
      }
    }
  }
}

TEST(TileGroup, ShortTilesAreCompiledWithoutTheTallOnes) {
  const TileGroup low = of_tile({isa::avx512f, 3, 1, 1, 1, prefetch::t0});
  const TileGroup high = of_tile({isa::avx512f, 30, 1, 1, 1, prefetch::t0});
  EXPECT_EQ(low.rows, 8);
  EXPECT_EQ(high.rows, 30);
  for (const auto& t : tiles_of(low)) EXPECT_LE(t.mr, 8) << tile_name(t);
}

TEST(TileGroup, HoldsOneUnrollAndOneNumberOfAccumulators) {
  const auto same = [](gemwright::tile x, gemwright::tile y) { return of_tile(x) == of_tile(y); };
  EXPECT_TRUE(same({isa::avx512f, 8, 2, 1, 1, prefetch::t0}, {isa::avx512f, 2, 2, 1, 1, prefetch::t0}));
  EXPECT_FALSE(same({isa::avx512f, 8, 2, 2, 1, prefetch::t0}, {isa::avx512f, 8, 2, 1, 1, prefetch::t0}));
  EXPECT_TRUE(same({isa::avx512f, 8, 2, 1, 2, prefetch::t0}, {isa::avx512f, 2, 2, 2, 2, prefetch::t0}))
      << "one program";
  EXPECT_FALSE(same({isa::avx512f, 8, 2, 1, 1, prefetch::t0}, {isa::avx512f, 2, 2, 4, 2, prefetch::t0}));
  EXPECT_FALSE(same({isa::avx512f, 14, 2, 1, 1, prefetch::t0}, {isa::avx512f, 14, 2, 2, 1, prefetch::t0}));
  EXPECT_FALSE(same({isa::avx512f, 8, 2, 1, 1, prefetch::t0}, {isa::avx512f, 8, 2, 1, 1, prefetch::none}));
  EXPECT_FALSE(same({isa::avx512f, 8, 2, 1, 1, prefetch::t0}, {isa::avx512f, 8, 1, 1, 1, prefetch::t0}));
}

TEST(TileSource, DependsOnGroupAndChainAlone) {
  const TileGroup g = of_tile({isa::avx2, 2, 2, 1, 1, prefetch::none});
  EXPECT_EQ(tile_library_source(g, {}), tile_library_source(g, {}));
  std::set<std::string> all{tile_library_source(g, {}), tile_library_source(g, {EpilogueOp::bias}),
                            tile_library_source(g, {EpilogueOp::bias, EpilogueOp::relu}),
                            tile_library_source(g, {EpilogueOp::relu, EpilogueOp::bias})};
  TileGroup other = g;
  other.hint = prefetch::nta;
  all.insert(tile_library_source(other, {}));
  EXPECT_EQ(all.size(), 5u);
}

const auto dot_group = [](ComputeMode mode, Interface interface) {
  Problem p;
  p.interface = interface;
  Config c;
  c.mode = mode;
  c.tile = {isa::scalar, 2, 4, 2, 1, prefetch::none};
  return group_of(p, c);
};

TEST(TileSource, NamesModeAndTypeOfC) {
  const std::string bf16 = tile_library_source(dot_group(ComputeMode::bf16, Interface::bf16), {EpilogueOp::bias});
  EXPECT_NE(bf16.find("compute_mode kMode = kernels::compute_mode::bf16;"), std::string::npos);
  EXPECT_NE(bf16.find("compiled_dot_tile<kMode, kernels::isa::scalar, Rows, 4, Unroll, Along, kernels::prefetch::none, "
                      "kernels::element::bf16, kernels::chain<kernels::epilogue_op::bias>>"),
            std::string::npos);
  const std::set<std::string> all{bf16, tile_library_source(dot_group(ComputeMode::bf16, Interface::f32), {}),
                                  tile_library_source(dot_group(ComputeMode::u8s8, Interface::f32), {}),
                                  tile_library_source(dot_group(ComputeMode::u8s8, Interface::bf16), {})};
  EXPECT_EQ(all.size(), 4u);
}

TEST(TileSource, RequantIsTheTypeOfCAndNoOperation) {
  const TileGroup g = dot_group(ComputeMode::u8s8, Interface::u8s8);
  const std::string text = tile_library_source(g, {EpilogueOp::bias, EpilogueOp::requant});
  EXPECT_NE(text.find("kernels::element::u8, kernels::chain<kernels::epilogue_op::bias>>"), std::string::npos);
  EXPECT_NE(tile_library_source(g, {EpilogueOp::requant}).find("kernels::element::u8, kernels::chain<>>"),
            std::string::npos);
  EXPECT_NE(text, tile_library_source(g, {EpilogueOp::bias}));
}

TEST(TileSource, ConvertsWhatTheInterfaceHandsOverAlone) {
  const auto begins = [](ComputeMode mode, Interface interface) {
    const std::string text = tile_library_source(dot_group(mode, interface), {});
    return text.substr(0, text.find('\n', text.find('\n') + 1));
  };
  EXPECT_EQ(begins(ComputeMode::u8s8, Interface::u8s8),
            "#define GEMWRIGHT_PACKED_MODES 4\n#define GEMWRIGHT_PACKED_ELEMENTS 12");
  EXPECT_EQ(begins(ComputeMode::u8s8, Interface::f32),
            "#define GEMWRIGHT_PACKED_MODES 4\n#define GEMWRIGHT_PACKED_ELEMENTS 1");
  EXPECT_EQ(begins(ComputeMode::bf16, Interface::bf16),
            "#define GEMWRIGHT_PACKED_MODES 2\n#define GEMWRIGHT_PACKED_ELEMENTS 2");
}

TEST(TileSource, HoldsTheTilesOfItsModeAndNothingAroundThem) {
  const std::string f32 = tile_library_source(dot_group(ComputeMode::f32, Interface::f32), {});
  EXPECT_NE(f32.find("namespace avx2_kernels {"), std::string::npos);
  EXPECT_EQ(f32.find("struct dot_kernel_set {"), std::string::npos);
  const std::string dot = tile_library_source(dot_group(ComputeMode::u8s8, Interface::f32), {});
  EXPECT_NE(dot.find("struct dot_kernel_set {"), std::string::npos);
  for (const std::string& text : {f32, dot}) {
    for (const char* around : {"class loop_nest", "class dot_nest", "class context", "class thread_pool", "<thread>"}) {
      EXPECT_EQ(text.find(around), std::string::npos) << around;
    }
  }
}

TEST(TileSource, CarriesTheInterfaceAsItStandsInTheHeader) {
  std::stringstream header;
  header << std::ifstream(TILE_LIBRARY_H).rdbuf();
  const std::string text = header.str();
  const auto definition = [&](const std::string& name) {
    const auto begin = text.find("struct " + name + " {");
    return text.substr(begin, text.find("};", begin) + 2 - begin);
  };
  const std::string tiles = tile_library_source(of_tile({isa::scalar, 1, 4, 1, 1, prefetch::none}), {});
  EXPECT_NE(tiles.find(definition("TileLibraryApi")), std::string::npos);
  const auto wrapper = header_library_source("", "a::b");
  ASSERT_TRUE(wrapper);
  EXPECT_NE(wrapper->find(definition("HeaderLibraryApi")), std::string::npos);
}

TEST(HeaderSource, AcceptsNamespacesOnly) {
  EXPECT_TRUE(header_library_source("", "tuned"));
  EXPECT_TRUE(header_library_source("", "my::tuned_2::n4096_k4096_f32"));
  for (const char* bad : {"", "::", "a::", "::a", "a:b", "a::::b", "a b", "1a", "a;", "a{}", "a::b\n#include <x>",
                          "a/*", "ä", "a::b::", "a\\"}) {
    EXPECT_FALSE(header_library_source("", bad)) << bad;
  }
  EXPECT_FALSE(header_library_source("", std::string(10'000, 'a')));
}

}  // namespace
}  // namespace gemwright::tuner
