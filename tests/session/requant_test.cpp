// A C of u8: how its scale and zero point are chosen, and what is refused of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "tuner/worker/verify.h"

namespace gemwright::tuner {
namespace {

using gemwright::element;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(InElement, OfU8KeepsWhatTheCodesReachWithinHalfAStep) {
  const auto stored = [](double value, double error) { return in_element(element::u8, {value, error}, 0.5F, 100); };
  EXPECT_EQ(stored(3, 0).value, 3);
  EXPECT_NEAR(stored(3, 0).error, 0.25, 1e-4);
  EXPECT_NEAR(stored(3, 0.01).error, 0.26, 1e-4);
  EXPECT_EQ(stored(1000, 1).value, 77.5);
  EXPECT_EQ(stored(-1000, 1).value, -50);
  EXPECT_NEAR(stored(1000, 1).error, 0.25, 1e-4) << "a result far beyond is one code alone";
  EXPECT_NEAR(stored(77.6, 0.3).error, 0.45, 1e-4) << "what it may be off by may reach back";
  EXPECT_EQ(stored(kInfinity, 0).value, 77.5);
  EXPECT_EQ(stored(-kInfinity, 0).value, -50);
  EXPECT_EQ(stored(std::nan(""), 0).value, -50);
}

TEST(InElement, OfFloatsIsTheirRounding) {
  EXPECT_EQ(in_element(element::f32, {3, 0.5}, 0.5F, 100).error, 0.5);
  EXPECT_EQ(in_element(element::bf16, {1, 0}, 0.5F, 100).error, 0x1p-8);
  EXPECT_EQ(in_element(element::bf16, {1, 0}, 0.5F, 100).value, 1);
}

Problem problem(std::vector<EpilogueOp> chain, std::int64_t n = 60, std::int64_t k = 80, std::int64_t batch = 1) {
  Problem p;
  p.interface = Interface::u8s8;
  p.n = n;
  p.k = k;
  p.batch = batch;
  p.chain = std::move(chain);
  return p;
}

Operands operands(const Problem& p, std::int64_t m, std::uint64_t seed = 3) {
  Operands o;
  const auto made = make_operands(o, p, m, DataKind::normal, seed);
  EXPECT_TRUE(made);
  return o;
}

// The result in float64, as this test computes it: of the chains bias+relu+requant and requant.
std::vector<double> result(const Operands& o) {
  const Problem& p = o.problem;
  std::vector<double> all;
  for (std::int64_t line = 0; line < o.rows(); ++line) {
    for (std::int64_t j = 0; j < p.n; ++j) {
      const MatrixView a = o.a_item(line / o.m), b = o.b_item(line / o.m);
      double sum = 0;
      for (std::int64_t k = 0; k < p.k; ++k) {
        sum += static_cast<double>(a.data[line % o.m * a.row + k * a.col]) *
               static_cast<double>(b.data[k * b.row + j * b.col]);
      }
      if (o.bias.data() != nullptr) sum = std::max(0.0, sum + static_cast<double>(o.bias.data()[j]));
      all.push_back(sum);
    }
  }
  return all;
}

std::vector<double> range_of(const Operands& o) {
  std::vector<double> v = result(o);
  v.push_back(0);
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  return {*low, *high};
}

TEST(ScaleOfC, SpreadsTheRangeOfTheResultAndZeroOverAllCodes) {
  for (const auto& chain :
       {std::vector{EpilogueOp::requant}, std::vector{EpilogueOp::bias, EpilogueOp::relu, EpilogueOp::requant}}) {
    for (const std::int64_t batch : {1, 3}) {
      const Operands o = operands(problem(chain, 60, 80, batch), 7);
      const auto range = range_of(o);
      EXPECT_NEAR(static_cast<double>(o.c_scale), (range[1] - range[0]) / 255, 1e-6);
      EXPECT_NEAR(o.c_zero, -range[0] / static_cast<double>(o.c_scale), 0.51);
    }
  }
}

TEST(ScaleOfC, FollowsTheOperandsAlone) {
  const Problem p = problem({EpilogueOp::bias, EpilogueOp::silu, EpilogueOp::requant});
  const Operands once = operands(p, 33), again = operands(p, 33), other = operands(p, 33, 4);
  EXPECT_EQ(once.c_scale, again.c_scale);
  EXPECT_EQ(once.c_zero, again.c_zero);
  EXPECT_NE(once.c_scale, other.c_scale);
  Operands reused = operands(p, 12);
  ASSERT_TRUE(make_operands(reused, p, 33, DataKind::normal, 3));
  EXPECT_EQ(reused.c_scale, once.c_scale);
}

TEST(ScaleOfC, OfAPairIsThatOfItsResult) {
  const Operands pair = operands(problem({EpilogueOp::swiglu, EpilogueOp::requant}), 20);
  const Operands plain = operands(problem({EpilogueOp::requant}), 20);
  EXPECT_GT(pair.c_scale, 0);
  EXPECT_NE(pair.c_scale, plain.c_scale);
  EXPECT_EQ(pair.short_c.size(), plain.short_c.size() / 2);
}

TEST(ScaleOfC, OfNothingButZerosIsOne) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    const Operands o = operands(problem({EpilogueOp::relu, EpilogueOp::requant}, 1, 1), 1, seed);
    if (result(o)[0] > 0) continue;
    EXPECT_EQ(o.c_scale, 1);
    EXPECT_EQ(o.c_zero, 0);
    return;
  }
  FAIL() << "no seed gives a negative product";
}

class RequantTrust : public testing::Test {
 protected:
  void SetUp() override {
    o_ = operands(problem({EpilogueOp::requant}, 60, 80, 2), 33);
    right_ = result(o_);
    ASSERT_TRUE(o_.c_zero > 50 && o_.c_zero < 200) << "both signs";
  }

  // C from codes before they are kept in 0 to 255.
  Verdict verdict(const std::function<long(double steps)>& code) {
    auto trusted = TrustedResult::make(o_, nullptr, {});
    EXPECT_TRUE(trusted);
    for (std::size_t i = 0; i < right_.size(); ++i) {
      const long c = code(right_[i] / static_cast<double>(o_.c_scale));
      o_.short_c.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(c);
    }
    return trusted->check(all_rows(o_.rows()));
  }
  long kept(double code) const { return std::lround(std::clamp(code, 0.0, 255.0)); }

  Operands o_;
  std::vector<double> right_;
};

TEST_F(RequantTrust, TheNearestCodesAreRightWithTheErrorOfTheirSteps) {
  const Verdict v = verdict([&](double steps) { return kept(std::nearbyint(steps) + o_.c_zero); });
  EXPECT_FALSE(v.fault) << *v.fault;
  EXPECT_GT(v.error_fro, 3e-3);
  EXPECT_LT(v.error_fro, 2e-2);
}

TEST_F(RequantTrust, ACodeOffByOneIsRefused) {
  EXPECT_TRUE(verdict([&](double s) { return kept(std::nearbyint(s) + o_.c_zero + 1); }).fault);
  EXPECT_TRUE(verdict([&](double s) { return kept(std::nearbyint(s) + o_.c_zero - 1); }).fault);
  std::int64_t i = 0;
  EXPECT_TRUE(verdict([&](double s) { return kept(std::nearbyint(s) + o_.c_zero) ^ (++i == 700 ? 1 : 0); }).fault);
}

TEST_F(RequantTrust, CuttingInPlaceOfRoundingIsRefused) {
  EXPECT_TRUE(verdict([&](double s) { return kept(std::floor(s) + o_.c_zero); }).fault);
}

TEST_F(RequantTrust, AMissingZeroPointIsRefused) {
  EXPECT_TRUE(verdict([&](double s) { return kept(std::nearbyint(s)); }).fault);
}

TEST_F(RequantTrust, WhatWrapsAroundIsRefused) {
  o_.c_scale /= 2;  // half of the range is beyond the codes
  const auto saturated = verdict([&](double s) { return kept(std::nearbyint(s) + o_.c_zero); });
  EXPECT_FALSE(saturated.fault) << *saturated.fault;
  EXPECT_TRUE(verdict([&](double s) { return std::lround(s) + o_.c_zero; }).fault);
}

TEST_F(RequantTrust, AWriteOutsideCIsFound) {
  o_.short_c.as<std::uint8_t>()[o_.short_c.size()] = 0;
  const Verdict v = verdict([&](double s) { return kept(std::nearbyint(s) + o_.c_zero); });
  EXPECT_EQ(v.fault, "wrote outside C");
}

}  // namespace
}  // namespace gemwright::tuner
