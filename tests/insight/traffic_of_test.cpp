#include <gtest/gtest.h>

#include "tuner/insight/traffic.h"

namespace gemwright::tuner {
namespace {

StudyKey study_key() {
  StudyKey key;
  key.problem.n = 64;
  key.problem.k = 96;
  key.m = 10;
  key.device.properties_json = R"({"l1d_bytes": 49152, "l2_bytes": 1048576, "l3_bytes": 33554432})";
  return key;
}

Config config(ComputeMode mode, gemwright::isa family) {
  Config c;
  c.mode = mode;
  c.tile = {family, 4, 2, 1, 1, gemwright::prefetch::none};
  c.format.panel = 32;
  c.blocking = {64, 64, 96, gemwright::loop_order::mnk, true, true, 1, 1, 1, 0};
  return c;
}

TEST(TrafficOf, EveryLevelOfAnF32ConfigIsComputed) {
  for (const profilers::Counter& c : traffic_of(study_key(), config(ComputeMode::f32, gemwright::isa::avx512f))) {
    EXPECT_EQ(c.status, profilers::CounterStatus::computed) << c.name;
  }
}

TEST(TrafficOf, LevelsOfADotModeAreMissingWithTheReasonAndNeverWrong) {
  const auto f32 = traffic_of(study_key(), config(ComputeMode::f32, gemwright::isa::avx512f));
  StudyKey key = study_key();
  key.problem.interface = Interface::u8s8;
  const auto all = traffic_of(key, config(ComputeMode::u8s8, gemwright::isa::avx512_vnni));
  ASSERT_EQ(all.size(), f32.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].provider, f32[i].provider);
    EXPECT_EQ(all[i].name, f32[i].name) << "the same rows in the same order";
    EXPECT_EQ(all[i].unit, f32[i].unit);
    if (i < 2) continue;
    EXPECT_EQ(all[i].status, profilers::CounterStatus::unsupported) << all[i].name;
    EXPECT_FALSE(all[i].value) << all[i].name;
    EXPECT_EQ(all[i].reason, "not modelled for u8s8 yet");
  }
  EXPECT_EQ(all[0].value, 2.0 * 10 * 64 * 96) << "multiplications and additions are those of f32";
  EXPECT_EQ(all[1].value, 10.0 * 96 + 64 * 96 + 10 * 64 * 4.0) << "bytes of u8, s8 and f32";
}

}  // namespace
}  // namespace gemwright::tuner
