// The C++ text of candidates: what is compiled into the libraries that tile_library.h describes.
#pragma once

#include <string>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/space/tile_group.h"

namespace gemwright::tuner {

// Defines gemwright_tile_library() over what tiles of the group's mode need of the kernels embedded in this program:
// parsing and compiling the rest would take as long again.
std::string tile_library_source(const TileGroup& group, const std::vector<EpilogueOp>& chain);

// What such a text may be told to include first without a change of its meaning: the system headers that tiles of any
// mode need. A compiler that has them precompiled is spared half of its work (BuildQueue).
std::string tile_prefix();

}  // namespace gemwright::tuner
