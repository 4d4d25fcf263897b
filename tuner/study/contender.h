// What the engine keeps of candidates while a study runs; internal to the engine.
#pragma once

#include <cmath>
#include <limits>
#include <memory>
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

// After two race rounds a contender further behind than this leaves. The best of another packing format is confirmed
// too when it is this close: the export picks one format for all M.
inline const double kRaceLog = std::log(1.10);

// Who is confirmed: the best `most` of a field that is sorted by cost, and up to kMoreFormats beyond them that are the
// best of a format which is not among them: one close to the best, or `wanted_panel` however far behind.
constexpr std::size_t kMoreFormats = 2;
std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field, int most,
                                         std::optional<int> wanted_panel);

}  // namespace gemwright::tuner
