// The rows of a form: a name, a field that takes text or one of several words, and beside it what is wrong with it.
#pragma once

#include <string>
#include <vector>

#include "app/gui/view.h"

namespace gemwright::app::gui {

// Both answer whether the value was changed. The widths are those of the space that is left unless the caller sets one.
bool text_field(const char* id, const char* hint, std::string& value);
// Before a field of text: it takes the keyboard, all of its text selected.
void keyboard_to(const char* id);
bool choice_field(const char* id, std::string& value, const std::vector<std::string>& choices);

// A table of rows "name, field", `names` letters wide at the left.
bool begin_form(const char* id, float names);
// Begins the row: the field comes next.
void form_row(const Look& look, const char* name);
// Under the field, where `error` is about it.
void form_error_text(const Look& look, const std::optional<FormError>& error, const char* field);
void end_form();

// A sentence in the colour of warnings, wrapped.
void warning_text(const Look& look, const std::string& text);

// Many lines of code, of which those in sight are drawn; `colour` tells that of a line.
template <class Line>
void code_lines(const Look& look, std::size_t count, Line draw_line) {
  ImGui::PushFont(look.fonts.code, kSmallSize);
  ImGuiListClipper clipper;
  clipper.Begin(static_cast<int>(count));
  while (clipper.Step()) {
    for (int i = clipper.DisplayStart; i < clipper.DisplayEnd; ++i) draw_line(static_cast<std::size_t>(i));
  }
  ImGui::PopFont();
}

}  // namespace gemwright::app::gui
