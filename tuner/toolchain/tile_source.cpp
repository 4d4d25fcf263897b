#include "tuner/toolchain/tile_source.h"

#include <fmt/format.h>

#include <string_view>

#include "tuner/space/config.h"
#include "tuner/toolchain/kernel_source.h"
#include "tuner/toolchain/library_text.h"
#include "tuner/toolchain/tile_library.h"

namespace gemwright::tuner {
namespace {

std::string chain_type(const std::vector<EpilogueOp>& chain) {
  std::string ops;
  for (const EpilogueOp op : chain)
    ops += fmt::format("{}kernels::epilogue_op::{}", ops.empty() ? "" : ", ", to_text(op));
  return fmt::format("kernels::chain<{}>", ops);
}

constexpr std::string_view kTileFunctions = R"cpp(
  constexpr int kTileCount = static_cast<int>(sizeof(kSets) / sizeof(kSets[0]));

  void* make_context(int threads, const kernels::scratch_size* scratch) {
    try {
      return new kernels::context(threads, *scratch);
    } catch (const std::exception&) {
      return nullptr;
    }
  }
  void free_context(void* context) { delete static_cast<kernels::context*>(context); }
  void park(void* context) { static_cast<kernels::context*>(context)->park(); }

  void* pack(const float* b, std::int64_t ldb, int col_major, std::int64_t n, std::int64_t k, std::int64_t batch,
             std::int64_t stride, int panel) {
    const kernels::layout order = col_major != 0 ? kernels::layout::col_major : kernels::layout::row_major;
    auto* const packed = new (std::nothrow)
        kernels::packed_weights(kernels::pack_weights(b, ldb, order, n, k, batch, stride, kernels::packing{panel}));
    if (packed != nullptr && packed->valid()) return packed;
    delete packed;
    return nullptr;
  }
  const float* packed_data(const void* packed) { return static_cast<const kernels::packed_weights*>(packed)->data(); }
  void free_packed(void* packed) { delete static_cast<kernels::packed_weights*>(packed); }

  void scratch(int tile, int panel, const kernels::blocking* block, std::int64_t n, std::int64_t k, std::int64_t batch,
               int b_packed, kernels::scratch_size* out) {
    *out = {};
    if (tile < 0 || tile >= kTileCount) return;
    *out = kernels::scratch_for(kSets[tile]->shape, kernels::packing{panel}, *block, n, k, batch, b_packed != 0);
  }

  int run(void* context, int tile, int panel, const kernels::blocking* block, const kernels::gemm_call* call) {
    if (tile < 0 || tile >= kTileCount) return static_cast<int>(kernels::status::bad_config);
    const kernels::plan p{kSets[tile], kernels::packing{panel}, *block};
    return static_cast<int>(kernels::run_gemm(*call, p, *static_cast<kernels::context*>(context)));
  }
)cpp";

}  // namespace

TileGroup group_of(const Problem& p, const Config& c) {
  const gemwright::tile& t = c.tile;
  TileGroup g{c.mode, c_element(p.interface), t.family, t.nv, t.ku, t.ka, t.hint, 0};
  for (const int rows : {8, 16, 30}) {
    g.rows = rows;
    if (t.mr <= rows) break;
  }
  const auto tiles = tiles_of(g);
  if (!tiles.empty()) g.rows = tiles.back().mr;
  return g;
}

std::vector<gemwright::tile> tiles_of(const TileGroup& g) {
  std::vector<gemwright::tile> tiles;
  for (int mr = 1; mr <= g.rows; ++mr) {
    const gemwright::tile t{g.family, mr, g.nv, g.ku, g.ka, g.hint};
    if (!violated(g.mode, t)) tiles.push_back(t);
  }
  return tiles;
}

std::string tile_library_source(const TileGroup& g, const std::vector<EpilogueOp>& chain) {
  const std::string kernels = amalgamated_kernels();
  std::string sets, names;
  for (const gemwright::tile& t : tiles_of(g)) {
    sets += fmt::format("    &kSet<{}>,\n", t.mr);
    names += fmt::format("    \"{}\",\n", tile_name(t));
  }
  std::string out = hidden_from_here(kernels) + kernels + "\n";
  out += fmt::format(
      "namespace gemwright_candidates {{\nnamespace kernels = ::gemwright;\nusing gemwright::scratch_size;\n\n"
      "template <int Rows>\nconstexpr kernels::kernel_set kSet =\n    kernels::compiled_tile<kernels::isa::{}, Rows, "
      "{}, {}, "
      "{}, kernels::prefetch::{}, {}>();\n"
      "constexpr const kernels::kernel_set* kSets[] = {{\n{}}};\nconstexpr const char* kNames[] = {{\n{}}};\n",
      gemwright::isa_name(g.family), g.nv, g.ku, g.ka, gemwright::prefetch_name(g.hint), chain_type(chain), sets,
      names);
  out += kTileFunctions;
  out += fmt::format(
      "\n{}\n\nconstexpr TileLibraryApi kApi{{{}, \"{}\", kTileCount, kNames, make_context, free_context, park,\n"
      "                              pack, packed_data, free_packed, scratch, run}};\n\n}}  // namespace "
      "gemwright_candidates\n",
      struct_text("TileLibraryApi"), kLibraryVersion, source_digest());
  return out + visible_entry("gemwright_candidates::TileLibraryApi", kTileLibrarySymbol, "gemwright_candidates::kApi");
}

}  // namespace gemwright::tuner
