// How carefully a study measures. `normal` is the default; `quick` halves the effort for a first look, `careful`
// doubles it.
#pragma once

#include <string>
#include <string_view>

#include "tuner/result.h"

namespace gemwright::tuner {

struct MeasureProtocol {
  std::string name;
  double block_ns;         // aim of one timed block: a thousand times the clock's resolution and more
  int batch;               // candidates screened in one round
  int race_rounds;         // rounds of the best few before the final
  int contenders;          // how many stay in the race
  int confirm_rounds;      // fresh rounds of the final
  int min_confirm_rounds;  // where one call is long: the least that gives a 95 % interval, and some for exclusions
  int finalists;           // how many are confirmed
};

Result<MeasureProtocol> measure_protocol(std::string_view name);

}  // namespace gemwright::tuner
