#include "app/gui/shell.h"

#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <chrono>

#include "app/gui/widgets.h"

namespace gemwright::app::gui {
namespace {

// Of the default layout: what the left rail and the inspector take of the width.
constexpr float kRail = 0.175f, kInspector = 0.21f;
// Rows that a frame filters: some milliseconds.
constexpr std::size_t kRowsAFrame = 1000;
// A window that is brought to the front while the docks settle.
constexpr int kFocusFrames = 3;
// A sentence in the status line stays this long, in seconds: enough to read it twice.
constexpr double kNoticeSeconds = 20;

std::shared_ptr<const StudySnapshot> shared(const Snapshot& snapshot, const std::optional<StudyRef>& study) {
  for (const DatabaseSnapshot& d : snapshot.databases) {
    for (const auto& s : d.studies) {
      if (study == s->ref) return s;
    }
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> view_names() {
  return {"studies", "run",  "trials",   "roofline",   "heatmap", "pareto", "compare",
          "export",  "tune", "parallel", "importance", "kernel",  "doctor"};
}

Shell::Shell(Desk& desk, const WindowSettings& settings, const std::string& view, std::string notice)
    : desk_(desk), settings_(settings), notice_(std::move(notice)) {
  desk_.recent = settings.recent;
  ImGuiIO& io = ImGui::GetIO();
  // Its default writes a file into the folder where the program was started.
  io.IniFilename = nullptr;
  io.ConfigFlags |= ImGuiConfigFlags_NavEnableKeyboard | ImGuiConfigFlags_DockingEnable;
  io.ConfigInputTextCursorBlink = false;
  io.ConfigWindowsMoveFromTitleBarOnly = true;
  if (!settings.docking.empty()) ImGui::LoadIniSettingsFromMemory(settings.docking.data(), settings.docking.size());
  look_.fonts = load_fonts();
  look_.theme = settings.theme;
  views_.push_back(make_studies_view());
  views_.push_back(make_run_view());
  views_.push_back(make_trials_view());
  views_.push_back(make_roofline_view());
  views_.push_back(make_heatmap_view());
  views_.push_back(make_pareto_view());
  views_.push_back(make_compare_view());
  views_.push_back(make_export_view());
  views_.push_back(make_tune_view());
  views_.push_back(make_parallel_view());
  views_.push_back(make_importance_view());
  views_.push_back(make_kernel_view());
  views_.push_back(make_doctor_view());
  views_.push_back(make_inspector());
  shown_ = find(view.empty() ? settings.view : view) == nullptr ? "run" : (view.empty() ? settings.view : view);
  // A side panel is there beside a view of the centre, which alone has a tab to be in front.
  if (is_side(*find(shown_))) {
    asked_ = shown_;
    const View* const last = find(settings.view);
    shown_ = last == nullptr || is_side(*last) ? "run" : settings.view;
  }
  focus_ = shown_;
  focus_frames_ = kFocusFrames;
  add_commands();
}

Shell::~Shell() = default;

View* Shell::find(const std::string& name) {
  const auto it = std::find_if(views_.begin(), views_.end(), [&](const auto& v) { return v->name() == name; });
  return it == views_.end() ? nullptr : it->get();
}

void Shell::show(std::shared_ptr<const Snapshot> snapshot) {
  for (std::size_t i = 0; i < std::min(snapshot_->databases.size(), snapshot->databases.size()); ++i) {
    const auto& before = snapshot_->databases[i].file;
    if (before && before != snapshot->databases[i].file) selection_.forget(static_cast<int>(i));
  }
  snapshot_ = std::move(snapshot);
  if (const auto begun = desk_.study_to_follow(*snapshot_)) selection_.select(*begun);
  for (const DatabaseSnapshot& d : snapshot_->databases) {
    for (const auto& s : d.studies) {
      if (s->ref.study != wanted_study_) continue;
      wanted_study_.reset();
      selection_.select(s->ref);
    }
  }
  if (snapshot_->find(selection_.study()) != nullptr) return;
  // The study that was touched last.
  const StudySnapshot* newest = nullptr;
  for (const DatabaseSnapshot& d : snapshot_->databases) {
    for (const auto& s : d.studies) {
      if (newest == nullptr || s->record().updated_at > newest->record().updated_at) newest = s.get();
    }
  }
  if (newest != nullptr) selection_.select(newest->ref);
}

void Shell::screen_scale(float scale) {
  if (scale == screen_scale_) return;
  screen_scale_ = scale;
  look_changed_ = true;
}

void Shell::scale_by(double factor) {
  settings_.scale = std::clamp(factor == 0 ? 1.0 : settings_.scale * factor, kMinScale, kMaxScale);
  look_changed_ = true;
}

void Shell::before_frame() {
  if (!look_changed_) return;
  look_changed_ = false;
  look_.theme = settings_.theme;
  look_.scale = screen_scale_ * static_cast<float>(settings_.scale);
  apply(look_);
}

bool Shell::wants_frame() const {
  return !table_.done() || selection_.hover_changed() || focus_frames_ > 0 || look_changed_ || open_prompt_ ||
         copying() || busy_;
}

WindowSettings Shell::settings() const {
  WindowSettings s = settings_;
  s.recent = desk_.recent;
  s.view = shown_;
  std::size_t size = 0;
  const char* const docking = ImGui::SaveIniSettingsToMemory(&size);
  s.docking.assign(docking, size);
  return s;
}

Frame Shell::frame() {
  const DatabaseSnapshot* database = nullptr;
  const auto& all = snapshot_->databases;
  const auto& study = selection_.study();
  if (study && snapshot_->find(study) != nullptr) {
    database = &all[static_cast<std::size_t>(study->database)];
  } else if (const auto open = std::find_if(all.begin(), all.end(), [](const auto& d) { return !d.closed; });
             open != all.end()) {
    database = &*open;
  }
  return {look_,    *snapshot_, shared(*snapshot_, study),      selection_, desk_,
          database, table_,     machine_ ? &*machine_ : nullptr};
}

void Shell::draw() {
  selection_.begin_frame();
  desk_.advance(*snapshot_);
  if (std::string said = desk_.take_notice(); !said.empty()) notice_ = std::move(said);
  table_.show(shared(*snapshot_, selection_.study()), selection_);
  table_.advance(kRowsAFrame);
  expire_notice();
  run_keys();
  draw_menu();
  draw_status();
  draw_docks();
  Frame f = frame();
  busy_ = false;
  side_focus_ = nullptr;
  for (const auto& view : views_) draw_window(*view, f);
  take_wishes(f);
  if (f.copy != nullptr) copy(*f.copy, f);
  finish_copy();
  draw_prompt();
  draw_command_list();
  draw_keys();
  if (focus_frames_ > 0) --focus_frames_;
}

void Shell::default_layout(unsigned dock) {
  ImGui::DockBuilderRemoveNode(dock);
  ImGui::DockBuilderAddNode(dock, ImGuiDockNodeFlags_DockSpace);
  ImGui::DockBuilderSetNodeSize(dock, ImGui::GetMainViewport()->WorkSize);
  ImGuiID centre = dock;
  const ImGuiID left = ImGui::DockBuilderSplitNode(centre, ImGuiDir_Left, kRail, nullptr, &centre);
  const ImGuiID right = ImGui::DockBuilderSplitNode(centre, ImGuiDir_Right, kInspector / (1 - kRail), nullptr, &centre);
  for (std::size_t i = 0; i < views_.size(); ++i) {
    const ImGuiID node = i == 0 ? left : (i + 1 == views_.size() ? right : centre);
    ImGui::DockBuilderDockWindow(views_[i]->title(), node);
  }
  ImGui::DockBuilderFinish(dock);
}

void Shell::draw_docks() {
  const ImGuiID dock = ImGui::GetID("gemwright");
  if (reset_layout_ || ImGui::DockBuilderGetNode(dock) == nullptr) {
    default_layout(dock);
    if (reset_layout_) {
      focus_ = shown_;
      focus_frames_ = kFocusFrames;
    }
    reset_layout_ = false;
  }
  ImGui::DockSpaceOverViewport(dock, ImGui::GetMainViewport(), ImGuiDockNodeFlags_NoWindowMenuButton);
}

bool Shell::narrow() const {
  constexpr float kLeast = 60;
  return ImGui::GetMainViewport()->WorkSize.x < kLeast * em();
}

// A side panel of a narrow window: asked for by its key, gone with Esc.
void Shell::draw_over(View& view, Frame& f) {
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoDocking | ImGuiWindowFlags_NoCollapse |
                                      ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoMove |
                                      ImGuiWindowFlags_NoResize;
  const ImGuiViewport& screen = *ImGui::GetMainViewport();
  const float width = std::min(30 * em(), 0.9f * screen.WorkSize.x);
  const bool left = &view == views_.front().get();
  ImGui::SetNextWindowPos({left ? screen.WorkPos.x : screen.WorkPos.x + screen.WorkSize.x - width, screen.WorkPos.y});
  ImGui::SetNextWindowSize({width, screen.WorkSize.y});
  bool open = true;
  if (ImGui::Begin(fmt::format("{}###{} over", view.title(), view.name()).c_str(), &open, kFlags)) {
    if (ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows)) {
      side_focus_ = &view;
      if (ImGui::IsKeyPressed(ImGuiKey_Escape)) open = false;
    }
    view.draw(f);
  }
  ImGui::End();
  if (!open) asked_.clear();
}

void Shell::draw_window(View& view, Frame& f) {
  const bool focus = focus_frames_ > 0 && focus_ == view.name();
  if (is_side(view) && narrow() && asked_ != view.name()) return;
  if (focus) ImGui::SetNextWindowFocus();
  if (is_side(view) && narrow()) return draw_over(view, f);
  // Panels are docked; one that is dragged out starts at a size of use.
  ImGui::SetNextWindowSize({40 * em(), 30 * em()}, ImGuiCond_FirstUseEver);
  if (ImGui::Begin(view.title())) {
    const bool in_centre = !is_side(view);
    if (in_centre && focus_frames_ == 0) shown_ = view.name();
    if (!in_centre && ImGui::IsWindowFocused(ImGuiFocusedFlags_RootAndChildWindows)) side_focus_ = &view;
    // While tabs settle others are drawn for a frame, too: they would compute, and one compile, for nobody.
    if (!in_centre || focus_frames_ == 0 || focus) {
      view.draw(f);
      busy_ = busy_ || view.busy();
    }
  }
  ImGui::End();
}

void Shell::expire_notice() {
  const double now = ImGui::GetTime();
  if (notice_ != timed_notice_) {
    timed_notice_ = notice_;
    notice_until_ = now + kNoticeSeconds;
  } else if (now > notice_until_) {
    notice_.clear();
  }
}

// What is tuned, then what was said, else what there is.
std::string Shell::status_text() const {
  std::string text = tuning_text(desk_.tuning());
  if (!notice_.empty()) text += (text.empty() ? "" : "   ") + notice_;
  if (!text.empty()) return text;
  const std::size_t studies = snapshot_->studies();
  return snapshot_->loading() ? "reading the database" : fmt::format("{} stud{}", studies, studies == 1 ? "y" : "ies");
}

// As many lines as its text needs; the filter and the keys stay at the right whatever is said.
void Shell::draw_status() {
  constexpr const char* kKeys = "F1 keys    Ctrl+K commands";
  constexpr float kMostLines = 4, kFilterShare = 0.4f;
  constexpr ImGuiWindowFlags kFlags = ImGuiWindowFlags_NoScrollbar | ImGuiWindowFlags_NoScrollWithMouse |
                                      ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNavInputs;
  const ImVec2 pad = ImGui::GetStyle().FramePadding;
  const float whole = ImGui::GetMainViewport()->WorkSize.x - 2 * pad.x;
  const std::string left = status_text(), filter = filter_text(selection_, table_);
  const float keys = ImGui::CalcTextSize(kKeys).x + em();
  const float filter_width =
      filter.empty() ? 0 : std::min(ImGui::CalcTextSize(filter.c_str()).x + 2 * em(), kFilterShare * whole);
  const float room = std::max(8 * em(), whole - keys - filter_width);
  const float lines = std::clamp(ImGui::CalcTextSize(left.c_str(), nullptr, false, room).y, ImGui::GetTextLineHeight(),
                                 kMostLines * ImGui::GetTextLineHeight());
  ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, pad);
  ImGui::PushStyleColor(ImGuiCol_WindowBg, ImGui::GetStyleColorVec4(ImGuiCol_MenuBarBg));
  if (ImGui::BeginViewportSideBar("##status", ImGui::GetMainViewport(), ImGuiDir_Down, lines + 2 * pad.y, kFlags)) {
    const ImVec2 at = ImGui::GetCursorPos(), screen = ImGui::GetCursorScreenPos();
    ImGui::PushTextWrapPos(at.x + room);
    ImGui::TextUnformatted(left.c_str());
    ImGui::PopTextWrapPos();
    if (!filter.empty()) {
      const float x = screen.x + whole - keys - filter_width;
      ImGui::PushClipRect({x, screen.y}, {x + filter_width - em(), screen.y + lines}, true);
      ImGui::GetWindowDrawList()->AddText({x, screen.y}, look_.warning(), filter.c_str());
      ImGui::PopClipRect();
    }
    ImGui::SetCursorPos({at.x + whole - keys + em(), at.y});
    ImGui::TextDisabled("%s", kKeys);
  }
  ImGui::End();
  ImGui::PopStyleColor();
  ImGui::PopStyleVar();
}

void Shell::step_trial(int by) {
  const auto& rows = table_.rows();
  if (rows.empty() || !table_.study()) return;
  const StudySnapshot& s = *table_.study();
  const auto& selected = selection_.trial();
  const auto place = selected && selected->study == s.ref ? table_.place_of(selected->trial) : std::nullopt;
  const auto last = static_cast<std::ptrdiff_t>(rows.size()) - 1;
  const std::ptrdiff_t next = place ? static_cast<std::ptrdiff_t>(*place) + by : (by > 0 ? 0 : last);
  selection_.select(
      TrialRef{s.ref, s.trials[rows[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(next, 0, last))]].id});
}

void Shell::step_study(int by) {
  std::vector<StudyRef> all;
  for (const DatabaseSnapshot& d : snapshot_->databases) {
    // As the rail lists them.
    for (auto s = d.studies.rbegin(); s != d.studies.rend(); ++s) all.push_back((*s)->ref);
  }
  if (all.empty()) return;
  const auto now = std::find(all.begin(), all.end(), selection_.study().value_or(StudyRef{-1, 0}));
  const auto last = static_cast<std::ptrdiff_t>(all.size()) - 1;
  const std::ptrdiff_t next = now == all.end() ? 0 : now - all.begin() + by;
  selection_.select(all[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(next, 0, last))]);
}

void Shell::step(int by) { side_focus_ == views_.front().get() ? step_study(by) : step_trial(by); }

// What the pointer rests on, else what is selected.
void Shell::pin(Selection::Side side) {
  // What is selected: the pointer may rest on a row that the keyboard has left.
  const auto& trial = selection_.trial() ? selection_.trial() : selection_.hovered();
  if (trial) {
    selection_.pin(side, *trial);
  } else {
    notice_ = "Select a trial first, then pin it as A or B";
  }
}

void Shell::copy_view() {
  const View* const view = side_focus_ != nullptr ? side_focus_ : find(shown_);
  if (view != nullptr) copy(*view, frame());
}

void Shell::copy(const View& view, const Frame& frame) {
  if (copying()) {
    notice_ = fmt::format("{} is still being copied", copied_);
    return;
  }
  copied_ = view.title();
  auto later = view.text_later(frame);
  if (later) {
    notice_ = fmt::format("Copying {}", copied_);
    copying_ = std::async(std::launch::async, std::move(later));
    return;
  }
  ImGui::SetClipboardText(view.as_text(frame).c_str());
  notice_ = fmt::format("{} copied as text", copied_);
}

void Shell::finish_copy() {
  if (!copying() || copying_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return;
  ImGui::SetClipboardText(copying_.get().c_str());
  notice_ = fmt::format("{} copied as text", copied_);
}

void Shell::copy_trial() {
  const Frame f = frame();
  const auto trial = f.selected_trial();
  if (!trial) {
    notice_ = "Select a trial first, then copy it";
    return;
  }
  std::string text;
  for (std::size_t c = 0; c < kTrialColumns; ++c) {
    if (c > 0) text += "\t";
    text += cell_text(*f.study, *trial, static_cast<TrialColumn>(c));
  }
  ImGui::SetClipboardText((text + "\n").c_str());
  notice_ = fmt::format("Trial {} copied", f.study->trials[*trial].id);
}

}  // namespace gemwright::app::gui
