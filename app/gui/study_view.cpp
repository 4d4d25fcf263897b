#include "app/gui/study_view.h"

#include "app/gui/widgets.h"
#include "app/model/run_view.h"

namespace gemwright::app::gui {

void StudyView::draw(Frame& frame) {
  if (!has_study(frame)) return;
  take(frame);
  heading(frame.look, study_title(study_->record()));
  ImGui::SameLine();
  copy_button(frame, *this);
  if (tells_filter()) filter_line(frame);
  draw_study(frame);
}

bool StudyView::says_filter_leaves_none(const Frame& frame) {
  const TrialTable& table = frame.table;
  if (!frame.selection.filtered() || !table.done() || !table.error().empty() || !table.rows().empty()) return false;
  if (frame.study->trials.empty()) return false;
  empty_state(frame.look, "The filter leaves no trial", "Change it (Ctrl+F) or clear it: Trial, Clear the filter.");
  return true;
}

void StudyView::take(const Frame& frame) {
  if (study_ != frame.study) {
    const bool another = !study_ || study_->ref != frame.study->ref;
    study_ = frame.study;
    // Figures of another study are not shown in the meantime.
    if (another) matched_.reset();
    take_study(another);
  }
  if (matched_ && !frame.table.done()) return;
  if (matched_ == study_ && version_ == frame.table.version()) return;
  const bool anew = !matched_ || !complete_;
  matched_ = study_;
  shown_ = frame.table.shown();
  version_ = frame.table.version();
  complete_ = frame.table.done();
  take_matches(anew);
}

}  // namespace gemwright::app::gui
