// One dot product of the kernel tests: sizes, types, how its operands lie, the config that runs it; the operands in
// guarded memory; running it, and judging the result against float64 products of the quantised values.
#pragma once

#include <gemwright/dot.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/kernels/dot_tiles.h"
#include "tests/kernels/gemm_case.h"
#include "tests/kernels/guarded_buffer.h"

namespace gemwright::test {

enum class DotData {
  uniform,
  extreme,    // the largest magnitudes that the integer types hold
  subnormal,  // some elements below the normal range
  special,    // some infinities and NaN
};

struct DotCase {
  const CompiledDotTile* tile = nullptr;
  std::int64_t m = 1, n = 1, k = 1, batch = 1;
  element a_type = element::f32, b_type = element::f32;
  layout a_layout = layout::row_major, b_layout = layout::row_major;
  std::int64_t pad_a = 0, pad_b = 0, pad_c = 0, gap = 0;
  bool beta = false, constant_weights = true, column_scales = false;
  float a_scale = 1;
  int a_zero = 0;
  row_quantisation quantisation = row_quantisation::asymmetric;
  requantisation requant{};
  DotData data = DotData::uniform;
  Threads threads = Threads::none;
  int panels = 1;
  blocking block{64, 256, 1 << 20, loop_order::mnk, true, a_packing::job, 1, 1, 1, 0};

  packing format() const {
    const int spanned = tile->set.shape.panels;  // then `panels` means nothing
    return {spanned > 1 ? tile->set.nr / spanned : panels * tile->set.nr};
  }
  dot_plan plan() const { return {&tile->set, format(), block}; }
  std::string describe() const;
};

// Odd sizes, paddings, layouts, types, scales and thread grids around the sizes of the tile.
DotCase random_dot_case(Random& random, const CompiledDotTile& tile);
blocking random_dot_blocking(Random& random, const DotCase& x);
// The same with slices of K, and what they need.
void slice_k(blocking& g, int slices);

// Elements of any type that end where an unreadable page begins, with a pattern before them that can be compared.
class GuardedElements {
 public:
  GuardedElements(element type, std::int64_t count);
  char* bytes() const { return data_; }
  std::int64_t count() const { return count_; }
  double get(std::int64_t i) const;
  void set(std::int64_t i, float v);  // rounded to the type
  std::vector<char> copy() const { return {data_, data_ + count_ * element_size(type_)}; }
  bool slack_untouched() const;

 private:
  element type_;
  std::int64_t count_;
  GuardedBuffer buffer_;
  char* data_;
};

// Operands that belong to a case, reproducible from the seed.
class DotOperands {
 public:
  DotOperands(const DotCase& x, std::uint64_t seed);
  dot_call call(const DotCase& x) const;  // weights not packed yet

  std::int64_t lda, ldb, ldc, stride_a, stride_b, stride_c;
  GuardedElements a, b, c;
  GuardedElements bias, column_scale;
  std::vector<char> old_c;

  double a_at(const DotCase& x, std::int64_t item, std::int64_t row, std::int64_t i) const;
  double b_at(const DotCase& x, std::int64_t item, std::int64_t i, std::int64_t col) const;
  double old_c_at(const DotCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const;
  std::vector<double> result(const DotCase& x) const;  // batch x m x n, dense
};

// Packs constant weights, makes a context with exactly the scratch memory that the plan asks for, and runs.
status run_dot_case(const DotCase& x, const DotOperands& o);

// Each element where float64 says, and nothing but C's elements written.
::testing::AssertionResult dot_holds(const DotCase& x, const DotOperands& o);

inline std::string dot_family_name(const ::testing::TestParamInfo<DotFamily>& info) {
  return std::string(compute_mode_name(info.param.mode)) + "_" + isa_name(info.param.family);
}

#define SKIP_WITHOUT_DOT(f)                                                         \
  if (!::gemwright::cpu_has((f).family)) {                                          \
    GTEST_SKIP() << "this CPU does not have " << ::gemwright::isa_name((f).family); \
  }                                                                                 \
  static_assert(true, "")

}  // namespace gemwright::test
