// Where a config stands under the roofs of its machine (Williams, Waterman, Patterson, CACM 52(4), 2009).
//
// Idea: two roofs. Compute: the multiply-adds that the tile's instruction family reaches from registers in the config's
// mode (compute_ceiling). Memory: the read bandwidth of the outermost level that a call moves bytes through, times the
// arithmetic intensity at that level. That level is the last one with traffic in the traffic model: DRAM with cold
// weights, the cache in which everything stays when hot. The lower roof binds.
//
// Units: GFLOP/s, flops a byte. Roofs are at the clock of the measured point where both have the time of the anchor
// loop, else as they were measured. Limits: bytes are computed, not counted, and a write counts as a read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/space/config.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct RooflineInput {
  double flops = 0;  // of one call: flops(problem, m)
  Config config;
  std::vector<profilers::Counter> traffic;  // of the trial; counters of other providers are passed over
  std::vector<StudyCeiling> ceilings;       // of the study
  double gflops = 0;                        // measured
  std::optional<double> anchor_ns;          // of one anchor call beside that measurement
};

struct RooflinePoint {
  double flops = 0;
  double gflops = 0;
  int threads = 1;
  std::string level;                // of the memory roof: "read.dram"; empty where the traffic does not tell
  std::optional<double> bytes;      // of one call through that level
  std::optional<double> intensity;  // flops / bytes
  std::optional<double> compute_roof;
  std::string compute_name;           // "fma.avx512f.f32"; empty where no ceiling bounds the family in this mode
  std::string compute_reason;         // why there is no compute roof
  std::optional<double> memory_roof;  // at that intensity
  std::optional<double> cpu_roof;     // the best of the compute roofs of that kind, over all families
  std::string cpu_name;
  std::optional<double> binding_roof;  // the lower of those that are known
  std::string binding_name;            // its ceiling; empty when none is
  std::optional<double> share;         // of the binding roof; 1 is on it
};
RooflinePoint roofline_point(const RooflineInput& in);

// The ceiling that bounds a family in a mode. bf16 without an instruction of its own widens its elements and multiplies
// and adds in f32: it has the roof of f32. u8s8 without one is put together from 16-bit products that no ceiling
// measures: empty.
std::string compute_ceiling(gemwright::isa family, ComputeMode mode);

// A sentence when the measured speed exceeds what the CPU can compute by more than 5 %: one of the two figures is
// wrong. Never said of a memory roof: caches may serve what the model gives to memory.
std::optional<std::string> above_roof(const RooflinePoint& p);

// The newest ceiling of this name with a value, at the clock of a block whose anchor took `anchor_ns`. Between the
// thread counts that were measured: on the line between them, and never above so many times one thread. Beyond them:
// nothing.
std::optional<double> ceiling_at(const std::vector<StudyCeiling>& ceilings, std::string_view name, int threads,
                                 std::optional<double> anchor_ns);

}  // namespace gemwright::tuner
