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
)cpp";

constexpr std::string_view kF32Functions = R"cpp(
  void* pack(const float* b, std::int64_t ldb, int col_major, std::int64_t n, std::int64_t k, std::int64_t batch,
             std::int64_t stride, const kernels::packing* format) {
    const kernels::layout order = col_major != 0 ? kernels::layout::col_major : kernels::layout::row_major;
    auto* const packed =
        new (std::nothrow) kernels::packed_weights(kernels::pack_weights(b, ldb, order, n, k, batch, stride, *format));
    if (packed != nullptr && packed->valid()) return packed;
    delete packed;
    return nullptr;
  }
  const float* packed_data(const void* packed) { return static_cast<const kernels::packed_weights*>(packed)->data(); }
  void free_packed(void* packed) { delete static_cast<kernels::packed_weights*>(packed); }

  void scratch(int tile, const kernels::packing* format, const kernels::blocking* block, std::int64_t n, std::int64_t k,
               std::int64_t batch, int b_packed, kernels::scratch_size* out) {
    *out = {};
    if (tile < 0 || tile >= kTileCount) return;
    *out = kernels::scratch_for(kernels::plan{kSets[tile], *format, *block}, n, k, batch, b_packed != 0);
  }

  int run(void* context, int tile, const kernels::packing* format, const kernels::blocking* block,
          const kernels::gemm_call* call) {
    if (tile < 0 || tile >= kTileCount) return static_cast<int>(kernels::status::bad_config);
    const kernels::plan p{kSets[tile], *format, *block};
    return static_cast<int>(kernels::run_gemm(*call, p, *static_cast<kernels::context*>(context)));
  }
)cpp";

constexpr std::string_view kDotFunctions = R"cpp(
  void* owned(kernels::packed_dot_weights&& made) {
    auto* const packed = new (std::nothrow) kernels::packed_dot_weights(std::move(made));
    if (packed != nullptr && packed->valid()) return packed;
    delete packed;
    return nullptr;
  }
  void* pack_dot(const kernels::dot_weights_source* b, std::int64_t n, std::int64_t k, std::int64_t batch,
                 const kernels::packing* format) {
    return owned(kernels::pack_dot_weights(kMode, *b, n, k, batch, *format));
  }
  void* copy_packed(const void* packed) {
    return owned(kernels::copy_weights(*static_cast<const kernels::packed_dot_weights*>(packed)));
  }
  void free_packed(void* packed) { delete static_cast<kernels::packed_dot_weights*>(packed); }

  void scratch(int tile, const kernels::packing* format, const kernels::blocking* block, std::int64_t n, std::int64_t k,
               std::int64_t batch, int b_packed, kernels::scratch_size* out) {
    *out = {};
    if (tile < 0 || tile >= kTileCount || format->panel < 1) return;
    const kernels::dot_plan p{kSets[tile], *format, *block};
    *out = kernels::scratch_for(p, n, k, batch, b_packed != 0);
  }

  int run_dot(void* context, int tile, const kernels::packing* format, const kernels::blocking* block,
              const kernels::dot_call* call) {
    if (tile < 0 || tile >= kTileCount) return static_cast<int>(kernels::status::bad_config);
    const kernels::dot_plan p{kSets[tile], *format, *block};
    return static_cast<int>(kernels::run_dot(*call, p, *static_cast<kernels::context*>(context)));
  }
)cpp";

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
  const std::string kernels = amalgamated_kernels(f32, !f32);
  std::string sets, names;
  for (const gemwright::tile& t : tiles_of(g)) {
    sets += fmt::format("    &kSet<{}, {}, {}>,\n", t.mr, t.ku, t.ka);
    names += fmt::format("    \"{}\",\n", tile_name(t));
  }
  std::string out = (f32 ? "" : packed_definitions(g)) + hidden_from_here(kernels) + kernels + "\n";
  // The interface names them; the text has no more of them.
  if (f32) out += "namespace gemwright {\nstruct dot_call;\nstruct dot_weights_source;\n}\n\n";
  out += "namespace gemwright_candidates {\nnamespace kernels = ::gemwright;\n\n" + set_definition(g, chain);
  out += fmt::format("constexpr const kernel_set* kSets[] = {{\n{}}};\nconstexpr const char* kNames[] = {{\n{}}};\n",
                     sets, names);
  out += kTileFunctions;
  out += f32 ? kF32Functions : kDotFunctions;
  out += fmt::format(
      "\n{}\n\nconstexpr TileLibraryApi kApi{{{}, \"{}\", {}, {}, kTileCount, kNames, make_context, free_context,\n"
      "                              park, free_packed, scratch, {}}};\n\n}}  // namespace gemwright_candidates\n",
      struct_text("TileLibraryApi"), kLibraryVersion, source_digest(), static_cast<int>(g.mode),
      static_cast<int>(c_element(g.interface, chain)),
      f32 ? "pack, packed_data, run, nullptr, nullptr, nullptr"
          : "nullptr, nullptr, nullptr, pack_dot, copy_packed, run_dot");
  return out + visible_entry("gemwright_candidates::TileLibraryApi", kTileLibrarySymbol, "gemwright_candidates::kApi");
}

}  // namespace gemwright::tuner
