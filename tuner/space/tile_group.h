// Which tiles are compiled together, into one library.
//
// Tiles that differ in rows only share a library: the table of the tallest holds the functions of all of them, so every
// further row count costs nothing but its name. Short tiles have a library of their own all the same, because one of 30
// rows takes three times as long to compile as one of 8, and a search for small M needs the short ones only. Most of
// what a library costs is what stands around the tiles (g++ 12, dot tiles of 8 rows: 2.5 s, and 0.2 s for each unroll),
// so short ones with every unroll and number of accumulators along K share theirs, too. For the same reason the code
// that converts operands is that of the problem's interface alone.
#pragma once

#include <gemwright/config.h>

#include <compare>
#include <vector>

#include "tuner/problem/problem.h"
#include "tuner/space/config.h"

namespace gemwright::tuner {

struct TileGroup {
  ComputeMode mode = ComputeMode::f32;
  Interface interface = Interface::f32;
  gemwright::isa family = gemwright::isa::scalar;
  int nv = 4;
  int ku = 0, ka = 0;  // 0: all there are
  gemwright::prefetch hint = gemwright::prefetch::none;
  int rows = 8;  // at most: 8, 16 or 30

  auto operator<=>(const TileGroup&) const = default;
};

TileGroup group_of(const Problem& p, const Config& c);
// Those of the group that the kernel library offers.
std::vector<gemwright::tile> tiles_of(const TileGroup& group);

}  // namespace gemwright::tuner
