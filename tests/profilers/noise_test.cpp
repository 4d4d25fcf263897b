#include "profilers/noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "profilers/pinning.h"

namespace gemwright::profilers {
namespace {

TEST(MeasureNoise, GivesEnoughPairsForAnIntervalInTheShortestRun) {
  const NoiseProbe noise = measure_noise(0);
  EXPECT_EQ(noise.compute.size(), static_cast<std::size_t>(kMinNoisePairs));
  for (const double x : noise.compute) EXPECT_TRUE(std::isfinite(x));
  ASSERT_NE(noise.memory.value.has_value(), !noise.memory.reason.empty());
  if (!noise.memory) GTEST_SKIP() << noise.memory.reason;
  EXPECT_EQ(noise.memory.value->size(), static_cast<std::size_t>(kMinNoisePairs));
  for (const double x : *noise.memory.value) EXPECT_TRUE(std::isfinite(x));
}

TEST(MeasureNoise, RestoresTheAffinityAndEndsForASenselessTime) {
  const std::vector<int> before = Pinning().allowed();
  EXPECT_FALSE(measure_noise(std::numeric_limits<double>::quiet_NaN()).compute.empty());
  EXPECT_EQ(Pinning().allowed(), before);
}

}  // namespace
}  // namespace gemwright::profilers
