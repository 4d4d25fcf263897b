#include "tuner/worker/operands.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

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
  EXPECT_NEAR(moment(v, 4), 2.85, 0.1);  // a sum of eight has kurtosis 3 - 1.2 / 8
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

TEST(WeightStore, CopiesAreEqualAndTakenInTurn) {
  const Operands o = small_operands();
  WeightStore store;
  store.configure(3.5 * 60 * 4, std::nullopt);
  auto w = store.plain(o);
  ASSERT_TRUE(w);
  EXPECT_EQ((*w)->copies.count, 4);
  std::vector<const float*> seen;
  for (int i = 0; i < 4; ++i) {
    seen.push_back((*w)->next());
    EXPECT_TRUE(std::equal(seen.back(), seen.back() + 60, o.b.data()));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(seen.back()) % 64, 0U);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end());
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
  const float* const first = (*store.plain(o))->next();
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

}  // namespace
}  // namespace gemwright::tuner
