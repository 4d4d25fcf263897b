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
// Both intervals lie between two order statistics of the rounds' log ratios, and what is asked is whether the one is as
// narrow as the other: the widths themselves have to be steady. Of 16 rounds the interval of 95 % reaches from the 4th
// to the 13th: three rounds that something else disturbed are enough to move an end into them. Of 48 it reaches from
// the 17th to the 32nd, the middle third: it takes 16. With normal noise the width then varies by 22 % from run to run
// instead of 27 %, where one phase in ten is disturbed by 24 % instead of 45 %; a window that costs nothing and widens
// nothing passes 94 and 89 times in a hundred instead of 92 and 79 (simulated, 20,000 runs each). Twice as many rounds
// more would add one or two to that: widths settle with the fourth root of the rounds. 48 are twelve whole Latin
// squares of the four phases, of 5 s or so each.
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
