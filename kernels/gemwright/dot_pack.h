// Packed B of the dot modes: panels of `panel` columns, each [K / group][panel] words (see compute_mode.h), K and N
// padded with zeros. Behind the panels of a u8s8 B stand, for each padded column, its scale (f32) and the sum of its
// elements (s32). One format serves all M, all thread counts and every family and tile whose width divides the panel or
// that spans two.
// For pairs of products the columns of both halves take turns, see packing::pair.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "gemwright/compute_mode.h"
#include "gemwright/cpu.h"
#include "gemwright/dot_tile.h"
#include "gemwright/isa/dot_lines_avx2.h"
#include "gemwright/isa/dot_lines_avx512.h"
#include "gemwright/isa/dot_lines_scalar.h"
#include "gemwright/memory.h"
#include "gemwright/pack.h"

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

// The widest way of this CPU to pack columns that fits the panels, or the runs of a pair in them. All of them write the
// same bits.
inline dot_columns_kernel columns_kernel([[maybe_unused]] packing format) {
#if defined(__x86_64__)
  const int columns = format.pair > 0 ? format.pair : format.panel;
  if (columns % avx512_dot::line::width == 0 && cpu_has(isa::avx512f)) return &avx512_dot::pack_columns;
  if (columns % avx2_dot::line::width == 0 && cpu_has(isa::avx2)) return &avx2_dot::pack_columns;
#endif
  return &scalar_dot::pack_columns;
}

// One packed item of B.
struct dot_panels {
  compute_mode mode;
  std::int64_t n, k;
  packing format;
  std::uint32_t* words;

  std::int64_t width() const { return format.panel; }
  std::int64_t groups() const { return ceil_div(k, k_group(mode)); }
  float* scales() const { return reinterpret_cast<float*>(words + dot_panels_size(mode, n, k, format)); }
  std::int32_t* sums() const { return reinterpret_cast<std::int32_t*>(scales() + round_up(n, width())); }
  std::uint32_t* panel(std::int64_t p) const { return words + p * width() * groups(); }
  void clear(std::int64_t p, std::int64_t begin, std::int64_t end) const {
    for (std::int64_t g = 0; begin < end && g < groups(); ++g) {
      std::fill(panel(p) + g * width() + begin, panel(p) + g * width() + end, 0U);
    }
  }
};

// Columns [from, from + count) of an item of B, which begin at panel `first`, as the kernels are told of them: they
// count columns from there on.
inline dot_columns_args columns_of_b(const dot_weights_source& s, std::int64_t item, const dot_panels& to,
                                     std::int64_t from, std::int64_t count, std::int64_t first) {
  // With K = 0 nothing is read and B may be null: any address will do.
  const std::int64_t at = item * s.stride + from * (s.order == layout::row_major ? 1 : s.ldb);
  const void* const b =
      to.k > 0 ? static_cast<const char*>(s.b) + at * element_size(s.type) : static_cast<const void*>(to.words);
  const std::int64_t column = first * to.width();
  return {b,
          s.type,
          s.ldb,
          s.order,
          to.mode,
          count,
          to.k,
          to.width(),
          to.panel(first),
          to.scales() + column,
          to.sums() + column};
}

// Panel p of a pair (packing::pair), a run of columns at a time.
inline void pack_paired_dot_panel(const dot_weights_source& s, std::int64_t item, const dot_panels& to, std::int64_t p,
                                  dot_columns_kernel kernel) {
  const std::int64_t run = to.format.pair, half = to.n / 2;
  for (std::int64_t q = 0; q < to.width(); q += run) {
    const std::int64_t column = (p * to.width() + q) / (2 * run) * run;
    const std::int64_t count = std::max<std::int64_t>(std::min(run, half - column), 0);
    const std::int64_t from = column + (q / run % 2 == 0 ? 0 : half);
    to.clear(p, q + count, q + run);
    if (count == 0) continue;
    dot_columns_args x = columns_of_b(s, item, to, from, count, p);
    x.out += q;
    x.scale += q;
    x.sum += q;
    if (s.scale != nullptr) std::copy_n(s.scale + item * to.n + from, count, x.scale);
    kernel(x);
  }
}

// Panels [first, last) of item `item` of B into `out`, the item's packed memory.
inline void pack_dot_panels(const dot_weights_source& s, std::int64_t item, compute_mode mode, std::int64_t n,
                            std::int64_t k, packing format, std::int64_t first, std::int64_t last, std::uint32_t* out,
                            dot_columns_kernel kernel) {
  if (first >= last) return;
  const dot_panels to{mode, n, k, format, out};
  const std::int64_t begin = first * to.width(), end = last * to.width();
  if (has_column_scales(mode)) {
    std::fill(to.scales() + begin, to.scales() + end, 1.0F);
    std::fill(to.sums() + begin, to.sums() + end, 0);
  }
  if (format.pair > 0) {
    for (std::int64_t p = first; p < last; ++p) pack_paired_dot_panel(s, item, to, p, kernel);
    return;
  }
  const std::int64_t columns = std::min(n, end) - begin;
  to.clear(last - 1, begin + columns - (last - 1) * to.width(), to.width());
  const dot_columns_args x = columns_of_b(s, item, to, begin, columns, first);
  if (s.scale != nullptr) std::copy_n(s.scale + item * n + begin, columns, x.scale);
  kernel(x);
}
inline void pack_dot_panels(const dot_weights_source& s, std::int64_t item, compute_mode mode, std::int64_t n,
                            std::int64_t k, packing format, std::int64_t first, std::int64_t last, std::uint32_t* out) {
  pack_dot_panels(s, item, mode, n, k, format, first, last, out, columns_kernel(format));
}

// Constant weights of a dot mode, packed once: knows its shape and format, and owns its memory unless it was given
// some.
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
  const std::uint32_t* data() const {
    return data_ != nullptr ? reinterpret_cast<const std::uint32_t*>(data_.get()) : given_;
  }
  // Bytes of memory that a product reads: what a stream of cold weights costs.
  std::int64_t bytes() const { return packed_dot_size(mode_, n_, k_, format_) * batch_ * 4; }

 private:
  friend packed_dot_weights pack_dot_weights(compute_mode, const dot_weights_source&, std::int64_t, std::int64_t,
                                             std::int64_t, packing, std::uint32_t*);
  friend packed_dot_weights copy_weights(const packed_dot_weights&, std::uint32_t*);
  std::uint32_t* take(std::int64_t words, std::uint32_t* given) {
    given_ = given;
    if (given == nullptr) data_ = allocate_floats(static_cast<std::size_t>(words));
    if (data() == nullptr) state_ = status::no_memory;
    return given != nullptr ? given : reinterpret_cast<std::uint32_t*>(data_.get());
  }

  float_block data_;
  const std::uint32_t* given_ = nullptr;
  compute_mode mode_ = compute_mode::bf16;
  std::int64_t n_ = 0, k_ = 0, batch_ = 0;
  packing format_{1};
  status state_ = status::bad_weights;
};

// Check state(). u8s8 has an upper bound of K: max_u8s8_depth. `memory`: the caller's, for packed_dot_size words an
// item, 64-byte aligned, and there as long as the weights; null: the weights own theirs.
inline packed_dot_weights pack_dot_weights(compute_mode mode, const dot_weights_source& s, std::int64_t n,
                                           std::int64_t k, std::int64_t batch, packing format,
                                           std::uint32_t* memory = nullptr) {
  packed_dot_weights w;
  const auto fail = [&w](status wrong) -> packed_dot_weights&& {
    w.state_ = wrong;
    return std::move(w);
  };
  const auto in_range = [](std::int64_t v) { return v >= 0 && v <= max_extent; };
  if (!dot_takes_weights(mode, s.type) || format.panel < 1) return fail(status::bad_config);
  if (format.pair != 0 && !packs_pairs(format, n)) return fail(status::bad_config);
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
  std::uint32_t* const out = w.take(all, memory);
  if (out == nullptr) return w;
  for (std::int64_t i = 0; i < batch; ++i) {
    pack_dot_panels(s, i, mode, n, k, format, 0, ceil_div(n, format.panel), out + i * one);
  }
  return w;
}

// Equal weights, faster than packing them again. Check state(). `memory` as above, for from.bytes().
inline packed_dot_weights copy_weights(const packed_dot_weights& from, std::uint32_t* memory = nullptr) {
  packed_dot_weights w;
  w.mode_ = from.mode_;
  w.n_ = from.n_;
  w.k_ = from.k_;
  w.batch_ = from.batch_;
  w.format_ = from.format_;
  w.state_ = from.state_;
  if (from.data() == nullptr) return w;
  std::uint32_t* const to = w.take(from.bytes() / 4, memory);
  if (to != nullptr) std::memcpy(to, from.data(), static_cast<std::size_t>(from.bytes()));
  return w;
}

}  // namespace gemwright_abi
}  // namespace gemwright
