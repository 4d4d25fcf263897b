// Studies, trials and bench lines as rows: one JSON object each, as --json prints them and as filters see them, and the
// text tables over the same rows. Field names are those of DESIGN's command line section; a missing value is null.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tuner/study/records.h"

namespace gemwright::app {

// Version of the JSON lines; stands in the first line of every output.
constexpr int kJsonVersion = 1;

struct StudyFigures {
  tuner::StudyRecord study;
  std::optional<tuner::Estimate> best;      // of the best trial, confirmed
  std::optional<tuner::Estimate> baseline;  // confirmed
  std::optional<tuner::Trial> trial;        // the best
  // Of a study in state running: whether its process is there. Absent where it is not running or names no process.
  std::optional<bool> runner_alive;

  bool paused = false;  // of a study that runs: its events leave it so

  bool abandoned() const { return runner_alive == false; }
};

nlohmann::json study_row(const StudyFigures& figures);
// Rows with every field that one of this kind may have, for checking what a filter names.
nlohmann::json any_study_row();
nlohmann::json any_trial_row();
nlohmann::json trial_row(const StudyFigures& study, const tuner::Trial& trial,
                         const std::optional<tuner::Estimate>& estimate);

// One line of JSON. Text of a database that is not UTF-8 gets replacement characters.
std::string json_line(const nlohmann::json& row);

// A text table: right-aligned where `numeric`, missing values as a dash.
struct Column {
  std::string title;
  bool numeric = false;
};
std::string table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows);

// "1.234 [1.200, 1.260]", without the interval where there is none, "-" where there is no value.
std::string ratio_text(std::optional<double> ratio, std::optional<double> lo, std::optional<double> hi);
std::string number_text(std::optional<double> value, int decimals);
// Printed with four significant digits.
std::string four_digits(double value);
nlohmann::json or_null(const std::optional<double>& value);

std::string studies_table(const std::vector<StudyFigures>& studies);
std::string trials_table(const std::vector<nlohmann::json>& rows);

}  // namespace gemwright::app
