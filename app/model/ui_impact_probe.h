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

struct ImpactProbe {
  int rounds = 16;  // at least kMinImpactRounds
  double phase_seconds = 1;
  std::function<bool()> stop = [] { return false; };
  std::function<void(int round)> progress = [](int) {};  // rounds that are done
};

// An error where there is no window or no display, where another process measures, and ErrorKind::interrupted.
tuner::Result<UiImpact> measure_ui_impact(const ImpactProbe& probe);

}  // namespace gemwright::app
