// Pairs of products (swiglu, geglu) in oneDNN: every way that it takes.
#include <gemwright/cpu.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/session/typed_operands.h"
#include "tuner/baseline/baseline.h"
#include "tuner/worker/session.h"

namespace gemwright::tuner {
namespace {

using Chain = std::vector<EpilogueOp>;

constexpr Interface kInterfaces[] = {Interface::f32, Interface::bf16, Interface::u8s8};
constexpr PairWay kWays[] = {PairWay::up_first, PairWay::gate_first, PairWay::concatenated};
const Chain kChains[] = {{EpilogueOp::swiglu},
                         {EpilogueOp::geglu},
                         {EpilogueOp::bias, EpilogueOp::swiglu},
                         {EpilogueOp::swiglu, EpilogueOp::add},
                         {EpilogueOp::geglu, EpilogueOp::bias, EpilogueOp::relu},  // a bias of N / 2 columns
                         {EpilogueOp::bias, EpilogueOp::geglu, EpilogueOp::mul, EpilogueOp::add},
                         {EpilogueOp::swiglu, EpilogueOp::scale, EpilogueOp::clamp},
                         {EpilogueOp::swiglu, EpilogueOp::gelu_tanh, EpilogueOp::silu, EpilogueOp::gelu_erf}};

class PairBaselineTest : public testing::Test {
 protected:
  void SetUp() override {
    if (auto made = make_onednn(); !made) GTEST_SKIP() << made.error().message;
  }

  static Problem pair(Interface interface, std::int64_t n, std::int64_t k, Chain chain = {EpilogueOp::swiglu}) {
    Problem p;
    p.interface = interface;
    p.n = n;
    p.k = k;
    p.chain = std::move(chain);
    return p;
  }

  // An interface that oneDNN has no code for on this CPU is refused.
  static bool computes(Interface i) {
    TypedOperands o(pair(i, 32, 16), 16);
    return (*make_onednn())->prepare(o.call(), false).has_value();
  }

  // Whether it computes it; what it does compute is right.
  static bool right_or_refused(Baseline& baseline, const Problem& p, std::int64_t m, int a_zero, int threads = 1) {
    SCOPED_TRACE(fmt::format("{} m{} zero {}", key(p), m, a_zero));
    TypedOperands o(p, m, a_zero);
    if (const auto ready = baseline.prepare(o.call(0, threads), false); !ready) {
      EXPECT_NE(ready.error().message.find("only its reference code"), std::string::npos) << ready.error().message;
      return false;
    }
    o.prefill();
    EXPECT_TRUE(baseline.run(0));
    EXPECT_EQ(o.fault(), "") << baseline.name();
    return true;
  }
};

TEST_F(PairBaselineTest, EveryWayEqualsFloat64ForAllLayoutsChainsAndSizes) {
  for (const PairWay way : kWays) {
    auto made = make_onednn(way);
    ASSERT_TRUE(made);
    for (const Interface interface : kInterfaces) {
      if (!computes(interface)) continue;
      int i = 0, computed = 0;
      for (const layout la : {layout::row_major, layout::col_major}) {
        for (const layout lb : {layout::row_major, layout::col_major}) {
          for (const Chain& chain : kChains) {
            for (const bool constant : {true, false}) {
              const std::int64_t sizes[][3] = {{13, 74, 29}, {1, 64, 33}, {17, 2, 16}, {5, 38, 1}, {1, 2, 1}};
              const auto& [m, n, k] = sizes[i++ % 5];
              const int zero = interface == Interface::u8s8 ? std::array{0, 7, 128, 255}[i % 4] : 0;
              const Problem p{interface, n, k, i % 3 == 0 ? 3 : 1, la, lb, constant, 0, chain};
              if (right_or_refused(**made, p, m, zero)) ++computed;
            }
          }
        }
      }
      EXPECT_GT(computed, i * 2 / 3) << to_text(interface) << " way " << static_cast<int>(way);
    }
  }
}

TEST_F(PairBaselineTest, EveryWayRequantises) {
  if (!computes(Interface::u8s8)) GTEST_SKIP() << "oneDNN has no u8s8 on this CPU";
  for (const PairWay way : kWays) {
    auto baseline = *make_onednn(way);
    for (const Chain& chain : {Chain{EpilogueOp::swiglu, EpilogueOp::scale, EpilogueOp::requant},
                               Chain{EpilogueOp::bias, EpilogueOp::geglu, EpilogueOp::add, EpilogueOp::requant}}) {
      for (const int threads : {1, 2}) {
        EXPECT_TRUE(right_or_refused(*baseline, pair(Interface::u8s8, 2 * 1100, 29, chain), 7, 128, threads));
      }
    }
  }
}

TEST_F(PairBaselineTest, TheFastestWayIsRightAndHasTheNameOfAll) {
  for (const Interface interface : kInterfaces) {
    if (!computes(interface)) continue;
    auto baseline = *make_onednn();
    const std::string plain = baseline->name();
    EXPECT_TRUE(right_or_refused(*baseline, pair(interface, 200, 96), 7, 0));
    EXPECT_EQ(baseline->name(), plain) << "a study knows its baseline by name";
  }
}

TEST_F(PairBaselineTest, WhatIsNoPairIsPreparedAfterOne) {
  for (const PairWay way : kWays) {
    auto baseline = *make_onednn(way);
    TypedOperands o(pair(Interface::f32, 20, 8), 3), single(pair(Interface::f32, 20, 8, {}), 3);
    ASSERT_TRUE(baseline->prepare(o.call(), false));
    ASSERT_TRUE(baseline->prepare(single.call(), false));
    single.prefill();
    ASSERT_TRUE(baseline->run(0));
    EXPECT_EQ(single.fault(), "");
  }
}

TEST_F(PairBaselineTest, TwoThreadsGiveTheSameResult) {
  for (const PairWay way : kWays) {
    auto baseline = *make_onednn(way);
    for (const Interface interface : kInterfaces) {
      if (!computes(interface)) continue;
      const Problem p = pair(interface, 2 * 1500, 20, {EpilogueOp::bias, EpilogueOp::swiglu, EpilogueOp::add});
      EXPECT_TRUE(right_or_refused(*baseline, p, 5, 0, 2));
    }
  }
}

TEST_F(PairBaselineTest, EveryCopyHoldsBothHalvesOfTheWeights) {
  std::vector<std::optional<PairWay>> ways(std::begin(kWays), std::end(kWays));
  ways.emplace_back();  // the fastest
  for (const auto way : ways) {
    auto baseline = *make_onednn(way);
    for (const Interface interface : kInterfaces) {
      if (!computes(interface)) continue;
      const Problem p = pair(interface, 128, 64);
      TypedOperands o(p, 4, interface == Interface::u8s8 ? 9 : 0);
      const BaselineCall call = o.call(5 * weight_bytes(p));
      ASSERT_TRUE(baseline->prepare(call, false));
      EXPECT_GE(static_cast<double>(baseline->weight_copies()) * weight_bytes(p), call.cache_bytes * 0.8);
      EXPECT_GE(baseline->weight_bytes(), call.cache_bytes);
      ASSERT_GT(baseline->weight_copies(), 1);
      for (std::int64_t i = 0; i < baseline->weight_copies(); ++i) {
        o.prefill();
        ASSERT_TRUE(baseline->run(i));
        EXPECT_EQ(o.fault(), "") << baseline->name() << " copy " << i;
      }
    }
  }
}

TEST_F(PairBaselineTest, WeightsGivenPerCallAreReadWhereTheyLie) {
  for (const PairWay way : kWays) {
    auto baseline = *make_onednn(way);
    Problem p = pair(Interface::f32, 38, 23);
    p.constant_weights = false;
    TypedOperands o(p, 5);
    Bytes copies(o.b().size() * 2, 0);
    std::copy(o.b().begin(), o.b().end(), copies.begin() + std::ssize(o.b()));
    BaselineCall call = o.call();
    call.b = {copies.data(), std::ssize(o.b()), 2};
    ASSERT_TRUE(baseline->prepare(call, false));
    ASSERT_EQ(baseline->weight_copies(), 2);
    ASSERT_TRUE(baseline->run(0));
    EXPECT_NE(o.fault(), "") << "the first copy holds zeros";
    ASSERT_TRUE(baseline->run(1));
    EXPECT_EQ(o.fault(), "");
  }
}

TEST_F(PairBaselineTest, KeptWeightsServeOtherScalesAndRows) {
  auto baseline = *make_onednn();
  for (const Interface interface : kInterfaces) {
    if (!computes(interface)) continue;
    bool same = false;
    for (const std::int64_t m : {1, 4, 30}) {
      TypedOperands o(pair(interface, 64, 48), m);
      o.scale_columns(static_cast<float>(m));
      ASSERT_TRUE(baseline->prepare(o.call(3 * 64 * 48), same));
      same = true;
      o.prefill();
      ASSERT_TRUE(baseline->run(0));
      EXPECT_EQ(o.fault(), "") << to_text(interface) << " m" << m;
    }
  }
}

// In a format for each way at most, and in none where they are given per call.
TEST_F(PairBaselineTest, HoldsNoMoreWeightsHoweverManyRowsAreServed) {
  auto baseline = *make_onednn();
  Problem p = pair(Interface::f32, 512, 384);
  const double one = weight_bytes(p);
  for (const std::int64_t m : {1, 4, 30, 1, 100, 7}) {
    TypedOperands o(p, m);
    ASSERT_TRUE(baseline->prepare(o.call(), m > 1));
    EXPECT_GE(baseline->weight_bytes(), one);
    EXPECT_LE(baseline->weight_bytes(), 1.1 * static_cast<double>(std::size(kWays)) * one);
  }
  p.constant_weights = false;
  TypedOperands o(p, 4);
  ASSERT_TRUE(baseline->prepare(o.call(), true));
  EXPECT_EQ(baseline->weight_bytes(), 0);
}

TEST_F(PairBaselineTest, OtherValuesAreReorderedAgain) {
  for (const PairWay way : kWays) {
    auto baseline = *make_onednn(way);
    TypedOperands o(pair(Interface::f32, 32, 24), 4);
    Bytes zeros(o.b().size(), 0);
    BaselineCall call = o.call();
    call.b.first = zeros.data();
    ASSERT_TRUE(baseline->prepare(call, false));
    ASSERT_TRUE(baseline->prepare(o.call(), false));
    o.prefill();
    ASSERT_TRUE(baseline->run(0));
    EXPECT_EQ(o.fault(), "");
  }
}

// The session compares it with a trusted result before it is timed.
TEST_F(PairBaselineTest, ASessionFindsItRight) {
  for (const Interface interface : kInterfaces) {
    if (!computes(interface)) continue;
    Session session;
    MeasureSetup setup;
    setup.problem = pair(interface, 2 * 203, 300, {EpilogueOp::bias, EpilogueOp::swiglu, EpilogueOp::add});
    setup.m = 21;
    const auto reply = session.setup(setup);
    ASSERT_TRUE(reply) << reply.error().message;
    // Without instructions for it oneDNN adds pairs of u8 x s8 in 16 bits, which may saturate: then it is not timed.
    const bool may_saturate = interface == Interface::u8s8 && !cpu_has(isa::avx512_vnni) && !cpu_has(isa::avx_vnni);
    const bool refused = may_saturate && reply->baseline_reason.find("wrong result") != std::string::npos;
    EXPECT_TRUE(refused || !reply->baseline.empty()) << to_text(interface) << ": " << reply->baseline_reason;
  }
}

// Far from zero the activations must neither overflow nor lose their sign.
TEST_F(PairBaselineTest, LargeGatesAreRight) {
  for (const PairWay way : kWays) {
    auto baseline = *make_onednn(way);
    for (const EpilogueOp op : {EpilogueOp::swiglu, EpilogueOp::geglu}) {
      const float a = 1, b[] = {-300.0F, -20.0F, 0.0F, 20.0F, 300.0F, 1, 1, 1, 1, 1};
      float c[5] = {};
      BaselineCall call;
      call.problem = pair(Interface::f32, 10, 1, {op});
      call.m = 1;
      call.a = &a;
      call.b = {b, 0, 1};
      call.c = c;
      ASSERT_TRUE(baseline->prepare(call, false));
      ASSERT_TRUE(baseline->run(0));
      EXPECT_NEAR(c[0], 0, 1e-30);
      EXPECT_NEAR(c[1], 0, 1e-7);
      EXPECT_EQ(c[2], 0);
      EXPECT_NEAR(c[3], 20, 1e-5);
      EXPECT_EQ(c[4], 300);
    }
  }
}

}  // namespace
}  // namespace gemwright::tuner
