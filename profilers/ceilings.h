// What this machine can do at best, measured in a fraction of a second: the compute roofs (fused multiply-adds or dot
// products from registers, for each instruction family and element type that the CPU has) and the read bandwidth of L1,
// L2, L3 and DRAM, for one thread and for several at once. They are the roofs of the roofline model (Williams,
// Waterman, Patterson, CACM 52(4), 2009).
//
// Units: GFLOP/s (a multiply-add is two operations, of short elements too: a product has 2 M N K in every mode), GB/s
// (1e9 bytes). DRAM is read as one stream and as two and four side by side, and the fastest counts. A ceiling is the
// best steady speed seen: the median of the fastest quarter of its blocks, because whatever disturbs a block makes it
// slower. Clocks drift, so each ceiling carries the time of an anchor loop beside it; see scaled_to.
#pragma once

#include <gemwright/memory.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "profilers/cpu_info.h"

namespace gemwright::profilers {

struct Ceiling {
  // "fma.avx512f.f32", "fma.avx2.f32", "fma.scalar.f32", "dot.avx512_bf16.bf16", "dot.avx512_vnni.u8s8",
  // "dot.avx_vnni.u8s8"; "read.l1", "read.l2", "read.l3", "read.dram".
  std::string name;
  int threads = 1;
  std::string unit;             // "GFLOP/s" or "GB/s"
  std::optional<double> value;  // absent with a reason, e.g. that the system does not tell the size of that cache
  std::string reason;
  double spread = 0;                // of the blocks: median absolute deviation over the median
  std::optional<double> anchor_ns;  // of one anchor call beside the measurement

  bool operator==(const Ceiling&) const = default;
};

struct CeilingRequest {
  int threads = 1;                         // measures for one thread and, if more, for so many
  double block_seconds = 1e-3;             // of one timed block; long against the clock's resolution
  int blocks = 12;                         // of each ceiling
  std::function<double()> anchor_ns = {};  // times the anchor loop; called once beside each ceiling, on its first CPU
};

// What the reads run over, kept from one measurement to the next: a virtual machine may take half a second to get so
// much memory from its host.
class CeilingMemory {
 public:
  // `bytes` for a team of `threads`, uninitialised; null where they are not to be had. What the team had before stays
  // where it is as large, so that its pages are near to the threads that touched them.
  std::byte* of(int threads, std::int64_t bytes);
  std::int64_t bytes_of(int threads) const;
  std::int64_t bytes() const;  // of all teams

 private:
  struct Kept {
    gemwright::float_block block;
    std::int64_t bytes = 0;
  };
  std::map<int, Kept> of_team_;
};

// All ceilings of one thread, then those of `threads`, each on a CPU of its own among those that the caller may use:
// one thread on the last, a team on the first ones. For an instruction set that the CPU lacks there is no entry. Takes
// 0.15 s for one thread, 0.3 s for one and for two, and up to 0.5 s more where a virtual machine must first get the
// memory from its host. The caller's affinity is restored.
std::vector<Ceiling> measure_ceilings(const CpuInfo& cpu, const CeilingRequest& request, CeilingMemory& memory);
std::vector<Ceiling> measure_ceilings(const CpuInfo& cpu, const CeilingRequest& request);

// The value that the ceiling would have at the clock of a block whose anchor took `anchor_ns`: a compute roof and a
// cache's bandwidth follow the clock of the core, DRAM does not. Absent where the ceiling is, and where an anchor is
// needed and missing or not above zero.
std::optional<double> scaled_to(const Ceiling& ceiling, std::optional<double> anchor_ns);

}  // namespace gemwright::profilers
