#include "tuner/toolchain/header_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "tuner/problem/input_text.h"
#include "tuner/toolchain/library_text.h"
#include "tuner/toolchain/tile_library.h"

namespace gemwright::tuner {
namespace {

// A template, so that of `if constexpr` only the branch that fits the header is compiled; its functions are found by
// unqualified lookup, because a qualified name would have to exist.
constexpr std::string_view kHeaderFunctions = R"cpp(
  template <class Context>
  auto park_context(Context& c, int) -> decltype(c.park(), void()) {
    c.park();
  }
  template <class Context>
  void park_context(Context&, long) {}

  // Sets what the header's args have: what its chain reads and its integers mean.
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

  template <class Args>
  auto set_integers(Args& x, const ChainOperands& o, int) -> decltype(x.a_scale, void()) {
    x.a_scale = o.a_scale;
    x.a_zero = o.a_zero;
  }
  template <class Args>
  auto set_column_scales(Args& x, const ChainOperands& o, int) -> decltype(x.b_scale, void()) {
    x.b_scale = o.b_scale;
  }
  template <class Args>
  auto set_requant(Args& x, const ChainOperands& o, int) -> decltype(x.c_scale, void()) {
    x.c_scale = o.c_scale;
    x.c_zero = o.c_zero;
  }
  template <class Args>
  void set_integers(Args&, const ChainOperands&, long) {}
  template <class Args>
  void set_column_scales(Args&, const ChainOperands&, long) {}
  template <class Args>
  void set_requant(Args&, const ChainOperands&, long) {}

  template <class Args>
  Args args_of(const ChainOperands& chain, std::int64_t ldc) {
    Args x;
    x.bias = chain.bias;
    set_residual(x, chain, ldc, 0);
    set_operand(x, chain, ldc, 0);
    set_scale(x, chain, 0);
    set_clamp(x, chain, 0);
    set_integers(x, chain, 0);
    set_column_scales(x, chain, 0);
    set_requant(x, chain, 0);
    return x;
  }

  // Without args, as a user would call it, where the header has such a call.
  template <class Context, class A, class Weights, class C>
  auto run_alone(Context& ctx, std::int64_t m, const A* a, std::int64_t lda, const Weights& packed, C* c,
                 std::int64_t ldc, int) -> decltype(run(ctx, m, a, lda, packed, c, ldc)) {
    return run(ctx, m, a, lda, packed, c, ldc);
  }
  template <class Context, class A, class Weights, class C>
  auto run_alone(Context& ctx, std::int64_t m, const A* a, std::int64_t lda, const Weights& packed, C* c,
                 std::int64_t ldc, long) {
    return run(ctx, m, a, lda, packed, c, ldc, args{});
  }

  // Of the elements of the problem's interface.
  template <class A, class B, class C>
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

    static auto packed_by_header(const B* b, std::int64_t ldb, const float* b_scale) {
      if constexpr (std::is_same_v<B, std::int8_t>) {
        return pack_weights(b, ldb, b_scale);
      } else {
        (void)b_scale;
        return pack_weights(b, ldb);
      }
    }
    static void* pack(const void* b, std::int64_t ldb, const float* b_scale) {
      if constexpr (constant_weights) {
        using weights = decltype(packed_by_header(static_cast<const B*>(b), ldb, b_scale));
        auto* const packed = new (std::nothrow) weights(packed_by_header(static_cast<const B*>(b), ldb, b_scale));
        if (packed != nullptr && packed->valid()) return packed;
        delete packed;
      } else {
        (void)b;
        (void)ldb;
        (void)b_scale;
      }
      return nullptr;
    }
    static void free_packed(void* packed) {
      if constexpr (constant_weights) {
        delete static_cast<decltype(packed_by_header(nullptr, 0, nullptr))*>(packed);
      } else {
        (void)packed;
      }
    }

    static int run_header(void* context, std::int64_t m, const void* a, std::int64_t lda, const void* packed,
                          const void* b, std::int64_t ldb, void* c, std::int64_t ldc, const ChainOperands* chain) {
      auto& ctx = *static_cast<header_context*>(context);
      const auto* const a_elements = static_cast<const A*>(a);
      auto* const c_elements = static_cast<C*>(c);
      if constexpr (constant_weights) {
        (void)b;
        (void)ldb;
        using weights = decltype(packed_by_header(nullptr, 0, nullptr));
        const auto& w = *static_cast<const weights*>(packed);
        if (chain == nullptr) return static_cast<int>(run_alone(ctx, m, a_elements, lda, w, c_elements, ldc, 0));
        return static_cast<int>(run(ctx, m, a_elements, lda, w, c_elements, ldc, args_of<args>(*chain, ldc)));
      } else {
        (void)packed;
        return static_cast<int>(run(ctx, m, a_elements, lda, static_cast<const B*>(b), ldb, c_elements, ldc,
                                    chain == nullptr ? args{} : args_of<args>(*chain, ldc)));
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

Result<std::string> header_library_source(const std::string& header_text, const std::string& run_namespace) {
  const auto root = root_namespace(run_namespace);
  if (!root) return fail(fmt::format("{} is not a C++ namespace: identifiers joined by ::", quote(run_namespace)));
  std::string out = "#include <exception>\n#include <memory>\n#include <new>\n" + hidden_from_here(header_text);
  out += fmt::format("#line 1 \"exported header\"\n{}\n#line 1 \"wrapper\"\n", header_text);
  out += fmt::format("namespace gemwright_wrapper {{\nusing namespace ::{};\nusing header_context = ::{}::context;\n",
                     run_namespace, *root);
  out += fmt::format("{}\n", struct_text("ChainOperands"));
  out += kHeaderFunctions;
  out += fmt::format(
      "\n{}\n\nusing all = functions<a_type, b_type, c_type>;\nconstexpr HeaderLibraryApi kApi{{{}, all::make_context, "
      "all::free_context, "
      "all::park, all::pack,\n                                all::free_packed, all::run_header}};\n\n}}  // namespace "
      "gemwright_wrapper\n",
      struct_text("HeaderLibraryApi"), kLibraryVersion);
  return out + visible_entry("gemwright_wrapper::HeaderLibraryApi", kHeaderLibrarySymbol, "gemwright_wrapper::kApi");
}

}  // namespace gemwright::tuner
