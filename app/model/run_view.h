// The Run view: did the search get better, when, and could the machine be trusted meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/model/snapshot.h"

namespace gemwright::app {

struct BestStep {
  std::size_t trial = 0;  // index in the study
  double gflops = 0;
  std::optional<double> lo, hi;  // 95 % of its ratio to the baseline, as a speed; absent with few rounds
};
// The trials that were faster than all before them, in the order of proposal. Only correct ones count.
std::vector<BestStep> best_so_far(const StudySnapshot& study);

struct SpeedRange {
  double low = 0, high = 1;  // GFLOP/s
};
// What a plot of its speeds from zero has to hold: every figure, the baseline, and both ends of the intervals.
SpeedRange speed_range(const StudySnapshot& study, const std::vector<BestStep>& steps);

// How many trials ended in which state, those that occur, in the order of TrialState.
struct StateCount {
  tuner::TrialState state{};
  std::size_t count = 0;
  std::size_t shown = 0;  // that match the filter
};
std::vector<StateCount> state_counts(const StudySnapshot& study, const std::vector<bool>& shown);

// Of the budget: 0.4 is 40 %. Absent where the study has the default budget, whose end depends on the measurement.
std::optional<double> budget_spent(const tuner::StudyRecord& study);
// "12.3 s of 60 s", "310 of 500 trials", "9.8 s". `spent`: seconds so far, where they are known better than the record
// does, which is written when a sitting ends.
std::string budget_text(const tuner::StudyRecord& study, const std::vector<tuner::StudyEvent>& events,
                        std::optional<double> spent = {});
// Seconds spent by a study that runs: what its record says, and the time since that was written, up to a pause. Never
// more than the record will say next. `now`: unix nanoseconds.
std::optional<double> spent_so_far(const StudyFigures& figures, const std::vector<tuner::StudyEvent>& events,
                                   std::int64_t now);
// "223.4 GFLOP/s"; "142.6 GFLOP/s so far" before anything is confirmed; "-".
std::string best_text(const StudySnapshot& study);
// The same of the baseline.
std::string baseline_text(const StudySnapshot& study);

struct NoiseSummary {
  std::size_t rounds = 0, disturbed = 0;
  std::optional<double> anchor_spread;  // half the width between 5 % and 95 % of the anchor's times: 0.02 is 2 %
  std::optional<double> noise_floor;    // of the study's final
};
NoiseSummary noise_summary(const StudySnapshot& study);
// "noise floor 0.8 %, anchor within 1.2 %, 3 of 140 rounds disturbed"; what is missing is left out.
std::string noise_text(const NoiseSummary& noise);

// One line about a study: name and sizes ("qkv  M=8 N=4096 K=4096").
std::string study_title(const tuner::StudyRecord& study);
// "finished", "running", "abandoned" (its process is gone).
std::string state_text(const StudyFigures& figures);
// For Copy as text: title, state, budget, verdict, noise, the steps of the best so far.
std::string run_text(const StudySnapshot& study);

}  // namespace gemwright::app
