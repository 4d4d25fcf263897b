#include "app/gui/plot.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <cmath>

#include "app/gui/widgets.h"
#include "app/model/run_view.h"

namespace gemwright::app::gui {
namespace {

// Of a mark, in letters; and how near the pointer must be.
constexpr float kRadius = 0.24f, kReach = 0.7f;

ImVec2 pixels(const PlotPoint& p) { return {static_cast<float>(p.x), static_cast<float>(-p.y)}; }

}  // namespace

bool begin_plot(const char* id, ImVec2 size) {
  return ImPlot::BeginPlot(id, size,
                           ImPlotFlags_NoTitle | ImPlotFlags_NoLegend | ImPlotFlags_NoMouseText | ImPlotFlags_NoMenus);
}

// Pixels downwards are made upwards, so that the best of a cell is the highest.
void TrialMarks::to_pixels() {
  for (PlotPoint& p : points_) {
    const ImVec2 at = ImPlot::PlotToPixels(p.x, p.y);
    p.x = at.x;
    p.y = -at.y;
  }
}

void TrialMarks::draw(Frame& frame, std::optional<std::size_t> best) {
  to_pixels();
  ImPlot::PushPlotClipRect(2);
  draw_cells(frame);
  draw_exact(frame, best);
  ImPlot::PopPlotClipRect();
  select(frame);
}

void TrialMarks::draw_cells(const Frame& frame) const {
  const ImVec2 at = ImPlot::GetPlotPos(), size = ImPlot::GetPlotSize();
  const PlotArea area{at.x, at.x + size.x, -(at.y + size.y), -at.y};
  // What the filter leaves out is drawn first, and never hides what it chose.
  for (const bool shown : {false, true}) {
    std::vector<PlotPoint> points;
    for (const PlotPoint& p : points_) {
      if (frame.table.shows(p.index) == shown) points.push_back(p);
    }
    const int side = cell_side(size.x, size.y, points.size(), kMaxMarks);
    const auto columns = static_cast<int>(size.x) / side, rows = static_cast<int>(size.y) / side;
    for (const PlotCell& cell : decimate(points, area, std::max(1, columns), std::max(1, rows))) {
      const StateMark mark = frame.look.mark(frame.study->columns.state[cell.best.index]);
      draw_marker(*ImPlot::GetPlotDrawList(), mark.marker, pixels(cell.best), kRadius * em(),
                  shown ? mark.colour : frame.look.quiet());
    }
  }
}

const PlotPoint* TrialMarks::place_of(std::size_t trial) const {
  const auto it = std::find_if(points_.begin(), points_.end(), [&](const PlotPoint& p) { return p.index == trial; });
  return it == points_.end() ? nullptr : &*it;
}

void TrialMarks::draw_exact(const Frame& frame, std::optional<std::size_t> best) const {
  ImDrawList& list = *ImPlot::GetPlotDrawList();
  const auto ring = [&](std::optional<std::size_t> trial, ImU32 colour, float radius, const char* letter) {
    const PlotPoint* const p = trial ? place_of(*trial) : nullptr;
    if (p == nullptr) return;
    const StateMark mark = frame.look.mark(frame.study->columns.state[*trial]);
    draw_marker(list, mark.marker, pixels(*p), kRadius * em(), mark.colour);
    list.AddCircle(pixels(*p), radius * em(), colour, 0, std::max(1.5f, 0.12f * em()));
    if (letter != nullptr) {
      list.AddText({pixels(*p).x + radius * em(), pixels(*p).y - 1.4f * em()}, colour, letter);
    }
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
  if (!ImPlot::IsPlotHovered() || points_.empty()) return;
  const ImVec2 mouse = ImGui::GetMousePos();
  const auto distance = [&](const PlotPoint& p) { return std::hypot(pixels(p).x - mouse.x, pixels(p).y - mouse.y); };
  const auto nearest = std::min_element(points_.begin(), points_.end(),
                                        [&](const auto& x, const auto& y) { return distance(x) < distance(y); });
  if (!(distance(*nearest) <= kReach * em())) return;
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

void state_legend(const Look& look, const StudySnapshot& study) {
  bool first = true;
  for (const StateCount& c : state_counts(study)) {
    const std::string text = fmt::format("{} {}", look.mark(c.state).words, c.count);
    const float width = ImGui::CalcTextSize(text.c_str()).x + 2 * em();
    if (!first) ImGui::SameLine(0, em());
    if (!first && ImGui::GetContentRegionAvail().x < width) ImGui::NewLine();
    first = false;
    state_mark(look, c.state);
    ImGui::SameLine(0, 0.2f * em());
    ImGui::TextUnformatted(text.c_str());
  }
}

}  // namespace gemwright::app::gui
