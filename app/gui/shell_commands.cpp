// The commands of the shell: one list feeds the menu, the keys, the command list and the sheet of keys.
#include <fmt/format.h>
#include <imgui_internal.h>

#include <algorithm>
#include <array>

#include "app/gui/shell.h"
#include "app/gui/widgets.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

constexpr const char* kCommandList = "Commands";
constexpr const char* kKeySheet = "Keys";
constexpr double kScaleStep = 1.1;
constexpr std::array<const char*, 5> kMenus{"File", "View", "Study", "Trial", "Help"};

std::string key_text(ImGuiKeyChord key) {
  if (key == 0) return "";
  std::string text = ImGui::GetKeyChordName(key);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kShorter{
      {{"Equal", "="}, {"Minus", "-"}, {"DownArrow", "Down"}, {"UpArrow", "Up"}}};
  for (const auto& [what, with] : kShorter) {
    const auto at = text.find(what);
    if (at != std::string::npos) text = fmt::format("{}{}{}", text.substr(0, at), with, text.substr(at + what.size()));
  }
  return text;
}

// Whether a key that is held down goes on doing what it does: those that move and those that scale.
bool repeats(ImGuiKeyChord key) {
  constexpr std::array<ImGuiKey, 6> kMoving{ImGuiKey_DownArrow, ImGuiKey_UpArrow, ImGuiKey_PageDown,
                                            ImGuiKey_PageUp,    ImGuiKey_Equal,   ImGuiKey_Minus};
  return std::find(kMoving.begin(), kMoving.end(), static_cast<ImGuiKey>(key & ~ImGuiMod_Mask_)) != kMoving.end();
}

}  // namespace

void Shell::add_view_commands() {
  int number = 0;
  for (const auto& view : views_) {
    // Nine by Ctrl and a digit, the others with Shift.
    const ImGuiKeyChord shift = number < 9 ? ImGuiMod_None : ImGuiMod_Shift;
    const ImGuiKeyChord key = ImGuiMod_Ctrl | shift | static_cast<ImGuiKey>(ImGuiKey_1 + number++ % 9);
    const std::string name = view->name();
    commands_.push_back({"View", fmt::format("Show {}", view->title()), key, [this, name] { bring_to_front(name); }});
  }
  for (const Theme theme : {Theme::dark, Theme::light, Theme::contrast}) {
    commands_.push_back({"View", fmt::format("Theme: {}", to_text(theme)), 0, [this, theme] {
                           settings_.theme = theme;
                           look_changed_ = true;
                         }});
  }
  commands_.push_back({"View", "Larger", ImGuiMod_Ctrl | ImGuiKey_Equal, [this] { scale_by(kScaleStep); }});
  commands_.push_back({"View", "Smaller", ImGuiMod_Ctrl | ImGuiKey_Minus, [this] { scale_by(1 / kScaleStep); }});
  commands_.push_back({"View", "Normal size", ImGuiMod_Ctrl | ImGuiKey_0, [this] { scale_by(0); }});
  commands_.push_back({"View", "Reset layout", 0, [this] { reset_layout_ = true; }});
}

void Shell::add_commands() {
  constexpr int kPage = 20;
  commands_.push_back(
      {"File", "Copy view as text", ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C, [this] { copy_view(); }});
  commands_.push_back({"File", "Copy studies as text", 0, [this] { copy(*views_.front(), frame()); }});
  commands_.push_back({"File", "New study...", ImGuiMod_Ctrl | ImGuiKey_N, [this] {
                         bring_to_front("tune");
                         find("tune")->take_keyboard();
                       }});
  commands_.push_back({"File", "Open a database...", ImGuiMod_Ctrl | ImGuiKey_O, [this] { ask_for_database(); }});
  commands_.push_back({"File", "Close the database", ImGuiMod_Ctrl | ImGuiKey_W, [this] { close_database(); }});
  commands_.push_back({"File", "Quit", ImGuiMod_Ctrl | ImGuiKey_Q, [this] { quit_ = true; }});
  add_view_commands();
  add_study_commands();
  // In the panel of studies the arrows move between studies.
  commands_.push_back({"Trial", "Next trial", ImGuiKey_DownArrow, [this] { step(1); }});
  commands_.push_back({"Trial", "Previous trial", ImGuiKey_UpArrow, [this] { step(-1); }});
  commands_.push_back({"Trial", "Many trials down", ImGuiKey_PageDown, [this] { step(kPage); }});
  commands_.push_back({"Trial", "Many trials up", ImGuiKey_PageUp, [this] { step(-kPage); }});
  commands_.push_back({"Trial", "Pin as A", ImGuiKey_A, [this] { pin(Selection::Side::a); }});
  commands_.push_back({"Trial", "Pin as B", ImGuiKey_B, [this] { pin(Selection::Side::b); }});
  commands_.push_back({"Trial", "Copy trial as a line", ImGuiMod_Ctrl | ImGuiKey_C, [this] { copy_trial(); }});
  commands_.push_back({"Trial", "Measure trial again", ImGuiKey_M, [this] { time_again(); }});
  commands_.push_back({"Trial", "Select no trial", 0, [this] { selection_.clear_trial(); }});
  commands_.push_back({"Trial", "Clear the filter", 0, [this] { selection_.set_filter(""); }});
  commands_.push_back({"Help", "Keys", ImGuiKey_F1, [this] { open_keys_ = true; }});
  commands_.push_back({"Help", "Command list", ImGuiMod_Ctrl | ImGuiKey_K, [this] { open_commands_ = true; }});
}

void Shell::run_keys() {
  // Where the next key goes is to be seen from the first press on.
  if (ImGui::IsKeyPressed(ImGuiKey_Tab)) ImGui::SetNavCursorVisible(true);
  // In a popup keys belong to the popup, those that open one excepted.
  const bool in_popup = ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel);
  for (const Command& c : commands_) {
    if (c.key == 0 || (in_popup && (c.key & ImGuiMod_Mask_) == 0 && c.key != ImGuiKey_F1)) continue;
    const ImGuiInputFlags held = repeats(c.key) ? ImGuiInputFlags_Repeat : 0;
    if (ImGui::Shortcut(c.key, ImGuiInputFlags_RouteGlobal | held)) c.run();
  }
}

void Shell::draw_menu() {
  if (!ImGui::BeginMainMenuBar()) return;
  for (const char* const menu : kMenus) {
    if (!ImGui::BeginMenu(menu)) continue;
    for (const Command& c : commands_) {
      if (std::string_view(c.menu) == menu && ImGui::MenuItem(c.name.c_str(), key_text(c.key).c_str())) c.run();
    }
    ImGui::EndMenu();
  }
  ImGui::EndMainMenuBar();
}

std::vector<const Command*> Shell::found_commands() const {
  std::vector<const Command*> out;
  const std::string wanted = tuner::lower(search_);
  for (const Command& c : commands_) {
    if (tuner::lower(c.name).find(wanted) != std::string::npos) out.push_back(&c);
  }
  return out;
}

// The list scrolls below the search field. Answers what was pressed.
const Command* Shell::draw_found(const std::vector<const Command*>& found, bool moved) const {
  const Command* run = nullptr;
  ImGui::SetNextWindowSizeConstraints({0, 0}, {1e6f, std::max(6 * em(), popup_height() - 4 * em())});
  if (ImGui::BeginChild("found", {0, 0}, ImGuiChildFlags_AutoResizeY)) {
    // The keyboard stays in the search field: the arrows move `chosen_`.
    ImGui::PushItemFlag(ImGuiItemFlags_NoNav, true);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::string key = key_text(found[i]->key);
      const float width = ImGui::GetContentRegionAvail().x, left = ImGui::GetCursorPosX();
      if (ImGui::Selectable(found[i]->name.c_str(), i == chosen_)) run = found[i];
      if (i == chosen_ && moved) ImGui::SetScrollHereY(0.5f);
      ImGui::SameLine(left + width - ImGui::CalcTextSize(key.c_str()).x - 0.3f * em());
      ImGui::TextDisabled("%s", key.c_str());
    }
    ImGui::PopItemFlag();
  }
  ImGui::EndChild();
  return run;
}

void Shell::draw_command_list() {
  if (open_commands_) {
    search_.clear();
    chosen_ = 0;
    ImGui::OpenPopup(kCommandList);
  }
  place_popup(30);
  if (!ImGui::BeginPopup(kCommandList)) {
    open_commands_ = false;
    return;
  }
  std::array<char, 100> text{};
  std::copy_n(search_.begin(), std::min(search_.size(), text.size() - 1), text.begin());
  if (open_commands_) ImGui::SetKeyboardFocusHere();
  open_commands_ = false;
  ImGui::SetNextItemWidth(-1);
  if (ImGui::InputTextWithHint("##command", "What do you want to do?", text.data(), text.size())) {
    search_ = text.data();
    chosen_ = 0;
  }
  const auto found = found_commands();
  if (ImGui::IsKeyPressed(ImGuiKey_DownArrow)) ++chosen_;
  if (ImGui::IsKeyPressed(ImGuiKey_UpArrow) && chosen_ > 0) --chosen_;
  chosen_ = found.empty() ? 0 : std::min(chosen_, found.size() - 1);
  const Command* run = nullptr;
  if (!found.empty() && ImGui::IsKeyPressed(ImGuiKey_Enter)) run = found[chosen_];
  if (found.empty()) ImGui::TextDisabled("No command is called like that");
  const bool moved = ImGui::IsKeyPressed(ImGuiKey_DownArrow) || ImGui::IsKeyPressed(ImGuiKey_UpArrow);
  if (const Command* const pressed = draw_found(found, moved)) run = pressed;
  // The search field would take the first Esc for itself.
  if (run != nullptr || ImGui::IsKeyPressed(ImGuiKey_Escape)) ImGui::CloseCurrentPopup();
  ImGui::EndPopup();
  if (run != nullptr) run->run();
}

void Shell::draw_keys() {
  if (open_keys_) ImGui::OpenPopup(kKeySheet);
  open_keys_ = false;
  place_popup(30);
  if (!ImGui::BeginPopup(kKeySheet)) return;
  heading(look_, "Keys");
  if (begin_facts("keys")) {
    for (const Command& c : commands_) {
      if (c.key != 0) fact(look_, key_text(c.key).c_str(), c.name);
    }
    fact(look_, "Ctrl+F", "Filter");
    fact(look_, "Tab", "Next control");
    fact(look_, "Up, Down", "In Studies: next and previous study");
    fact(look_, "Esc", "Close what is open");
    end_facts();
  }
  ImGui::EndPopup();
}

}  // namespace gemwright::app::gui
