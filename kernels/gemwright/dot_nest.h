// The loop nest around the dot tiles: C[M,N] = chain(A[M,K] * B[K,N] + beta * C), `batch` times.
//
// A is packed whole rows of K at a time: the scale of a row is known only when all of it was read. Rows pass in chunks
// of mc rows a slice of the grid, so scratch memory is bounded whatever M is. With a_packing::shared the jobs pack a
// chunk together and wait for each other before they multiply; with a_packing::job each packs the rows it needs itself:
// no waiting, but tn times the packing. With a_packing::none tiles read A where it lies (see reads_a_in_place). In a
// chunk a job walks blocks of nc columns; in these, blocks of kc along K, whose raw accumulators wait in scratch
// memory; then tiles. So the loop order is mnk. A chain that is not to run in registers needs a C of f32, but for
// pairs: another one would be rounded before it. With one accumulator along K no blocking changes a bit of the result.
//
// With slices of K (tk) the jobs of a chunk leave the raw accumulators of their slice in scratch memory; in a further
// phase they are added in ascending order and the tiles finish them, as the last block of K would. That changes the
// bits of bf16 for their number alone, and none of u8s8, whose sums are exact. A is packed together, or read in place.
//
// The same phase combines pairs of products (epilogue.h) whose halves do not meet in a tile, so columns that keep their
// order, any tile and a pass of its own work for them. All give the same bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gemwright/context.h"
#include "gemwright/dot_plan.h"
#include "gemwright/walk.h"

namespace gemwright {
inline namespace gemwright_abi {

class dot_nest {
 public:
  dot_nest(const dot_call& call, const dot_plan& p, context& ctx)
      : call_(call),
        kernels_(*p.kernels),
        format_(p.format),
        g_(p.block),
        ctx_(ctx),
        x_(geometry_of(*p.kernels, p.format, p.block, call.n, call.k)) {
    unit_ = column_unit(kernels_.shape, format_);
    item_tiles_ = ceil_div(call.m, kernels_.shape.mr);
    spread_ = spread_rows(call.m, item_tiles_);
    pair_ = {call.n / 2, format_.pair};
    waits_ = x_.slice_words > 0;
    in_memory_ = pairs_in_memory(kernels_, format_, g_);
    columns_ = kernels_.reads.pair ? partial_columns(format_, call.n) : call.n;
    if (call.batch > 1 || call.weights == nullptr) {
      b_size_ = packed_dot_size(kernels_.mode, call.n, call.k, format_);
    }
    shared_ = reinterpret_cast<std::uint32_t*>(ctx.shared_scratch());
    if (x_.in_place && has_column_scales(kernels_.mode)) {
      std::fill_n(scales_, kernels_.shape.mr, call.a_scale);
      std::fill_n(zeros_, kernels_.shape.mr, call.a_zero);
    }
  }

  void run() {
    const int jobs = g_.tm * g_.tn * g_.tk;
    if (call_.weights != nullptr) {
      b_ = call_.weights->data();
    } else {
      ctx_.run(
          jobs, [](void* self, int job) { static_cast<dot_nest*>(self)->pack_b(job); }, this);
      b_ = shared_;
      shared_ += b_size_ * call_.batch;
    }
    const std::int64_t tiles = item_tiles_ * call_.batch;
    if (!x_.shared) {
      ctx_.run(
          jobs, [](void* self, int job) { static_cast<dot_nest*>(self)->alone(job); }, this);
    } else {
      run_together(jobs, tiles);
    }
    if (!chains_at(fusion::pass)) return;
    ctx_.run(
        jobs, [](void* self, int job) { static_cast<dot_nest*>(self)->finish_part(job); }, this);
  }

 private:
  using task_function = void (*)(void*, int);

  // In chunks that all jobs pack before they multiply.
  void run_together(int jobs, std::int64_t tiles) {
    const std::int64_t chunks = ceil_div(tiles, bounded_product(x_.chunk_tiles, g_.tm));
    slices_ = shared_ + bounded_product(x_.chunk_tiles, g_.tm) * x_.tile_words;
    for (std::int64_t i = 0; i < chunks; ++i) {
      chunk_ = slice(tiles, chunks, i);
      if (x_.tile_words > 0) {
        ctx_.run(
            jobs, [](void* self, int job) { static_cast<dot_nest*>(self)->pack_part(job); }, this);
      }
      ctx_.run(
          jobs, [](void* self, int job) { static_cast<dot_nest*>(self)->multiply_part(job); }, this);
      if (!waits_ || (in_memory_ && call_.bare)) continue;
      const task_function addition = [](void* self, int job) { static_cast<dot_nest*>(self)->add_part(job); };
      const task_function combination = [](void* self, int job) { static_cast<dot_nest*>(self)->combine_part(job); };
      ctx_.run(jobs, in_memory_ ? combination : addition, this);
    }
  }

  struct block {
    range tiles;             // of all items together
    const std::uint32_t* a;  // packed, from the first of them on
    range columns;
    range depth;             // groups of K
    std::uint32_t* partial;  // of the first tile's first column
  };

  void pack_b(int job) {
    const std::int64_t panels = ceil_div(call_.n, format_.panel);
    const range mine = slice(panels * call_.batch, grid_jobs(g_), job);
    for (std::int64_t i = mine.begin; i < mine.end;) {
      const std::int64_t item = i / panels;
      const std::int64_t first = i % panels;
      const std::int64_t last = std::min(panels, first + mine.end - i);
      pack_dot_panels(call_.b, item, kernels_.mode, call_.n, call_.k, format_, first, last, shared_ + item * b_size_);
      i += last - first;
    }
  }

  // Tile t of all: its item, and its rows in it, which are spread evenly over the item's tiles.
  struct row_tile {
    std::int64_t t, item, i;
    range rows;
  };
  row_tile row_tile_at(std::int64_t t) const {
    const std::int64_t item = call_.batch == 1 ? 0 : t / item_tiles_;
    return {t, item, t - item * item_tiles_, spread_.rows(t - item * item_tiles_)};
  }
  // Without a division for each.
  void next(row_tile& r) const {
    ++r.t;
    if (++r.i == item_tiles_) r = {r.t, r.item + 1, 0, {0, 0}};
    r.rows = spread_.rows(r.i);
  }

  // Scales and zero points stand behind the words of a packed tile.
  std::int64_t scales_at() const { return round_up(x_.groups * kernels_.shape.mr * kernels_.a_words, 16); }

  void pack_tiles(range tiles, std::uint32_t* out) const {
    if (x_.in_place) return;
    for (row_tile t = row_tile_at(tiles.begin); t.t < tiles.end; next(t), out += x_.tile_words) {
      const range rows = t.rows;
      const bool by_rows = call_.a_layout == layout::row_major;
      const std::int64_t at = t.item * call_.stride_a + rows.begin * (by_rows ? call_.lda : 1);
      float* const scales = reinterpret_cast<float*>(out + scales_at());
      dot_pack_args x{};
      // With K = 0 there is nothing to read and A may be null.
      x.a = call_.k > 0 ? static_cast<const char*>(call_.a) + at * element_size(call_.a_type) : nullptr;
      x.type = call_.a_type;
      x.lda = call_.lda;
      x.order = call_.a_layout;
      x.rows = static_cast<int>(rows.size());
      x.k = call_.k;
      x.out = out;
      x.quantisation = call_.quantisation;
      x.tensor_scale = call_.a_scale;
      x.tensor_zero = call_.a_zero;
      x.scale = scales;
      x.zero = reinterpret_cast<std::int32_t*>(scales + kernels_.shape.mr);
      kernels_.pack_a(x);
    }
  }

  // Jobs count slices of K first, then columns, then rows.
  range columns_of(int job) const {
    if (g_.tn == 1) return {0, columns_};
    const range units = slice(ceil_div(call_.n, unit_), g_.tn, job / g_.tk % g_.tn);
    return {units.begin * unit_, std::min(units.end * unit_, columns_)};
  }

  // A job that packs its own rows.
  void alone(int job) {
    const range mine = slice(item_tiles_ * call_.batch, g_.tm, job / g_.tn);
    const range columns = columns_of(job);
    if (mine.size() == 0 || columns.size() <= 0) return;
    auto* const scratch = reinterpret_cast<std::uint32_t*>(ctx_.job_scratch(job));
    const std::int64_t chunks = mine.size() <= x_.chunk_tiles ? 1 : ceil_div(mine.size(), x_.chunk_tiles);
    for (std::int64_t i = 0; i < chunks; ++i) {
      const range part = slice(mine.size(), chunks, i);
      const range tiles{mine.begin + part.begin, mine.begin + part.end};
      pack_tiles(tiles, scratch);
      multiply({tiles, scratch, columns, {0, x_.groups}, scratch + x_.chunk_tiles * x_.tile_words});
    }
  }

  void pack_part(int job) {
    const range mine = slice(chunk_.size(), grid_jobs(g_), job);
    pack_tiles({chunk_.begin + mine.begin, chunk_.begin + mine.end}, shared_ + mine.begin * x_.tile_words);
  }

  void multiply_part(int job) {
    const range mine = slice(chunk_.size(), g_.tm, job / g_.tk / g_.tn);
    const range columns = columns_of(job);
    if (mine.size() == 0 || columns.size() <= 0) return;
    const int part = job % g_.tk;
    multiply(
        {{chunk_.begin + mine.begin, chunk_.begin + mine.end},
         shared_ + mine.begin * x_.tile_words,
         columns,
         slice(x_.groups, g_.tk, part),
         waits_ ? sums_of(part, mine.begin) + columns.begin : reinterpret_cast<std::uint32_t*>(ctx_.job_scratch(job))});
  }

  // Accumulators of a slice of K, from tile t of the chunk on.
  std::uint32_t* sums_of(int part, std::int64_t t) const {
    return slices_ + part * x_.slice_words + t * kernels_.shape.mr * x_.partial_width;
  }

  // The last phase of a chunk: this job's units of columns of tiles.
  void add_part(int job) const {
    const std::int64_t units = ceil_div(call_.n, unit_);
    const range mine = slice(chunk_.size() * units, grid_jobs(g_), job);
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      const std::int64_t t = i / units, col = i % units * unit_;
      const range none{x_.groups, x_.groups}, columns{col, std::min(col + unit_, columns_)};
      const block q{
          {chunk_.begin + t, chunk_.begin + t + 1}, shared_ + t * x_.tile_words, columns, none, sums_of(0, t) + col};
      const std::int64_t rows = row_tile_at(q.tiles.begin).rows.size();
      // Vectors that the last tile lacks are not there.
      add_slices(t, col, rows, round_up(columns.size(), vector_width(kernels_.shape.family)));
      tiles(q, none, {false, true});
    }
  }

  // The last phase of a chunk of pairs that do not meet in a tile: this job's columns of C in its tiles.
  void combine_part(int job) const {
    // As many columns as a panel holds: cache lines of its own for each job.
    const std::int64_t unit = pair_.run > 0 ? format_.panel / 2 : format_.panel;
    const std::int64_t units = ceil_div(pair_.columns, unit);
    const range mine = slice(chunk_.size() * units, grid_jobs(g_), job);
    for (std::int64_t i = mine.begin; i < mine.end; ++i) {
      const std::int64_t t = i / units, col = i % units * unit;
      combine(t, {col, std::min(col + unit, pair_.columns)});
    }
  }

  void combine(std::int64_t t, range columns) const {
    const row_tile at = row_tile_at(chunk_.begin + t);
    // Where halves take turns their columns stand together.
    const int stretches = pair_.run > 0 ? 1 : 2;
    const std::int64_t wide = pair_.run > 0 ? 2 * round_up(columns.size(), pair_.run) : columns.size();
    for (int i = 0; i < stretches; ++i) {
      const std::int64_t col = pair_.gate(columns.begin) + i * pair_.distance();
      add_slices(t, col, at.rows.size(), wide);
    }
    dot_args x{};
    x.partial = sums_of(0, t);
    x.partial_stride = x_.partial_width;
    x.c = row_of_c(at.item, at.rows.begin);
    x.ldc = call_.ldc;
    x.cols = columns.end;
    x.requant = call_.requant;
    x.operands = &call_.operands;
    x.pair = pair_;
    x.item = at.item;
    x.row = at.rows.begin;
    if (has_column_scales(kernels_.mode)) set_scales(x, shared_ + t * x_.tile_words, scales_of_columns(at.item), 0);
    kernels_.combine(x, static_cast<int>(at.rows.size()), columns.begin);
  }

  // To those of slice 0, in ascending order, from column `col` of tile t of the chunk on.
  void add_slices(std::int64_t t, std::int64_t col, std::int64_t rows, std::int64_t columns) const {
    for (int part = 1; part < g_.tk; ++part) add_sums(sums_of(0, t) + col, sums_of(part, t) + col, rows, columns);
  }

  void add_sums(std::uint32_t* to, const std::uint32_t* from, std::int64_t rows, std::int64_t columns) const {
    for (std::int64_t row = 0; row < rows; ++row, to += x_.partial_width, from += x_.partial_width) {
      if (kernels_.mode == compute_mode::u8s8) {
        add_row<std::uint32_t>(to, from, columns);
      } else {
        add_row<float>(to, from, columns);
      }
    }
  }

  // By vectors that every target has, since compilers do not make them of a loop of unknown length at -O2.
  template <class T>
  static void add_row(std::uint32_t* to, const std::uint32_t* from, std::int64_t columns) {
    constexpr std::int64_t kWidth = 4;
    typedef T vector __attribute__((vector_size(kWidth * sizeof(T))));
    std::int64_t j = 0;
    for (; j + kWidth <= columns; j += kWidth) {
      vector x, y;
      std::memcpy(&x, to + j, sizeof x);
      std::memcpy(&y, from + j, sizeof y);
      x += y;
      std::memcpy(to + j, &x, sizeof x);
    }
    for (; j < columns; ++j) {
      T x, y;
      std::memcpy(&x, to + j, sizeof x);
      std::memcpy(&y, from + j, sizeof y);
      x += y;
      std::memcpy(to + j, &x, sizeof x);
    }
  }

  void multiply(const block& all) const {
    // Even blocks of whole panels and tiles, none wider than nc rounded up.
    const std::int64_t most = g_.nc < call_.n ? std::max(g_.nc, unit_) : columns_;
    std::int64_t step = all.columns.size();
    if (step > most) step = round_up(ceil_div(step, ceil_div(step, most)), unit_);
    for (std::int64_t col = all.columns.begin; col < all.columns.end; col += step) {
      block q = all;
      q.columns = {col, std::min(col + step, all.columns.end)};
      if (waits_) q.partial += col - all.columns.begin;
      const range k = all.depth;
      for (std::int64_t g = k.begin; g == k.begin || g < k.end; g += x_.depth) {
        const std::int64_t end = std::min(g + x_.depth, k.end);
        tiles(q, {g, end}, {g == k.begin, !waits_ && end == k.end});
      }
      if (chains_at(fusion::block)) apply_chain(q.tiles, q.columns);
    }
  }

  // Whether a block of K is the first of its sums, and whether they are whole behind it.
  struct sums_state {
    bool first, last;
  };

  void tiles(const block& q, range depth, sums_state sums) const {
    dot_args x;  // all of it is set, here and for each tile: see loop_nest.h
    x.a = nullptr;
    x.rows = nullptr;
    x.rest = x_.in_place && depth.size() > 0 && depth.end == x_.groups
                 ? bytes_of_rest(kernels_.mode, call_.a_type, call_.k)
                 : 0;
    x.a_scale = x.b_scale = nullptr;
    x.a_zero = x.b_sum = nullptr;
    x.groups = depth.size();
    x.b_group = format_.panel;
    x.b_panel = format_.panel * x_.groups;
    x.partial_stride = x_.partial_width;
    x.first = sums.first;
    x.last = sums.last;
    x.beta = call_.beta;
    x.bare = call_.bare || g_.chain_at != fusion::registers;
    x.prefetch_c = x.last && prefetches_c(q.tiles.size() * kernels_.shape.mr, q.columns.size(), x.groups,
                                          element_size(kernels_.c_type));
    x.ldc = call_.ldc;
    x.row_bytes = call_.lda * element_size(call_.a_type);
    x.requant = call_.requant;
    x.pair = pair_;
    x.operands = &call_.operands;
    const bool plain = x_.in_place && x_.partial_width == 0 && !kernels_.reads.pair && !chains_at(fusion::tile);
    // A block of several items holds whole ones but for its ends.
    for (std::int64_t t = q.tiles.begin; t < q.tiles.end;) {
      x.item = call_.batch == 1 ? 0 : t / item_tiles_;
      const std::int64_t above = x.item * item_tiles_, end = std::min(q.tiles.end - above, item_tiles_);
      if (plain) {
        walk<true>(q, depth, x, {t - above, end});
      } else {
        walk<false>(q, depth, x, {t - above, end});
      }
      t = above + end;
    }
  }

  // Those tiles of an item. What they share is copied: behind each of them all else would be read again. With `Plain`
  // rows lie in place, nothing waits, halves do not meet and no chain runs behind a tile: 1.06 times as fast at K = 13.
  template <bool Plain>
  void walk(const block& q, range depth, dot_args& x, range of_item) const {
    constexpr std::int64_t kWord = sizeof(std::uint32_t);
    const dot_kernel_set& s = kernels_;
    const bool in_place = Plain || x_.in_place, waits = !Plain && x_.partial_width > 0, halves = !Plain && s.reads.pair;
    const bool chained = !Plain && x.last && chains_at(fusion::tile), scaled = has_column_scales(s.mode);
    const std::int64_t above = x.item * item_tiles_ + of_item.begin, in_block = above - q.tiles.begin;
    const std::int64_t tile_words = x_.tile_words, a_words = depth.begin * s.a_words, ldc = call_.ldc;
    const std::int64_t c_bytes = element_size(s.c_type), partial_tile = s.shape.mr * x_.partial_width;
    const std::int64_t width = halves ? s.nr / 2 : s.nr, last_column = halves ? pair_.columns : q.columns.end;
    const char* const rows = in_place ? static_cast<const char*>(call_.a) +
                                            x.item * call_.stride_a * element_size(call_.a_type) + depth.begin * kWord
                                      : nullptr;
    const std::uint32_t* const a = q.a + in_block * tile_words;
    // A block begins with a unit of columns.
    const std::uint32_t* const b = b_ + x.item * b_size_ + q.columns.begin * x_.groups + depth.begin * format_.panel;
    std::uint32_t* const partial = waits ? q.partial + in_block * partial_tile : nullptr;
    char* const c = row_of_c(x.item, 0);
    const column_scales of_columns = scales_of_columns(x.item);
    const tile_walk tiles{of_item, spread_, q.columns, s.nr, unit_, x_.groups, g_.rows_inside};
    const look_ahead prefetched{g_.prefetch_rows, x.groups, format_.panel, tiles.shares()};
    tiles.each([&](const tile_place& t) GEMWRIGHT_INLINE_BODY {
      x.prefetch = prefetched.of(t.passes, t.b_next);
      const std::uint32_t* const packed = a + t.t * tile_words;
      if (in_place) {
        x.rows = rows + t.row * x.row_bytes;
      } else {
        x.a = packed + a_words * t.rows;
      }
      x.b = b + t.b;
      x.partial = waits ? partial + t.t * partial_tile + (t.column - q.columns.begin) : nullptr;
      x.col = halves ? t.column / 2 : t.column;
      x.c = c + (t.row * ldc + x.col) * c_bytes;
      x.row = t.row;
      if (scaled) set_scales(x, packed, of_columns, t.column);
      x.cols = std::min(width, last_column - x.col);
      s.kernels[t.rows - 1](x);
      if (chained) apply_chain({above + t.t, above + t.t + 1}, {t.column, t.column + x.cols});
    });
  }

  char* row_of_c(std::int64_t item, std::int64_t row) const {
    return static_cast<char*>(call_.c) + (item * call_.stride_c + row * call_.ldc) * element_size(kernels_.c_type);
  }

  // Of an item's columns, behind its packed B.
  struct column_scales {
    const float* scale;
    const std::int32_t* sum;
  };
  column_scales scales_of_columns(std::int64_t item) const {
    if (!has_column_scales(kernels_.mode)) return {nullptr, nullptr};
    const std::int64_t columns = round_up(call_.n, format_.panel);
    const float* const scales = reinterpret_cast<const float*>(b_ + item * b_size_ + x_.groups * columns);
    return {scales, reinterpret_cast<const std::int32_t*>(scales + columns)};
  }

  // Those of the tile that is packed at `a`, and of the columns from `col` on.
  void set_scales(dot_args& x, const std::uint32_t* a, const column_scales& of_columns, std::int64_t col) const {
    const float* const scales = x_.in_place ? scales_ : reinterpret_cast<const float*>(a + scales_at());
    x.a_scale = scales;
    x.a_zero = x_.in_place ? zeros_ : reinterpret_cast<const std::int32_t*>(scales + kernels_.shape.mr);
    x.b_scale = of_columns.scale + col;
    x.b_sum = of_columns.sum + col;
  }

  // Whether the chain runs there, on the elements of C itself.
  bool chains_at(fusion place) const { return g_.chain_at == place && !kernels_.reads.pair && !call_.bare; }

  // The chain on what stands in C, of f32.
  void apply_chain(range tiles, range columns) const {
    reduce_args x{};
    x.ldc = call_.ldc;
    x.cols = columns.size();
    x.operands = &call_.operands;
    x.col = columns.begin;
    for (row_tile t = row_tile_at(tiles.begin); t.t < tiles.end; next(t)) {
      x.item = t.item;
      x.row = t.rows.begin;
      x.rows = t.rows.size();
      x.c = static_cast<float*>(call_.c) + x.item * call_.stride_c + x.row * call_.ldc + columns.begin;
      kernels_.reduce(x);
    }
  }

  // A job's part of the pass: whole tiles of rows where there are enough of them.
  void finish_part(int job) const {
    const std::int64_t jobs = g_.tm * g_.tn, tiles = item_tiles_ * call_.batch;
    const std::int64_t row_parts = std::min(jobs, tiles), column_parts = jobs / row_parts;
    if (job >= row_parts * column_parts) return;
    const range lines = slice(ceil_div(call_.n, 16), column_parts, job / row_parts);  // 16: a cache line of floats
    apply_chain(slice(tiles, row_parts, job % row_parts), {lines.begin * 16, std::min(lines.end * 16, call_.n)});
  }

  const dot_call& call_;
  const dot_kernel_set& kernels_;
  const packing format_;
  const blocking& g_;
  context& ctx_;
  const dot_geometry x_;
  const std::uint32_t* b_ = nullptr;
  std::uint32_t* shared_ = nullptr;  // behind the packed B
  std::uint32_t* slices_ = nullptr;  // sums that wait, behind A
  std::int64_t unit_ = 0;            // of columns
  std::int64_t item_tiles_ = 0, b_size_ = 0;
  row_spread spread_{};       // of an item's rows
  std::int64_t columns_ = 0;  // of the product
  pair_layout pair_;
  bool waits_ = false, in_memory_ = false;  // sums, for a further phase; those of a pair
  // In place, of each row of a tile: the tensor's.
  float scales_[max_dot_rows];
  std::int32_t zeros_[max_dot_rows];
  range chunk_{0, 0};
};

}  // namespace gemwright_abi
}  // namespace gemwright
