// Which events the perf rung asks for on which CPU: the generic ones of the kernel everywhere, and raw ones where their
// encoding is certain. An event is here because it helps to explain a GEMM: instructions and cycles, floating-point
// work by width, where L1 data came from, address translation, and where dispatch slots went.
//
// Units are those of `value` after multiplication with `weight`: "events", "cycles", "instructions", "flops", "ops",
// "lines" (of 64 bytes), "slots". Encodings follow the vendors' event lists for AMD family 26 (Zen 5) and for Intel
// Sapphire Rapids. Limits: core events only; memory controllers need privileges and bare metal.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "profilers/cpu_info.h"

namespace gemwright::profilers {

enum class EventType { generic, raw };  // PERF_TYPE_HARDWARE, PERF_TYPE_RAW

struct HardwareEvent {
  std::string_view name, unit;
  EventType type = EventType::generic;
  std::uint64_t config = 0;
  double weight = 1;  // units that one count stands for
  std::string_view doc;
};

// event[7:0] in bits 0..7, unit mask in bits 8..15, event[11:8] in bits 32..35.
constexpr std::uint64_t amd_config(std::uint32_t event, std::uint32_t unit_mask) {
  return (event & 0xff) | (std::uint64_t{unit_mask & 0xff} << 8) | (std::uint64_t{(event >> 8) & 0xf} << 32);
}
// Event in bits 0..7, unit mask in bits 8..15.
constexpr std::uint64_t intel_config(std::uint32_t event, std::uint32_t unit_mask) {
  return (event & 0xff) | (std::uint64_t{unit_mask & 0xff} << 8);
}

// In the order in which they share passes: neighbours are counted together. Names are unique.
std::vector<HardwareEvent> hardware_events(const CpuInfo& cpu);

}  // namespace gemwright::profilers
