// What the engine keeps of candidates while a study runs; internal to the engine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/measure/race.h"
#include "tuner/study/measure_protocol.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct Contender {
  Trial trial;
  SubjectId subject = 0;
  int handle = 0;
  double cost = 0;  // log time over the reference: median of the rounds so far; infinite before the first
};

std::map<TrialId, SubjectId> subjects_by_trial(const std::vector<Subject>& subjects);

// What is to be admitted: a new config, or a trial whose row exists already.
struct Candidate {
  Config config;
  std::string origin;
  std::optional<Trial> row;
};

// Packing formats that are confirmed before others.
struct FormatWishes {
  std::optional<PackingFormat> wanted;  // however far behind
  std::optional<PackingFormat> likely;  // where it is close to the best
};

// Who is confirmed, the best first. Of the field that is sorted by cost: the best of those that the race left
// (`racing`), and up to `more_formats` beyond them that are the best of a packing format which is not among them,
// because the export picks one format for all M: what is wished, then those close to the best. A final with room for a
// single one leaves the merely close ones out once the likely format is there.
std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field,
                                         const std::vector<EntrantId>& racing, const FinalSize& size,
                                         const FormatWishes& formats);

}  // namespace gemwright::tuner
