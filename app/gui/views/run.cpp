// How a study went: best so far, every trial by state, and how quiet the machine was.
#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

#include "app/gui/plot.h"
#include "app/gui/steering.h"
#include "app/gui/widgets.h"
#include "app/model/run_view.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

// Of the height that the noise strip takes, and its least in letters.
constexpr float kStripShare = 0.22f, kMinStrip = 6;
// Room above the fastest trial.
constexpr double kHeadroom = 1.08;
constexpr std::size_t kMaxVerdict = 400;
// Of the strip's axis: 2 %.
constexpr double kLeastSpread = 0.02;

class RunView : public View {
 public:
  const char* name() const override { return "run"; }
  const char* title() const override { return "Run"; }

  void draw(Frame& frame) override {
    if (!has_study(frame)) return;
    refresh(frame);
    draw_head(frame);
    state_legend(frame.look, *frame.study);
    draw_line_legend(frame.look);
    const ImVec2 space = ImGui::GetContentRegionAvail();
    const float strip = std::max(kMinStrip * em(), kStripShare * space.y);
    const float plot = space.y - strip - ImGui::GetTextLineHeightWithSpacing() - ImGui::GetStyle().ItemSpacing.y;
    draw_trials(frame, std::max(8 * em(), plot));
    dim_text(frame.look, noise_text(noise_));
    draw_noise(frame, strip);
  }

  std::string as_text(const Frame& frame) const override { return frame.study ? run_text(*frame.study) : ""; }

 private:
  void refresh(const Frame& frame) {
    if (study_ == frame.study) return;
    study_ = frame.study;
    steps_ = best_so_far(*study_);
    noise_ = noise_summary(*study_);
    top_ = steps_.empty() ? 1 : steps_.back().gflops;
    for (const auto& g : study_->columns.gflops) top_ = std::max(top_, g.value_or(0));
    if (study_->figures.baseline) top_ = std::max(top_, study_->figures.baseline->gflops);
    fit_ = true;
    marks_.clear();
    for (std::size_t i = 0; i < study_->trials.size(); ++i) {
      // A trial without a figure stands on the base line: its shape says why.
      marks_.add(static_cast<double>(i), study_->columns.gflops[i].value_or(0), i);
    }
    anchors_.clear();
    widest_ = kLeastSpread;
    for (std::size_t i = 0; i < study_->noise.size(); ++i) {
      const RoundNoise& n = study_->noise[i];
      widest_ = std::max(widest_, std::min(0.5, std::abs(n.anchor - 1)));
      anchors_.add(static_cast<double>(n.round), 100 * (n.anchor - 1), i);
    }
  }

  void draw_head(Frame& frame) {
    const tuner::StudyRecord& r = study_->record();
    heading(frame.look, study_title(r));
    ImGui::SameLine();
    copy_button(frame, *this);
    std::string line = fmt::format("{}, {}", state_text(study_->figures), budget_text(r));
    if (!r.outcome.verdict.empty()) line += ": " + tuner::printable(r.outcome.verdict, kMaxVerdict);
    dim_text(frame.look, line);
    steer_buttons(frame, *study_);
  }

  // Figures of the search rise above the winner's, which were confirmed on fresh rounds.
  void draw_line_legend(const Look& look) const {
    if (steps_.empty()) return;
    const char* const text = "best so far, as measured then";
    const float width = ImGui::CalcTextSize(text).x + 2 * em();
    ImGui::SameLine(0, em());
    if (ImGui::GetContentRegionAvail().x < width) ImGui::NewLine();
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float y = at.y + ImGui::GetTextLineHeight() / 2;
    ImGui::GetWindowDrawList()->AddLine({at.x, y}, {at.x + 1.4f * em(), y}, look.best(), std::max(1.5f, 0.12f * em()));
    ImGui::Dummy({1.4f * em(), ImGui::GetTextLineHeight()});
    ImGui::SameLine(0, 0.4f * em());
    ImGui::TextUnformatted(text);
  }

  void draw_trials(Frame& frame, float height) {
    const auto count = static_cast<double>(std::max<std::size_t>(study_->trials.size(), 2));
    if (!begin_plot("##trials", {-1, height})) return;
    ImPlot::SetupAxes("trial, in the order of proposal", "GFLOP/s");
    ImPlot::SetupAxesLimits(-0.02 * count, 1.02 * count, -0.04 * top_, kHeadroom * top_,
                            fit_ ? ImPlotCond_Always : ImPlotCond_Once);
    fit_ = false;
    draw_baseline(frame);
    draw_best(frame, count);
    const auto& winner = study_->record().outcome.best_trial;
    marks_.draw(frame, winner ? study_->find(*winner) : std::nullopt);
    ImPlot::EndPlot();
  }

  void draw_baseline(const Frame& frame) const {
    if (!study_->figures.baseline) return;
    const double y = study_->figures.baseline->gflops;
    ImPlotSpec spec;
    spec.LineColor = ImGui::ColorConvertU32ToFloat4(frame.look.dim());
    spec.Flags = ImPlotInfLinesFlags_Horizontal;
    ImPlot::PlotInfLines("baseline", &y, 1, spec);
    const std::string text = fmt::format("baseline {}", tuner::printable(study_->record().baseline));
    plot_label(frame.look, ImPlot::PlotToPixels(ImPlot::GetPlotLimits().X.Max, y), {-1, -1}, text, frame.look.dim());
  }

  void draw_best(const Frame& frame, double count) const {
    if (steps_.empty()) return;
    std::vector<double> x, y;
    for (const BestStep& s : steps_) {
      x.push_back(static_cast<double>(s.trial));
      y.push_back(s.gflops);
    }
    x.push_back(count - 1);
    y.push_back(y.back());
    ImPlotSpec spec;
    spec.LineColor = ImGui::ColorConvertU32ToFloat4(frame.look.best());
    spec.LineWeight = std::max(1.5f, 0.12f * em());
    ImPlot::PlotStairs("best so far", x.data(), y.data(), static_cast<int>(x.size()), spec);
  }

  void draw_noise(const Frame& frame, float height) {
    if (!begin_plot("##noise", {-1, height})) return;
    const auto& noise = study_->noise;
    const double last = noise.empty() ? 1 : static_cast<double>(noise.back().round);
    ImPlot::SetupAxes("round", "anchor, %");
    ImPlot::SetupAxesLimits(-0.02 * last, 1.02 * last + 1, -110 * widest_, 110 * widest_, ImPlotCond_Always);
    anchors_.draw(frame.look, 0, [&](std::size_t i) {
      const bool disturbed = noise[i].disturbance != tuner::Disturbance::none;
      const StateMark mark{disturbed ? frame.look.warning() : frame.look.dim(),
                           disturbed ? ImPlotMarker_Cross : ImPlotMarker_Circle, ""};
      return CloudMark{mark, (disturbed ? 0.22f : 0.14f) * em(), disturbed};
    });
    ImPlot::EndPlot();
  }

  std::shared_ptr<const StudySnapshot> study_;
  std::vector<BestStep> steps_;
  NoiseSummary noise_;
  TrialMarks marks_;
  PointCloud anchors_;
  double top_ = 1, widest_ = kLeastSpread;
  bool fit_ = true;
};

}  // namespace

std::unique_ptr<View> make_run_view() { return std::make_unique<RunView>(); }

}  // namespace gemwright::app::gui
