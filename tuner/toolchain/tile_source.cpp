#include "tuner/toolchain/tile_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "interface_text.h"
#include "tuner/problem/input_text.h"
#include "tuner/space/config.h"
#include "tuner/toolchain/kernel_source.h"
#include "tuner/toolchain/tile_library.h"

namespace gemwright::tuner {
namespace {

// The definition of one struct of tile_library.h.
std::string_view struct_text(std::string_view name) {
  const std::string_view all = kInterfaceText;
  const auto begin = all.find(fmt::format("struct {} {{", name));
  return all.substr(begin, all.find("};", begin) + 2 - begin);
}

// The system headers that a text includes, and after them hidden visibility. Two libraries of one process would
// otherwise share the inline variables of templates that both instantiate, and a candidate would run another one's
// code.
std::string hidden_from_here(std::string_view text) {
  std::set<std::string_view> seen;
  std::string out;
  for (std::string_view line : split(text, '\n')) {
    line = trimmed(line);
    if (line.substr(0, 10) != "#include <" || line.substr(0, 20) == "#include <gemwright/") continue;
    const std::string_view file = line.substr(9, line.find('>') + 1 - 9);
    if (!seen.insert(file).second) continue;
    out += fmt::format("#if __has_include({0})\n#include {0}\n#endif\n", file);
  }
  return out + "#include <exception>\n#include <memory>\n#include <new>\n#pragma GCC visibility push(hidden)\n";
}

std::string visible_entry(std::string_view api, std::string_view symbol, std::string_view table) {
  return fmt::format(
      "#pragma GCC visibility pop\n"
      "extern \"C\" __attribute__((visibility(\"default\"))) const {}* {}() {{ return &{}; }}\n",
      api, symbol, table);
}

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
)cpp";

constexpr std::string_view kF32Functions = R"cpp(
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

constexpr std::string_view kDotFunctions = R"cpp(
  void* owned(kernels::packed_dot_weights&& made) {
    auto* const packed = new (std::nothrow) kernels::packed_dot_weights(std::move(made));
    if (packed != nullptr && packed->valid()) return packed;
    delete packed;
    return nullptr;
  }
  void* pack_dot(const kernels::dot_weights_source* b, std::int64_t n, std::int64_t k, std::int64_t batch, int panel) {
    return owned(kernels::pack_dot_weights(kMode, *b, n, k, batch, kernels::packing{panel}));
  }
  void* copy_packed(const void* packed) {
    return owned(kernels::copy_weights(*static_cast<const kernels::packed_dot_weights*>(packed)));
  }
  void free_packed(void* packed) { delete static_cast<kernels::packed_dot_weights*>(packed); }

  void scratch(int tile, int panel, const kernels::blocking* block, std::int64_t n, std::int64_t k, std::int64_t batch,
               int b_packed, kernels::scratch_size* out) {
    *out = {};
    if (tile < 0 || tile >= kTileCount || panel < 1) return;
    const kernels::dot_plan p{kSets[tile], kernels::packing{panel}, *block};
    *out = kernels::scratch_for(p, n, k, batch, b_packed != 0);
  }

  int run_dot(void* context, int tile, int panel, const kernels::blocking* block, const kernels::dot_call* call) {
    if (tile < 0 || tile >= kTileCount) return static_cast<int>(kernels::status::bad_config);
    const kernels::dot_plan p{kSets[tile], kernels::packing{panel}, *block};
    return static_cast<int>(kernels::run_dot(*call, p, *static_cast<kernels::context*>(context)));
  }
)cpp";

// A template, so that of `if constexpr` only the branch that fits the header is compiled; its functions are found by
// unqualified lookup, because a qualified name would have to exist.
constexpr std::string_view kHeaderFunctions = R"cpp(
  template <class Context>
  auto park_context(Context& c, int) -> decltype(c.park(), void()) {
    c.park();
  }
  template <class Context>
  void park_context(Context&, long) {}

  // Sets what the header's args have: those that its chain reads.
  template <class Args>
  auto set_residual(Args& x, const ChainOperands& o, std::int64_t ld, int) -> decltype(x.residual, void()) {
    x.residual = o.residual;
    x.ld_residual = ld;
  }
  template <class Args>
  auto set_operand(Args& x, const ChainOperands& o, std::int64_t ld, int) -> decltype(x.operand, void()) {
    x.operand = o.operand;
    x.ld_operand = ld;
  }
  template <class Args>
  auto set_scale(Args& x, const ChainOperands& o, int) -> decltype(x.scale, void()) {
    x.scale = o.scale;
  }
  template <class Args>
  auto set_clamp(Args& x, const ChainOperands& o, int) -> decltype(x.clamp_lo, void()) {
    x.clamp_lo = o.clamp_lo;
    x.clamp_hi = o.clamp_hi;
  }
  template <class Args>
  void set_residual(Args&, const ChainOperands&, std::int64_t, long) {}
  template <class Args>
  void set_operand(Args&, const ChainOperands&, std::int64_t, long) {}
  template <class Args>
  void set_scale(Args&, const ChainOperands&, long) {}
  template <class Args>
  void set_clamp(Args&, const ChainOperands&, long) {}

  template <class Float>
  struct functions {
    static void* make_context(int threads) {
      try {
        return new header_context(threads);
      } catch (const std::exception&) {
        return nullptr;
      }
    }
    static void free_context(void* context) { delete static_cast<header_context*>(context); }
    static void park(void* context) { park_context(*static_cast<header_context*>(context), 0); }

    static void* pack(const Float* b, std::int64_t ldb) {
      if constexpr (constant_weights) {
        using weights = decltype(pack_weights(b, ldb));
        auto* const packed = new (std::nothrow) weights(pack_weights(b, ldb));
        if (packed != nullptr && packed->valid()) return packed;
        delete packed;
      } else {
        (void)b;
        (void)ldb;
      }
      return nullptr;
    }
    static void free_packed(void* packed) {
      if constexpr (constant_weights) {
        delete static_cast<decltype(pack_weights(static_cast<const Float*>(nullptr), std::int64_t{}))*>(packed);
      } else {
        (void)packed;
      }
    }

    static int run_header(void* context, std::int64_t m, const Float* a, std::int64_t lda, const void* packed,
                          const Float* b, std::int64_t ldb, Float* c, std::int64_t ldc, const ChainOperands* chain) {
      auto& ctx = *static_cast<header_context*>(context);
      args x;
      x.bias = chain->bias;
      set_residual(x, *chain, ldc, 0);
      set_operand(x, *chain, ldc, 0);
      set_scale(x, *chain, 0);
      set_clamp(x, *chain, 0);
      if constexpr (constant_weights) {
        using weights = decltype(pack_weights(b, ldb));
        return static_cast<int>(run(ctx, m, a, lda, *static_cast<const weights*>(packed), c, ldc, x));
      } else {
        (void)packed;
        return static_cast<int>(run(ctx, m, a, lda, b, ldb, c, ldc, x));
      }
    }
  };
)cpp";

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || digit(c); });
}

// Of "a::b::c" the part "a::b", where the header's context is; of "a" itself. Nothing where the text is something else.
std::optional<std::string_view> root_namespace(std::string_view text) {
  constexpr std::size_t kLongest = 512;
  if (text.size() > kLongest) return std::nullopt;
  const std::string_view root = text.substr(0, text.rfind("::"));
  for (;;) {
    const auto end = text.find("::");
    if (!is_identifier(text.substr(0, end))) return std::nullopt;
    if (end == std::string_view::npos) return root;
    text.remove_prefix(end + 2);
  }
}

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

namespace {

std::string_view element_name(gemwright::element e) {
  using gemwright::element;
  return e == element::f32 ? "f32" : e == element::bf16 ? "bf16" : e == element::u8 ? "u8" : "s8";
}

// Defines kSet<rows>, the table of functions of a tile.
std::string set_definition(const TileGroup& g, const std::vector<EpilogueOp>& chain) {
  const std::string tile =
      fmt::format("kernels::isa::{}, Rows, {}, {}, {}, kernels::prefetch::{}", gemwright::isa_name(g.family), g.nv,
                  g.ku, g.ka, gemwright::prefetch_name(g.hint));
  if (g.mode == ComputeMode::f32) {
    return fmt::format(
        "using kernel_set = kernels::kernel_set;\ntemplate <int Rows>\nconstexpr kernel_set kSet = "
        "kernels::compiled_tile<{}, {}>();\n",
        tile, chain_type(chain));
  }
  return fmt::format(
      "using kernel_set = kernels::dot_kernel_set;\nconstexpr kernels::compute_mode kMode = "
      "kernels::compute_mode::{};\n"
      "template <int Rows>\nconstexpr kernel_set kSet = "
      "kernels::compiled_dot_tile<kMode, {}, kernels::element::{}, {}>();\n",
      to_text(g.mode), tile, element_name(g.c), chain_type(chain));
}

}  // namespace

std::string tile_library_source(const TileGroup& g, const std::vector<EpilogueOp>& chain) {
  const bool f32 = g.mode == ComputeMode::f32;
  const std::string kernels = amalgamated_kernels(f32 ? "gemwright/gemm.h" : "gemwright/dot.h");
  std::string sets, names;
  for (const gemwright::tile& t : tiles_of(g)) {
    sets += fmt::format("    &kSet<{}>,\n", t.mr);
    names += fmt::format("    \"{}\",\n", tile_name(t));
  }
  std::string out = hidden_from_here(kernels) + kernels + "\n";
  // The interface names them; tiles of f32 do without the rest of dot.h, which takes a second to compile.
  if (f32) out += "namespace gemwright {\nstruct dot_call;\nstruct dot_weights_source;\n}\n\n";
  out += "namespace gemwright_candidates {\nnamespace kernels = ::gemwright;\n\n" + set_definition(g, chain);
  out += fmt::format("constexpr const kernel_set* kSets[] = {{\n{}}};\nconstexpr const char* kNames[] = {{\n{}}};\n",
                     sets, names);
  out += kTileFunctions;
  out += f32 ? kF32Functions : kDotFunctions;
  out += fmt::format(
      "\n{}\n\nconstexpr TileLibraryApi kApi{{{}, \"{}\", {}, {}, kTileCount, kNames, make_context, free_context,\n"
      "                              park, free_packed, scratch, {}}};\n\n}}  // namespace gemwright_candidates\n",
      struct_text("TileLibraryApi"), kLibraryVersion, source_digest(), static_cast<int>(g.mode), static_cast<int>(g.c),
      f32 ? "pack, packed_data, run, nullptr, nullptr, nullptr"
          : "nullptr, nullptr, nullptr, pack_dot, copy_packed, run_dot");
  return out + visible_entry("gemwright_candidates::TileLibraryApi", kTileLibrarySymbol, "gemwright_candidates::kApi");
}

Result<std::string> header_library_source(const std::string& header_text, const std::string& run_namespace) {
  const auto root = root_namespace(run_namespace);
  if (!root) return fail(fmt::format("{} is not a C++ namespace: identifiers joined by ::", quote(run_namespace)));
  std::string out = hidden_from_here(header_text);
  out += fmt::format("#line 1 \"exported header\"\n{}\n#line 1 \"wrapper\"\n", header_text);
  out += fmt::format("namespace gemwright_wrapper {{\nusing namespace ::{};\nusing header_context = ::{}::context;\n",
                     run_namespace, *root);
  out += fmt::format("{}\n", struct_text("ChainOperands"));
  out += kHeaderFunctions;
  out += fmt::format(
      "\n{}\n\nusing all = functions<float>;\nconstexpr HeaderLibraryApi kApi{{{}, all::make_context, "
      "all::free_context, "
      "all::park, all::pack,\n                                all::free_packed, all::run_header}};\n\n}}  // namespace "
      "gemwright_wrapper\n",
      struct_text("HeaderLibraryApi"), kLibraryVersion);
  return out + visible_entry("gemwright_wrapper::HeaderLibraryApi", kHeaderLibrarySymbol, "gemwright_wrapper::kApi");
}

}  // namespace gemwright::tuner
