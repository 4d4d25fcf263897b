// The loop nest around the micro-kernels: C[M,N] = chain(A[M,K] * B[K,N] + beta * C), `batch` times.
//
// A thread grid cuts the rows (of all batch items together), the columns and K into slices, one job each. Inside its
// slice a job walks cache blocks of mc x nc x kc in the given order; inside a block it walks tiles. Blocks and tiles of
// one slice differ by at most one tile or row in size, so that the last one is not a crumb. K always ascends and the
// partial sum of C is loaded back into the accumulators, so blocking never changes a bit of the result; slices of K do.
// A tile along K, or with several accumulators along it, sums them at the end of each block: with it kc changes the
// result too. With slices of K, slice 0 sums into C, the others into scratch memory, and a second phase adds them in
// ascending order, mc rows of one batch item at a time: that bounds the scratch memory whatever M is.
//
// Pairs of products (epilogue.h): n counts the columns of B, C has half as many. Where both halves of a column of C
// meet in one tile (packing::pair), the chain is to run in registers and K is one block and one slice, the tile
// combines them there. Otherwise all partial sums go to scratch memory, as with slices of K, and the second phase
// combines them: so any packing, also none, any blocking and any tile works. Both give the same bits as long as K is
// one slice.
//
// Where sums go through scratch memory the chain runs in the second phase, wherever the blocking wants it.
//
// The names follow K. Goto and R. van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gemwright/context.h"
#include "gemwright/pack.h"
#include "gemwright/tile.h"
#include "gemwright/walk.h"

namespace gemwright {
inline namespace gemwright_abi {

// One call. Strides count elements; a column-major A is K x M in memory, a column-major B is N x K.
struct gemm_call {
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  const float* a = nullptr;
  std::int64_t lda = 0, stride_a = 0;
  layout a_layout = layout::row_major;
  const float* b = nullptr;  // packed panels when b_packed, then ldb and b_layout mean nothing
  std::int64_t ldb = 0, stride_b = 0;
  layout b_layout = layout::row_major;
  bool b_packed = false;
  float* c = nullptr;
  std::int64_t ldc = 0, stride_c = 0;
  bool beta = false;  // add to C instead of overwriting it
  epilogue_operands operands{};
  // Leaves the chain out, to see what it costs. Of a pair the product stays in scratch memory: its blocking must have
  // the chain run as a pass of its own.
  bool bare = false;
};

// How to run it.
struct plan {
  const kernel_set* kernels;
  packing format;  // panel 0: B is read where it lies
  blocking block;
};

// Whether a call has to pack B itself.
constexpr bool packs_b(packing format, bool b_packed) { return format.panel > 0 && !b_packed; }

constexpr std::int64_t grid_jobs(const blocking& g) { return bounded_product(bounded_product(g.tm, g.tn), g.tk); }

// Whether both halves of a pair meet in each tile.
constexpr bool tile_holds_pairs(const tile& t, packing format) {
  const int width = vector_width(t.family);
  return format.pair > 0 && format.pair % width == 0 && t.nv * width % (2 * format.pair) == 0;
}
// Whether f32 tiles combine them there: with more than one block of K the sums have passed through memory.
constexpr bool pairs_in_tile(const tile& t, packing format, const blocking& g, std::int64_t k) {
  return tile_holds_pairs(t, format) && g.chain_at == fusion::registers && g.tk == 1 && g.kc >= k;
}

// Whether the vectors of a tile along K find A and B contiguous along it.
constexpr bool fits_along_k(const tile& t, packing format, const blocking& g, layout a_layout) {
  return !t.along_k || (format == packing{1} && a_layout == layout::row_major && g.pack_a == a_packing::none);
}

// Columns of a row of partial sums: packed columns with their padding, or those of B.
constexpr std::int64_t partial_columns(packing format, std::int64_t n) {
  return pair_layout{n / 2, format.pair}.packed();
}

// Floats of scratch for a plan over all M: a context made with it serves every call of the problem. `pair`: the chain
// is one of a pair of products.
constexpr scratch_size scratch_for(const tile& t, packing format, const blocking& g, std::int64_t n, std::int64_t k,
                                   std::int64_t batch, bool b_packed, bool pair = false) {
  const std::int64_t kc = g.kc < k ? g.kc : k;
  const std::int64_t mc = g.mc < max_extent ? g.mc : max_extent;
  const std::int64_t jobs = grid_jobs(g);
  const std::int64_t packed_b = packs_b(format, b_packed) ? bounded_product(packed_b_size(n, k, format), batch) : 0;
  // Slice 0 of K sums into C, but C is too narrow for a pair.
  const std::int64_t sums = !pair ? g.tk - 1 : pairs_in_tile(t, format, g, k) ? 0 : g.tk;
  const std::int64_t partial = bounded_product(sums, bounded_product(mc, pair ? partial_columns(format, n) : n));
  // A grid that is too large is refused when the plan is checked.
  return {g.pack_a != a_packing::none ? bounded_product(round_up(mc, t.mr), kc) : 0,
          static_cast<int>(jobs <= max_grid_jobs ? jobs : max_grid_jobs), packed_b + partial};
}

// Part i of `parts` of `total` units, as even as possible.
constexpr range slice(std::int64_t total, std::int64_t parts, std::int64_t i) {
  if (parts == 1) return {0, total};  // a division saved, where small problems have few cycles in all
  // Split quotient and remainder so that total * i cannot overflow.
  const std::int64_t q = total / parts;
  const std::int64_t r = total % parts;
  const std::int64_t begin = q * i + (r < i ? r : i);
  return {begin, begin + q + (i < r ? 1 : 0)};
}

constexpr scratch_size scratch_for(const plan& p, std::int64_t n, std::int64_t k, std::int64_t batch, bool b_packed) {
  return scratch_for(p.kernels->shape, p.format, p.block, n, k, batch, b_packed, p.kernels->reads.pair);
}

class loop_nest {
 public:
  loop_nest(const gemm_call& call, const plan& p, context& ctx)
      : call_(call), kernels_(*p.kernels), format_(p.format), g_(p.block), ctx_(ctx) {
    // With K = 0 the operands may be null and there is nothing to pack; any address will do: nothing is read.
    packs_a_ = p.block.pack_a != a_packing::none && call.k > 0;
    a_ = call.k > 0 ? call.a : call.c;
    b_ = call.k > 0 ? call.b : call.c;
    b_packed_ = call.b_packed;
    unit_ = column_unit(kernels_.shape, format_);
    b_row_ = format_.panel > 0 ? format_.panel : call.ldb;
    stride_b_ = call.stride_b;
    a_row_ = call.a_layout == layout::row_major ? call.lda : 1;
    a_k_ = call.a_layout == layout::row_major ? 1 : call.lda;
    depth_ = std::max<std::int64_t>(std::min(g_.kc, call.k), 1);
    in_tile_ = kernels_.reads.pair && pairs_in_tile(kernels_.shape, format_, g_, call.k);
    through_ = kernels_.reads.pair && !in_tile_;
    columns_ = kernels_.reads.pair ? partial_columns(format_, call.n) : call.n;
    pair_ = {call.n / 2, format_.pair};
  }

  void run() {
    const int jobs = g_.tm * g_.tn * g_.tk;
    if (packs_b(format_, call_.b_packed) && call_.k > 0) {
      pack_b_jobs_ = jobs;
      ctx_.run(
          jobs, [](void* self, int job) { static_cast<loop_nest*>(self)->pack_b(job); }, this);
      b_ = ctx_.shared_scratch();
      stride_b_ = packed_b_size(call_.n, call_.k, format_);
      b_packed_ = true;
      partial_ = ctx_.shared_scratch() + stride_b_ * call_.batch;
    } else {
      partial_ = ctx_.shared_scratch();
    }
    const task_function product = [](void* self, int job) { static_cast<loop_nest*>(self)->compute(job); };
    const task_function addition = [](void* self, int job) { static_cast<loop_nest*>(self)->add_up(job); };
    const bool direct = g_.tk == 1 && !through_;
    if (direct) {
      rows_ = {0, call_.m};
      items_ = {0, call_.batch};
      ctx_.run(jobs, product, this);
    }
    if (direct && !chains_at(fusion::pass)) return;
    const std::int64_t chunk = direct ? call_.m : g_.mc;
    for (std::int64_t item = 0; item < call_.batch; ++item) {
      for (std::int64_t row = 0; row < call_.m; row += chunk) {
        items_ = {item, item + 1};
        rows_ = {row, std::min(row + chunk, call_.m)};
        if (!direct) ctx_.run(jobs, product, this);
        if (!call_.bare) ctx_.run(jobs, addition, this);
      }
    }
  }

 private:
  using task_function = void (*)(void*, int);

  // One job's part of the product: its columns, its part of K, and where its packed A lives.
  struct part {
    range columns, depth;
    int k_slice;
    std::int64_t item;
    float* packed_a;
    std::int64_t packed_row = -1, packed_k = -1, packed_item = -1;  // which block packed_a holds; -1: none yet
  };
  struct block {
    range rows, columns, depth;
    bool first, last;  // of K in this slice
  };

  void pack_b(int job) {
    const std::int64_t panels = ceil_div(call_.n, format_.panel);
    const range mine = slice(panels * call_.batch, pack_b_jobs_, job);
    for (std::int64_t i = mine.begin; i < mine.end;) {
      const std::int64_t item = i / panels;
      const std::int64_t first = i % panels;
      const std::int64_t last = std::min(panels, first + mine.end - i);
      pack_b_panels(b_ + item * call_.stride_b, call_.ldb, call_.b_layout, call_.n, call_.k, format_, first, last,
                    ctx_.shared_scratch() + item * packed_b_size(call_.n, call_.k, format_));
      i += last - first;
    }
  }

  void compute(int job) {
    part p{};
    // Divisions are dear where the whole problem takes some hundred cycles: one job and one block go without.
    p.k_slice = job == 0 ? 0 : job % g_.tk;
    p.packed_a = packs_a_ ? ctx_.job_scratch(job) : nullptr;
    p.packed_row = p.packed_k = p.packed_item = -1;
    p.columns = {0, columns_};
    if (g_.tn > 1) {
      const range units = slice(ceil_div(columns_, unit_), g_.tn, job / g_.tk % g_.tn);
      p.columns = {units.begin * unit_, std::min(units.end * unit_, columns_)};
    }
    p.depth = slice(call_.k, g_.tk, p.k_slice);
    if (g_.tm == 1 && items_.size() == 1) {
      p.item = items_.begin;
      blocks(p, rows_);
      return;
    }
    // Rows of all items together, in whole tiles.
    const std::int64_t tiles = ceil_div(rows_.size(), kernels_.shape.mr);
    const range mine = slice(tiles * items_.size(), g_.tm, job == 0 ? 0 : job / g_.tk / g_.tn);
    for (std::int64_t t = mine.begin; t < mine.end;) {
      const std::int64_t first = t % tiles;
      const std::int64_t last = std::min(tiles, first + mine.end - t);
      p.item = items_.begin + t / tiles;
      blocks(p, {rows_.begin + tile_row(first, tiles), rows_.begin + tile_row(last, tiles)});
      t += last - first;
    }
  }

  // First row of tile t when the chunk's rows are spread evenly over `tiles` tiles.
  std::int64_t tile_row(std::int64_t t, std::int64_t tiles) const {
    const std::int64_t rows = rows_.size();
    return rows / tiles * t + std::min(t, rows % tiles);
  }

  // Extent of an even block: at most `most`, a multiple of `unit`.
  static std::int64_t even_block(std::int64_t total, std::int64_t most, std::int64_t unit) {
    const std::int64_t blocks = std::max<std::int64_t>(ceil_div(total, std::max(most, unit)), 1);
    return std::max(round_up(ceil_div(total, blocks), unit), unit);
  }

  void blocks(part& p, range rows) {
    // A job beyond the last panel begins behind the last column.
    if (rows.size() <= 0 || p.columns.size() <= 0) return;
    const std::int64_t nc = g_.nc < call_.n ? g_.nc : columns_;  // those of a pair are padded
    if (rows.size() <= g_.mc && p.columns.size() <= nc && p.depth.size() <= depth_) {
      tiles(p, {rows, p.columns, p.depth, true, true});
      return;
    }
    // A block of rows never exceeds mc rounded up to whole tiles: the scratch memory is made for that.
    const std::int64_t step[3] = {even_block(rows.size(), g_.mc, kernels_.shape.mr),
                                  even_block(p.columns.size(), nc, unit_), depth_};
    const range whole[3] = {rows, p.columns, p.depth};
    std::int64_t count[3];
    for (int d = 0; d < 3; ++d) count[d] = std::max<std::int64_t>(ceil_div(whole[d].size(), step[d]), 1);
    constexpr int kOrder[loop_order_count][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int* const o = kOrder[static_cast<int>(g_.order)];
    std::int64_t i[3];
    for (i[o[0]] = 0; i[o[0]] < count[o[0]]; ++i[o[0]]) {
      for (i[o[1]] = 0; i[o[1]] < count[o[1]]; ++i[o[1]]) {
        for (i[o[2]] = 0; i[o[2]] < count[o[2]]; ++i[o[2]]) {
          const auto cut = [&](int d) {
            const std::int64_t begin = whole[d].begin + i[d] * step[d];
            return range{begin, std::min(begin + step[d], whole[d].end)};
          };
          const block q{cut(0), cut(1), cut(2), i[2] == 0, i[2] == count[2] - 1};
          tiles(p, q);
        }
      }
    }
  }

  void pack_a(part& p, const block& q) {
    if (p.packed_row == q.rows.begin && p.packed_k == q.depth.begin && p.packed_item == p.item) return;
    p.packed_row = q.rows.begin;
    p.packed_k = q.depth.begin;
    p.packed_item = p.item;
    const int mr = kernels_.shape.mr;
    float* out = p.packed_a;
    const float* const a = a_ + p.item * call_.stride_a + q.depth.begin * a_k_;
    const std::int64_t count = ceil_div(q.rows.size(), mr);
    for (std::int64_t t = 0; t < count; ++t, out += mr * q.depth.size()) {
      const range r = slice(q.rows.size(), count, t);
      pack_a_panel(a + (q.rows.begin + r.begin) * a_row_, call_.lda, call_.a_layout, r.size(), q.depth.size(), out);
    }
  }

  void tiles(part& p, const block& q) {
    if (packs_a_) pack_a(p, q);
    micro_args x;  // all of it is set, here and for each tile; zeroing it first would take longer than that
    x.k = q.depth.size();
    x.a_row = packs_a_ ? 1 : a_row_;
    x.a_k = a_k_;
    x.b_row = b_row_;
    x.b_panel = b_row_ * call_.k;
    x.ldc = into_c(p) ? call_.ldc : columns_;
    x.accumulate = !q.first || (p.k_slice == 0 && call_.beta);
    x.finish = q.last && (in_tile_ || chains_at(fusion::registers));
    x.next =
        next_of(q.rows.size(), in_tile_ ? q.columns.size() / 2 : q.columns.size(), kernels_.shape.mr, g_.rows_inside);
    x.pair = pair_;
    x.operands = &call_.operands;
    x.item = p.item;
    walk(p, q, x);
    if (q.last && chains_at(fusion::block)) apply_chain(p.item, q.rows, q.columns);
  }

  // The tiles of a block. What they share is copied: behind each tile all else would be read again.
  void walk(const part& p, const block& q, micro_args& x) {
    const std::int64_t count = ceil_div(q.rows.size(), kernels_.shape.mr), mr = kernels_.shape.mr;
    const std::int64_t width = in_tile_ ? kernels_.nr / 2 : kernels_.nr;
    const std::int64_t last_column = in_tile_ ? pair_.columns : q.columns.end;
    const bool packed = packs_a_, halves = in_tile_, chained = q.last && chains_at(fusion::tile);
    const micro_kernel* const full = kernels_.full;
    const micro_kernel* const tail = kernels_.tail;
    const std::int64_t a_row = a_row_, ldc = x.ldc;
    // A row of A as it lies, from the block's part of K on.
    const float* const a = a_ + p.item * call_.stride_a + q.rows.begin * a_row + q.depth.begin * a_k_;
    // A block begins with a panel.
    const float* const b =
        b_ + p.item * stride_b_ +
        (b_packed_ ? q.columns.begin * call_.k + q.depth.begin * b_row_ : q.depth.begin * call_.ldb + q.columns.begin);
    float* const c = into_c(p) ? call_.c + p.item * call_.stride_c + q.rows.begin * ldc
                               : partial_ + (p.k_slice - (through_ ? 0 : 1)) * partial_stride() +
                                     (q.rows.begin - rows_.begin) * columns_;
    const tile_walk tiles{{0, count},    spread_rows(q.rows.size(), count), q.columns,
                          kernels_.nr,   b_packed_ ? unit_ : kernels_.nr,   b_packed_ ? call_.k : 1,
                          g_.rows_inside};
    const look_ahead prefetched{g_.prefetch_rows, x.k, b_row_, b_packed_ ? tiles.shares() : 1};
    const bool ahead = !packed && prefetches_rows_of_a(q.rows.size(), q.depth.size(), a_k_, g_.rows_inside);
    tiles.each([&](const tile_place& t) GEMWRIGHT_INLINE_BODY {
      x.prefetch = prefetched.of(t.passes, t.b_next);
      if (packed) {
        x.a_k = t.rows;
        x.a = p.packed_a + t.t * mr * x.k;
      } else {
        x.a = a + t.row * a_row;
        if (ahead && t.first_column) prefetch_rows_of_a(x.a + t.rows * a_row, a_row, t.rows, x.k);
      }
      x.b = b + t.b;
      x.row = q.rows.begin + t.row;
      x.col = halves ? t.column / 2 : t.column;
      x.c = c + t.row * ldc + x.col;
      x.cols = static_cast<int>(std::min(width, last_column - x.col));
      (x.cols == width ? full : tail)[t.rows - 1](x);
      if (chained) apply_chain(p.item, {x.row, x.row + t.rows}, {x.col, x.col + x.cols});
    });
  }

  // Whether the chain runs there, on the elements of C itself.
  bool chains_at(fusion place) const { return g_.chain_at == place && g_.tk == 1 && !through_ && !call_.bare; }

  void apply_chain(std::int64_t item, range rows, range columns) const {
    reduce_args x{};
    x.c = call_.c + item * call_.stride_c + rows.begin * call_.ldc + columns.begin;
    x.ldc = call_.ldc;
    x.rows = rows.size();
    x.cols = columns.size();
    x.operands = &call_.operands;
    x.item = item;
    x.row = rows.begin;
    x.col = columns.begin;
    kernels_.reduce(x);
  }

  bool into_c(const part& p) const { return p.k_slice == 0 && !through_; }

  std::int64_t partial_stride() const { return g_.mc * columns_; }

  // Second phase: this job's part of the chunk, whole rows where there are enough of them.
  void add_up(int job) {
    const std::int64_t jobs = g_.tm * g_.tn * g_.tk;
    const std::int64_t row_parts = std::min(jobs, rows_.size());
    const std::int64_t column_parts = jobs / row_parts;
    if (job >= row_parts * column_parts) return;
    const std::int64_t cols = kernels_.reads.pair ? pair_.columns : call_.n;
    constexpr std::int64_t kLine = 16;  // floats: no two jobs write one cache line of an aligned C
    const range lines = slice(ceil_div(cols, kLine), column_parts, job / row_parts);
    const range columns{lines.begin * kLine, std::min(lines.end * kLine, cols)};
    const range mine = slice(rows_.size(), row_parts, job % row_parts);
    if (mine.size() == 0 || columns.size() <= 0) return;
    reduce_args x{};
    x.c = call_.c + items_.begin * call_.stride_c + (rows_.begin + mine.begin) * call_.ldc + columns.begin;
    x.ldc = call_.ldc;
    x.slices = through_ ? g_.tk : g_.tk - 1;
    if (x.slices > 0) x.partial = partial_ + mine.begin * columns_ + (kernels_.reads.pair ? 0 : columns.begin);
    x.partial_stride = partial_stride();
    x.rows = mine.size();
    x.cols = columns.size();
    x.operands = &call_.operands;
    x.item = items_.begin;
    x.row = rows_.begin + mine.begin;
    x.col = columns.begin;
    x.width = columns_;
    x.pair = pair_;
    kernels_.reduce(x);
  }

  const gemm_call& call_;
  const kernel_set& kernels_;
  const packing format_;
  const blocking& g_;
  context& ctx_;
  const float* a_;
  const float* b_;
  bool b_packed_;
  std::int64_t unit_, b_row_, stride_b_, a_row_, a_k_, depth_;
  float* partial_ = nullptr;
  int pack_b_jobs_ = 0;
  bool packs_a_;
  bool in_tile_, through_;  // where a pair is combined
  std::int64_t columns_;    // of the product
  pair_layout pair_;
  range rows_{0, 0}, items_{0, 0};
};

}  // namespace gemwright_abi
}  // namespace gemwright
