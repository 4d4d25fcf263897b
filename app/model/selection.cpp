#include "app/model/selection.h"

namespace gemwright::app {

void Selection::begin_frame() {
  hovered_ = next_hovered_;
  next_hovered_.reset();
}

void Selection::select(const StudyRef& study) {
  if (trial_ && trial_->study != study) trial_.reset();
  study_ = study;
}

void Selection::select(const TrialRef& trial) {
  study_ = trial.study;
  trial_ = trial;
}

void Selection::forget(int database) {
  for (auto* const trial : {&hovered_, &next_hovered_, &trial_, &a_, &b_}) {
    if (*trial && (*trial)->study.database == database) trial->reset();
  }
  if (study_ && study_->database == database) study_.reset();
}

void Selection::pin(Side side, const TrialRef& trial) {
  auto& pinned = side == Side::a ? a_ : b_;
  pinned = pinned == trial ? std::nullopt : std::optional(trial);
}

void Selection::set_filter(const std::string& text) {
  if (text == filter_text_) return;
  filter_text_ = text;
  auto filter = parse_filter(text);
  if (!filter) {
    filter_error_ = without_option(filter.error());
    return;
  }
  filter_error_.clear();
  filter_ = std::move(*filter);
  ++filter_version_;
}

}  // namespace gemwright::app
