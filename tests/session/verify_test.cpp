#include "tuner/worker/verify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gemwright::tuner {
namespace {

using gemwright::blocking;
using gemwright::loop_order;
using Rows = std::vector<std::int64_t>;

blocking grid(std::int64_t mc, int tm, int tk = 1) {
  return {mc, 1 << 20, 1 << 20, loop_order::nmk, true, a_packing::none, tm, 1, tk, 0};
}

TEST(BorderRows, LieOnBothSidesOfEachTile) {
  EXPECT_EQ(border_rows(12, 1, ComputeMode::f32, 4, grid(100, 1)), (Rows{0, 3, 4, 7, 8, 11}));
}

TEST(BorderRows, FollowTheEvenCutOfTilesAndThreads) {
  // 10 rows in three tiles of 4, 3 and 3; two threads take two tiles and one.
  EXPECT_EQ(border_rows(10, 1, ComputeMode::f32, 4, grid(100, 1)), (Rows{0, 3, 4, 6, 7, 9}));
  const Rows two = border_rows(10, 1, ComputeMode::f32, 4, grid(100, 2));
  for (const std::int64_t r : {0, 9}) EXPECT_TRUE(std::count(two.begin(), two.end(), r) == 1);
}

TEST(BorderRows, FollowBlocksSlicesOfKAndItems) {
  const Rows blocks = border_rows(64, 1, ComputeMode::f32, 8, grid(16, 1));
  EXPECT_TRUE(std::count(blocks.begin(), blocks.end(), 15) == 1 && std::count(blocks.begin(), blocks.end(), 16) == 1);
  // Slices of K: chunks of mc rows.
  const Rows chunks = border_rows(10, 1, ComputeMode::f32, 8, grid(5, 1, 2));
  EXPECT_TRUE(std::count(chunks.begin(), chunks.end(), 4) == 1 && std::count(chunks.begin(), chunks.end(), 5) == 1);
  EXPECT_EQ(border_rows(2, 3, ComputeMode::f32, 4, grid(100, 1)), (Rows{0, 1, 2, 3, 4, 5}));
}

TEST(BorderRows, OfADotModeAreThoseOfItsTilesAlone) {
  // Rows spread evenly over the tiles of each item, whatever blocks, threads and chunks take of them.
  const Rows expected = {0, 3, 4, 6, 7, 9, 10, 13, 14, 16, 17, 19};
  EXPECT_EQ(border_rows(10, 2, ComputeMode::bf16, 4, grid(100, 1)), expected);
  EXPECT_EQ(border_rows(10, 2, ComputeMode::u8s8, 4, grid(5, 3)), expected);
  // 14 rows in two tiles of 7 where f32, in blocks of 8, has one of 8 and one of 6.
  EXPECT_EQ(border_rows(14, 1, ComputeMode::bf16, 8, grid(8, 1)), (Rows{0, 6, 7, 13}));
  const Rows many = border_rows(1 << 20, 2, ComputeMode::bf16, 3, grid(50, 3));
  EXPECT_TRUE(std::is_sorted(many.begin(), many.end()));
  EXPECT_EQ(many.back(), (2 << 20) - 1);
  EXPECT_LT(many.size(), 20000U);
}

TEST(BorderRows, AreAscendingInsideTheResultAndBounded) {
  for (const std::int64_t m : {1, 7, 1000, 1 << 20}) {
    const Rows rows = border_rows(m, 2, ComputeMode::f32, 3, grid(50, 3));
    ASSERT_FALSE(rows.empty());
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
    EXPECT_EQ(rows.front(), 0);
    EXPECT_EQ(rows.back(), 2 * m - 1);
    EXPECT_LT(rows.size(), 20000U);
  }
  EXPECT_EQ(all_rows(5), (Rows{0, 1, 2, 3, 4}));
  EXPECT_EQ(all_rows(1), (Rows{0}));
}

TEST(ErrorBoundTest, IsNeverAboveTheProvenOne) {
  EXPECT_LE(ErrorBound(1)(1, 1, 0), 4.1 * 0x1p-24);
  EXPECT_LT(ErrorBound(4096)(4096, 64, 0), 4099 * 0x1p-24 * 4096);
  EXPECT_EQ(ErrorBound(0)(0, 0, 0), 0);
}

TEST(ErrorBoundTest, AllowsWhatADotModeCosts) {
  EXPECT_EQ(ErrorBound(4096, ComputeMode::bf16)(0, 0, 0), 4096 * 0x1p-126);
  EXPECT_EQ(ErrorBound(4096, ComputeMode::bf16)(64, 1, 0), ErrorBound(4096)(64, 1, 0));
  EXPECT_NEAR(ErrorBound(4096, ComputeMode::u8s8)(64, 64, 1), 8 * 65 * 0x1p-24, 1e-30);
  EXPECT_GT(ErrorBound(1, ComputeMode::u8s8)(64, 64, 1), ErrorBound(1)(64, 64, 1));
}

TEST(RoundingOf, IsHalfTheDistanceOfBf16Numbers) {
  using gemwright::element;
  EXPECT_EQ(rounding_of(element::f32, 3, 1), 0);
  EXPECT_EQ(rounding_of(element::bf16, 1, 0), 0x1p-8);
  EXPECT_EQ(rounding_of(element::bf16, -1.99, 0), 0x1p-8);
  EXPECT_EQ(rounding_of(element::bf16, 1.99, 0.01), 0x1p-7) << "the error reaches the next binade";
  EXPECT_EQ(rounding_of(element::bf16, 0, 0), 0x1p-134) << "subnormal numbers are equally far apart";
  EXPECT_EQ(rounding_of(element::bf16, std::numeric_limits<double>::infinity(), 0), 0);
  for (const float v : {1.00390625F, 300.7F, -0.0123F, 1e-39F}) {
    const double moved = std::abs(static_cast<double>(gemwright::to_float(gemwright::to_bf16(v)) - v));
    EXPECT_LE(moved, rounding_of(element::bf16, static_cast<double>(v), 0)) << v;
  }
}

// A problem that is too large for float64 altogether, with a product to be trusted that a test can spoil.
class FakeBaseline final : public Baseline {
 public:
  explicit FakeBaseline(const Operands& o) : o_(o) {}
  std::string name() const override { return "fake 1"; }
  Result<void> prepare(const BaselineCall&, bool) override { return {}; }
  Result<void> run(std::int64_t) override { return {}; }
  std::int64_t weight_copies() const override { return 1; }
  double weight_bytes() const override { return 0; }
  Result<void> product(const BaselineCall&, float* c) override {
    if (fails) return fail("no product");
    for (std::int64_t item = 0; item < o_.problem.batch; ++item) {
      Rows rows(static_cast<std::size_t>(o_.m));
      for (std::int64_t i = 0; i < o_.m; ++i) rows[static_cast<std::size_t>(i)] = i;
      std::vector<double> out(rows.size() * static_cast<std::size_t>(o_.problem.n));
      multiply_rows(o_.a_item(item), rows, o_.b_item(item), out.data());
      std::transform(out.begin(), out.end(), c + item * o_.m * o_.problem.n,
                     [](double v) { return static_cast<float>(v); });
    }
    c[spoiled] += error;
    return {};
  }

  bool fails = false;
  std::size_t spoiled = 0;
  float error = 0;

 private:
  const Operands& o_;
};

class TrustedTest : public testing::Test {
 protected:
  void SetUp() override {
    Problem p;
    p.n = 700;
    p.k = 401;
    p.batch = 2;
    p.chain = {EpilogueOp::bias, EpilogueOp::relu};
    p.beta = 1;
    ASSERT_TRUE(make_operands(o_, p, 160, DataKind::outliers, 3));
  }

  TrustedResult trusted(Baseline* b) { return std::move(*TrustedResult::make(o_, b, {})); }
  // C as the fake product and an independent chain make it.
  void make_right_result() {
    FakeBaseline exact(o_);
    ASSERT_TRUE(exact.product({}, o_.c.data()));
    for (std::int64_t i = 0; i < o_.c.size(); ++i) {
      o_.c.data()[i] = std::max(0.0F, o_.c.data()[i] + o_.c0.data()[i] + o_.bias.data()[i % o_.problem.n]);
    }
  }

  Operands o_;
};

TEST_F(TrustedTest, AProvenProductIsUsed) {
  FakeBaseline b(o_);
  TrustedResult t = trusted(&b);
  EXPECT_EQ(t.source(), "fake 1");
  make_right_result();
  const Verdict v = t.check(all_rows(o_.rows()));
  EXPECT_FALSE(v.fault) << *v.fault;
  EXPECT_GT(v.error_fro, 0);
  EXPECT_LT(v.error_fro, 1e-6);
  EXPECT_GT(v.error_max, 0);
}

TEST_F(TrustedTest, AWrongProductIsReplacedByFloat64) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{12345}, static_cast<std::size_t>(o_.c.size() - 1)}) {
    FakeBaseline b(o_);
    b.spoiled = at;
    b.error = 0.2F;
    TrustedResult t = trusted(&b);
    EXPECT_EQ(t.source(), "float64") << at;
  }
  FakeBaseline nan(o_);
  nan.error = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(trusted(&nan).source(), "float64");
  FakeBaseline broken(o_);
  broken.fails = true;
  EXPECT_EQ(trusted(&broken).source(), "float64");
}

TEST_F(TrustedTest, EverySingleWrongElementIsFound) {
  FakeBaseline b(o_);
  TrustedResult t = trusted(&b);
  make_right_result();
  ASSERT_FALSE(t.check({0}).fault);
  for (std::int64_t at = 0; at < o_.c.size(); at += 4999) {
    float& v = o_.c.data()[at];
    const float right = v;
    v += std::max(1e-4F * std::abs(v), 0.01F);
    const Verdict verdict = t.check({0});
    ASSERT_TRUE(verdict.fault) << at;
    EXPECT_NE(verdict.fault->find("column " + std::to_string(at % o_.problem.n) + ":"), std::string::npos)
        << *verdict.fault;
    v = right;
  }
  o_.c.data()[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(t.check({0}).fault);
}

TEST_F(TrustedTest, AFaultNamesItemRowColumnAndBothValues) {
  FakeBaseline b(o_);
  TrustedResult t = trusted(&b);
  make_right_result();
  o_.c.data()[(160 + 5) * 700 + 9] = 12345;
  const Verdict v = t.check({});
  ASSERT_TRUE(v.fault);
  EXPECT_NE(v.fault->find("item 1, row 5, column 9: got 12345, expected"), std::string::npos) << *v.fault;
}

TEST_F(TrustedTest, AWriteOutsideCIsFound) {
  FakeBaseline b(o_);
  TrustedResult t = trusted(&b);
  make_right_result();
  o_.c.data()[o_.c.size()] = 0;
  EXPECT_EQ(t.check({}).fault, "wrote outside C");
}

}  // namespace
}  // namespace gemwright::tuner
