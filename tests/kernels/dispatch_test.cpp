// Calls through a table of plans: what goes past the loop nest gives the bits and the refusals of what does not.
#include <gemwright/dispatch.h>
#include <gemwright/dot_dispatch.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <vector>

namespace gemwright::test {
namespace {

constexpr std::int64_t kN = 21, kK = 24, kMostM = 9, kLd = 32;
constexpr blocking kWhole{1 << 20, 1 << 20, 1 << 20, loop_order::mnk, true, a_packing::none, 1, 1, 1, 0};
using biased = chain<epilogue_op::bias>;

// f32, with a bias.
constexpr kernel_set kTile = compiled_tile<isa::scalar, 4, 2, 1, 1, prefetch::none, biased>();
constexpr problem_shape kShape{
    kN, kK, 1, layout::row_major, layout::row_major, true, {true, false, false, false, false}, {2}};
constexpr plan kPlan{&kTile, kShape.format, kWhole};
constexpr m_range kShort[] = {{kMostM, &kPlan, whole_rows(kShape, kPlan)}}, kLong[] = {{kMostM, &kPlan}};
constexpr thread_group kShortGroup[] = {{1, kShort, 1, &kPlan}}, kLongGroup[] = {{1, kLong, 1, &kPlan}};
constexpr dispatch_table kShortTable{&kShape, kShortGroup, 1}, kLongTable{&kShape, kLongGroup, 1};
static_assert(kShort[0].whole_m == whole_extent, "this plan leaves every product whole");

// u8s8 without a chain.
constexpr dot_kernel_set kDotTile =
    compiled_dot_tile<compute_mode::u8s8, isa::scalar, 4, 2, 1, 1, prefetch::none, element::f32, chain<>>();
constexpr dot_problem_shape kDotShape{{kN, kK, 1, layout::row_major, layout::row_major, true, {}, {2}},
                                      compute_mode::u8s8,
                                      element::u8,
                                      element::s8,
                                      element::f32};
constexpr dot_plan kDotPlan{&kDotTile, kDotShape.format, kWhole};
constexpr dot_m_range kDotShort[] = {{kMostM, &kDotPlan, whole_rows(kDotShape, kDotPlan)}},
                      kDotLong[] = {{kMostM, &kDotPlan}};
constexpr dot_thread_group kDotShortGroup[] = {{1, kDotShort, 1, &kDotPlan}},
                           kDotLongGroup[] = {{1, kDotLong, 1, &kDotPlan}};
constexpr dot_dispatch_table kDotShortTable{&kDotShape, kDotShortGroup, 1}, kDotLongTable{&kDotShape, kDotLongGroup, 1};
static_assert(kDotShort[0].whole_m == whole_extent, "this plan leaves every product whole");

// What a caller hands in, to be bent.
template <class Element, class Packed>
struct Call {
  std::int64_t m = 5, lda = kLd, ldc = kLd;
  std::vector<Element> a = std::vector<Element>(kLd * 24, Element(3));
  std::vector<float> c = std::vector<float>(kLd * 24, 7.0F), bias = std::vector<float>(kN, 0.5F);
  const Element* from = a.data();
  float* to = c.data();
  call_operands operands{};
  integer_meaning meaning{};
  const Packed* weights = nullptr;
};
using FloatCall = Call<float, packed_weights>;
using ByteCall = Call<std::uint8_t, packed_dot_weights>;

status run(const FloatCall& x, bool short_way) {
  context ctx(1, scratch_for(kShortTable));
  return run_table(short_way ? kShortTable : kLongTable, ctx, x.m, x.from, x.lda, x.weights, nullptr, 0, x.to, x.ldc,
                   x.operands);
}
status run(const ByteCall& x, bool short_way) {
  context ctx(1, scratch_for(kDotShortTable));
  return run_table(short_way ? kDotShortTable : kDotLongTable, ctx, x.m, x.from, x.lda, x.weights, nullptr, 0, x.to,
                   x.ldc, x.operands, x.meaning);
}

template <class Call>
status expect_same(const std::function<void(Call&)>& prepare, const std::function<void(Call&)>& bend) {
  status said[2];
  std::vector<float> c[2];
  for (const bool short_way : {false, true}) {
    Call x;
    prepare(x);
    bend(x);
    said[short_way] = run(x, short_way);
    c[short_way] = x.c;
  }
  EXPECT_EQ(said[0], said[1]) << status_text(said[0]) << ", " << status_text(said[1]);
  EXPECT_EQ(c[0], c[1]);
  return said[1];
}

TEST(Dispatch, ShortWayOfFloatsAnswersAsTheLoopNest) {
  const std::vector<float> w(kN * kK, 0.25F), wide(kN * kK * 2, 0.25F);
  const packed_weights weights = pack_weights(kShape, w.data(), kN, layout::row_major, std::nullopt);
  const packed_weights others = pack_weights(wide.data(), kN, layout::row_major, kN, 2 * kK, 1, 0, {2});
  ASSERT_TRUE(weights.valid() && others.valid());
  const auto with = [&](const std::function<void(FloatCall&)>& bend) {
    return expect_same<FloatCall>(
        [&](FloatCall& x) {
          x.weights = &weights;
          x.operands.bias = x.bias.data();
        },
        bend);
  };
  EXPECT_EQ(with([](FloatCall&) {}), status::ok);
  EXPECT_EQ(with([](FloatCall& x) { x.operands.beta = 1; }), status::ok);
  EXPECT_EQ(with([](FloatCall& x) { x.m = 20; }), status::ok) << "more rows than were tuned";
  EXPECT_EQ(with([](FloatCall& x) { x.m = 0, x.operands.bias = nullptr, x.to = nullptr; }), status::ok);
  EXPECT_EQ(with([](FloatCall& x) { x.m = 1, x.lda = x.ldc = whole_extent + 1; }), status::ok) << "one line of each";
  EXPECT_EQ(with([](FloatCall& x) { x.m = -1; }), status::bad_size);
  EXPECT_EQ(with([](FloatCall& x) { x.m = std::numeric_limits<std::int64_t>::max(); }), status::bad_size);
  EXPECT_EQ(with([](FloatCall& x) { x.lda = kK - 1; }), status::bad_stride);
  EXPECT_EQ(with([](FloatCall& x) { x.ldc = kN - 1; }), status::bad_stride);
  EXPECT_EQ(with([](FloatCall& x) { x.lda = std::numeric_limits<std::int64_t>::max(); }), status::bad_size);
  EXPECT_EQ(with([](FloatCall& x) { x.from = nullptr; }), status::bad_pointer);
  EXPECT_EQ(with([](FloatCall& x) { x.to = nullptr; }), status::bad_pointer);
  EXPECT_EQ(with([](FloatCall& x) { x.operands.bias = nullptr; }), status::bad_pointer);
  EXPECT_EQ(with([](FloatCall& x) { x.operands.residual = x.to, x.operands.ld_residual = kLd; }), status::bad_pointer);
  EXPECT_EQ(with([](FloatCall& x) { x.operands.scale = 2.0F; }), status::bad_scalar);
  EXPECT_EQ(with([](FloatCall& x) { x.operands.beta = 2; }), status::bad_config);
  EXPECT_EQ(with([&](FloatCall& x) { x.weights = &others; }), status::bad_weights);
}

TEST(Dispatch, ShortWayOfBytesAnswersAsTheLoopNest) {
  const std::vector<std::int8_t> w(kN * kK, -5);
  const packed_dot_weights weights = pack_weights(kDotShape, w.data(), kN, nullptr, layout::row_major, std::nullopt);
  ASSERT_TRUE(weights.valid());
  const auto with = [&](const std::function<void(ByteCall&)>& bend) {
    return expect_same<ByteCall>(
        [&](ByteCall& x) {
          x.weights = &weights;
          x.meaning.a_scale = 0.5F;
          x.meaning.a_zero = 9;
        },
        bend);
  };
  EXPECT_EQ(with([](ByteCall&) {}), status::ok);
  EXPECT_EQ(with([](ByteCall& x) { x.operands.beta = 1; }), status::ok);
  EXPECT_EQ(with([](ByteCall& x) { x.m = 20; }), status::ok);
  EXPECT_EQ(with([](ByteCall& x) { x.m = 0, x.meaning.a_scale.reset(); }), status::ok);
  EXPECT_EQ(with([](ByteCall& x) { x.m = -1; }), status::bad_size);
  EXPECT_EQ(with([](ByteCall& x) { x.lda = kK - 1; }), status::bad_stride);
  EXPECT_EQ(with([](ByteCall& x) { x.ldc = kN - 1; }), status::bad_stride);
  EXPECT_EQ(with([](ByteCall& x) { x.from = nullptr; }), status::bad_pointer);
  EXPECT_EQ(with([](ByteCall& x) { x.to = nullptr; }), status::bad_pointer);
  EXPECT_EQ(with([](ByteCall& x) { x.meaning.a_scale.reset(); }), status::bad_scalar);
  EXPECT_EQ(with([](ByteCall& x) { x.meaning.a_zero = 256; }), status::bad_scalar);
  for (const float scale : {0.0F, -1.0F, std::numeric_limits<float>::infinity(), std::nanf("")}) {
    EXPECT_EQ(with([&](ByteCall& x) { x.meaning.a_scale = scale; }), status::bad_scalar) << scale;
  }
  EXPECT_EQ(with([](ByteCall& x) { x.operands.bias = x.to; }), status::bad_pointer);
  EXPECT_EQ(with([](ByteCall& x) { x.operands.beta = -1; }), status::bad_config);
}

TEST(Dispatch, PlansThatNeedTheLoopNestHaveNoShortWay) {
  const auto rows = [](const std::function<void(blocking&)>& bend) {
    plan p = kPlan;
    bend(p.block);
    return whole_rows(kShape, p);
  };
  EXPECT_EQ(rows([](blocking&) {}), whole_extent);
  EXPECT_EQ(rows([](blocking& g) { g.mc = 8; }), 8);
  EXPECT_EQ(rows([](blocking& g) { g.nc = 20; }), 0);
  EXPECT_EQ(rows([](blocking& g) { g.kc = 8; }), 0);
  EXPECT_EQ(rows([](blocking& g) { g.tn = 2; }), 0);
  EXPECT_EQ(rows([](blocking& g) { g.tk = 2; }), 0);
  EXPECT_EQ(rows([](blocking& g) { g.pack_a = a_packing::job; }), 0);
  EXPECT_EQ(rows([](blocking& g) { g.chain_at = fusion::pass; }), 0);
  problem_shape s = kShape;
  s.batch = 2;
  EXPECT_EQ(whole_rows(s, kPlan), 0);
  s = kShape;
  s.constant_weights = false;
  EXPECT_EQ(whole_rows(s, kPlan), 0);
  s = kShape;
  s.n = whole_extent + 1;
  EXPECT_EQ(whole_rows(s, kPlan), 0);
  dot_problem_shape dot = kDotShape;
  dot.k = kK + 1;
  EXPECT_EQ(whole_rows(dot, kDotPlan), whole_extent) << "tiles read a group in which K ends";
  dot = kDotShape;
  dot.a_layout = layout::col_major;
  EXPECT_EQ(whole_rows(dot, kDotPlan), 0);
}

}  // namespace
}  // namespace gemwright::test
