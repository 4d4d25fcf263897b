// Bench: what `export` would ship, timed beside the baseline in interleaved rounds.
//
// The rows of one problem share one exported header (its packing format, dispatch and `run`), compiled as a consumer
// would. Nothing here is written to the database: tuning records, a bench only measures.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/plan.h"
#include "app/model/tuning.h"
#include "tuner/study/estimate.h"
#include "tuner/study/measurer.h"

namespace gemwright::app {

struct BenchRow {
  PlannedStudy study;
  std::string against;  // the baseline's name; empty when there is none
  std::optional<double> gflops, baseline_gflops, ratio, ratio_lo, ratio_hi, error;
  // With --best-per-m: the study's own winner, run from the tuner's library, and the speed of the header over it.
  std::optional<double> best_gflops, over_best, over_best_lo, over_best_hi;
  std::string failure;  // why there is no figure, one sentence
};

// The header that export would write for the studies with these ids, all of one problem.
struct BenchHeader {
  std::string text;
  std::string name_space;  // fully qualified namespace of the problem
};
tuner::Result<BenchHeader> bench_header(const tuner::Store& store, const std::vector<tuner::StudyId>& studies,
                                        double max_regret);

// `best`: a config to time beside the header in the same rounds.
tuner::Result<BenchRow> bench_row(tuner::Measurer& measurer, const PlannedStudy& study, const BenchHeader& header,
                                  const std::optional<tuner::Config>& best, const TuningHooks& hooks);

nlohmann::json bench_json(const BenchRow& row);
std::string bench_table(const std::vector<BenchRow>& rows);

// Over the rows of one thread count: geometric mean, worst and best ratio, share of rows slower than the baseline.
struct BenchSummary {
  int threads = 1;
  std::size_t rows = 0;
  double geomean = 0, worst = 0, best = 0, slower = 0;
};
std::vector<BenchSummary> bench_summaries(const std::vector<BenchRow>& rows);

}  // namespace gemwright::app
