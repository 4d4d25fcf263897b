// Products that need none of the loop nest's means: packed weights, one job, one block, A read where it lies, the chain
// in registers. The tiles, their order and the bits are those of the nest (loop_nest.h); what is left out is setting it
// up, which takes longer than a whole product of 16 x 16 x 16.
#pragma once

#include <algorithm>

#include "gemwright/context.h"
#include "gemwright/loop_nest.h"
#include "gemwright/macros.h"

namespace gemwright {
inline namespace gemwright_abi {

// Whether a blocking leaves a product of this size whole, as long as it has no more than mc rows.
constexpr bool is_one_block(const blocking& g, std::int64_t n, std::int64_t k) {
  // Farther ahead than this no prefetch is of use; the bound keeps its address from overflowing.
  constexpr std::int64_t kMostAhead = 1 << 20;
  return n <= g.nc && k <= g.kc && k > 0 && g.tm == 1 && g.tn == 1 && g.tk == 1 && g.pack_a == a_packing::none &&
         g.chain_at == fusion::registers && g.prefetch_rows >= 0 && g.prefetch_rows <= kMostAhead;
}

// The tiles of a product. A class, since its function takes a type of the caller: where two exports of different
// versions meet, a free one would be found in both of their namespaces.
struct tile_walk {
  std::int64_t m, n, nr;
  int mr;
  bool rows_inside;

  // Tiles of rows that pass over a panel of B, and columns from those at `col` to the next that are read: 0 at the
  // last.
  std::int64_t shares() const { return rows_inside && m > mr ? ceil_div(m, mr) : 1; }
  std::int64_t to_next(std::int64_t col) const { return n - col > nr ? nr : 0; }

  // tile(number of the tile of rows, first row, rows, first column) for each tile. Rows are spread evenly over the
  // tiles: the first ones have one more. Inlined, because in an exported header the plan and N are constants.
  template <class Tile>
  GEMWRIGHT_INLINE void each(const Tile& tile) const {
    if (m <= mr) {  // without a division
      for (std::int64_t col = 0; col < n; col += nr) tile(0, 0, m, col);
      return;
    }
    const std::int64_t tiles = ceil_div(m, mr), even = m / tiles, longer = m - even * tiles;
    const auto rows_of = [=](std::int64_t t) { return even + (t < longer ? 1 : 0); };
    if (rows_inside) {
      for (std::int64_t col = 0; col < n; col += nr) {
        for (std::int64_t t = 0, row = 0; t < tiles; row += rows_of(t++)) tile(t, row, rows_of(t), col);
      }
    } else {
      for (std::int64_t t = 0, row = 0; t < tiles; row += rows_of(t++)) {
        for (std::int64_t col = 0; col < n; col += nr) tile(0, row, rows_of(t), col);
      }
    }
  }
};

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
  return is_one_block(p.block, n, k) && !s.reads.pair && p.format == packing{s.nr / s.shape.panels} &&
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
  const tile_walk walk{call.m, call.n, nr, s.shape.mr, p.block.rows_inside};
  const bool ahead = prefetches_rows_of_a(call.m, call.k, call.a_k, p.block.rows_inside);
  const look_ahead prefetched{p.block.prefetch_rows, call.k, p.format.panel, walk.shares()};
  walk.each([&](std::int64_t t, std::int64_t row, std::int64_t rows, std::int64_t col) GEMWRIGHT_INLINE_BODY {
    x.prefetch = prefetched.of(t, walk.to_next(col) * call.k);
    x.a = call.a + row * call.a_row;
    if (ahead && col == 0) prefetch_rows_of_a(x.a + rows * call.a_row, call.a_row, rows, call.k);
    x.b = call.b + col * call.k;
    x.c = call.c + row * call.ldc + col;
    x.row = row;
    x.col = col;
    x.cols = static_cast<int>(std::min(nr, call.n - col));
    (x.cols == nr ? s.full : s.tail)[rows - 1](x);
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
