#include <gemwright/dot.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

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
  c.blocking = {64, 64, 96, gemwright::loop_order::mnk, true, gemwright::a_packing::job, 1, 1, 1, 0};
  return c;
}

TEST(TrafficOf, EveryLevelOfAnF32ConfigIsComputed) {
  for (const profilers::Counter& c : traffic_of(study_key(), config(ComputeMode::f32, gemwright::isa::avx512f))) {
    EXPECT_EQ(c.status, profilers::CounterStatus::computed) << c.name;
  }
}

double value(const std::vector<profilers::Counter>& all, const std::string& name) {
  for (const profilers::Counter& c : all) {
    if (c.name == name) return c.value.value_or(-1);
  }
  return -1;
}

TEST(TrafficOf, ADotModeMovesTheBytesOfItsInterfaceAndOfItsPackedElements) {
  StudyKey key = study_key();
  key.problem.interface = Interface::u8s8;
  const auto all = traffic_of(key, config(ComputeMode::u8s8, gemwright::isa::avx512_vnni));
  const double a = 10 * 96, b = 64 * 96, c = 10 * 64;
  EXPECT_EQ(value(all, "flops"), 2 * 10 * 64 * 96);
  EXPECT_EQ(value(all, "bytes.min"), min_bytes(key.problem, key.m));
  EXPECT_EQ(value(all, "bytes.min"), a + b + 4 * c);
  // Two columns and three rows of tiles; a scale and a sum for each column of C.
  EXPECT_EQ(value(all, "traffic.l1"), 2 * a + 2 * a + 3 * b + 3 * 64 * 8 + 4 * c);
  for (const profilers::Counter& counter : all) {
    EXPECT_EQ(counter.status, profilers::CounterStatus::computed) << counter.name;
  }
}

TEST(TrafficOf, ARequantisedCIsOneByteWide) {
  StudyKey key = study_key();
  key.problem.interface = Interface::u8s8;
  for (const auto& chain : {std::vector{EpilogueOp::requant}, std::vector{EpilogueOp::swiglu, EpilogueOp::requant}}) {
    key.problem.chain = chain;
    const auto all = traffic_of(key, config(ComputeMode::u8s8, gemwright::isa::avx512_vnni));
    EXPECT_EQ(value(all, "bytes.min"), min_bytes(key.problem, key.m));
    EXPECT_EQ(value(all, "bytes.min"), 10 * 96 + 64 * 96 + 10 * (chain.size() == 1 ? 64 : 32));
  }
}

TEST(TrafficOf, FloatsBehindADotModeAreReadWideAndPackedNarrow) {
  const auto behind_f32 = traffic_of(study_key(), config(ComputeMode::u8s8, gemwright::isa::avx512_vnni));
  const double a = 10 * 96, b = 64 * 96, c = 10 * 64;
  EXPECT_EQ(value(behind_f32, "bytes.min"), 4 * (a + b + c));
  EXPECT_EQ(value(behind_f32, "traffic.l1"), 2 * 4 * a + a + 2 * a + 3 * b + 3 * 64 * 8 + 4 * c) << "A is read twice";
  const auto bf16 = traffic_of(study_key(), config(ComputeMode::bf16, gemwright::isa::avx512_bf16));
  EXPECT_EQ(value(bf16, "traffic.l1"), 4 * a + 2 * a + 2 * 2 * a + 3 * 2 * b + 4 * c);
  const auto widened = traffic_of(study_key(), config(ComputeMode::bf16, gemwright::isa::avx512f));
  EXPECT_EQ(value(widened, "traffic.l1") - value(bf16, "traffic.l1"), 3 * 2 * a) << "A is packed as f32";
}

#if defined(__x86_64__)
TEST(TrafficOf, WordsOfPackedAAreThoseOfTheKernels) {
  using gemwright::isa;
  const auto words = [](gemwright::dot_kernel_set s) { EXPECT_EQ(packed_words(s.mode, s.shape.family), s.a_words); };
  using none = gemwright::chain<>;
  constexpr auto kF32 = gemwright::element::f32;
  constexpr auto kNone = gemwright::prefetch::none;
  words(gemwright::compiled_dot_tile<ComputeMode::bf16, isa::scalar, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::bf16, isa::avx2, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::bf16, isa::avx512f, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::bf16, isa::avx512_bf16, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::u8s8, isa::scalar, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::u8s8, isa::avx2, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::u8s8, isa::avx_vnni, 1, 1, 1, 1, kNone, kF32, none>());
  words(gemwright::compiled_dot_tile<ComputeMode::u8s8, isa::avx512_vnni, 1, 1, 1, 1, kNone, kF32, none>());
}
#endif

}  // namespace
}  // namespace gemwright::tuner
