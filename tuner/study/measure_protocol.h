// How carefully a study measures. `normal` is the default; `quick` halves the effort for a first look, `careful`
// doubles it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tuner/result.h"

namespace gemwright::tuner {

struct MeasureProtocol {
  std::string name;
  double block_ns;         // aim of one timed block: a thousand times the clock's resolution and more
  int batch;               // candidates screened in one round
  int race_rounds;         // at most, of the best few before the final
  int contenders;          // how many stay in the race
  int confirm_rounds;      // fresh rounds of the final until its first look
  int min_confirm_rounds;  // where calls are long; the final has more where it needs them to certify anything
  int finalists;           // how many are confirmed
};

Result<MeasureProtocol> measure_protocol(std::string_view name);

// Rounds shrink where one call is long: a stage of `rounds` rounds of so many blocks is to end within kStageSeconds,
// but has `least` rounds. Nothing is known of the call before the first block.
constexpr double kStageSeconds = 3;
int rounds_for(int rounds, int least, std::optional<double> call_ns, std::size_t blocks);
// Of the final at least: min_confirm_rounds, or, where calls longer than kVeryLongNs (budget.h) leave no time to claim
// a lead among the finalists, so few that there is an interval at all.
int least_confirm_rounds(const MeasureProtocol& protocol, bool claims);
// Fewer are confirmed, too, the longer a call is: two at least, and one for its packing format alone.
struct FinalSize {
  std::size_t finalists = 0;
  std::size_t more_formats = 2;  // contender.h

  bool operator==(const FinalSize&) const = default;
};
FinalSize final_size(const MeasureProtocol& protocol, std::optional<double> call_ns);

}  // namespace gemwright::tuner
