// What the shell does for the person: studies are steered, databases opened and closed, questions asked.
#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>

#include "app/gui/fields.h"
#include "app/gui/shell.h"
#include "app/gui/steering.h"
#include "app/gui/widgets.h"
#include "app/model/database_name.h"

namespace gemwright::app::gui {
namespace {

constexpr const char* kQuestion = "Question";
constexpr float kWidth = 34;  // in letters
constexpr std::size_t kOffered = 12;

}  // namespace

void Shell::add_study_commands() {
  const auto add = [this](const char* name, ImGuiKeyChord key, void (*what)(Frame&, const StudySnapshot&)) {
    commands_.push_back({"Study", name, key, [this, what] { with_study(what); }});
  };
  commands_.push_back({"Study", "Next study", ImGuiMod_Ctrl | ImGuiKey_DownArrow, [this] { step_study(1); }});
  commands_.push_back({"Study", "Previous study", ImGuiMod_Ctrl | ImGuiKey_UpArrow, [this] { step_study(-1); }});
  commands_.push_back({"Study", "Tune the example", 0, [this] { tune_example(); }});
  commands_.push_back({"Study", "Pause or resume", ImGuiMod_Ctrl | ImGuiKey_P, [this] {
                         // What was started is meant, although the study before is shown until it is there.
                         if (!desk_.toggle_started()) with_study(toggle_pause);
                       }});
  add("Go on", ImGuiMod_Ctrl | ImGuiKey_G, [](Frame& f, const StudySnapshot& s) { go_on(f, s); });
  add("Stop and confirm", 0, [](Frame& f, const StudySnapshot& s) { steer(f, s, "stop"); });
  add("Extend its budget...", ImGuiMod_Ctrl | ImGuiKey_E,
      [](Frame& f, const StudySnapshot& s) { ask_and_steer(f, s, "extend"); });
  add("Pin a parameter...", 0, [](Frame& f, const StudySnapshot& s) { ask_and_steer(f, s, "pin"); });
  add("Veto a value...", 0, [](Frame& f, const StudySnapshot& s) { ask_and_steer(f, s, "veto"); });
  add("Compare its winner as A", 0, [](Frame& f, const StudySnapshot& s) { compare_study(f, s, Selection::Side::a); });
  add("Compare its winner as B", 0, [](Frame& f, const StudySnapshot& s) { compare_study(f, s, Selection::Side::b); });
  commands_.push_back({"Study", "Start what Tune says", ImGuiKey_F5, [this] { start_form(); }});
  commands_.push_back({"Study", "Interrupt what this window tunes", 0, [this] {
                         if (!desk_.tuning().running) notice_ = "This window tunes nothing";
                         desk_.interrupt();
                       }});
  commands_.push_back({"Study", "Write the header of Export", ImGuiMod_Ctrl | ImGuiKey_S, [this] {
                         if (const Frame f = frame(); f.database != nullptr) {
                           desk_.write_export(*f.database);
                           bring_to_front("export");
                         }
                       }});
}

void Shell::tune_example() {
  const Frame f = frame();
  if (f.database == nullptr) {
    notice_ = "No database is open: Ctrl+O opens or makes one";
    return;
  }
  desk_.start(example_form(), f.database->path);
}

void Shell::start_form() {
  const Frame f = frame();
  if (f.database == nullptr) {
    notice_ = "No database is open: Ctrl+O opens or makes one";
    return;
  }
  if (desk_.form_state().error) bring_to_front("tune");
  desk_.start_checked(f.database->path);
}

void Shell::with_study(const std::function<void(Frame&, const StudySnapshot&)>& what) {
  Frame f = frame();
  if (!f.study) {
    notice_ = "Select a study first";
    return;
  }
  what(f, *f.study);
  take_wishes(f);
}

void Shell::time_again() {
  with_study([this](Frame& f, const StudySnapshot& s) {
    if (const auto trial = f.selected_trial()) {
      steer(f, s, "again", std::to_string(s.trials[*trial].id));
    } else {
      notice_ = "Select a trial first, then measure it again";
    }
  });
}

void Shell::take_wishes(Frame& f) {
  if (!f.notice.empty()) notice_ = f.notice;
  if (!f.show.empty()) bring_to_front(f.show);
  if (f.prompt) ask(std::move(*f.prompt));
}

void Shell::bring_to_front(const std::string& view) {
  focus_ = view;
  const View* const found = find(view);
  asked_ = found != nullptr && is_side(*found) ? view : "";
  focus_frames_ = 2;
}

void Shell::ask_for_database() {
  Prompt p;
  p.title = "Open a database";
  p.hint = "path of a file; one that does not exist is made by the first study";
  p.files = true;
  p.run = [this](const std::string& file) { desk_.open_readable(file, *snapshot_); };
  ask(std::move(p));
}

void Shell::close_database() {
  const Frame f = frame();
  if (f.database == nullptr) {
    notice_ = "No database is open";
    return;
  }
  notice_ = fmt::format("{} is closed", database_name(*snapshot_, *f.database));
  desk_.close(f.database->path);
}

void Shell::ask(Prompt prompt) {
  prompt_ = std::move(prompt);
  open_prompt_ = true;
  prompt_error_.clear();
  offered_ = 0;
  if (prompt_->files) desk_.list(prompt_->text);
}

// Those opened before first, as long as nothing else was typed.
std::vector<std::string> Shell::offers() const {
  std::vector<std::string> out;
  if (!prompt_->files) return out;
  if (prompt_->text.empty()) out = desk_.recent;
  // One that is recent has its whole path there.
  const auto whole = [](const std::string& file) {
    std::error_code unknown;
    return std::filesystem::absolute(file, unknown).lexically_normal();
  };
  for (const std::string& found : desk_.found()) {
    const bool listed = std::any_of(out.begin(), out.end(), [&](const auto& x) { return whole(x) == whole(found); });
    if (!listed) out.push_back(found);
  }
  out.resize(std::min(out.size(), kOffered));
  return out;
}

// What was offered as a list: the answer, where Enter or a click chose one.
std::optional<std::string> Shell::draw_offers() {
  const std::vector<std::string> all = offers();
  if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++offered_;
  if (ImGui::IsKeyPressed(ImGuiKey_UpArrow) && offered_ > 0) --offered_;
  offered_ = std::min(offered_, all.size());
  std::optional<std::string> answer;
  if (ImGui::IsKeyPressed(ImGuiKey_Enter) || ImGui::IsKeyPressed(ImGuiKey_KeypadEnter)) {
    answer = offered_ > 0 ? all[offered_ - 1] : prompt_->text;
  }
  // The keyboard stays in the field.
  ImGui::PushItemFlag(ImGuiItemFlags_NoNav, true);
  for (std::size_t i = 0; i < all.size(); ++i) {
    ImGui::PushID(static_cast<int>(i));
    if (ImGui::Selectable(all[i].c_str(), i + 1 == offered_)) answer = all[i];
    ImGui::PopID();
  }
  ImGui::PopItemFlag();
  return answer;
}

void Shell::draw_prompt() {
  if (!prompt_) return;
  if (open_prompt_) ImGui::OpenPopup(kQuestion);
  place_popup(kWidth);
  if (!ImGui::BeginPopup(kQuestion)) {
    if (!open_prompt_) prompt_.reset();
    open_prompt_ = false;
    return;
  }
  heading(look_, prompt_->title);
  if (open_prompt_ || ask_again_) ImGui::SetKeyboardFocusHere();
  open_prompt_ = ask_again_ = false;
  ImGui::SetNextItemWidth(-1);
  if (text_field("##answer", prompt_->hint.c_str(), prompt_->text)) {
    prompt_error_.clear();
    offered_ = 0;
    if (prompt_->files) desk_.list(prompt_->text);
  }
  // The field would take the first Esc for itself.
  if (ImGui::IsKeyPressed(ImGuiKey_Escape)) ImGui::CloseCurrentPopup();
  dim_text(look_, prompt_->hint);
  if (!prompt_error_.empty()) warning_text(look_, prompt_error_);
  const std::optional<std::string> answer = draw_offers();
  if (answer && prompt_->check) prompt_error_ = prompt_->check(*answer);
  ask_again_ = answer && !prompt_error_.empty();
  if (!answer || answer->empty() || ask_again_) return ImGui::EndPopup();
  ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  Prompt answered = std::move(*prompt_);
  prompt_.reset();
  if (answered.files && answer->ends_with('/')) {
    // A folder: what it holds is offered next.
    answered.text = *answer;
    return ask(std::move(answered));
  }
  answered.run(*answer);
}

}  // namespace gemwright::app::gui
