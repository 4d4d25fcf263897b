#include "tuner/worker/operands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "tuner/worker/factors.h"
#include "tuner/worker/weights.h"

namespace gemwright::tuner {
namespace {

std::vector<float> values(DataKind kind, std::uint64_t seed, std::uint64_t stream, std::int64_t count = 200000) {
  std::vector<float> v(static_cast<std::size_t>(count));
  fill(kind, seed, stream, v.data(), count);
  return v;
}

double moment(const std::vector<float>& v, int power) {
  double sum = 0;
  for (const float x : v) sum += std::pow(static_cast<double>(x), power);
  return sum / static_cast<double>(v.size());
}

TEST(Fill, NormalHasMeanZeroAndVarianceOne) {
  const auto v = values(DataKind::normal, 1, 1);
  EXPECT_NEAR(moment(v, 1), 0, 0.01);
  EXPECT_NEAR(moment(v, 2), 1, 0.02);
  EXPECT_NEAR(moment(v, 4), 3, 0.1);
}

TEST(Fill, NormalHasTheTailsOfTheNormalDistribution) {
  const auto v = values(DataKind::normal, 1, 1);
  // Shares beyond 1, 2, 3 and 4 standard deviations.
  const std::pair<float, double> expected[] = {{1, 0.31731}, {2, 0.0455}, {3, 0.0027}, {4, 6.33e-5}};
  for (const auto& [sigma, share] : expected) {
    const auto beyond = std::count_if(v.begin(), v.end(), [s = sigma](float x) { return std::abs(x) > s; });
    const double wanted = share * static_cast<double>(v.size());
    EXPECT_NEAR(static_cast<double>(beyond), wanted, 4 * std::sqrt(wanted) + 1) << sigma;
  }
}

TEST(Fill, UniformLiesBetweenMinusOneAndOne) {
  const auto v = values(DataKind::uniform, 1, 1);
  for (const float x : v) ASSERT_TRUE(x >= -1.0F && x < 1.0F);
  EXPECT_NEAR(moment(v, 2), 1.0 / 3, 0.01);
}

TEST(Fill, OneOutlierInAThousandIsTwentyTimesLarger) {
  const auto plain = values(DataKind::normal, 9, 2), with = values(DataKind::outliers, 9, 2);
  int outliers = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (with[i] == plain[i]) continue;
    ASSERT_EQ(with[i], plain[i] * 20.0F);
    ++outliers;
  }
  EXPECT_NEAR(outliers, 200, 60);
}

TEST(Fill, ValuesDependOnSeedStreamAndPlaceAlone) {
  const auto v = values(DataKind::normal, 5, 1, 1000);
  const auto more = values(DataKind::normal, 5, 1, 2000);
  EXPECT_TRUE(std::equal(v.begin(), v.end(), more.begin()));
  EXPECT_NE(v, values(DataKind::normal, 6, 1, 1000));
  EXPECT_NE(v, values(DataKind::normal, 5, 2, 1000));
}

TEST(GuardedFloats, AWriteOnEitherSideIsFoundOut) {
  auto g = GuardedFloats::make(10);
  ASSERT_TRUE(g);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(g->data()) % 64, 0U);
  EXPECT_TRUE(g->bands_intact());
  g->data()[0] = g->data()[9] = 1;
  EXPECT_TRUE(g->bands_intact());
  g->data()[10] = 1;
  EXPECT_FALSE(g->bands_intact());
  g->mark();
  EXPECT_TRUE(g->bands_intact());
  g->data()[-1] = 1;
  EXPECT_FALSE(g->bands_intact());
}

TEST(GuardedElements, BandsBeginAtTheByteBehindTheLastElement) {
  using gemwright::element;
  for (const element type : {element::bf16, element::u8, element::s8}) {
    for (const std::int64_t count : {1, 2, 3, 4, 5}) {
      auto g = GuardedElements::make(type, count);
      ASSERT_TRUE(g);
      const std::int64_t bytes = count * element_size(type);
      std::fill_n(g->as<char>(), bytes, '\1');
      EXPECT_TRUE(g->bands_intact());
      EXPECT_FALSE(g->holds_mark(0));
      for (const std::int64_t outside : {std::int64_t{-1}, bytes, bytes + 3, bytes + 255}) {
        char& byte = g->as<char>()[outside];
        const char mark = byte;
        byte = static_cast<char>(byte ^ 1);
        EXPECT_FALSE(g->bands_intact()) << outside;
        byte = mark;
      }
      g->mark();
      for (std::int64_t i = 0; i < count; ++i) EXPECT_TRUE(g->holds_mark(i));
    }
  }
  auto g = GuardedElements::make(element::bf16, 2);
  ASSERT_TRUE(g);
  g->mark();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(std::isnan(gemwright::to_float(g->as<gemwright::bf16>()[i])));
}

TEST(CopyCount, CopiesHoldAtLeastTheBytesAskedFor) {
  EXPECT_EQ(copy_count(0, 100), 1);
  EXPECT_EQ(copy_count(1000, 100), 10);
  EXPECT_EQ(copy_count(1001, 100), 11);
  EXPECT_EQ(copy_count(50, 100), 1);
  EXPECT_EQ(copy_count(100, 0), 1);
  EXPECT_EQ(copy_count(1e12, 4), kMaxWeightCopies);
}

Operands small_operands() {
  Operands o;
  Problem p;
  p.n = 10;
  p.k = 6;
  EXPECT_TRUE(make_operands(o, p, 3, DataKind::normal, 1));
  return o;
}

TEST(Operands, WeightsStayWhereOnlyMChanges) {
  Operands o = small_operands();
  const float* const b = o.b.data();
  ASSERT_TRUE(make_operands(o, o.problem, 4, DataKind::normal, 1));
  EXPECT_EQ(o.b.data(), b);
  EXPECT_EQ(o.a.size(), 24);
  Problem other = o.problem;
  other.k = 7;
  EXPECT_FALSE(same_weights(o, other, DataKind::normal, 1));
  EXPECT_FALSE(same_weights(o, o.problem, DataKind::uniform, 1));
  EXPECT_FALSE(same_weights(o, o.problem, DataKind::normal, 2));
}

Operands operands_of(Interface interface, int beta = 0, std::uint64_t seed = 1) {
  Operands o;
  Problem p;
  p.interface = interface;
  p.n = 50;
  p.k = 40;
  p.batch = 2;
  p.beta = beta;
  p.b_layout = gemwright::layout::col_major;
  EXPECT_TRUE(make_operands(o, p, 30, DataKind::normal, seed));
  return o;
}

TEST(Operands, OfBf16AreTheValuesOfF32Rounded) {
  const Operands f32 = operands_of(Interface::f32), o = operands_of(Interface::bf16);
  EXPECT_EQ(f32.short_a.data(), nullptr);
  EXPECT_EQ(f32.a_data(), f32.a.data());
  ASSERT_EQ(o.a_data(), o.short_a.data());
  ASSERT_EQ(o.short_b.size(), f32.b.size());
  for (std::int64_t i = 0; i < o.a.size(); ++i) {
    const auto v = gemwright::to_bf16(f32.a.data()[i]);
    ASSERT_EQ(o.short_a.as<gemwright::bf16>()[i].bits, v.bits);
    ASSERT_EQ(o.a.data()[i], gemwright::to_float(v));
  }
  for (std::int64_t i = 0; i < o.b.size(); ++i) {
    ASSERT_EQ(o.b.data()[i], gemwright::to_float(gemwright::to_bf16(f32.b.data()[i])));
  }
}

TEST(Operands, OfU8s8HaveOneScaleForAAndOneForEachColumnOfB) {
  const Operands f32 = operands_of(Interface::f32), o = operands_of(Interface::u8s8);
  const auto* const a = o.short_a.as<std::uint8_t>();
  EXPECT_EQ(*std::min_element(a, a + o.a.size()), 0);
  EXPECT_EQ(*std::max_element(a, a + o.a.size()), 255);
  EXPECT_GT(o.a_zero, 80);
  EXPECT_LT(o.a_zero, 175);
  for (std::int64_t i = 0; i < o.a.size(); ++i) {
    ASSERT_EQ(o.a.data()[i], o.a_scale * static_cast<float>(a[i] - o.a_zero));
    ASSERT_NEAR(o.a.data()[i], f32.a.data()[i], o.a_scale);
  }
  ASSERT_EQ(o.b_scale.size(), 100);
  for (std::int64_t column = 0; column < 100; ++column) {
    const auto* const q = o.short_b.as<std::int8_t>() + column * 40;  // columns follow each other: col_major
    int most = 0;
    for (int k = 0; k < 40; ++k) {
      most = std::max(most, std::abs(q[k]));
      ASSERT_EQ(o.b.data()[column * 40 + k], o.b_scale.data()[column] * static_cast<float>(q[k]));
      ASSERT_NEAR(o.b.data()[column * 40 + k], f32.b.data()[column * 40 + k], o.b_scale.data()[column]);
    }
    EXPECT_EQ(most, 127) << column;
  }
}

TEST(Operands, OfEachInterfaceAreTheSameForTheSameSeed) {
  for (const Interface i : {Interface::bf16, Interface::u8s8}) {
    const Operands one = operands_of(i), again = operands_of(i), other = operands_of(i, 0, 2);
    const auto bytes =
        static_cast<std::size_t>(one.b.size()) * static_cast<std::size_t>(element_size(one.short_b.type()));
    EXPECT_EQ(std::memcmp(one.b_data(), again.b_data(), bytes), 0);
    EXPECT_NE(std::memcmp(one.b_data(), other.b_data(), bytes), 0);
    EXPECT_FALSE(same_weights(operands_of(Interface::f32), one.problem, DataKind::normal, 1));
  }
}

TEST(Operands, COfBf16HoldsBeforeACallWhatBetaAdds) {
  Operands o = operands_of(Interface::bf16, 1);
  EXPECT_EQ(o.c.data(), nullptr);
  o.reset_c();
  std::vector<float> space;
  for (std::int64_t row = 0; row < o.rows(); ++row) {
    const float* const c = o.c_row(row, space);
    for (std::int64_t j = 0; j < 50; ++j) ASSERT_EQ(c[j], o.c0.data()[row * 50 + j]);
  }
  EXPECT_TRUE(o.c_bands_intact());
  o.short_c.as<char>()[o.rows() * 100] ^= 1;
  EXPECT_FALSE(o.c_bands_intact());
  Operands without = operands_of(Interface::bf16);
  without.reset_c();
  EXPECT_TRUE(std::isnan(without.c_row(0, space)[0]));
}

TEST(Operands, TheirBytesAreTold) {
  for (const Interface i : {Interface::f32, Interface::bf16, Interface::u8s8}) {
    const Operands o = operands_of(i, 1);
    const double trusted = 8.0 * 60 * 50;
    EXPECT_EQ(o.bytes() + trusted, bytes_for_weights(o.problem) + bytes_for_m(o.problem, 30) + 4.0 * o.b_scale.size());
  }
}

TEST(WeightStore, CopiesAreEqualAndTakenInTurn) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(3.5 * 60 * 4, std::nullopt);
  auto w = store.plain(o);
  ASSERT_TRUE(w);
  EXPECT_EQ((*w)->copies.count, 4);
  std::vector<const float*> seen;
  const auto next = [&] { return static_cast<const float*>((*w)->next()); };
  for (int i = 0; i < 4; ++i) {
    seen.push_back(next());
    EXPECT_TRUE(std::equal(seen.back(), seen.back() + 60, o.b.data()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(seen.back()) % 64, 0U);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
}

TEST(WeightStore, CopiesAreOfTheInterfacesElements) {
  const Operands o = operands_of(Interface::u8s8);
  WeightStore store;
  store.configure(3.5 * 4000, std::nullopt);
  auto w = store.plain(o);
  ASSERT_TRUE(w);
  EXPECT_EQ((*w)->copies.count, 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(std::memcmp((*w)->next(), o.b_data(), 4000), 0);
}

TEST(WeightStore, HotWeightsAreTheOperandItself) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(0, std::nullopt);
  auto w = store.plain(o);
  ASSERT_TRUE(w);
  EXPECT_EQ((*w)->next(), o.b.data());
  EXPECT_EQ(store.bytes(), 0);
}

TEST(WeightStore, TheTurnGoesOnBetweenUsers) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(1000, std::nullopt);
  const void* const first = (*store.plain(o))->next();
  EXPECT_NE((*store.plain(o))->next(), first);
}

TEST(WeightStore, CopiesThatDoNotFitAreRefused) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(1000, 500);
  const auto w = store.plain(o);
  ASSERT_FALSE(w);
  EXPECT_NE(w.error().message.find("GiB"), std::string::npos);
}

TEST(WeightStore, PackedCopiesOfBatchesAreThePackedWeights) {
  const Operands o = operands_of(Interface::f32);
  const Problem& p = o.problem;
  const auto packed = gemwright::pack_weights(o.b.data(), o.ldb(), p.b_layout, p.n, p.k, p.batch, p.n * p.k, {16});
  const auto floats = static_cast<std::size_t>(gemwright::packed_b_size(p.n, p.k, {16}) * p.batch);
  WeightStore store;
  store.configure(0, std::nullopt);
  const auto w = store.packed(o, {ComputeMode::f32, gemwright::packing{16}});
  ASSERT_TRUE(w);
  EXPECT_EQ(std::memcmp((*w)->next(), packed.data(), floats * 4), 0);
  EXPECT_FALSE(store.packed(o, {ComputeMode::f32, gemwright::packing{0}}));
  EXPECT_FALSE(store.packed(o, {ComputeMode::f32, gemwright::packing{16, 7}})) << "no pair of panels";
}

TEST(WeightStore, PackedCopiesAreEqualInEveryMode) {
  const Operands o = small_operands();
  const auto packed = gemwright::pack_weights(o.b.data(), o.ldb(), o.problem.b_layout, o.problem.n, o.problem.k, 1, 0,
                                              gemwright::packing{16});
  const auto floats = static_cast<std::size_t>(gemwright::packed_b_size(o.problem.n, o.problem.k, {16}));
  WeightStore store;
  store.configure(5e4, std::nullopt);
  const auto f32 = store.packed(o, {ComputeMode::f32, gemwright::packing{16}});
  ASSERT_TRUE(f32);
  ASSERT_GT((*f32)->copies.count, 2);
  for (std::int64_t i = 0; i < (*f32)->copies.count; ++i) {
    EXPECT_EQ(std::memcmp((*f32)->next(), packed.data(), floats * 4), 0);
  }
  const auto dot = gemwright::pack_dot_weights(ComputeMode::bf16, weights_source(o), o.problem.n, o.problem.k, 1, {16});
  const auto bf16 = store.packed(o, {ComputeMode::bf16, gemwright::packing{16}});
  ASSERT_TRUE(bf16);
  std::set<const void*> places;
  for (std::int64_t i = 0; i < (*bf16)->copies.count; ++i) {
    const auto* const w = static_cast<const gemwright::packed_dot_weights*>((*bf16)->next());
    ASSERT_TRUE(w->valid());
    EXPECT_EQ(std::memcmp(w->data(), dot.data(), static_cast<std::size_t>(dot.bytes())), 0);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(w->data()) % 64, 0U);
    places.insert(w->data());
  }
  EXPECT_EQ(static_cast<std::int64_t>(places.size()), (*bf16)->copies.count);
}

TEST(WeightStore, MemoryOfWeightsThatAreGoneServesThoseThatCome) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(4000, std::nullopt);
  const void* const first = (*store.packed(o, {ComputeMode::f32, gemwright::packing{16}}))->copies.first;
  EXPECT_EQ(store.spare_bytes(), 0);
  store.reset();
  EXPECT_EQ(store.bytes(), 0);
  EXPECT_GT(store.spare_bytes(), 0);
  EXPECT_EQ((*store.packed(o, {ComputeMode::f32, gemwright::packing{8}}))->copies.first, first);
  EXPECT_EQ(store.spare_bytes(), 0);
  store.reset();
  store.reset();  // what nobody asked for since the last time is freed
  EXPECT_EQ(store.spare_bytes(), 0);
}

TEST(WeightStore, SpareMemoryIsWithinTheLimit) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(4000, 6000);
  ASSERT_TRUE(store.packed(o, {ComputeMode::f32, gemwright::packing{16}}));
  ASSERT_TRUE(store.plain(o));  // both do not fit
  EXPECT_LE(store.bytes() + store.spare_bytes(), 6000);
  EXPECT_GT(store.bytes(), 0);
  store.configure(4000, 100);
  EXPECT_EQ(store.bytes() + store.spare_bytes(), 0);
}

TEST(WeightStore, WhatIsLeftForOtherFormatsIsNotLostToALargeSpareBlock) {
  const Operands o = small_operands();
  const WeightFormat wide{ComputeMode::f32, gemwright::packing{16}}, narrow{ComputeMode::f32, gemwright::packing{8}};
  WeightStore store;
  store.configure(12000, 16000);
  ASSERT_TRUE(store.packed(o, wide));
  const double large = store.bytes();
  store.configure(4000, 16000);  // fewer copies from here on
  ASSERT_TRUE(store.packed(o, wide));
  ASSERT_TRUE(store.packed(o, narrow));
  EXPECT_LT(store.bytes(), large) << "both fit, in memory of their own";
}

TEST(SpareMemory, GivesTheSmallestBlockThatIsLargeEnoughAndNoneThatIsTooLarge) {
  SpareMemory spare;
  for (const double bytes : {4096.0, 1024.0, 65536.0}) spare.give(new_block(bytes, false));
  EXPECT_EQ(spare.bytes(), 70656);
  EXPECT_EQ(spare.take(1000, 4000, false).bytes, 1024);
  EXPECT_EQ(spare.take(1025, 4100, false).bytes, 4096);
  EXPECT_EQ(spare.take(1025, 4100, false).data, nullptr);
  EXPECT_EQ(spare.take(65537, 1e9, false).data, nullptr);
  EXPECT_EQ(spare.take(1000, 1e9, true).data, nullptr) << "on other pages";
  EXPECT_EQ(spare.bytes(), 65536);
  spare.give(new_block(8, false));
  spare.shrink(8);
  EXPECT_EQ(spare.bytes(), 8);
}

}  // namespace
}  // namespace gemwright::tuner
