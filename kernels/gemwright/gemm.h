// gemwright kernels: general matrix products with fused epilogues, run the way a tuner found fastest. Header-only,
// C++17, no dependency, Linux on x86-64 (other targets run the portable code).
//
//   C[M,N] = chain(A[M,K] * B[K,N] + beta * C)
//
// A `plan` names the compiled tile, the packing format and the blocking; `run_gemm` checks the operands against it and
// runs it in a `context`. Exported headers wrap this: they hold a table of plans and choose by M and thread count. Any
// M, N, K >= 0 and any leading dimension that holds a row (or column) is valid; with K = 0 the product is zero. Nothing
// outside the operands is read or written. Errors are a `status`; nothing throws but the construction of a context's
// threads.
#pragma once

#include "gemwright/compiled_tile.h"
#include "gemwright/config.h"
#include "gemwright/context.h"
#include "gemwright/cpu.h"
#include "gemwright/direct.h"
#include "gemwright/epilogue.h"
#include "gemwright/loop_nest.h"
#include "gemwright/memory.h"
#include "gemwright/pack.h"
#include "gemwright/parallel.h"
#include "gemwright/tile.h"

namespace gemwright {
inline namespace gemwright_abi {

// M, N and the batch of a call. (Checks of a chain take these rather than a call of any type: where two exports of
// different versions meet, a template would be found in both of their namespaces.)
struct extent {
  std::int64_t m, n, batch;
};

// Whether the leading dimension and stride of a further M x N operand describe memory that can be read.
inline status check_matrix(const extent& x, const float* p, std::int64_t ld, std::int64_t stride) {
  if (p == nullptr) return status::bad_pointer;
  if (ld < x.n) return status::bad_stride;
  if (ld > max_extent || bounded_product(x.m, ld) == max_floats) return status::bad_size;
  const bool steps = stride >= -max_floats && stride <= max_floats &&
                     bounded_product(stride < 0 ? -stride : stride, x.batch) < max_floats;
  return x.batch == 1 || steps ? status::ok : status::bad_stride;
}

// Whether a chain finds the operands that it reads.
inline status check_chain(const chain_reads& reads, const epilogue_operands& o, const extent& x) {
  if (reads.bias && o.bias == nullptr) return status::bad_pointer;
  if (reads.clamp && !(o.clamp_lo <= o.clamp_hi)) return status::bad_scalar;
  if (reads.residual) {
    if (const status s = check_matrix(x, o.residual, o.ld_residual, o.stride_residual); s != status::ok) return s;
  }
  return reads.operand ? check_matrix(x, o.operand, o.ld_operand, o.stride_operand) : status::ok;
}

// Columns of C of a product with n columns of B.
constexpr std::int64_t c_columns(const chain_reads& reads, std::int64_t n) { return reads.pair ? n / 2 : n; }

// Whether a plan can run a problem in this context at all.
inline status check_plan(const plan& p, const gemm_call& x, const context& ctx) {
  if (p.kernels == nullptr) return status::bad_config;
  const blocking& g = p.block;
  const kernel_set& s = *p.kernels;
  const auto in_range = [](std::int64_t v) { return v >= 1 && v <= max_extent; };
  if (g.tm < 1 || g.tn < 1 || g.tk < 1 || grid_jobs(g) > max_grid_jobs) return status::bad_config;
  if (!in_range(g.mc) || !in_range(g.nc) || !in_range(g.kc)) return status::bad_config;
  if (static_cast<int>(g.order) >= loop_order_count || g.pack_a > a_packing::job) return status::bad_config;
  if (static_cast<int>(g.chain_at) >= fusion_count) return status::bad_config;
  if (g.prefetch_rows < 0 ||
      bounded_product(g.prefetch_rows, p.format.panel > 0 ? p.format.panel : x.ldb) == max_floats) {
    return status::bad_config;
  }
  if (!ctx.has(s.shape.family)) return status::bad_config;
  if (s.reads.pair ? x.beta : p.format.pair != 0) return status::bad_config;
  if (p.format.pair != 0 && !packs_pairs(p.format, x.n)) return status::bad_config;
  // Slices of K are added up and finished at once; a pair that is combined in registers has no product in memory.
  if (x.bare && (g.tk > 1 || (s.reads.pair && pairs_in_tile(s.shape, p.format, g, x.k)))) return status::bad_config;
  if (!fits_panels(s.shape, p.format)) return status::bad_config;
  if (p.format.panel == 0 && (x.b_packed || x.b_layout != layout::row_major)) return status::bad_config;
  if (!fits_along_k(s.shape, p.format, g, x.a_layout)) return status::bad_config;
  if (const status wrong = check_chain(s.reads, x.operands, {x.m, c_columns(s.reads, x.n), x.batch});
      wrong != status::ok) {
    return wrong;
  }
  if (!ctx.ready()) return status::no_memory;
  return ctx.fits(scratch_for(p, x.n, x.k, x.batch, x.b_packed)) ? status::ok : status::bad_config;
}

// What the operands of a call say about memory, whatever their elements are: at most as large as floats.
struct call_memory {
  std::int64_t m, n, k, batch;
  std::int64_t lda, stride_a;
  layout a_layout;
  std::int64_t ldb, stride_b;
  layout b_layout;
  bool b_packed;
  std::int64_t ldc, stride_c;
  bool a, b, c;  // the pointers are there
};

// Whether it can be read and written. `pair`: C has n / 2 columns.
inline status check_memory(const call_memory& x, bool pair) {
  const auto in_range = [](std::int64_t v) { return v >= 0 && v <= max_extent; };
  if (!in_range(x.m) || !in_range(x.n) || !in_range(x.k) || !in_range(x.batch)) return status::bad_size;
  if (!in_range(x.lda) || !in_range(x.ldc) || (!x.b_packed && !in_range(x.ldb))) return status::bad_size;
  if (pair && x.n % 2 != 0) return status::bad_size;
  if (x.m == 0 || x.n == 0 || x.batch == 0) return status::ok;
  if (x.lda < (x.a_layout == layout::row_major ? x.k : x.m) || x.ldc < (pair ? x.n / 2 : x.n)) {
    return status::bad_stride;
  }
  if (!x.b_packed && x.ldb < (x.b_layout == layout::row_major ? x.n : x.k)) return status::bad_stride;
  // Offsets and counts that the loops compute.
  const auto fits = [](std::int64_t u, std::int64_t v) { return bounded_product(u, v) < max_floats; };
  const std::int64_t a_lines = x.a_layout == layout::row_major ? x.m : x.k;
  const std::int64_t b_lines = x.b_layout == layout::row_major ? x.k : x.n;
  if (!fits(a_lines, x.lda) || !fits(x.m, x.ldc) || !fits(x.k, x.n) || (!x.b_packed && !fits(b_lines, x.ldb)) ||
      !fits(x.m, x.batch) || !fits(x.n, x.batch)) {
    return status::bad_size;
  }
  const auto steps = [&](std::int64_t stride) {
    return x.batch == 1 ||
           (stride >= -max_floats && stride <= max_floats && fits(stride < 0 ? -stride : stride, x.batch));
  };
  if (!steps(x.stride_a) || !steps(x.stride_b) || !steps(x.stride_c)) return status::bad_stride;
  return x.c && (x.k == 0 || (x.a && x.b)) ? status::ok : status::bad_pointer;
}

inline status check_call(const gemm_call& x, bool pair = false) {
  return check_memory({x.m, x.n, x.k, x.batch, x.lda, x.stride_a, x.a_layout, x.ldb, x.stride_b, x.b_layout, x.b_packed,
                       x.ldc, x.stride_c, x.a != nullptr, x.b != nullptr, x.c != nullptr},
                      pair);
}

inline status run_gemm(const gemm_call& x, const plan& p, context& ctx) {
  const bool pair = p.kernels != nullptr && p.kernels->reads.pair;
  if (const status s = check_call(x, pair); s != status::ok) return s;
  if (x.m == 0 || x.n == 0 || x.batch == 0) return status::ok;
  if (p.kernels != nullptr && is_direct(x, p, ctx)) {
    const status s = check_chain(p.kernels->reads, x.operands, {x.m, x.n, 1});
    if (s == status::ok) {
      run_direct(direct_call_of(x.m, x.n, x.k, x.a, x.lda, x.a_layout, x.b, x.c, x.ldc, x.beta, x.operands), p);
    }
    return s;
  }
  if (const status s = check_plan(p, x, ctx); s != status::ok) return s;
  loop_nest(x, p, ctx).run();
  return status::ok;
}

}  // namespace gemwright_abi
}  // namespace gemwright
