#include "app/model/roofs.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

tuner::StudyCeiling ceiling(const char* name, const char* unit, double value, int threads = 1) {
  return {{name, threads, unit, value, "", 0, {}}, 0};
}

RooflineStudy study() {
  RooflineStudy s;
  s.ceilings = {ceiling("fma.avx2.f32", "GFLOP/s", 100), ceiling("fma.avx512f.f32", "GFLOP/s", 200),
                ceiling("read.dram", "GB/s", 20), ceiling("read.l2", "GB/s", 200), ceiling("read.dram", "GB/s", 35, 2)};
  s.ceilings.push_back(ceiling("read.l3", "GB/s", 1));
  s.ceilings.back().ceiling.value.reset();
  return s;
}

RooflineTrial trial(double intensity, double gflops, const char* compute) {
  RooflineTrial t;
  t.point.intensity = intensity;
  t.point.gflops = gflops;
  t.point.compute_name = compute;
  return t;
}

TEST(Roofs, ARoofWithoutValueOrOfOtherThreadsIsNotDrawn) {
  RooflineStudy s = study();
  s.trials = {trial(4, 50, "fma.avx2.f32"), trial(4, 60, "fma.avx512f.f32")};
  const auto lines = roof_lines(s, 1);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].name, "fma.avx512f.f32");
  EXPECT_EQ(lines[1].name, "fma.avx2.f32");
  EXPECT_EQ(lines[2].name, "read.l2");
  EXPECT_EQ(lines[3].name, "read.dram");
  EXPECT_EQ(roof_lines(s, 2).size(), 1u);
}

TEST(Roofs, OnlyTheComputeRoofsOfTheTrialsStandElseTheHighest) {
  RooflineStudy s = study();
  EXPECT_EQ(roof_lines(s, 1).front().name, "fma.avx512f.f32");
  s.trials = {trial(4, 50, "fma.avx2.f32")};
  EXPECT_EQ(roof_lines(s, 1).front().name, "fma.avx2.f32");
}

TEST(Roofs, TrialsThatNoCeilingBoundsHaveNoComputeRoof) {
  RooflineStudy s = study();
  s.trials = {trial(4, 50, "")};
  for (const RoofLine& line : roof_lines(s, 1)) EXPECT_TRUE(line.memory) << line.name;
}

TEST(Roofs, TrialsAboveTheSlowestMemoryAreCounted) {
  RooflineStudy s = study();  // DRAM gives 20 GB/s: 80 GFLOP/s at 4 flops a byte
  s.trials = {trial(4, 79, "fma.avx2.f32"), trial(4, 85, "fma.avx2.f32"), trial(4, 100, "fma.avx2.f32")};
  const AboveMemory above = above_memory(s, roof_lines(s, 1));
  EXPECT_EQ(above.roof, "read.dram");
  EXPECT_EQ(above.trials, 1u) << "85 is within what both are off by";
  EXPECT_EQ(above_memory(s, {}).trials, 0u);
}

TEST(Roofs, TheAreaIsThatOfPointsAndRoofsWithALittleRoom) {
  RooflineStudy s = study();
  s.trials = {trial(4, 50, "fma.avx2.f32")};
  const RoofArea area = roof_area(s, roof_lines(s, 1));
  double ridge = HUGE_VAL, roof = 0;
  for (const RoofLine& r : roof_lines(s, 1)) roof = std::max(roof, r.memory ? 0 : r.value);
  for (const RoofLine& r : roof_lines(s, 1)) ridge = std::min(ridge, r.memory ? roof / r.value : HUGE_VAL);
  EXPECT_LT(area.intensity_min, ridge);
  EXPECT_GT(area.intensity_min, ridge / 10);
  EXPECT_GT(area.intensity_max, 4);
  EXPECT_LT(area.intensity_max, 40);
  EXPECT_LT(area.gflops_min, 50);
  EXPECT_GT(area.gflops_max, roof);
  EXPECT_LT(area.gflops_max, 2 * roof);
  EXPECT_LT(roof_area({}, {}).gflops_min, roof_area({}, {}).gflops_max);
}

TEST(Roofs, TheAreaReachesLeftOfEveryRidgeAndNotBeyondThePointsWithoutMemoryRoofs) {
  RooflineStudy s = study();
  s.trials = {trial(400, 50, "fma.avx2.f32")};
  const auto roofs = roof_lines(s, 1);
  const RoofArea area = roof_area(s, roofs);
  for (const RoofLine& r : roofs) {
    if (!r.memory) continue;
    EXPECT_LT(area.intensity_min, 100 / r.value);
  }
  s.ceilings.resize(2);
  EXPECT_GT(roof_area(s, roof_lines(s, 1)).intensity_min, 100);
}

TEST(Roofs, AMemoryRoofRisesWithTheIntensity) {
  EXPECT_DOUBLE_EQ(height_at({"read.dram", 1, true, 20}, 4), 80);
  EXPECT_DOUBLE_EQ(height_at({"fma", 1, false, 200}, 4), 200);
}

}  // namespace
}  // namespace gemwright::app
