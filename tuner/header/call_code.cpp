#include "tuner/header/call_code.h"

#include <fmt/format.h>

#include "tuner/header/code_text.h"

namespace gemwright::tuner {
namespace {

// Whether a bias stands before the pair and so has an element for each column of B.
bool wide_bias(const Problem& p) { return !has_pair(p) || p.chain.front() == EpilogueOp::bias; }

// A further operand as large as C.
std::string matrix_members(const char* name, const char* op, const Problem& p) {
  const char* const columns = has_pair(p) ? "c_columns" : "n";
  return fmt::format(
      "  const float* {} = nullptr;  // {}: m x {}, must not overlap c\n  std::int64_t ld_{} = 0;  // at least {}\n",
      name, op, columns, name, columns);
}

// The chain's operands as members of `args`: bias always, so that a caller may set it without knowing, the others where
// the chain reads them.
std::string chain_members(const Problem& p) {
  std::string out = fmt::format("  const float* bias = nullptr;  // {} elements; given exactly when has_bias\n",
                                wide_bias(p) ? "n" : "c_columns");
  if (has_op(p, EpilogueOp::add)) out += matrix_members("residual", "add", p);
  if (has_op(p, EpilogueOp::mul)) out += matrix_members("operand", "mul", p);
  if (has_op(p, EpilogueOp::scale)) out += "  std::optional<float> scale;  // must be given\n";
  if (has_op(p, EpilogueOp::clamp)) out += "  std::optional<float> clamp_lo, clamp_hi;  // must be given, lo <= hi\n";
  return out;
}

bool has_integers(const Problem& p) { return p.interface == Interface::u8s8; }

// What the integers of A, and of weights given per call, mean.
std::string integer_members(const Problem& p) {
  if (!has_integers(p)) return "";
  std::string out =
      "  std::optional<float> a_scale;  // must be given, above 0: an element of A means a_scale * (a - a_zero)\n"
      "  std::int32_t a_zero = 0;       // from 0 to 255\n";
  if (!p.constant_weights) {
    out += "  const float* b_scale = nullptr;  // n a batch item: a column of B means its scale * b; null: all 1\n";
  }
  if (has_op(p, EpilogueOp::requant)) {
    out +=
        "  std::optional<float> c_scale;  // must be given, above 0: an element of C means c_scale * (c - c_zero)\n"
        "  std::int32_t c_zero = 0;       // from 0 to 255\n";
  }
  return out;
}

std::string stride_members(const Problem& p) {
  std::string out = "stride_a, stride_b, stride_c";
  if (has_op(p, EpilogueOp::add)) out += ", stride_residual";
  if (has_op(p, EpilogueOp::mul)) out += ", stride_operand";
  return out;
}

// kernels::call_operands and, for integers, kernels::integer_meaning, from `args x`.
std::string operands_code(const Problem& p) {
  const bool add = has_op(p, EpilogueOp::add), mul = has_op(p, EpilogueOp::mul);
  const bool clamp = has_op(p, EpilogueOp::clamp);
  const std::string integers =
      fmt::format(", {{x.a_scale, x.a_zero, {}, {}}}", p.constant_weights ? "nullptr" : "x.b_scale",
                  has_op(p, EpilogueOp::requant) ? "x.c_scale, x.c_zero" : "std::nullopt, 0");
  return fmt::format("{{x.bias, {}, {}, {}, {}, x.beta, x.stride_a, x.stride_b, x.stride_c, {}, {}}}{}",
                     add ? "x.residual, x.ld_residual" : "nullptr, 0", mul ? "x.operand, x.ld_operand" : "nullptr, 0",
                     has_op(p, EpilogueOp::scale) ? "x.scale" : "std::nullopt",
                     clamp ? "x.clamp_lo, x.clamp_hi" : "std::nullopt, std::nullopt",
                     add ? "x.stride_residual" : "std::nullopt", mul ? "x.stride_operand" : "std::nullopt",
                     has_integers(p) ? integers : "");
}

// One overload of pack_weights, for weights of one element type.
std::string pack_code(const Problem& p, gemwright::element from) {
  const bool scaled = from == gemwright::element::s8;
  return fmt::format(
      R"code(inline packed_weights pack_weights(const {}* w, std::int64_t ldw,{} layout order = {},
                                   std::optional<std::int64_t> stride = std::nullopt) {{
  return kernels::pack_weights(shape, w, ldw,{} order, stride);
}}
)code",
      element_type(from), scaled ? " const float* column_scales," : "", layout_name(p.b_layout),
      scaled ? " column_scales," : "");
}

std::string packing_code(const Problem& p) {
  using gemwright::element;
  std::string out =
      "// Packs constant weights, once: row_major is K x N, col_major its transpose; `stride` as in args.\n";
  if (has_pair(p)) out += "// The columns are those of the gate, then as many of the other half: [gate | up].\n";
  if (has_integers(p)) {
    out += "// A column of B means its scale * b: n scales a batch item; null: all 1.\n";
  }
  out += "// The result owns its memory. Check weights.state().\n" + pack_code(p, b_element(p.interface));
  if (p.interface == Interface::bf16)
    out += "// The same from floats, rounded where the mode needs it.\n" + pack_code(p, element::f32);
  return out + "\n";
}

std::string product_text(const Problem& p) {
  const char* const product = has_integers(p) ? "a_scale * (A[m,k] - a_zero) * (scale[n] * B[k,n])" : "A[m,k] * B[k,n]";
  const bool requant = has_op(p, EpilogueOp::requant);
  const std::string chain =
      epilogue_text(p.chain) + (requant ? ",\n// requant the nearest to v / c_scale + c_zero from 0 to 255" : "");
  if (has_pair(p)) {
    return fmt::format(
        "P[m,n] = {}, its first half of columns the gate, its second up;\n// C[m,c_columns] = chain(P), the chain "
        "being "
        "{}",
        product, chain);
  }
  return fmt::format("C[m,n] = chain({}{}), the chain being {}", product, requant ? "" : " + beta * C", chain);
}

// One overload of run: its last parameter, what stands before the call, and the operands handed on.
std::string run_code(const Problem& p, const char* parameter, const std::string& before, const std::string& operands) {
  const std::string given = fmt::format("const {}* b, std::int64_t ldb", element_type(b_element(p.interface)));
  return fmt::format(
      R"code(inline status run(context& ctx, std::int64_t m, const {}* a, std::int64_t lda, {},
                  {}* c, std::int64_t ldc{}) {{
{}  return kernels::run_table(table, ctx.implementation(), m, a, lda, {}, c, ldc,
                            {});
}}
)code",
      element_type(a_element(p.interface)), p.constant_weights ? "const packed_weights& weights" : given,
      element_type(c_element(p)), parameter, before, p.constant_weights ? "&weights, nullptr, 0" : "nullptr, b, ldb",
      operands);
}

}  // namespace

std::string calls_code(const Problem& p) {
  std::string out = fmt::format(
      R"code(
// The operands beside A, B and C. Strides count elements between the items of a batch; without one, an item lies
// directly behind the one before it. stride_b is for weights given per call only.
struct args {{
{}{}  int beta = {};  // {}
  std::optional<std::int64_t> {};
}};

)code",
      chain_members(p), integer_members(p), p.beta,
      has_pair(p) || has_op(p, EpilogueOp::requant) ? "must be 0" : "1 adds to C, 0 overwrites it", stride_members(p));
  if (p.constant_weights) out += packing_code(p);
  out += fmt::format(
      R"code(// {},
// for any m >= 0, as was tuned for the next m at or above.
{})code",
      product_text(p),
      run_code(p, takes_operands(p) && !has_integers(p) ? ", const args& x = args{}" : ", const args& x", "",
               operands_code(p)));
  if (!takes_operands(p)) {
    // A constant: building the operands takes longer than what stands before a small product.
    const std::string none = fmt::format(
        "  static constexpr kernels::call_operands none{{nullptr, nullptr, 0, nullptr, 0, std::nullopt, std::nullopt, "
        "std::nullopt,\n                                               {}, {{}}, {{}}, {{}}, {{}}, {{}}}};\n",
        p.beta);
    out += "// The same with args{}.\n" + run_code(p, "", none, "none");
  }
  return out;
}

}  // namespace gemwright::tuner
