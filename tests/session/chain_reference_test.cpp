#include "tuner/worker/chain_reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tuner/worker/operands.h"

namespace gemwright::tuner {
namespace {

using Op = EpilogueOp;
constexpr ChainPoint kPoint{0.5, 2.0, -3.0, 0.25, -1.0, 4.0};
constexpr double kTiny = 1e-6;  // more than the roundings of a few operations on numbers below 10

Bounded result(const std::vector<Op>& chain, double value, double error = 0) {
  return apply_chain(chain, {value, error}, kPoint, 0);
}

TEST(ChainReference, AppliesEachOperationInOrder) {
  EXPECT_EQ(result({}, 7).value, 7);
  EXPECT_EQ(result({Op::bias, Op::mul}, 1).value, -4.5);
  EXPECT_EQ(result({Op::mul, Op::bias}, 1).value, -2.5);
  EXPECT_EQ(result({Op::add, Op::scale}, 6).value, 2);
  EXPECT_EQ(result({Op::relu}, -6).value, 0);
  EXPECT_EQ(result({Op::clamp}, -6).value, -1);
  EXPECT_EQ(result({Op::clamp}, 6).value, 4);
  EXPECT_NEAR(result({Op::silu}, 1).value, 0.731058578630005, 1e-12);
  EXPECT_NEAR(result({Op::gelu_erf}, 1).value, 0.841344746068543, 1e-12);
  EXPECT_NEAR(result({Op::gelu_tanh}, 1).value, 0.841191990608276, 1e-12);
}

TEST(ChainReference, AnErrorGoesThroughTheChain) {
  EXPECT_NEAR(result({Op::mul}, 1, 0.1).error, 0.3, kTiny);
  EXPECT_NEAR(result({Op::scale}, 1, 0.1).error, 0.025, kTiny);
  EXPECT_NEAR(result({Op::gelu_erf}, 1, 0.1).error, 0.113, kTiny);
  // What a right result cannot reach is no excuse.
  EXPECT_NEAR(result({Op::relu}, -1, 0.1).error, 0, kTiny);
  EXPECT_NEAR(result({Op::relu}, -0.1, 0.3).error, 0.2, kTiny);
  EXPECT_NEAR(result({Op::clamp}, 5, 0.5).error, 0, kTiny);
  EXPECT_GT(result({Op::bias}, 1).error, 0);  // the operation's own rounding
  EXPECT_NEAR(apply_chain({Op::silu}, {8, 0}, kPoint, 0.01).error, 0.08, 1e-3);
}

TEST(ChainReference, WhatIsNoFiniteNumberIsExact) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(result({Op::gelu_erf}, -kInf).value, 0);
  EXPECT_EQ(result({Op::silu}, kInf).value, kInf);
  EXPECT_EQ(result({Op::silu}, kInf).error, 0);
  EXPECT_EQ(result({Op::relu}, kInf).error, 0);
  EXPECT_EQ(result({Op::clamp}, kInf).value, 4);
  EXPECT_TRUE(std::isnan(result({Op::relu, Op::clamp, Op::gelu_tanh}, std::nan("")).value));
}

TEST(ChainReference, OperandsAreThereWhereTheChainReadsThem) {
  Operands o;
  Problem p;
  p.n = 10;
  p.k = 6;
  p.batch = 2;
  p.chain = {Op::add, Op::clamp};
  ASSERT_TRUE(make_operands(o, p, 3, DataKind::normal, 1));
  EXPECT_EQ(o.residual.size(), 60);
  EXPECT_EQ(o.operand.data(), nullptr);
  EXPECT_EQ(o.bias.data(), nullptr);
  const ChainPoint at = chain_point(o.chain(), 1, 2, 9);
  EXPECT_EQ(at.residual, static_cast<double>(o.residual.data()[59]));
  EXPECT_EQ(at.operand, 0);
  EXPECT_LT(at.lo, at.hi);
  Problem bare = p;
  bare.chain.clear();
  EXPECT_EQ(bytes_for_m(p, 3) - bytes_for_m(bare, 3), 240);
}

}  // namespace
}  // namespace gemwright::tuner
