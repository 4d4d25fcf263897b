// The header that a build would get, what it changes in the file on disk, and writing it.
#include <fmt/format.h>

#include "app/gui/fields.h"
#include "app/gui/widgets.h"
#include "app/model/database_name.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

constexpr float kNames = 6, kShort = 9;
constexpr std::size_t kMaxLine = 400;

class ExportView : public View {
 public:
  const char* name() const override { return "export"; }
  const char* title() const override { return "Export"; }

  void draw(Frame& frame) override {
    if (!has_study(frame) || frame.database == nullptr) return;
    const ExportState& state = frame.desk.export_state(*frame.database);
    heading(frame.look, "Header of " + database_name(frame.snapshot, *frame.database));
    ImGui::SameLine();
    copy_button(frame, *this);
    draw_options(frame);
    draw_summary(frame, state);
    if (state.plan && ImGui::BeginTabBar("parts", ImGuiTabBarFlags_DrawSelectedOverline)) {
      if (ImGui::BeginTabItem("Header")) {
        draw_header(frame, state);
        ImGui::EndTabItem();
      }
      if (ImGui::BeginTabItem("Changes")) {
        draw_changes(frame, state);
        ImGui::EndTabItem();
      }
      ImGui::EndTabBar();
    }
  }

  std::string as_text(const Frame& frame) const override {
    if (frame.database == nullptr || !frame.study) return "";
    const ExportState& state = frame.desk.export_state(*frame.database);
    if (!state.plan) return state.error.empty() ? "The header is being planned\n" : state.error + "\n";
    return state.plan->text;
  }

 private:
  static void draw_options(Frame& frame) {
    ExportOptions& o = frame.desk.export_options;
    if (!begin_form("options", kNames)) return;
    form_row(frame.look, "file");
    text_field("##output", "the header to write", frame.desk.export_file);
    form_row(frame.look, "style");
    ImGui::SetNextItemWidth(kShort * em());
    choice_field("##style", o.style, {"standalone", "library"});
    ImGui::SameLine(0, em());
    ImGui::TextUnformatted("largest regret");
    ImGui::SameLine(0, 0.6f * em());
    ImGui::SetNextItemWidth(5 * em());
    text_field("##regret", "2%", o.max_regret);
    form_row(frame.look, "namespace");
    ImGui::SetNextItemWidth(kShort * em());
    text_field("##namespace", "tuned", o.name_space);
    ImGui::SameLine(0, em());
    ImGui::TextUnformatted("studies");
    ImGui::SameLine(0, 0.6f * em());
    ImGui::SetNextItemWidth(-1);
    text_field("##studies", "all; or threads=1 and name=qkv", o.filter);
    end_form();
  }

  static std::string against_file(const Frame& frame, const ExportState& state) {
    const std::string& file = frame.desk.export_file;
    if (!state.file.exists) return fmt::format("{} does not exist yet", file);
    if (!state.file_error.empty()) return state.file_error;
    if (state.diff.lines.empty()) return fmt::format("{} holds this already", file);
    return fmt::format("{}: {} line{}, {} come{}", file, state.diff.removed, state.diff.removed == 1 ? " goes" : "s go",
                       state.diff.added, state.diff.added == 1 ? "s" : "");
  }

  // The sentence is that of the command line; here the option is a field.
  static std::string in_window_words(std::string text) {
    constexpr std::string_view kOption = "--filter";
    const auto at = text.find(kOption);
    return at == std::string::npos ? text : text.replace(at, kOption.size(), "the field studies");
  }

  static void draw_summary(Frame& frame, const ExportState& state) {
    ImGui::BeginDisabled(!state.plan || state.busy || frame.desk.export_file.empty());
    if (ImGui::Button("Write")) frame.desk.write_export(*frame.database);
    ImGui::EndDisabled();
    ImGui::SameLine();
    ImGui::AlignTextToFramePadding();
    if (state.busy && !state.plan) return dim_text(frame.look, "The header is being planned");
    if (!state.plan) return warning_text(frame.look, in_window_words(state.error));
    ImGui::TextUnformatted(export_text(*state.plan).c_str());
    ImGui::SameLine(0, em());
    dim_text(frame.look, against_file(frame, state) + (state.busy ? "; is being planned again" : ""));
    if (state.foreign) {
      warning_text(frame.look, fmt::format("{} was not written by gemwright: {}.", frame.desk.export_file,
                                           frame.desk.asks_to_replace() ? "press Write once more to replace it"
                                                                        : "Write asks before it replaces it"));
    }
    std::string names;
    for (const std::string& n : state.plan->namespaces) names += (names.empty() ? "" : ", ") + n;
    dim_text(frame.look, tuner::printable(names, kMaxLine));
    draw_notes(frame.look, state.plan->notes);
  }

  // A list that is longer than this scrolls: the header below keeps its space.
  static void draw_notes(const Look& look, const std::vector<std::string>& notes) {
    if (notes.empty()) return;
    constexpr float kMostLines = 6;
    ImGui::SetNextWindowSizeConstraints({0, 0}, {1e6f, kMostLines * ImGui::GetTextLineHeightWithSpacing()});
    if (ImGui::BeginChild("notes", {0, 0}, ImGuiChildFlags_AutoResizeY | ImGuiChildFlags_NavFlattened)) {
      for (const std::string& note : notes) warning_text(look, note);
    }
    ImGui::EndChild();
  }

  static void draw_header(const Frame& frame, const ExportState& state) {
    if (ImGui::BeginChild("header", {0, 0}, ImGuiChildFlags_Borders, ImGuiWindowFlags_HorizontalScrollbar)) {
      code_lines(frame.look, state.lines.size(), [&](std::size_t i) {
        const std::string_view line = state.lines[i].substr(0, kMaxLine);
        ImGui::TextDisabled("%6zu ", i + 1);
        ImGui::SameLine(0, 0);
        ImGui::TextUnformatted(line.data(), line.data() + line.size());
      });
    }
    ImGui::EndChild();
  }

  static void draw_changes(const Frame& frame, const ExportState& state) {
    if (state.diff.lines.empty()) {
      return empty_state(frame.look, state.file.exists ? "Nothing changes" : "A new file",
                         against_file(frame, state) + ".");
    }
    if (ImGui::BeginChild("changes", {0, 0}, ImGuiChildFlags_Borders, ImGuiWindowFlags_HorizontalScrollbar)) {
      code_lines(frame.look, state.diff.lines.size(), [&](std::size_t i) {
        const std::string line = state.diff.lines[i].substr(0, kMaxLine);
        const ImU32 colour = line[0] == '+'   ? frame.look.pin(false)
                             : line[0] == '-' ? frame.look.warning()
                             : line[0] == '@' ? frame.look.dim()
                                              : ImGui::GetColorU32(ImGuiCol_Text);
        ImGui::PushStyleColor(ImGuiCol_Text, colour);
        ImGui::TextUnformatted(line.c_str());
        ImGui::PopStyleColor();
      });
    }
    ImGui::EndChild();
  }
};

}  // namespace

std::unique_ptr<View> make_export_view() { return std::make_unique<ExportView>(); }

}  // namespace gemwright::app::gui
