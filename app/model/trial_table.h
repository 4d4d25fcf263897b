// The Trials view: which trials of a study match the filter, in which order, and what stands in each cell.
//
// Filtering many rows takes longer than a frame may: it goes on in portions (see advance), and until it is done the
// rows found so far are shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/model/snapshot.h"

namespace gemwright::app {

enum class TrialColumn { id, state, gflops, ratio, error, phase, config, reason, origin };
constexpr std::size_t kTrialColumns = 9;
struct TrialColumnInfo {
  const char* title;
  bool numeric;
};
const TrialColumnInfo& info(TrialColumn column);
// What stands in the cell, with a dash for a missing value, on one line.
std::string cell_text(const StudySnapshot& study, std::size_t trial, TrialColumn column);

class TrialTable {
 public:
  // The study, filter and order to show. Starts anew only where one of them differs from before.
  void show(std::shared_ptr<const StudySnapshot> study, const Selection& selection);
  void sort_by(TrialColumn column, bool descending);
  // Looks at up to so many more trials; true while some are left.
  bool advance(std::size_t trials);
  bool done() const { return !study_ || looked_at_ == study_->trials.size(); }

  // Matching trials as indices of the study, in the order of the table.
  const std::vector<std::uint32_t>& rows() const { return rows_; }
  // Whether a trial is among those found so far.
  bool shows(std::size_t trial) const { return trial < shows_.size() && shows_[trial]; }
  const std::vector<bool>& shown() const { return shows_; }
  // Grows with every change of what is found: what is computed from it is kept until then.
  std::uint64_t version() const { return version_; }
  const std::shared_ptr<const StudySnapshot>& study() const { return study_; }
  // Why nothing is filtered by the current text: no trial has such a field. Empty where all is well.
  const std::string& error() const { return error_; }
  std::size_t looked_at() const { return looked_at_; }

  // The matching trials as the command line prints them, or as JSON lines.
  std::string as_text() const;
  std::string as_json() const;
  // Where a trial stands in the table.
  std::optional<std::size_t> place_of(tuner::TrialId trial) const;

 private:
  void restart(const Selection& selection);
  void sort();

  std::shared_ptr<const StudySnapshot> study_;
  int filter_version_ = -1;
  Filter filter_;
  TrialColumn column_ = TrialColumn::gflops;
  bool descending_ = true;
  std::vector<std::uint32_t> rows_;
  std::vector<bool> shows_;  // by index of the study
  std::size_t looked_at_ = 0;
  std::uint64_t version_ = 0;
  std::string error_;
};

}  // namespace gemwright::app
