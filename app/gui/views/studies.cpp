// The left rail: what there is, how good it is, whether it is still running.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/gui/fields.h"
#include "app/gui/steering.h"
#include "app/gui/widgets.h"
#include "app/model/run_view.h"

namespace gemwright::app::gui {
namespace {

tuner::TrialState mark_of(const StudyFigures& f) {
  using tuner::StudyState;
  using tuner::TrialState;
  if (f.abandoned()) return TrialState::cancelled;
  switch (f.study.state) {
    case StudyState::running:
      return TrialState::running;
    case StudyState::finished:
      return TrialState::ok;
    case StudyState::interrupted:
      return TrialState::cancelled;
    case StudyState::failed:
      break;
  }
  return TrialState::crashed;
}

std::string speed_text(const StudyFigures& f) {
  if (!f.best) return state_text(f);
  std::string text = number_text(f.best->gflops, 1) + " GFLOP/s";
  if (f.best->ratio) text += fmt::format("  {:.2f}x", *f.best->ratio);
  if (ratio_text(f.best->ratio, f.best->ratio_lo, f.best->ratio_hi).ends_with(" unsteady")) text += " unsteady";
  if (f.paused) text += "  paused";
  return text;
}

// Whether a line of text is in sight from top to bottom: half a line at the end of a list is worse than none.
bool is_whole(const ImDrawList& list, float top) {
  return top + 1 >= list.GetClipRectMin().y && top + ImGui::GetTextLineHeight() <= list.GetClipRectMax().y + 1;
}

// A text in a clip of its own, so that a long name never runs into the next column.
void clipped(ImDrawList& list, ImVec2 at, float right, ImU32 colour, const std::string& text) {
  if (!is_whole(list, at.y)) return;
  list.PushClipRect(at, {right, at.y + 1.5f * em()}, true);
  list.AddText(at, colour, text.c_str());
  list.PopClipRect();
}

class StudiesView : public View {
 public:
  const char* name() const override { return "studies"; }
  const char* title() const override { return "Studies"; }

  void draw(Frame& frame) override {
    ImGui::AlignTextToFramePadding();
    dim_text(frame.look, fmt::format("{} in all", frame.snapshot.studies()));
    ImGui::SameLine();
    copy_button(frame, *this);
    // What is wrong with a database is said first: its place may be far below.
    for (const DatabaseSnapshot& d : frame.snapshot.databases) {
      if (d.closed || d.absent) continue;
      const std::string error = frame.desk.error_of(d);
      if (!error.empty()) warning_text(frame.look, fmt::format("{}: {}", d.path.filename().string(), error));
    }
    if (ImGui::BeginChild("list", {0, 0}, ImGuiChildFlags_NavFlattened)) {
      // While the docks settle, and when the window is resized, rows are aligned anew.
      const bool another = frame.selection.study() != followed_, resized = ImGui::GetWindowHeight() != height_;
      followed_ = frame.selection.study();
      height_ = ImGui::GetWindowHeight();
      scroll_ = followed_.has_value() && (another || resized);
      float first = 0;
      for (const DatabaseSnapshot& d : frame.snapshot.databases) {
        if (!d.closed) first = draw_database(frame, d);
      }
      end_on_a_row(first);
      if (frame.database == nullptr) empty_state(frame.look, "No database", "Ctrl+O opens one.");
    }
    ImGui::EndChild();
  }

  std::string as_text(const Frame& frame) const override {
    std::string out;
    for (const DatabaseSnapshot& d : frame.snapshot.databases) {
      if (d.closed) continue;
      std::vector<StudyFigures> figures;
      for (const auto& s : d.studies) figures.push_back(s->figures);
      out += d.path.string() + "\n" + (d.error.empty() ? "" : d.error + "\n") + studies_table(figures);
    }
    return out;
  }

 private:
  // Whole pixels, as rows are placed.
  static float row_height() { return std::floor(3 * ImGui::GetTextLineHeight() + 0.5f * em()); }
  static float row_pitch() { return std::floor(row_height() + ImGui::GetStyle().ItemSpacing.y); }

  // Brings a row into the middle, so that another one begins where the list begins: none is cut there. `header` and
  // `first`: where its database and that one's rows begin.
  static void scroll_to(std::size_t row, float header, float first) {
    const float window = ImGui::GetWindowHeight(), top = ImGui::GetScrollY();
    const float at = first + static_cast<float>(row) * row_pitch();
    if (at >= top && at + row_height() <= top + window) {
      const float aligned = first + std::floor((top - first) / row_pitch()) * row_pitch();
      if (top > first) ImGui::SetScrollY(at + row_height() <= aligned + window ? aligned : aligned + row_pitch());
      return;
    }
    const float above = std::max(0.0f, std::floor((std::floor(window / row_pitch()) - 1) / 2));
    ImGui::SetScrollY(static_cast<float>(row) <= above ? header : at - above * row_pitch());
  }

  // Room below the last row, so that at the end of the list, too, a row begins where the list begins.
  static void end_on_a_row(float first) {
    const float over = ImGui::GetCursorPosY() - ImGui::GetWindowHeight() - first;
    if (over > 0) ImGui::Dummy({0, std::ceil(over / row_pitch()) * row_pitch() - over});
  }

  // The newest first. Where its rows begin.
  float draw_database(Frame& frame, const DatabaseSnapshot& d) const {
    ImGui::PushID(d.path.c_str());
    const float header = ImGui::GetCursorPosY();
    ImGui::SeparatorText(d.path.filename().c_str());
    ImGui::SetItemTooltip("%s", d.path.c_str());
    if (ImGui::BeginPopupContextItem("database")) {
      if (ImGui::MenuItem("Close")) frame.desk.close(d.path);
      ImGui::EndPopup();
    }
    if (!d.error.empty() && frame.desk.error_of(d).empty()) {
      dim_text(frame.look, "its first study is being prepared");
    } else if (!d.error.empty()) {
      dim_text(frame.look, d.absent ? "does not exist yet: the first study makes it" : "could not be read: see above");
    } else if (!d.loaded) {
      dim_text(frame.look, "is being read");
    } else if (d.studies.empty()) {
      dim_text(frame.look, "holds no study yet");
    }
    const float first = ImGui::GetCursorPosY();
    const std::size_t count = d.studies.size();
    for (std::size_t i = 0; scroll_ && i < count; ++i) {
      if (d.studies[count - 1 - i]->ref == followed_) scroll_to(i, header, first);
    }
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(count), row_pitch());
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        draw_study(frame, *d.studies[count - 1 - static_cast<std::size_t>(i)]);
      }
    }
    ImGui::PopID();
    return first;
  }

  void draw_study(Frame& frame, const StudySnapshot& s) const {
    const tuner::StudyRecord& r = s.record();
    ImGui::PushID(static_cast<int>(r.id));
    const float line = ImGui::GetTextLineHeight(), width = ImGui::GetContentRegionAvail().x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool selected = frame.selection.study() == s.ref;
    if (ImGui::Selectable("##study", selected, 0, {0, row_height()})) frame.selection.select(s.ref);
    if (ImGui::BeginPopupContextItem("study")) {
      frame.selection.select(s.ref);
      steer_menu(frame, s);
      ImGui::EndPopup();
    }
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const StateMark mark = frame.look.mark(mark_of(s.figures));
    const float lines[] = {at.y + 0.15f * em(), at.y + line + 0.2f * em(), at.y + 2 * line + 0.25f * em()};
    if (is_whole(list, lines[0])) {
      draw_marker(list, mark.marker, {at.x + 0.6f * em(), lines[0] + line / 2}, 0.3f * em(), mark.colour);
    }
    const float x = at.x + 1.5f * em(), right = at.x + width;
    const ImU32 text = ImGui::GetColorU32(ImGuiCol_Text), dim = frame.look.dim();
    const std::string name = r.attributes.name.empty() ? fmt::format("study {}", r.id) : r.attributes.name;
    const std::string trials = fmt::format("{} trial{}", r.trials, r.trials == 1 ? "" : "s");
    const float trials_width = ImGui::CalcTextSize(trials.c_str()).x;
    clipped(list, {x, lines[0]}, right - trials_width - em(), text, name);
    clipped(list, {right - trials_width - 0.3f * em(), lines[0]}, right, dim, trials);
    const std::string how = fmt::format("{} {}t", tuner::precision_text(r.key), r.key.device.threads);
    const float how_width = ImGui::CalcTextSize(how.c_str()).x;
    clipped(list, {x, lines[1]}, right - how_width - 0.6f * em(), dim,
            fmt::format("{}x{}x{}", r.key.m, r.key.problem.n, r.key.problem.k));
    clipped(list, {right - how_width - 0.3f * em(), lines[1]}, right, dim, how);
    clipped(list, {x, lines[2]}, right, text, speed_text(s.figures));
    ImGui::PopID();
  }

  std::optional<StudyRef> followed_;
  bool scroll_ = false;
  float height_ = 0;  // of the list
};

}  // namespace

std::unique_ptr<View> make_studies_view() { return std::make_unique<StudiesView>(); }

}  // namespace gemwright::app::gui
