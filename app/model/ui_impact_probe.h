// Measures what `doctor --ui-impact` tells: blocks of a fixed subject while gemwright-gui is open and while it is not.
//
// The window is the real program, a child process, on the display that is there or on a virtual one (Xvfb). It shows a
// study that runs: this process writes a row after each block, in a database of its own, as a study does. The blocks
// are timed under the machine's lock, one thread on the CPU that the window leaves alone.
#pragma once

#include <functional>

#include "app/model/ui_impact.h"
#include "tuner/result.h"

namespace gemwright::app {

// How many rounds, fixed before the first of them and never repeated until the answer pleases.
//
// Both intervals lie between two order statistics of log ratios, and what is asked is whether the one is as narrow as
// the other: the widths themselves have to be steady. A window that costs nothing passes 94 times in a hundred with 16
// rounds and 95 with 48, whether no phase is disturbed by something else or three in ten are: all but what 95 %
// intervals leave to chance. A window that shifts every phase by half of its spread passes 74 to 88 times with 16 and
// 27 to 66 with 48 (simulated, 20,000 runs each): that is what more rounds are for. 48 are twelve whole Latin squares
// of the four phases, of 6 s or so each.
constexpr int kImpactRounds = 48;

struct ImpactProbe {
  int rounds = kImpactRounds;  // at least kMinImpactRounds
  double phase_seconds = 1;
  std::function<bool()> stop = [] { return false; };
  std::function<void(int round)> progress = [](int) {};  // rounds that are done; 0 before the first
};

// An error where there is no window or no display, where another process measures, and ErrorKind::interrupted.
tuner::Result<UiImpact> measure_ui_impact(const ImpactProbe& probe);

}  // namespace gemwright::app
