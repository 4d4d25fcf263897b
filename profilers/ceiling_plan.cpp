#include "profilers/ceiling_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "profilers/ceiling_kernels.h"

namespace gemwright::profilers {
namespace {

// At 50 GB/s a chunk takes 5 us: nothing against a block, long against a call.
constexpr std::int64_t kChunk = std::int64_t{256} << 10;
// What DRAM ceilings read at least, whatever the CPU says about its caches, and in multiples of L3: the last part of a
// buffer of four times its size has pushed the first out.
constexpr std::int64_t kDramBytes = 200'000'000;
constexpr std::int64_t kDramOverL3 = 4;
// Larger sizes than any machine has; what a broken /sys claims above it must not overflow.
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 44;

Reading<std::int64_t> missing_size(const char* level) {
  return missing<std::int64_t>(fmt::format("the system does not tell the size of {}", level));
}

Reading<std::int64_t> private_part(std::optional<std::int64_t> cache, const char* level) {
  if (!cache) return missing_size(level);
  return {std::min(*cache, kMaxBytes) / 2, ""};
}

std::int64_t threads_on_one_l3(const CpuInfo& cpu, int threads) {
  return std::clamp(cpu.l3_sharing_cpus.value_or(threads), 1, threads);
}

Reading<std::int64_t> l3_part(const CpuInfo& cpu, int threads) {
  if (!cpu.l3_bytes) return missing_size("L3");
  const std::int64_t part = std::min(*cpu.l3_bytes, kMaxBytes) / 2 / threads_on_one_l3(cpu, threads);
  if (cpu.l2_bytes && part / 2 < *cpu.l2_bytes) {
    return missing<std::int64_t>("a thread's share of L3 is too small against L2 to tell them apart");
  }
  return {part, ""};
}

Reading<std::int64_t> dram_part(const CpuInfo& cpu, int threads) {
  if (!cpu.l3_bytes) return missing_size("L3, which a read from DRAM must exceed");
  const std::int64_t on_one = threads_on_one_l3(cpu, threads), caches = (threads + on_one - 1) / on_one;
  return {std::max(kDramBytes, kDramOverL3 * std::min(*cpu.l3_bytes, kMaxBytes) * caches) / threads, ""};
}

// Whole chunks, and no more than the memory that is available.
Reading<std::int64_t> usable(const Reading<std::int64_t>& part, int threads, const Reading<std::int64_t>& available) {
  if (!part) return part;
  if (!available) return missing<std::int64_t>(available.reason);
  const std::int64_t chunk = chunk_bytes(*part.value), bytes = chunk == 0 ? 0 : *part.value / chunk * chunk;
  if (bytes <= 0) return missing<std::int64_t>("the cache is too small to be measured");
  if (bytes > *available.value / 4 / threads) {
    return missing<std::int64_t>(
        fmt::format("its {} MB would be more than a quarter of the available memory", bytes * threads / 1'000'000));
  }
  return {bytes, ""};
}

}  // namespace

std::int64_t chunk_bytes(std::int64_t part_bytes) {
  return part_bytes >= kChunk ? kChunk : part_bytes / kReadGranule * kReadGranule;
}

std::vector<ReadPlan> plan_reads(const CpuInfo& cpu, int threads, const Reading<std::int64_t>& available_bytes) {
  threads = std::clamp(threads, 1, 1 << 12);  // with kMaxBytes it bounds every product below 2^63
  std::vector<ReadPlan> plans = {{"read.l1", Reuse::other_places, private_part(cpu.l1d_bytes, "L1d")},
                                 {"read.l2", Reuse::other_places, private_part(cpu.l2_bytes, "L2")},
                                 {"read.l3", Reuse::same_place, l3_part(cpu, threads)},
                                 {"read.dram", Reuse::none, dram_part(cpu, threads)}};
  for (ReadPlan& p : plans) p.part_bytes = usable(p.part_bytes, threads, available_bytes);
  return plans;
}

}  // namespace gemwright::profilers
