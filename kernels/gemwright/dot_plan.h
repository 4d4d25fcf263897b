// A call of a dot product, the plan that runs it, and the sizes that follow from both: what dot_nest.h works with.
#pragma once

#include <cstdint>

#include "gemwright/dot_pack.h"
#include "gemwright/dot_tile.h"
#include "gemwright/loop_nest.h"

namespace gemwright {
inline namespace gemwright_abi {

// One call. Strides count elements of their operand.
struct dot_call {
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  const void* a = nullptr;
  element a_type = element::f32;
  std::int64_t lda = 0, stride_a = 0;
  layout a_layout = layout::row_major;
  // u8s8: A of u8 has one scale and zero point; A of f32 or bf16 is quantised row by row while it is packed.
  float a_scale = 1;
  int a_zero = 0;
  row_quantisation quantisation = row_quantisation::asymmetric;
  const packed_dot_weights* weights = nullptr;  // constant weights, or
  dot_weights_source b{};                       // weights of this call
  void* c = nullptr;                            // of the tile's c_type
  std::int64_t ldc = 0, stride_c = 0;
  bool beta = false;  // add to C (f32 and bf16) instead of overwriting it
  requantisation requant{};
  epilogue_operands operands{};
  bool bare = false;  // leaves the chain out, to see what it costs
};

// How to run it. In `block` kc counts elements, prefetch_rows groups of K.
struct dot_plan {
  const dot_kernel_set* kernels;
  packing format;
  blocking block;
};

// Sizes that follow from a tile and its blocking. Words of 4 bytes, as scratch memory counts floats.
struct dot_geometry {
  std::int64_t groups;         // of K
  std::int64_t depth;          // groups in a block of K
  std::int64_t tile_words;     // a packed tile of A with its scales; in place: 0
  std::int64_t chunk_tiles;    // tiles in mc rows
  std::int64_t partial_width;  // columns of waiting accumulators; 0 where K is one block
  std::int64_t slice_words;    // sums of whole rows of a chunk, a slice of K; 0 where none wait for a further phase
  bool shared;                 // the jobs pack A together, or sums wait
  bool in_place;               // A is read where it lies
};

// The elements of A that a dot instruction reads.
constexpr element element_of(compute_mode m) { return m == compute_mode::bf16 ? element::bf16 : element::u8; }

// Whether tiles can read A where it lies: a group of K is then a word of a row.
constexpr bool reads_a_in_place(const dot_kernel_set& s, element a_type, layout a_layout) {
  return s.a_words == 1 && a_type == element_of(s.mode) && a_layout == layout::row_major;
}

// Whether the sums of a pair wait in memory until a further phase combines them: because its halves do not meet in a
// tile, or are not to be combined there.
constexpr bool pairs_in_memory(const dot_kernel_set& s, packing format, const blocking& g) {
  return s.reads.pair && (!tile_holds_pairs(s.shape, format) || g.chain_at != fusion::registers);
}

// Whether the tiles of an m x n part of C prefetch theirs before they multiply: its rows lie apart, so the hardware
// does not see them coming, and the stores wait for each. On Zen 4 (one thread, 31 interleaved rounds, the speed with
// over that without) 1.02 to 1.03 at 1024x1024x1024 in bf16 and 1.01 in u8s8, but 0.92 to 1.01 where K had up to 40
// groups: there the prefetches wait for each other.
constexpr bool prefetches_c(std::int64_t m, std::int64_t n, std::int64_t groups, std::int64_t bytes) {
  constexpr std::int64_t kShort = 128;
  return groups >= kShort && !stays_near(m, n, bytes);
}

// Bytes of the last group of K in a row of A, where K ends inside it.
constexpr int bytes_of_rest(compute_mode m, element a_type, std::int64_t k) {
  return static_cast<int>(k % k_group(m)) * static_cast<int>(element_size(a_type));
}

constexpr dot_geometry geometry_of(const dot_kernel_set& s, packing format, const blocking& g, std::int64_t n,
                                   std::int64_t k) {
  dot_geometry x{};
  const int group = k_group(s.mode);
  x.groups = ceil_div(k, group);
  const std::int64_t kc = g.kc < k ? g.kc : k;
  x.depth = kc > 0 ? ceil_div(kc, group) : 1;
  const std::int64_t mr = s.shape.mr;
  x.in_place = g.pack_a == a_packing::none && k > 0;  // with K = 0 there is nothing to read
  x.tile_words = x.in_place ? 0 : round_up(bounded_product(x.groups, mr * s.a_words), 16) + round_up(2 * mr, 16);
  x.chunk_tiles = ceil_div(g.mc < max_extent ? g.mc : max_extent, mr);
  const int unit = column_unit(s.shape, format);
  const std::int64_t columns = round_up(n, unit);
  const bool waits = g.tk > 1 || pairs_in_memory(s, format, g);
  if (waits) {
    x.partial_width = columns;
    x.slice_words = bounded_product(bounded_product(bounded_product(x.chunk_tiles, g.tm), mr), columns);
  } else if (x.groups > x.depth) {
    x.partial_width = g.nc < columns ? round_up(g.nc, unit) : columns;
  }
  x.shared = waits || (g.pack_a == a_packing::shared && g.tn > 1);
  return x;
}

// Scratch for a plan over all M: a context made with it serves every call of the problem.
constexpr scratch_size scratch_for(const dot_plan& p, std::int64_t n, std::int64_t k, std::int64_t batch,
                                   bool constant_weights) {
  const dot_geometry x = geometry_of(*p.kernels, p.format, p.block, n, k);
  const std::int64_t a = bounded_product(x.chunk_tiles, x.tile_words);
  const std::int64_t b =
      constant_weights ? 0 : bounded_product(packed_dot_size(p.kernels->mode, n, k, p.format), batch);
  const std::int64_t partial =
      x.slice_words > 0 ? 0 : bounded_product(bounded_product(x.chunk_tiles, p.kernels->shape.mr), x.partial_width);
  const std::int64_t jobs = grid_jobs(p.block);
  return {(x.shared ? 0 : a) + partial, static_cast<int>(jobs <= max_grid_jobs ? jobs : max_grid_jobs),
          (x.shared ? bounded_product(a, p.block.tm) : 0) + bounded_product(x.slice_words, p.block.tk) + b};
}

}  // namespace gemwright_abi
}  // namespace gemwright
