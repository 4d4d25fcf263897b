// A view over the trials of one study: what all of them begin with, and when what they compute is out of date.
//
// Two things change under a view. A study that runs comes as a newer snapshot, which it takes over at once. The filter
// goes over many trials in portions: figures of the trials that match are computed anew when it is through; until then
// the last ones stand.
#pragma once

#include <cstdint>
#include <memory>

#include "app/gui/view.h"
#include "app/model/chosen_trials.h"

namespace gemwright::app::gui {

class StudyView : public View {
 public:
  void draw(Frame& frame) final;

 protected:
  // Another snapshot is in `study_`: of another study, or a newer one of the same.
  virtual void take_study(bool /*another*/) {}
  // `matched_` and `shown_` are new. `anew`: what was chosen before was chosen for other trials.
  virtual void take_matches(bool /*anew*/) {}
  // Whether the filter is told below the heading; a view with a filter bar of its own says so itself.
  virtual bool tells_filter() const { return true; }
  // Where nothing can be shown: whether that is because the filter leaves no trial, which is said then.
  static bool says_filter_leaves_none(const Frame& frame);
  // Below the heading.
  virtual void draw_study(Frame& frame) = 0;

  std::shared_ptr<const StudySnapshot> study_;
  std::shared_ptr<const StudySnapshot> matched_;  // the snapshot that the filter went over; older while it goes on
  TrialSet shown_;                                // its trials that match

 private:
  void take(const Frame& frame);

  std::uint64_t version_ = 0;
  bool complete_ = false;
};

}  // namespace gemwright::app::gui
