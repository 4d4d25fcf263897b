// The inner loops that the compilers make of shipped tiles, read from their assembly: every accumulator stays in a
// register and every group of K costs exactly its dot products. Full speed depends on both, and no other test sees it.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tuner/insight/annotate.h"
#include "tuner/insight/tile_assembly.h"
#include "tuner/problem/input_text.h"
#include "tuner/toolchain/compiler.h"
#include "tuner/toolchain/process.h"

namespace gemwright::test {
namespace {

struct ShippedTile {
  const char* space;  // namespace of its family
  int mr, nv, ku;
  const char* c_type;  // nullptr: an f32 tile
  int products = 1;    // multiply-adds for each group, row and vector
  const char* chain = "bias,relu";
  int panels = 1;
};

constexpr ShippedTile kTiles[] = {
    {"avx512f_kernels", 14, 2, 1, nullptr},
    {"avx512f_kernels", 8, 3, 1, nullptr},
    {"avx512f_kernels", 6, 4, 2, nullptr},
    {"avx2_kernels", 6, 2, 1, nullptr},
    {"avx2_kernels", 6, 2, 4, nullptr},
    {"avx2_kernels", 4, 3, 4, nullptr},
    // Tiles that span panels.
    {"avx2_kernels", 6, 2, 1, nullptr, 1, "bias,relu", 2},
    {"avx2_kernels", 4, 3, 1, nullptr, 1, "bias", 3},
    {"avx2_kernels", 2, 4, 2, nullptr, 1, "bias,swiglu", 2},
    {"avx512f_kernels", 6, 4, 1, nullptr, 1, "bias,relu", 4},
    {"avx512_bf16_dot", 8, 2, 1, "f32"},
    {"avx512_bf16_dot", 14, 2, 1, "f32"},
    {"avx512_bf16_dot", 14, 2, 2, "bf16"},
    {"avx512_bf16_dot", 12, 2, 1, "f32"},
    {"avx512_bf16_dot", 6, 4, 4, "f32"},
    {"avx512f_bf16", 8, 2, 1, "f32", 2},
    {"avx512f_bf16", 12, 2, 1, "bf16", 2},
    {"avx2_bf16", 4, 2, 1, "f32", 2},
    {"avx512_vnni_dot", 8, 2, 1, "f32"},
    {"avx512_vnni_dot", 14, 2, 1, "f32"},
    {"avx512_vnni_dot", 14, 2, 2, "bf16"},
    {"avx512_vnni_dot", 12, 2, 1, "u8"},
    {"avx512_vnni_dot", 6, 4, 4, "f32"},
    {"avx_vnni_dot", 6, 2, 1, "f32"},
    {"avx_vnni_dot", 4, 2, 2, "u8"},
    {"avx2_u8s8", 3, 2, 1, "f32", 2},
    {"avx2_bf16", 1, 4, 1, "f32", 2, "bias", 2},
    {"avx2_bf16", 1, 4, 1, "f32", 2, "bias", 4},
    {"avx2_u8s8", 1, 4, 1, "f32", 2, "bias", 4},
    {"avx512_bf16_dot", 6, 4, 1, "f32", 1, "bias", 2},
    {"avx512_bf16_dot", 6, 4, 1, "f32", 1, "bias", 4},
    {"avx512_vnni_dot", 6, 4, 1, "f32", 1, "bias", 4},
    {"avx_vnni_dot", 2, 4, 2, "f32", 1, "bias", 2},
    {"avx_vnni_dot", 2, 4, 2, "f32", 1, "bias", 4},
    // Chains that finish outside the kernel.
    {"avx512_bf16_dot", 13, 2, 1, "f32", 1, "bias,gelu_erf,add"},
    {"avx512_vnni_dot", 10, 2, 1, "bf16", 1, "bias,swiglu"},
    {"avx2_bf16", 5, 1, 1, "f32", 2, "geglu,add"},
    {"avx512f_kernels", 12, 2, 1, nullptr, 1, "bias,swiglu,add"},
};

std::string instantiation(const ShippedTile& t) {
  std::ostringstream s;
  const bool dot = t.c_type != nullptr;
  s << "template void gemwright::" << t.space << (dot ? "::dot_micro<" : "::micro<") << t.mr << ", " << t.nv << ", "
    << t.ku << ", 1, gemwright::prefetch::t0, ";
  if (dot) {
    s << "gemwright::element::" << t.c_type;
  } else {
    s << "false";
  }
  s << ", gemwright::chain<";
  std::istringstream ops(t.chain);
  for (std::string op, comma; std::getline(ops, op, ','); comma = ", ") s << comma << "gemwright::epilogue_op::" << op;
  s << ">";
  if (t.panels > 1) s << ", " << t.panels;
  s << ">(const gemwright::" << (dot ? "dot_args" : "micro_args") << "&);\n";
  return s.str();
}

// What the tool's reader of assembly does not know yet: an encoding prefix, and the 16-bit products of AVX2.
std::string known_words(std::string text) {
  const auto replace = [&text](const std::string& word, const std::string& by) {
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += by.size()) {
      text.replace(at, word.size(), by);
    }
  };
  replace("{vex}", "");
  replace("vpmaddwd", "vpdpbusd");
  return text;
}

// All tiles through one compiler, with the flags of every build; empty where that failed.
std::string assembly_by(const tuner::Compiler& compiler, const std::vector<ShippedTile>& tiles) {
  std::string folder = (std::filesystem::temp_directory_path() / "gemwright-assembly-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return "";
  const std::string source = folder + "/tiles.cpp", output = folder + "/tiles.s";
  {
    std::ofstream out(source);
    out << "#include <gemwright/dot.h>\n";
    for (const ShippedTile& t : tiles) out << instantiation(t);
  }
  std::vector<std::string> argv{compiler.path, "-I", GEMWRIGHT_KERNELS_FOLDER};
  argv.insert(argv.end(), tuner::compile_flags().begin(), tuner::compile_flags().end());
  argv.insert(argv.end(), {"-S", source, "-o", output});
  auto process = tuner::Process::start(argv, {.environment = {"LC_ALL=C"}});
  const bool done = process && process->wait(std::chrono::seconds(240)) && process->status()->success();
  if (!done) ADD_FAILURE() << compiler.name << ": " << (process ? process->err() : process.error().message);
  const auto text = done ? tuner::read_text_file(output, std::uintmax_t{64} << 20) : "";
  std::filesystem::remove_all(folder);
  return text ? known_words(*text) : "";
}

// The text of a tile's function: from its label to the next function's.
std::string function_of(const std::string& assembly, const ShippedTile& t) {
  std::ostringstream name;
  name << t.space << (t.c_type != nullptr ? "9dot_micro" : "5micro") << "ILi" << t.mr << "ELi" << t.nv << "ELi" << t.ku
       << "E";
  const std::string panels = "Li" + std::to_string(t.panels) + "EEEvRK";  // the last argument
  std::istringstream lines(assembly);
  std::string line, out;
  while (std::getline(lines, line)) {
    const bool label = !line.empty() && line.find(':') != std::string::npos && line.rfind("_Z", 0) == 0;
    if (label && !out.empty()) break;
    const bool begins = label && line.find(name.str()) != std::string::npos && line.find(panels) != std::string::npos &&
                        line.find(".cold") == std::string::npos;
    if (begins || !out.empty()) out += line + "\n";
  }
  return out;
}

class Assembly : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Compilers, Assembly, ::testing::Values("g++", "clang++"),
                         [](const auto& info) { return info.param[0] == 'g' ? "gcc" : "clang"; });

TEST_P(Assembly, InnerLoopsKeepTheirAccumulatorsInRegisters) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "the tiles are for x86-64";
#endif
  const auto compiler = tuner::find_compiler(GetParam());
  if (!compiler) GTEST_SKIP() << compiler.error().message;
  const std::vector<ShippedTile> tiles(std::begin(kTiles), std::end(kTiles));
  const std::string assembly = assembly_by(*compiler, tiles);
  for (const ShippedTile& t : tiles) {
    const auto loop = tuner::hot_loop(function_of(assembly, t));
    SCOPED_TRACE(instantiation(t));
    EXPECT_TRUE(loop) << (loop ? "" : loop.error().message);
    if (!loop) continue;
    SCOPED_TRACE(tuner::to_text(*loop));
    EXPECT_EQ(loop->multiply_adds, t.mr * t.nv * t.ku * t.products);
    EXPECT_EQ(loop->spills, 0);
    EXPECT_EQ(loop->stores, 0);
    EXPECT_GE(loop->prefetches, 1);
  }
}

// A step along K of one column is a load of B for all rows, and one multiply-add from memory for each of them; of
// several a load of each row and column, and a multiply-add for each pair of them.
TEST_P(Assembly, VectorsAlongKStayInRegisters) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "the tiles are for x86-64";
#endif
  const auto compiler = tuner::find_compiler(GetParam());
  if (!compiler) GTEST_SKIP() << compiler.error().message;
  const std::pair<gemwright::tile, int> tiles[] = {
      {{isa::avx512f, 8, 1, 2, 1, prefetch::none, true}, 16}, {{isa::avx512f, 16, 1, 1, 1, prefetch::none, true}, 16},
      {{isa::avx512f, 7, 1, 4, 4, prefetch::none, true}, 28}, {{isa::avx2, 14, 1, 1, 1, prefetch::none, true}, 14},
      {{isa::avx512f, 6, 4, 1, 1, prefetch::none, true}, 24}, {{isa::avx512f, 5, 5, 2, 1, prefetch::none, true}, 50},
      {{isa::avx512f, 8, 3, 2, 1, prefetch::none, true}, 48}, {{isa::avx512f, 8, 2, 2, 1, prefetch::none, true}, 32},
      {{isa::avx512f, 1, 5, 2, 2, prefetch::none, true}, 10}, {{isa::avx512f, 3, 4, 2, 1, prefetch::none, true}, 24},
      {{isa::avx512f, 4, 5, 2, 1, prefetch::none, true}, 40}, {{isa::avx2, 2, 4, 2, 1, prefetch::none, true}, 16},
      {{isa::avx2, 2, 3, 2, 2, prefetch::none, true}, 12},    {{isa::avx512f, 2, 4, 2, 2, prefetch::none, true}, 16},
      {{isa::avx2, 4, 3, 1, 1, prefetch::none, true}, 12},    {{isa::avx2, 6, 2, 2, 1, prefetch::none, true}, 24}};
  tuner::Problem problem;
  problem.chain = {tuner::EpilogueOp::bias, tuner::EpilogueOp::relu};
  for (const auto& [tile, products] : tiles) {
    tuner::Config config;
    config.tile = tile;
    const auto text = tuner::tile_assembly(*compiler, config, problem);
    ASSERT_TRUE(text) << text.error().message;
    const auto loop = tuner::hot_loop(*text);
    ASSERT_TRUE(loop) << loop.error().message;
    SCOPED_TRACE(tuner::tile_name(tile) + "\n" + tuner::to_text(*loop));
    EXPECT_EQ(loop->multiply_adds, products);
    EXPECT_EQ(loop->spills, 0);
    EXPECT_EQ(loop->stores, 0);
  }
}

// The reader does see a spill: a tile with more accumulators than registers has some.
TEST_P(Assembly, ATileThatIsTooLargeSpills) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "the tiles are for x86-64";
#endif
  const auto compiler = tuner::find_compiler(GetParam());
  if (!compiler) GTEST_SKIP() << compiler.error().message;
  const ShippedTile large{"avx512_vnni_dot", 20, 2, 1, "f32"};
  const auto loop = tuner::hot_loop(function_of(assembly_by(*compiler, {large}), large));
  ASSERT_TRUE(loop) << loop.error().message;
  EXPECT_GT(loop->spills, 0);
}

}  // namespace
}  // namespace gemwright::test
