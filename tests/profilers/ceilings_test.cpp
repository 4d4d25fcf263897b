#include "profilers/ceilings.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <limits>
#include <set>

#include "profilers/calibrate.h"
#include "profilers/ceiling_kernels.h"
#include "profilers/ceiling_plan.h"
#include "profilers/pinning.h"
#include "profilers/team.h"

namespace gemwright::profilers {
namespace {

const std::vector<std::string> kReads = {"read.l1", "read.l2", "read.l3", "read.dram"};
constexpr std::int64_t kMiB = std::int64_t{1} << 20;

CeilingRequest quick(int threads = 1) {
  CeilingRequest r;
  r.threads = threads;
  r.block_seconds = 2e-5;
  r.blocks = 3;
  return r;
}

// The instruction sets of this host and no more; caches as given, so that no test depends on what /sys tells.
CpuInfo host_with_caches(std::optional<std::int64_t> l1, std::optional<std::int64_t> l2,
                         std::optional<std::int64_t> l3) {
  CpuInfo cpu = probe_cpu();
  cpu.l1d_bytes = l1;
  cpu.l2_bytes = l2;
  cpu.l3_bytes = l3;
  cpu.l3_sharing_cpus = std::nullopt;
  return cpu;
}

const Ceiling* find(const std::vector<Ceiling>& all, const std::string& name, int threads = 1) {
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const Ceiling& c) { return c.name == name && c.threads == threads; });
  return at == all.end() ? nullptr : &*at;
}

Ceiling ceiling(const std::string& name, std::optional<double> value, std::optional<double> anchor_ns) {
  Ceiling c;
  c.name = name;
  c.value = value;
  c.anchor_ns = anchor_ns;
  return c;
}

TEST(ScaledTo, ComputeAndCachesFollowTheClockOfTheCore) {
  // An anchor that takes twice as long means half the clock.
  EXPECT_DOUBLE_EQ(scaled_to(ceiling("fma.avx512f.f32", 260.0, 100.0), 200.0).value(), 130.0);
  EXPECT_DOUBLE_EQ(scaled_to(ceiling("read.l2", 240.0, 100.0), 80.0).value(), 300.0);
}

TEST(ScaledTo, DramDoesNotFollowTheClock) {
  EXPECT_EQ(scaled_to(ceiling("read.dram", 40.0, 100.0), 200.0), 40.0);
  EXPECT_EQ(scaled_to(ceiling("read.dram", 40.0, std::nullopt), std::nullopt), 40.0);
}

TEST(ScaledTo, IsAbsentWithoutAValueOrAnAnchor) {
  EXPECT_FALSE(scaled_to(ceiling("read.l1", std::nullopt, 100.0), 100.0));
  EXPECT_FALSE(scaled_to(ceiling("read.dram", std::nullopt, 100.0), 100.0));
  EXPECT_FALSE(scaled_to(ceiling("read.l1", 500.0, std::nullopt), 100.0));
  EXPECT_FALSE(scaled_to(ceiling("read.l1", 500.0, 100.0), std::nullopt));
  for (const double bad :
       {0.0, -1.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(scaled_to(ceiling("read.l1", 500.0, 100.0), bad)) << bad;
    EXPECT_FALSE(scaled_to(ceiling("read.l1", 500.0, bad), 100.0)) << bad;
  }
}

CpuInfo server() {
  CpuInfo cpu;
  cpu.l1d_bytes = 48 << 10;
  cpu.l2_bytes = kMiB;
  cpu.l3_bytes = 32 * kMiB;
  cpu.l3_sharing_cpus = 8;
  return cpu;
}
constexpr std::int64_t kPlenty = std::int64_t{64} << 30;

std::optional<std::int64_t> part(const std::vector<ReadPlan>& plans, std::size_t i) {
  return plans.at(i).part_bytes.value;
}

TEST(PlanReads, WalksThroughHalfOfEachCacheAndMuchMoreThanL3) {
  const auto plans = plan_reads(server(), 1, {kPlenty, ""});
  ASSERT_EQ(plans.size(), kReads.size());
  for (std::size_t i = 0; i < plans.size(); ++i) EXPECT_EQ(plans[i].name, kReads[i]);
  EXPECT_EQ(part(plans, 0), 24 << 10);
  EXPECT_EQ(part(plans, 1), kMiB / 2);
  EXPECT_EQ(part(plans, 2), 16 * kMiB);
  EXPECT_GE(part(plans, 3).value(), 199'000'000);
}

TEST(PlanReads, ThreadsShareL3AndDramButNotL1AndL2) {
  const auto plans = plan_reads(server(), 2, {kPlenty, ""});
  EXPECT_EQ(part(plans, 0), 24 << 10);
  EXPECT_EQ(part(plans, 1), kMiB / 2);
  EXPECT_EQ(part(plans, 2), 8 * kMiB);
  EXPECT_NEAR(static_cast<double>(part(plans, 3).value()), 100e6, 1e6);
}

TEST(PlanReads, ThreadsOnSeveralL3FillThemAll) {
  const auto plans = plan_reads(server(), 16, {kPlenty, ""});
  EXPECT_EQ(part(plans, 2), 2 * kMiB);                    // eight on each
  EXPECT_GE(part(plans, 3).value() * 16, 4 * 64 * kMiB);  // four times both
}

TEST(PlanReads, AShareOfL3NearTheSizeOfL2SaysNothing) {
  CpuInfo cpu = server();
  cpu.l2_bytes = 2 * kMiB;
  const auto plans = plan_reads(cpu, 8, {kPlenty, ""});
  EXPECT_FALSE(plans[2].part_bytes);
  EXPECT_FALSE(plans[2].part_bytes.reason.empty());
  EXPECT_TRUE(plans[3].part_bytes);
}

TEST(PlanReads, TakesAtMostAQuarterOfTheMemory) {
  const auto plans = plan_reads(server(), 2, {600'000'000, ""});
  EXPECT_FALSE(plans[3].part_bytes);
  EXPECT_NE(plans[3].part_bytes.reason.find("quarter"), std::string::npos) << plans[3].part_bytes.reason;
  EXPECT_TRUE(plans[2].part_bytes);
  EXPECT_TRUE(plan_reads(server(), 2, {900'000'000, ""})[3].part_bytes);
}

TEST(PlanReads, WithoutTheAvailableMemoryNothingIsTaken) {
  for (const ReadPlan& p : plan_reads(server(), 1, missing<std::int64_t>("/proc/meminfo is not readable"))) {
    EXPECT_FALSE(p.part_bytes) << p.name;
    EXPECT_EQ(p.part_bytes.reason, "/proc/meminfo is not readable");
  }
}

TEST(PlanReads, SizesThatNoMachineHasAreRefused) {
  for (const std::int64_t size : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(),
                                  std::int64_t{0}, std::int64_t{100}}) {
    CpuInfo cpu = server();
    cpu.l1d_bytes = cpu.l2_bytes = cpu.l3_bytes = size;
    cpu.l3_sharing_cpus = -3;
    for (const int threads : {1, std::numeric_limits<int>::max()}) {
      const auto plans = plan_reads(cpu, threads, {kPlenty, ""});
      for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_FALSE(plans[i].part_bytes) << plans[i].name << " " << size;
        EXPECT_FALSE(plans[i].part_bytes.reason.empty()) << plans[i].name << " " << size;
      }
    }
  }
}

TEST(PlanReads, PartsAreWholeChunks) {
  CpuInfo cpu = server();
  cpu.l1d_bytes = 33'000;
  cpu.l2_bytes = 1'300'000;
  cpu.l3_bytes = 33'333'333;
  for (const ReadPlan& p : plan_reads(cpu, 3, {kPlenty, ""})) {
    ASSERT_TRUE(p.part_bytes) << p.name << ": " << p.part_bytes.reason;
    EXPECT_EQ(*p.part_bytes.value % chunk_bytes(*p.part_bytes.value), 0) << p.name;
    EXPECT_EQ(chunk_bytes(*p.part_bytes.value) % kReadGranule, 0) << p.name;
  }
}

// No instruction may be one that the probe promised and the CPU refuses.
TEST(CeilingKernels, RunOnThisHost) {
  const CpuInfo cpu = probe_cpu();
  for (const ComputeKernel& k : compute_kernels(cpu)) {
    EXPECT_GT(k.operations, 0) << k.name;
    k.run(1);
    k.run(3);
  }
}

// A read past the end of the last page would end the process.
TEST(CeilingKernels, ReadsStayInsideTheirBytes) {
  constexpr std::size_t kPage = 4096;
  void* const pages = mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(static_cast<std::byte*>(pages) + kPage, kPage, PROT_NONE), 0);
  const std::byte* const last = static_cast<std::byte*>(pages) + kPage - kReadGranule;
  for (const CpuInfo& cpu : {probe_cpu(), CpuInfo{}}) {
    read_kernel(cpu)(last, kReadGranule, 2);
    read_kernel(cpu)(static_cast<std::byte*>(pages), kPage, 3);
  }
  munmap(pages, 2 * kPage);
}

TEST(CeilingKernels, OnlyWhatTheCpuHasIsRun) {
  const CpuInfo nothing;
  ASSERT_EQ(compute_kernels(nothing).size(), 1U);
  EXPECT_EQ(compute_kernels(nothing)[0].name, "fma.scalar.f32");
}

#if defined(__x86_64__)
TEST(CeilingKernels, EachInstructionSetAddsItsOwn) {
  const auto names = [](std::vector<std::string> sets) {
    CpuInfo cpu;
    cpu.instruction_sets = std::move(sets);
    std::set<std::string> out;
    for (const ComputeKernel& k : compute_kernels(cpu)) out.insert(k.name);
    return out;
  };
  EXPECT_EQ(names({"avx2"}), (std::set<std::string>{"fma.scalar.f32"}));
  EXPECT_EQ(names({"avx2", "fma"}), (std::set<std::string>{"fma.avx2.f32", "fma.scalar.f32"}));
  EXPECT_EQ(names({"avx2", "fma", "avx_vnni"}),
            (std::set<std::string>{"dot.avx_vnni.u8s8", "fma.avx2.f32", "fma.scalar.f32"}));
  EXPECT_EQ(names({"avx512f"}), (std::set<std::string>{"fma.avx512f.f32", "fma.scalar.f32"}));
  EXPECT_EQ(
      names({"avx512f", "avx512_bf16", "avx512_vnni"}),
      (std::set<std::string>{"dot.avx512_bf16.bf16", "dot.avx512_vnni.u8s8", "fma.avx512f.f32", "fma.scalar.f32"}));
}

TEST(CeilingKernels, AWordOfShortElementsHasSeveralMultiplyAdds) {
  CpuInfo cpu;
  cpu.instruction_sets = {"avx512f", "avx512_bf16", "avx512_vnni"};
  double f32 = 0, bf16 = 0, u8s8 = 0;
  for (const ComputeKernel& k : compute_kernels(cpu)) {
    if (k.name == "fma.avx512f.f32") f32 = k.operations;
    if (k.name == "dot.avx512_bf16.bf16") bf16 = k.operations;
    if (k.name == "dot.avx512_vnni.u8s8") u8s8 = k.operations;
  }
  EXPECT_EQ(bf16, 2 * f32);
  EXPECT_EQ(u8s8, 4 * f32);
  EXPECT_GT(f32, 0);
}
#endif

TEST(MeasureCeilings, NamesEachCeilingOncePerThreadCountWithAValueOrAReason) {
  const CpuInfo cpu = host_with_caches(48 << 10, kMiB / 2, std::nullopt);
  const std::vector<Ceiling> all = measure_ceilings(cpu, quick(2));
  std::set<std::pair<std::string, int>> seen;
  for (const Ceiling& c : all) {
    EXPECT_TRUE(seen.emplace(c.name, c.threads).second) << c.name;
    EXPECT_TRUE(c.threads == 1 || c.threads == 2) << c.name;
    EXPECT_EQ(c.unit, c.name.starts_with("read.") ? "GB/s" : "GFLOP/s") << c.name;
    EXPECT_NE(c.value.has_value(), !c.reason.empty()) << c.name << ": " << c.reason;
    EXPECT_GT(c.value.value_or(1), 0) << c.name;
    EXPECT_GE(c.spread, 0) << c.name;
  }
  for (const int threads : {1, 2}) {
    for (const std::string& name : kReads) EXPECT_NE(find(all, name, threads), nullptr) << name;
    for (const ComputeKernel& k : compute_kernels(cpu)) EXPECT_NE(find(all, k.name, threads), nullptr) << k.name;
  }
  EXPECT_EQ(all.size(), 2 * (kReads.size() + compute_kernels(cpu).size()));
  EXPECT_TRUE(find(all, "fma.scalar.f32")->value);
}

TEST(MeasureCeilings, EveryLevelOfKnownSizeIsMeasuredWhereMemoryIsPlenty) {
  for (const Ceiling& c : measure_ceilings(host_with_caches(48 << 10, kMiB / 2, 8 * kMiB), quick())) {
    EXPECT_TRUE(c.value || c.reason.find("available memory") != std::string::npos) << c.name << ": " << c.reason;
  }
}

TEST(MeasureCeilings, MemoryIsKeptForTheNextMeasurement) {
  CeilingMemory memory;
  EXPECT_EQ(memory.bytes(), 0);
  std::byte* const one = memory.of(1, 1 << 20);
  ASSERT_NE(one, nullptr);
  EXPECT_NE(memory.of(2, 1 << 20), one) << "each team has its own: its threads have touched it";
  EXPECT_EQ(memory.of(1, 1 << 20), one);
  EXPECT_EQ(memory.bytes(), 2 << 20);
  EXPECT_NE(memory.of(1, 1 << 21), nullptr);
  EXPECT_EQ(memory.bytes(), 3 << 20);
  EXPECT_EQ(memory.bytes_of(1), 2 << 20);
  EXPECT_EQ(memory.bytes_of(3), 0);
  const CpuInfo cpu = host_with_caches(48 << 10, kMiB / 2, 8 * kMiB);
  CeilingMemory kept;
  const auto first = measure_ceilings(cpu, quick(), kept);
  const std::int64_t bytes = kept.bytes();
  EXPECT_EQ(bytes > 0, find(first, "read.dram")->value.has_value());
  EXPECT_EQ(measure_ceilings(cpu, quick(), kept).size(), first.size());
  EXPECT_EQ(kept.bytes(), bytes);
}

TEST(MeasureCeilings, CachesOfUnknownSizeAreAbsentWithTheReason) {
  const std::vector<Ceiling> all = measure_ceilings(CpuInfo{}, quick());
  for (const std::string& name : kReads) {
    const Ceiling* c = find(all, name);
    ASSERT_NE(c, nullptr) << name;
    EXPECT_FALSE(c->value) << name;
    EXPECT_NE(c->reason.find("does not tell the size"), std::string::npos) << c->reason;
  }
}

TEST(MeasureCeilings, InstructionSetsThatTheCpuLacksHaveNoEntry) {
  const std::vector<Ceiling> all = measure_ceilings(CpuInfo{}, quick());
  EXPECT_EQ(all.size(), kReads.size() + 1);
  ASSERT_NE(find(all, "fma.scalar.f32"), nullptr);
  EXPECT_TRUE(find(all, "fma.scalar.f32")->value);
}

TEST(MeasureCeilings, EachMeasuredCeilingCarriesItsOwnAnchor) {
  CeilingRequest request = quick();
  int calls = 0;
  request.anchor_ns = [&] { return 100.0 + ++calls; };
  int measured = 0;
  for (const Ceiling& c : measure_ceilings(host_with_caches(48 << 10, kMiB / 2, std::nullopt), request)) {
    if (c.value) ++measured;
    EXPECT_EQ(c.anchor_ns, c.value ? std::optional<double>(100.0 + measured) : std::nullopt) << c.name;
  }
  EXPECT_EQ(calls, measured);
}

TEST(MeasureCeilings, AnAnchorThatFailedIsAbsent) {
  CeilingRequest request = quick();
  request.anchor_ns = [] { return std::numeric_limits<double>::quiet_NaN(); };
  const std::vector<Ceiling> all = measure_ceilings(CpuInfo{}, request);
  EXPECT_TRUE(find(all, "fma.scalar.f32")->value);
  EXPECT_FALSE(find(all, "fma.scalar.f32")->anchor_ns);
}

TEST(MeasureCeilings, MoreThreadsThanCpusAreRefusedWithAReason) {
  const int threads = static_cast<int>(Pinning().allowed().size()) + 1;
  for (const Ceiling& c : measure_ceilings(CpuInfo{}, quick(threads))) {
    if (c.threads == 1) continue;
    EXPECT_FALSE(c.value) << c.name;
    EXPECT_NE(c.reason.find("allowed CPUs"), std::string::npos) << c.reason;
  }
}

TEST(MeasureCeilings, SenselessRequestsEnd) {
  CeilingRequest request = quick(-5);
  request.blocks = -1;
  for (const double seconds : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    request.block_seconds = seconds;
    EXPECT_EQ(measure_ceilings(CpuInfo{}, request).size(), kReads.size() + 1);
  }
}

TEST(MeasureCeilings, TheThreadIsPinnedMeanwhileAndFreeAfterwards) {
  const std::vector<int> before = Pinning().allowed();
  std::vector<int> meanwhile;
  CeilingRequest request = quick(2);
  request.anchor_ns = [&] {
    meanwhile = Pinning().allowed();
    return 1.0;
  };
  measure_ceilings(CpuInfo{}, request);
  EXPECT_EQ(meanwhile.size(), 1U);
  EXPECT_EQ(Pinning().allowed(), before);
}

TEST(RepeatsFor, FillABlock) {
  EXPECT_EQ(repeats_for(1e-3, [](std::int64_t n) { return static_cast<double>(n) * 1e-6; }), 1000);
  EXPECT_EQ(repeats_for(1e-3, [](std::int64_t n) { return static_cast<double>(n) * 1.0; }), 1);
}

TEST(RepeatsFor, AnInterruptedRunDoesNotShortenTheBlock) {
  for (int interrupted = 0; interrupted < 8; ++interrupted) {
    int run = 0;
    const auto seconds_of = [&](std::int64_t n) {
      return static_cast<double>(n) * 1e-6 + (run++ == interrupted ? 4e-3 : 0.0);
    };
    EXPECT_EQ(repeats_for(1e-3, seconds_of), 1000) << interrupted;
  }
}

TEST(RepeatsFor, AClockThatStandsStillDoesNotHangIt) {
  EXPECT_GT(repeats_for(1e-3, [](std::int64_t) { return 0.0; }), 1);
}

TEST(Team, EveryMemberRunsOnceInEachRunOnItsOwnCpu) {
  const Pinning pinning;
  Team team(pinning.allowed());
  ASSERT_TRUE(team.complete());
  std::vector<int> runs(static_cast<std::size_t>(team.size()), 0), cpus(runs);
  for (int i = 0; i < 50; ++i) {
    const double seconds = team.run([&](int member) {
      ++runs[static_cast<std::size_t>(member)];
      cpus[static_cast<std::size_t>(member)] = sched_getcpu();
    });
    EXPECT_GE(seconds, 0);
  }
  for (const int n : runs) EXPECT_EQ(n, 50);
  EXPECT_EQ(cpus, pinning.allowed());
}

TEST(Team, ATeamThatNeverRanEnds) {
  const Pinning pinning;
  const Team team(pinning.allowed());
  EXPECT_GE(team.size(), 1);
}

}  // namespace
}  // namespace gemwright::profilers
