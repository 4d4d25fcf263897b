// Is B faster than A? Two trials of one study, or of two studies of the same problem and M; and the mean of many such
// comparisons. Pure statistics over samples.
//
// Idea: the machine drifts, so times of different moments are never compared. Trials of one study that were timed in
// the same rounds are compared round by round (log ratios, sign-test interval). Others are compared through a reference
// that ran in the rounds of each: the same baseline, else the anchor loop. What slows a whole round cancels in each
// study's speed over the reference, and the ratio of these two speeds is the answer. Each of the two medians gets an
// interval of 97.5 %, so that [lo_B / hi_A, hi_B / lo_A] covers at least 95 % (Bonferroni).
//
// Units: ratios are speed of B over A, above 1 is faster. Limits: an interval speaks of the rounds that were timed.
// What differs between two sittings and not between rounds (where memory lies, a neighbour that stays) is in no
// interval.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

// What was timed of a trial, and of its study's references.
struct TimedTrial {
  std::vector<Sample> blocks, baseline, anchor;
  std::string baseline_name;  // empty: none
};

enum class Basis {
  same_rounds,  // rounds that timed both
  baseline,     // each over the same baseline, in its own rounds
  anchor,       // each over the anchor loop, in its own rounds
};

struct SpeedRatio {
  double ratio = 1;              // speed of B over A
  std::optional<double> lo, hi;  // 95 %; absent with too few rounds
  Basis basis = Basis::same_rounds;
  bool confirmed_a = false, confirmed_b = false;  // from rounds of the confirmation; else from the search
  std::int64_t rounds_a = 0, rounds_b = 0;        // used; the same ones where the basis is same_rounds
  std::optional<double> by_anchor;                // where the basis is baseline: the same through the anchor loop

  // Baseline and anchor loop say the opposite of each other: a baseline was not itself, and nothing can be claimed.
  bool contradicted() const;
};

// Nothing where neither rounds nor a reference are common. `same_study`: round numbers of both mean the same rounds.
std::optional<SpeedRatio> speed_ratio(const TimedTrial& a, const TimedTrial& b, bool same_study);

// "paired in 26 rounds that timed both, confirmed".
std::string basis_text(const SpeedRatio& r, const std::string& baseline_name);

// What differs between the conditions of two studies, in words.
struct Difference {
  std::string what, a, b;  // "cache state", "hot", "cold"
};
std::vector<Difference> differences(const StudyRecord& a, const StudyRecord& b);
// Why the two cannot be compared at all: another problem or another M.
std::optional<std::string> incomparable(const StudyKey& a, const StudyKey& b);

struct Verdict {
  bool separated = false;
  std::string text;  // "B is 4.1 % faster (95 % interval 2.0 to 6.3 %)"
};
// `noise_floor`: the larger one of the two studies (0.01 is 1 %); no smaller difference is claimed.
// Where the two were timed over a reference each in its own rounds, the verdict says so: it is no ratio of their times.
Verdict verdict(const SpeedRatio& r, double noise_floor);

// Slower by more than allowed (0.03 is 3 %)?
enum class SlowerCheck {
  within,
  uncertain,  // the point is beyond the limit, its interval is not, or there is none
  slower,     // the whole interval is beyond it, and so is the noise floor
};
SlowerCheck check_slower(double ratio, std::optional<double> hi, double noise_floor, double allowed);

// Geometric mean of ratios of different studies. Its interval combines theirs as independent ones: in logarithms, the
// distances of the limits from the estimates add up as squares (MOVER: Zou and Donner, Statistics in Medicine 27,
// 2008).
struct RatioMean {
  double ratio = 1;
  std::optional<double> lo, hi;  // at least 95 %, as far as the studies are independent
  std::size_t studies = 0;       // that count: those with an interval, or all where none has one
};
std::optional<RatioMean> mean_ratio(const std::vector<SpeedRatio>& ratios);

// Studies of two databases that measured the same: problem, M, threads, cache state, data, modes and compiler. Of each
// the newest finished one with a winner. Those that agree in device, error bound and batch-invariance too find each
// other first.
struct StudyMatch {
  std::size_t a = 0, b = 0;  // indices
};
struct MatchCounts {
  std::int64_t unmatched = 0;   // finished and without counterpart
  std::int64_t unfinished = 0;  // without a confirmed winner
  std::int64_t superseded = 0;  // a newer one is of the same key or of another build
};
struct StudyMatches {
  std::vector<StudyMatch> matched;  // in the order of A
  MatchCounts a, b;
};
StudyMatches match_studies(const std::vector<StudyRecord>& a, const std::vector<StudyRecord>& b);

}  // namespace gemwright::tuner
