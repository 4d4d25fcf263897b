// Products that need none of the loop nest's means: packed weights, one job, one block, A read where it lies, the chain
// in registers. The tiles, their order and the bits are those of the nest (loop_nest.h); what is left out is setting it
// up, which takes longer than a whole product of 16 x 16 x 16.
#pragma once

#include <algorithm>

#include "gemwright/context.h"
#include "gemwright/loop_nest.h"
#include "gemwright/macros.h"
#include "gemwright/walk.h"

namespace gemwright {
inline namespace gemwright_abi {

// Whether a blocking leaves a product of this size whole, as long as it has no more than mc rows.
constexpr bool is_one_block(const blocking& g, std::int64_t n, std::int64_t k) {
  // Farther ahead than this no prefetch is of use; the bound keeps its address from overflowing.
  constexpr std::int64_t kMostAhead = 1 << 20;
  return n <= g.nc && k <= g.kc && k > 0 && g.tm == 1 && g.tn == 1 && g.tk == 1 && g.pack_a == a_packing::none &&
         g.chain_at == fusion::registers && g.prefetch_rows >= 0 && g.prefetch_rows <= kMostAhead;
}

// All tiles of a product whose panels are as wide as its tiles.
GEMWRIGHT_INLINE tile_walk whole_walk(std::int64_t m, std::int64_t n, std::int64_t nr, int mr, std::int64_t steps,
                                      bool rows_inside) {
  const std::int64_t tiles = m <= mr ? 1 : ceil_div(m, mr);
  return {{0, tiles}, spread_rows(m, tiles), {0, n}, nr, nr, steps, rows_inside};
}

// What such a product needs of a call: row i of A begins a_row * i behind `a`, and its elements lie a_k apart.
struct direct_call {
  std::int64_t m, n, k;
  const float* a;
  std::int64_t a_row, a_k;
  const float* b;
  float* c;
  std::int64_t ldc;
  bool beta;
  const epilogue_operands* operands;
};

// Whether a plan leaves products with this N and K whole, as long as they have no more than mc rows.
constexpr bool leaves_whole(const plan& p, std::int64_t n, std::int64_t k, layout a_layout) {
  const kernel_set& s = *p.kernels;
  return is_one_block(p.block, n, k) && !s.reads.pair &&
         p.format == packing{s.shape.along_k ? 1 : s.nr / s.shape.panels} &&
         fits_along_k(s.shape, p.format, p.block, a_layout);
}

// Whether the nest would do no more than walk the tiles of one whole item, with its chain. True also says that nothing
// in the plan needs another check but the operands of the chain.
inline bool is_direct(const gemm_call& x, const plan& p, const context& ctx) {
  const kernel_set& s = *p.kernels;
  return x.b_packed && x.batch == 1 && !x.bare && x.m <= p.block.mc && leaves_whole(p, x.n, x.k, x.a_layout) &&
         ctx.has(s.shape.family) && ctx.ready();
}

GEMWRIGHT_INLINE void run_direct(const direct_call& call, const plan& p) {
  const kernel_set& s = *p.kernels;
  const std::int64_t nr = s.nr;
  micro_args x;  // all of it is set, here and for each tile
  x.k = call.k;
  x.a_row = call.a_row;
  x.a_k = call.a_k;
  x.b_row = p.format.panel;
  x.b_panel = p.format.panel * call.k;
  x.ldc = call.ldc;
  x.accumulate = call.beta;
  x.finish = true;
  x.next = next_of(call.m, call.n, s.shape.mr, p.block.rows_inside);
  x.operands = call.operands;
  x.item = 0;
  x.pair = {};
  const tile_walk walk = whole_walk(call.m, call.n, nr, s.shape.mr, call.k, p.block.rows_inside);
  const bool ahead = prefetches_rows_of_a(call.m, call.k, call.a_k, p.block.rows_inside);
  const look_ahead prefetched{p.block.prefetch_rows, call.k, p.format.panel, walk.shares()};
  walk.each([&](const tile_place& t) GEMWRIGHT_INLINE_BODY {
    x.prefetch = prefetched.of(t.passes, t.b_next);
    x.a = call.a + t.row * call.a_row;
    if (ahead && t.first_column) prefetch_rows_of_a(x.a + t.rows * call.a_row, call.a_row, t.rows, call.k);
    x.b = call.b + t.b;
    x.c = call.c + t.row * call.ldc + t.column;
    x.row = t.row;
    x.col = t.column;
    x.cols = static_cast<int>(std::min(nr, call.n - t.column));
    (x.cols == nr ? s.full : s.tail)[t.rows - 1](x);
  });
}

// A and C of a row- or column-major A.
inline direct_call direct_call_of(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
                                  layout a_layout, const float* b, float* c, std::int64_t ldc, bool beta,
                                  const epilogue_operands& operands) {
  const bool by_rows = a_layout == layout::row_major;
  return {m, n, k, a, by_rows ? lda : 1, by_rows ? 1 : lda, b, c, ldc, beta, &operands};
}

}  // namespace gemwright_abi
}  // namespace gemwright
