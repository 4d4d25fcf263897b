#include "profilers/counters/event_tables.h"

#include <array>
#include <span>

#include "profilers/counters/perf_kernel.h"

namespace gemwright::profilers {
namespace {

constexpr HardwareEvent generic(std::string_view name, std::string_view unit, std::uint64_t id, std::string_view doc) {
  return {name, unit, EventType::generic, id, 1, doc};
}
constexpr HardwareEvent amd(std::string_view name, std::string_view unit, std::uint32_t event, std::uint32_t unit_mask,
                            std::string_view doc) {
  return {name, unit, EventType::raw, amd_config(event, unit_mask), 1, doc};
}
constexpr HardwareEvent intel(std::string_view name, std::string_view unit, std::uint32_t event,
                              std::uint32_t unit_mask, double weight, std::string_view doc) {
  return {name, unit, EventType::raw, intel_config(event, unit_mask), weight, doc};
}

constexpr std::array kGeneric = {
    generic("cycles", "cycles", PERF_COUNT_HW_CPU_CYCLES, "core cycles, at whatever frequency the core ran"),
    generic("instructions", "instructions", PERF_COUNT_HW_INSTRUCTIONS, "retired instructions"),
    generic("branches", "events", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, "retired branches"),
    generic("branch.misses", "events", PERF_COUNT_HW_BRANCH_MISSES, "branches that were predicted wrong"),
    generic("cache.references", "events", PERF_COUNT_HW_CACHE_REFERENCES,
            "cache accesses; which cache depends on the CPU, mostly the last level"),
    generic("cache.misses", "events", PERF_COUNT_HW_CACHE_MISSES, "of the cache references, those that missed"),
};

constexpr std::array kZen5 = {
    amd("fp.flops", "flops", 0x03, 0x0f, "floating-point operations, a multiply-add is two"),
    amd("fp.flops.mac", "flops", 0x03, 0x08, "of them, those of multiply-adds"),
    amd("fp.ops.128b", "ops", 0x08, 0x08, "retired floating-point ops on 128-bit vectors"),
    amd("fp.ops.256b", "ops", 0x08, 0x10, "retired floating-point ops on 256-bit vectors"),
    amd("fp.ops.512b", "ops", 0x08, 0x20, "retired floating-point ops on 512-bit vectors"),
    amd("vnni.ops", "ops", 0x0b, 0xc0, "retired 8-bit dot-product ops (VNNI)"),

    amd("l1d.fills", "lines", 0x44, 0xff, "lines filled into L1D from anywhere, prefetches included"),
    amd("l1d.fills.l2", "lines", 0x44, 0x01, "lines filled into L1D from the core's L2"),
    amd("l1d.fills.l3", "lines", 0x44, 0x02, "lines filled into L1D from the L3 or another L2 below the same L3"),
    amd("l1d.fills.dram", "lines", 0x44, 0x48, "lines filled into L1D from DRAM or I/O"),
    amd("dtlb.misses", "events", 0x45, 0xff, "misses of the first-level data TLB"),
    amd("dtlb.walks", "events", 0x45, 0xf0, "of them, those that missed the second level too: page walks"),

    amd("slots.frontend", "slots", 0x1a0, 0x01, "dispatch slots (8 a cycle) empty because no ops came in"),
    amd("slots.backend", "slots", 0x1a0, 0x1e, "dispatch slots empty because the back end was stalled"),
    amd("slots.smt", "slots", 0x1a0, 0x60, "dispatch slots given to the other thread of the core"),
    amd("ops.dispatched", "ops", 0xaa, 0x07, "dispatched ops"),
    amd("ops.retired", "ops", 0xc1, 0x00, "retired ops"),
    amd("cycles.core", "cycles", 0x76, 0x00, "core cycles of the pass that counts the slots"),

    amd("stall.load", "cycles", 0xd6, 0xa2, "cycles that retired nothing because the oldest op, a load, was not done"),
    amd("stall.any", "cycles", 0xd6, 0x02, "cycles that retired nothing because the oldest op was not done"),
    amd("fp.flops.add", "flops", 0x03, 0x01, "floating-point additions and subtractions"),
    amd("fp.flops.mul", "flops", 0x03, 0x02, "floating-point multiplications"),
    amd("fp.flops.bf16", "flops", 0x03, 0x20, "bfloat16 operations"),
    amd("l1d.fills.demand", "lines", 0x43, 0xff, "lines filled into L1D because a load or store asked for them"),
};

// A multiply-add counts twice in these; the weight is the number of lanes.
constexpr std::array kIntelFp = {
    intel("fp.flops.512b.f32", "flops", 0xc7, 0x80, 16, "single-precision operations on 512-bit vectors"),
    intel("fp.flops.512b.f64", "flops", 0xc7, 0x40, 8, "double-precision operations on 512-bit vectors"),
    intel("fp.flops.256b.f32", "flops", 0xc7, 0x20, 8, "single-precision operations on 256-bit vectors"),
    intel("fp.flops.256b.f64", "flops", 0xc7, 0x10, 4, "double-precision operations on 256-bit vectors"),
    intel("fp.flops.128b.f32", "flops", 0xc7, 0x08, 4, "single-precision operations on 128-bit vectors"),
    intel("fp.flops.128b.f64", "flops", 0xc7, 0x04, 2, "double-precision operations on 128-bit vectors"),
    intel("fp.flops.scalar.f32", "flops", 0xc7, 0x02, 1, "scalar single-precision operations"),
    intel("fp.flops.scalar.f64", "flops", 0xc7, 0x01, 1, "scalar double-precision operations"),
};

constexpr std::array kSapphireRapids = {
    intel("amx.busy", "cycles", 0xb7, 0x02, 1, "cycles with the matrix unit (AMX) busy"),
    intel("l1d.replacements", "lines", 0x51, 0x01, 1, "lines replaced in L1D, prefetches included"),
    intel("l2.fills", "lines", 0x25, 0x1f, 1, "lines filled into L2"),
    intel("loads.l2", "events", 0xd1, 0x02, 1, "retired loads that hit L2"),
    intel("loads.l3", "events", 0xd1, 0x04, 1, "retired loads that hit L3"),
    intel("loads.l3_misses", "events", 0xd1, 0x20, 1, "retired loads that missed L3"),
    intel("dtlb.walks.loads", "events", 0x12, 0x0e, 1, "page walks for loads"),
    intel("dtlb.walks.stores", "events", 0x13, 0x0e, 1, "page walks for stores"),
};

// Family 26 is shared: models 0x50..0x5f and from 0x80 on are of the generation after Zen 5.
bool is_zen5(const CpuInfo& cpu) {
  const int model = cpu.model.value_or(0);
  return cpu.vendor == "AuthenticAMD" && cpu.family == 26 && model < 0x80 && (model < 0x50 || model > 0x5f);
}

// The big cores since Skylake-SP. Xeon Phi (0x57, 0x85) has AVX-512 as well, but other events.
bool has_intel_fp_events(const CpuInfo& cpu) {
  return cpu.vendor == "GenuineIntel" && cpu.family == 6 && cpu.has("avx512f") && cpu.model != 0x57 &&
         cpu.model != 0x85;
}

// Sapphire Rapids and Emerald Rapids share one event list.
bool is_sapphire_rapids(const CpuInfo& cpu) {
  return cpu.vendor == "GenuineIntel" && cpu.family == 6 && (cpu.model == 0x8f || cpu.model == 0xcf);
}

}  // namespace

std::vector<HardwareEvent> hardware_events(const CpuInfo& cpu) {
  std::vector<HardwareEvent> events(kGeneric.begin(), kGeneric.end());
  const auto add = [&events](std::span<const HardwareEvent> more) {
    events.insert(events.end(), more.begin(), more.end());
  };
  if (is_zen5(cpu)) add(kZen5);
  if (has_intel_fp_events(cpu)) add(kIntelFp);
  if (is_sapphire_rapids(cpu)) add(kSapphireRapids);
  return events;
}

}  // namespace gemwright::profilers
