// Figures from samples: pure functions, so that whatever a study reports can be computed again from its rows.
//
// Two subjects are compared by the log ratio of their times in each round in which both ran: drift of the machine
// cancels. The interval is the order-statistic interval of the median (statistics.h). Blocks that were disturbed from
// outside (steal, involuntary switch, migration) are left out as long as enough rounds remain without them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

constexpr double kConfidence = 0.95;
// The sign test cannot give a 95 % interval from fewer.
constexpr std::size_t kMinPairs = 6;
// Beyond this share of disturbed blocks the verdict says that the host is noisy.
constexpr double kNoisyShare = 0.3;

// Which samples count: one phase, from a round on (a later confirmation does not mix with an earlier one).
struct SampleWindow {
  Phase phase = Phase::confirm;
  std::int64_t first_round = 0;
};

struct PairedRatio {
  double ratio = 1;              // speed of the subject over the reference
  std::optional<double> lo, hi;  // 95 %; absent with fewer than kMinPairs rounds
  std::int64_t rounds = 0;       // used
};
std::optional<PairedRatio> paired_ratio(const std::vector<Sample>& samples, SubjectId subject, SubjectId reference,
                                        SampleWindow window);

// Absent when the subject has no sample in the window.
std::optional<Estimate> estimate(const std::vector<Sample>& samples, SubjectId subject,
                                 std::optional<SubjectId> baseline, SampleWindow window, double flops_per_call);

// The end of a study: the fastest of the confirmed finalists, those not separated from it, and a sentence.
struct Finalist {
  TrialId trial = 0;
  SubjectId subject = 0;
};
StudyOutcome decide(const std::vector<Sample>& samples, const std::vector<Finalist>& finalists,
                    const std::vector<Estimate>& estimates, SampleWindow window);

}  // namespace gemwright::tuner
