// The end of a study as a pure decision: the winner, what may be claimed of it, and the sentence for people.
//
// The fastest finalist wins where its lead was confirmed. Among those that noise cannot tell from it (not separated,
// and behind by no more than the noise floor and kNegligible) the incumbent wins, so that a result does not change
// without a reason, else the simplest: fewer threads, no slices of K, fewer accumulators, no packing of A, no prefetch,
// a smaller tile.
#pragma once

#include <optional>
#include <vector>

#include "tuner/measure/race.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

// Beyond this share of disturbed blocks the verdict says that the host is too noisy.
constexpr double kNoisyShare = 0.3;

// A lead that nobody would change a program for. Where a noisy host makes the noise floor larger than that, the faster
// one is still the better guess.
constexpr double kNegligible = 0.01;

struct Finalist {
  TrialId trial = 0;
  SubjectId subject = 0;  // the entrant of the final
  Config config;
};

bool simpler(const Config& x, const Config& y);

StudyOutcome decide(const FinalResult& result, const std::vector<Finalist>& finalists, std::optional<TrialId> incumbent,
                    const BlockTally& tally);

}  // namespace gemwright::tuner
