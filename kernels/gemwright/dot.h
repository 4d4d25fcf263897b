// Products of short elements: bf16 x bf16 -> f32 and u8 x s8 -> s32 (see compute_mode.h), with the chains, layouts,
// contexts and promises of gemm.h. A may be f32, bf16 or u8, B f32, bf16 or s8, C f32, bf16 or u8: what the mode does
// not take as it is, is converted while it is packed.
//
//   const auto weights = pack_dot_weights(compute_mode::u8s8, source, n, k, 1, packing{32});   // once
//   run_dot(call, plan, context);                                                            // quantises A, multiplies
//
// The bits of a bf16 product depend on the family: vdpbf16ps sums in its own order and takes denormal numbers as zero,
// as does the instruction that rounds C there; the others multiply and add in f32. A u8s8 product is the same on every
// family as far as the s32 sum goes.
#pragma once

#include "gemwright/compiled_dot_tile.h"
#include "gemwright/dot_direct.h"
#include "gemwright/dot_nest.h"
#include "gemwright/dot_pack.h"
#include "gemwright/dot_tile.h"
#include "gemwright/gemm.h"
#include "gemwright/quantize.h"

namespace gemwright {
inline namespace gemwright_abi {

// The types of A that a mode takes.
constexpr bool dot_takes_a(compute_mode m, element a) {
  return a == element::f32 || a == element::bf16 || (a == element::u8 && m == compute_mode::u8s8);
}

// Whether a plan can run a call in this context at all.
inline status check_dot_plan(const dot_plan& p, const dot_call& x, const context& ctx) {
  if (p.kernels == nullptr) return status::bad_config;
  const blocking& g = p.block;
  const dot_kernel_set& s = *p.kernels;
  const auto in_range = [](std::int64_t v) { return v >= 1 && v <= max_extent; };
  if (g.tm < 1 || g.tn < 1 || g.tk < 1 || grid_jobs(g) > max_grid_jobs) return status::bad_config;
  if (!in_range(g.mc) || !in_range(g.nc) || !in_range(g.kc) || g.order != loop_order::mnk) return status::bad_config;
  if (g.pack_a == a_packing::none && !reads_a_in_place(s, x.a_type, x.a_layout)) return status::bad_config;
  if (g.pack_a > a_packing::shared) return status::bad_config;
  // Sums of slices of K, and of pairs that do not meet in a tile, wait for a phase of all jobs.
  const bool pair = s.reads.pair;
  if (g.pack_a == a_packing::job && (g.tk > 1 || pairs_in_memory(s, p.format, g))) return status::bad_config;
  if (g.tk > 1 && g.chain_at != fusion::registers) return status::bad_config;
  if (p.format.panel < 1 || !fits_panels(s.shape, p.format)) return status::bad_config;
  if (static_cast<int>(g.chain_at) >= fusion_count) return status::bad_config;
  if (pair) {
    // Without the chain there is no C: its blocking must have the chain run as a pass of its own.
    if (x.beta || x.n % 2 != 0 || (x.bare && g.chain_at != fusion::pass)) return status::bad_config;
    // Whole vectors of the gate and of the other half take turns.
    const bool turns = packs_pairs(p.format, x.n) && p.format.pair % vector_width(s.shape.family) == 0;
    if (p.format.pair != 0 && !turns) return status::bad_config;
  } else if (p.format.pair != 0 || (g.chain_at != fusion::registers && s.c_type != element::f32)) {
    return status::bad_config;
  }
  if (g.prefetch_rows < 0 || bounded_product(g.prefetch_rows, p.format.panel) == max_floats) return status::bad_config;
  if (!ctx.has(s.shape.family) || !dot_takes_a(s.mode, x.a_type)) return status::bad_config;
  if (s.c_type == element::u8 && (x.beta || x.requant.zero < 0 || x.requant.zero > 255)) return status::bad_config;
  if (x.a_type == element::u8 && (x.a_zero < 0 || x.a_zero > 255)) return status::bad_config;
  if (s.mode == compute_mode::u8s8 && x.k > max_u8s8_depth) return status::bad_size;
  if (x.weights != nullptr) {
    const packed_dot_weights& w = *x.weights;
    if (!w.valid()) return w.state();
    if (!fits_weights(x, p)) return status::bad_weights;
  } else if (!dot_takes_weights(s.mode, x.b.type) || (x.b.scale != nullptr && x.b.type != element::s8)) {
    return status::bad_config;
  }
  if (const status wrong = check_chain(s.reads, x.operands, {x.m, c_columns(s.reads, x.n), x.batch});
      wrong != status::ok) {
    return wrong;
  }
  if (!ctx.ready()) return status::no_memory;
  return ctx.fits(scratch_for(p, x.n, x.k, x.batch, x.weights != nullptr)) ? status::ok : status::bad_config;
}

inline status check_dot_call(const dot_call& x, bool pair = false) {
  const bool packed = x.weights != nullptr;
  return check_memory(
      {x.m, x.n, x.k, x.batch, x.lda, x.stride_a, x.a_layout, x.b.ldb, packed ? 0 : x.b.stride, x.b.order, packed,
       x.ldc, x.stride_c, x.a != nullptr, packed || x.b.b != nullptr, x.c != nullptr},
      pair);
}

inline status run_dot(const dot_call& x, const dot_plan& p, context& ctx) {
  const bool pair = p.kernels != nullptr && p.kernels->reads.pair;
  if (const status s = check_dot_call(x, pair); s != status::ok) return s;
  if (x.m == 0 || x.n == 0 || x.batch == 0) return status::ok;
  if (p.kernels != nullptr && is_direct(x, p, ctx)) {
    const status s = check_chain(p.kernels->reads, x.operands, {x.m, x.n, 1});
    if (s == status::ok) run_direct(x, p);
    return s;
  }
  if (const status s = check_dot_plan(p, x, ctx); s != status::ok) return s;
  dot_nest(x, p, ctx).run();
  return status::ok;
}

}  // namespace gemwright_abi
}  // namespace gemwright
