// The C++ text of candidates: what is compiled into the libraries that tile_library.h describes.
//
// Tiles that differ in rows only share a library: the table of the tallest holds the functions of all of them, so every
// further row count costs nothing but its name. Short tiles have a library of their own all the same, because one of 30
// rows takes three times as long to compile as one of 8, and a search for small M needs the short ones only.
#pragma once

#include <gemwright/config.h>

#include <compare>
#include <string>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/space/config.h"

namespace gemwright::tuner {

struct TileGroup {
  ComputeMode mode = ComputeMode::f32;
  gemwright::element c = gemwright::element::f32;  // what the tiles write
  gemwright::isa family = gemwright::isa::scalar;
  int nv = 4, ku = 1, ka = 1;
  gemwright::prefetch hint = gemwright::prefetch::none;
  int rows = 8;  // of the tallest tile: 8, 16 or 30, or less where registers end before

  auto operator<=>(const TileGroup&) const = default;
};

TileGroup group_of(const Problem& p, const Config& c);
// One for each row count up to the group's that the kernel library offers.
std::vector<gemwright::tile> tiles_of(const TileGroup& group);

// Defines gemwright_tile_library() over the kernels embedded in this program: those that the group's mode needs,
// because dot tiles make the text twice as long.
std::string tile_library_source(const TileGroup& group, const std::vector<EpilogueOp>& chain);

}  // namespace gemwright::tuner
