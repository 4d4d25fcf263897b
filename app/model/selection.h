// The one selection that all views share: what the pointer rests on, what is selected, the two sides of a comparison,
// and the filter. A view changes it and draws from it; none keeps a selection of its own.
//
// Hovering lasts one frame: the shell calls begin_frame, the views of that frame say what the pointer rests on, and all
// of them show in the next frame what was said in this one, so that the order of drawing does not matter.
#pragma once

#include <optional>
#include <string>

#include "app/model/filter.h"
#include "tuner/study/records.h"

namespace gemwright::app {

// Studies of several databases may have the same id.
struct StudyRef {
  int database = 0;
  tuner::StudyId study = 0;
  bool operator==(const StudyRef&) const = default;
};

struct TrialRef {
  StudyRef study;
  tuner::TrialId trial = 0;
  bool operator==(const TrialRef&) const = default;
};

class Selection {
 public:
  void begin_frame();
  void hover(const TrialRef& trial) { next_hovered_ = trial; }
  const std::optional<TrialRef>& hovered() const { return hovered_; }
  // Whether what is hovered differs from what this frame has drawn, so that one more frame is due.
  bool hover_changed() const { return next_hovered_ != hovered_; }

  // Selecting another study clears the selected trial; selecting a trial selects its study.
  void select(const StudyRef& study);
  void select(const TrialRef& trial);
  // Drops all that lies in this database: another file is in its place.
  void forget(int database);
  void clear_trial() { trial_.reset(); }
  const std::optional<StudyRef>& study() const { return study_; }
  const std::optional<TrialRef>& trial() const { return trial_; }

  enum class Side { a, b };
  // Pins a trial as a side of the comparison; the same trial again takes the pin off.
  void pin(Side side, const TrialRef& trial);
  const std::optional<TrialRef>& pinned(Side side) const { return side == Side::a ? a_ : b_; }

  // Takes a text as it is typed. While it is no expression the last valid filter goes on and `filter_error` says why.
  void set_filter(const std::string& text);
  const std::string& filter_text() const { return filter_text_; }
  const Filter& filter() const { return filter_; }
  const std::string& filter_error() const { return filter_error_; }
  void refuse_filter(const std::string& reason) { filter_error_ = reason; }
  bool filtered() const { return !filter_.comparisons().empty(); }
  // Grows with every new valid filter: what is computed from one is kept until this changes.
  int filter_version() const { return filter_version_; }

 private:
  std::optional<TrialRef> hovered_, next_hovered_, trial_, a_, b_;
  std::optional<StudyRef> study_;
  std::string filter_text_, filter_error_;
  Filter filter_;
  int filter_version_ = 0;
};

}  // namespace gemwright::app
