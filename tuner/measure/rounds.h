// What the rounds of a study measured, and the comparisons made of it: pure values, whoever measured them.
//
// A round times one block of each entrant close together. Two entrants are compared by the log ratio of their times in
// each round that both ran in, so that what slows a whole round (clock, neighbours on the host) cancels. Blocks that
// were disturbed from outside are left out as long as enough rounds remain without them. An entrant may run twice in a
// round: the comparison of its two blocks (A/A) shows what noise alone can do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tuner/measure/statistics.h"

namespace gemwright::tuner {

using EntrantId = std::int64_t;

// The sign test cannot give a 95 % interval from fewer.
constexpr std::size_t kMinPairs = 6;

// One timed block, as a comparison sees it.
struct Heat {
  EntrantId entrant = 0;
  double log_ns = 0;  // of one call
  bool disturbed = false;

  bool operator==(const Heat&) const = default;
};

class RoundLog {
 public:
  // Heats of a round are added in the order in which they ran.
  void add(std::int64_t round, const Heat& heat) { rounds_[round].push_back(heat); }

  // log(time of `y` / time of `x`), one value a round that both ran in: above 0, `x` is faster. Of several blocks of
  // one entrant in a round the mean counts.
  std::vector<double> leads(EntrantId x, EntrantId y) const;
  // How many of those rounds were not disturbed.
  std::size_t clean_pairs(EntrantId x, EntrantId y) const;
  // log(time of the second block / time of the first) in rounds where the entrant ran twice; every other round the
  // other way round, so that what a place in the round costs is not taken for a difference.
  std::vector<double> twins(EntrantId x) const;
  // log time of `x` over `reference`, median of the rounds; absent where they never met.
  std::optional<double> cost(EntrantId x, EntrantId reference) const;
  // log time of `x` over the mean of `field` in the same rounds, median: ranks a field without a reference's own noise.
  std::optional<double> centred(EntrantId x, const std::vector<EntrantId>& field) const;
  // log time of a call, median; `used` says of how many blocks.
  std::optional<double> log_ns(EntrantId x) const;
  // The undisturbed log times of `x`, or all where too few are.
  std::vector<double> times(EntrantId x) const;
  std::size_t blocks(EntrantId x) const;
  // Rounds in which every block of the reference took longer than exp(log_ns) are disturbed as a whole.
  void mark_slow(EntrantId reference, double log_ns);

 private:
  std::map<std::int64_t, std::vector<Heat>> rounds_;
};

}  // namespace gemwright::tuner
