// Packing: copies of A and B in the order in which the micro-kernels read them.
//
// B is cut into panels of `panel` columns; a panel is [K][panel] and stands behind the one before it. The last panel is
// padded with zeros, so every panel is whole. One format serves all M, all thread counts and every tile whose width
// divides the panel or that spans several. A block of A is cut into row panels [k][rows], one for each tile.
// Column-major sources are read 16 elements at a time along their columns: one cache line, whatever the leading
// dimension (a power of two would otherwise map all columns of a panel to one set of the cache).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include "gemwright/config.h"
#include "gemwright/memory.h"

namespace gemwright {
inline namespace gemwright_abi {

constexpr std::int64_t ceil_div(std::int64_t x, std::int64_t y) { return (x + y - 1) / y; }
constexpr std::int64_t round_up(std::int64_t x, std::int64_t y) { return ceil_div(x, y) * y; }

struct range {
  std::int64_t begin, end;
  std::int64_t size() const { return end - begin; }
};

// Floats of one packed B; max_floats where no machine could hold it.
constexpr std::int64_t packed_b_size(std::int64_t n, std::int64_t k, packing format) {
  return bounded_product(round_up(n, format.panel), k);
}

// 2 or 4 sequences of 4 elements, `stride` apart, into d[4][width]. Element by element it takes 4 to 6 times as long
// (0.76 to 1.6 ns each against 0.2 to 0.3, measured on Zen 3), which is 5 to 10 % of a product of 768 columns.
template <int Sequences>
inline void transpose_4(const float* s, std::int64_t stride, float* d, std::int64_t width) {
#if defined(__SSE__)
  __m128 r0 = _mm_loadu_ps(s), r1 = _mm_loadu_ps(s + stride);
  if constexpr (Sequences == 4) {
    __m128 r2 = _mm_loadu_ps(s + 2 * stride), r3 = _mm_loadu_ps(s + 3 * stride);
    _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
    _mm_storeu_ps(d, r0);
    _mm_storeu_ps(d + width, r1);
    _mm_storeu_ps(d + 2 * width, r2);
    _mm_storeu_ps(d + 3 * width, r3);
  } else {
    const __m128 low = _mm_unpacklo_ps(r0, r1), high = _mm_unpackhi_ps(r0, r1);
    const auto two = [](float* p) { return reinterpret_cast<__m64*>(p); };
    _mm_storel_pi(two(d), low);
    _mm_storeh_pi(two(d + width), low);
    _mm_storel_pi(two(d + 2 * width), high);
    _mm_storeh_pi(two(d + 3 * width), high);
  }
#else
  for (int j = 0; j < Sequences; ++j) {
    for (int i = 0; i < 4; ++i) d[i * width + j] = s[j * stride + i];
  }
#endif
}

// Copies `columns` sequences of `k` elements, sequence j beginning at src + j * stride, into dst[k][width]; columns
// beyond are not touched.
inline void transpose_panel(const float* src, std::int64_t stride, std::int64_t columns, std::int64_t k, float* dst,
                            std::int64_t width) {
  if (width == 1) {
    std::memcpy(dst, src, static_cast<std::size_t>(k) * sizeof(float));
    return;
  }
  constexpr std::int64_t kLine = 16;
  for (std::int64_t k0 = 0; k0 < k; k0 += kLine) {
    const std::int64_t depth = std::min(kLine, k - k0), whole = depth / 4 * 4;
    const float* const s = src + k0;
    float* const d = dst + k0 * width;
    std::int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      for (std::int64_t i = 0; i < whole; i += 4) transpose_4<4>(s + j * stride + i, stride, d + i * width + j, width);
    }
    for (; j + 2 <= columns; j += 2) {
      for (std::int64_t i = 0; i < whole; i += 4) transpose_4<2>(s + j * stride + i, stride, d + i * width + j, width);
    }
    const std::int64_t in_pairs = j;
    for (j = 0; j < columns; ++j) {
      for (std::int64_t i = j < in_pairs ? whole : 0; i < depth; ++i) d[i * width + j] = s[j * stride + i];
    }
  }
}

// Copies k rows of `columns` elements, row i beginning at src + i * stride, into dst[k][width].
inline void copy_panel(const float* src, std::int64_t stride, std::int64_t columns, std::int64_t k, float* dst,
                       std::int64_t width) {
  if (columns == 1) {
    for (std::int64_t i = 0; i < k; ++i) dst[i * width] = src[i * stride];
    return;
  }
  for (std::int64_t i = 0; i < k; ++i) {
    std::memcpy(dst + i * width, src + i * stride, static_cast<std::size_t>(columns) * sizeof(float));
  }
}

// Panel p of B whose columns take turns (see packing::pair), a run at a time.
inline void pack_paired_panel(const float* b, std::int64_t ldb, layout order, std::int64_t n, std::int64_t k,
                              packing format, std::int64_t p, float* dst) {
  const std::int64_t width = format.panel, run = format.pair, half = n / 2;
  for (std::int64_t q = 0; q < width; q += run) {
    const std::int64_t column = (p * width + q) / (2 * run) * run;
    const std::int64_t count = std::max<std::int64_t>(std::min(run, half - column), 0);
    const std::int64_t from = column + (q / run % 2 == 0 ? 0 : half);
    if (order == layout::row_major && count > 0) copy_panel(b + from, ldb, count, k, dst + q, width);
    if (order == layout::col_major && count > 0) transpose_panel(b + from * ldb, ldb, count, k, dst + q, width);
    for (std::int64_t i = 0; count < run && i < k; ++i) {
      std::fill(dst + i * width + q + count, dst + i * width + q + run, 0.0F);
    }
  }
}

// Whether panels hold whole turns of a pair, and B has two halves.
constexpr bool packs_pairs(packing format, std::int64_t n) {
  return format.pair > 0 && format.panel > 0 && format.panel % (2 * static_cast<std::int64_t>(format.pair)) == 0 &&
         n % 2 == 0;
}

// Panels [first, last) of B.
inline void pack_b_panels(const float* b, std::int64_t ldb, layout order, std::int64_t n, std::int64_t k,
                          packing format, std::int64_t first, std::int64_t last, float* out) {
  const std::int64_t width = format.panel;
  for (std::int64_t p = first; p < last; ++p) {
    float* const dst = out + p * width * k;
    if (format.pair > 0) {
      pack_paired_panel(b, ldb, order, n, k, format, p, dst);
      continue;
    }
    const std::int64_t columns = std::min(width, n - p * width);
    if (order == layout::row_major) {
      copy_panel(b + p * width, ldb, columns, k, dst, width);
    } else {
      transpose_panel(b + p * width * ldb, ldb, columns, k, dst, width);
    }
    if (columns < width) {
      for (std::int64_t i = 0; i < k; ++i) std::fill(dst + i * width + columns, dst + (i + 1) * width, 0.0F);
    }
  }
}

// Rows of A beginning at `a` into one row panel [k][rows].
inline void pack_a_panel(const float* a, std::int64_t lda, layout order, std::int64_t rows, std::int64_t k,
                         float* out) {
  if (order == layout::row_major) {
    transpose_panel(a, lda, rows, k, out, rows);
  } else {
    copy_panel(a, lda, rows, k, out, rows);
  }
}

// Constant weights, packed once: owns its memory, knows its shape and format.
class packed_weights {
 public:
  packed_weights() = default;
  bool valid() const { return state_ == status::ok; }
  status state() const { return state_; }
  std::int64_t n() const { return n_; }
  std::int64_t k() const { return k_; }
  std::int64_t batch() const { return batch_; }
  packing format() const { return format_; }
  const float* data() const { return data_.get(); }

 private:
  friend packed_weights pack_weights(const float*, std::int64_t, layout, std::int64_t, std::int64_t, std::int64_t,
                                     std::int64_t, packing);
  float_block data_;
  std::int64_t n_ = 0, k_ = 0, batch_ = 0;
  packing format_{0};
  status state_ = status::bad_weights;
};

// B is K x N (row_major) or its transpose N x K (col_major), `batch` times `stride` elements apart. Check state().
inline packed_weights pack_weights(const float* b, std::int64_t ldb, layout order, std::int64_t n, std::int64_t k,
                                   std::int64_t batch, std::int64_t stride, packing format) {
  packed_weights w;
  const auto fail = [&w](status s) -> packed_weights&& {
    w.state_ = s;
    return std::move(w);
  };
  const auto in_range = [](std::int64_t v) { return v >= 0 && v <= max_extent; };
  if (!in_range(n) || !in_range(k) || !in_range(batch)) return fail(status::bad_size);
  if (format.panel < 1 || (format.pair != 0 && !packs_pairs(format, n))) return fail(status::bad_config);
  const std::int64_t line = order == layout::row_major ? n : k;
  if (ldb < line || ldb > max_extent) return fail(status::bad_stride);
  if (batch > 1 && (stride < -max_floats || bounded_product(stride < 0 ? -stride : stride, batch) == max_floats)) {
    return fail(status::bad_stride);
  }
  const std::int64_t one = packed_b_size(n, k, format);
  const std::int64_t all = bounded_product(one, batch);
  const std::int64_t source = bounded_product(order == layout::row_major ? k : n, ldb);
  if (all == max_floats || source == max_floats) return fail(status::bad_size);
  if (b == nullptr && all > 0) return fail(status::bad_pointer);
  w.n_ = n;
  w.k_ = k;
  w.batch_ = batch;
  w.format_ = format;
  w.state_ = status::ok;
  if (all == 0) return w;
  w.data_ = allocate_floats(static_cast<std::size_t>(all));
  if (!w.data_) return fail(status::no_memory);
  for (std::int64_t i = 0; i < batch; ++i) {
    pack_b_panels(b + i * stride, ldb, order, n, k, format, 0, ceil_div(n, format.panel), w.data_.get() + i * one);
  }
  return w;
}

}  // namespace gemwright_abi
}  // namespace gemwright
