#include "app/gui/widgets.h"

#include <fmt/format.h>
#include <implot.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "app/model/database_name.h"
#include "app/model/run_view.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

constexpr std::size_t kMaxFilter = 1000;

ImVec2 operator+(ImVec2 a, ImVec2 b) { return {a.x + b.x, a.y + b.y}; }

}  // namespace

std::optional<std::size_t> Frame::selected_trial() const {
  if (!study || !selection.trial() || selection.trial()->study != study->ref) return std::nullopt;
  return study->find(selection.trial()->trial);
}

void heading(const Look& look, const std::string& text) {
  ImGui::PushFont(look.fonts.heading, kHeadingSize);
  ImGui::TextUnformatted(text.c_str());
  ImGui::PopFont();
}

void dim_text(const Look& look, const std::string& text) {
  ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(text.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
}

void empty_state(const Look& look, const std::string& what, const std::string& advice) {
  const ImVec2 space = ImGui::GetContentRegionAvail();
  const float width = std::min(space.x, 26 * em());
  ImGui::SetCursorPos(ImGui::GetCursorPos() + ImVec2((space.x - width) / 2, std::max(0.0f, space.y / 3 - 2 * em())));
  ImGui::BeginGroup();
  ImGui::PushTextWrapPos(ImGui::GetCursorPosX() + width);
  heading(look, what);
  ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
  ImGui::TextUnformatted(advice.c_str());
  ImGui::PopStyleColor();
  ImGui::PopTextWrapPos();
  ImGui::EndGroup();
}

void number(const std::string& text) {
  const float width = ImGui::CalcTextSize(text.c_str()).x;
  ImGui::SetCursorPosX(ImGui::GetCursorPosX() + std::max(0.0f, ImGui::GetContentRegionAvail().x - width));
  ImGui::TextUnformatted(text.c_str());
}

std::string with_ellipsis(const std::string& text, float room) {
  if (ImGui::CalcTextSize(text.c_str()).x <= room) return text;
  constexpr const char* kDots = "...";
  const float dots = ImGui::CalcTextSize(kDots).x;
  std::size_t fits = 0;
  for (std::size_t step = text.size(); step > 0; step /= 2) {
    while (fits + step <= text.size() && ImGui::CalcTextSize(text.data(), text.data() + fits + step).x <= room - dots) {
      fits += step;
    }
  }
  // Not in the middle of a letter of several bytes.
  while (fits > 0 && (static_cast<unsigned char>(text[fits]) & 0xC0) == 0x80) --fits;
  return text.substr(0, fits) + kDots;
}

void ellipsis_text(const std::string& text) {
  ImGui::TextUnformatted(with_ellipsis(text, ImGui::GetContentRegionAvail().x).c_str());
}

void draw_marker(ImDrawList& list, int marker, ImVec2 c, float r, ImU32 colour) {
  const float line = std::max(1.0f, r / 3);
  switch (marker) {
    case ImPlotMarker_Square:
      return list.AddRectFilled({c.x - r, c.y - r}, {c.x + r, c.y + r}, colour);
    case ImPlotMarker_Diamond:
      return list.AddQuadFilled({c.x - r, c.y}, {c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, colour);
    case ImPlotMarker_Up:
      return list.AddTriangleFilled({c.x - r, c.y + r}, {c.x, c.y - r}, {c.x + r, c.y + r}, colour);
    case ImPlotMarker_Down:
      return list.AddTriangleFilled({c.x - r, c.y - r}, {c.x + r, c.y - r}, {c.x, c.y + r}, colour);
    case ImPlotMarker_Right:
      return list.AddTriangleFilled({c.x - r, c.y - r}, {c.x + r, c.y}, {c.x - r, c.y + r}, colour);
    case ImPlotMarker_Cross:
      list.AddLine({c.x - r, c.y - r}, {c.x + r, c.y + r}, colour, line);
      return list.AddLine({c.x - r, c.y + r}, {c.x + r, c.y - r}, colour, line);
    case ImPlotMarker_Plus:
      list.AddLine({c.x - r, c.y}, {c.x + r, c.y}, colour, line);
      return list.AddLine({c.x, c.y - r}, {c.x, c.y + r}, colour, line);
    case kHollow + ImPlotMarker_Square:
      return list.AddRect({c.x - r, c.y - r}, {c.x + r, c.y + r}, colour, 0, line);
    case kHollow + ImPlotMarker_Diamond:
      return list.AddQuad({c.x - r, c.y}, {c.x, c.y - r}, {c.x + r, c.y}, {c.x, c.y + r}, colour, line);
    case kHollow + ImPlotMarker_Up:
      return list.AddTriangle({c.x - r, c.y + r}, {c.x, c.y - r}, {c.x + r, c.y + r}, colour, line);
    case kHollow + ImPlotMarker_Circle:
      return list.AddCircle(c, r, colour, 0, line);
    case kBars:
      list.AddRectFilled({c.x - 0.8f * r, c.y - r}, {c.x - 0.25f * r, c.y + r}, colour);
      return list.AddRectFilled({c.x + 0.25f * r, c.y - r}, {c.x + 0.8f * r, c.y + r}, colour);
    default:
      return list.AddCircleFilled(c, r, colour);
  }
}

float line_row() { return ImGui::GetTextLineHeight() + 2 * ImGui::GetStyle().CellPadding.y; }

float whole_rows(float row) {
  const float header = line_row();
  return header + std::max(1.0f, std::floor((ImGui::GetContentRegionAvail().y - header) / row)) * row;
}

void state_mark(const Look& look, tuner::TrialState state) { draw_mark(look.mark(state)); }

void draw_mark(const StateMark& mark) {
  const ImVec2 at = ImGui::GetCursorScreenPos();
  const float size = em();
  draw_marker(*ImGui::GetWindowDrawList(), mark.marker, at + ImVec2(size / 2, ImGui::GetTextLineHeight() / 2),
              size * 0.28f, mark.colour);
  ImGui::Dummy({size, ImGui::GetTextLineHeight()});
}

void filter_bar(Frame& frame, const View* view) {
  std::array<char, kMaxFilter> text{};
  const std::string& now = frame.selection.filter_text();
  std::copy_n(now.begin(), std::min(now.size(), text.size() - 1), text.begin());
  const std::string count = fmt::format("{} of {}{}", frame.table.rows().size(),
                                        frame.study ? frame.study->trials.size() : 0, frame.table.done() ? "" : " ...");
  const float right = ImGui::CalcTextSize("Copy as text").x + ImGui::CalcTextSize("000000 of 000000").x + 4 * em();
  ImGui::SetNextItemWidth(std::max(8 * em(), ImGui::GetContentRegionAvail().x - right));
  ImGui::SetNextItemShortcut(ImGuiMod_Ctrl | ImGuiKey_F, ImGuiInputFlags_RouteGlobal);
  if (ImGui::InputTextWithHint("##filter", "Filter (Ctrl+F): state=ok and mr>=4; id is the trial, study the study",
                               text.data(), text.size())) {
    frame.selection.set_filter(text.data());
  }
  const bool broken = !frame.selection.filter_error().empty() || !frame.table.error().empty();
  ImGui::SameLine();
  ImGui::AlignTextToFramePadding();
  ImGui::TextUnformatted(count.c_str());
  if (view != nullptr) {
    ImGui::SameLine();
    copy_button(frame, *view);
  }
  if (!broken) return;
  ImGui::PushStyleColor(ImGuiCol_Text, frame.look.warning());
  const std::string& reason =
      frame.selection.filter_error().empty() ? frame.table.error() : frame.selection.filter_error();
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(reason.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
}

std::string filter_text(const Selection& selection, const TrialTable& table) {
  // The trials are still those of the last valid one.
  if (!selection.filter_error().empty()) {
    return fmt::format("filter {}: {}", selection.filter_text(), selection.filter_error());
  }
  if (!selection.filtered()) return "";
  if (!table.study()) return fmt::format("filter {}", selection.filter_text());
  if (!table.error().empty()) return fmt::format("filter {}: not applied, see Trials", selection.filter_text());
  return fmt::format("filter {}: {} of {} trials{}", selection.filter_text(), table.rows().size(),
                     table.study()->trials.size(), table.done() ? "" : " ...");
}

void filter_line(const Frame& frame) {
  const std::string text = filter_text(frame.selection, frame.table);
  if (!text.empty()) dim_text(frame.look, text);
}

void copy_button(Frame& frame, const View& view) {
  const char* const label = "Copy as text";
  const float width = ImGui::CalcTextSize(label).x + 2 * ImGui::GetStyle().FramePadding.x;
  const float x = ImGui::GetCursorPosX() + ImGui::GetContentRegionAvail().x - width;
  if (ImGui::GetCursorPosX() < x) ImGui::SetCursorPosX(x);
  if (ImGui::Button(label)) frame.copy = &view;
}

bool begin_facts(const char* id) {
  if (!ImGui::BeginTable(id, 2, ImGuiTableFlags_SizingFixedFit)) return false;
  ImGui::TableSetupColumn("name", ImGuiTableColumnFlags_WidthFixed, 6.5f * em());
  ImGui::TableSetupColumn("value", ImGuiTableColumnFlags_WidthStretch);
  return true;
}

void fact_name(const Look& look, const char* name) {
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
  ImGui::TextUnformatted(name);
  ImGui::PopStyleColor();
  ImGui::TableNextColumn();
}

void fact(const Look& look, const char* name, const std::string& value) {
  fact_name(look, name);
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(value.empty() ? "-" : value.c_str());
  ImGui::PopTextWrapPos();
}

void end_facts() { ImGui::EndTable(); }

float popup_height() { return ImGui::GetMainViewport()->WorkSize.y - 6 * em(); }

void place_popup(float width) {
  const ImGuiViewport& screen = *ImGui::GetMainViewport();
  const float wide = std::min(width * em(), screen.WorkSize.x - 2 * em());
  ImGui::SetNextWindowPos({screen.GetCenter().x, screen.WorkPos.y + 3 * em()}, ImGuiCond_Always, {0.5f, 0});
  ImGui::SetNextWindowSizeConstraints({wide, 0}, {wide, popup_height()});
}

namespace {

// The first start: one button that tunes something small, and the way to everything else.
void offer_first_study(Frame& frame) {
  if (frame.database == nullptr) {
    return empty_state(frame.look, "No database is open", "Ctrl+O opens one; a file that does not exist is made.");
  }
  const TuningState& tuning = frame.desk.tuning();
  const std::string file = database_name(frame.snapshot, *frame.database);
  if (tuning.running) {
    return empty_state(frame.look, "The first study is being prepared", tuning_text(tuning));
  }
  empty_state(frame.look, "No study yet", example_sentence(file));
  const float left = ImGui::GetItemRectMin().x;
  ImGui::SetCursorScreenPos({left, ImGui::GetCursorScreenPos().y + 0.5f * em()});
  if (ImGui::Button("Tune the example")) frame.desk.start(example_form(), frame.database->path);
  ImGui::SameLine();
  if (ImGui::Button("New study...")) frame.show = "tune";
  // Why nothing came of it.
  if (tuning.lines.empty()) return;
  ImGui::SetCursorScreenPos({left, ImGui::GetCursorScreenPos().y + 0.5f * em()});
  dim_text(frame.look, tuning.lines.back().text);
}

}  // namespace

bool has_study(Frame& frame) {
  if (frame.study) return true;
  if (frame.snapshot.loading()) {
    empty_state(frame.look, "Reading the database", "The studies appear as soon as they are read.");
  } else if (frame.snapshot.studies() == 0) {
    offer_first_study(frame);
  } else {
    empty_state(frame.look, "No study is selected", "Choose one of those at the left.");
  }
  return false;
}

void trial_card(const Frame& frame, const StudySnapshot& study, std::size_t i) {
  if (!ImGui::BeginTooltip()) return;
  state_mark(frame.look, study.columns.state[i]);
  ImGui::SameLine();
  ImGui::Text("trial %lld  %s", static_cast<long long>(study.trials[i].id),
              frame.look.mark(study.columns.state[i]).words);
  if (study.columns.gflops[i]) {
    ImGui::Text("%s GFLOP/s   %s x baseline", cell_text(study, i, TrialColumn::gflops).c_str(),
                cell_text(study, i, TrialColumn::ratio).c_str());
  } else {
    ImGui::TextUnformatted(study.trials[i].reason.empty() ? "no figure"
                                                          : cell_text(study, i, TrialColumn::reason).c_str());
  }
  ImGui::PushFont(frame.look.fonts.code, kSmallSize);
  ImGui::TextUnformatted(cell_text(study, i, TrialColumn::config).c_str());
  ImGui::PopFont();
  ImGui::EndTooltip();
}

}  // namespace gemwright::app::gui
