// The Compare view: what A and B name, side by side, with the blocks that were timed of each.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/model/compare.h"

namespace gemwright::app {

struct CompareForm {
  std::string a, b;                // as `gemwright compare` takes them
  std::filesystem::path database;  // of those that name no file

  bool operator==(const CompareForm&) const = default;
};

struct CompareSide {
  std::vector<double> gflops;  // of its blocks, ascending; those of the confirmation where there are any
  bool confirmed = false;
  std::size_t excluded = 0;  // disturbed blocks, not among them
};

// Either two trials or two databases.
struct CompareResult {
  std::optional<TrialComparison> trials;
  CompareSide a, b;
  std::vector<ComparedRow> rows;
  ComparedCounters counters;
  std::string basis;  // what the ratio rests on, in words
  std::string text;   // as the command prints it
};
// Reads the databases.
tuner::Result<CompareResult> compare_for_view(const CompareForm& form);

// "tuned.db#trial:17"
std::string trial_operand(const std::filesystem::path& database, tuner::TrialId trial);
std::string study_operand(const std::filesystem::path& database, tuner::StudyId study);

}  // namespace gemwright::app
