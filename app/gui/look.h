// How everything looks: colours, fonts and sizes of the three themes. Every size is in multiples of the font's, so that
// one scale changes all.
#pragma once

#include <imgui.h>

#include "app/model/layout_file.h"
#include "tuner/study/records.h"

namespace gemwright::app::gui {

struct Fonts {
  ImFont* text = nullptr;
  ImFont* heading = nullptr;
  ImFont* code = nullptr;
};
// From $GEMWRIGHT_FONT (a TTF file, for all text) or those in the program. Once a context.
Fonts load_fonts();

// Font sizes before scaling.
constexpr float kTextSize = 15, kSmallSize = 13, kHeadingSize = 18;

// The state of a trial is told by colour (Okabe and Ito's palette) and by shape, never by colour alone.
struct StateMark {
  ImU32 colour;
  int marker;  // ImPlotMarker_
  const char* words;
};

struct Look {
  Fonts fonts;
  Theme theme = Theme::dark;
  float scale = 1;

  ImU32 ground() const;     // of windows and plots
  ImU32 accent() const;     // what is selected
  ImU32 best() const;       // the best so far
  ImU32 dim() const;        // secondary text
  ImU32 quiet() const;      // what the filter leaves out
  ImU32 warning() const;    // text
  ImU32 pin(bool b) const;  // the sides of the comparison
  StateMark mark(tuner::TrialState state) const;
};

// A fresh style for this theme and scale: applied before a frame begins.
void apply(const Look& look);

// The size of a letter m of the current font: the unit of all sizes.
inline float em() { return ImGui::GetFontSize(); }

}  // namespace gemwright::app::gui
