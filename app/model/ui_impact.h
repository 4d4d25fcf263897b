// Whether an open window disturbs what is measured beside it: the verdict over the rounds of an A/A run.
//
// Idea: the same work is timed in every phase of a round, in two phases without a window and in two beside a window
// that shows a study at work. The phases of a round stand close together and in random order, so what slows the machine
// slows all of them. The two without a window against each other tell what chance alone does: the noise floor. Each
// with it against one without tells what the window does: twice as many differences, each made as those of chance are.
// (The mean of both would be disturbed by what disturbs any of four phases, not of two, and so be wider than chance.)
//
// Units: natural logarithms of times inside, ratios of times outside; above 1 the work was slower beside the window.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tuner/measure/statistics.h"

namespace gemwright::app {

// As everywhere where figures of a study carry an interval.
constexpr double kImpactConfidence = 0.95;
// A round's phases; each pair of them is one of a kind.
constexpr int kImpactPhases = 4;
// With fewer a 95 % interval of the median does not exist.
constexpr int kMinImpactRounds = 6;
constexpr double kMostImpactNoise = 0.1;

// Mean of log(seconds) of the blocks of each phase.
struct ImpactRound {
  double closed[2] = {0, 0}, open[2] = {0, 0};
};

// What was done, for whoever reads the figures.
struct ImpactFacts {
  std::string subject;  // "computing and reading memory"
  std::string display;  // ":0", or "Xvfb"
  int blocks = 0;       // in each phase
  double open_seconds = 0, window_cpu_seconds = 0;
  std::int64_t rows = 0;  // that were written meanwhile for the window to show
};

struct UiImpact {
  ImpactFacts facts;
  int rounds = 0;
  double ratio = 1;           // of block times, window open over closed: median of the pairs of phases
  tuner::Interval of;         // its interval
  tuner::Interval noise;      // closed over closed
  double noise_floor = 0;     // the end of `noise` that lies further from 1: 0.01 is 1 %
  bool contains_one = false;  // the interval
  bool narrow = false;        // it is no wider than twice the noise floor

  // Above this floor a window that costs much could not be told from chance.
  bool can_tell() const { return noise_floor <= kMostImpactNoise; }
  bool holds() const { return contains_one && narrow && can_tell(); }
};

// Nothing with fewer than kMinImpactRounds.
std::optional<UiImpact> ui_impact(const std::vector<ImpactRound>& rounds, ImpactFacts facts);

std::string ui_impact_text(const UiImpact& impact);
// {"type":"ui_impact",...}, without a version.
nlohmann::json ui_impact_row(const UiImpact& impact);

}  // namespace gemwright::app
