// What an exported header is made of: a table of plans for one problem, chosen by M and thread count, and the call that
// uses it. The header holds constants and thin wrappers; everything it does is here.
//
// A table has one group for each thread count that was tuned. A context uses the group with the most threads that it
// has; one with fewer threads than any group uses the smallest, since a thread grid may be larger than the pool. Inside
// a group a call uses the first range whose max_m is not below m, so an M between two tuned ones runs as the next
// larger one was tuned. Where the CPU lacks the instructions of the chosen plan, the group's fallback runs: portable
// code on the same packed weights. Choosing is a scan of a few constants: nanoseconds.
//
// Here stand the tables of f32 plans and what they share with those of dot plans (dot_dispatch.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "gemwright/gemm.h"
#include "gemwright/macros.h"

namespace gemwright {
inline namespace gemwright_abi {

// Functions that both kinds of plans share are templates over them, and each takes a type of this namespace: where two
// exports of different versions meet, it is not found for the other's types.
template <class Plan>
struct plan_range {
  std::int64_t max_m;  // the last range of a group serves all larger M too
  const Plan* use;
  std::int64_t whole_m = 0;  // whole_rows of the plan; 0 is right for any, and slower for small products
};

template <class Plan>
struct plan_group {
  int threads;
  const plan_range<Plan>* ranges;  // by max_m, ascending
  int count;                       // of ranges, at least 1
  const Plan* fallback;
};

template <class Plan, class Shape>
struct plan_table {
  const Shape* shape;
  const plan_group<Plan>* groups;  // by threads, ascending
  int count;                       // of groups, at least 1
};

// What a problem fixes. The header's functions check their operands against it.
struct problem_shape {
  std::int64_t n, k, batch;
  layout a_layout, b_layout;
  bool constant_weights;  // B is packed once; otherwise it is handed in per call
  chain_reads reads;      // operands of the chain
  packing format;
};

using m_range = plan_range<plan>;
using thread_group = plan_group<plan>;
using dispatch_table = plan_table<plan, problem_shape>;

// Products with no longer extents and leading dimensions need no check for overflow.
constexpr std::int64_t whole_extent = std::int64_t{1} << 20;

// Rows up to which a call of a problem needs no loop nest in a plan (direct.h): known when it is compiled.
constexpr std::int64_t whole_rows(const problem_shape& s, const plan& p) {
  const bool whole = s.constant_weights && s.batch == 1 && s.n <= whole_extent && s.k <= whole_extent &&
                     p.format == s.format && leaves_whole(p, s.n, s.k, s.a_layout);
  return !whole ? 0 : p.block.mc < whole_extent ? p.block.mc : whole_extent;
}

template <class Plan>
struct plan_choice {
  const Plan* use;
  std::int64_t whole_m;
};

template <class Plan, class Shape>
GEMWRIGHT_INLINE plan_choice<Plan> choose_plan(const plan_table<Plan, Shape>& table, std::int64_t m,
                                               const context& ctx) {
  const plan_group<Plan>* g = table.groups;
  const plan_group<Plan>* const last_group = table.groups + table.count - 1;
  while (g != last_group && g[1].threads <= ctx.threads()) ++g;
  const plan_range<Plan>* r = g->ranges;
  const plan_range<Plan>* const last = g->ranges + g->count - 1;
  while (r != last && r->max_m < m) ++r;
  if (!ctx.has(r->use->kernels->shape.family)) return {g->fallback, 0};
  return {r->use, r->whole_m};
}

constexpr scratch_size scratch_for(const problem_shape& s, const plan& p) {
  return scratch_for(p, s.n, s.k, s.batch, s.constant_weights);
}

// Scratch memory that serves every plan of a table.
template <class Plan, class Shape>
constexpr scratch_size scratch_for(const plan_table<Plan, Shape>& table) {
  scratch_size most{};
  for (int i = 0; i < table.count; ++i) {
    const plan_group<Plan>& g = table.groups[i];
    most = larger(most, scratch_for(*table.shape, *g.fallback));
    for (int j = 0; j < g.count; ++j) most = larger(most, scratch_for(*table.shape, *g.ranges[j].use));
  }
  return most;
}

// Operands of a call beside A, B and C. Strides count elements between the items of a batch; without one an item lies
// directly behind the one before it. Constant weights got theirs when they were packed.
struct call_operands {
  const float* bias;
  const float* residual;
  std::int64_t ld_residual;
  const float* operand;
  std::int64_t ld_operand;
  std::optional<float> scale, clamp_lo, clamp_hi;
  int beta;
  std::optional<std::int64_t> stride_a, stride_b, stride_c, stride_residual, stride_operand;
};

// Elements of one item: `lines` rows (or columns) of `ld` elements; more than any memory where that cannot be.
constexpr std::int64_t item_size(std::int64_t lines, std::int64_t ld) {
  const bool fits = lines >= 0 && ld >= 0 && (lines == 0 || ld <= max_extent / lines);
  return fits ? lines * ld : max_extent + 1;
}

// Constant weights in the packing format of a problem; `stride` lies between the items of a batch.
inline packed_weights pack_weights(const problem_shape& s, const float* w, std::int64_t ldw, layout order,
                                   std::optional<std::int64_t> stride) {
  const std::int64_t dense = item_size(order == layout::row_major ? s.k : s.n, ldw);
  return pack_weights(w, ldw, order, s.n, s.k, s.batch, stride.value_or(dense), s.format);
}

// M and the leading dimensions of a call; where B is packed ldb means nothing.
struct call_lines {
  std::int64_t m, lda, ldc;
  bool packed;
  std::int64_t ldb;
};

struct item_strides {
  std::int64_t a = 0, b = 0, c = 0, residual = 0, operand = 0;
};

// Strides between the items of a batch. Items of C must not overlap; the other operands may be shared by all. That of a
// packed B is not the caller's: it stays 0.
inline status find_strides(const problem_shape& s, const call_operands& x, const call_lines& l, item_strides& out) {
  out = {};
  if (s.batch == 1) return status::ok;
  item_strides t;
  t.a = x.stride_a.value_or(item_size(s.a_layout == layout::row_major ? l.m : s.k, l.lda));
  if (!l.packed) t.b = x.stride_b.value_or(item_size(s.b_layout == layout::row_major ? s.k : s.n, l.ldb));
  t.c = x.stride_c.value_or(item_size(l.m, l.ldc));
  t.residual = x.stride_residual.value_or(s.reads.residual ? item_size(l.m, x.ld_residual) : 0);
  t.operand = x.stride_operand.value_or(s.reads.operand ? item_size(l.m, x.ld_operand) : 0);
  const auto in_range = [](std::int64_t v) { return v >= 0 && v <= max_extent; };
  if (!in_range(t.a) || !in_range(t.b) || !in_range(t.c) || (l.m > 0 && t.c < c_columns(s.reads, s.n)))
    return status::bad_stride;
  if (!in_range(t.residual) || !in_range(t.operand)) return status::bad_stride;
  out = t;
  return status::ok;
}

// Whether the operands of the chain are those that it reads: all are there, and none that would be lost without a word.
inline status check_given(const chain_reads& reads, const call_operands& x) {
  const bool matrices = reads.residual == (x.residual != nullptr) && reads.operand == (x.operand != nullptr);
  if (!matrices || reads.bias != (x.bias != nullptr)) return status::bad_pointer;
  const bool bounds = reads.clamp == x.clamp_lo.has_value() && reads.clamp == x.clamp_hi.has_value();
  return bounds && reads.scale == x.scale.has_value() ? status::ok : status::bad_scalar;
}

inline epilogue_operands chain_operands(const call_operands& x, const item_strides& strides) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {x.bias,
          x.residual,
          x.ld_residual,
          strides.residual,
          x.operand,
          x.ld_operand,
          strides.operand,
          x.scale.value_or(1.0F),
          x.clamp_lo.value_or(-kInfinity),
          x.clamp_hi.value_or(kInfinity)};
}

// Chain and strides of a call. With no rows nothing of the chain is read, and nothing of it is asked for.
inline status check_operands(const problem_shape& s, const call_operands& x, const call_lines& l,
                             item_strides& strides) {
  if (x.beta != 0 && x.beta != 1) return status::bad_config;
  if (l.m > 0) {
    if (const status wrong = check_given(s.reads, x); wrong != status::ok) return wrong;
  }
  return find_strides(s, x, l, strides);
}

// Whether packed weights are those of this problem. Packing says itself why it failed.
template <class Weights>
status check_weights(const problem_shape& s, const Weights& w) {
  if (!w.valid()) return w.state();
  const bool same = w.n() == s.n && w.k() == s.k && w.batch() == s.batch && w.format() == s.format;
  return same ? status::ok : status::bad_weights;
}

// Whether a call is one of those in a plan that serves `whole_m` rows so (see whole_rows), with operands of which
// comparisons alone say that they can be read and written: where the product itself may take 40 ns, no more stands
// before it. False says nothing: the loop nest runs, or refuses, what is left.
inline bool is_whole(const problem_shape& s, std::int64_t whole_m, std::int64_t m, const void* a, std::int64_t lda,
                     const void* c, std::int64_t ldc, const call_operands& x, const context& ctx) {
  const std::int64_t line = s.a_layout == layout::row_major ? s.k : m;
  return m > 0 && m <= whole_m && lda >= line && lda <= whole_extent && ldc >= s.n && ldc <= whole_extent &&
         a != nullptr && c != nullptr && (x.beta == 0 || x.beta == 1) && ctx.ready();
}

// A class, for the same reason as tile_walk.
struct whole_chain {
  // run(operands) where the chain of one item finds what it reads.
  template <class Run>
  GEMWRIGHT_INLINE static status with(const chain_reads& reads, const call_operands& x, const extent& e,
                                      const Run& run) {
    if (const status wrong = check_given(reads, x); wrong != status::ok) return wrong;
    static constexpr epilogue_operands kNone{};  // not built for each call: ten stores
    if (!reads_any(reads)) {
      run(kNone);
      return status::ok;
    }
    const epilogue_operands operands = chain_operands(x, {});
    const status wrong = check_chain(reads, operands, e);
    if (wrong == status::ok) run(operands);
    return wrong;
  }
};

// What the loop nest runs, or refuses. Apart: its frame and its stores take longer than what a small product needs.
GEMWRIGHT_APART inline status run_in_nest(const dispatch_table& table, const plan& p, context& ctx, std::int64_t m,
                                          const float* a, std::int64_t lda, const packed_weights* weights,
                                          const float* b, std::int64_t ldb, float* c, std::int64_t ldc,
                                          const call_operands& x) {
  const problem_shape& s = *table.shape;
  const bool packed = weights != nullptr;
  item_strides strides;
  const call_lines lines{m, lda, ldc, packed, ldb};
  if (const status wrong = check_operands(s, x, lines, strides); wrong != status::ok) return wrong;
  const std::int64_t stride_b = !packed ? strides.b : s.batch > 1 ? packed_b_size(s.n, s.k, s.format) : 0;
  // All at once, the chain's operands too: compilers clear the defaults of so large a struct by a string instruction,
  // which takes 10 ns, and one that is copied has to wait for its own stores.
  const gemm_call call{m,   s.n,      s.k,        s.batch, a, lda, strides.a, s.a_layout,  packed ? weights->data() : b,
                       ldb, stride_b, s.b_layout, packed,  c, ldc, strides.c, x.beta == 1, chain_operands(x, strides)};
  return run_gemm(call, p, ctx);
}

// `weights` where they are constant, `b` and `ldb` otherwise.
//
// Inlined into the header's `run`, of which there is one a problem, so that of its constant table little is left to
// look up: 6 ns of 12 around a product of 16 x 16 x 16.
GEMWRIGHT_INLINE status run_table(const dispatch_table& table, context& ctx, std::int64_t m, const float* a,
                                  std::int64_t lda, const packed_weights* weights, const float* b, std::int64_t ldb,
                                  float* c, std::int64_t ldc, const call_operands& x) {
  const problem_shape& s = *table.shape;
  if (weights != nullptr) {
    if (const status wrong = check_weights(s, *weights); wrong != status::ok) return wrong;
  }
  const plan_choice<plan> chosen = choose_plan(table, m, ctx);
  if (weights != nullptr && is_whole(s, chosen.whole_m, m, a, lda, c, ldc, x, ctx)) {
    return whole_chain::with(s.reads, x, {m, s.n, 1}, [&](const epilogue_operands& operands) GEMWRIGHT_INLINE_BODY {
      run_direct(direct_call_of(m, s.n, s.k, a, lda, s.a_layout, weights->data(), c, ldc, x.beta == 1, operands),
                 *chosen.use);
    });
  }
  return run_in_nest(table, *chosen.use, ctx, m, a, lda, weights, b, ldb, c, ldc, x);
}

}  // namespace gemwright_abi
}  // namespace gemwright
