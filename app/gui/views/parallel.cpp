// Every varying parameter and the speed as axes beside each other, every trial as a line across them. Dragging along an
// axis filters.
#include "app/model/parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "app/gui/plot.h"
#include "app/gui/study_view.h"
#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// More lines than these are drawn as a picture of their density: a line across all axes costs a software renderer 0.14
// ms, ten times what a mark does.
constexpr std::size_t kMaxLines = 100;
// Of the density, between two axes and from top to bottom.
constexpr std::size_t kGapColumns = 64, kRows = 240;
// In letters: how near an axis a drag begins, how near a line the pointer is, and how far a drag reaches beyond its
// ends.
constexpr float kAxisReach = 0.8f, kLineReach = 0.5f, kBrushReach = 0.4f;

class ParallelView : public StudyView {
 public:
  const char* name() const override { return "parallel"; }
  const char* title() const override { return "Parallel"; }
  bool tells_filter() const override { return false; }

  void draw_study(Frame& frame) override {
    if (frame.selection.filter_text() != brushed_) brushes_.assign(plot_.axes.size(), {});
    if (plot_.trials.empty() || plot_.axes.size() < 2) {
      if (says_filter_leaves_none(frame)) return;
      return empty_state(frame.look, "No two trials to tell apart",
                         "Trials with a speed that differ in a parameter appear here as lines.");
    }
    filter_bar(frame);
    std::string line = "Drag along an axis, or press its name, to filter.";
    if (plot_.without > 0) line += fmt::format(" Without a speed and not drawn: {}.", plot_.without);
    if (dense_)
      line += fmt::format(" {} lines as density: stronger is more, and the fastest gives the colour.", shown_lines_);
    dim_text(frame.look, line);
    const ParallelAxis& speed = plot_.axes.back();
    speed_legend(speed.low, speed.high, [&](double share) { return speed_colour(frame.look.theme, share); });
    draw_canvas(frame);
  }

  std::string as_text(const Frame& frame) const override {
    return frame.study ? parallel_text(*frame.study, parallel_plot(*frame.study, frame.table.shown())) : "";
  }

 private:
  struct Canvas {
    ImVec2 low, high;  // of the axes
    float gap = 0;

    float x(std::size_t axis) const { return low.x + static_cast<float>(axis) * gap; }
    float y(double place) const { return high.y - static_cast<float>(place) * (high.y - low.y); }
    double place(float at) const { return std::clamp((high.y - at) / (high.y - low.y), 0.0f, 1.0f); }
  };

  void take_study(bool another) override {
    // The axes are those of all trials, so that they stay while a filter changes.
    ParallelPlot plot = parallel_plot(*study_, TrialSet(study_->trials.size(), true));
    if (another) {
      brushes_.assign(plot.axes.size(), {});
      dragged_.reset();
    } else {
      // More trials of the same study: its brushes hold the values that they held.
      brushes_ = carried_brushes(plot_, brushes_, plot);
      if (dragged_) dragged_ = same_axis(plot_.axes[*dragged_], plot);
    }
    plot_ = std::move(plot);
  }

  void take_matches(bool) override {
    shown_lines_ = static_cast<std::size_t>(
        std::count_if(plot_.trials.begin(), plot_.trials.end(), [&](std::size_t t) { return shown_[t]; }));
    dense_ = shown_lines_ > kMaxLines && plot_.axes.size() > 1;
    painted_.reset();
  }

  // The part of the map of values that stands out from the ground: neither its violet on a dark one nor its yellow on a
  // light one.
  static ImU32 speed_colour(Theme theme, double share) {
    return value_colour(theme == Theme::light ? 0.75 * share : 0.2 + 0.8 * share);
  }

  void paint_density(Theme theme) {
    painted_ = theme;
    // What few lines make is to be seen, too: pale colours are lost on a light ground sooner.
    const double least = theme == Theme::light ? 0.4 : 0.2;
    const std::size_t columns = std::min<std::size_t>(kGapColumns, CellTexture::kMaxColumns / (plot_.axes.size() - 1));
    const LineDensity d = line_density(plot_, shown_, columns, kRows);
    std::vector<ImU32> cells(d.cells.size(), 0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (d.cells[i].lines == 0) continue;
      const double share = std::log1p(static_cast<double>(d.cells[i].lines)) / std::log1p(static_cast<double>(d.most));
      ImVec4 colour = ImGui::ColorConvertU32ToFloat4(speed_colour(theme, d.cells[i].best));
      colour.w = static_cast<float>(least + (1 - least) * share);
      cells[i] = ImGui::ColorConvertFloat4ToU32(colour);
    }
    texture_.set(static_cast<int>(d.columns), static_cast<int>(d.rows), cells);
  }

  void draw_canvas(Frame& frame) {
    if (!ImGui::BeginChild("axes", {0, 0}, ImGuiChildFlags_NavFlattened, ImGuiWindowFlags_NoScrollbar)) {
      return ImGui::EndChild();
    }
    const ImVec2 at = ImGui::GetCursorScreenPos(), space = ImGui::GetContentRegionAvail();
    const float line = ImGui::GetTextLineHeight(), side = 3.5f * em();
    Canvas c;
    // The labels of the first axis stand at its left, those of the others at their right.
    c.low.x = at.x + std::max(side, first_labels() + em());
    c.high.x = at.x + std::max(space.x - side, side + 4 * em());
    c.gap = (c.high.x - c.low.x) / static_cast<float>(plot_.axes.size() - 1);
    c.low.y = draw_names(frame, c, at.y) + line;
    c.high.y = std::max(at.y + space.y - line, c.low.y + 10 * em());
    ImGui::SetCursorScreenPos({at.x, c.low.y - line / 2});
    ImGui::InvisibleButton("canvas", {space.x, c.high.y - c.low.y + line});
    const bool hovered = ImGui::IsItemHovered(), pressed = ImGui::IsItemActivated(), held = ImGui::IsItemActive();
    ImDrawList& list = *ImGui::GetWindowDrawList();
    if (dense_) {
      if (painted_ != frame.look.theme) paint_density(frame.look.theme);
      texture_.draw(list, {c.low.x, c.low.y}, {c.high.x, c.high.y});
    } else {
      draw_lines(frame, list, c);
    }
    draw_exact(frame, list, c);
    draw_axes(frame.look, list, c);
    if (!drag(frame, c, pressed, held) && hovered) hover(frame, c, pressed);
    ImGui::EndChild();
  }

  float first_labels() const {
    float width = 0;
    const auto& p = plot_.axes.front().parameter;
    if (!p) return 0;
    for (const std::int64_t v : p->values) {
      width = std::max(width, ImGui::CalcTextSize(tuner::value_text(p->param, v).c_str()).x);
    }
    return width;
  }

  // Buttons above the axes, in as many rows as they need not to meet. Where they end.
  float draw_names(Frame& frame, const Canvas& c, float top) {
    std::vector<Extent> places;
    for (std::size_t a = 0; a < plot_.axes.size(); ++a) {
      const float width = ImGui::CalcTextSize(plot_.axes[a].name().c_str()).x + 2 * ImGui::GetStyle().FramePadding.x;
      const float last = std::max(c.low.x - 3.4f * em(), c.high.x + 3.4f * em() - width);
      const float left = std::clamp(c.x(a) - width / 2, c.low.x - 3.4f * em(), last);
      places.push_back({left, left + width});
    }
    const std::vector<std::size_t> rows = rows_apart(places, 0.4f * em());
    for (std::size_t a = 0; a < plot_.axes.size(); ++a) {
      const std::string name = plot_.axes[a].name();
      ImGui::SetCursorScreenPos({places[a].low, top + static_cast<float>(rows[a]) * ImGui::GetFrameHeight()});
      if (ImGui::SmallButton(name.c_str())) ImGui::OpenPopup(name.c_str());
      if (ImGui::BeginPopup(name.c_str())) {
        draw_values(frame, a);
        ImGui::EndPopup();
      }
    }
    const std::size_t last = *std::max_element(rows.begin(), rows.end());
    return top + static_cast<float>(last + 1) * ImGui::GetFrameHeight();
  }

  // The way of the keyboard: one value, the fastest, or all.
  void draw_values(Frame& frame, std::size_t a) {
    const ParallelAxis& axis = plot_.axes[a];
    if (ImGui::Selectable("all", !brushes_[a])) brush(frame, a, std::nullopt);
    if (!axis.parameter) {
      for (const auto& [label, low] : {std::pair("the upper half", 0.5), std::pair("the upper tenth", 0.9)}) {
        if (ImGui::Selectable(label)) brush(frame, a, Brush{low, 1});
      }
      return;
    }
    const auto& values = axis.parameter->values;
    for (std::size_t v = 0; v < values.size(); ++v) {
      const double place = values.size() > 1 ? static_cast<double>(v) / static_cast<double>(values.size() - 1) : 0.5;
      const bool on = brushes_[a] && brushes_[a]->low <= place && place <= brushes_[a]->high;
      if (ImGui::Selectable(tuner::value_text(axis.parameter->param, values[v]).c_str(), on)) {
        brush(frame, a, Brush{place, place});
      }
    }
  }

  void brush(Frame& frame, std::size_t axis, std::optional<Brush> b) {
    brushes_[axis] = b;
    brushed_ = brush_filter(plot_, brushes_);
    frame.selection.set_filter(brushed_);
  }

  void polyline(ImDrawList& list, const Canvas& c, std::size_t i, ImU32 colour, float width) const {
    std::array<ImVec2, tuner::kParamCount + 8> points;
    const std::size_t count = std::min(points.size(), plot_.axes.size());
    for (std::size_t a = 0; a < count; ++a) points[a] = {c.x(a), c.y(plot_.line(i)[a])};
    list.AddPolyline(points.data(), static_cast<int>(count), colour, width);
  }

  void draw_lines(const Frame& frame, ImDrawList& list, const Canvas& c) const {
    const std::size_t speed = plot_.axes.size() - 1;
    // The others only where they are few: they are to be seen behind, not to cost.
    if (plot_.trials.size() <= kMaxLines) {
      for (std::size_t i = 0; i < plot_.trials.size(); ++i) {
        if (!frame.table.shows(plot_.trials[i])) polyline(list, c, i, frame.look.quiet(), frame.look.scale);
      }
    }
    for (std::size_t i = 0; i < plot_.trials.size(); ++i) {
      if (!frame.table.shows(plot_.trials[i])) continue;
      polyline(list, c, i, speed_colour(frame.look.theme, plot_.line(i)[speed]), 1.2f * frame.look.scale);
    }
  }

  void draw_axes(const Look& look, ImDrawList& list, const Canvas& c) const {
    const ImU32 colour = ImGui::GetColorU32(ImGuiCol_Text);
    for (std::size_t a = 0; a < plot_.axes.size(); ++a) {
      const ParallelAxis& axis = plot_.axes[a];
      list.AddLine({c.x(a), c.low.y}, {c.x(a), c.high.y}, look.dim(), 1.5f * look.scale);
      if (brushes_[a]) {
        const float half = 0.3f * em(), low = c.y(brushes_[a]->low) + half, high = c.y(brushes_[a]->high) - half;
        list.AddRect({c.x(a) - half, high}, {c.x(a) + half, low}, look.accent(), 0, 2 * look.scale);
      }
      if (!axis.parameter) {
        label(look, list, c, a, 0, number_text(axis.low, 1), colour);
        label(look, list, c, a, 1, number_text(axis.high, 1), colour);
        continue;
      }
      draw_ticks(look, list, c, a, *axis.parameter, colour);
    }
  }

  // Values that would run into each other are left out, never the ends.
  static void draw_ticks(const Look& look, ImDrawList& list, const Canvas& c, std::size_t a, const TriedParameter& p,
                         ImU32 colour) {
    const std::size_t count = p.values.size();
    const float room = (c.high.y - c.low.y) / static_cast<float>(count - 1);
    for (const std::size_t v : labelled_values(count, room / ImGui::GetTextLineHeight())) {
      const double place = static_cast<double>(v) / static_cast<double>(count - 1);
      label(look, list, c, a, place, short_value(p.param, p.values[v]), colour);
    }
  }

  // Long names as short as they can be told apart: "vnni" for avx512_vnni.
  static std::string short_value(tuner::Param param, std::int64_t value) {
    const std::string text = tuner::value_text(param, value);
    constexpr std::string_view kPrefix = "avx512_";
    if (text.starts_with(kPrefix)) return text.substr(kPrefix.size());
    return text == "registers" ? "regs" : text;
  }

  // Beside the axis, on a ground of its own; a long word is set smaller rather than into the next axis' words.
  static void label(const Look& look, ImDrawList& list, const Canvas& c, std::size_t a, double place,
                    const std::string& text, ImU32 colour) {
    ImVec2 size = ImGui::CalcTextSize(text.c_str());
    const float gap = 0.35f * em();
    const float fit = std::clamp((c.x(1) - c.x(0) - 2 * gap) / size.x, 0.1f, 1.0f);
    size = {size.x * fit, size.y * fit};
    const ImVec2 at{a == 0 ? c.x(a) - gap - size.x : c.x(a) + gap, c.y(place) - size.y / 2};
    ImVec4 ground = ImGui::ColorConvertU32ToFloat4(look.ground());
    ground.w = 0.85f;
    list.AddRectFilled({at.x - 2, at.y}, {at.x + size.x + 2, at.y + size.y}, ImGui::ColorConvertFloat4ToU32(ground));
    list.AddLine({c.x(a) - 0.2f * em(), c.y(place)}, {c.x(a) + 0.2f * em(), c.y(place)}, look.dim());
    list.AddText(ImGui::GetFont(), ImGui::GetFontSize() * fit, at, colour, text.c_str());
  }

  void draw_exact(const Frame& frame, ImDrawList& list, const Canvas& c) const {
    const auto line_of = [&](const std::optional<TrialRef>& t) -> std::optional<std::size_t> {
      if (!t || t->study != study_->ref) return std::nullopt;
      const auto trial = study_->find(t->trial);
      const auto it = std::find(plot_.trials.begin(), plot_.trials.end(), trial.value_or(study_->trials.size()));
      return it == plot_.trials.end() ? std::nullopt
                                      : std::optional(static_cast<std::size_t>(it - plot_.trials.begin()));
    };
    const auto show = [&](const std::optional<TrialRef>& t, ImU32 colour, float width) {
      if (const auto i = line_of(t)) polyline(list, c, *i, colour, width * frame.look.scale);
    };
    const auto& best = study_->record().outcome.best_trial;
    if (best) show(TrialRef{study_->ref, *best}, frame.look.best(), 2.5f);
    show(frame.selection.pinned(Selection::Side::a), frame.look.pin(false), 2.5f);
    show(frame.selection.pinned(Selection::Side::b), frame.look.pin(true), 2.5f);
    show(frame.selection.trial(), frame.look.accent(), 3);
    show(frame.selection.hovered(), ImGui::GetColorU32(ImGuiCol_Text), 2);
  }

  // Whether the pointer is on an axis or drags along one.
  bool drag(Frame& frame, const Canvas& c, bool pressed, bool held) {
    const ImVec2 mouse = ImGui::GetMousePos();
    if (pressed) {
      const float nearest = std::round((mouse.x - c.low.x) / c.gap);
      const bool on_axis = std::abs(mouse.x - (c.low.x + nearest * c.gap)) <= kAxisReach * em();
      dragged_.reset();
      if (on_axis && nearest >= 0 && nearest < static_cast<float>(plot_.axes.size())) {
        dragged_ = static_cast<std::size_t>(nearest);
        from_ = c.place(mouse.y);
      }
    }
    if (!dragged_) return false;
    const double to = c.place(mouse.y);
    // A press without a drag takes the brush away.
    const bool far = std::abs(c.y(to) - c.y(from_)) > 0.3f * em();
    // A little beyond both ends, so that a value that the drag begins or ends at belongs to it.
    const double more = kBrushReach * em() / (c.high.y - c.low.y);
    const auto now =
        far ? std::optional(Brush{std::max(0.0, std::min(from_, to) - more), std::min(1.0, std::max(from_, to) + more)})
            : std::nullopt;
    if (held) {
      brushes_[*dragged_] = now;
      brushed_ = frame.selection.filter_text();
      return true;
    }
    brush(frame, *dragged_, now);
    dragged_.reset();
    return true;
  }

  void hover(Frame& frame, const Canvas& c, bool pressed) const {
    const ImVec2 mouse = ImGui::GetMousePos();
    const double x = (mouse.x - c.low.x) / c.gap, y = (c.high.y - mouse.y) / (c.high.y - c.low.y);
    const auto i = nearest_line(plot_, frame.table.shown(), x, y, kLineReach * em() / (c.high.y - c.low.y));
    if (!i) return;
    const TrialRef trial{study_->ref, study_->trials[plot_.trials[*i]].id};
    frame.selection.hover(trial);
    trial_card(frame, *study_, plot_.trials[*i]);
    if (pressed) frame.selection.select(trial);
  }

  ParallelPlot plot_;
  bool dense_ = false;
  std::optional<Theme> painted_;  // what the density was painted for
  std::size_t shown_lines_ = 0;
  CellTexture texture_;
  std::vector<std::optional<Brush>> brushes_;  // by axis
  std::string brushed_;                        // the filter that they are
  std::optional<std::size_t> dragged_;
  double from_ = 0;
};

}  // namespace

std::unique_ptr<View> make_parallel_view() { return std::make_unique<ParallelView>(); }

}  // namespace gemwright::app::gui
