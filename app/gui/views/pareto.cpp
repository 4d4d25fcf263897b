// What speed a larger error buys: every verified trial, the front as steps, the study's bound as a line.
#include "app/model/pareto.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/gui/plot.h"
#include "app/gui/study_view.h"
#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// Where an exact result stands on the logarithmic axis: below what f32 leaves of any product.
constexpr double kLeastError = 1e-9;

// The mode is told by colour and by shape; what is over the bound is an outline.
StateMark mode_mark(const Look& look, tuner::ComputeMode mode, bool over) {
  const int hollow = over ? kHollow : 0;
  switch (mode) {
    case tuner::ComputeMode::f32:
      return {look.mark(tuner::TrialState::ok).colour, hollow + ImPlotMarker_Circle, "f32"};
    case tuner::ComputeMode::bf16:
      return {look.best(), hollow + ImPlotMarker_Diamond, "bf16"};
    case tuner::ComputeMode::u8s8:
      return {look.pin(true), hollow + ImPlotMarker_Up, "u8s8"};
  }
  return {look.dim(), hollow + ImPlotMarker_Square, "another mode"};
}

// A figure of the search beside confirmed ones: on no front.
StateMark searched_mark(const Look& look) { return {look.dim(), ImPlotMarker_Plus, "not confirmed"}; }

double on_axis(double error) { return std::max(error, kLeastError); }

class ParetoView : public StudyView {
 public:
  ParetoView()
      : marks_([this](const Frame& f, std::size_t trial) {
          if (trial < searched_.size() && searched_[trial]) return searched_mark(f.look);
          return mode_mark(f.look, f.study->trials[trial].config.mode, trial < over_.size() && over_[trial]);
        }) {}

  const char* name() const override { return "pareto"; }
  const char* title() const override { return "Pareto"; }

  void draw_study(Frame& frame) override {
    if (matched_) dim_text(frame.look, pareto_line(*matched_, pareto_));
    if (points_ == 0) {
      if (says_filter_leaves_none(frame)) return;
      return empty_state(frame.look, "No trial has both an error and a speed",
                         "A trial appears here when it was verified and timed.");
    }
    draw_legend(frame.look);
    draw_plot(frame);
  }

  std::string as_text(const Frame& frame) const override {
    if (!frame.study) return "";
    return pareto_text(*frame.study, pareto(*frame.study, frame.table.shown()));
  }

 private:
  void take_study(bool another) override {
    const double before[] = {low_, high_, top_, bottom_};
    fill();
    // What a person has zoomed into stays, unless new trials need another area.
    fit_ = fit_ || another || before[0] != low_ || before[1] != high_ || before[2] != top_ || before[3] != bottom_;
  }

  void take_matches(bool) override {
    pareto_ = pareto(*matched_, shown_);
    steps_x_.clear();
    steps_y_.clear();
    for (const std::size_t i : pareto_.front) {
      steps_x_.push_back(on_axis(pareto_.points[i].error));
      steps_y_.push_back(pareto_.points[i].speed);
    }
  }

  // Every trial, whatever the filter: what it leaves out is drawn faintly.
  void fill() {
    marks_.clear();
    over_.assign(study_->trials.size(), false);
    searched_.assign(study_->trials.size(), false);
    searched_count_ = 0;
    modes_.fill({});
    top_ = bottom_ = low_ = high_ = 0;
    const Pareto all = pareto(*study_, TrialSet(study_->trials.size(), true));
    points_ = all.points.size();
    for (const ParetoPoint& p : all.points) {
      const double x = on_axis(p.error);
      marks_.add(x, p.speed, p.trial);
      over_[p.trial] = p.over_bound;
      searched_[p.trial] = !p.counts;
      bottom_ = top_ > 0 ? std::min(bottom_, p.speed) : p.speed;
      top_ = std::max(top_, p.speed);
      low_ = low_ > 0 ? std::min(low_, x) : x;
      high_ = std::max(high_, x);
      if (!p.counts) {
        ++searched_count_;
        continue;
      }
      const auto mode = static_cast<std::size_t>(study_->trials[p.trial].config.mode);
      if (mode < modes_.size()) ++(p.over_bound ? modes_[mode].second : modes_[mode].first);
    }
    if (!all.bound || points_ == 0) return;
    low_ = std::min(low_, on_axis(*all.bound));
    high_ = std::max(high_, on_axis(*all.bound));
  }

  void draw_legend(const Look& look) const {
    bool first = true;
    for (std::size_t m = 0; m < modes_.size(); ++m) {
      const auto mode = static_cast<tuner::ComputeMode>(m);
      const auto& [within, over] = modes_[m];
      if (within > 0)
        legend_entry(mode_mark(look, mode, false), fmt::format("{} {}", tuner::to_text(mode), within), first);
      if (within > 0) first = false;
      if (over > 0) {
        legend_entry(mode_mark(look, mode, true), fmt::format("{} {} over the bound", tuner::to_text(mode), over),
                     first);
        first = false;
      }
    }
    if (searched_count_ > 0) {
      legend_entry(searched_mark(look), fmt::format("{} not confirmed: on no front", searched_count_), first);
    }
  }

  void draw_plot(Frame& frame) {
    const float length = ImGui::GetContentRegionAvail().x;
    if (!begin_plot("##pareto", {-1, -1})) return;
    ImPlot::SetupAxes("error (relative Frobenius distance to float64)", speed_unit(*study_, pareto_).c_str());
    // Room beside the points; the speeds fill the height.
    constexpr double kSide = 1.8, kRoom = 0.12;
    const double room = kRoom * std::max(top_ - bottom_, kRoom * top_);
    if (fit_) limits_ = {low_ / kSide, high_ * kSide};
    log_axis(ImAxis_X1, limits_.first, limits_.second, "%.0e", length);
    ImPlot::SetupAxesLimits(low_ / kSide, high_ * kSide, std::max(0.0, bottom_ - room), top_ + room,
                            fit_ ? ImPlotCond_Always : ImPlotCond_Once);
    fit_ = false;
    draw_bound(frame.look);
    draw_front(frame.look);
    const ImPlotRect seen = ImPlot::GetPlotLimits();
    limits_ = {seen.X.Min, seen.X.Max};
    const auto& winner = study_->record().outcome.best_trial;
    marks_.draw(frame, winner ? study_->find(*winner) : std::nullopt);
    ImPlot::EndPlot();
  }

  void draw_bound(const Look& look) const {
    if (!pareto_.bound) return;
    const double x = on_axis(*pareto_.bound);
    reference_line(look, false, x, look.warning());
    plot_label(look, ImPlot::PlotToPixels(x, ImPlot::GetPlotLimits().Y.Min), {1, -1},
               fmt::format("bound {:.2e}", *pareto_.bound), look.warning());
  }

  // The speed that an error up to x allows: level to the next of the front, then up.
  void draw_front(const Look& look) {
    if (steps_x_.empty()) return;
    std::vector<double> x = steps_x_, y = steps_y_;
    x.push_back(std::max(x.back(), ImPlot::GetPlotLimits().X.Max));
    y.push_back(y.back());
    ImPlotSpec spec;
    spec.LineColor = ImGui::ColorConvertU32ToFloat4(look.best());
    spec.LineWeight = std::max(1.5f, 0.12f * em());
    ImPlot::PlotStairs("front", x.data(), y.data(), static_cast<int>(x.size()), spec);
  }

  bool fit_ = true;
  Pareto pareto_;
  std::vector<double> steps_x_, steps_y_;
  std::vector<bool> over_, searched_;  // by trial
  std::size_t searched_count_ = 0;
  // By mode: trials within and over the bound.
  std::array<std::pair<std::size_t, std::size_t>, gemwright::compute_mode_count> modes_{};
  std::size_t points_ = 0;
  double top_ = 0, bottom_ = 0, low_ = 0, high_ = 0;
  std::pair<double, double> limits_;  // of the axis of errors, as it was seen last
  TrialMarks marks_;
};

}  // namespace

std::unique_ptr<View> make_pareto_view() { return std::make_unique<ParetoView>(); }

}  // namespace gemwright::app::gui
