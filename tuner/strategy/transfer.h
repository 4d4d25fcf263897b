// A config that served one problem, for another one.
//
// A config names its blocks, its tile's rows and its threads in numbers of the problem that it was found for. Read as
// they are they mean something else elsewhere: all of K = 256 is half of K = 512, the one tile of rows of M = 4 a
// quarter of those of M = 16, two threads side by side one where N is a single panel. What was all there is all here:
// blocks, rows of the only tile, and threads unless they share K.
#pragma once

#include <optional>

#include "tuner/space/space.h"

namespace gemwright::tuner {

// The nearest valid config that means for `in` what `c` means for `from`; nothing where there is none. Of `from` the
// problem, M and the threads that were offered are read.
std::optional<Config> transferred(const SpaceInput& from, Config c, const SpaceInput& in);

}  // namespace gemwright::tuner
