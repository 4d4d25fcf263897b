#include "app/gui/plot.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/gui/widgets.h"
#include "app/model/log_ticks.h"
#include "app/model/rows.h"
#include "app/model/run_view.h"

namespace gemwright::app::gui {
namespace {

// Of a mark, in letters; and how near the pointer must be.
constexpr float kRadius = 0.24f, kReach = 0.7f;
// The side of a cell of density, in pixels at scale 1: as large as the eye tells apart.
constexpr float kDensityCell = 3;

}  // namespace

bool begin_plot(const char* id, ImVec2 size) {
  return ImPlot::BeginPlot(id, size,
                           ImPlotFlags_NoTitle | ImPlotFlags_NoLegend | ImPlotFlags_NoMouseText | ImPlotFlags_NoMenus);
}

void log_axis(int axis, double low, double high, const char* format, float length) {
  const auto at = static_cast<ImAxis>(axis);
  ImPlot::SetupAxisScale(at, ImPlotScale_Log10);
  ImPlot::SetupAxisFormat(at, format);
  // Of the length, at least this is the area of the plot; between two labels stands the width of a letter.
  constexpr float kArea = 0.8f;
  const bool across = at < ImAxis_Y1;
  float label = ImGui::GetTextLineHeight();
  for (const double end : {low, high}) {
    char text[32];
    (void)std::snprintf(text, sizeof text, format, end);
    if (across) label = std::max(label, ImGui::CalcTextSize(text).x + em());
  }
  const std::vector<double> ticks = log_ticks(low, high, label / std::max(kArea * length, label));
  if (!ticks.empty()) ImPlot::SetupAxisTicks(at, ticks.data(), static_cast<int>(ticks.size()));
}

void whole_axis(int axis) {
  const auto label = [](double at, char* text, int size, void*) {
    constexpr double kNear = 1e-6;
    if (std::abs(at - std::round(at)) < kNear) return std::snprintf(text, static_cast<std::size_t>(size), "%.0f", at);
    *text = '\0';
    return 0;
  };
  ImPlot::SetupAxisFormat(static_cast<ImAxis>(axis), label);
}

void PointCloud::clear() {
  points_.clear();
  pixels_.clear();
  marks_.clear();
  stale_ = true;
}

void PointCloud::add(double x, double y, std::size_t index) {
  points_.push_back({x, y, index});
  stale_ = true;
}

void PointCloud::draw(const Look& look, std::uint64_t version, const MarkOf& mark) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const ImVec2 at = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const Place now{limits.X.Min, limits.X.Max, limits.Y.Min, limits.Y.Max, at.x,      at.y,
                  size.x,       size.y,       version,      look.theme,   look.scale};
  if (stale_ || !(now == place_)) {
    place_ = now;
    stale_ = false;
    compute(look, mark);
  }
  ImPlot::PushPlotClipRect(2);
  ImDrawList& list = *ImPlot::GetPlotDrawList();
  if (!cells_.empty()) texture_.draw(list, at, {at.x + size.x, at.y + size.y});
  for (const Drawn& d : marks_) draw_marker(list, d.mark.mark.marker, d.at, d.mark.radius, d.mark.mark.colour);
  ImPlot::PopPlotClipRect();
  if (dense_ > 0) {
    plot_label(look, at, {1, 1}, fmt::format("{} as density: stronger where more", dense_), look.dim());
  }
}

void PointCloud::compute(const Look& look, const MarkOf& mark) {
  pixels_.clear();
  pixels_.reserve(points_.size());
  std::vector<PlotPoint> front, back;
  for (const PlotPoint& p : points_) {
    const ImVec2 at = ImPlot::PlotToPixels(p.x, p.y);
    pixels_.push_back({at.x, -at.y, p.index});
    (mark(p.index).front ? front : back).push_back(pixels_.back());
  }
  marks_.clear();
  cells_.clear();
  dense_ = 0;
  // Few points are to be seen one by one.
  constexpr std::size_t kFew = 5000;
  const float side = std::max(2.0F, (points_.size() < kFew ? 2 : 1) * kDensityCell * look.scale);
  columns_ = std::clamp(static_cast<int>(place_.width / side), 1, CellTexture::kMaxColumns);
  rows_ = std::clamp(static_cast<int>(place_.height / side), 1, CellTexture::kMaxRows);
  // What lies behind never hides what lies in front.
  const bool few = front.size() + back.size() <= kMaxMarks;
  const auto add = [&](const std::vector<PlotPoint>& points, bool as_marks) {
    if (as_marks) return add_marks(points, mark);
    add_density(points, mark);
  };
  add(back, few);
  add(front, front.size() <= kMaxMarks);
  if (!cells_.empty()) texture_.set(columns_, rows_, cells_);
}

void PointCloud::add_marks(const std::vector<PlotPoint>& points, const MarkOf& mark) {
  const PlotArea area{place_.left, place_.left + place_.width, -(place_.top + place_.height), -place_.top};
  for (const PlotCell& c : decimate(points, area, std::max(1, static_cast<int>(place_.width)),
                                    std::max(1, static_cast<int>(place_.height)))) {
    marks_.push_back({pixels(c.best), mark(c.best.index)});
  }
}

void PointCloud::add_density(const std::vector<PlotPoint>& points, const MarkOf& mark) {
  if (points.empty()) return;
  const PlotArea area{place_.left, place_.left + place_.width, -(place_.top + place_.height), -place_.top};
  const auto found = decimate(points, area, columns_, rows_);
  std::size_t most = 1;
  for (const PlotCell& c : found) most = std::max(most, c.count);
  cells_.resize(static_cast<std::size_t>(columns_) * static_cast<std::size_t>(rows_), 0);
  for (const PlotCell& c : found) {
    const auto share = [](double at, double from, double length) { return (at - from) / length; };
    const int x = static_cast<int>(share(c.best.x, area.x_min, place_.width) * columns_);
    const int y = static_cast<int>(share(-c.best.y, place_.top, place_.height) * rows_);
    const double strength =
        most > 1 ? 0.55 + 0.45 * std::log(static_cast<double>(c.count)) / std::log(static_cast<double>(most)) : 1;
    ImVec4 colour = ImGui::ColorConvertU32ToFloat4(mark(c.best.index).mark.colour);
    colour.w *= static_cast<float>(strength);
    cells_[static_cast<std::size_t>(std::clamp(y, 0, rows_ - 1)) * static_cast<std::size_t>(columns_) +
           static_cast<std::size_t>(std::clamp(x, 0, columns_ - 1))] = ImGui::ColorConvertFloat4ToU32(colour);
    dense_ += c.count;
  }
}

const PlotPoint* PointCloud::find(std::size_t index) const {
  const auto it = std::find_if(pixels_.begin(), pixels_.end(), [&](const PlotPoint& p) { return p.index == index; });
  return it == pixels_.end() ? nullptr : &*it;
}

const PlotPoint* PointCloud::nearest(ImVec2 to, float reach) const {
  const PlotPoint* best = nullptr;
  double least = static_cast<double>(reach) * reach;
  for (const PlotPoint& p : pixels_) {
    const double x = p.x - to.x, y = -p.y - to.y, distance = x * x + y * y;
    // Written so that a point that is no number is never the nearest.
    if (!(distance <= least)) continue;
    least = distance;
    best = &p;
  }
  return best;
}

TrialMarks::TrialMarks()
    : mark_([](const Frame& f, std::size_t trial) { return f.look.mark(f.study->columns.state[trial]); }) {}

void TrialMarks::draw(Frame& frame, std::optional<std::size_t> best) {
  cloud_.draw(frame.look, frame.table.version(), [&](std::size_t trial) {
    CloudMark out{mark_(frame, trial), kRadius * em(), frame.table.shows(trial)};
    if (!out.front) out.mark.colour = frame.look.quiet();
    return out;
  });
  ImPlot::PushPlotClipRect(2);
  draw_exact(frame, best);
  ImPlot::PopPlotClipRect();
  select(frame);
}

void TrialMarks::draw_exact(const Frame& frame, std::optional<std::size_t> best) const {
  ImDrawList& list = *ImPlot::GetPlotDrawList();
  const auto ring = [&](std::optional<std::size_t> trial, ImU32 colour, float radius, const char* letter) {
    const PlotPoint* const p = trial ? cloud_.find(*trial) : nullptr;
    if (p == nullptr) return;
    const ImVec2 at = PointCloud::pixels(*p);
    const StateMark mark = mark_(frame, *trial);
    draw_marker(list, mark.marker, at, kRadius * em(), mark.colour);
    list.AddCircle(at, radius * em(), colour, 0, std::max(1.5f, 0.12f * em()));
    if (letter != nullptr) list.AddText({at.x + radius * em(), at.y - 1.4f * em()}, colour, letter);
  };
  const auto index = [&](const std::optional<TrialRef>& t) -> std::optional<std::size_t> {
    return t && t->study == frame.study->ref ? frame.study->find(t->trial) : std::nullopt;
  };
  const Selection& s = frame.selection;
  ring(best, frame.look.best(), 0.5f, nullptr);
  ring(index(s.pinned(Selection::Side::a)), frame.look.pin(false), 0.62f, "A");
  ring(index(s.pinned(Selection::Side::b)), frame.look.pin(true), 0.62f, "B");
  ring(index(s.trial()), frame.look.accent(), 0.62f, nullptr);
  ring(index(s.hovered()), frame.look.dim(), 0.7f, nullptr);
}

void TrialMarks::select(Frame& frame) const {
  if (!ImPlot::IsPlotHovered()) return;
  const PlotPoint* const nearest = cloud_.nearest(ImGui::GetMousePos(), kReach * em());
  if (nearest == nullptr) return;
  const TrialRef trial{frame.study->ref, frame.study->trials[nearest->index].id};
  frame.selection.hover(trial);
  trial_card(frame, *frame.study, nearest->index);
  if (ImGui::IsMouseClicked(ImGuiMouseButton_Left)) frame.selection.select(trial);
}

void plot_label(const Look& look, ImVec2 point, ImVec2 side, const std::string& text, ImU32 colour) {
  const ImVec2 size = ImGui::CalcTextSize(text.c_str()), low = ImPlot::GetPlotPos(), area = ImPlot::GetPlotSize();
  const float gap = 0.35f * em();
  const auto place = [&](float at, float to, float length, float from, float room) {
    return std::clamp(to < 0 ? at - gap - length : at + gap, from + gap,
                      std::max(from + gap, from + room - length - gap));
  };
  const ImVec2 at{place(point.x, side.x, size.x, low.x, area.x), place(point.y, side.y, size.y, low.y, area.y)};
  ImPlot::PushPlotClipRect();
  ImDrawList& list = *ImPlot::GetPlotDrawList();
  list.AddRectFilled({at.x - gap / 2, at.y}, {at.x + size.x + gap / 2, at.y + size.y}, look.ground());
  list.AddText(at, colour, text.c_str());
  ImPlot::PopPlotClipRect();
}

void reference_line(const Look& look, bool level, double at, ImU32 colour) {
  const ImPlotRect limits = ImPlot::GetPlotLimits();
  const ImVec2 from = ImPlot::PlotToPixels(level ? limits.X.Min : at, level ? at : limits.Y.Min);
  const ImVec2 to = ImPlot::PlotToPixels(level ? limits.X.Max : at, level ? at : limits.Y.Max);
  const float half = 0.4f * em();
  const ImVec2 low{std::min(from.x, to.x), std::min(from.y, to.y)},
      high{std::max(from.x, to.x), std::max(from.y, to.y)};
  const ImVec2 aside = level ? ImVec2{0, half} : ImVec2{half, 0};
  ImPlot::PushPlotClipRect();
  ImDrawList& list = *ImPlot::GetPlotDrawList();
  list.AddRectFilled({low.x - aside.x, low.y - aside.y}, {high.x + aside.x, high.y + aside.y}, look.ground());
  list.AddLine(from, to, colour, std::max(1.5f, 0.11f * em()));
  ImPlot::PopPlotClipRect();
}

void line_entry(ImU32 colour, const std::string& text, bool first) {
  const float length = 1.4f * em(), width = ImGui::CalcTextSize(text.c_str()).x + 2 * em();
  if (!first) ImGui::SameLine(0, em());
  if (!first && ImGui::GetContentRegionAvail().x < width) ImGui::NewLine();
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float y = at.y + ImGui::GetTextLineHeight() / 2;
  ImGui::GetWindowDrawList()->AddLine({at.x, y}, {at.x + length, y}, colour, std::max(1.5f, 0.12f * em()));
  ImGui::Dummy({length, ImGui::GetTextLineHeight()});
  ImGui::SameLine(0, 0.4f * em());
  ImGui::TextUnformatted(text.c_str());
}

void legend_entry(const StateMark& mark, const std::string& text, bool first) {
  const float width = ImGui::CalcTextSize(text.c_str()).x + 2 * em();
  if (!first) ImGui::SameLine(0, em());
  if (!first && ImGui::GetContentRegionAvail().x < width) ImGui::NewLine();
  draw_mark(mark);
  ImGui::SameLine(0, 0.2f * em());
  ImGui::TextUnformatted(text.c_str());
}

void state_legend(const Frame& frame) {
  const StudyFigures& f = frame.study->figures;
  const bool over = f.study.state != tuner::StudyState::running || f.abandoned();
  bool first = true;
  for (const StateCount& c : state_counts(*frame.study, frame.table.shown())) {
    const StateMark mark = frame.look.mark(c.state);
    // Of a study that has ended nothing runs: its end came between.
    const bool left = over && c.state == tuner::TrialState::running;
    const std::string count =
        frame.selection.filtered() ? fmt::format("{} of {}", c.shown, c.count) : std::to_string(c.count);
    legend_entry(mark, fmt::format("{} {}", left ? "left in flight" : mark.words, count), first);
    first = false;
  }
}

void speed_legend(double low, double high, const std::function<ImU32(double)>& colour) {
  constexpr float kWidth = 12, kHeight = 0.8f;  // in letters
  const float text = ImGui::GetTextLineHeight();
  ImGui::TextUnformatted(number_text(low, 1).c_str());
  ImGui::SameLine(0, 0.5f * em());
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float top = at.y + (text - kHeight * em()) / 2, width = kWidth * em();
  constexpr int kSteps = 24;
  for (int i = 0; i < kSteps; ++i) {
    const float left = at.x + width * static_cast<float>(i) / kSteps;
    const float right = at.x + width * static_cast<float>(i + 1) / kSteps;
    const ImU32 from = colour(static_cast<double>(i) / kSteps), to = colour((i + 1.0) / kSteps);
    ImGui::GetWindowDrawList()->AddRectFilledMultiColor({left, top}, {right, top + kHeight * em()}, from, to, to, from);
  }
  ImGui::Dummy({width, text});
  ImGui::SameLine(0, 0.5f * em());
  ImGui::Text("%s GFLOP/s", number_text(high, 1).c_str());
}

ImU32 value_colour(double share) {
  return ImGui::ColorConvertFloat4ToU32(
      ImPlot::SampleColormap(static_cast<float>(std::clamp(share, 0.0, 1.0)), ImPlotColormap_Viridis));
}

ImU32 text_on(ImU32 ground) {
  const ImVec4 c = ImGui::ColorConvertU32ToFloat4(ground);
  constexpr float kHalfLight = 0.45f;
  return 0.2126f * c.x + 0.7152f * c.y + 0.0722f * c.z > kHalfLight ? IM_COL32(0, 0, 0, 255)
                                                                    : IM_COL32(255, 255, 255, 255);
}

}  // namespace gemwright::app::gui
