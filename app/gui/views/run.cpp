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
constexpr float kStripShare = 0.22f, kMinStrip = 8;
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
    state_legend(frame);
    draw_line_legend(frame.look);
    const ImVec2 space = ImGui::GetContentRegionAvail();
    std::string noise = noise_text(noise_);
    if (noise_.rounds > 0) noise += ". Below: the anchor loop's time in each round, off its median; x: disturbed";
    const float strip = std::max(kMinStrip * em(), kStripShare * space.y);
    const float words = ImGui::CalcTextSize(noise.c_str(), nullptr, false, space.x).y;
    draw_trials(frame, std::max(8 * em(), space.y - strip - words - 2 * ImGui::GetStyle().ItemSpacing.y));
    dim_text(frame.look, noise);
    draw_noise(frame, strip);
  }

  std::string as_text(const Frame& frame) const override { return frame.study ? run_text(*frame.study) : ""; }

 private:
  void refresh(const Frame& frame) {
    if (study_ == frame.study) return;
    study_ = frame.study;
    steps_ = best_so_far(*study_);
    noise_ = noise_summary(*study_);
    speeds_ = speed_range(*study_, steps_);
    const auto& best = study_->record().outcome.best_trial;
    winner_ = best ? study_->find(*best) : std::nullopt;
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
    std::string line =
        fmt::format("{}, {}", state_now(frame, *study_), budget_text(r, study_->events, live_spent(*study_)));
    if (r.outcome.verdict.empty())
      line += fmt::format(", best {}, baseline {}", best_text(*study_), baseline_text(*study_));
    if (!r.outcome.verdict.empty()) line += ": " + tuner::printable(r.outcome.verdict, kMaxVerdict);
    dim_text(frame.look, line);
    filter_line(frame);
    steer_buttons(frame, *study_);
  }

  // Figures of the search rise above the winner's, which were confirmed on fresh rounds. The baseline is named here: in
  // the plot its name would cover trials.
  void draw_line_legend(const Look& look) const {
    bool first = study_->trials.empty();
    if (!steps_.empty()) {
      line_entry(look.best(),
                 winner_ ? "best so far, as measured then; dashes: the winner, confirmed; bars: 95 %"
                         : "best so far, as measured then; bars: 95 %",
                 first);
      first = false;
    }
    if (study_->baseline) {
      line_entry(look.dim(), fmt::format("baseline {}", tuner::printable(study_->record().baseline)), first);
    }
  }

  void draw_trials(Frame& frame, float height) {
    const auto count = static_cast<double>(std::max<std::size_t>(study_->trials.size(), 2));
    if (!begin_plot("##trials", {-1, height})) return;
    ImPlot::SetupAxes("trial, in the order of proposal", "GFLOP/s");
    whole_axis(ImAxis_X1);
    ImPlot::SetupAxesLimits(-0.02 * count, 1.02 * count, speeds_.low - 0.04 * speeds_.high, kHeadroom * speeds_.high,
                            fit_ ? ImPlotCond_Always : ImPlotCond_Once);
    fit_ = false;
    if (study_->baseline) reference_line(frame.look, true, study_->baseline->gflops, frame.look.dim());
    draw_best(frame, count);
    marks_.draw(frame, winner_);
    ImPlot::EndPlot();
  }

  // The line ends at the level of the winner where one is confirmed: figures of the search that lie above it were
  // measured once, at another moment.
  void draw_best(const Frame& frame, double count) const {
    if (steps_.empty()) return;
    std::vector<double> x, y;
    for (const BestStep& s : steps_) {
      x.push_back(static_cast<double>(s.trial));
      y.push_back(s.gflops);
    }
    x.push_back(count - 1);
    y.push_back(winner_ ? study_->columns.gflops[*winner_].value_or(y.back()) : y.back());
    ImPlotSpec spec;
    spec.LineColor = ImGui::ColorConvertU32ToFloat4(frame.look.best());
    spec.LineWeight = std::max(1.5f, 0.12f * em());
    ImPlot::PlotStairs("best so far", x.data(), y.data(), static_cast<int>(x.size()), spec);
    ImPlot::PushPlotClipRect();
    if (winner_) draw_level(frame, static_cast<double>(*winner_), y.back(), x.back());
    for (const BestStep& s : steps_) draw_interval(frame, s);
    ImPlot::PopPlotClipRect();
  }

  // Dashes from the winner's point to the end of the line.
  static void draw_level(const Frame& frame, double from, double gflops, double to) {
    const ImVec2 left = ImPlot::PlotToPixels(from, gflops), right = ImPlot::PlotToPixels(to, gflops);
    const float dash = 0.4f * em();
    for (float x = left.x; x < right.x; x += 2 * dash) {
      ImPlot::GetPlotDrawList()->AddLine({x, left.y}, {std::min(x + dash, right.x), left.y}, frame.look.best(),
                                         std::max(1.0f, 0.09f * em()));
    }
  }

  static void draw_interval(const Frame& frame, const BestStep& s) {
    if (!s.lo || !s.hi) return;
    const auto x = static_cast<double>(s.trial);
    const ImVec2 low = ImPlot::PlotToPixels(x, *s.lo), high = ImPlot::PlotToPixels(x, *s.hi);
    const float half = 0.35f * em(), width = std::max(1.0f, 0.09f * em());
    ImDrawList& list = *ImPlot::GetPlotDrawList();
    const ImU32 colour = frame.look.best();
    list.AddLine(low, high, colour, width);
    list.AddLine({low.x - half, low.y}, {low.x + half, low.y}, colour, width);
    list.AddLine({high.x - half, high.y}, {high.x + half, high.y}, colour, width);
  }

  // In a low strip the ticks that ImPlot chooses would stand in each other.
  static void few_ticks(double most, float height) {
    const ImPlotStyle& style = ImPlot::GetStyle();
    const float line = ImGui::GetTextLineHeight();
    const float area = height - 2 * (style.PlotPadding.y + line + style.LabelPadding.y);
    constexpr float kEnough = 4.5f;  // lines
    if (area > kEnough * line) return;
    const double step = tick_step(2 * most * line / std::max(area, line));
    std::vector<double> ticks;
    for (double i = -std::floor(most / step); i * step <= most; ++i) ticks.push_back(i * step);
    ImPlot::SetupAxisTicks(ImAxis_Y1, ticks.data(), static_cast<int>(ticks.size()));
  }

  // 1, 2 or 5 times a power of ten.
  static double tick_step(double least) {
    const double power = std::pow(10, std::floor(std::log10(least)));
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor * power >= least) return factor * power;
    }
    return 10 * power;
  }

  void draw_noise(const Frame& frame, float height) {
    if (!begin_plot("##noise", {-1, height})) return;
    const auto& noise = study_->noise;
    const double last = noise.empty() ? 1 : static_cast<double>(noise.back().round);
    ImPlot::SetupAxes("round", nullptr);
    whole_axis(ImAxis_X1);
    ImPlot::SetupAxisFormat(ImAxis_Y1, "%g %%");
    const double most = 110 * widest_;
    ImPlot::SetupAxesLimits(-0.02 * last, 1.02 * last + 1, -most, most, ImPlotCond_Always);
    few_ticks(most, height);
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
  std::optional<std::size_t> winner_;
  NoiseSummary noise_;
  TrialMarks marks_;
  PointCloud anchors_;
  SpeedRange speeds_;
  double widest_ = kLeastSpread;
  bool fit_ = true;
};

}  // namespace

std::unique_ptr<View> make_run_view() { return std::make_unique<RunView>(); }

}  // namespace gemwright::app::gui
