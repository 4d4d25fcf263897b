// The statistics behind every figure and every verdict. Pure functions over samples: no clock, no state.
//
// Idea: candidates are compared inside rounds. One block of each is timed close together, and log(time of the one /
// time of the other) is taken round by round; what slows a whole round (clock, neighbours on the host) cancels. The
// median of these log ratios is the estimate and the sign-test interval is its uncertainty.
//
// Why the sign test: timing noise is skewed, because interruptions only ever add time. A t interval assumes a normal
// distribution, a bootstrap of some 20 rounds is too narrow, and Wilcoxon's test assumes symmetry: on skewed timing
// differences its nominal 95 % interval has been measured to cover 91.5 %, the sign test's 96.7 %. The sign test
// assumes only that rounds are independent, and its interval is made of two of the samples themselves. The price is a
// width that is about a quarter larger than the t interval's where the noise is normal.
//
// Values are finite; a function that is handed none, or one that is not finite, answers nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tuner/random.h"

namespace gemwright::tuner {

std::optional<double> median(std::vector<double> values);

// Median absolute deviation from the median: a spread that half of the values being outliers cannot move.
std::optional<double> mad(const std::vector<double>& values);
// Times the MAD of normal noise: its standard deviation.
constexpr double kSigmaPerMad = 1.4826;

// Linear between the order statistics; q in [0, 1].
std::optional<double> quantile(std::vector<double> values, double q);

// The values are positive.
std::optional<double> geomean(const std::vector<double>& values);

struct Interval {
  double lo = 0, hi = 0;
  double coverage = 0;  // what the interval guarantees, at least the confidence asked for

  bool contains(double x) const { return lo <= x && x <= hi; }
};

// Interval of the median between two order statistics, by the exact binomial distribution: the narrowest symmetric one
// that covers at least `confidence` (in (0, 1)). Nothing where even the two extremes do not: at 95 % with fewer than 6
// values.
std::optional<Interval> sign_test_interval(std::vector<double> values, double confidence);

// The confidence of each of several comparisons so that all of them hold together with the one asked for (Bonferroni).
double confidence_of_each(double confidence, int comparisons);

// Order in which a round (0, 1, 2 ...) times its subjects, as indices 0 .. subjects-1. Any `subjects` consecutive
// rounds that begin at a multiple of `subjects` form a Latin square: each subject stands in each place once, so that no
// place in the round (after a pause, after a slow neighbour) favours one of them. Each square is shuffled anew.
// `random` says which squares these are and is not advanced: the same arguments give the same order, so that a resumed
// study goes on with the square it was in. Two subjects: AB BA or BA AB.
std::vector<int> latin_round_order(int subjects, std::int64_t round, const Random& random);

}  // namespace gemwright::tuner
