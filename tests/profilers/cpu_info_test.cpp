#include "profilers/cpu_info.h"

#include <gemwright/cpu.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "profilers/cpu_id.h"
#include "tests/profilers/fake_root.h"

namespace gemwright::profilers {
namespace {

// A server CPU with AVX-512 and AMX as Intel's manual encodes it: family 6 model 143 stepping 8.
CpuidLeaves sapphire_rapids() {
  CpuidLeaves x;
  x.leaf0 = {0x20, 0x756e6547, 0x6c65746e, 0x49656e69};  // GenuineIntel
  x.leaf1 = {0x000806f8, 0, 1U << 12 | 1U << 20 | 1U << 27 | 1U << 28 | 1U << 29, 0};
  x.leaf7 = {1, 1U << 5 | 1U << 16 | 1U << 17 | 1U << 28 | 1U << 30 | 1U << 31, 1U << 11,
             1U << 22 | 1U << 23 | 1U << 24 | 1U << 25};
  x.leaf7_1 = {1U << 4 | 1U << 5, 0, 0, 0};
  x.extended7 = {0, 0, 0, 1U << 8};
  x.xcr0 = 0x602e7;
  return x;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST(Cpuid, DecodesVendorSignatureAndSets) {
  const CpuidLeaves x = sapphire_rapids();
  EXPECT_EQ(vendor(x), "GenuineIntel");
  EXPECT_EQ(signature(x), (CpuSignature{6, 143, 8}));
  for (const char* set : {"sse4.2", "avx2", "fma", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16",
                          "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16"}) {
    EXPECT_TRUE(contains(instruction_sets(x), set)) << set;
  }
  EXPECT_TRUE(invariant_tsc(x));
}

TEST(Cpuid, ExtendedFamiliesAreAdded) {
  CpuidLeaves x;
  x.leaf1.a = 0x00b00f21;  // base family 15, extended family 11, model 2, stepping 1
  EXPECT_EQ(signature(x), (CpuSignature{26, 2, 1}));
}

// A system that does not save the registers makes the instructions unusable whatever the CPU says.
TEST(Cpuid, SetsNeedTheRegistersThatTheSystemSaves) {
  CpuidLeaves x = sapphire_rapids();
  x.xcr0 = 0x7;
  EXPECT_TRUE(contains(instruction_sets(x), "avx2"));
  EXPECT_FALSE(contains(instruction_sets(x), "avx512f"));
  EXPECT_FALSE(contains(instruction_sets(x), "avx512_bf16"));
  EXPECT_FALSE(contains(instruction_sets(x), "amx_tile"));
  x.xcr0 = 0;
  EXPECT_EQ(instruction_sets(x), std::vector<std::string>{"sse4.2"});
}

TEST(Cpuid, TheHypervisorNamesItself) {
  CpuidLeaves x = sapphire_rapids();
  EXPECT_FALSE(hypervisor(x));
  x.leaf1.c |= 1U << 31;
  EXPECT_EQ(hypervisor(x), "unnamed");
  x.hypervisor = {0, 0x4b4d564b, 0x564b4d56, 0x4d};
  EXPECT_EQ(hypervisor(x), "KVMKVMKVM");
}

TEST(Cpuid, UnprintableNamesAreMadePrintable) {
  CpuidLeaves x;
  x.brand[0] = {0x1b410a20, 0, 0, 0};
  EXPECT_EQ(brand(x), "?A?");
}

TEST(CpuInfo, FamiliesAgreeWithTheKernelLibraryOnThisHost) {
  const CpuInfo cpu = probe_cpu();
  const std::vector<isa> usable = families(cpu);
  for (int i = 0; i < family_count; ++i) {
    const auto family = static_cast<isa>(i);
    EXPECT_EQ(std::find(usable.begin(), usable.end(), family) != usable.end(), cpu_has(family)) << isa_name(family);
  }
  EXPECT_EQ(usable.back(), isa::scalar);
  EXPECT_GE(cpu.allowed_cpus, 1);
}

TEST(CpuInfo, ReadsCachesAndTopologyFromTheSystem) {
  const test::FakeRoot root;
  const std::string cpu0 = "sys/devices/system/cpu/cpu0/";
  root.write("sys/devices/system/cpu/present", "0-63\n");
  root.write(cpu0 + "topology/thread_siblings_list", "0,32\n");
  root.write(cpu0 + "cpufreq/cpuinfo_max_freq", "3700000\n");
  const struct {
    const char *index, *level, *type, *size, *shared;
  } caches[] = {{"0", "1", "Data", "48K", "0,32"},
                {"1", "1", "Instruction", "32K", "0,32"},
                {"2", "2", "Unified", "2048K", "0,32"},
                {"3", "3", "Unified", "105M", "0-63"}};
  for (const auto& c : caches) {
    const std::string at = cpu0 + "cache/index" + c.index + "/";
    root.write(at + "level", c.level);
    root.write(at + "type", c.type);
    root.write(at + "size", c.size);
    root.write(at + "shared_cpu_list", c.shared);
  }
  root.write("proc/cpuinfo",
             "processor\t: 0\nmicrocode\t: 0x2b0004b1\nflags\t\t: fpu constant_tsc\n\nmicrocode: 0x1\n");
  const CpuInfo cpu = probe_cpu(root.path());
  EXPECT_EQ(cpu.total_cpus, 64);
  EXPECT_EQ(cpu.threads_per_core, 2);
  EXPECT_EQ(cpu.max_frequency_khz, 3700000);
  EXPECT_EQ(cpu.l1d_bytes, 48 << 10);
  EXPECT_EQ(cpu.l2_bytes, 2 << 20);
  EXPECT_EQ(cpu.l3_bytes, 105 << 20);
  EXPECT_EQ(cpu.l3_sharing_cpus, 64);
  EXPECT_EQ(cpu.microcode, "0x2b0004b1");
  EXPECT_EQ(cpu.constant_tsc, true);
  EXPECT_EQ(cpu.nonstop_tsc, false);
}

TEST(CpuInfo, WhatTheSystemDoesNotTellIsAbsent) {
  const test::FakeRoot root;
  root.write("sys/devices/system/cpu/cpu0/cache/index0/level", "1");
  root.write("sys/devices/system/cpu/cpu0/cache/index0/type", "Data");
  root.write("sys/devices/system/cpu/cpu0/cache/index0/size", "large");
  root.write("sys/devices/system/cpu/present", "all");
  const CpuInfo cpu = probe_cpu(root.path());
  EXPECT_FALSE(cpu.l1d_bytes);
  EXPECT_FALSE(cpu.l2_bytes);
  EXPECT_FALSE(cpu.total_cpus);
  EXPECT_FALSE(cpu.microcode);
  EXPECT_TRUE(nlohmann::json::parse(properties_json(cpu)).at("l1d_bytes").is_null());
}

TEST(Fingerprint, IsTheSameForTheSameKindOfMachine) {
  const CpuInfo cpu = probe_cpu();
  CpuInfo same = cpu;
  same.brand = "another name";
  same.microcode = "0xffff";
  same.allowed_cpus += 3;
  same.memory_bytes = 1;
  EXPECT_EQ(fingerprint(cpu), fingerprint(same));
  EXPECT_EQ(fingerprint(cpu).size(), 32U);
  EXPECT_EQ(fingerprint(cpu).find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Fingerprint, ChangesWithWhatMattersToSpeed) {
  CpuInfo cpu;
  cpu.vendor = "GenuineIntel";
  std::vector<CpuInfo> others(9, cpu);
  others[0].vendor = "AuthenticAMD";
  others[1].family = 6;
  others[2].model = 6;
  others[3].stepping = 6;
  others[4].instruction_sets = {"avx2"};
  others[5].l2_bytes = 1 << 20;
  others[6].total_cpus = 2;
  others[7].hypervisor = "KVMKVMKVM";
  others[8].threads_per_core = 2;
  others.push_back(cpu);
  for (std::size_t i = 0; i < others.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(fingerprint(others[i]), fingerprint(others[j])) << i << " " << j;
  }
}

// Stored studies carry it: it must not change by accident between versions.
TEST(Fingerprint, OfAGivenMachineNeverChanges) {
  CpuInfo cpu;
  cpu.vendor = "GenuineIntel";
  cpu.family = 6;
  cpu.model = 143;
  cpu.stepping = 8;
  cpu.instruction_sets = {"avx2", "avx512f"};
  cpu.l2_bytes = 2 << 20;
  cpu.total_cpus = 64;
  EXPECT_EQ(fingerprint(cpu), "034551532cd5f5595a23f50fb059aeb3");
}

TEST(CpuInfo, ForeignTextDoesNotBreakTheJson) {
  CpuInfo cpu;
  cpu.brand = "bad \xff\xfe \"quoted\"\n";
  EXPECT_NO_THROW({ EXPECT_TRUE(nlohmann::json::parse(properties_json(cpu)).at("brand").is_string()); });
}

TEST(CpuInfo, TheNameForPeopleIsNeverEmpty) {
  CpuInfo cpu;
  EXPECT_EQ(display_name(cpu), "unknown CPU");
  cpu.vendor = "AuthenticAMD";
  EXPECT_EQ(display_name(cpu), "AuthenticAMD");
  cpu.brand = "AMD EPYC";
  cpu.family = 26;
  cpu.model = 2;
  EXPECT_EQ(display_name(cpu), "AMD EPYC (family 26 model 2)");
}

}  // namespace
}  // namespace gemwright::profilers
