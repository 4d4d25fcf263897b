#include "tuner/insight/roofline.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "profilers/ceiling_kernels.h"

namespace gemwright::tuner {
namespace {

using profilers::Counter;
using profilers::CounterStatus;

StudyCeiling ceiling(std::string name, int threads, std::optional<double> value, std::int64_t at = 1,
                     std::optional<double> anchor_ns = std::nullopt) {
  StudyCeiling c;
  c.ceiling.name = std::move(name);
  c.ceiling.threads = threads;
  c.ceiling.value = value;
  c.ceiling.anchor_ns = anchor_ns;
  c.measured_at = at;
  return c;
}

Counter traffic(std::string name, std::optional<double> bytes) {
  Counter c;
  c.provider = "traffic";
  c.name = std::move(name);
  c.unit = "bytes";
  c.status = bytes ? CounterStatus::computed : CounterStatus::unsupported;
  c.value = bytes;
  return c;
}

// One thread of avx512f; 2e6 flops that move 4e6 bytes through L1, 2e6 through L2, 1e6 through L3 and DRAM.
RooflineInput input() {
  RooflineInput in;
  in.flops = 2e6;
  in.config.tile = {gemwright::isa::avx512f, 8, 2, 1, 1, gemwright::prefetch::none};
  in.config.blocking.tm = in.config.blocking.tn = in.config.blocking.tk = 1;
  in.traffic = {traffic("flops", 2e6), traffic("traffic.l1", 4e6), traffic("traffic.l2", 2e6),
                traffic("traffic.l3", 1e6), traffic("traffic.dram", 1e6)};
  in.ceilings = {ceiling("fma.avx512f.f32", 1, 260), ceiling("fma.avx2.f32", 1, 130),
                 ceiling("fma.scalar.f32", 1, 8),    ceiling("dot.avx512_bf16.bf16", 1, 520),
                 ceiling("read.l1", 1, 500),         ceiling("read.l2", 1, 200),
                 ceiling("read.l3", 1, 80),          ceiling("read.dram", 1, 40)};
  in.gflops = 60;
  return in;
}

TEST(Roofline, ColdCallIsBoundByMemory) {
  const RooflinePoint p = roofline_point(input());
  EXPECT_EQ(p.level, "read.dram");
  EXPECT_EQ(p.bytes, 1e6);
  EXPECT_EQ(p.intensity, 2);
  EXPECT_EQ(p.memory_roof, 80);
  EXPECT_EQ(p.compute_roof, 260);
  EXPECT_EQ(p.binding_roof, 80);
  EXPECT_EQ(p.binding_name, "read.dram");
  EXPECT_EQ(p.share, 0.75);
}

TEST(Roofline, HotCallIsBoundByTheCacheThatHoldsIt) {
  RooflineInput in = input();
  in.traffic[4] = traffic("traffic.dram", 0);
  EXPECT_EQ(roofline_point(in).level, "read.l3");
  EXPECT_EQ(roofline_point(in).memory_roof, 160);
  in.traffic[3] = traffic("traffic.l3", 0);
  in.traffic[2] = traffic("traffic.l2", 0);
  const RooflinePoint p = roofline_point(in);
  EXPECT_EQ(p.level, "read.l1");
  EXPECT_EQ(p.memory_roof, 250);
}

TEST(Roofline, ComputeBindsWhereTheIntensityIsHigh) {
  RooflineInput in = input();
  in.flops = 1e9;
  in.gflops = 247;
  const RooflinePoint p = roofline_point(in);
  EXPECT_EQ(p.binding_name, "fma.avx512f.f32");
  EXPECT_EQ(p.binding_roof, 260);
  EXPECT_EQ(p.share, 0.95);
}

TEST(Roofline, ScalarTileIsSharedByItsFamilyAndFlaggedByTheCpu) {
  RooflineInput in = input();
  in.flops = 1e9;
  in.config.tile.family = gemwright::isa::scalar;
  in.gflops = 30;  // the compiler vectorised it
  const RooflinePoint p = roofline_point(in);
  EXPECT_EQ(p.compute_name, "fma.scalar.f32");
  EXPECT_EQ(p.share, 30.0 / 8);
  EXPECT_EQ(p.cpu_name, "fma.avx512f.f32") << "the roof of another mode is none of this one's";
  EXPECT_FALSE(above_roof(p));
}

TEST(Roofline, SpeedAboveTheComputeRoofIsSaid) {
  RooflineInput in = input();
  in.gflops = 273;  // 5 % above
  EXPECT_FALSE(above_roof(roofline_point(in))) << "though far above the memory roof";
  in.gflops = 286;
  const auto sentence = above_roof(roofline_point(in));
  ASSERT_TRUE(sentence);
  EXPECT_NE(sentence->find("286 GFLOP/s is 10 % above fma.avx512f.f32"), std::string::npos) << *sentence;
  in.ceilings.clear();
  EXPECT_FALSE(above_roof(roofline_point(in)));
}

RooflineInput input_of(gemwright::isa family, ComputeMode mode) {
  RooflineInput in = input();
  in.flops = 1e9;
  in.config.mode = mode;
  in.config.tile.family = family;
  in.ceilings.push_back(ceiling("dot.avx512_vnni.u8s8", 1, 1040));
  in.ceilings.push_back(ceiling("dot.avx_vnni.u8s8", 1, 500));
  return in;
}

TEST(Roofline, EachModeHasItsOwnComputeRoof) {
  RooflineInput in = input_of(gemwright::isa::avx512_bf16, ComputeMode::bf16);
  in.gflops = 500;  // above that of f32
  RooflinePoint p = roofline_point(in);
  EXPECT_EQ(p.compute_name, "dot.avx512_bf16.bf16");
  EXPECT_EQ(p.compute_roof, 520);
  EXPECT_EQ(p.binding_name, "dot.avx512_bf16.bf16");
  EXPECT_EQ(p.cpu_name, "dot.avx512_bf16.bf16");
  EXPECT_TRUE(p.compute_reason.empty());
  EXPECT_FALSE(above_roof(p));

  in = input_of(gemwright::isa::avx_vnni, ComputeMode::u8s8);
  in.gflops = 900;
  p = roofline_point(in);
  EXPECT_EQ(p.compute_name, "dot.avx_vnni.u8s8");
  EXPECT_EQ(p.compute_roof, 500);
  EXPECT_EQ(p.cpu_name, "dot.avx512_vnni.u8s8");
  EXPECT_FALSE(above_roof(p));
  in.gflops = 1200;
  const auto sentence = above_roof(roofline_point(in));
  ASSERT_TRUE(sentence);
  EXPECT_NE(sentence->find("above dot.avx512_vnni.u8s8"), std::string::npos) << *sentence;
}

TEST(Roofline, Bf16ThatIsWidenedHasTheRoofOfF32) {
  RooflineInput in = input_of(gemwright::isa::avx512f, ComputeMode::bf16);
  in.gflops = 250;
  const RooflinePoint p = roofline_point(in);
  EXPECT_EQ(p.compute_name, "fma.avx512f.f32");
  EXPECT_EQ(p.compute_roof, 260);
  EXPECT_EQ(p.cpu_name, "fma.avx512f.f32") << "this tile does not use bf16's own instruction";
  EXPECT_FALSE(above_roof(p));
  in.gflops = 300;
  const auto sentence = above_roof(roofline_point(in));
  ASSERT_TRUE(sentence);
  EXPECT_NE(sentence->find("above fma.avx512f.f32"), std::string::npos) << *sentence;
}

TEST(Roofline, U8s8WithoutAnInstructionHasNoRoofAndSaysWhy) {
  RooflineInput in = input_of(gemwright::isa::avx2, ComputeMode::u8s8);
  RooflinePoint p = roofline_point(in);
  EXPECT_FALSE(p.compute_roof);
  EXPECT_TRUE(p.compute_name.empty());
  EXPECT_NE(p.compute_reason.find("avx2 has no instruction of its own for u8s8"), std::string::npos);
  EXPECT_EQ(p.cpu_name, "dot.avx512_vnni.u8s8") << "what this CPU could do with another family";
  in.ceilings = {ceiling("fma.avx2.f32", 1, 130), ceiling("dot.avx512_bf16.bf16", 1, 520)};
  in.gflops = 1e6;
  p = roofline_point(in);
  EXPECT_FALSE(p.cpu_roof);
  EXPECT_FALSE(above_roof(p));
}

TEST(Roofline, ComputeRoofThatWasNotMeasuredSaysSo) {
  RooflineInput in = input_of(gemwright::isa::avx512_bf16, ComputeMode::bf16);
  in.config.blocking.tm = 3;
  EXPECT_EQ(roofline_point(in).compute_reason, "dot.avx512_bf16.bf16 has no figure for 3 threads");
}

TEST(Roofline, EveryFamilyIsBoundByACeilingThatIsMeasured) {
  profilers::CpuInfo cpu;
  cpu.instruction_sets = {"avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "avx_vnni"};
  const auto measured = profilers::compute_kernels(cpu);
  int bounded = 0;
  for (int f = 0; f < gemwright::family_count; ++f) {
    for (int m = 0; m < gemwright::compute_mode_count; ++m) {
      const auto family = static_cast<gemwright::isa>(f);
      const auto mode = static_cast<ComputeMode>(m);
      if (!gemwright::computes(family, mode)) continue;
      const std::string name = compute_ceiling(family, mode);
      if (name.empty()) continue;
      ++bounded;
#if defined(__x86_64__)
      EXPECT_TRUE(std::any_of(measured.begin(), measured.end(), [&](const auto& k) { return k.name == name; })) << name;
#endif
    }
  }
  EXPECT_EQ(bounded, 9) << "three families of f32, four of bf16, two of u8s8";
}

TEST(Roofline, LevelThatIsNotKnownLeavesTheMemoryRoofOut) {
  RooflineInput in = input();
  in.traffic[4] = traffic("traffic.dram", std::nullopt);
  RooflinePoint p = roofline_point(in);
  EXPECT_TRUE(p.level.empty());
  EXPECT_FALSE(p.bytes || p.intensity || p.memory_roof);
  EXPECT_EQ(p.binding_name, "fma.avx512f.f32") << "the only roof that is known";
  in.traffic.clear();
  EXPECT_FALSE(roofline_point(in).memory_roof);
  in.ceilings.clear();
  p = roofline_point(in);
  EXPECT_FALSE(p.binding_roof || p.share || p.compute_roof || p.cpu_roof);
  EXPECT_TRUE(p.binding_name.empty());
}

TEST(Roofline, LevelWithoutCeilingKeepsItsBytes) {
  RooflineInput in = input();
  in.ceilings.pop_back();
  const RooflinePoint p = roofline_point(in);
  EXPECT_EQ(p.level, "read.dram");
  EXPECT_EQ(p.intensity, 2);
  EXPECT_FALSE(p.memory_roof);
}

TEST(Roofline, NewestCeilingWithAValueCounts) {
  const std::vector<StudyCeiling> all{ceiling("read.l2", 1, 200, 5), ceiling("read.l2", 1, 210, 7),
                                      ceiling("read.l2", 1, 190, 6), ceiling("read.l2", 1, std::nullopt, 9),
                                      ceiling("read.l2", 0, 900, 9), ceiling("read.l3", 1, 80, 9)};
  EXPECT_EQ(ceiling_at(all, "read.l2", 1, std::nullopt), 210);
}

TEST(Roofline, ThreadsBetweenTheMeasuredOnesLieOnTheLine) {
  const std::vector<StudyCeiling> all{ceiling("read.dram", 1, 40), ceiling("read.dram", 9, 200)};
  EXPECT_EQ(ceiling_at(all, "read.dram", 1, std::nullopt), 40);
  EXPECT_EQ(ceiling_at(all, "read.dram", 3, std::nullopt), 80);
  EXPECT_EQ(ceiling_at(all, "read.dram", 9, std::nullopt), 200);
  EXPECT_FALSE(ceiling_at(all, "read.dram", 10, std::nullopt));
  EXPECT_FALSE(ceiling_at({ceiling("read.dram", 4, 90)}, "read.dram", 2, std::nullopt));
}

TEST(Roofline, ManyThreadsNeverExceedSoManyTimesOne) {
  const std::vector<StudyCeiling> all{ceiling("fma.avx2.f32", 1, 100), ceiling("fma.avx2.f32", 4, 480)};
  EXPECT_EQ(ceiling_at(all, "fma.avx2.f32", 4, std::nullopt), 400);
  EXPECT_EQ(ceiling_at(all, "fma.avx2.f32", 2, std::nullopt), 200);
}

TEST(Roofline, RoofsFollowTheClockWhereTheAnchorTellsIt) {
  const std::vector<StudyCeiling> all{ceiling("fma.avx2.f32", 1, 100, 1, 50.0), ceiling("read.dram", 1, 40, 1, 50.0)};
  EXPECT_EQ(ceiling_at(all, "fma.avx2.f32", 1, 100.0), 50) << "half the clock";
  EXPECT_EQ(ceiling_at(all, "read.dram", 1, 100.0), 40) << "memory has its own";
  EXPECT_EQ(ceiling_at(all, "fma.avx2.f32", 1, std::nullopt), 100);
}

TEST(Roofline, HostileFiguresGiveNoShare) {
  RooflineInput in = input();
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -1.0, 0.0}) {
    in.gflops = bad;
    EXPECT_FALSE(roofline_point(in).share) << bad;
    EXPECT_FALSE(above_roof(roofline_point(in))) << bad;
    EXPECT_FALSE(ceiling_at({ceiling("read.l1", 1, bad)}, "read.l1", 1, std::nullopt)) << bad;
  }
  in = input();
  in.traffic[4] = traffic("traffic.dram", nan);
  EXPECT_FALSE(roofline_point(in).memory_roof);
}

}  // namespace
}  // namespace gemwright::tuner
