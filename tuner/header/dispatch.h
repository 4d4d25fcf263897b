// From what was measured to what is shipped: one packing format for a problem and build, few configs, few M ranges.
//
// A cell is one study: an M and a thread count with all that was measured there. The regret of a config in a cell is
// how much longer it takes than the best: ns / best ns - 1. The best is the fastest confirmed candidate; a candidate
// that was not confirmed is taken as slower by the noise floor at least: it may look faster by luck, and of many that
// were timed once the luckiest would be shipped.
//
// 1. Format (compute mode and panel width): all cells share it. Only formats that were measured in every cell are
//    considered, and among them the one whose weighted sum of least regrets is smallest. Where no format was measured
//    in every cell, the one that covers the most weight is taken; the cells it leaves out are then served like an M
//    that was not tuned, and their regret is unknown. A mode that one of the cells does not admit is none for any.
// 2. Ranges: in each thread count the fewest runs of neighbouring M such that one config was measured in all cells of
//    a run and stays within max_regret there (or within the least regret of the format, where that is larger). Among
//    equally few runs, the least weighted regret. "Measured there" is meant as the space means it: two configs that run
//    the same program at that M are one (`canonical` in space.h).
// 3. Configs: a config is dropped where another chosen one can serve all its runs within the bound (greedy, rarest
//    first). Thread counts that end up with the same ranges as the next smaller one are left out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/result.h"
#include "tuner/space/config.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct Candidate {
  TrialId trial = 0;
  Config config;
  double ns_per_call = 0;  // comparable in its cell
  bool confirmed = false;
};

struct Cell {
  std::int64_t m = 0;
  int threads = 1;
  double weight = 1;
  double noise_floor = 0;             // what is no difference there
  std::vector<Candidate> candidates;  // at least one
  // Admitted where this cell was tuned: another one may be less exact than was asked for.
  std::vector<ComputeMode> modes{ComputeMode::f32, ComputeMode::bf16, ComputeMode::u8s8};
};

struct DispatchRange {
  std::int64_t max_m = 0;
  std::size_t config = 0;  // index into Dispatch::configs
};
struct DispatchGroup {
  int threads = 1;
  std::vector<DispatchRange> ranges;  // by max_m, ascending; the last one serves all larger M too
};

// Which config serves a cell. Trial and regret are absent where the format was not measured in that cell.
struct ServedCell {
  std::size_t config = 0;
  std::optional<TrialId> trial;
  std::optional<double> regret;
  bool confirmed = false;
};

struct Dispatch {
  ComputeMode mode = ComputeMode::f32;  // of all configs
  gemwright::packing format{};
  std::vector<Config> configs;
  std::vector<DispatchGroup> groups;  // by threads, ascending
  std::vector<ServedCell> cells;      // one for each cell given, in that order
};

// Fails when there is no cell, a cell without a candidate, two cells of one (M, threads), a time that is not positive,
// or no measured mode that every cell admits.
Result<Dispatch> choose_dispatch(const Problem& problem, const std::vector<Cell>& cells, double max_regret);

}  // namespace gemwright::tuner
