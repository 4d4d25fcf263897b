// The operands of a measured product: reproducible values in memory that is aligned, touched and guarded.
//
// Value i of an operand depends on (kind, seed, stream, i) alone, so a recorded study can be repeated anywhere. Behind
// the bf16 interface these values are rounded, behind u8s8 quantised as quantize.h defines it: all of A by one scale
// and zero point, asymmetric, from its smallest and largest value; B symmetrically, column by column, from the largest
// magnitude of each. What the short elements mean is kept as f32 beside them: the true values that a result is
// compared with.
#pragma once

#include <gemwright/compute_mode.h>
#include <gemwright/memory.h>
#include <gemwright/tile.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "tuner/result.h"
#include "tuner/study/records.h"
#include "tuner/worker/reference.h"

namespace gemwright::tuner {

// normal: sum of eight uniform 16-bit numbers, scaled to N(0,1); nothing lies beyond 4.9. uniform: [-1, 1).
// outliers: normal, each value with a chance of 0.1 % times 20.
void fill(DataKind kind, std::uint64_t seed, std::uint64_t stream, float* out, std::int64_t count);

// Memory with a band of marked words before and behind it. The mark is a NaN of its own bit pattern, as f32 and as each
// of two bf16: who reads it spoils the result, who writes it is found out.
class GuardedElements {
 public:
  GuardedElements() = default;
  // Only the bands are marked.
  static Result<GuardedElements> make(gemwright::element type, std::int64_t count);

  void* data() { return block_ ? bytes() + kBand : nullptr; }
  const void* data() const { return block_ ? bytes() + kBand : nullptr; }
  template <class T>
  T* as() {
    return static_cast<T*>(data());
  }
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data());
  }
  gemwright::element type() const { return type_; }
  std::int64_t size() const { return size_; }  // elements
  // Every element becomes the mark, or its part of it.
  void mark();
  bool bands_intact() const;
  // Whether element i still holds the mark.
  bool holds_mark(std::int64_t i) const;

 private:
  static constexpr std::int64_t kBand = 256;  // bytes: four cache lines, so that the data stays 64-byte aligned

  char* bytes() const { return reinterpret_cast<char*>(block_.get()); }
  std::int64_t used() const { return size_ * element_size(type_); }
  std::int64_t all() const { return (used() + 3) / 4 * 4 + 2 * kBand; }

  gemwright::float_block block_;
  gemwright::element type_ = gemwright::element::f32;
  std::int64_t size_ = 0;
};

class GuardedFloats : public GuardedElements {
 public:
  static Result<GuardedFloats> make(std::int64_t count);
  float* data() { return as<float>(); }
  const float* data() const { return as<float>(); }
};

// Bytes that this process may still allocate: what the machine has available, or less where a control group limits it.
// Absent where neither is told.
std::optional<double> available_memory();

// Dense operands of a problem at one M. Items of a batch follow each other. Of the interfaces beside f32 the operands
// themselves are `short_`, and `a` and `b` what they mean.
struct Operands {
  Problem problem;
  std::int64_t m = 0;
  DataKind data = DataKind::normal;
  std::uint64_t seed = 0;
  GuardedFloats a, b;
  GuardedElements short_a, short_b;
  float a_scale = 1;  // u8s8
  int a_zero = 0;
  GuardedFloats b_scale;    // u8s8: one a column, item after item
  GuardedFloats c;          // where it is f32, otherwise
  GuardedElements short_c;  // bf16 or u8
  float c_scale = 1;        // u8: an element means c_scale * (c - c_zero)
  int c_zero = 0;
  GuardedFloats c0;                       // what C holds before a call, where beta is 1
  GuardedFloats bias, residual, operand;  // where the chain reads them

  std::int64_t rows() const { return problem.batch * m; }  // of C, all items
  std::int64_t lda() const;
  std::int64_t ldb() const;
  // What the caller hands over.
  const void* a_data() const { return short_a.data() != nullptr ? short_a.data() : a.data(); }
  const void* b_data() const { return short_b.data() != nullptr ? short_b.data() : b.data(); }
  void* c_data() { return short_c.data() != nullptr ? short_c.data() : c.data(); }
  // C as it is before a call: c0, or what no call leaves.
  void reset_c();
  bool c_bands_intact() const { return c.bands_intact() && short_c.bands_intact(); }
  // What a row of C means as f32: where it lies, or in `space`.
  const float* c_row(std::int64_t row, std::vector<float>& space) const;
  // Items of what is laid out as A, B and, dense with all columns of B, their product.
  MatrixView a_item(const float* values, std::int64_t item) const;
  MatrixView b_item(const float* values, std::int64_t item) const;
  MatrixView product_item(const float* values, std::int64_t item) const;
  MatrixView a_item(std::int64_t item) const { return a_item(a.data(), item); }
  MatrixView b_item(std::int64_t item) const { return b_item(b.data(), item); }
  // What the chain reads. Its scalars follow from K: a sum of K products of N(0,1) is some sqrt(K) large, so that a
  // clamp to -sqrt(K) and 2 sqrt(K) cuts some values on either side and leaves most.
  gemwright::epilogue_operands chain() const;
  double bytes() const;  // of all that was made
};

// Whether both have the same weights, bit for bit.
bool same_weights(const Operands& o, const Problem& p, DataKind data, std::uint64_t seed);
// Bytes of the weights and of what they mean, and of A, C and what else depends on M; with the trusted result of the
// interface's own mode.
double bytes_for_weights(const Problem& p);
double bytes_for_m(const Problem& p, std::int64_t m);

// Makes what differs: weights and bias when the problem or the data changed, the rest when M did too.
Result<void> make_operands(Operands& o, const Problem& p, std::int64_t m, DataKind data, std::uint64_t seed);

}  // namespace gemwright::tuner
