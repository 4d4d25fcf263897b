// Figures from samples: pure functions, so that whatever a study reports can be computed again from its rows. The
// comparisons are those of measure/rounds.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/measure/rounds.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

constexpr double kConfidence = 0.95;

// Which samples count: one phase, from a round on (a later confirmation does not mix with an earlier one).
struct SampleWindow {
  Phase phase = Phase::confirm;
  std::int64_t first_round = 0;
};

// A sample's time and whether it was disturbed, as comparisons see it. Subjects are the entrants.
Heat heat_of(const Sample& sample);
RoundLog round_log(const std::vector<Sample>& samples, SampleWindow window);
BlockTally tally(const std::vector<Sample>& samples, SampleWindow window);

struct PairedRatio {
  double ratio = 1;              // speed of the subject over the reference
  std::optional<double> lo, hi;  // 95 %; absent with fewer than kMinPairs rounds
  std::int64_t rounds = 0;       // used
};
std::optional<PairedRatio> paired_ratio(const std::vector<Sample>& samples, SubjectId subject, SubjectId reference,
                                        SampleWindow window);

// How long subjects take beside one of them, whatever the clock did between their rounds.
class PairedCosts {
 public:
  // `reference`: ran in every round.
  PairedCosts(const std::vector<Sample>& samples, SubjectId beside, std::optional<SubjectId> reference);
  // log time of `x` over that of `beside`: of the rounds of the confirmation that both ran in; else each over the
  // reference, of all rounds. Absent where neither is known.
  std::optional<double> of(SubjectId x) const;

 private:
  RoundLog confirmed_, all_;
  SubjectId beside_;
  std::optional<SubjectId> reference_;
};

// Absent when the subject has no sample in the window.
std::optional<Estimate> estimate(const std::vector<Sample>& samples, SubjectId subject,
                                 std::optional<SubjectId> baseline, SampleWindow window, double flops_per_call);

}  // namespace gemwright::tuner
