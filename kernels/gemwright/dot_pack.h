// Packed B of the dot modes: panels of `panel` columns, each [K / group][panel] words (see compute_mode.h), K and N
// padded with zeros. Behind the panels of a u8s8 B stand, for each padded column, its scale (f32) and the sum of its
// elements (s32). One format serves all M, all thread counts and every family and tile whose width divides the panel.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "gemwright/compute_mode.h"
#include "gemwright/macros.h"
#include "gemwright/memory.h"
#include "gemwright/pack.h"
#include "gemwright/quantize.h"

namespace gemwright {
inline namespace gemwright_abi {

constexpr bool has_column_scales(compute_mode m) { return m == compute_mode::u8s8; }

// Words of the panels of one B, and of all of it; max_floats where no machine could hold it.
constexpr std::int64_t dot_panels_size(compute_mode m, std::int64_t n, std::int64_t k, packing format) {
  return bounded_product(round_up(n, format.panel), ceil_div(k, k_group(m)));
}
constexpr std::int64_t packed_dot_size(compute_mode m, std::int64_t n, std::int64_t k, packing format) {
  const std::int64_t columns = has_column_scales(m) ? bounded_product(round_up(n, format.panel), 2) : 0;
  const std::int64_t size = dot_panels_size(m, n, k, format) + columns;
  return size < max_floats ? size : max_floats;
}

// B as the caller has it: K x N (row_major) or N x K (col_major), `batch` times `stride` elements apart. For u8s8 s8
// elements are taken as they are, each column meaning `scale` times its elements (n scales an item; null: all 1), while
// f32 and bf16 columns are quantised here, symmetrically, each by its largest magnitude.
struct dot_weights_source {
  const void* b = nullptr;
  element type = element::f32;
  std::int64_t ldb = 0;
  layout order = layout::row_major;
  std::int64_t stride = 0;
  const float* scale = nullptr;
};

constexpr bool dot_takes_weights(compute_mode m, element b) {
  if (b == element::f32 || b == element::bf16) return m == compute_mode::bf16 || m == compute_mode::u8s8;
  return b == element::s8 && m == compute_mode::u8s8;
}

namespace dot_packing {

// Columns that are packed together: their scales stay at hand, their words fill cache lines.
constexpr std::int64_t kColumns = 64;

inline float as_float(float v) { return v; }
inline float as_float(bf16 v) { return to_float(v); }
inline bf16 as_bf16(float v) { return to_bf16(v); }
inline bf16 as_bf16(bf16 v) { return v; }

// One B of elements T seen as [k][column].
template <class T>
struct matrix {
  const T* b;
  std::int64_t k_step, column_step;
  T at(std::int64_t k, std::int64_t column) const { return b[k * k_step + column * column_step]; }
};

// `columns` columns from `first` on into dst[groups][width]; code(element, column) is an element's bits.
template <int Group, class T, class Code>
void words(const matrix<T>& m, std::int64_t first, std::int64_t columns, std::int64_t k, std::uint32_t* dst,
           std::int64_t width, const Code& code) {
  constexpr unsigned kBits = 32 / Group;
  const auto word = [&](std::int64_t g, std::int64_t j) {
    std::uint32_t w = 0;
    const auto add = [&](int i) { w |= code(m.at(g * Group + i, first + j), j) << (static_cast<unsigned>(i) * kBits); };
    if ((g + 1) * Group <= k) {
      GEMWRIGHT_UNROLL
      for (int i = 0; i < Group; ++i) add(i);
    } else {
      for (int i = 0; g * Group + i < k; ++i) add(i);
    }
    dst[g * width + j] = w;
  };
  const std::int64_t groups = ceil_div(k, Group);
  // Along the source's lines, a cache line of groups at a time.
  constexpr std::int64_t kLine = 16;
  for (std::int64_t g0 = 0; g0 < groups; g0 += kLine) {
    const std::int64_t end = std::min(groups, g0 + kLine);
    if (m.column_step == 1) {
      for (std::int64_t g = g0; g < end; ++g) {
        for (std::int64_t j = 0; j < columns; ++j) word(g, j);
      }
    } else {
      for (std::int64_t j = 0; j < columns; ++j) {
        for (std::int64_t g = g0; g < end; ++g) word(g, j);
      }
    }
  }
}

// Columns of s8: their bits, and their sums.
template <class T>
void bytes(const matrix<T>& m, std::int64_t first, std::int64_t columns, std::int64_t k, std::uint32_t* dst,
           std::int64_t width, float* scale, std::int32_t* sum) {
  float inverse[kColumns] = {};
  if constexpr (!std::is_same_v<T, std::int8_t>) {
    value_range ranges[kColumns];
    for (std::int64_t i = 0; i < k; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) ranges[j].add(as_float(m.at(i, first + j)));
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      const row_scale s = scale_of(ranges[j], row_quantisation::symmetric);
      scale[j] = s.scale;
      inverse[j] = s.inverse;
    }
  }
  words<4>(m, first, columns, k, dst, width, [&](T v, std::int64_t j) {
    std::int8_t q = 0;
    if constexpr (std::is_same_v<T, std::int8_t>) {
      q = v;
    } else {
      q = quantised_weight(as_float(v), inverse[j]);
    }
    sum[j] += q;
    return static_cast<std::uint32_t>(static_cast<std::uint8_t>(q));
  });
}

template <class T>
void panels(const dot_weights_source& s, std::int64_t item, compute_mode mode, std::int64_t n, std::int64_t k,
            packing format, std::int64_t first, std::int64_t last, std::uint32_t* out) {
  const bool rows = s.order == layout::row_major;
  const matrix<T> m{static_cast<const T*>(s.b) + item * s.stride, rows ? s.ldb : 1, rows ? 1 : s.ldb};
  const std::int64_t width = format.panel;
  const std::int64_t groups = ceil_div(k, k_group(mode));
  float* const scales = reinterpret_cast<float*>(out + dot_panels_size(mode, n, k, format));
  auto* const sums = reinterpret_cast<std::int32_t*>(scales + round_up(n, width));
  for (std::int64_t p = first; p < last; ++p) {
    std::uint32_t* const panel = out + p * width * groups;
    const std::int64_t columns = std::min(width, n - p * width);
    if (has_column_scales(mode)) {
      std::fill(scales + p * width, scales + (p + 1) * width, 1.0F);
      std::fill(sums + p * width, sums + (p + 1) * width, 0);
      if (s.scale != nullptr) std::copy_n(s.scale + item * n + p * width, columns, scales + p * width);
    }
    for (std::int64_t j = 0; j < columns; j += kColumns) {
      const std::int64_t count = std::min(kColumns, columns - j);
      const std::int64_t at = p * width + j;
      if (mode == compute_mode::u8s8) {
        bytes(m, at, count, k, panel + j, width, scales + at, sums + at);
      } else if constexpr (!std::is_same_v<T, std::int8_t>) {
        words<2>(m, at, count, k, panel + j, width,
                 [](T v, std::int64_t) { return static_cast<std::uint32_t>(as_bf16(v).bits); });
      }
    }
    if (columns < width) {
      for (std::int64_t g = 0; g < groups; ++g) std::fill(panel + g * width + columns, panel + (g + 1) * width, 0U);
    }
  }
}

}  // namespace dot_packing

// Panels [first, last) of item `item` of B into `out`, the item's packed memory.
inline void pack_dot_panels(const dot_weights_source& s, std::int64_t item, compute_mode mode, std::int64_t n,
                            std::int64_t k, packing format, std::int64_t first, std::int64_t last, std::uint32_t* out) {
  if (s.type == element::f32) {
    dot_packing::panels<float>(s, item, mode, n, k, format, first, last, out);
  } else if (s.type == element::bf16) {
    dot_packing::panels<bf16>(s, item, mode, n, k, format, first, last, out);
  } else {
    dot_packing::panels<std::int8_t>(s, item, mode, n, k, format, first, last, out);
  }
}

// Constant weights of a dot mode, packed once: owns its memory, knows its shape and format.
class packed_dot_weights {
 public:
  packed_dot_weights() = default;
  bool valid() const { return state_ == status::ok; }
  status state() const { return state_; }
  compute_mode mode() const { return mode_; }
  std::int64_t n() const { return n_; }
  std::int64_t k() const { return k_; }
  std::int64_t batch() const { return batch_; }
  packing format() const { return format_; }
  const std::uint32_t* data() const { return reinterpret_cast<const std::uint32_t*>(data_.get()); }
  // Bytes of memory that a product reads: what a stream of cold weights costs.
  std::int64_t bytes() const { return packed_dot_size(mode_, n_, k_, format_) * batch_ * 4; }

 private:
  friend packed_dot_weights pack_dot_weights(compute_mode, const dot_weights_source&, std::int64_t, std::int64_t,
                                             std::int64_t, packing);
  friend packed_dot_weights copy_weights(const packed_dot_weights&);
  float_block data_;
  compute_mode mode_ = compute_mode::bf16;
  std::int64_t n_ = 0, k_ = 0, batch_ = 0;
  packing format_{1};
  status state_ = status::bad_weights;
};

// Check state(). u8s8 has an upper bound of K: max_u8s8_depth.
inline packed_dot_weights pack_dot_weights(compute_mode mode, const dot_weights_source& s, std::int64_t n,
                                           std::int64_t k, std::int64_t batch, packing format) {
  packed_dot_weights w;
  const auto fail = [&w](status wrong) -> packed_dot_weights&& {
    w.state_ = wrong;
    return std::move(w);
  };
  const auto in_range = [](std::int64_t v) { return v >= 0 && v <= max_extent; };
  if (!dot_takes_weights(mode, s.type) || format.panel < 1) return fail(status::bad_config);
  if (s.scale != nullptr && s.type != element::s8) return fail(status::bad_config);
  if (!in_range(n) || !in_range(k) || !in_range(batch)) return fail(status::bad_size);
  if (mode == compute_mode::u8s8 && k > max_u8s8_depth) return fail(status::bad_size);
  if (s.ldb < (s.order == layout::row_major ? n : k) || s.ldb > max_extent) return fail(status::bad_stride);
  if (batch > 1 &&
      (s.stride < -max_floats || bounded_product(s.stride < 0 ? -s.stride : s.stride, batch) == max_floats)) {
    return fail(status::bad_stride);
  }
  const std::int64_t one = packed_dot_size(mode, n, k, format);
  const std::int64_t all = bounded_product(one, batch);
  const std::int64_t source = bounded_product(s.order == layout::row_major ? k : n, s.ldb);
  if (all == max_floats || source == max_floats) return fail(status::bad_size);
  if (s.b == nullptr && bounded_product(bounded_product(n, k), batch) > 0) return fail(status::bad_pointer);
  w.mode_ = mode;
  w.n_ = n;
  w.k_ = k;
  w.batch_ = batch;
  w.format_ = format;
  w.state_ = status::ok;
  if (all == 0) return w;
  w.data_ = allocate_floats(static_cast<std::size_t>(all));
  if (!w.data_) return fail(status::no_memory);
  auto* const out = reinterpret_cast<std::uint32_t*>(w.data_.get());
  for (std::int64_t i = 0; i < batch; ++i) {
    pack_dot_panels(s, i, mode, n, k, format, 0, ceil_div(n, format.panel), out + i * one);
  }
  return w;
}

// Equal weights in memory of their own, faster than packing them again. Check state().
inline packed_dot_weights copy_weights(const packed_dot_weights& from) {
  packed_dot_weights w;
  w.mode_ = from.mode_;
  w.n_ = from.n_;
  w.k_ = from.k_;
  w.batch_ = from.batch_;
  w.format_ = from.format_;
  w.state_ = from.state_;
  if (from.data_ == nullptr) return w;
  w.data_ = allocate_floats(static_cast<std::size_t>(from.bytes() / 4));
  if (w.data_ == nullptr) {
    w.state_ = status::no_memory;
  } else {
    std::memcpy(w.data_.get(), from.data_.get(), static_cast<std::size_t>(from.bytes()));
  }
  return w;
}

}  // namespace gemwright_abi
}  // namespace gemwright
