// The left rail: what there is, how good it is, whether it is still running.
#include <fmt/format.h>

#include <algorithm>

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
  if (f.paused) text += "  paused";
  return text;
}

// A text in a clip of its own, so that a long name never runs into the next column.
void clipped(ImDrawList& list, ImVec2 at, float right, ImU32 colour, const std::string& text) {
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
    scroll_ = frame.selection.study() != followed_ && frame.selection.study().has_value();
    followed_ = frame.selection.study();
    // What is wrong with a database is said first: its place may be far below.
    for (const DatabaseSnapshot& d : frame.snapshot.databases) {
      if (!d.closed && !d.absent && !d.error.empty()) {
        warning_text(frame.look, fmt::format("{}: {}", d.path.filename().string(), d.error));
      }
    }
    if (ImGui::BeginChild("list", {0, 0}, ImGuiChildFlags_NavFlattened)) {
      for (const DatabaseSnapshot& d : frame.snapshot.databases) {
        if (!d.closed) draw_database(frame, d);
      }
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
  void draw_database(Frame& frame, const DatabaseSnapshot& d) const {
    ImGui::PushID(d.path.c_str());
    ImGui::SeparatorText(d.path.filename().c_str());
    ImGui::SetItemTooltip("%s", d.path.c_str());
    if (ImGui::BeginPopupContextItem("database")) {
      if (ImGui::MenuItem("Close")) frame.desk.close(d.path);
      ImGui::EndPopup();
    }
    if (!d.error.empty()) {
      dim_text(frame.look, d.absent ? "does not exist yet: the first study makes it" : "could not be read: see above");
    } else if (!d.loaded) {
      dim_text(frame.look, "is being read");
    } else if (d.studies.empty()) {
      dim_text(frame.look, "holds no study yet");
    }
    ImGuiListClipper clipper;
    clipper.Begin(static_cast<int>(d.studies.size()));
    for (std::size_t i = 0; scroll_ && i < d.studies.size(); ++i) {
      if (d.studies[i]->ref == followed_) clipper.IncludeItemByIndex(static_cast<int>(i));
    }
    while (clipper.Step()) {
      for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) {
        draw_study(frame, *d.studies[static_cast<std::size_t>(i)]);
      }
    }
    ImGui::PopID();
  }

  void draw_study(Frame& frame, const StudySnapshot& s) const {
    const tuner::StudyRecord& r = s.record();
    ImGui::PushID(static_cast<int>(r.id));
    const float line = ImGui::GetTextLineHeight(), width = ImGui::GetContentRegionAvail().x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool selected = frame.selection.study() == s.ref;
    if (ImGui::Selectable("##study", selected, 0, {0, 3 * line + 0.5f * em()})) frame.selection.select(s.ref);
    if (selected && scroll_ && !ImGui::IsItemVisible()) ImGui::SetScrollHereY(0.5f);
    if (ImGui::BeginPopupContextItem("study")) {
      frame.selection.select(s.ref);
      steer_menu(frame, s);
      ImGui::EndPopup();
    }
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const StateMark mark = frame.look.mark(mark_of(s.figures));
    draw_marker(list, mark.marker, {at.x + 0.6f * em(), at.y + line / 2 + 0.15f * em()}, 0.3f * em(), mark.colour);
    const float x = at.x + 1.5f * em(), right = at.x + width;
    const ImU32 text = ImGui::GetColorU32(ImGuiCol_Text), dim = frame.look.dim();
    const std::string name = r.attributes.name.empty() ? fmt::format("study {}", r.id) : r.attributes.name;
    const std::string trials = fmt::format("{} trial{}", r.trials, r.trials == 1 ? "" : "s");
    const float trials_width = ImGui::CalcTextSize(trials.c_str()).x;
    clipped(list, {x, at.y + 0.15f * em()}, right - trials_width - em(), text, name);
    list.AddText({right - trials_width - 0.3f * em(), at.y + 0.15f * em()}, dim, trials.c_str());
    const std::string how = fmt::format("{} {}t", tuner::precision_text(r.key), r.key.device.threads);
    const float how_width = ImGui::CalcTextSize(how.c_str()).x;
    clipped(list, {x, at.y + line + 0.2f * em()}, right - how_width - 0.6f * em(), dim,
            fmt::format("{}x{}x{}", r.key.m, r.key.problem.n, r.key.problem.k));
    list.AddText({right - how_width - 0.3f * em(), at.y + line + 0.2f * em()}, dim, how.c_str());
    clipped(list, {x, at.y + 2 * line + 0.25f * em()}, right, text, speed_text(s.figures));
    ImGui::PopID();
  }

  std::optional<StudyRef> followed_;
  bool scroll_ = false;
};

}  // namespace

std::unique_ptr<View> make_studies_view() { return std::make_unique<StudiesView>(); }

}  // namespace gemwright::app::gui
