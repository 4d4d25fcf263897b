// The roofs of the Roofline view as lines: where they begin, bend and end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/model/roofline.h"

namespace gemwright::app {

struct RoofLine {
  std::string name;  // of the ceiling: "read.dram", "fma.avx512f.f32"
  int threads = 1;
  bool memory = false;  // a slanted one: GB/s times flops a byte
  double value = 0;     // GFLOP/s, or GB/s
};

// The roofs with a value for this many threads: each memory level, and the compute roofs that the trials ran under (the
// highest one where no trial tells). The highest first.
std::vector<RoofLine> roof_lines(const RooflineStudy& study, int threads);
// In GFLOP/s at this intensity.
double height_at(const RoofLine& roof, double intensity);

// The roof of the slowest memory, and how many trials lie above it by more than a tenth. Their weights came from a
// cache in part, or the roof was measured in a slower moment.
struct AboveMemory {
  std::string roof;
  std::size_t trials = 0;
};
AboveMemory above_memory(const RooflineStudy& study, const std::vector<RoofLine>& roofs);

struct RoofArea {
  double intensity_min = 0.1, intensity_max = 100, gflops_min = 0.1, gflops_max = 100;

  bool operator==(const RoofArea&) const = default;
};
// Holds every point and the roofs around them, in whole decades.
RoofArea roof_area(const RooflineStudy& study, const std::vector<RoofLine>& roofs);

}  // namespace gemwright::app
