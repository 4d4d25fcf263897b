// The calling conventions of dot tiles: the micro-kernel, the function that packs its rows of A, and the table of both
// that the loop nest is given.
//
// A micro-kernel computes rows x cols elements of C over `groups` words of K. Between two blocks of K the raw
// accumulators (f32 or s32) live in `partial`, as wide as whole tiles (of the last one only vectors that have columns
// are written); with the last block they become
//   C = chain(scale * accumulator + beta * C), rounded to the type of C
// in registers; or, of a pair whose halves do not meet there, a further phase makes C of them. B is packed and padded,
// and so is A, so only accesses to C and to operands of the chain are masked. Row-major A that consists of the mode's
// elements may also be read where it lies, where the family takes them as they are: a group of K is one word in a row
// of it.
#pragma once

#include <cstdint>

#include "gemwright/compute_mode.h"
#include "gemwright/tile.h"

namespace gemwright {
inline namespace gemwright_abi {

// Packing converts, so a build holds code for every element and mode, for each register width: most of what it
// compiles. Who compiles for one kind of problem may say so: bit i of GEMWRIGHT_PACKED_MODES and of
// GEMWRIGHT_PACKED_ELEMENTS stands for the compute_mode, or the element, i. What is left out packs nothing.
#if defined(GEMWRIGHT_PACKED_MODES) && defined(GEMWRIGHT_PACKED_ELEMENTS)
constexpr unsigned packed_modes = GEMWRIGHT_PACKED_MODES, packed_elements = GEMWRIGHT_PACKED_ELEMENTS;
#else
constexpr unsigned packed_modes = 0xff, packed_elements = 0xff;
#endif
constexpr bool packs(compute_mode m, element e) {
  return (packed_modes >> static_cast<unsigned>(m) & 1U) != 0 &&
         (packed_elements >> static_cast<unsigned>(e) & 1U) != 0;
}

// Rows of a dot tile at most: more than any register file holds.
constexpr int max_dot_rows = 32;

// A value as u8: saturate(round(value / scale) + zero). A NaN becomes 0.
struct requantisation {
  float inverse_scale = 1;
  int zero = 0;
};

struct dot_args {
  std::int64_t groups;
  const std::uint32_t* a;  // [groups][rows][words of the family]; null: A is read where it lies
  const char* rows;        // then row i begins row_bytes * i behind this, aligned as its elements are
  std::int64_t row_bytes;
  int rest;  // and of the last of the groups a row has so many bytes alone; 0: all of them
  const std::uint32_t* b;
  std::int64_t b_group;  // words between two groups of B: the panel width
  std::int64_t b_panel;  // words between two panels; read by tiles that span several
  b_ahead prefetch;
  std::uint32_t* partial;       // raw accumulators; unused when first and last
  std::int64_t partial_stride;  // words between two rows of them
  bool first, last;             // block of K
  bool beta;                    // add to what C holds
  bool bare;                    // leave the chain out: it runs on C later, or never
  bool prefetch_c;              // see prefetches_c in dot_plan.h
  std::int64_t cols;            // valid columns
  void* c;
  std::int64_t ldc;      // elements
  const float* a_scale;  // u8s8: one a row of the tile
  const std::int32_t* a_zero;
  const float* b_scale;  // u8s8: one a column, padded to the panel
  const std::int32_t* b_sum;
  requantisation requant;  // C of u8
  const epilogue_operands* operands;
  std::int64_t item, row, col;  // where in C this tile begins, for the chain
  pair_layout pair;             // of a pair: cols counts columns of C
};
using dot_kernel = void (*)(const dot_args&);

// Columns [first, x.cols) of `rows` rows of C, of a pair that is not combined in a tile: x.partial holds the raw sums
// of whole rows, and x.c, x.b_scale, x.b_sum and x.col begin with their first column. What a product reads means
// nothing.
using dot_combine_kernel = void (*)(const dot_args& x, int rows, std::int64_t first);

// How f32 or bf16 rows of A become u8, each row by itself. Asymmetric uses all 256 steps between the row's smallest and
// largest value (zero included); symmetric is 127 steps to each side of the zero point 128. A row that holds a NaN or
// an infinity gives a row of NaN.
enum class row_quantisation : std::uint8_t { asymmetric, symmetric };

// The rows of one tile into out[groups][rows][words].
struct dot_pack_args {
  const void* a;
  element type;
  std::int64_t lda;
  layout order;
  int rows;
  std::int64_t k;
  std::uint32_t* out;
  // u8s8: u8 rows take scale and zero as they are, others find their own; both are written for each row.
  row_quantisation quantisation;
  float tensor_scale;
  std::int32_t tensor_zero;
  float* scale;
  std::int32_t* zero;
};
using dot_pack_kernel = void (*)(const dot_pack_args&);

// `n` columns of one item of B into panels of `width`, without the padding of the last: words, and for u8s8 scales
// (those of s8 columns are there already) and sums, which begin as zero.
struct dot_columns_args {
  const void* b;
  element type;
  std::int64_t ld;
  layout order;
  compute_mode mode;
  std::int64_t n, k, width;
  std::uint32_t* out;
  float* scale;
  std::int32_t* sum;
};
using dot_columns_kernel = void (*)(const dot_columns_args&);

// The functions of one dot tile with one chain and one type of C. Entry r-1 of `kernels` serves r rows. In `shape` ku
// counts groups; the prefetch distance of the blocking does too.
struct dot_kernel_set {
  tile shape;
  compute_mode mode;
  element c_type;
  int nr;
  int a_words;  // of packed A a group: 1 as the dot instruction reads it, 2 where the family widens the elements first
  const dot_kernel* kernels;
  dot_pack_kernel pack_a;
  chain_reads reads;
  reduce_kernel reduce;        // the chain alone, on a C of f32
  dot_combine_kernel combine;  // of a pair; else null
};

}  // namespace gemwright_abi
}  // namespace gemwright
