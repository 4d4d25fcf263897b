// What the engine keeps of candidates while a study runs; internal to the engine.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/measure/race.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct Contender {
  Trial trial;
  SubjectId subject = 0;
  int handle = 0;
  double cost = 0;  // log time over the reference: median of the rounds so far; infinite before the first
};

// What is to be admitted: a new config, or a trial whose row exists already.
struct Candidate {
  Config config;
  std::string origin;
  std::optional<Trial> row;
};

// Who is confirmed, best first. Of the field that is sorted by cost: the best `most` of those that the race left
// (`racing`), and up to kMoreFormats beyond them that are the best of a packing format which is not among them, because
// the export picks one format for all M: one close to the best, or `wanted` however far behind.
constexpr std::size_t kMoreFormats = 2;
std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field,
                                         const std::vector<EntrantId>& racing, std::size_t most,
                                         const std::optional<PackingFormat>& wanted);

}  // namespace gemwright::tuner
