// The C++ text of candidates: what is compiled into the libraries that tile_library.h describes.
#pragma once

#include <string>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/space/tile_group.h"

namespace gemwright::tuner {

// Defines gemwright_tile_library() over the kernels embedded in this program: those that the group's mode needs,
// because dot tiles make the text twice as long.
std::string tile_library_source(const TileGroup& group, const std::vector<EpilogueOp>& chain);

}  // namespace gemwright::tuner
