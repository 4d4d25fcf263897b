// The micro-kernel's calling convention and the table of compiled micro-kernels that the loop nest is given.
//
// A micro-kernel computes one tile of C: rows x cols elements in registers, over k steps of K:
//   C = (accumulate ? C : 0) + A * B, then the epilogue chain where `finish` is set.
// The number of rows is compiled in (a table holds one function for 1, 2, ... mr rows); the number of columns is nv
// vectors, or nv where the vectors run along K, and fewer in the tail functions, which mask what lies outside. Nothing
// outside the operands is read or written; software prefetches may name addresses beyond them, which is harmless.
#pragma once

#include <cstdint>
#include <limits>

#include "gemwright/ahead.h"
#include "gemwright/config.h"

namespace gemwright {
inline namespace gemwright_abi {

// Operands of the epilogue chain. A chain reads only what its operations name. Items of a batch lie `stride_` elements
// apart. The M x N operands must not overlap C: partial sums are written to C before they are read.
struct epilogue_operands {
  const float* bias = nullptr;      // bias: as many elements as the result has columns there, added to every row
  const float* residual = nullptr;  // add: M x N, added
  std::int64_t ld_residual = 0, stride_residual = 0;
  const float* operand = nullptr;  // mul: M x N, multiplied with
  std::int64_t ld_operand = 0, stride_operand = 0;
  float scale = 1.0F;                                        // scale: multiplied with
  float clamp_lo = -std::numeric_limits<float>::infinity();  // clamp: to lo <= hi
  float clamp_hi = std::numeric_limits<float>::infinity();
};

// Which of them a chain reads.
struct chain_reads {
  bool bias, residual, operand, scale, clamp;
  bool pair = false;  // the chain halves the columns
};

constexpr bool reads_any(const chain_reads& r) { return r.bias || r.residual || r.operand || r.scale || r.clamp; }

// Where the halves of a pair of products stand in the columns of the product: runs of `run` columns of the gate and of
// as many of the other half take turns; or, with run 0, `columns` of the gate, then all of the other half.
struct pair_layout {
  std::int64_t columns = 0;  // of each half, and of C
  std::int64_t run = 0;
  std::int64_t gate(std::int64_t column) const { return run > 0 ? column / run * 2 * run + column % run : column; }
  std::int64_t distance() const { return run > 0 ? run : columns; }  // from a column of the gate to its partner
  // Columns of the product that is packed in whole turns.
  constexpr std::int64_t packed() const { return run > 0 ? (columns + run - 1) / run * 2 * run : 2 * columns; }
};

// Where the tile that a job computes next stands in C, which is prefetched meanwhile: its rows lie apart, so that the
// hardware does not see them coming and each would be waited for. `near`: that part of C stays in the first-level
// cache.
enum class next_tile : std::uint8_t { near, below, right };

// Whether an m x n part of C, of elements of so many bytes, stays in the first-level cache.
constexpr bool stays_near(std::int64_t m, std::int64_t n, std::int64_t bytes) {
  constexpr std::int64_t kNear = 32768;  // the smallest one of a CPU with vectors
  return m <= kNear && n <= kNear && m * n * bytes <= kNear;
}

// For tiles of mr rows in an m x n part of C.
constexpr next_tile next_of(std::int64_t m, std::int64_t n, int mr, bool rows_inside) {
  if (stays_near(m, n, sizeof(float))) return next_tile::near;
  return rows_inside && m > mr ? next_tile::below : next_tile::right;
}

// Whether the rows of A that the next tiles read are to be prefetched, where all columns pass behind each few rows of A
// as it lies. Rows of up to 16 cache lines end before the hardware sees them as streams; 12544x64x147 went from 0.93 to
// 1.09 of oneDNN on Zen 3, while longer rows, and an A that second-level caches hold, lost up to 5 %.
constexpr bool prefetches_rows_of_a(std::int64_t m, std::int64_t k, std::int64_t a_k, bool rows_inside) {
  constexpr std::int64_t kShort = 256, kSecondLevel = 1 << 18;  // floats
  return !rows_inside && a_k == 1 && k <= kShort && m * k > kSecondLevel;
}
inline void prefetch_rows_of_a(const float* a, std::int64_t a_row, std::int64_t rows, std::int64_t k) {
  constexpr std::int64_t kLine = 16;
  for (std::int64_t i = 0; i < rows; ++i, a += a_row) {
    for (std::int64_t j = 0; j < k; j += kLine) __builtin_prefetch(a + j);
  }
}

struct micro_args {
  std::int64_t k;
  const float* a;
  std::int64_t a_row, a_k;  // strides of A in elements; a packed A panel is [k][rows]: 1 and the tile's rows
  const float* b;
  std::int64_t b_row;    // elements between two steps of K: the panel width, or ldb
  std::int64_t b_panel;  // elements between two panels; read by tiles that span several
  float* c;
  std::int64_t ldc;
  b_ahead prefetch;
  int cols;         // valid columns; read by the tail functions only
  bool accumulate;  // add to what C holds
  bool finish;      // this is the last block of K: apply the chain
  next_tile next;
  const epilogue_operands* operands;
  std::int64_t item, row, col;  // where in the whole result this tile begins, for the chain's operands
  // Of a pair: with `finish` the tile is one block of K, B is packed, and c, cols and col are about columns of C.
  pair_layout pair;
};

using micro_kernel = void (*)(const micro_args&);

// Adds `slices` partial results, each of `width` columns, to C in ascending order, then applies the chain; with no
// slices the chain alone. `partial_stride` elements lie between two partial results. Of a pair all results are partial
// ones and begin with their first column, while `cols` and `col` count columns of C.
struct reduce_args {
  float* c;
  std::int64_t ldc;
  const float* partial;
  std::int64_t partial_stride;
  int slices;
  std::int64_t rows, cols;
  const epilogue_operands* operands;
  std::int64_t item, row, col;  // where in the whole result c begins
  std::int64_t width = 0;
  pair_layout pair{};
};
using reduce_kernel = void (*)(const reduce_args&);

// The functions of one tile with one chain. Entry r-1 of each table serves r rows, for r = 1 .. mr.
struct kernel_set {
  tile shape;
  int nr;                    // columns of the tile
  const micro_kernel* full;  // all nr columns valid
  const micro_kernel* tail;  // fewer columns; see in_pieces in isa/micro_kernel_table.inl
  reduce_kernel reduce;
  chain_reads reads;
};

}  // namespace gemwright_abi
}  // namespace gemwright
