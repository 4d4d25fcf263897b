// Each way to hand in a wrong call, plan, context or weights has its status, and nothing is written then.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>

#include "tests/kernels/gemm_case.h"

namespace gemwright::test {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kOverflow = max_extent;  // within range alone, too large as a product

// A valid call, plan and context of the portable family, to be spoiled one thing at a time.
class Arguments : public ::testing::Test {
 protected:
  Arguments() : case_(make_case()), operands_(case_, 1), call_(operands_.call(case_)), plan_(case_.make_plan()) {}

  static GemmCase make_case() {
    GemmCase x;
    x.tile = &bare_tile(isa::scalar);
    x.m = 5;
    x.n = 6;
    x.k = 7;
    x.weights = Weights::per_call;
    x.block = {4, 8, 4, loop_order::mnk, true, a_packing::job, 1, 1, 1, 0};
    return x;
  }
  scratch_size scratch() const {
    return scratch_for(plan_.kernels->shape, plan_.format, plan_.block, call_.n, call_.k, call_.batch, call_.b_packed);
  }
  status run() {
    context ctx(1, context_scratch_);
    return run_gemm(call_, plan_, ctx);
  }
  void expect(status want, const std::function<void()>& spoil) {
    const gemm_call call = call_;
    const plan p = plan_;
    spoil();
    EXPECT_EQ(run(), want) << status_text(want);
    EXPECT_TRUE(std::all_of(operands_.c.data(), operands_.c.data() + operands_.c.size(), is_poison));
    call_ = call;
    plan_ = p;
  }

  GemmCase case_;
  Operands operands_;
  gemm_call call_;
  plan plan_;
  scratch_size context_scratch_ = scratch();
};

TEST_F(Arguments, TheUnspoiledCallIsValid) {
  EXPECT_EQ(run(), status::ok);
  EXPECT_TRUE(holds(case_, operands_));
}

TEST_F(Arguments, NegativeAndHugeSizesAreRefused) {
  for (std::int64_t gemm_call::*size : {&gemm_call::m, &gemm_call::n, &gemm_call::k, &gemm_call::batch, &gemm_call::lda,
                                        &gemm_call::ldb, &gemm_call::ldc}) {
    for (const std::int64_t wrong : {std::int64_t{-1}, kLeast, max_extent + 1, kMost}) {
      expect(status::bad_size, [&] { call_.*size = wrong; });
    }
  }
}

TEST_F(Arguments, SizesWhoseProductOverflowsAreRefused) {
  expect(status::bad_size, [&] { call_.m = call_.lda = call_.ldc = kOverflow; });
  expect(status::bad_size, [&] { call_.m = kOverflow, call_.lda = kOverflow; });
  expect(status::bad_size, [&] { call_.m = kOverflow, call_.ldc = kOverflow; });
  expect(status::bad_size, [&] { call_.k = call_.lda = call_.n = call_.ldb = call_.ldc = kOverflow; });
  expect(status::bad_size, [&] { call_.ldb = kOverflow, call_.k = call_.lda = kOverflow; });
  expect(status::bad_size, [&] { call_.m = kOverflow, call_.batch = kOverflow; });
}

TEST_F(Arguments, LeadingDimensionsShorterThanALineAreRefused) {
  expect(status::bad_stride, [&] { call_.lda = call_.k - 1; });
  expect(status::bad_stride, [&] { call_.ldb = call_.n - 1; });
  expect(status::bad_stride, [&] { call_.ldc = call_.n - 1; });
  expect(status::bad_stride, [&] { call_.a_layout = layout::col_major, call_.lda = call_.m - 1; });
  expect(status::bad_stride, [&] { call_.b_layout = layout::col_major, call_.ldb = call_.k - 1; });
}

TEST_F(Arguments, StridesOfABatchThatOverflowAreRefused) {
  for (std::int64_t gemm_call::*stride : {&gemm_call::stride_a, &gemm_call::stride_b, &gemm_call::stride_c}) {
    for (const std::int64_t wrong : {kMost, kLeast, max_floats}) {
      expect(status::bad_stride, [&] { call_.batch = 2, call_.*stride = wrong; });
    }
  }
}

TEST_F(Arguments, NullOperandsAreRefused) {
  expect(status::bad_pointer, [&] { call_.a = nullptr; });
  expect(status::bad_pointer, [&] { call_.b = nullptr; });
  expect(status::bad_pointer, [&] { call_.c = nullptr; });
}

// The plan becomes that of a scalar tile whose chain has the operation.
const CompiledTile& tile_with(epilogue_op op) {
  const auto& all = tiles_of(isa::scalar);
  return *std::find_if(all.begin(), all.end(), [op](const CompiledTile& t) { return t.has(op); });
}

TEST_F(Arguments, ABiasThatTheChainReadsMustBeThere) {
  const CompiledTile& tile = tile_with(epilogue_op::bias);
  expect(status::bad_pointer, [&] {
    plan_ = {&tile.set, {tile.set.nr}, plan_.block};
    call_.operands.bias = nullptr;
  });
}

TEST_F(Arguments, MatricesThatTheChainReadsAreCheckedAsCIs) {
  using operands = epilogue_operands;
  const struct {
    epilogue_op op;
    const float* operands::*data;
    std::int64_t operands::*ld;
    std::int64_t operands::*stride;
  } kinds[] = {{epilogue_op::add, &operands::residual, &operands::ld_residual, &operands::stride_residual},
               {epilogue_op::mul, &operands::operand, &operands::ld_operand, &operands::stride_operand}};
  const std::vector<float> some(200);
  for (const auto& kind : kinds) {
    const CompiledTile& tile = tile_with(kind.op);
    const auto wrong = [&](status want, const std::function<void(operands&)>& spoil) {
      expect(want, [&] {
        plan_ = {&tile.set, {tile.set.nr}, plan_.block};
        operands& o = call_.operands;
        o.bias = o.residual = o.operand = some.data();
        o.ld_residual = o.ld_operand = call_.n;
        spoil(o);
      });
    };
    wrong(status::bad_pointer, [&](operands& o) { o.*kind.data = nullptr; });
    wrong(status::bad_stride, [&](operands& o) { o.*kind.ld = call_.n - 1; });
    wrong(status::bad_stride, [&](operands& o) { o.*kind.ld = kLeast; });
    wrong(status::bad_size, [&](operands& o) { o.*kind.ld = kMost; });
    wrong(status::bad_size, [&](operands& o) { call_.m = std::int64_t{1} << 20, o.*kind.ld = max_extent; });
    wrong(status::bad_stride, [&](operands& o) { call_.batch = 2, o.*kind.stride = kMost; });
    wrong(status::bad_stride, [&](operands& o) { call_.batch = 2, o.*kind.stride = kLeast; });
  }
}

TEST_F(Arguments, ClampBoundsMustBeInOrder) {
  const CompiledTile& tile = tile_with(epilogue_op::clamp);
  const std::vector<float> some(200);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  const std::pair<float, float> bad[] = {{2.0F, 1.0F}, {kNan, 1.0F}, {1.0F, kNan}};
  for (const auto& [lo, hi] : bad) {
    expect(status::bad_scalar, [&, lo = lo, hi = hi] {
      plan_ = {&tile.set, {tile.set.nr}, plan_.block};
      epilogue_operands& o = call_.operands;
      o.bias = o.residual = o.operand = some.data();
      o.ld_residual = o.ld_operand = call_.n;
      o.clamp_lo = lo;
      o.clamp_hi = hi;
    });
  }
}

TEST_F(Arguments, GridsWithoutThreadsOrWithTooManyAreRefused) {
  for (int blocking::*side : {&blocking::tm, &blocking::tn, &blocking::tk}) {
    for (const int wrong : {0, -1, max_grid_jobs + 1, std::numeric_limits<int>::max()}) {
      expect(status::bad_config, [&] { plan_.block.*side = wrong; });
    }
  }
  // 2^36 jobs: their number overflows an int to 0. The context has room for the largest grid that is valid.
  context_scratch_ = {context_scratch_.per_job, max_grid_jobs, context_scratch_.shared + (std::int64_t{1} << 20)};
  expect(status::bad_config, [&] { plan_.block.tm = plan_.block.tn = plan_.block.tk = 4096; });
}

TEST_F(Arguments, BlocksOfNothingOrBeyondEverySizeAreRefused) {
  for (std::int64_t blocking::*side : {&blocking::mc, &blocking::nc, &blocking::kc}) {
    for (const std::int64_t wrong : {std::int64_t{0}, std::int64_t{-1}, max_extent + 1, kMost, kLeast}) {
      expect(status::bad_config, [&] { plan_.block.*side = wrong; });
    }
  }
  expect(status::bad_config, [&] { plan_.block.prefetch_rows = -1; });
  expect(status::bad_config, [&] { plan_.block.prefetch_rows = kMost; });
  expect(status::bad_config, [&] { plan_.block.order = static_cast<loop_order>(loop_order_count); });
}

TEST_F(Arguments, PackingFormatsThatDoNotFitTheTileAreRefused) {
  expect(status::bad_config, [&] { plan_.format.panel = plan_.kernels->nr + 1; });
  expect(status::bad_config, [&] { plan_.format.panel = -plan_.kernels->nr; });
  // Unpacked weights must lie row by row.
  expect(status::bad_config, [&] { plan_.format.panel = 0, call_.b_layout = layout::col_major, call_.ldb = call_.k; });
  expect(status::bad_config, [&] { plan_.format.panel = 0, call_.b_packed = true; });
  expect(status::bad_config, [&] { plan_.kernels = nullptr; });
}

TEST_F(Arguments, AContextThatIsTooSmallIsRefused) {
  const scratch_size enough = context_scratch_;
  context_scratch_ = {enough.per_job - 1, enough.jobs, enough.shared};
  expect(status::bad_config, [] {});
  context_scratch_ = {enough.per_job, enough.jobs - 1, enough.shared};
  expect(status::bad_config, [] {});
  context_scratch_ = {enough.per_job, enough.jobs, enough.shared - 1};
  expect(status::bad_config, [] {});
  context_scratch_ = enough;
  EXPECT_EQ(run(), status::ok);
}

TEST_F(Arguments, AContextThatCouldNotGetItsMemorySaysSo) {
  for (const scratch_size impossible : {scratch_size{max_floats, max_grid_jobs, 0}, scratch_size{0, 1, max_floats},
                                        scratch_size{kMost, 1, 0}, scratch_size{0, 1, kMost}, scratch_size{-1, 1, 0}}) {
    context_scratch_ = impossible;
    expect(status::no_memory, [] {});
  }
}

TEST_F(Arguments, AFamilyThatTheCpuLacksIsRefused) {
  for (const isa family : {isa::avx2, isa::avx512f}) {
    if (host_has(family)) continue;
    const CompiledTile& tile = bare_tile(family);
    expect(status::bad_config, [&] { plan_ = {&tile.set, {tile.set.nr}, plan_.block}; });
  }
}

TEST(Scratch, SizesThatOverflowAreBounded) {
  const tile t{isa::scalar, 4, 4, 1, 1, prefetch::none};
  const blocking huge{kMost, kMost, kMost, loop_order::mnk, true, a_packing::job, 4096, 4096, 4096, 0};
  const scratch_size s = scratch_for(t, {4}, huge, max_extent, max_extent, max_extent, false);
  EXPECT_EQ(s.per_job, max_floats);
  EXPECT_EQ(s.jobs, max_grid_jobs);
  EXPECT_EQ(s.shared, 2 * max_floats);
}

TEST(Scratch, ALargerOneServesBoth) {
  const scratch_size s = larger({1, 5, 3}, {4, 2, 6});
  EXPECT_EQ(s.per_job, 4);
  EXPECT_EQ(s.jobs, 5);
  EXPECT_EQ(s.shared, 6);
}

struct PackCase {
  std::int64_t ldb = 6;
  layout order = layout::row_major;
  std::int64_t n = 6, k = 7, batch = 1, stride = 0;
  int panel = 4;
  bool null = false;
};

status packed_state(const PackCase& p) {
  static const std::vector<float> source(200, 1.0F);
  const float* const b = p.null ? nullptr : source.data();
  return pack_weights(b, p.ldb, p.order, p.n, p.k, p.batch, p.stride, {p.panel}).state();
}

TEST(PackWeights, EachWrongArgumentHasItsStatus) {
  EXPECT_EQ(packed_state({}), status::ok);
  for (const std::int64_t wrong : {std::int64_t{-1}, max_extent + 1, kMost, kLeast}) {
    EXPECT_EQ(packed_state({6, layout::row_major, wrong}), status::bad_size);
    EXPECT_EQ(packed_state({6, layout::row_major, 6, wrong}), status::bad_size);
    EXPECT_EQ(packed_state({6, layout::row_major, 6, 7, wrong}), status::bad_size);
  }
  EXPECT_EQ(packed_state({5}), status::bad_stride);
  EXPECT_EQ(packed_state({6, layout::col_major}), status::bad_stride);
  EXPECT_EQ(packed_state({kMost}), status::bad_stride);
  EXPECT_EQ(packed_state({6, layout::row_major, 6, 7, 2, kMost}), status::bad_stride);
  EXPECT_EQ(packed_state({6, layout::row_major, 6, 7, 1, 0, 0}), status::bad_config);
  EXPECT_EQ(packed_state({6, layout::row_major, 6, 7, 1, 0, -4}), status::bad_config);
  EXPECT_EQ(packed_state({6, layout::row_major, 6, 7, 1, 0, 4, true}), status::bad_pointer);
}

TEST(PackWeights, SizesWhoseProductOverflowsAreRefused) {
  EXPECT_EQ(packed_state({kOverflow, layout::row_major, kOverflow, kOverflow}), status::bad_size);
  EXPECT_EQ(packed_state({6, layout::row_major, 6, std::int64_t{1} << 30, std::int64_t{1} << 34}), status::bad_size);
  EXPECT_EQ(packed_state({kOverflow, layout::row_major, 1, kOverflow}), status::bad_size);
}

TEST(PackWeights, NothingNeedsNoMemoryAndNoSource) {
  const packed_weights w = pack_weights(nullptr, 6, layout::row_major, 6, 0, 1, 0, {4});
  EXPECT_TRUE(w.valid());
  EXPECT_EQ(w.data(), nullptr);
}

TEST(PackWeights, WithoutPackingIsNotValid) {
  EXPECT_FALSE(packed_weights().valid());
  EXPECT_EQ(packed_weights().state(), status::bad_weights);
}

// 3 columns in panels of 2: [k][panel], the last one padded with zeros whatever was there; both layouts give the same.
TEST(PackWeights, PanelsAreWholeAndPaddedWithZeros) {
  const float rows[] = {1, 2, 3, 4, 5, 6};     // K 2, N 3
  const float columns[] = {1, 4, 2, 5, 3, 6};  // its transpose
  const float want[] = {1, 2, 4, 5, 3, 0, 6, 0};
  ASSERT_EQ(packed_b_size(3, 2, {2}), 8);
  const GuardedBuffer from_rows(8), from_columns(8);
  pack_b_panels(rows, 3, layout::row_major, 3, 2, {2}, 0, 2, from_rows.data());
  pack_b_panels(columns, 2, layout::col_major, 3, 2, {2}, 0, 2, from_columns.data());
  const packed_weights w = pack_weights(rows, 3, layout::row_major, 3, 2, 1, 0, {2});
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(from_rows[i], want[i]) << i;
    EXPECT_EQ(from_columns[i], want[i]) << i;
    EXPECT_EQ(w.data()[i], want[i]) << i;
  }
}

}  // namespace
}  // namespace gemwright::test
