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
constexpr std::array<const char*, 4> kMenus{"File", "View", "Trial", "Help"};

// Popups of this kind stand at the top, as wide as their text needs.
void place_popup(float width) {
  const ImGuiViewport& screen = *ImGui::GetMainViewport();
  ImGui::SetNextWindowPos({screen.GetCenter().x, screen.WorkPos.y + 3 * em()}, ImGuiCond_Always, {0.5f, 0});
  ImGui::SetNextWindowSize({std::min(width * em(), screen.WorkSize.x - 2 * em()), 0});
}

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

}  // namespace

void Shell::add_view_commands() {
  int number = 0;
  for (const auto& view : views_) {
    // The first nine have a key, all are in the command list.
    const ImGuiKeyChord key = number < 9 ? ImGuiMod_Ctrl | static_cast<ImGuiKey>(ImGuiKey_1 + number) : 0;
    ++number;
    const std::string name = view->name();
    commands_.push_back({"View", fmt::format("Show {}", view->title()), key, [this, name] {
                           focus_ = name;
                           focus_frames_ = 2;
                         }});
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
  commands_.push_back({"File", "Quit", ImGuiMod_Ctrl | ImGuiKey_Q, [this] { quit_ = true; }});
  add_view_commands();
  commands_.push_back({"Trial", "Next trial", ImGuiKey_DownArrow, [this] { step_trial(1); }});
  commands_.push_back({"Trial", "Previous trial", ImGuiKey_UpArrow, [this] { step_trial(-1); }});
  commands_.push_back({"Trial", "Many trials down", ImGuiKey_PageDown, [this] { step_trial(kPage); }});
  commands_.push_back({"Trial", "Many trials up", ImGuiKey_PageUp, [this] { step_trial(-kPage); }});
  commands_.push_back({"Trial", "Pin as A", ImGuiKey_A, [this] { pin(Selection::Side::a); }});
  commands_.push_back({"Trial", "Pin as B", ImGuiKey_B, [this] { pin(Selection::Side::b); }});
  commands_.push_back({"Trial", "Copy trial as a line", ImGuiMod_Ctrl | ImGuiKey_C, [this] { copy_trial(); }});
  commands_.push_back({"Trial", "Select no trial", 0, [this] { selection_.clear_trial(); }});
  commands_.push_back({"Trial", "Clear the filter", 0, [this] { selection_.set_filter(""); }});
  commands_.push_back({"Help", "Keys", ImGuiKey_F1, [this] { open_keys_ = true; }});
  commands_.push_back({"Help", "Command list", ImGuiMod_Ctrl | ImGuiKey_K, [this] { open_commands_ = true; }});
}

void Shell::run_keys() {
  // In a popup keys belong to the popup, those that open one excepted.
  const bool in_popup = ImGui::IsPopupOpen(nullptr, ImGuiPopupFlags_AnyPopupId | ImGuiPopupFlags_AnyPopupLevel);
  for (const Command& c : commands_) {
    if (c.key == 0 || (in_popup && (c.key & ImGuiMod_Mask_) == 0 && c.key != ImGuiKey_F1)) continue;
    if (ImGui::Shortcut(c.key, ImGuiInputFlags_RouteGlobal | ImGuiInputFlags_Repeat)) c.run();
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
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (ImGui::Selectable(found[i]->name.c_str(), i == chosen_)) run = found[i];
    const std::string key = key_text(found[i]->key);
    ImGui::SameLine(ImGui::GetWindowWidth() - ImGui::GetStyle().WindowPadding.x - ImGui::CalcTextSize(key.c_str()).x);
    ImGui::TextDisabled("%s", key.c_str());
  }
  if (run != nullptr) ImGui::CloseCurrentPopup();
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
    fact(look_, "Esc", "Close what is open");
    end_facts();
  }
  ImGui::EndPopup();
}

}  // namespace gemwright::app::gui
