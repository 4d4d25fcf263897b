// Which parameters decide, and which of their values are good.
#include "app/model/importance.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/gui/plot.h"
#include "app/gui/study_view.h"
#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// A bar that fills this share of the current cell; a mark across it at `tick`, where there is one.
void bar(double share, ImU32 colour, ImU32 ground, std::optional<double> tick = {}, ImU32 tick_colour = 0) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float width = ImGui::GetContentRegionAvail().x, height = ImGui::GetTextLineHeight();
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const float gap = 0.15f * height;
  const auto right = [&](double s) { return at.x + width * static_cast<float>(std::clamp(s, 0.0, 1.0)); };
  list.AddRectFilled({at.x, at.y + gap}, {at.x + width, at.y + height - gap}, ground);
  list.AddRectFilled({at.x, at.y + gap}, {right(share), at.y + height - gap}, colour);
  if (tick) {
    list.AddLine({right(*tick), at.y}, {right(*tick), at.y + height}, tick_colour, std::max(1.5f, 0.12f * em()));
  }
  ImGui::Dummy({width, height});
}

class ImportanceView : public StudyView {
 public:
  const char* name() const override { return "importance"; }
  const char* title() const override { return "Importance"; }

  void draw_study(Frame& frame) override {
    if (importance_.parameters.empty()) {
      if (says_filter_leaves_none(frame)) return;
      return empty_state(frame.look, "Too little to tell what matters",
                         importance_.reason + ". A larger budget, or a wider filter, gives more.");
    }
    dim_text(frame.look, importance_line(importance_) + ". Each counted alone; select one to see its values.");
    draw_parameters(frame);
    ImGui::Spacing();
    draw_values(frame);
  }

  std::string as_text(const Frame& frame) const override {
    if (!frame.study) return "";
    return importance_text(*frame.study, importance_of(*frame.study, frame.table.shown()));
  }

 private:
  // The parameter that was pressed stays as long as it varies.
  void take_matches(bool anew) override {
    importance_ = importance_of(*matched_, shown_);
    const auto& all = importance_.parameters;
    const auto of = [&](tuner::Param p) {
      return std::any_of(all.begin(), all.end(), [&](const auto& x) { return x.param == p; });
    };
    if (chosen_ && ((anew && !pressed_) || !of(*chosen_))) chosen_.reset();
    if (!chosen_) {
      pressed_ = false;
      if (!all.empty()) chosen_ = all.front().param;
    }
    read_values();
  }

  void read_values() {
    values_.clear();
    if (chosen_) values_ = value_effects(*matched_, shown_, *chosen_);
  }

  void draw_parameters(const Frame& frame) {
    constexpr ImGuiTableFlags kFlags =
        ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX | ImGuiTableFlags_RowBg | ImGuiTableFlags_ScrollY;
    const float rows = static_cast<float>(importance_.parameters.size()) + 1.5f;
    const float space = ImGui::GetContentRegionAvail().y;
    // All rows where the values below keep theirs; a heading, a sentence and a header stand between.
    const float row = ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y;
    const float below = (std::min<float>(static_cast<float>(values_.size()), 6) + 5) * row;
    const float height = std::min(rows * row, std::max(6 * row, space - below));
    if (!ImGui::BeginTable("parameters", 5, kFlags, {0, height})) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("parameter", ImGuiTableColumnFlags_WidthFixed, 8 * em());
    ImGui::TableSetupColumn("importance", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetupColumn("share", ImGuiTableColumnFlags_WidthFixed, 4 * em());
    ImGui::TableSetupColumn("values", ImGuiTableColumnFlags_WidthFixed, 4 * em());
    ImGui::TableSetupColumn("##chance", ImGuiTableColumnFlags_WidthFixed, 10 * em());
    ImGui::TableHeadersRow();
    const double most = std::max(1e-9, importance_.parameters.front().importance);
    for (const tuner::ParameterImportance& p : importance_.parameters) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      const std::string name(name_of(p.param));
      if (ImGui::Selectable(name.c_str(), chosen_ == p.param,
                            ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap)) {
        chosen_ = p.param;
        pressed_ = true;
        read_values();
      }
      ImGui::TableNextColumn();
      bar(p.importance / most, p.beyond_chance ? frame.look.accent() : frame.look.quiet(),
          ImGui::GetColorU32(ImGuiCol_FrameBg));
      ImGui::TableNextColumn();
      number(fmt::format("{:.1f} %", 100 * p.importance));
      ImGui::TableNextColumn();
      number(std::to_string(p.values));
      ImGui::TableNextColumn();
      if (!p.beyond_chance) ImGui::TextDisabled("no more than chance");
    }
    ImGui::EndTable();
  }

  void draw_values(const Frame& frame) const {
    if (!chosen_ || values_.empty()) return;
    ImGui::SeparatorText(fmt::format("Values of {}", name_of(*chosen_)).c_str());
    for (const tuner::Parameter& p : tuner::parameters()) {
      if (p.id == *chosen_) dim_text(frame.look, std::string(p.reason) + ".");
    }
    constexpr ImGuiTableFlags kFlags =
        ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX | ImGuiTableFlags_RowBg | ImGuiTableFlags_ScrollY;
    if (!ImGui::BeginTable("values", 5, kFlags, {0, std::max(5 * em(), ImGui::GetContentRegionAvail().y)})) return;
    ImGui::TableSetupScrollFreeze(0, 1);
    ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthFixed, 8 * em());
    ImGui::TableSetupColumn("GFLOP/s: the best, and the median as a tick", ImGuiTableColumnFlags_WidthStretch);
    ImGui::TableSetupColumn("best", ImGuiTableColumnFlags_WidthFixed, 5 * em());
    ImGui::TableSetupColumn("median", ImGuiTableColumnFlags_WidthFixed, 5 * em());
    ImGui::TableSetupColumn("in the best share", ImGuiTableColumnFlags_WidthFixed, 9 * em());
    ImGui::TableHeadersRow();
    double most = 0;
    for (const ValueEffect& v : values_) most = std::max(most, v.best);
    for (const ValueEffect& v : values_) {
      ImGui::TableNextRow();
      ImGui::TableNextColumn();
      ImGui::TextUnformatted(tuner::value_text(*chosen_, v.value).c_str());
      ImGui::TableNextColumn();
      bar(v.best / most, value_colour(v.best / most), ImGui::GetColorU32(ImGuiCol_FrameBg), v.median / most,
          ImGui::GetColorU32(ImGuiCol_Text));
      ImGui::TableNextColumn();
      number(number_text(v.best, 1));
      ImGui::TableNextColumn();
      number(number_text(v.median, 1));
      ImGui::TableNextColumn();
      number(fmt::format("{} of {}", v.top, v.trials));
    }
    ImGui::EndTable();
  }

  tuner::Importance importance_;
  std::optional<tuner::Param> chosen_;
  bool pressed_ = false;  // by the person
  std::vector<ValueEffect> values_;
};

}  // namespace

std::unique_ptr<View> make_importance_view() { return std::make_unique<ImportanceView>(); }

}  // namespace gemwright::app::gui
