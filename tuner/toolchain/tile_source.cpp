#include "tuner/toolchain/tile_source.h"

#include <fmt/format.h>

#include <string_view>

#include "tuner/problem/kernel_text.h"
#include "tuner/space/config.h"
#include "tuner/toolchain/kernel_source.h"
#include "tuner/toolchain/library_text.h"
#include "tuner/toolchain/tile_library.h"

namespace gemwright::tuner {
namespace {

// Defines kSet<rows, unroll, accumulators along K>, the table of functions of a tile.
std::string set_definition(const TileGroup& g, const std::vector<EpilogueOp>& chain) {
  const std::string tile = fmt::format("kernels::isa::{}, Rows, {}, Unroll, Along, kernels::prefetch::{}",
                                       gemwright::isa_name(g.family), g.nv, gemwright::prefetch_name(g.hint));
  constexpr std::string_view kHead = "template <int Rows, int Unroll, int Along>\nconstexpr kernel_set kSet = ";
  if (g.mode == ComputeMode::f32) {
    return fmt::format("using kernel_set = kernels::kernel_set;\n{}kernels::compiled_tile<{}, {}{}>();\n", kHead, tile,
                       kernel_chain(chain, "kernels"), kernel_columns(g.mode, g.along_k, g.panels));
  }
  return fmt::format(
      "using kernel_set = kernels::dot_kernel_set;\nconstexpr kernels::compute_mode kMode = "
      "kernels::compute_mode::{};\n"
      "{}kernels::compiled_dot_tile<kMode, {}, {}, {}{}>();\n",
      to_text(g.mode), kHead, tile, kernel_element(c_element(g.interface, chain), "kernels"),
      kernel_chain(chain, "kernels"), kernel_columns(g.mode, false, g.panels));
}

// What the kernels are told of the operands: the mode and the elements that are packed (dot_tile.h).
std::string packed_definitions(const TileGroup& g) {
  const auto bit = [](auto value) { return 1U << static_cast<unsigned>(value); };
  return fmt::format("#define GEMWRIGHT_PACKED_MODES {}\n#define GEMWRIGHT_PACKED_ELEMENTS {}\n", bit(g.mode),
                     bit(a_element(g.interface)) | bit(b_element(g.interface)));
}

}  // namespace

std::string tile_library_source(const TileGroup& g, const std::vector<EpilogueOp>& chain) {
  const bool f32 = g.mode == ComputeMode::f32;
  const std::string kernels = amalgamated_tiles(!f32);
  std::string sets, names;
  for (const gemwright::tile& t : tiles_of(g)) {
    sets += fmt::format("    &kSet<{}, {}, {}>,\n", t.mr, t.ku, t.ka);
    names += fmt::format("    \"{}\",\n", tile_name(t));
  }
  std::string out = (f32 ? "" : packed_definitions(g)) + hidden_from_here(kernels) + kernels + "\n";
  // The interface names them; the text has no more of them.
  if (f32) out += "namespace gemwright {\nstruct dot_kernel_set;\n}\n\n";
  out += "namespace gemwright_candidates {\nnamespace kernels = ::gemwright;\n\n" + set_definition(g, chain);
  out += fmt::format("constexpr const kernel_set* kSets[] = {{\n{}}};\nconstexpr const char* kNames[] = {{\n{}}};\n",
                     sets, names);
  out += "constexpr int kTileCount = static_cast<int>(sizeof(kSets) / sizeof(kSets[0]));\n";
  out += fmt::format("\n{}\n\nconstexpr TileLibraryApi kApi{{{}, \"{}\", {}, {}, kTileCount, kNames, {}}};\n\n",
                     struct_text("TileLibraryApi"), kLibraryVersion, source_digest(), static_cast<int>(g.mode),
                     static_cast<int>(c_element(g.interface, chain)), f32 ? "kSets, nullptr" : "nullptr, kSets");
  out += "}  // namespace gemwright_candidates\n";
  return out + visible_entry("gemwright_candidates::TileLibraryApi", kTileLibrarySymbol, "gemwright_candidates::kApi");
}

std::string tile_prefix() { return system_includes(amalgamated_tiles(true)); }

}  // namespace gemwright::tuner
