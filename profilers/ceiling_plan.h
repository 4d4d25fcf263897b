// How much memory each read ceiling walks through. Pure.
//
// Each thread reads a part of its own, again and again. Half of a level leaves room for what else lives there; from
// DRAM comes what is several times larger than all caches that the threads fill. Sizes are bytes.
// Where the pages of a part happen to lie, some compete for the same sets of L2 and cost up to a third of its speed:
// parts of private caches are read at another place in each block.
// Limits: L1 and L2 count as private to a thread; a part of L3 must be well above L2 to be read from L3 at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "profilers/cpu_info.h"
#include "profilers/reading.h"

namespace gemwright::profilers {

enum class Reuse : std::uint8_t { other_places, same_place, none };  // of a part, from block to block

struct ReadPlan {
  std::string name;                  // of the ceiling
  Reuse reuse;                       // with `none` nothing may be in a cache beforehand
  Reading<std::int64_t> part_bytes;  // of one thread: a multiple of chunk_bytes(part)
};

// A part is read in chunks of this size, so that a short block need not read all of a large part.
std::int64_t chunk_bytes(std::int64_t part_bytes);

// L1, L2, L3, DRAM. All threads together get at most a quarter of the memory that is available.
std::vector<ReadPlan> plan_reads(const CpuInfo& cpu, int threads, const Reading<std::int64_t>& available_bytes);

}  // namespace gemwright::profilers
