// Which configs run the same program. Follows the loop nest of kernels/gemwright/loop_nest.h: it cuts a slice into even
// blocks and a block into even tiles, so several block sizes and several MR mean one and the same walk. Dot modes have
// a loop nest of their own: dot_walk.cpp.
#include <algorithm>

#include "tuner/space/dot_walk.h"
#include "tuner/space/limits.h"
#include "tuner/space/space.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::fusion;
using gemwright::loop_order;
using gemwright::prefetch;

constexpr int kRows = 0, kColumns = 1, kDepth = 2;
constexpr int kNest[gemwright::loop_order_count][3] = {{kRows, kColumns, kDepth}, {kRows, kDepth, kColumns},
                                                       {kColumns, kRows, kDepth}, {kColumns, kDepth, kRows},
                                                       {kDepth, kRows, kColumns}, {kDepth, kColumns, kRows}};

// The loops that run more than once, outermost first.
struct Nest {
  int loops[3];
  int count = 0;

  Nest(loop_order order, const Geometry& g) {
    const bool runs[3] = {g.row_blocks > 1, g.column_blocks > 1, g.depth_blocks > 1};
    for (int dimension : kNest[static_cast<int>(order)]) {
      if (runs[dimension]) loops[count++] = dimension;
    }
  }
  bool operator==(const Nest& other) const {
    return count == other.count && std::equal(loops, loops + count, other.loops);
  }
  bool innermost_is(int dimension) const { return count > 0 && loops[count - 1] == dimension; }
};

void make_blocks_even(const SpaceInput& in, Config& c) {
  const Geometry g = geometry(in, c);
  auto& b = c.blocking;
  const std::int64_t m = in.m, n = in.problem.n;
  const bool phases = sums_in_memory(in.problem, c) > 0;  // which mc cuts, too
  const bool one_row_slice = b.tm == 1 && !phases;
  if (b.mc >= (phases ? m : g.slice_rows)) {
    b.mc = m;
  } else if (one_row_slice) {
    b.mc = even_extent(m, b.mc, c.tile.mr);
  }
  if (b.nc >= g.slice_columns) {
    b.nc = n;
  } else if (b.tn == 1) {
    b.nc = std::min(even_extent(n, b.nc, g.column_unit), n);
  }
  if (b.kc >= g.slice_depth) b.kc = in.problem.k;
}

// Rows are spread evenly over the tiles, so a tile that is taller than the rows it gets is the shorter one, also in
// slices: there are fewer tiles than rows in one. A packed A keeps its MR: it is in the distance between two row
// panels.
void shorten_tile(const SpaceInput& in, Config& c) {
  if (c.blocking.mc != in.m || c.blocking.pack_a != a_packing::none) return;
  c.tile.mr = static_cast<int>(ceil_of(in.m, ceil_of(in.m, c.tile.mr)));
}

// A loop over blocks that directly encloses the loop over tiles of the same dimension is one loop.
void join_loops(const SpaceInput& in, Config& c) {
  if (c.blocking.chain_at == fusion::block) return;  // what a block is decides when the chain runs
  const Geometry g = geometry(in, c);
  auto& b = c.blocking;
  const Nest nest(b.order, g);
  const bool one_row_tile = g.block_row_tiles <= 1, one_column_tile = g.block_column_tiles <= 1;
  if (nest.innermost_is(kColumns) && (b.rows_inside || one_row_tile || one_column_tile)) {
    b.nc = in.problem.n;
    b.rows_inside = true;
  } else if (nest.innermost_is(kRows) && (!b.rows_inside || one_row_tile || one_column_tile)) {
    // Only where joining moves no row to another tile and no row panel to another packed block.
    if (in.m % c.tile.mr == 0 && b.pack_a == a_packing::none) {
      b.mc = in.m;
      b.rows_inside = false;
    }
  }
}

// Where there is no choice the chain is said to run in registers; a pair leaves them for a pass alone, because its sums
// go through scratch memory then.
void settle_fusion(const SpaceInput& in, Config& c) {
  auto& at = c.blocking.chain_at;
  const bool pair = has_pair(in.problem);
  if (!may_choose_fusion(in.problem, c) || (pair && !holds_pairs(in.problem, c))) at = fusion::registers;
  if (pair && at != fusion::registers) at = fusion::pass;
}

void choose_order(const SpaceInput& in, Config& c) {
  const Geometry g = geometry(in, c);
  if (g.block_row_tiles <= 1 || g.block_column_tiles <= 1) c.blocking.rows_inside = true;
  c.blocking.order = canonical_order(c.blocking.order, g);
}

}  // namespace

loop_order canonical_order(loop_order order, const Geometry& g) {
  const Nest wanted(order, g);
  for (int o = 0; o < gemwright::loop_order_count; ++o) {
    if (Nest(static_cast<loop_order>(o), g) == wanted) return static_cast<loop_order>(o);
  }
  return order;
}

Geometry geometry(const SpaceInput& in, const Config& c) {
  if (is_dot(c.mode)) return dot_geometry_of(in, c);
  const auto& b = c.blocking;
  const std::int64_t mr = c.tile.mr, m = in.m, n = in.problem.n, k = in.problem.k;
  Geometry g{};
  g.row_tiles = ceil_of(m, mr);
  // With sums in memory the loop nest works on mc rows of one item at a time, else on the rows of all items together.
  const bool phases = sums_in_memory(in.problem, c) > 0;
  const std::int64_t rows = phases ? std::min(b.mc, m) : m;
  const std::int64_t tiles = ceil_of(rows, mr);
  const std::int64_t slice_tiles = std::min(tiles, ceil_of(tiles * (phases ? 1 : in.problem.batch), b.tm));
  g.slice_rows = std::min(rows, slice_tiles * mr);
  g.column_unit = gemwright::column_unit(c.tile, c.format);
  g.column_units = ceil_of(n, g.column_unit);
  g.slice_columns = std::min(n, ceil_of(g.column_units, b.tn) * g.column_unit);
  g.slice_depth = ceil_of(k, b.tk);
  const std::int64_t block_rows = std::min(even_extent(g.slice_rows, b.mc, mr), g.slice_rows);
  const std::int64_t block_columns = std::min(even_extent(g.slice_columns, b.nc, g.column_unit), g.slice_columns);
  g.row_blocks = ceil_of(g.slice_rows, block_rows);
  g.column_blocks = ceil_of(g.slice_columns, block_columns);
  g.depth_blocks = ceil_of(g.slice_depth, std::min(b.kc, k));
  g.block_row_tiles = ceil_of(block_rows, mr);
  g.block_column_tiles = ceil_of(block_columns, nr(c.tile));
  return g;
}

Config canonical(const SpaceInput& in, Config c) {
  if (!has_meaning(c)) return c;
  if (c.tile.hint == prefetch::none) c.blocking.prefetch_rows = 0;
  c.tile.ku = std::max(c.tile.ku, c.tile.ka);  // the micro-kernel unrolls at least once around its accumulators
  c.tile.mr = static_cast<int>(std::min<std::int64_t>(c.tile.mr, in.m));
  settle_fusion(in, c);
  if (is_dot(c.mode)) return canonical_dot(in, c);
  // Every pass can make room for the next; each makes blocks whole or leaves them, so this ends.
  for (Config before;;) {
    before = c;
    make_blocks_even(in, c);
    shorten_tile(in, c);
    join_loops(in, c);
    choose_order(in, c);
    settle_fusion(in, c);  // a block of K may have become whole
    if (c == before) return c;
  }
}

}  // namespace gemwright::tuner
