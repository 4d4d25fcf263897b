// Trials under the measured roofs of the machine, both axes logarithmic.
#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

#include "app/gui/plot.h"
#include "app/gui/study_view.h"
#include "app/gui/widgets.h"
#include "app/model/roofs.h"

namespace gemwright::app::gui {
namespace {

// Of the height of the plot.
constexpr double kNames = 0.3;

class RooflineView : public StudyView {
 public:
  const char* name() const override { return "roofline"; }
  const char* title() const override { return "Roofline"; }

  void draw_study(Frame& frame) override {
    if (study_->roofline.trials.empty()) {
      return empty_state(frame.look, "No measured trial yet", "A trial appears here with its first figure.");
    }
    std::string line = "Bytes are computed from the shape and the loop nest, not counted.";
    if (roofs_.empty()) line += " This study has no measured ceilings: the roofs are missing.";
    if (above_.trials > 0) {
      line += fmt::format(
          " {} trial{} above {}: weights were in a cache in part, or the roof was measured in a slower moment.",
          above_.trials, above_.trials == 1 ? " lies" : "s lie", above_.roof);
    }
    if (without_ > 0) line += fmt::format(" {} trials are missing: no traffic is known of them.", without_);
    dim_text(frame.look, line);
    draw_plot(frame);
  }

  std::string as_text(const Frame& frame) const override { return text_later(frame)(); }
  std::function<std::string()> text_later(const Frame& frame) const override {
    return [study = frame.study] {
      if (!study) return std::string();
      RooflineStudy sorted = study->roofline;
      std::stable_sort(sorted.trials.begin(), sorted.trials.end(),
                       [](const auto& x, const auto& y) { return x.point.gflops > y.point.gflops; });
      return roofline_text({sorted});
    };
  }

 private:
  void take_study(bool another) override {
    roofs_ = roof_lines(study_->roofline, study_->record().key.device.threads);
    above_ = above_memory(study_->roofline, roofs_);
    const RoofArea area = roof_area(study_->roofline, roofs_);
    // What a person has zoomed into stays, unless new trials need another area.
    fit_ = fit_ || another || area != area_;
    area_ = area;
    top_ = area.gflops_max;
    // A part of the height above the highest roof for the names.
    for (const RoofLine& r : roofs_) {
      if (r.memory) continue;
      const double low = std::log10(area.gflops_min), roof = std::log10(r.value);
      top_ = std::max(top_, std::pow(10, low + (roof - low) / (1 - kNames)));
    }
    marks_.clear();
    without_ = 0;
    std::size_t at = 0;
    for (const RooflineTrial& t : study_->roofline.trials) {
      while (at < study_->trials.size() && study_->trials[at].id != t.trial.id) ++at;
      if (t.point.intensity && *t.point.intensity > 0 && t.point.gflops > 0) {
        marks_.add(*t.point.intensity, t.point.gflops, at);
      } else {
        ++without_;
      }
    }
  }

  void draw_plot(Frame& frame) {
    const ImVec2 space = ImGui::GetContentRegionAvail();
    if (!begin_plot("##roofline", {-1, -1})) return;
    ImPlot::SetupAxes("flops a byte", "GFLOP/s");
    if (fit_) seen_ = {area_.intensity_min, area_.intensity_max, area_.gflops_min, top_};
    log_axis(ImAxis_X1, seen_.X.Min, seen_.X.Max, "%g", space.x);
    log_axis(ImAxis_Y1, seen_.Y.Min, seen_.Y.Max, "%g", space.y);
    ImPlot::SetupAxesLimits(area_.intensity_min, area_.intensity_max, area_.gflops_min, top_,
                            fit_ ? ImPlotCond_Always : ImPlotCond_Once);
    fit_ = false;
    seen_ = ImPlot::GetPlotLimits();
    draw_roofs(frame);
    const auto& winner = study_->record().outcome.best_trial;
    marks_.draw(frame, winner ? study_->find(*winner) : std::nullopt);
    ImPlot::EndPlot();
  }

  void draw_roofs(const Frame& frame) const {
    const ImPlotRect limits = ImPlot::GetPlotLimits();
    double compute = 0;
    for (const RoofLine& r : roofs_) compute = std::max(compute, r.memory ? 0 : r.value);
    for (const RoofLine& r : roofs_) {
      // A memory roof ends where it meets the highest compute roof.
      const double bend = r.memory && compute > 0 ? compute / r.value : limits.X.Max;
      const double x[] = {limits.X.Min, std::min(bend, limits.X.Max)};
      if (x[1] <= x[0]) continue;
      const double y[] = {height_at(r, x[0]), height_at(r, x[1])};
      ImPlotSpec spec;
      spec.LineColor = ImGui::ColorConvertU32ToFloat4(r.memory ? frame.look.dim() : frame.look.warning());
      spec.LineWeight = std::max(1.0f, 0.09f * em());
      ImPlot::PlotLine(r.name.c_str(), x, y, 2, spec);
    }
    draw_names(frame, limits, compute);
  }

  // Compute roofs are named at the right end, above their line. Slopes of memory lie close together: each is named
  // above the highest roof, at the end of a line from where it ends there, the leftmost in the highest row.
  void draw_names(const Frame& frame, const ImPlotRect& limits, double compute) const {
    const auto memory = std::count_if(roofs_.begin(), roofs_.end(), [](const RoofLine& r) { return r.memory; });
    const float row = 1.25f * ImGui::GetTextLineHeight();
    auto place = static_cast<float>(memory);
    int inside = 0;
    for (const RoofLine& r : roofs_) {
      if (!r.memory) continue;
      const std::string text = fmt::format("{} {} GB/s", r.name, four_digits(r.value));
      // The row above the line is that of its own name.
      const float above = (1.6f + place--) * row;
      const double x = compute > 0 ? compute / r.value : 0;
      const ImVec2 bend = ImPlot::PlotToPixels(x, compute);
      if (limits.Contains(x, compute) && bend.y - above > ImPlot::GetPlotPos().y) {
        ImPlot::PushPlotClipRect();
        ImPlot::GetPlotDrawList()->AddLine(bend, {bend.x, bend.y - above}, frame.look.quiet(), frame.look.scale);
        ImPlot::PopPlotClipRect();
        plot_label(frame.look, {bend.x, bend.y - above - 0.5f * row}, {1, 1}, text, frame.look.dim());
        continue;
      }
      // Its end is out of sight: on what is to be seen of its line.
      const double low = std::max(limits.Y.Min, height_at(r, limits.X.Min));
      const double high = std::min({compute > 0 ? compute : limits.Y.Max, limits.Y.Max, height_at(r, limits.X.Max)});
      if (high <= low) continue;
      // Each lower than the one before, so that names side by side do not meet.
      constexpr double kFirst = 0.75, kStep = 0.2;
      const double y = low * std::pow(high / low, std::max(kStep, kFirst - kStep * inside++));
      plot_label(frame.look, ImPlot::PlotToPixels(y / r.value, y), {1, 1}, text, frame.look.dim());
    }
    // Last: no line runs through them.
    for (const RoofLine& r : roofs_) {
      if (r.memory) continue;
      const std::string text = fmt::format("{} {} GFLOP/s", r.name, four_digits(r.value));
      plot_label(frame.look, ImPlot::PlotToPixels(limits.X.Max, r.value), {-1, -1}, text, frame.look.warning());
    }
  }

  std::vector<RoofLine> roofs_;
  TrialMarks marks_;
  AboveMemory above_;
  RoofArea area_;
  double top_ = 1;
  ImPlotRect seen_{1, 10, 1, 10};  // the axes, as they were last
  std::size_t without_ = 0;
  bool fit_ = true;
};

}  // namespace

std::unique_ptr<View> make_roofline_view() { return std::make_unique<RooflineView>(); }

}  // namespace gemwright::app::gui
