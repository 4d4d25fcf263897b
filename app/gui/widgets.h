// The small parts that all views are made of, so that they look and behave alike.
#pragma once

#include <cstddef>
#include <string>

#include "app/gui/view.h"

namespace gemwright::app::gui {

void heading(const Look& look, const std::string& text);
void dim_text(const Look& look, const std::string& text);  // wraps
// Words in the middle of an empty space: what is missing, and what to do.
void empty_state(const Look& look, const std::string& what, const std::string& advice);
// Right-aligned in the current table cell.
void number(const std::string& text);
// As much of it as fits, with dots for the rest.
void ellipsis_text(const std::string& text);
std::string with_ellipsis(const std::string& text, float room);
float line_row();  // the height of a table's row of one line
// What is left of the height, for a table with a header and rows that are so high: it ends with a whole row.
float whole_rows(float row);
// The mark of a state: its shape in its colour, as wide as a letter.
void state_mark(const Look& look, tuner::TrialState state);
void draw_mark(const StateMark& mark);  // the same of any mark
// A marker of ImPlotMarker_, or one of these plus kHollow: its outline; or kBars: two bars, of what is paused.
constexpr int kHollow = 1000, kBars = 2000;
void draw_marker(ImDrawList& list, int marker, ImVec2 centre, float radius, ImU32 colour);

// The shared filter as a line of text with how many trials match and, for a `view` that is given, its copy button;
// below it the reason where it is no expression.
void filter_bar(Frame& frame, const View* view = nullptr);
// "filter m<=8: 12 of 120 trials", where one is set.
std::string filter_text(const Selection& selection, const TrialTable& table);
void filter_line(const Frame& frame);
// "Copy as text" at the right end of the current line.
void copy_button(Frame& frame, const View& view);

// A name and a value as one row of a two-column table; a missing value is a dash.
bool begin_facts(const char* id);
void fact_name(const Look& look, const char* name);  // the value is drawn by the caller
void fact(const Look& look, const char* name, const std::string& value);
void end_facts();

// Popups of the shell stand at the top, so many letters wide, and are no higher than the window: what is longer
// scrolls.
float popup_height();
void place_popup(float width);

// Whether there is a study to draw; else says in words why not, and offers what to do.
bool has_study(Frame& frame);
// One line about a trial, beside the pointer.
void trial_card(const Frame& frame, const StudySnapshot& study, std::size_t trial);

}  // namespace gemwright::app::gui
