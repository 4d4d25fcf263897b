#include "tuner/baseline/baseline.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/session/typed_operands.h"
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

  // An interface that oneDNN has no code for on this CPU is refused, and nothing more can be asked.
  bool computes(Interface i) {
    Problem p = product(16, 16);
    p.interface = i;
    TypedOperands o(p, 16);
    return baseline_->prepare(o.call(), false).has_value();
  }

  // Whether it computes it; what it does compute is right.
  bool right_or_refused(const Problem& p, std::int64_t m, int a_zero, int threads = 1) {
    SCOPED_TRACE(fmt::format("{} m{} zero {}", key(p), m, a_zero));
    TypedOperands o(p, m, a_zero);
    const auto ready = baseline_->prepare(o.call(0, threads), false);
    if (!ready) {
      EXPECT_NE(ready.error().message.find("only its reference code"), std::string::npos) << ready.error().message;
      return false;
    }
    o.prefill();
    EXPECT_TRUE(baseline_->run(0));
    EXPECT_EQ(o.fault(), "");
    return true;
  }

  std::unique_ptr<Baseline> baseline_;
};

constexpr Interface kShort[] = {Interface::bf16, Interface::u8s8};

using Chain = std::vector<EpilogueOp>;
const Chain kChains[] = {{},
                         {EpilogueOp::bias},
                         {EpilogueOp::relu},
                         {EpilogueOp::bias, EpilogueOp::relu},
                         {EpilogueOp::relu, EpilogueOp::bias},
                         {EpilogueOp::bias, EpilogueOp::gelu_erf},
                         {EpilogueOp::bias, EpilogueOp::add},
                         {EpilogueOp::gelu_tanh, EpilogueOp::mul},
                         {EpilogueOp::scale, EpilogueOp::bias, EpilogueOp::silu, EpilogueOp::add},
                         {EpilogueOp::add, EpilogueOp::clamp, EpilogueOp::mul, EpilogueOp::bias}};

TEST_F(BaselineTest, EqualsFloat64ForAllLayoutsChainsAndSizes) {
  int i = 0;
  for (const layout la : {layout::row_major, layout::col_major}) {
    for (const layout lb : {layout::row_major, layout::col_major}) {
      for (const Chain& chain : kChains) {
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

TEST_F(BaselineTest, ShortElementsEqualFloat64ForAllLayoutsChainsAndSizes) {
  for (const Interface interface : kShort) {
    if (!computes(interface)) GTEST_SKIP() << "oneDNN has no " << to_text(interface) << " on this CPU";
    int i = 0, computed = 0;
    for (const layout la : {layout::row_major, layout::col_major}) {
      for (const layout lb : {layout::row_major, layout::col_major}) {
        for (const Chain& chain : kChains) {
          for (const int beta : {0, 1}) {
            for (const bool constant : {true, false}) {
              const std::int64_t sizes[][3] = {{13, 37, 29}, {1, 64, 33}, {17, 1, 16}, {5, 19, 1}, {1, 1, 1}};
              const auto& [m, n, k] = sizes[i++ % 5];
              const int zero = interface == Interface::u8s8 ? std::array{0, 7, 128, 255}[i % 4] : 0;
              const Problem p{interface, n, k, i % 3 == 0 ? 3 : 1, la, lb, constant, beta, chain};
              if (right_or_refused(p, m, zero)) ++computed;
            }
          }
        }
      }
    }
    EXPECT_GT(computed, i * 2 / 3) << to_text(interface);
  }
}

TEST_F(BaselineTest, RequantisedResultsEqualFloat64) {
  if (!computes(Interface::u8s8)) GTEST_SKIP() << "oneDNN has no u8s8 on this CPU";
  const Chain chains[] = {{EpilogueOp::requant},
                          {EpilogueOp::bias, EpilogueOp::relu, EpilogueOp::requant},
                          {EpilogueOp::bias, EpilogueOp::gelu_erf, EpilogueOp::mul, EpilogueOp::requant},
                          {EpilogueOp::scale, EpilogueOp::add, EpilogueOp::clamp, EpilogueOp::requant}};
  int computed = 0;
  for (const Chain& chain : chains) {
    for (const bool constant : {true, false}) {
      for (const std::int64_t batch : {1, 3}) {
        const Problem p{Interface::u8s8, 70, 50, batch, layout::row_major, layout::col_major, constant, 0, chain};
        if (right_or_refused(p, 9, 128)) ++computed;
      }
    }
  }
  EXPECT_GT(computed, 8);
}

TEST_F(BaselineTest, BatchedItemsOfU8s8HaveScalesOfTheirOwn) {
  if (!computes(Interface::u8s8)) GTEST_SKIP() << "oneDNN has no u8s8 on this CPU";
  int computed = 0;
  for (const int beta : {0, 1}) {
    const Problem p{Interface::u8s8, 70, 50, 3, layout::row_major, layout::row_major, true, beta, {EpilogueOp::bias}};
    if (right_or_refused(p, 40, 3, 2)) ++computed;
  }
  EXPECT_GT(computed, 0);
}

TEST_F(BaselineTest, TwoThreadsGiveTheSameShortElements) {
  for (const Interface interface : kShort) {
    if (!computes(interface)) continue;
    Problem p = product(150, 200);
    p.interface = interface;
    EXPECT_TRUE(right_or_refused(p, 50, interface == Interface::u8s8 ? 11 : 0, 2));
  }
}

TEST_F(BaselineTest, EveryCopyOfShortWeightsGivesTheSameResult) {
  for (const Interface interface : kShort) {
    if (!computes(interface)) continue;
    Problem p = product(64, 64);
    p.interface = interface;
    TypedOperands o(p, 4, interface == Interface::u8s8 ? 9 : 0);
    const BaselineCall call = o.call(5 * weight_bytes(p));
    ASSERT_TRUE(baseline_->prepare(call, false));
    EXPECT_GE(baseline_->weight_copies() * baseline_->weight_bytes(), call.cache_bytes);
    ASSERT_GT(baseline_->weight_copies(), 1) << to_text(interface);
    for (std::int64_t i = 0; i < baseline_->weight_copies(); ++i) {
      o.prefill();
      ASSERT_TRUE(baseline_->run(i));
      EXPECT_EQ(o.fault(), "") << to_text(interface) << " copy " << i;
    }
  }
}

TEST_F(BaselineTest, ShortWeightsGivenPerCallAreReadWhereTheyLie) {
  for (const Interface interface : kShort) {
    if (!computes(interface)) continue;
    Problem p = product(19, 23);
    p.interface = interface;
    p.constant_weights = false;
    TypedOperands o(p, 5, 0);
    Bytes copies(o.b().size() * 2, 0);
    std::copy(o.b().begin(), o.b().end(), copies.begin() + std::ssize(o.b()));
    BaselineCall call = o.call();
    call.b = {copies.data(), std::ssize(o.b()), 2};
    ASSERT_TRUE(baseline_->prepare(call, false));
    ASSERT_EQ(baseline_->weight_copies(), 2);
    ASSERT_TRUE(baseline_->run(0));
    EXPECT_NE(o.fault(), "") << "the first copy holds zeros";
    ASSERT_TRUE(baseline_->run(1));
    EXPECT_EQ(o.fault(), "") << to_text(interface);
  }
}

TEST_F(BaselineTest, KeptWeightsServeOtherScalesButNoOtherInterface) {
  Problem p = product(32, 16);
  for (const Interface interface : {Interface::f32, Interface::bf16, Interface::u8s8}) {
    p.interface = interface;
    if (!computes(interface)) continue;
    TypedOperands o(p, 4);
    for (const float by : {1.0F, 2.0F}) {
      o.scale_columns(by);
      ASSERT_TRUE(baseline_->prepare(o.call(), true));
      o.prefill();
      ASSERT_TRUE(baseline_->run(0));
      EXPECT_EQ(o.fault(), "") << to_text(interface) << " scaled by " << by;
    }
  }
}

TEST_F(BaselineTest, TheBareProductIsOfF32Alone) {
  for (const Interface interface : kShort) {
    Problem p = product(4, 4);
    p.interface = interface;
    TypedOperands o(p, 4);
    std::vector<float> c(16);
    EXPECT_FALSE(baseline_->product(o.call(), c.data()));
  }
}

TEST_F(BaselineTest, AProductWithoutKIsRefused) {
  BaselineCall call;
  call.m = call.problem.n = 1;
  EXPECT_FALSE(baseline_->prepare(call, false));
}

TEST_F(BaselineTest, TheNameCarriesTheVersion) { EXPECT_EQ(baseline_->name().rfind("onednn ", 0), 0U); }

}  // namespace
}  // namespace gemwright::tuner
