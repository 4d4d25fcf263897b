// Each tile with its chain on small problems, before it may touch a large one: every number of rows, tails of N and K,
// zero sizes, padded leading dimensions with poison around and between the operands, sums that cancel, subnormal
// numbers and infinities, several blockings. Compared with float64 under the proven bound (K + slack) * u * (sum of
// magnitudes).
#pragma once

#include <optional>
#include <string>

#include "tuner/study/records.h"
#include "tuner/worker/candidate.h"

namespace gemwright::tuner {

struct TileFault {
  TrialState state;  // correctness, or runtime where it did not run
  std::string reason;
};

// The first fault, or nothing. Layouts, beta, chain and whether weights are packed
// before are those of `problem`; the panel and one of the blockings those of `config`.
std::optional<TileFault> check_tile(const TileLibrary& library, int tile, const Config& config, const Problem& problem);

}  // namespace gemwright::tuner
