// The operands of a measured product: reproducible values in memory that is aligned, touched and guarded.
//
// Value i of an operand depends on (kind, seed, stream, i) alone, so a recorded study can be repeated anywhere.
#pragma once

#include <gemwright/memory.h>
#include <gemwright/tile.h>

#include <cstdint>
#include <optional>

#include "tuner/result.h"
#include "tuner/study/records.h"
#include "tuner/worker/reference.h"

namespace gemwright::tuner {

// normal: sum of eight uniform 16-bit numbers, scaled to N(0,1); nothing lies beyond 4.9. uniform: [-1, 1).
// outliers: normal, each value with a chance of 0.1 % times 20.
void fill(DataKind kind, std::uint64_t seed, std::uint64_t stream, float* out, std::int64_t count);

// Memory with a band of marked floats before and behind it. The mark is a NaN of its own bit pattern: who reads it
// spoils the result, who writes it is found out.
class GuardedFloats {
 public:
  static constexpr std::int64_t kBand = 64;  // floats: four cache lines, so that the data stays 64-byte aligned

  GuardedFloats() = default;
  // Only the bands are marked.
  static Result<GuardedFloats> make(std::int64_t count);

  float* data() { return block_ ? block_.get() + kBand : nullptr; }
  const float* data() const { return block_ ? block_.get() + kBand : nullptr; }
  std::int64_t size() const { return size_; }
  // Every float becomes the mark.
  void mark();
  bool bands_intact() const;

 private:
  gemwright::float_block block_;
  std::int64_t size_ = 0;
};

// The guard band's value, and whether a float still holds it.
float guard_mark();
bool is_guard_mark(float value);

// Bytes that this process may still allocate: what the machine has available, or less where a control group limits it.
// Absent where neither is told.
std::optional<double> available_memory();

// Dense operands of a problem at one M. Items of a batch follow each other.
struct Operands {
  Problem problem;
  std::int64_t m = 0;
  DataKind data = DataKind::normal;
  std::uint64_t seed = 0;
  GuardedFloats a, b, c;
  GuardedFloats c0;                       // what C holds before a call, where beta is 1
  GuardedFloats bias, residual, operand;  // where the chain reads them

  std::int64_t rows() const { return problem.batch * m; }  // of C, all items
  std::int64_t lda() const;
  std::int64_t ldb() const;
  MatrixView a_item(std::int64_t item) const;
  MatrixView b_item(std::int64_t item) const;
  MatrixView c_item(const float* values, std::int64_t item) const;
  // What the chain reads. Its scalars follow from K: a sum of K products of N(0,1) is some sqrt(K) large, so that a
  // clamp to -sqrt(K) and 2 sqrt(K) cuts some values on either side and leaves most.
  gemwright::epilogue_operands chain() const;
};

// Whether both have the same weights, bit for bit.
bool same_weights(const Operands& o, const Problem& p, DataKind data, std::uint64_t seed);
// Bytes of A, C and what else depends on M.
double bytes_for_m(const Problem& p, std::int64_t m);

// Makes what differs: weights and bias when the problem or the data changed, the rest when M did too.
Result<void> make_operands(Operands& o, const Problem& p, std::int64_t m, DataKind data, std::uint64_t seed);

}  // namespace gemwright::tuner
