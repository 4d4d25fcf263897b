// One product of the kernel tests: its sizes, how its operands lie, the config that runs it; the operands in guarded
// memory; running it, and judging the result against float64.
#pragma once

#include <gemwright/gemm.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "tests/kernels/guarded_buffer.h"
#include "tests/kernels/tiles.h"

namespace gemwright {
// Found by GoogleTest when it prints a mismatch.
inline void PrintTo(status s, std::ostream* out) { *out << status_text(s); }
inline void PrintTo(isa family, std::ostream* out) { *out << isa_name(family); }
}  // namespace gemwright

namespace gemwright::test {

enum class Weights { constant, per_call, unpacked };
enum class Threads { none, pool2, pool3, backwards, thread_per_job };  // the last two are executors
context make_context(Threads threads, scratch_size scratch);
enum class Data { uniform, integers, special };

struct GemmCase {
  std::int64_t m = 1, n = 1, k = 1, batch = 1;
  layout a_layout = layout::row_major, b_layout = layout::row_major;
  std::int64_t pad_a = 0, pad_b = 0, pad_c = 0, pad_residual = 0, pad_operand = 0;  // added to the leading dimensions
  std::int64_t gap = 0;  // elements between the items of a batch
  bool beta = false;
  Weights weights = Weights::constant;
  Threads threads = Threads::none;
  Data data = Data::uniform;
  const CompiledTile* tile = nullptr;
  // Panel width over the tile's width; without meaning for unpacked weights, and for a tile that spans several panels,
  // which has no unpacked ones.
  int panels = 1;
  blocking block{};

  packing format() const {
    if (tile->spans()) return {tile->set.nr / tile->set.shape.panels};
    return {weights == Weights::unpacked ? 0 : panels * (tile->set.shape.along_k ? 1 : tile->set.nr)};
  }
  plan make_plan() const { return {&tile->set, format(), block}; }
  std::string describe() const;
};

// The family's first tile without a chain.
const CompiledTile& bare_tile(isa family);

using Random = std::mt19937_64;
// A number in [low, high]; the same on every platform, unlike the standard distributions.
std::int64_t pick(Random& random, std::int64_t low, std::int64_t high);

// Odd sizes, paddings, layouts, weights and thread grids around the sizes of the tile.
GemmCase random_case(Random& random, const CompiledTile& tile);
blocking random_blocking(Random& random, const GemmCase& x, int max_tk);

// Operands that belong to a case, reproducible from the seed. A and B hold exactly what the call may read; C also has
// guard bands: everything but its m x n x batch elements must keep its bits.
class Operands {
 public:
  Operands(const GemmCase& x, std::uint64_t seed);

  gemm_call call(const GemmCase& x) const;  // weights not packed yet
  void reset_c();                           // what C held before the call

  std::int64_t lda, ldb, ldc, ld_residual, ld_operand, stride_a, stride_b, stride_c, stride_residual, stride_operand;
  GuardedBuffer a, b, c, bias, residual, operand;  // the last two of no elements where the chain does not read them

  float a_at(const GemmCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const;
  float b_at(const GemmCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const;
  float old_c_at(const GemmCase& x, std::int64_t item, std::int64_t row, std::int64_t col) const;
  std::vector<float> result(const GemmCase& x) const;  // batch x m x n, dense

 private:
  std::vector<float> old_c_;  // poison everywhere else
  friend ::testing::AssertionResult guards_hold(const GemmCase& x, const Operands& o);
};

// Packs constant weights, makes a context with exactly the scratch memory the plan asks for, and runs.
status run_case(const GemmCase& x, Operands& o, bool bare = false);

// The chain's scalars: exact in f32, and halves keep integers exact.
constexpr float kScale = 0.5F, kClampLo = -2.5F, kClampHi = 40.0F;

// Each element within (K + 3) u (sum |a||b| + |c|) and what the chain makes of that of float64, NaN and infinity where
// they belong, and nothing but C's elements written.
::testing::AssertionResult holds(const GemmCase& x, const Operands& o);
::testing::AssertionResult guards_hold(const GemmCase& x, const Operands& o);

// For value-parameterised tests over the families: whether this host runs one, and its name.
inline bool host_has(isa family) { return cpu_has(family); }
inline std::string family_name(const ::testing::TestParamInfo<isa>& info) { return isa_name(info.param); }
inline auto all_families() { return ::testing::Values(isa::scalar, isa::avx2, isa::avx512f); }

#define SKIP_WITHOUT(family)                                                    \
  if (!::gemwright::test::host_has(family)) {                                   \
    GTEST_SKIP() << "this CPU does not have " << ::gemwright::isa_name(family); \
  }                                                                             \
  static_assert(true, "")

}  // namespace gemwright::test
