#include "app/gui/fields.h"

#include <imgui_internal.h>

#include <algorithm>
#include <array>

namespace gemwright::app::gui {
namespace {

// Longer than any list of sizes that a person types.
constexpr std::size_t kMaxText = 4096;

}  // namespace

bool text_field(const char* id, const char* hint, std::string& value) {
  std::array<char, kMaxText> text{};
  std::copy_n(value.begin(), std::min(value.size(), text.size() - 1), text.begin());
  if (!ImGui::InputTextWithHint(id, hint, text.data(), text.size())) return false;
  value = text.data();
  return true;
}

void keyboard_to(const char* id) {
  ImGui::SetKeyboardFocusHere();
  // A field that is or was the one with the keyboard would go on where it stopped.
  if (ImGuiInputTextState* const was = ImGui::GetInputTextState(ImGui::GetID(id))) was->ReloadUserBufAndSelectAll();
}

bool choice_field(const char* id, std::string& value, const std::vector<std::string>& choices) {
  if (!ImGui::BeginCombo(id, value.c_str())) return false;
  bool changed = false;
  for (const std::string& c : choices) {
    if (ImGui::Selectable(c.c_str(), c == value)) {
      changed = c != value;
      value = c;
    }
    if (c == value) ImGui::SetItemDefaultFocus();
  }
  ImGui::EndCombo();
  return changed;
}

bool begin_form(const char* id, float names) {
  if (!ImGui::BeginTable(id, 2, ImGuiTableFlags_SizingFixedFit)) return false;
  ImGui::TableSetupColumn("name", ImGuiTableColumnFlags_WidthFixed, names * em());
  ImGui::TableSetupColumn("field", ImGuiTableColumnFlags_WidthStretch);
  return true;
}

void form_row(const Look& look, const char* name) {
  ImGui::TableNextRow();
  ImGui::TableNextColumn();
  ImGui::AlignTextToFramePadding();
  ImGui::PushStyleColor(ImGuiCol_Text, look.dim());
  ImGui::TextUnformatted(name);
  ImGui::PopStyleColor();
  ImGui::TableNextColumn();
  ImGui::SetNextItemWidth(-1);
}

void form_error_text(const Look& look, const std::optional<FormError>& error, const char* field) {
  if (error && error->field == field) warning_text(look, error->sentence);
}

void end_form() { ImGui::EndTable(); }

void warning_text(const Look& look, const std::string& text) {
  ImGui::PushStyleColor(ImGuiCol_Text, look.warning());
  ImGui::PushTextWrapPos(0);
  ImGui::TextUnformatted(text.c_str());
  ImGui::PopTextWrapPos();
  ImGui::PopStyleColor();
}

}  // namespace gemwright::app::gui
