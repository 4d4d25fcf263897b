// Two trials, two studies (their winners) or two databases (all studies that match) side by side: what the words on the
// command line mean, what the stores hold about them, and the rows and texts that are shown. The statistics are in
// tuner/insight/compare.h.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/model/filter.h"
#include "profilers/counters/counter.h"
#include "tuner/insight/compare.h"
#include "tuner/study/store.h"

namespace gemwright::app {

enum class OperandKind { trial, study, database };

// What A or B names.
struct Operand {
  OperandKind kind = OperandKind::trial;
  std::string file;     // empty: the database of --db
  std::int64_t id = 0;  // of the trial or study
  std::string text;     // as given
};

// "trial:17", "17", "study:3", "FILE#trial:17", "FILE#study:3" or the path of a database. A file whose name reads like
// one of the others is written with a folder: "./17".
tuner::Result<Operand> parse_operand(std::string_view text);
// Both have to be of one kind.
tuner::Result<void> check_operands(const Operand& a, const Operand& b);

// "3%" or "3" is 0.03; from 0 to below 100.
tuner::Result<double> parse_allowance(std::string_view text);

struct ComparedTrial {
  tuner::StudyRecord study;
  tuner::Trial trial;
  tuner::TimedTrial timed;
  std::optional<tuner::Estimate> figure;
  std::vector<profilers::Counter> counters;
};
// The trial, or the winner of the study.
tuner::Result<ComparedTrial> compared_trial(const tuner::Store& store, const Operand& operand);

struct TrialComparison {
  ComparedTrial a, b;
  std::vector<tuner::Difference> differences;
  std::optional<tuner::SpeedRatio> ratio;  // absent: nothing common to compare by
  double noise_floor = 0;                  // the larger one of the two studies; 0 where they state none
  tuner::Verdict verdict;
};
// `same_database`: ids of both mean the same rows. Refuses what cannot be compared.
tuner::Result<TrialComparison> compare(ComparedTrial a, ComparedTrial b, bool same_database);

// What is shown of two trials, line by line: name, value of A, value of B.
struct ComparedRow {
  std::string what, a, b;
  bool config = false;  // a parameter of the two configs that differs
};
std::vector<ComparedRow> compared_rows(const TrialComparison& c);
// A counter that both have, per call.
struct ComparedCounter {
  std::string name, unit, status;
  double a = 0, b = 0;
};
struct ComparedCounters {
  std::vector<ComparedCounter> rows;
  std::size_t missing = 0;  // without a value in A or B
};
ComparedCounters compared_counters(const TrialComparison& c);

struct DatabaseComparison {
  std::vector<TrialComparison> studies;
  tuner::MatchCounts a, b;
  std::optional<tuner::RatioMean> mean;
  tuner::Verdict verdict;  // of the mean
};
// Only studies whose rows match the filter. An Error where nothing matches.
tuner::Result<DatabaseComparison> compare_databases(const tuner::Store& a, const tuner::Store& b, const Filter& filter);

// Where B is slower than allowed, surely or perhaps, in one sentence each.
struct SlowerFinding {
  bool certain = false;
  std::string sentence;
};
std::vector<SlowerFinding> slower_findings(const TrialComparison& c, double allowed);
std::vector<SlowerFinding> slower_findings(const DatabaseComparison& c, double allowed);

// As texts for a terminal and as rows of JSON; `a` and `b` are the operands as given.
struct CompareLabels {
  std::string a, b;
};
std::string comparison_text(const TrialComparison& c, const CompareLabels& labels);
std::string comparison_text(const DatabaseComparison& c, const CompareLabels& labels);
std::vector<nlohmann::json> comparison_rows(const TrialComparison& c, const CompareLabels& labels,
                                            std::optional<double> allowed);
std::vector<nlohmann::json> comparison_rows(const DatabaseComparison& c, const CompareLabels& labels,
                                            std::optional<double> allowed);

}  // namespace gemwright::app
