#include "tuner/header/code.h"

#include <fmt/format.h>

#include <algorithm>

#include "tuner/header/call_code.h"
#include "tuner/header/code_text.h"
#include "tuner/header/table_code.h"
#include "tuner/header/text.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

// What the problems of a header use of the kernels.
struct Needs {
  bool f32 = false, dot = false;  // kinds of plans
  bool bf16 = false;              // elements in an interface
};

Needs needs(const HeaderSpec& spec) {
  Needs n;
  for (const HeaderProblem& p : spec.problems) {
    n.bf16 = n.bf16 || p.problem.interface == Interface::bf16;
    for (const HeaderTable& t : p.tables) (t.mode == ComputeMode::f32 ? n.f32 : n.dot) = true;
  }
  return n;
}

std::string macro_suffix(const std::string& name_space) {
  std::string out;
  for (const char c : name_space) {
    if (c != ':' || out.empty() || out.back() != '_') out += c == ':' ? '_' : c;
  }
  return out;
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
  const Needs n = needs(spec);
  if (spec.style == HeaderStyle::standalone) return amalgamated_kernels(n.f32, n.dot) + "\n";
  return fmt::format(
      R"code(#include <gemwright/version.h>
#if GEMWRIGHT_KERNELS_DIGEST != 0x{}ULL
#error "the installed gemwright kernels are not those this header was tuned with: install those or export again"
#endif
{}{}
)code",
      source_digest(), n.f32 ? "#include <gemwright/dispatch.h>\n" : "",
      n.dot ? "#include <gemwright/dot_dispatch.h>\n" : "");
}

std::string kernels_namespace(const HeaderSpec& spec) {
  return spec.style == HeaderStyle::standalone ? "abi_" + source_digest() : "GEMWRIGHT_KERNELS_NAMESPACE";
}

// The part of the root namespace before the problems. `scratch_bound` is defined after them.
std::string opening(const HeaderSpec& spec, const std::string& id) {
  return fmt::format(
      R"code(#if defined(GEMWRIGHT_TUNED_IN_{0})
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
{10}
namespace provenance {{
inline constexpr const char* tool_version = {4};
inline constexpr const char* date = {5};
inline constexpr const char* device = {6};
inline constexpr const char* device_fingerprint = {7};
inline constexpr const char* kernels_digest = "{8}";
inline constexpr double max_regret = {9};
}}  // namespace provenance

)code",
      macro_suffix(spec.name_space), spec.name_space, id, kernels_namespace(spec), string_literal(spec.tool_version),
      string_literal(spec.date), string_literal(spec.device.name), string_literal(spec.device.fingerprint),
      source_digest(), double_literal(spec.max_regret),
      needs(spec).bf16 ? "using kernels::bf16;  // 16 bits, the upper half of a float\nusing kernels::to_bf16;\nusing "
                         "kernels::to_float;\n"
                       : "");
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

std::int64_t max_tuned_m(const HeaderProblem& p) {
  std::int64_t most = 0;
  for (const HeaderTable& t : p.tables) {
    for (const DispatchGroup& g : t.groups) most = std::max(most, g.ranges.back().max_m);
  }
  return most;
}

std::string problem_code(const HeaderProblem& p, const std::string& name) {
  const Problem& q = p.problem;
  std::string out = fmt::format("// ---- {}\nnamespace {} {{\n\n", key(q), name);
  out += fmt::format(R"code(inline constexpr std::int64_t n = {}, k = {}, batch = {};
inline constexpr std::int64_t c_columns = {};  // of C{}
inline constexpr bool constant_weights = {};
inline constexpr bool has_bias = {};
inline constexpr std::int64_t max_tuned_m = {};
using a_type = {};
using b_type = {};
using c_type = {};

)code",
                     q.n, q.k, q.batch, c_columns(q), has_pair(q) ? "; B is [gate | up], n columns" : "",
                     bool_name(q.constant_weights), reads(q, EpilogueOp::bias), max_tuned_m(p),
                     element_type(a_element(q.interface)), element_type(b_element(q.interface)),
                     element_type(c_element(q)));
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
