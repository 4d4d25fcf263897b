// The geometry of one call, for the traffic model: how the loop nest cuts M, N and K, and what one iteration of each
// loop covers. Internal to the model. The nest itself is in gemwright/loop_nest.h; this follows it exactly.
#pragma once

#include <gemwright/config.h>

#include <array>
#include <cstdint>

#include "profilers/counters/traffic_model.h"

namespace gemwright::profilers {

// The loops around a tile, from inside; kChunks: over the row chunks of split-K.
enum LoopIndex { kInnerTiles, kOuterTiles, kInnerBlocks, kMiddleBlocks, kOuterBlocks, kChunks, kLoops };

// How often an operand that does not depend on a dimension is fetched through all of it, for each loop over that
// dimension that may miss, outermost last.
struct Repeats {
  double tiles = 0, blocks = 0, chunks = 0, slices = 0;
};

// Repeats over the rows or the columns. Private: each thread fetches for itself. Shared: threads in step fetch once.
struct Dimension {
  Repeats apart, shared;
  std::int64_t largest = 0;  // extent of the largest slice of a job
  std::int64_t block = 0;    // extent of a block in it
  std::int64_t blocks = 1;   // number of them
};

struct Extent {
  double m = 0, n = 0, k = 0;
};

enum Operand { kOperandA, kOperandB, kOperandC, kOperands };
// The dimension that an operand does not depend on: M, N, K are 0, 1, 2.
constexpr int kFree[kOperands] = {1, 0, 2};

struct Loop {
  int dimension = 0;
  bool several = false;  // iterations
  Extent body;           // of one job
};

struct Nest {
  Dimension rows, columns;
  double rows_of_all = 0;      // M of all batch items
  double k_blocks = 0;         // of all slices of K
  std::int64_t depth = 0;      // of a block of K
  std::int64_t largest_k = 0;  // largest slice of K
  double job_rows = 0;         // of the largest job, over the whole call
  double job_items = 0;        // batch items that it touches
  double reducers = 0;         // jobs that add up partial results, over all chunks
  double chunk_rows = 0;       // rows of a split-K chunk; all of M without
  bool packs_a = false, packs_b = false;
  bool packs_a_again = false;          // for each block of columns
  std::array<Loop, kLoops> loops{};    // the call is told by job_rows and job_items
  std::array<int, kOperands> reuse{};  // the loop over blocks that uses an operand again
};

// All sizes are at least 1 but K, and the config makes sense.
Nest nest_of(const TrafficInput& in);

}  // namespace gemwright::profilers
