// Dot products that need none of the loop nest's means (dot_nest.h): what direct.h is for f32.
#pragma once

#include <algorithm>

#include "gemwright/direct.h"
#include "gemwright/dot_plan.h"
#include "gemwright/macros.h"

namespace gemwright {
inline namespace gemwright_abi {

inline bool fits_weights(const dot_call& x, const dot_plan& p) {
  if (x.weights == nullptr) return false;
  const packed_dot_weights& w = *x.weights;
  return w.valid() && w.mode() == p.kernels->mode && w.n() == x.n && w.k() == x.k && w.batch() == x.batch &&
         w.format() == p.format;
}

// As leaves_whole for f32.
constexpr bool leaves_whole(const dot_plan& p, std::int64_t n, std::int64_t k, element a_type, layout a_layout) {
  const dot_kernel_set& s = *p.kernels;
  return is_one_block(p.block, n, k) && p.block.order == loop_order::mnk && !s.reads.pair &&
         p.format == packing{s.nr / s.shape.panels} && reads_a_in_place(s, a_type, a_layout) &&
         (s.mode == compute_mode::bf16 || k <= max_u8s8_depth);
}

// As is_direct for f32.
inline bool is_direct(const dot_call& x, const dot_plan& p, const context& ctx) {
  const dot_kernel_set& s = *p.kernels;
  return x.batch == 1 && x.m <= p.block.mc && leaves_whole(p, x.n, x.k, x.a_type, x.a_layout) && !x.bare &&
         (s.c_type != element::u8 || (!x.beta && x.requant.zero >= 0 && x.requant.zero <= 255)) && fits_weights(x, p) &&
         (s.mode == compute_mode::bf16 || (x.a_zero >= 0 && x.a_zero <= 255)) && ctx.has(s.shape.family) && ctx.ready();
}

// What such a product needs of a call.
struct dot_direct_call {
  std::int64_t m, n, k;
  const void* a;
  std::int64_t row_bytes;  // between two rows of A
  const std::uint32_t* b;
  void* c;
  std::int64_t ldc;
  bool beta;
  float a_scale;  // of u8
  int a_zero;
  requantisation requant;
  const epilogue_operands* operands;
};

// What is the same for all tiles. `scale` and `zero` have room for max_dot_rows; they are used for u8 rows alone.
GEMWRIGHT_INLINE dot_args direct_args(const dot_direct_call& call, const dot_plan& p, float* scale,
                                      std::int32_t* zero) {
  dot_args x;  // all of it is set, here and for each tile
  x.groups = ceil_div(call.k, k_group(p.kernels->mode));
  x.a = nullptr;
  x.row_bytes = call.row_bytes;
  x.rest = bytes_of_rest(p.kernels->mode, element_of(p.kernels->mode), call.k);
  x.b_group = p.format.panel;
  x.b_panel = p.format.panel * x.groups;
  x.partial = nullptr;
  x.partial_stride = 0;
  x.first = x.last = true;
  x.beta = call.beta;
  x.bare = false;
  x.prefetch_c = prefetches_c(call.m, call.n, x.groups, element_size(p.kernels->c_type));
  x.ldc = call.ldc;
  x.a_scale = scale;
  x.a_zero = zero;
  x.b_scale = nullptr;
  x.b_sum = nullptr;
  x.requant = call.requant;
  x.operands = call.operands;
  x.item = 0;
  x.pair = {};
  if (has_column_scales(p.kernels->mode)) {
    std::fill_n(scale, p.kernels->shape.mr, call.a_scale);
    std::fill_n(zero, p.kernels->shape.mr, call.a_zero);
  }
  return x;
}

GEMWRIGHT_INLINE void run_direct(const dot_direct_call& call, const dot_plan& p) {
  const dot_kernel_set& s = *p.kernels;
  float scale[max_dot_rows];
  std::int32_t zero[max_dot_rows];
  dot_args x = direct_args(call, p, scale, zero);
  const std::int64_t nr = s.nr, c_bytes = element_size(s.c_type);
  const float* of_columns = nullptr;
  const std::int32_t* sums = nullptr;
  if (has_column_scales(s.mode)) {
    const std::int64_t columns = round_up(call.n, p.format.panel);
    of_columns = reinterpret_cast<const float*>(call.b + x.groups * columns);
    sums = reinterpret_cast<const std::int32_t*>(of_columns + columns);
  }
  const tile_walk walk = whole_walk(call.m, call.n, nr, s.shape.mr, x.groups, p.block.rows_inside);
  const look_ahead prefetched{p.block.prefetch_rows, x.groups, p.format.panel, walk.shares()};
  walk.each([&](const tile_place& t) GEMWRIGHT_INLINE_BODY {
    x.prefetch = prefetched.of(t.passes, t.b_next);
    x.rows = static_cast<const char*>(call.a) + t.row * x.row_bytes;
    x.b = call.b + t.b;
    x.c = static_cast<char*>(call.c) + (t.row * call.ldc + t.column) * c_bytes;
    x.row = t.row;
    x.col = t.column;
    x.cols = std::min(nr, call.n - t.column);
    if (of_columns != nullptr) {
      x.b_scale = of_columns + t.column;
      x.b_sum = sums + t.column;
    }
    s.kernels[t.rows - 1](x);
  });
}

inline void run_direct(const dot_call& x, const dot_plan& p) {
  run_direct({x.m, x.n, x.k, x.a, x.lda * element_size(x.a_type), x.weights->data(), x.c, x.ldc, x.beta, x.a_scale,
              x.a_zero, x.requant, &x.operands},
             p);
}

}  // namespace gemwright_abi
}  // namespace gemwright
