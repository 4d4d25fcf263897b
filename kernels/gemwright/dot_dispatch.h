// Tables of dot plans: what an exported header is made of where its problem is computed in bf16 or u8s8. The same
// functions by the same names as for f32 plans (dispatch.h), so that a header's code does not depend on its mode.
//
// A problem's interface says what the caller hands in (the elements of A, B and C), its mode how it is computed: what
// differs is converted while it is packed.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "gemwright/dispatch.h"
#include "gemwright/dot.h"
#include "gemwright/macros.h"

namespace gemwright {
inline namespace gemwright_abi {

struct dot_problem_shape : problem_shape {
  compute_mode mode;
  element a, b, c;  // as the caller has them
};

using dot_m_range = plan_range<dot_plan>;
using dot_thread_group = plan_group<dot_plan>;
using dot_dispatch_table = plan_table<dot_plan, dot_problem_shape>;

constexpr scratch_size scratch_for(const dot_problem_shape& s, const dot_plan& p) {
  return scratch_for(p, s.n, s.k, s.batch, s.constant_weights);
}

// As whole_rows of f32 plans.
constexpr std::int64_t whole_rows(const dot_problem_shape& s, const dot_plan& p) {
  const dot_kernel_set& t = *p.kernels;
  const bool whole = s.constant_weights && s.batch == 1 && s.n <= whole_extent && s.k <= whole_extent &&
                     p.format == s.format && t.mode == s.mode && t.c_type == s.c &&
                     leaves_whole(p, s.n, s.k, s.a, s.a_layout);
  return !whole ? 0 : p.block.mc < whole_extent ? p.block.mc : whole_extent;
}

// What integers mean: value(A) = a_scale * (a - a_zero), value(B) = b_scale[column] * b, value(C) = c_scale * (c -
// c_zero). A and C of u8 need their scales.
struct integer_meaning {
  std::optional<float> a_scale;
  std::int32_t a_zero = 0;
  const float* b_scale = nullptr;  // of weights per call, n an item; null: all 1
  std::optional<float> c_scale;
  std::int32_t c_zero = 0;
};

// Whether a scale and a zero point say what elements of u8 mean: no scale, zero, a negative number, an infinity or a
// NaN does not.
constexpr bool has_meaning(std::optional<float> scale, int zero) {
  return scale && *scale > 0 && *scale <= std::numeric_limits<float>::max() && zero >= 0 && zero <= 255;
}

// How values become elements of a C of u8: nothing where that is not told or makes no sense.
inline std::optional<requantisation> requantisation_of(const integer_meaning& q) {
  if (!has_meaning(q.c_scale, q.c_zero)) return std::nullopt;
  const float inverse = 1.0F / *q.c_scale;
  if (inverse > std::numeric_limits<float>::max()) return std::nullopt;
  return requantisation{inverse, q.c_zero};
}

// Constant weights in the packing format of a problem, from any element that its mode takes; `stride` lies between the
// items of a batch. Only s8 has column scales, n an item (null: all 1); other elements are converted.
inline packed_dot_weights pack_weights(const dot_problem_shape& s, const dot_weights_source& w,
                                       std::optional<std::int64_t> stride) {
  dot_weights_source source = w;
  source.stride = stride.value_or(item_size(w.order == layout::row_major ? s.k : s.n, w.ldb));
  return pack_dot_weights(s.mode, source, s.n, s.k, s.batch, s.format);
}
inline packed_dot_weights pack_weights(const dot_problem_shape& s, const float* w, std::int64_t ldw, layout order,
                                       std::optional<std::int64_t> stride) {
  return pack_weights(s, {w, element::f32, ldw, order}, stride);
}
inline packed_dot_weights pack_weights(const dot_problem_shape& s, const bf16* w, std::int64_t ldw, layout order,
                                       std::optional<std::int64_t> stride) {
  return pack_weights(s, {w, element::bf16, ldw, order}, stride);
}
inline packed_dot_weights pack_weights(const dot_problem_shape& s, const std::int8_t* w, std::int64_t ldw,
                                       const float* column_scales, layout order, std::optional<std::int64_t> stride) {
  return pack_weights(s, {w, element::s8, ldw, order, 0, column_scales}, stride);
}

// Apart, as the one for f32.
GEMWRIGHT_APART inline status run_in_nest(const dot_dispatch_table& table, const dot_plan& p, context& ctx,
                                          std::int64_t m, const void* a, std::int64_t lda,
                                          const packed_dot_weights* weights, const void* b, std::int64_t ldb, void* c,
                                          std::int64_t ldc, const call_operands& x, const integer_meaning& q,
                                          requantisation to_u8) {
  const dot_problem_shape& s = *table.shape;
  item_strides strides;
  const call_lines lines{m, lda, ldc, weights != nullptr, ldb};
  if (const status wrong = check_operands(s, x, lines, strides); wrong != status::ok) return wrong;
  // All at once: see the function for f32.
  const dot_call call{m,          s.n,
                      s.k,        s.batch,
                      a,          s.a,
                      lda,        strides.a,
                      s.a_layout, q.a_scale.value_or(1.0F),
                      q.a_zero,   row_quantisation::asymmetric,
                      weights,    {b, s.b, ldb, s.b_layout, strides.b, q.b_scale},
                      c,          ldc,
                      strides.c,  x.beta == 1,
                      to_u8,      chain_operands(x, strides)};
  return run_dot(call, p, ctx);
}

// `weights` where they are constant, `b` and `ldb` otherwise. A, B and C are made of the shape's elements.
// Inlined as the one for f32.
GEMWRIGHT_INLINE status run_table(const dot_dispatch_table& table, context& ctx, std::int64_t m, const void* a,
                                  std::int64_t lda, const packed_dot_weights* weights, const void* b, std::int64_t ldb,
                                  void* c, std::int64_t ldc, const call_operands& x, const integer_meaning& q = {}) {
  const dot_problem_shape& s = *table.shape;
  if (weights != nullptr) {
    if (const status wrong = check_weights(s, *weights); wrong != status::ok) return wrong;
    if (weights->mode() != s.mode) return status::bad_weights;
  }
  if (m > 0 && s.a == element::u8 && !has_meaning(q.a_scale, q.a_zero)) return status::bad_scalar;
  requantisation to_u8{};
  if (m > 0 && s.c == element::u8) {
    const std::optional<requantisation> told = requantisation_of(q);
    if (!told) return status::bad_scalar;
    to_u8 = *told;
  }
  const plan_choice<dot_plan> chosen = choose_plan(table, m, ctx);
  if (weights != nullptr && is_whole(s, chosen.whole_m, m, a, lda, c, ldc, x, ctx) &&
      (s.c != element::u8 || x.beta == 0)) {
    return whole_chain::with(s.reads, x, {m, s.n, 1}, [&](const epilogue_operands& operands) GEMWRIGHT_INLINE_BODY {
      run_direct({m, s.n, s.k, a, lda * element_size(s.a), weights->data(), c, ldc, x.beta == 1,
                  q.a_scale.value_or(1.0F), q.a_zero, to_u8, &operands},
                 *chosen.use);
    });
  }
  return run_in_nest(table, *chosen.use, ctx, m, a, lda, weights, b, ldb, c, ldc, x, q, to_u8);
}

}  // namespace gemwright_abi
}  // namespace gemwright
