// A config that served one problem, for another one.
//
// A config names its blocks, its tile's rows and its threads in numbers of the problem that it was found for. Read as
// they are they mean something else elsewhere: all of K = 256 is half of K = 512, the one tile of rows of M = 4 a
// quarter of those of M = 16, two threads side by side one where N is a single panel. What was all there is all here.
#pragma once

#include <cstdint>
#include <optional>

#include "tuner/space/space.h"

namespace gemwright::tuner {

// What the numbers of a config were chosen for.
struct ConfigOrigin {
  std::int64_t m, n, k;
  int threads;  // that were offered
};

// The nearest valid config that means the same for `in`; nothing where there is none.
std::optional<Config> transferred(const ConfigOrigin& from, Config c, const SpaceInput& in);

}  // namespace gemwright::tuner
