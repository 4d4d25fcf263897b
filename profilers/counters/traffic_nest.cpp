#include "profilers/counters/traffic_nest.h"

#include <gemwright/loop_nest.h>

#include <algorithm>

namespace gemwright::profilers {
namespace {

// Mirrors loop_nest::even_block.
std::int64_t even_block(std::int64_t total, std::int64_t most, std::int64_t unit) {
  const std::int64_t blocks = std::max<std::int64_t>(ceil_div(total, std::max(most, unit)), 1);
  return std::max(round_up(ceil_div(total, blocks), unit), unit);
}

// A stretch of rows or columns that one job walks, `count` times over. `tile` divides `unit`.
struct Stretch {
  std::int64_t size, most, unit, tile;
};
struct Parts {
  std::int64_t block, blocks, tiles;
};
Parts parts_of(const Stretch& s) {
  const std::int64_t block = even_block(s.size, s.most, s.unit);
  return {std::min(block, s.size), ceil_div(s.size, block), ceil_div(s.size, s.tile)};
}

void add_stretch(Dimension& d, const Stretch& s, double count) {
  if (s.size <= 0) return;
  const Parts p = parts_of(s);
  d.apart.tiles += count * static_cast<double>(p.tiles);
  d.apart.blocks += count * static_cast<double>(p.blocks);
  d.apart.chunks += count;
  if (s.size <= d.largest) return;
  d.largest = s.size;
  d.block = p.block;
  d.blocks = p.blocks;
}

// Threads in step fetch as often as the longest of them needs.
void share(Dimension& d, const Stretch& longest, double count) {
  const Parts p = parts_of(longest);
  d.shared.tiles += count * static_cast<double>(p.tiles);
  d.shared.blocks += count * static_cast<double>(p.blocks);
  d.shared.chunks += count;
}

Dimension columns_of(const TrafficInput& in, std::int64_t unit, std::int64_t nr) {
  Dimension d;
  const std::int64_t units = ceil_div(in.n, unit);
  for (int i = 0; i < in.blocking.tn; ++i) {
    const gemwright::range r = gemwright::slice(units, in.blocking.tn, i);
    add_stretch(d, {std::min(r.end * unit, in.n) - r.begin * unit, in.blocking.nc, unit, nr}, 1);
  }
  share(d, {d.largest, in.blocking.nc, unit, nr}, 1);
  d.apart.slices = d.apart.chunks;
  d.shared.slices = 1;
  return d;
}

// First row of tile t of `tiles`, as the loop nest spreads them.
std::int64_t tile_row(std::int64_t rows, std::int64_t tiles, std::int64_t t) {
  return rows / tiles * t + std::min(t, rows % tiles);
}

// Without split-K a job has a run of tiles of all batch items: a piece of its first item, whole ones, a piece of its
// last.
void rows_of_items(const TrafficInput& in, Nest& nest) {
  const std::int64_t mr = in.tile.mr, tiles = ceil_div(in.m, mr);
  Dimension& d = nest.rows;
  for (int i = 0; i < in.blocking.tm; ++i) {
    const gemwright::range mine = gemwright::slice(tiles * in.batch, in.blocking.tm, i);
    double rows = 0, items = 0;
    const auto add = [&](std::int64_t first, std::int64_t last, std::int64_t count) {
      const std::int64_t size = tile_row(in.m, tiles, last) - tile_row(in.m, tiles, first);
      if (size <= 0 || count <= 0) return;
      add_stretch(d, {size, in.blocking.mc, mr, mr}, static_cast<double>(count));
      rows += static_cast<double>(size) * static_cast<double>(count);
      items += static_cast<double>(count);
    };
    const std::int64_t whole_from = round_up(mine.begin, tiles), whole_to = mine.end / tiles * tiles;
    if (whole_from > whole_to) {
      add(mine.begin % tiles, mine.begin % tiles + mine.size(), 1);  // inside one item
    } else {
      add(mine.begin % tiles, tiles, mine.begin == whole_from ? 0 : 1);
      add(0, tiles, (whole_to - whole_from) / tiles);
      add(0, mine.end - whole_to, 1);
    }
    nest.job_rows = std::max(nest.job_rows, rows);
    nest.job_items = std::max(nest.job_items, items);
  }
  d.apart.slices = d.apart.chunks;
  share(d, {d.largest, in.blocking.mc, mr, mr}, static_cast<double>(in.batch));
  d.shared.slices = static_cast<double>(in.batch);
  nest.chunk_rows = static_cast<double>(in.m);
}

// With split-K all jobs walk one item after the other, mc rows at a time.
void rows_of_chunks(const TrafficInput& in, Nest& nest) {
  const std::int64_t mr = in.tile.mr, jobs = gemwright::grid_jobs(in.blocking);
  const double batch = static_cast<double>(in.batch);
  Dimension& d = nest.rows;
  const auto add = [&](std::int64_t rows, std::int64_t count) {
    if (rows <= 0 || count <= 0) return;
    const std::int64_t tiles = ceil_div(rows, mr);
    const double times = batch * static_cast<double>(count);
    std::int64_t longest = 0;
    for (int i = 0; i < in.blocking.tm; ++i) {
      const gemwright::range r = gemwright::slice(tiles, in.blocking.tm, i);
      const std::int64_t size = tile_row(rows, tiles, r.end) - tile_row(rows, tiles, r.begin);
      add_stretch(d, {size, in.blocking.mc, mr, mr}, times);
      longest = std::max(longest, size);
    }
    share(d, {longest, in.blocking.mc, mr, mr}, times);
    d.apart.slices =
        std::max(d.apart.slices, batch * static_cast<double>(std::min<std::int64_t>(tiles, in.blocking.tm)));
    nest.reducers += times * static_cast<double>(std::min(rows, jobs));
  };
  const std::int64_t mc = std::min(in.blocking.mc, in.m);
  add(mc, in.m / mc);
  add(in.m % mc, 1);
  d.shared.slices = batch;
  nest.chunk_rows = static_cast<double>(mc);
  nest.job_rows = batch * static_cast<double>(std::min(d.largest * ceil_div(in.m, mc), in.m));
  nest.job_items = batch;
}

void set_loops(const TrafficInput& in, std::int64_t nr, Nest& nest) {
  const auto f = [](std::int64_t x) { return static_cast<double>(x); };
  const std::int64_t mb = nest.rows.block, nb = nest.columns.block, kb = std::min(nest.depth, nest.largest_k);
  const std::int64_t whole[3] = {nest.rows.largest, nest.columns.largest, nest.largest_k};
  const bool several[3] = {nest.rows.blocks > 1, nest.columns.blocks > 1, nest.largest_k > nest.depth};
  const std::int64_t mr = std::min<std::int64_t>(in.tile.mr, mb), nt = std::min(nr, nb);
  const bool rows_inside = in.blocking.rows_inside;
  const bool tiles_several[2] = {mb > mr, nb > nt};
  const int first = rows_inside ? 0 : 1, second = 1 - first;
  nest.loops[kInnerTiles] = {first, tiles_several[first], {f(mr), f(nt), f(kb)}};
  nest.loops[kOuterTiles] = {
      second, tiles_several[second], {f(rows_inside ? mb : mr), f(rows_inside ? nt : nb), f(kb)}};
  constexpr int kOrder[gemwright::loop_order_count][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                          {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const int* const order = kOrder[static_cast<int>(in.blocking.order)];
  std::int64_t now[3] = {mb, nb, kb};
  bool moved = false;  // over blocks of A, in the loops so far
  for (int i = 0; i < 3; ++i) {
    const int d = order[2 - i], loop = kInnerBlocks + i;
    nest.loops[static_cast<std::size_t>(loop)] = {d, several[d], {f(now[0]), f(now[1]), f(now[2])}};
    nest.reuse[d == 0 ? kOperandB : d == 1 ? kOperandA : kOperandC] = loop;
    if (d == 1) nest.packs_a_again = moved;
    if (d != 1) moved = moved || several[d];
    now[d] = whole[d];
  }
  nest.loops[kChunks] = {0, static_cast<double>(in.m) > nest.chunk_rows, {f(now[0]), f(now[1]), f(now[2])}};
}

}  // namespace

Nest nest_of(const TrafficInput& in) {
  const gemwright::blocking& g = in.blocking;
  const std::int64_t nr = gemwright::columns_of(in.tile);
  Nest nest;
  nest.rows_of_all = static_cast<double>(in.m * in.batch);
  nest.packs_a = g.pack_a != gemwright::a_packing::none && in.k > 0;
  nest.packs_b = gemwright::packs_b(in.format, in.b_packed) && in.k > 0;
  nest.columns = columns_of(in, gemwright::column_unit(in.tile, in.format), nr);
  g.tk == 1 || in.dot ? rows_of_items(in, nest) : rows_of_chunks(in, nest);
  nest.depth = std::max<std::int64_t>(std::min(g.kc, in.k), 1);
  for (int i = 0; i < g.tk; ++i) {
    const std::int64_t size = gemwright::slice(in.k, g.tk, i).size();
    nest.k_blocks += static_cast<double>(std::max<std::int64_t>(ceil_div(size, nest.depth), 1));
    nest.largest_k = std::max(nest.largest_k, size);
  }
  set_loops(in, nr, nest);
  if (in.dot) nest.packs_a_again = false;
  return nest;
}

}  // namespace gemwright::profilers
