// How two parameters go together: a cell for each pair of values, its speed as a colour and as a number.
#include "app/model/heatmap.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>

#include "app/gui/plot.h"
#include "app/gui/study_view.h"
#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// Cells are not drawn wider or higher than this, in letters.
constexpr float kMaxCellWidth = 9, kMaxCellHeight = 4;

class HeatMapView : public StudyView {
 public:
  const char* name() const override { return "heatmap"; }
  const char* title() const override { return "Heat map"; }

  void draw_study(Frame& frame) override {
    if (!map_) {
      if (says_filter_leaves_none(frame)) return;
      return empty_state(frame.look, "Fewer than two parameters vary",
                         "A heat map shows two parameters against each other: it needs trials that differ in two.");
    }
    draw_choices();
    if (!map_) return;  // of a parameter that does not vary any more
    draw_legend(frame.look);
    draw_map(frame);
  }

  std::string as_text(const Frame& frame) const override {
    if (!frame.study) return "";
    const auto axes = default_axes(*frame.study, frame.table.shown());
    const auto made = map_ && matched_ == frame.study
                          ? map_
                          : (axes ? heat_map(*frame.study, frame.table.shown(), axes->first, axes->second, reduction_)
                                  : std::nullopt);
    return made ? heatmap_text(*frame.study, *made, reduction_) : "fewer than two parameters vary\n";
  }

 private:
  // What was chosen stays as long as it varies.
  void take_matches(bool anew) override {
    varying_ = varying_parameters(*matched_, shown_);
    const auto varies = [&](const std::optional<tuner::Param>& p) {
      return p && std::any_of(varying_.begin(), varying_.end(), [&](const auto& v) { return v.param == *p; });
    };
    if ((anew && !chosen_) || !varies(x_) || !varies(y_) || x_ == y_) {
      const auto axes = default_axes(*matched_, shown_);
      x_ = axes ? std::optional(axes->first) : std::nullopt;
      y_ = axes ? std::optional(axes->second) : std::nullopt;
      chosen_ = false;
    }
    compute();
  }

  void compute() {
    map_.reset();
    if (x_ && y_) map_ = heat_map(*matched_, shown_, *x_, *y_, reduction_);
  }

  // True where another one was chosen.
  bool choose(const char* label, std::optional<tuner::Param>& p, const std::optional<tuner::Param>& other) {
    bool changed = false;
    ImGui::AlignTextToFramePadding();
    ImGui::TextUnformatted(label);
    ImGui::SameLine();
    ImGui::SetNextItemWidth(8 * em());
    if (!ImGui::BeginCombo(fmt::format("##{}", label).c_str(), std::string(name_of(*p)).c_str())) return false;
    for (const TriedParameter& v : varying_) {
      if (v.param == other) continue;
      if (ImGui::Selectable(std::string(name_of(v.param)).c_str(), v.param == *p)) {
        changed = v.param != *p;
        p = v.param;
      }
    }
    ImGui::EndCombo();
    return changed;
  }

  void draw_choices() {
    bool changed = choose("across", x_, y_);
    ImGui::SameLine(0, em());
    changed |= choose("down", y_, x_);
    ImGui::SameLine(0, em());
    if (ImGui::Button("Swap")) {
      std::swap(x_, y_);
      changed = true;
    }
    for (const Reduction r : {Reduction::best, Reduction::median}) {
      ImGui::SameLine(0, r == Reduction::best ? em() : ImGui::GetStyle().ItemSpacing.x);
      if (ImGui::RadioButton(std::string(to_text(r)).c_str(), reduction_ == r)) {
        reduction_ = r;
        changed = true;
      }
    }
    chosen_ = chosen_ || changed;
    if (changed) compute();
  }

  void draw_legend(const Look& look) const {
    constexpr const char* kCells = "empty: not tried   x: no speed (failed, or not timed)";
    if (!map_->timed) return dim_text(look, fmt::format("No trial here has a speed.   {}", kCells));
    speed_legend(map_->low, map_->high, value_colour);
    ImGui::SameLine(0, 1.5f * em());
    if (ImGui::GetContentRegionAvail().x < ImGui::CalcTextSize(kCells).x) ImGui::NewLine();
    dim_text(look, kCells);
  }

  void draw_map(Frame& frame) {
    const auto columns = static_cast<float>(map_->x.values.size()), rows = static_cast<float>(map_->y.values.size());
    float labels = ImGui::CalcTextSize(std::string(name_of(*y_)).c_str()).x;
    for (const std::int64_t v : map_->y.values) {
      labels = std::max(labels, ImGui::CalcTextSize(tuner::value_text(*y_, v).c_str()).x);
    }
    labels += 0.6f * em();
    const ImVec2 space = ImGui::GetContentRegionAvail();
    const float head = 2 * ImGui::GetTextLineHeightWithSpacing();
    const ImVec2 cell{std::clamp((space.x - labels) / columns, 4.0f, kMaxCellWidth * em()),
                      std::clamp((space.y - head) / rows, 4.0f, kMaxCellHeight * em())};
    if (!ImGui::BeginChild("map", {0, 0}, ImGuiChildFlags_NavFlattened, ImGuiWindowFlags_HorizontalScrollbar)) {
      return ImGui::EndChild();
    }
    const ImVec2 at = ImGui::GetCursorScreenPos();
    draw_labels(frame.look, at, {labels, head}, cell);
    for (std::size_t r = 0; r < map_->y.values.size(); ++r) {
      for (std::size_t c = 0; c < map_->x.values.size(); ++c) {
        const ImVec2 low{at.x + labels + static_cast<float>(c) * cell.x, at.y + head + static_cast<float>(r) * cell.y};
        draw_cell(frame, c, r, low, {low.x + cell.x, low.y + cell.y});
      }
    }
    ImGui::SetCursorScreenPos(at);
    ImGui::Dummy({labels + columns * cell.x, head + rows * cell.y});
    ImGui::EndChild();
  }

  // Values that would run into the one before are left out.
  void draw_labels(const Look& look, ImVec2 at, ImVec2 offset, ImVec2 cell) const {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImU32 colour = ImGui::GetColorU32(ImGuiCol_Text);
    list.AddText({at.x + offset.x, at.y}, look.dim(), std::string(name_of(*x_)).c_str());
    const float line = ImGui::GetTextLineHeight();
    list.AddText({at.x, at.y + ImGui::GetTextLineHeightWithSpacing()}, look.dim(), std::string(name_of(*y_)).c_str());
    float free = at.x + offset.x;
    const float end = free + static_cast<float>(map_->x.values.size()) * cell.x;
    for (std::size_t c = 0; c < map_->x.values.size(); ++c) {
      const std::string text = tuner::value_text(*x_, map_->x.values[c]);
      const float width = ImGui::CalcTextSize(text.c_str()).x;
      const float left = std::min(at.x + offset.x + (static_cast<float>(c) + 0.5f) * cell.x - width / 2, end - width);
      if (left < free) continue;
      list.AddText({left, at.y + ImGui::GetTextLineHeightWithSpacing()}, colour, text.c_str());
      free = left + width + 0.5f * em();
    }
    free = at.y + offset.y;
    for (std::size_t r = 0; r < map_->y.values.size(); ++r) {
      const std::string text = tuner::value_text(*y_, map_->y.values[r]);
      const float top = at.y + offset.y + (static_cast<float>(r) + 0.5f) * cell.y - line / 2;
      if (top < free - 0.5f * line) continue;
      const float width = ImGui::CalcTextSize(text.c_str()).x;
      list.AddText({at.x + offset.x - width - 0.4f * em(), top}, colour, text.c_str());
      free = top + line;
    }
  }

  void draw_cell(Frame& frame, std::size_t c, std::size_t r, ImVec2 low, ImVec2 high) {
    const HeatCell& cell = map_->at(c, r);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float gap = frame.look.scale;
    const ImVec2 inner_low{low.x + gap, low.y + gap}, inner_high{high.x - gap, high.y - gap};
    if (cell.tried == 0) {
      list.AddRect(inner_low, inner_high, ImGui::GetColorU32(ImGuiCol_Border));
      return;
    }
    ImGui::SetCursorScreenPos(low);
    if (ImGui::InvisibleButton(fmt::format("##cell {} {}", c, r).c_str(), {high.x - low.x, high.y - low.y},
                               ImGuiButtonFlags_EnableNav)) {
      select(frame, cell);
    }
    const bool hovered = ImGui::IsItemHovered();
    if (cell.gflops) {
      const ImU32 ground = value_colour(map_->share(*cell.gflops));
      list.AddRectFilled(inner_low, inner_high, ground);
      const std::string text = number_text(cell.gflops, *cell.gflops < 100 ? 1 : 0);
      centred(list, text, low, high, text_on(ground));
    } else {
      list.AddRectFilled(inner_low, inner_high, ImGui::GetColorU32(ImGuiCol_FrameBg));
      centred(list, "x", low, high, frame.look.dim());
    }
    if (holds(frame.selection.trial(), c, r)) {
      list.AddRect(inner_low, inner_high, frame.look.accent(), 0, 2.5f * gap);
    }
    if (hovered) {
      list.AddRect(inner_low, inner_high, ImGui::GetColorU32(ImGuiCol_Text), 0, 1.5f * gap);
      if (cell.fastest) frame.selection.hover({matched_->ref, matched_->trials[*cell.fastest].id});
      tooltip(cell, c, r);
    }
  }

  static void centred(ImDrawList& list, const std::string& text, ImVec2 low, ImVec2 high, ImU32 colour) {
    const ImVec2 size = ImGui::CalcTextSize(text.c_str());
    if (size.x + 0.3f * em() > high.x - low.x || size.y > high.y - low.y) return;
    list.AddText({(low.x + high.x - size.x) / 2, (low.y + high.y - size.y) / 2}, colour, text.c_str());
  }

  bool holds(const std::optional<TrialRef>& selected, std::size_t c, std::size_t r) const {
    const auto trial = selected && selected->study == matched_->ref ? matched_->find(selected->trial) : std::nullopt;
    if (!trial) return false;
    const tuner::Config& config = matched_->trials[*trial].config;
    return tuner::value(config, *x_) == map_->x.values[c] && tuner::value(config, *y_) == map_->y.values[r];
  }

  void tooltip(const HeatCell& cell, std::size_t c, std::size_t r) const {
    if (!ImGui::BeginTooltip()) return;
    ImGui::TextUnformatted(fmt::format("{} = {}, {} = {}", name_of(*x_), tuner::value_text(*x_, map_->x.values[c]),
                                       name_of(*y_), tuner::value_text(*y_, map_->y.values[r]))
                               .c_str());
    ImGui::TextUnformatted(fmt::format("{} GFLOP/s, {} of {} trial{}", number_text(cell.gflops, 1), to_text(reduction_),
                                       cell.timed, cell.timed == 1 ? "" : "s")
                               .c_str());
    if (cell.tried > cell.timed) ImGui::Text("%zu more without a speed", cell.tried - cell.timed);
    ImGui::EndTooltip();
  }

  void select(Frame& frame, const HeatCell& cell) const {
    if (cell.fastest) frame.selection.select(TrialRef{matched_->ref, matched_->trials[*cell.fastest].id});
  }

  std::vector<TriedParameter> varying_;
  std::optional<tuner::Param> x_, y_;
  bool chosen_ = false;  // by the person
  Reduction reduction_ = Reduction::best;
  std::optional<HeatMap> map_;
};

}  // namespace

std::unique_ptr<View> make_heatmap_view() { return std::make_unique<HeatMapView>(); }

}  // namespace gemwright::app::gui
