#include "tuner/baseline/baseline.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tuner/worker/operands.h"
#include "tuner/worker/verify.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

BaselineCall call_for(Operands& o, int threads, double cache_bytes) {
  BaselineCall call;
  call.problem = o.problem;
  call.m = o.m;
  call.threads = threads;
  call.cache_bytes = cache_bytes;
  call.a = o.a.data();
  call.b = {o.b.data(), 0, 1};
  call.operands = o.chain();
  call.c = o.c.data();
  return call;
}

Problem product(std::int64_t n, std::int64_t k) {
  Problem p;
  p.n = n;
  p.k = k;
  return p;
}

void prefill(Operands& o) {
  o.c.mark();
  if (o.problem.beta == 1) std::copy_n(o.c0.data(), o.c0.size(), o.c.data());
}

class BaselineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = make_onednn();
    if (!made) GTEST_SKIP() << made.error().message;
    baseline_ = std::move(*made);
  }

  void expect_right(const Problem& p, std::int64_t m, int threads = 1) {
    Operands o;
    ASSERT_TRUE(make_operands(o, p, m, DataKind::normal, 1));
    const BaselineCall call = call_for(o, threads, 0);
    auto trusted = TrustedResult::make(o, nullptr, call);
    ASSERT_TRUE(trusted);
    const auto ready = baseline_->prepare(call, false);
    ASSERT_TRUE(ready) << key(p) << ": " << ready.error().message;
    prefill(o);
    ASSERT_TRUE(baseline_->run(0));
    const Verdict v = trusted->check({0});
    EXPECT_FALSE(v.fault) << key(p) << " m" << m << ": " << v.fault.value_or("");
  }

  std::unique_ptr<Baseline> baseline_;
};

TEST_F(BaselineTest, EqualsFloat64ForAllLayoutsChainsAndSizes) {
  using Chain = std::vector<EpilogueOp>;
  const Chain chains[] = {{},
                          {EpilogueOp::bias},
                          {EpilogueOp::relu},
                          {EpilogueOp::bias, EpilogueOp::relu},
                          {EpilogueOp::relu, EpilogueOp::bias},
                          {EpilogueOp::bias, EpilogueOp::gelu_erf},
                          {EpilogueOp::bias, EpilogueOp::add},
                          {EpilogueOp::gelu_tanh, EpilogueOp::mul},
                          {EpilogueOp::scale, EpilogueOp::bias, EpilogueOp::silu, EpilogueOp::add},
                          {EpilogueOp::add, EpilogueOp::clamp, EpilogueOp::mul, EpilogueOp::bias}};
  int i = 0;
  for (const layout la : {layout::row_major, layout::col_major}) {
    for (const layout lb : {layout::row_major, layout::col_major}) {
      for (const Chain& chain : chains) {
        for (const int beta : {0, 1}) {
          for (const bool constant : {true, false}) {
            const std::int64_t sizes[][3] = {{13, 37, 29}, {1, 64, 33}, {17, 1, 16}, {5, 19, 1}, {1, 1, 1}};
            const auto& [m, n, k] = sizes[i++ % 5];
            expect_right({Interface::f32, n, k, i % 3 == 0 ? 3 : 1, la, lb, constant, beta, chain}, m);
          }
        }
      }
    }
  }
}

TEST_F(BaselineTest, TwoThreadsGiveTheSameResult) { expect_right(product(300, 200), 50, 2); }

TEST_F(BaselineTest, EveryCopyOfTheWeightsGivesTheSameResult) {
  Operands o;
  ASSERT_TRUE(make_operands(o, product(32, 16), 4, DataKind::normal, 1));
  const BaselineCall call = call_for(o, 1, 5.0 * 32 * 16 * 4);
  ASSERT_TRUE(baseline_->prepare(call, false));
  EXPECT_GE(baseline_->weight_copies() * baseline_->weight_bytes(), call.cache_bytes);
  ASSERT_GT(baseline_->weight_copies(), 1);
  auto trusted = TrustedResult::make(o, nullptr, call);
  ASSERT_TRUE(trusted);
  for (std::int64_t i = 0; i < baseline_->weight_copies(); ++i) {
    prefill(o);
    ASSERT_TRUE(baseline_->run(i));
    EXPECT_FALSE(trusted->check({0}).fault) << "copy " << i;
  }
}

TEST_F(BaselineTest, WeightsGivenPerCallAreReadWhereTheyLie) {
  Problem p = product(8, 4);
  p.constant_weights = false;
  Operands o;
  ASSERT_TRUE(make_operands(o, p, 2, DataKind::normal, 1));
  std::vector<float> copies(2 * 32, 0.0F);
  std::copy_n(o.b.data(), 32, copies.begin() + 32);
  BaselineCall call = call_for(o, 1, 0);
  call.b = {copies.data(), 32 * sizeof(float), 2};
  ASSERT_TRUE(baseline_->prepare(call, false));
  EXPECT_EQ(baseline_->weight_copies(), 2);
  ASSERT_TRUE(baseline_->run(0));
  EXPECT_EQ(o.c.data()[0], 0.0F);
  ASSERT_TRUE(baseline_->run(1));
  EXPECT_NE(o.c.data()[0], 0.0F);
}

TEST_F(BaselineTest, PackedWeightsAreMadeAgainForOtherValues) {
  Operands o;
  ASSERT_TRUE(make_operands(o, product(32, 16), 4, DataKind::normal, 1));
  ASSERT_TRUE(baseline_->prepare(call_for(o, 1, 0), false));
  ASSERT_TRUE(make_operands(o, product(32, 16), 4, DataKind::normal, 2));
  const BaselineCall call = call_for(o, 1, 0);
  ASSERT_TRUE(baseline_->prepare(call, false));
  prefill(o);
  ASSERT_TRUE(baseline_->run(0));
  auto trusted = TrustedResult::make(o, nullptr, call);
  ASSERT_TRUE(trusted);
  EXPECT_FALSE(trusted->check({0}).fault);
}

TEST_F(BaselineTest, AProductWithoutKIsRefused) {
  BaselineCall call;
  call.m = call.problem.n = 1;
  EXPECT_FALSE(baseline_->prepare(call, false));
}

TEST_F(BaselineTest, TheNameCarriesTheVersion) { EXPECT_EQ(baseline_->name().rfind("onednn ", 0), 0U); }

}  // namespace
}  // namespace gemwright::tuner
