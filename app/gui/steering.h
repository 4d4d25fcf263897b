// What `gemwright steer` does, as buttons, menus and commands: each asks the desk, which writes the same events.
#pragma once

#include <string>

#include "app/gui/view.h"

namespace gemwright::app::gui {

// `action` and `argument` as on the command line; the answer comes as a notice.
void steer(const Frame& frame, const StudySnapshot& study, const std::string& action, const std::string& argument = "");
// Asks for the argument first: "extend", "pin" or "veto".
void ask_and_steer(Frame& frame, const StudySnapshot& study, const std::string& action);
// Pause or resume, whichever the study is in for.
void toggle_pause(const Frame& frame, const StudySnapshot& study);
// Runs it here, from where it stopped.
void go_on(const Frame& frame, const StudySnapshot& study);

// Seconds that a study which runs has spent, by the clock.
std::optional<double> live_spent(const StudySnapshot& study);
// Whether it was told here to go on and does not run yet: what it is asked for waits for it.
bool starting(const Frame& frame, const StudySnapshot& study);
// Its state in a word or two.
std::string state_now(const Frame& frame, const StudySnapshot& study);

// In the head of a view: what a running study can be asked for; of any other how it can go on.
void steer_buttons(Frame& frame, const StudySnapshot& study);
// The entries of a menu about a study.
void steer_menu(Frame& frame, const StudySnapshot& study);

// Makes this study's winner a side of the comparison.
void compare_study(Frame& frame, const StudySnapshot& study, Selection::Side side);

}  // namespace gemwright::app::gui
