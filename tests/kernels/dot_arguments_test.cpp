// What the dot modes refuse, and with which status.
#include <limits>

#include "tests/kernels/dot_case.h"

namespace gemwright::test {
namespace {

// A call that is right, to be made wrong in one place. u8 x s8 -> f32 with a bias, on the portable tile.
struct Valid {
  explicit Valid(compute_mode mode = compute_mode::u8s8, element c_type = element::f32) {
    for (const CompiledDotTile& t : scalar_dot_tiles(mode)) {
      if (t.set.c_type == c_type) tile = &t;
    }
    const bool integers = mode == compute_mode::u8s8;
    call.m = 3;
    call.n = 5;
    call.k = 7;
    call.a = a;
    call.a_type = integers ? element::u8 : element::f32;
    call.lda = 7;
    call.c = c;
    call.ldc = 5;
    call.operands.bias = bias;
    source.b = b;
    source.type = integers ? element::s8 : element::f32;
    source.ldb = 5;
    plan = {&tile->set, {tile->set.nr}, {8, 8, 8, loop_order::mnk, true, a_packing::job, 1, 1, 1, 0}};
    weights = pack_dot_weights(mode, source, 5, 7, 1, plan.format);
    call.weights = &weights;
  }
  status run() {
    context ctx(1, scratch_for(plan, call.n, call.k, call.batch, call.weights != nullptr));
    return run_dot(call, plan, ctx);
  }

  const CompiledDotTile* tile = nullptr;
  float a[64] = {}, b[64] = {}, c[64] = {}, bias[8] = {};
  dot_weights_source source;
  packed_dot_weights weights;
  dot_call call;
  dot_plan plan{};
};

template <class Break>
status broken(const Break& with, compute_mode mode = compute_mode::u8s8, element c_type = element::f32) {
  Valid v(mode, c_type);
  EXPECT_EQ(v.run(), status::ok);
  with(v);
  return v.run();
}

TEST(DotArguments, SizesStridesAndPointersAreChecked) {
  EXPECT_EQ(broken([](Valid& v) { v.call.m = -1; }), status::bad_size);
  EXPECT_EQ(broken([](Valid& v) { v.call.k = max_extent + 1; }), status::bad_size);
  EXPECT_EQ(broken([](Valid& v) { v.call.lda = 6; }), status::bad_stride);
  EXPECT_EQ(broken([](Valid& v) { v.call.ldc = 4; }), status::bad_stride);
  EXPECT_EQ(broken([](Valid& v) { v.call.a = nullptr; }), status::bad_pointer);
  EXPECT_EQ(broken([](Valid& v) { v.call.c = nullptr; }), status::bad_pointer);
  EXPECT_EQ(broken([](Valid& v) { v.call.operands.bias = nullptr; }), status::bad_pointer);
  const auto per_call = [](Valid& v) {
    v.call.weights = nullptr;
    v.call.b = v.source;
  };
  EXPECT_EQ(broken(per_call), status::ok);
  EXPECT_EQ(broken([&](Valid& v) { per_call(v), v.call.b.b = nullptr; }), status::bad_pointer);
  EXPECT_EQ(broken([&](Valid& v) { per_call(v), v.call.b.ldb = 4; }), status::bad_stride);
}

TEST(DotArguments, ABlockingThatCannotRunIsRefused) {
  EXPECT_EQ(broken([](Valid& v) { v.plan.block.tk = 0; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.plan.block.tk = 2, v.plan.block.pack_a = a_packing::job; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) {
              v.plan.block.tk = 2, v.plan.block.pack_a = a_packing::shared;
              v.plan.block.chain_at = fusion::pass;
            }),
            status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.plan.block.order = loop_order::nkm; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.plan.block.kc = 0; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.plan.block.tm = 5000; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.plan.block.prefetch_rows = -1; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.plan.format.panel += 1; }), status::bad_config);
  Valid v;
  context ctx(1, {});
  EXPECT_EQ(run_dot(v.call, {nullptr, v.plan.format, v.plan.block}, ctx), status::bad_config);
}

TEST(DotArguments, TypesThatTheModeDoesNotTakeAreRefused) {
  EXPECT_EQ(broken([](Valid& v) { v.call.a_type = element::s8; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.call.a_zero = 256; }), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.call.a_type = element::u8; }, compute_mode::bf16), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.call.beta = true; }, compute_mode::u8s8, element::u8), status::bad_config);
  EXPECT_EQ(broken([](Valid& v) { v.call.requant.zero = -1; }, compute_mode::u8s8, element::u8), status::bad_config);
  const float scale[5] = {};
  Valid v;
  v.source.type = element::u8;
  EXPECT_EQ(pack_dot_weights(compute_mode::u8s8, v.source, 5, 7, 1, {8}).state(), status::bad_config);
  v.source.type = element::f32;
  v.source.scale = scale;
  EXPECT_EQ(pack_dot_weights(compute_mode::u8s8, v.source, 5, 7, 1, {8}).state(), status::bad_config);
  v.source = {v.b, element::s8, 5, layout::row_major, 0, nullptr};
  EXPECT_EQ(pack_dot_weights(compute_mode::bf16, v.source, 5, 7, 1, {8}).state(), status::bad_config);
  EXPECT_EQ(pack_dot_weights(compute_mode::f32, v.source, 5, 7, 1, {8}).state(), status::bad_config);
}

TEST(DotArguments, WeightsOfAnotherShapeFormatOrModeAreRefused) {
  EXPECT_EQ(broken([](Valid& v) { v.call.n = 4; }), status::bad_weights);
  EXPECT_EQ(broken([](Valid& v) { v.weights = {}; }), status::bad_weights);
  EXPECT_EQ(broken([](Valid& v) { v.plan.format.panel *= 2; }), status::bad_weights);
  EXPECT_EQ(broken([](Valid& v) {
              v.source.type = element::f32;
              v.weights = pack_dot_weights(compute_mode::bf16, v.source, 5, 7, 1, v.plan.format);
            }),
            status::bad_weights);
}

TEST(DotArguments, PackingChecksItsSource) {
  Valid v;
  const auto pack = [&](const dot_weights_source& s, std::int64_t n, std::int64_t k, std::int64_t batch, int panel) {
    return pack_dot_weights(compute_mode::u8s8, s, n, k, batch, {panel}).state();
  };
  EXPECT_EQ(pack(v.source, 5, 7, 1, 8), status::ok);
  EXPECT_EQ(pack(v.source, 5, 7, 1, 0), status::bad_config);
  EXPECT_EQ(pack(v.source, -5, 7, 1, 8), status::bad_size);
  EXPECT_EQ(pack(v.source, 5, max_u8s8_depth + 1, 1, 8), status::bad_size);
  EXPECT_EQ(pack(v.source, 6, 7, 1, 8), status::bad_stride);
  dot_weights_source far = v.source;
  far.stride = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(pack(far, 5, 7, 2, 8), status::bad_stride);
  far = v.source;
  far.b = nullptr;
  EXPECT_EQ(pack(far, 5, 7, 1, 8), status::bad_pointer);
  far = v.source;
  far.ldb = max_extent;
  EXPECT_EQ(pack(far, max_extent, max_u8s8_depth, 1, 8), status::bad_size);
}

TEST(DotArguments, AContextWithoutTheFamilyOrTheScratchMemoryIsRefused) {
  Valid v;
  context small(1, {});
  EXPECT_EQ(run_dot(v.call, v.plan, small), status::bad_config);
  if (!cpu_has(isa::avx2)) GTEST_SKIP() << "this CPU does not have avx2";
  const CompiledDotTile& tile = narrow_dot_tiles({compute_mode::u8s8, isa::avx2}).front();
  const dot_plan p{&tile.set, {tile.set.nr}, v.plan.block};
  v.weights = pack_dot_weights(compute_mode::u8s8, v.source, 5, 7, 1, p.format);
  context without(1, scratch_for(p, 5, 7, 1, true), isa::scalar);
  EXPECT_EQ(run_dot(v.call, p, without), status::bad_config);
  context with(1, scratch_for(p, 5, 7, 1, true));
  EXPECT_EQ(run_dot(v.call, p, with), status::ok);
}

}  // namespace
}  // namespace gemwright::test
