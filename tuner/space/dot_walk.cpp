#include "tuner/space/dot_walk.h"

#include <algorithm>
#include <array>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;

// A thread's share of `total` units over `parts` threads has one of two sizes.
struct Shares {
  std::int64_t large, small;
};
Shares shares(std::int64_t total, std::int64_t parts) { return {ceil_of(total, parts), total / parts}; }

std::int64_t item_tiles(const SpaceInput& in, const Config& c) { return ceil_of(in.m, c.tile.mr); }
// Tiles in mc rows. More than one item's are not asked for: they share no weights.
std::int64_t chunk_tiles(const SpaceInput& in, const Config& c) {
  return ceil_of(std::min(c.blocking.mc, in.m), c.tile.mr);
}
// Whether all jobs work on one chunk at a time: because they pack it together, or because its sums wait for all of
// them.
bool share_chunks(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  return sums_wait(in.problem, c) || (b.pack_a == a_packing::shared && b.tn > 1);
}

// Whole panels and whole tiles.
std::int64_t unit_of(const Config& c) { return gemwright::column_unit(c.tile, c.format); }

// The smallest block that cuts the share into as many even parts as `most` does.
std::int64_t even_part(std::int64_t share, std::int64_t most) { return ceil_of(share, ceil_of(share, most)); }

// The same for shares of both sizes.
std::int64_t even_parts(Shares s, std::int64_t most) {
  return std::max(even_part(s.large, most), s.small > 0 ? even_part(s.small, most) : 0);
}

std::int64_t even_chunk_tiles(const SpaceInput& in, const Config& c) {
  const std::int64_t total = item_tiles(in, c) * in.problem.batch, most = chunk_tiles(in, c);
  if (!share_chunks(in, c)) return even_parts(shares(total, c.blocking.tm), most);
  const std::int64_t chunks = ceil_of(total, most * c.blocking.tm);
  return ceil_of(total, chunks * c.blocking.tm);
}

// A slice of K, the longest one.
std::int64_t slice_words(const SpaceInput& in, const Config& c) {
  return ceil_of(k_words(c.mode, in.problem.k), c.blocking.tk);
}
// Blocks of K in words: full ones, and a shorter last one.
std::int64_t depth_words(const SpaceInput& in, const Config& c) {
  return k_words(c.mode, std::min(c.blocking.kc, in.problem.k));
}

// Whether no block can hold tiles of two items: of these it would walk one behind the other. False where shares differ,
// though some of those hold none either.
bool keeps_items_apart(const SpaceInput& in, const Config& c, const Geometry& g) {
  if (in.problem.batch == 1 || g.block_row_tiles == 1) return true;
  const bool even = g.row_tiles * in.problem.batch % (g.row_blocks * c.blocking.tm) == 0;
  return even && g.row_tiles % g.block_row_tiles == 0;
}

// A loop over column blocks that directly encloses the loop over column tiles is one loop with it.
void join_columns(const SpaceInput& in, Config& c) {
  const Geometry g = dot_geometry_of(in, c);
  auto& b = c.blocking;
  if (g.block_row_tiles <= 1 || g.block_column_tiles <= 1) b.rows_inside = true;
  if (b.chain_at == gemwright::fusion::block) return;  // a block decides when the chain runs
  if (g.depth_blocks == 1 && b.rows_inside && keeps_items_apart(in, c, g)) b.nc = in.problem.n;
}

// The same for rows, where a chunk is but a loop: nothing is packed.
void join_rows(const SpaceInput& in, Config& c) {
  const Geometry g = dot_geometry_of(in, c);
  auto& b = c.blocking;
  if (b.chain_at == gemwright::fusion::block || sums_wait(in.problem, c)) return;
  if (b.pack_a != a_packing::none || g.row_blocks == 1 || g.column_blocks > 1 || g.depth_blocks > 1) return;
  if (b.rows_inside && g.block_row_tiles > 1 && g.block_column_tiles > 1) return;
  b.mc = in.m;
  b.mc = chunk_rows(in, c);
  b.rows_inside = false;
}

}  // namespace

Geometry dot_geometry_of(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  const std::int64_t m = in.m, n = in.problem.n, unit = unit_of(c);
  Geometry g{};
  g.row_tiles = item_tiles(in, c);
  const std::int64_t total = g.row_tiles * in.problem.batch, slice_tiles = ceil_of(total, b.tm);
  g.slice_rows = std::min(m, slice_tiles * c.tile.mr);
  g.column_unit = unit;
  g.column_units = ceil_of(n, unit);
  g.slice_columns = std::min(n, ceil_of(g.column_units, b.tn) * unit);
  g.slice_depth = std::min(slice_words(in, c) * gemwright::k_group(c.mode), in.problem.k);
  const std::int64_t most = chunk_tiles(in, c);
  if (share_chunks(in, c)) {
    g.row_blocks = ceil_of(total, most * b.tm);
    g.block_row_tiles = ceil_of(ceil_of(total, g.row_blocks), b.tm);
  } else {
    g.row_blocks = ceil_of(slice_tiles, most);
    g.block_row_tiles = even_parts(shares(total, b.tm), most);
  }
  const Shares units = shares(g.column_units, b.tn);
  const std::int64_t block = ceil_of(std::max(b.nc, unit), unit);
  g.column_blocks = ceil_of(units.large, block);
  g.block_column_tiles = ceil_of(std::min(even_parts(units, block) * unit, g.slice_columns), nr(c.tile));
  g.depth_blocks = ceil_of(slice_words(in, c), depth_words(in, c));
  return g;
}

std::int64_t chunk_rows(const SpaceInput& in, const Config& c) {
  return std::min(even_chunk_tiles(in, c) * c.tile.mr, in.m);
}

std::int64_t block_columns(const SpaceInput& in, const Config& c) {
  const std::int64_t unit = unit_of(c);
  const Shares units = shares(ceil_of(in.problem.n, unit), c.blocking.tn);
  const std::int64_t block = ceil_of(std::max(c.blocking.nc, unit), unit);
  if (block >= units.large) return in.problem.n;
  return even_parts(units, block) * unit;
}

std::int64_t most_chunk_rows(const SpaceInput& in, const Config& c) {
  if (c.blocking.pack_a == a_packing::none) return kMaxSize;
  const std::int64_t words = k_words(c.mode, in.problem.k) * a_words(c.mode, c.tile.family) * c.tile.mr;
  return std::max<std::int64_t>(kMaxPackedABytes / kWordBytes / words, 1) * c.tile.mr;
}

std::int64_t partial_bytes(const SpaceInput& in, const Config& c) {
  const Geometry g = dot_geometry_of(in, c);
  if (g.depth_blocks == 1 || sums_wait(in.problem, c)) return 0;
  const std::int64_t rows = up_to_multiple(std::min(c.blocking.mc, in.m), c.tile.mr);
  return rows * up_to_multiple(std::min(c.blocking.nc, in.problem.n), unit_of(c)) * kWordBytes;
}

std::int64_t slice_bytes(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  if (!sums_wait(in.problem, c)) return 0;
  const std::int64_t rows = up_to_multiple(std::min(b.mc, in.m), c.tile.mr) * b.tm;
  return rows * up_to_multiple(in.problem.n, unit_of(c)) * b.tk * kWordBytes;
}

std::int64_t most_waiting_rows(const SpaceInput& in, Config c) {
  if (!sums_wait(in.problem, c)) return kMaxSize;
  c.blocking.mc = c.tile.mr;
  return kMaxSplitBytes / slice_bytes(in, c) * c.tile.mr;
}

Config canonical_dot(const SpaceInput& in, Config c) {
  auto& b = c.blocking;
  b.order = gemwright::loop_order::mnk;
  if (sums_wait(in.problem, c) && b.pack_a == a_packing::job) b.pack_a = a_packing::shared;
  if (b.pack_a == a_packing::shared && !share_chunks(in, c)) b.pack_a = a_packing::job;
  // Rows are spread evenly over the tiles of an item, so a tile that is taller than what it gets is the shorter one.
  const std::int64_t tiles = even_chunk_tiles(in, c);
  c.tile.mr = static_cast<int>(ceil_of(in.m, item_tiles(in, c)));
  b.mc = std::min(tiles * c.tile.mr, in.m);
  b.nc = block_columns(in, c);
  const std::int64_t depth = depth_words(in, c);
  b.kc = depth >= slice_words(in, c) ? in.problem.k : depth * gemwright::k_group(c.mode);
  join_columns(in, c);
  join_rows(in, c);
  join_columns(in, c);
  return c;
}

}  // namespace gemwright::tuner
