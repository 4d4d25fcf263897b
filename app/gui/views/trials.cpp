// Every trial as a row of its figures, with the config below them: it is longer than any column. Failed ones have their
// reason.
#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>

#include "app/gui/steering.h"
#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// In letters. Of the reason the least: it takes what is left.
constexpr std::array<float, kTrialColumns> kWidths{3.5f, 6, 5, 8, 4, 4, 0, 4, 7};

class TrialsView : public View {
 public:
  const char* name() const override { return "trials"; }
  const char* title() const override { return "Trials"; }

  void draw(Frame& frame) override {
    if (!has_study(frame)) return;
    filter_bar(frame, this);
    if (frame.study->trials.empty()) {
      return empty_state(frame.look, "No trial yet", "The first one appears when it was compiled and checked.");
    }
    if (frame.table.done() && frame.table.rows().empty()) {
      return empty_state(frame.look, "No trial matches the filter", "Esc in the filter takes back what was typed.");
    }
    draw_table(frame);
  }

  std::string as_text(const Frame& frame) const override { return frame.study ? frame.table.as_text() : ""; }
  std::function<std::string()> text_later(const Frame& frame) const override {
    return [table = frame.table] { return table.as_text(); };
  }

 private:
  void draw_table(Frame& frame) {
    constexpr ImGuiTableFlags kFlags = ImGuiTableFlags_Sortable | ImGuiTableFlags_ScrollY | ImGuiTableFlags_ScrollX |
                                       ImGuiTableFlags_RowBg | ImGuiTableFlags_Resizable | ImGuiTableFlags_Hideable |
                                       ImGuiTableFlags_Reorderable | ImGuiTableFlags_BordersInnerV |
                                       ImGuiTableFlags_SizingFixedFit | ImGuiTableFlags_PadOuterX |
                                       ImGuiTableFlags_NoBordersInBody;  // the config runs across
    look_for_reasons(*frame.study);
    float least = 0;
    for (std::size_t i = 0; i < kTrialColumns; ++i) {
      if (shows(static_cast<TrialColumn>(i))) least += kWidths[i] * em() + 2 * ImGui::GetStyle().CellPadding.x;
    }
    ImGui::PushFont(frame.look.fonts.code, kSmallSize);
    config_height_ = ImGui::GetTextLineHeight() + ImGui::GetStyle().CellPadding.y;
    ImGui::PopFont();
    const float row = line_row() + config_height_;
    // Narrower than it needs it scrolls.
    const float inner = std::max(least, ImGui::GetContentRegionAvail().x - ImGui::GetStyle().ScrollbarSize);
    if (!ImGui::BeginTable("rows", static_cast<int>(kTrialColumns), kFlags, {0, whole_rows(row)}, inner)) return;
    set_up_columns();
    sort(frame);
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(frame.table.rows().size()), row);
    follow(frame, clipper);
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        draw_row(frame, frame.table.rows()[static_cast<std::size_t>(i)]);
      }
    }
    ImGui::EndTable();
  }

  void set_up_columns() {
    ImGui::TableSetupScrollFreeze(1, 1);
    for (std::size_t i = 0; i < kTrialColumns; ++i) {
      const auto column = static_cast<TrialColumn>(i);
      const bool stretch = column == TrialColumn::reason;
      ImGuiTableColumnFlags flags = stretch ? ImGuiTableColumnFlags_WidthStretch : ImGuiTableColumnFlags_WidthFixed;
      if (column == TrialColumn::gflops) {
        flags |= ImGuiTableColumnFlags_DefaultSort | ImGuiTableColumnFlags_PreferSortDescending;
      }
      if (!is_cell(column) || (column == TrialColumn::reason && !has_reasons_)) flags |= ImGuiTableColumnFlags_Disabled;
      if (column == TrialColumn::origin) flags |= ImGuiTableColumnFlags_DefaultHide;
      ImGui::TableSetupColumn(info(column).title, flags, stretch ? 1 : kWidths[i] * em());
    }
    ImGui::TableHeadersRow();
    const auto origin = ImGui::TableGetColumnFlags(static_cast<int>(TrialColumn::origin));
    has_origins_ = (origin & ImGuiTableColumnFlags_IsEnabled) != 0;
  }

  static bool is_cell(TrialColumn column) { return column != TrialColumn::config; }

  // A column of reasons that nobody has is left out; origins are there for whoever asks for them in the table's menu.
  bool shows(TrialColumn column) const {
    if (!is_cell(column)) return false;
    if (column == TrialColumn::origin) return has_origins_;
    return column != TrialColumn::reason || has_reasons_;
  }

  void look_for_reasons(const StudySnapshot& study) {
    if (&study == looked_through_) return;
    looked_through_ = &study;
    has_reasons_ =
        std::any_of(study.trials.begin(), study.trials.end(), [](const tuner::Trial& t) { return !t.reason.empty(); });
  }

  static void sort(Frame& frame) {
    ImGuiTableSortSpecs* const specs = ImGui::TableGetSortSpecs();
    if (specs == nullptr || !specs->SpecsDirty || specs->SpecsCount < 1) return;
    frame.table.sort_by(static_cast<TrialColumn>(specs->Specs[0].ColumnIndex),
                        specs->Specs[0].SortDirection == ImGuiSortDirection_Descending);
    specs->SpecsDirty = false;
  }

  // What another view or the keys selected is scrolled to.
  void follow(const Frame& frame, ImGuiListClipper& clipper) {
    const auto& selected = frame.selection.trial();
    scroll_ = selected != followed_ && selected.has_value();
    followed_ = selected;
    if (!scroll_) return;
    if (const auto place = frame.table.place_of(selected->trial)) clipper.IncludeItemByIndex(static_cast<int>(*place));
  }

  void draw_row(Frame& frame, std::size_t trial) const {
    const StudySnapshot& s = *frame.study;
    const TrialRef ref{s.ref, s.trials[trial].id};
    const bool selected = frame.selection.trial() == ref;
    ImGui::TableNextRow(ImGuiTableRowFlags_None, line_row() + config_height_);
    if (frame.selection.hovered() == ref) {
      ImGui::TableSetBgColor(ImGuiTableBgTarget_RowBg1, ImGui::GetColorU32(ImGuiCol_HeaderHovered));
    }
    for (std::size_t c = 0; c < kTrialColumns; ++c) {
      if (!ImGui::TableSetColumnIndex(static_cast<int>(c))) continue;
      const auto column = static_cast<TrialColumn>(c);
      if (column == TrialColumn::id) {
        draw_handle(frame, ref, selected);
        continue;
      }
      if (column == TrialColumn::state) {
        draw_config(frame.look, cell_text(s, trial, TrialColumn::config));
        state_mark(frame.look, s.columns.state[trial]);
        ImGui::SameLine(0, 0.3f * em());
      }
      const std::string text = cell_text(s, trial, column);
      if (info(column).numeric) {
        number(text);
      } else {
        ellipsis_text(text);
      }
    }
  }

  // Below the figures, from the current column to the right end.
  void draw_config(const Look& look, const std::string& config) const {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float right = ImGui::GetCurrentTable()->InnerClipRect.Max.x - ImGui::GetStyle().CellPadding.x;
    // Text of a cell ends with its column.
    ImGui::TablePushBackgroundChannel();
    ImGui::PushFont(look.fonts.code, kSmallSize);
    ImGui::GetWindowDrawList()->AddText({at.x, at.y + line_row() - ImGui::GetStyle().CellPadding.y}, look.dim(),
                                        with_ellipsis(config, right - at.x).c_str());
    ImGui::PopFont();
    ImGui::TablePopBackgroundChannel();
  }

  // The number of the trial, with what makes the whole row one item.
  void draw_handle(Frame& frame, const TrialRef& ref, bool selected) const {
    const std::string id = fmt::format("##trial {}", ref.trial);
    if (ImGui::Selectable(id.c_str(), selected, ImGuiSelectableFlags_SpanAllColumns | ImGuiSelectableFlags_AllowOverlap,
                          {0, ImGui::GetTextLineHeight() + config_height_})) {
      frame.selection.select(ref);
    }
    if (ImGui::BeginPopupContextItem()) {
      if (ImGui::MenuItem("Measure again")) steer(frame, *frame.study, "again", std::to_string(ref.trial));
      if (ImGui::MenuItem("Pin as A")) frame.selection.pin(Selection::Side::a, ref);
      if (ImGui::MenuItem("Pin as B")) frame.selection.pin(Selection::Side::b, ref);
      ImGui::EndPopup();
    }
    if (selected && scroll_) ImGui::SetScrollHereY(0.5f);
    if (ImGui::IsItemHovered()) frame.selection.hover(ref);
    ImGui::SameLine(0, 0);
    number(std::to_string(ref.trial));
  }

  std::optional<TrialRef> followed_;
  bool scroll_ = false;
  const StudySnapshot* looked_through_ = nullptr;  // compared only
  bool has_reasons_ = false, has_origins_ = false;
  float config_height_ = 0;
};

}  // namespace

std::unique_ptr<View> make_trials_view() { return std::make_unique<TrialsView>(); }

}  // namespace gemwright::app::gui
