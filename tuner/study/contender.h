// What the engine keeps of candidates while a study runs; internal to the engine.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tuner/measure/statistics.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct Contender {
  Trial trial;
  SubjectId subject = 0;
  int handle = 0;
  std::vector<double> costs;  // log time over the reference, one a round
  double cost() const { return median(costs).value_or(std::numeric_limits<double>::infinity()); }
};

// What one round times.
struct Entrant {
  SubjectId subject = 0;
  int handle = 0;
  std::int64_t calls = 1;
  Contender* contender = nullptr;  // null: baseline or anchor
  std::optional<double> log_ns;    // filled by the round
};

// What is to be admitted: a new config, or a trial whose row exists already.
struct Candidate {
  Config config;
  std::string origin;
  std::optional<Trial> row;
};

}  // namespace gemwright::tuner
