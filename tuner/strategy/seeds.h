// Where a search starts: the choices of well-known heuristics for this problem and device, restated as configs, and
// what measurements found to be good. They are baselines as well as starting points: a result can say by how much it
// beats "inductor" or "blis".
//
// Every seed is a valid canonical config, none occurs twice, and there is at least one for every problem and admitted
// mode. The most promising one comes first, so that a short budget meets it; where several modes are admitted they take
// turns, the cheapest first, so that a short budget meets each of them.
#pragma once

#include <string>
#include <vector>

#include "tuner/space/space.h"

namespace gemwright::tuner {

struct NamedConfig {
  std::string name;  // "blis-skx"; a trial's origin is "seed:" and this
  Config config;
};

std::vector<NamedConfig> seeds(const SpaceInput& in);

}  // namespace gemwright::tuner
