// Bench: what `export` would ship, timed beside one or several baselines in interleaved rounds.
//
// A ratio is the header's speed over a baseline's. The best baseline of a row is the fastest one, not the same in each
// row. GB/s are the bytes that the operands have at least (min_bytes) over the time of a call. The ceiling is the one
// that binds the row's study (tuner/insight/roofline.h), as fast as it is around the row's own rounds: what a virtual
// machine gets of its host differs from minute to minute.
//
// The rows of one problem share one exported header (its packing format, dispatch and `run`), compiled as a consumer
// would. Nothing here is written to the database: tuning records, a bench only measures.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/plan.h"
#include "app/model/rows.h"
#include "app/model/tuning.h"
#include "tuner/study/estimate.h"
#include "tuner/study/measurer.h"

namespace gemwright::app {

// --against as the user wrote it: a list of names of tuner/baseline/baseline.h, each once.
tuner::Result<std::vector<std::string>> parse_against(const std::string& text);
// Opens those baselines before anything is tuned, beside a small product. A sentence for each that is absent
// everywhere; an error for a file that cannot be one.
tuner::Result<std::vector<std::string>> check_against(tuner::Measurer& measurer,
                                                      const std::vector<std::string>& against,
                                                      const std::string& compiler);

struct BenchRival {
  std::string asked;   // "openblas"
  std::string name;    // "openblas 0.3.21"; empty when absent
  std::string reason;  // why it is absent
  std::optional<double> gflops, ratio, ratio_lo, ratio_hi;
};

struct BenchRow {
  PlannedStudy study;
  std::optional<double> gflops, gbytes_per_s, error;
  std::string ceiling;                          // that binds: "read.dram"; empty where it is not known
  std::optional<double> ceiling_gflops, share;  // 1 is on it
  std::vector<tuner::StudyCeiling> ceilings;    // of this machine, the means of those before and behind the rounds
  std::vector<BenchRival> rivals;               // as asked
  // With --best-per-m: the study's own winner, run from the tuner's library, and the speed of the header over it.
  std::optional<double> best_gflops, over_best, over_best_lo, over_best_hi;
  std::string failure;  // why there is no figure, one sentence

  const BenchRival* fastest() const;  // nullptr where no baseline has a figure
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
                                  const std::vector<std::string>& against, const std::optional<tuner::Config>& best,
                                  const TuningHooks& hooks);
// Of the row's ceilings the one that binds the best trial of its study, over which the header's own speed is judged.
void add_ceiling(BenchRow& row, const StudyFigures& study);

// One object for each baseline.
std::vector<nlohmann::json> bench_json(const BenchRow& row);
std::string bench_table(const std::vector<BenchRow>& rows);

// Over the rows of one thread count: geometric mean, worst and best ratio, share of rows slower than the baseline.
struct BenchSummary {
  int threads = 1;
  std::string precision;  // empty: all of them
  std::string against;    // as asked, or "best": the fastest of each row
  std::size_t rows = 0;
  double geomean = 0, worst = 0, best = 0, slower = 0;
};
// For each thread count: against the best baseline, and where there are several against each; over all precisions, and
// where there are several over each.
std::vector<BenchSummary> bench_summaries(const std::vector<BenchRow>& rows);
nlohmann::json summary_json(const BenchSummary& s);
std::string summary_text(const BenchSummary& s);

}  // namespace gemwright::app
