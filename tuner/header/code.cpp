#include "tuner/header/code.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tuner/header/compiler.h"
#include "tuner/header/provenance.h"
#include "tuner/header/text.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

// The portable fallback: small blocks that fit any cache. Its speed was not tuned.
constexpr const char* kFallbackBlocking = "64, 128, 256, kernels::loop_order::nkm, true, false";

std::string macro_suffix(const std::string& name_space) {
  std::string out;
  for (const char c : name_space) {
    if (c != ':' || out.empty() || out.back() != '_') out += c == ':' ? '_' : c;
  }
  return out;
}

const char* layout_name(layout l) { return l == layout::row_major ? "layout::row_major" : "layout::col_major"; }
const char* bool_name(bool b) { return b ? "true" : "false"; }

template <class T>
std::string optional_integer(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "std::nullopt";
}
std::string optional_double(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? double_literal(*value) : "std::nullopt";
}

std::string requirements() {
  return R"code(#if !defined(__GNUC__) || !defined(__cplusplus) || __cplusplus < 201703L
#error "this header needs g++ 11 or clang++ 14 or newer, and C++17 (-std=c++17)"
#endif
#if defined(__clang__)
static_assert(__clang_major__ >= 14, "this header needs clang++ 14 or newer");
#else
static_assert(__GNUC__ >= 11, "this header needs g++ 11 or newer");
#endif

#include <cstdint>
#include <optional>
#include <utility>

)code";
}

std::string kernels_part(const HeaderSpec& spec) {
  if (spec.style == HeaderStyle::standalone) return amalgamated_kernels() + "\n";
  return fmt::format(
      R"code(#include <gemwright/version.h>
#if GEMWRIGHT_KERNELS_DIGEST != 0x{}ULL
#error "the installed gemwright kernels are not those this header was tuned with: install those or export again"
#endif
#include <gemwright/dispatch.h>

)code",
      source_digest());
}

std::string kernels_namespace(const HeaderSpec& spec) {
  return spec.style == HeaderStyle::standalone ? "abi_" + source_digest() : "GEMWRIGHT_KERNELS_NAMESPACE";
}

// The part of the root namespace before the problems. `scratch_bound` is defined after them.
std::string opening(const HeaderSpec& spec, const std::string& id) {
  return fmt::format(R"code(#if defined(GEMWRIGHT_TUNED_IN_{0})
#error "two tuned headers share the namespace {1}: export one of them with another --namespace"
#endif
#define GEMWRIGHT_TUNED_IN_{0}

namespace {1} {{
// The inner namespace keeps headers of one name and different contents apart when files are linked into one program.
inline namespace export_{2} {{

namespace kernels = ::gemwright::{3};
using kernels::executor;
using kernels::layout;
using kernels::packed_weights;
using kernels::status;
using kernels::status_text;

namespace provenance {{
inline constexpr const char* tool_version = {4};
inline constexpr const char* date = {5};
inline constexpr const char* device = {6};
inline constexpr const char* device_fingerprint = {7};
inline constexpr const char* kernels_digest = "{8}";
inline constexpr double max_regret = {9};
}}  // namespace provenance

)code",
                     macro_suffix(spec.name_space), spec.name_space, id, kernels_namespace(spec),
                     string_literal(spec.tool_version), string_literal(spec.date), string_literal(spec.device.name),
                     string_literal(spec.device.fingerprint), source_digest(), double_literal(spec.max_regret));
}

std::string context_class() {
  return R"code(// What was measured for one tuned m and thread count; std::nullopt is what was not. `ratio` is speed
// over the baseline (above 1 is faster) with its 95 % interval, `regret` how much longer than the best it takes.
struct measured_choice {
  std::int64_t m;
  int threads;
  std::int64_t study;
  std::optional<std::int64_t> trial;
  bool confirmed;
  std::optional<double> ns_per_call, gflops, error, ratio, ratio_lo, ratio_hi, regret;
};

constexpr kernels::scratch_size scratch_bound();

// Threads and scratch memory for every problem of this header. One context serves one call at a time.
class context {
 public:
  // A pool of `threads` threads, the calling one among them; with 1, no other thread.
  explicit context(int threads = 1) : impl_(threads, scratch_bound()) {}
  // The caller's executor: { self, threads, run }.
  explicit context(const executor& e) : impl_(e, scratch_bound()) {}

  // As on a CPU without vector instructions: runs the portable fallback, to compare with.
  static context portable(int threads = 1) {
    return context(kernels::context(threads, scratch_bound(), kernels::isa::scalar));
  }
  static context portable(const executor& e) {
    return context(kernels::context(e, scratch_bound(), kernels::isa::scalar));
  }

  int threads() const { return impl_.threads(); }
  bool ready() const { return impl_.ready(); }  // false: no memory; run then returns status::no_memory
  void park() { impl_.park(); }                 // the pool's threads sleep until the next call
  kernels::context& implementation() { return impl_; }

 private:
  explicit context(kernels::context&& impl) : impl_(std::move(impl)) {}
  kernels::context impl_;
};

)code";
}

std::string chain_type(const Problem& p) {
  std::string ops;
  for (const EpilogueOp op : p.chain) {
    ops += fmt::format("{}kernels::epilogue_op::{}", ops.empty() ? "" : ", ", to_text(op));
  }
  return fmt::format("kernels::chain<{}>", ops);
}

const char* reads(const Problem& p, EpilogueOp op) { return bool_name(has_op(p, op)); }

// kernels::chain_reads.
std::string reads_code(const Problem& p) {
  return fmt::format("{{{}, {}, {}, {}, {}}}", reads(p, EpilogueOp::bias), reads(p, EpilogueOp::add),
                     reads(p, EpilogueOp::mul), reads(p, EpilogueOp::scale), reads(p, EpilogueOp::clamp));
}

// The chain's operands as members of `args`: bias always, so that a caller may set it without knowing, the others where
// the chain reads them.
std::string chain_members(const Problem& p) {
  std::string out = "  const float* bias = nullptr;  // n elements; given exactly when has_bias\n";
  if (has_op(p, EpilogueOp::add)) {
    out +=
        "  const float* residual = nullptr;  // add: m x n, must not overlap c\n  std::int64_t ld_residual = 0;      "
        "// "
        "at least n\n";
  }
  if (has_op(p, EpilogueOp::mul)) {
    out +=
        "  const float* operand = nullptr;  // mul: m x n, must not overlap c\n  std::int64_t ld_operand = 0;      // "
        "at "
        "least n\n";
  }
  if (has_op(p, EpilogueOp::scale)) out += "  std::optional<float> scale;  // must be given\n";
  if (has_op(p, EpilogueOp::clamp)) out += "  std::optional<float> clamp_lo, clamp_hi;  // must be given, lo <= hi\n";
  return out;
}

std::string stride_members(const Problem& p) {
  std::string out = "stride_a, stride_b, stride_c";
  if (has_op(p, EpilogueOp::add)) out += ", stride_residual";
  if (has_op(p, EpilogueOp::mul)) out += ", stride_operand";
  return out;
}

// kernels::call_operands, from `args x`.
std::string operands_code(const Problem& p) {
  const bool add = has_op(p, EpilogueOp::add), mul = has_op(p, EpilogueOp::mul);
  const bool clamp = has_op(p, EpilogueOp::clamp);
  return fmt::format("{{x.bias, {}, {}, {}, {}, x.beta, x.stride_a, x.stride_b, x.stride_c, {}, {}}}",
                     add ? "x.residual, x.ld_residual" : "nullptr, 0", mul ? "x.operand, x.ld_operand" : "nullptr, 0",
                     has_op(p, EpilogueOp::scale) ? "x.scale" : "std::nullopt",
                     clamp ? "x.clamp_lo, x.clamp_hi" : "std::nullopt, std::nullopt",
                     add ? "x.stride_residual" : "std::nullopt", mul ? "x.stride_operand" : "std::nullopt");
}

std::string tile_variable(const gemwright::tile& t) { return "tile_" + tile_name(t); }

std::string tile_code(const gemwright::tile& t, const Problem& p) {
  return fmt::format(
      "inline constexpr kernels::kernel_set {} =\n    kernels::compiled_tile<kernels::isa::{}, {}, {}, {}, {}, "
      "kernels::prefetch::{}, {}>();\n",
      tile_variable(t), gemwright::isa_name(t.family), t.mr, t.nv, t.ku, t.ka, gemwright::prefetch_name(t.hint),
      chain_type(p));
}

std::string plan_code(std::size_t i, const Config& c) {
  const auto& b = c.blocking;
  return fmt::format(
      "inline constexpr kernels::plan plan_{}{{\n    &{}, shape.format,\n    {{{}, {}, {}, kernels::loop_order::{}, "
      "{}, {}, "
      "{}, {}, {}, {}}}}};\n",
      i, tile_variable(c.tile), b.mc, b.nc, b.kc, gemwright::loop_order_name(b.order), bool_name(b.rows_inside),
      bool_name(b.pack_a), b.tm, b.tn, b.tk, b.prefetch_rows);
}

// Portable code on the packing format of the table, one column slice a thread.
std::string fallback_code(const HeaderTable& t, const Problem& p) {
  const int nv = t.format.panel % 4 == 0 ? 4 : t.format.panel % 2 == 0 ? 2 : 1;
  std::string out = fmt::format(
      "inline constexpr kernels::kernel_set portable_tile =\n    kernels::compiled_tile<kernels::isa::scalar, 4, {}, "
      "1, 1, "
      "kernels::prefetch::none, {}>();\n",
      nv, chain_type(p));
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format(
        "inline constexpr kernels::plan portable_{}{{&portable_tile, shape.format, {{{}, 1, {}, 1, 0}}}};\n", g.threads,
        kFallbackBlocking, g.threads);
  }
  return out;
}

std::string tuned_ranges(const HeaderTable& t, const Problem& p) {
  std::string out;
  std::vector<gemwright::tile> tiles;
  for (const Config& c : t.configs) {
    if (std::find(tiles.begin(), tiles.end(), c.tile) != tiles.end()) continue;
    tiles.push_back(c.tile);
    out += tile_code(c.tile, p);
  }
  for (std::size_t i = 0; i < t.configs.size(); ++i) out += plan_code(i, t.configs[i]);
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format("inline constexpr kernels::m_range ranges_{}[] = {{", g.threads);
    for (std::size_t i = 0; i < g.ranges.size(); ++i) {
      out += fmt::format("{}{{{}, &plan_{}}}", i == 0 ? "" : ", ", g.ranges[i].max_m, g.ranges[i].config);
    }
    out += "};\n";
  }
  return out;
}

std::string portable_ranges(const HeaderTable& t) {
  std::string out;
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format("inline constexpr kernels::m_range ranges_{0}[] = {{{{{1}, &portable_{0}}}}};\n", g.threads,
                       g.ranges.back().max_m);
  }
  return out;
}

std::string groups_code(const HeaderTable& t) {
  std::string out = "inline constexpr kernels::thread_group groups[] = {\n";
  for (const DispatchGroup& g : t.groups) {
    out += fmt::format(
        "    {{{0}, ranges_{0}, static_cast<int>(sizeof(ranges_{0}) / sizeof(ranges_{0}[0])), &portable_{0}}},\n",
        g.threads);
  }
  return out + "};\ninline constexpr kernels::dispatch_table table{&shape, groups, " +
         fmt::format("{}", t.groups.size()) + "};\n";
}

std::string choices_code(const HeaderTable& t) {
  if (t.choices.empty()) return "";
  std::string out = "inline constexpr measured_choice choices[] = {\n";
  for (const HeaderChoice& c : t.choices) {
    out += fmt::format("    {{{}, {}, {}, {}, {},\n     {}, {}, {}, {}, {}, {}, {}}},\n", c.m, c.threads, c.study,
                       optional_integer(c.trial), bool_name(c.confirmed), optional_double(c.ns_per_call),
                       optional_double(c.gflops), optional_double(c.error), optional_double(c.ratio),
                       optional_double(c.ratio_lo), optional_double(c.ratio_hi), optional_double(c.regret));
  }
  return out + "};\n";
}

std::string tuned_flag(const CompilerId& id) {
  if (!id.major) return "inline constexpr bool tuned_for_this_compiler = false;  // its version is not known\n";
  const bool clang = id.family == CompilerFamily::clang;
  return fmt::format(
      "#if {}defined(__clang__) && {} == {}\ninline constexpr bool tuned_for_this_compiler = true;\n#else\n"
      "inline constexpr bool tuned_for_this_compiler = false;\n#endif\n",
      clang ? "" : "!", clang ? "__clang_major__" : "__GNUC__", *id.major);
}

std::string table_code(const HeaderTable& t, const Problem& p) {
  std::string out = table_comment(t) + tuned_flag(compiler_id(t.build));
  out += fmt::format("inline constexpr const char* compiler = {};\ninline constexpr const char* compiler_flags = {};\n",
                     string_literal(t.build.compiler_version), string_literal(t.build.flags));
  out += fmt::format("inline constexpr const char* baseline = {};{}\n", string_literal(t.baseline),
                     t.baseline.empty() ? "  // none" : "");
  out += choices_code(t);
  out += fmt::format("inline constexpr kernels::problem_shape shape{{{}, {}, {}, {}, {}, {}, {}, {{{}}}}};\n", p.n, p.k,
                     p.batch, layout_name(p.a_layout), layout_name(p.b_layout), bool_name(p.constant_weights),
                     reads_code(p), t.format.panel);
  out += fallback_code(t, p);
  out += "#if defined(__x86_64__)\n" + tuned_ranges(t, p) + "#else\n" + portable_ranges(t) + "#endif\n";
  return out + groups_code(t);
}

// Each compiler uses its own table; one that was not tuned uses the other's.
std::string tables_code(const HeaderProblem& p) {
  if (p.tables.size() == 1) return table_code(p.tables[0], p.problem);
  const bool first = compiler_id(p.tables[0].build).family == CompilerFamily::clang;
  return "#if defined(__clang__)\n" + table_code(p.tables[first ? 0 : 1], p.problem) + "#else\n" +
         table_code(p.tables[first ? 1 : 0], p.problem) + "#endif\n";
}

std::int64_t max_tuned_m(const HeaderProblem& p) {
  std::int64_t most = 0;
  for (const HeaderTable& t : p.tables) {
    for (const DispatchGroup& g : t.groups) most = std::max(most, g.ranges.back().max_m);
  }
  return most;
}

std::string calls_code(const Problem& p) {
  std::string out = fmt::format(R"code(
// The operands beside A, B and C. Strides count elements between the items of a batch; without one, an item lies
// directly behind the one before it. stride_b is for weights given per call only.
struct args {{
{}  int beta = {};  // 1 adds to C, 0 overwrites it
  std::optional<std::int64_t> {};
}};

)code",
                                chain_members(p), p.beta, stride_members(p));
  if (p.constant_weights) {
    out += fmt::format(
        R"code(// Packs constant weights, once: row_major is K x N, col_major its transpose; `stride` as in args.
// The result owns its memory. Check weights.state().
inline packed_weights pack_weights(const float* w, std::int64_t ldw, layout order = {},
                                   std::optional<std::int64_t> stride = std::nullopt) {{
  return kernels::pack_weights(shape, w, ldw, order, stride);
}}

)code",
        layout_name(p.b_layout));
  }
  const char* const b = p.constant_weights ? "const packed_weights& weights" : "const float* b, std::int64_t ldb";
  const char* const passed = p.constant_weights ? "&weights, nullptr, 0" : "nullptr, b, ldb";
  out += fmt::format(
      R"code(// C[m,n] = chain(A[m,k] * B[k,n] + beta * C), the chain being {}, for any m >= 0, as was tuned for the next m at or above.
inline status run(context& ctx, std::int64_t m, const float* a, std::int64_t lda, {},
                  float* c, std::int64_t ldc, const args& x = args{{}}) {{
  return kernels::run_table(table, ctx.implementation(), m, a, lda, {}, c, ldc,
                            {});
}}
)code",
      epilogue_text(p.chain), b, passed, operands_code(p));
  return out;
}

std::string problem_code(const HeaderProblem& p, const std::string& name) {
  const Problem& q = p.problem;
  std::string out = fmt::format("// ---- {}\nnamespace {} {{\n\n", key(q), name);
  out += fmt::format(R"code(inline constexpr std::int64_t n = {}, k = {}, batch = {};
inline constexpr bool constant_weights = {};
inline constexpr bool has_bias = {};
inline constexpr std::int64_t max_tuned_m = {};

)code",
                     q.n, q.k, q.batch, bool_name(q.constant_weights), reads(q, EpilogueOp::bias), max_tuned_m(p));
  out += tables_code(p);
  out += R"code(#if defined(GEMWRIGHT_REQUIRE_TUNED_COMPILER)
static_assert(tuned_for_this_compiler, "this header was not tuned with this compiler: tune and export again");
#endif
)code";
  return out + calls_code(q) + fmt::format("\n}}  // namespace {}\n\n", name);
}

std::string closing(const HeaderSpec& spec, const std::vector<std::string>& names, const std::string& id) {
  std::string bound;
  for (const std::string& name : names) {
    const std::string one = fmt::format("kernels::scratch_for({}::table)", name);
    bound = bound.empty() ? one : fmt::format("kernels::larger({},\n                         {})", bound, one);
  }
  return fmt::format(R"code(constexpr kernels::scratch_size scratch_bound() {{
  return {};
}}

}}  // namespace export_{}
}}  // namespace {}
)code",
                     bound, id, spec.name_space);
}

}  // namespace

std::string header_code(const HeaderSpec& spec, const std::vector<std::string>& names, const std::string& id) {
  std::string out = fmt::format("#ifndef GEMWRIGHT_TUNED_{0}\n#define GEMWRIGHT_TUNED_{0}\n\n", id);
  out += requirements() + kernels_part(spec) + opening(spec, id) + context_class();
  for (std::size_t i = 0; i < names.size(); ++i) out += problem_code(spec.problems[i], names[i]);
  return out + closing(spec, names, id) + fmt::format("\n#endif  // GEMWRIGHT_TUNED_{}\n", id);
}

}  // namespace gemwright::tuner
