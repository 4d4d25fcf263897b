// The left rail: what there is, how good it is, whether it is still running.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/gui/fields.h"
#include "app/gui/steering.h"
#include "app/gui/widgets.h"
#include "app/model/database_name.h"
#include "app/model/run_view.h"

namespace gemwright::app::gui {
namespace {

tuner::TrialState state_of(const StudyFigures& f) {
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

// What a row says. Where it is too narrow, `how` stands below `size`, and `speed` is wrapped between its parts.
struct RowText {
  std::string name, trials, size, how;
  std::vector<std::string> speed;
};

RowText row_text(const StudyFigures& f) {
  const tuner::StudyRecord& r = f.study;
  RowText t;
  t.name = r.attributes.name.empty() ? fmt::format("study {}", r.id) : r.attributes.name;
  t.trials = fmt::format("{} trial{}", r.trials, r.trials == 1 ? "" : "s");
  t.size = fmt::format("{}x{}x{}", r.key.m, r.key.problem.n, r.key.problem.k);
  t.how = fmt::format("{} {}t", tuner::precision_text(r.key), r.key.device.threads);
  if (!f.best) {
    t.speed = {state_text(f)};
    return t;
  }
  t.speed = {number_text(f.best->gflops, 1) + " GFLOP/s"};
  if (f.best->ratio) t.speed.push_back(fmt::format(" {:.2f}x", *f.best->ratio));
  if (ratio_text(f.best->ratio, f.best->ratio_lo, f.best->ratio_hi).ends_with(" unsteady")) {
    t.speed.emplace_back("unsteady");
  }
  return t;
}

float width_of(const std::string& text) { return ImGui::CalcTextSize(text.c_str()).x; }

// As many parts a line as there is room for.
std::vector<std::string> wrapped(const std::vector<std::string>& parts, float room) {
  std::vector<std::string> lines;
  for (const std::string& part : parts) {
    if (!lines.empty() && width_of(lines.back() + " " + part) <= room) {
      lines.back() += " " + part;
    } else {
      lines.push_back(part.substr(part.find_first_not_of(' ')));
    }
  }
  return lines;
}

// The rows of a list are of one height: that of the one with the most to say.
struct RowLines {
  std::size_t size = 1, speed = 1;
  std::size_t all() const { return 1 + size + speed; }
  bool operator==(const RowLines&) const = default;
};

float text_offset() { return 1.5f * em(); }

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
      if (!error.empty()) warning_text(frame.look, fmt::format("{}: {}", database_name(frame.snapshot, d), error));
    }
    if (ImGui::BeginChild("list", {0, 0}, ImGuiChildFlags_NavFlattened)) {
      // While the docks settle, and when the window is resized, rows are aligned anew.
      const bool another = frame.selection.study() != followed_, resized = ImGui::GetWindowHeight() != height_;
      followed_ = frame.selection.study();
      height_ = ImGui::GetWindowHeight();
      const bool relaid = lay_out(frame.snapshot);
      scroll_ = followed_.has_value() && (another || resized || relaid);
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
  float row_height() const {
    return std::floor(static_cast<float>(lines_.all()) * ImGui::GetTextLineHeight() + 0.5f * em());
  }
  float row_pitch() const { return std::floor(row_height() + ImGui::GetStyle().ItemSpacing.y); }

  // How many lines the rows take in the present width. True where that has changed.
  bool lay_out(const Snapshot& snapshot) {
    std::vector<std::shared_ptr<const StudySnapshot>> studies;
    for (const DatabaseSnapshot& d : snapshot.databases) {
      if (!d.closed) studies.insert(studies.end(), d.studies.begin(), d.studies.end());
    }
    const float width = ImGui::GetContentRegionAvail().x;
    if (studies == laid_out_ && width == width_ && em() == em_) return false;
    RowLines most;
    for (const auto& s : studies) {
      const RowText t = row_text(s->figures);
      const float room = width - text_offset();
      if (width_of(t.size) + width_of(t.how) + 0.6f * em() > room) most.size = 2;
      most.speed = std::max(most.speed, wrapped(t.speed, room).size());
    }
    laid_out_ = std::move(studies);
    width_ = width;
    em_ = em();
    return std::exchange(lines_, most) != most;
  }

  // Brings a row into the middle, so that another one begins where the list begins: none is cut there. `header` and
  // `first`: where its database and that one's rows begin.
  void scroll_to(std::size_t row, float header, float first) const {
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
  void end_on_a_row(float first) const {
    const float over = ImGui::GetCursorPosY() - ImGui::GetWindowHeight() - first;
    if (over > 0) ImGui::Dummy({0, std::ceil(over / row_pitch()) * row_pitch() - over});
  }

  // The newest first. Where its rows begin.
  float draw_database(Frame& frame, const DatabaseSnapshot& d) const {
    ImGui::PushID(d.path.c_str());
    const float header = ImGui::GetCursorPosY();
    ImGui::SeparatorText(database_name(frame.snapshot, d).c_str());
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
    const float width = ImGui::GetContentRegionAvail().x;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const bool selected = frame.selection.study() == s.ref;
    if (ImGui::Selectable("##study", selected, 0, {0, row_height()})) frame.selection.select(s.ref);
    if (ImGui::BeginPopupContextItem("study")) {
      frame.selection.select(s.ref);
      steer_menu(frame, s);
      ImGui::EndPopup();
    }
    draw_text(frame.look, s.figures, at, at.x + width);
    ImGui::PopID();
  }

  void draw_text(const Look& look, const StudyFigures& f, ImVec2 at, float right) const {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float line = ImGui::GetTextLineHeight(), x = at.x + text_offset();
    const auto top = [&](std::size_t i) { return at.y + static_cast<float>(i) * (line + 0.05f * em()) + 0.15f * em(); };
    const bool paused = f.paused && f.best;
    const StateMark mark = f.paused ? StateMark{look.dim(), kBars, "paused"} : look.mark(state_of(f));
    if (is_whole(list, top(0))) {
      draw_marker(list, mark.marker, {at.x + 0.6f * em(), top(0) + line / 2}, 0.3f * em(), mark.colour);
    }
    const ImU32 text = ImGui::GetColorU32(ImGuiCol_Text), dim = look.dim();
    RowText t = row_text(f);
    // Beside the speed there is no room for it.
    if (paused) {
      t.trials = fmt::format("paused at {}", f.study.trials);
      if (width_of(t.name) + width_of(t.trials) + em() > right - x) t.trials = mark.words;
    }
    clipped(list, {x, top(0)}, right - width_of(t.trials) - em(), text, t.name);
    clipped(list, {right - width_of(t.trials) - 0.3f * em(), top(0)}, right, dim, t.trials);
    const float how = lines_.size > 1 ? x : right - width_of(t.how) - 0.3f * em();
    clipped(list, {x, top(1)}, lines_.size > 1 ? right : how - 0.3f * em(), dim, t.size);
    clipped(list, {how, top(lines_.size)}, right, dim, t.how);
    std::size_t next = 1 + lines_.size;
    for (const std::string& words : wrapped(t.speed, right - x)) clipped(list, {x, top(next++)}, right, text, words);
  }

  std::optional<StudyRef> followed_;
  bool scroll_ = false;
  float height_ = 0;  // of the list
  RowLines lines_;
  // Of which they are.
  std::vector<std::shared_ptr<const StudySnapshot>> laid_out_;
  float width_ = 0, em_ = 0;
};

}  // namespace

std::unique_ptr<View> make_studies_view() { return std::make_unique<StudiesView>(); }

}  // namespace gemwright::app::gui
