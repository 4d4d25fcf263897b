// Which tiles are compiled together, into one library.
//
// Tiles that differ in rows only share a library: the table of the tallest holds the functions of all of them, so every
// further row count costs nothing but its name. Short tiles have a library of their own all the same, because one of 30
// rows takes three times as long to compile as one of 8, and a search for small M needs the short ones only. What
// stands around the tiles costs as much as 20 functions of dot tiles (g++ 12: 2.2 s of 6 where a library held all short
// ones), so short ones share theirs with others: of those that differ in the unroll and in the accumulators along K,
// the unroll by 4 is apart, since few searches end there and the first library is waited for. For the same reason the
// code that converts operands is that of the problem's interface alone.
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
  int least_ku = 1, most_ku = 1;
  int ka = 0;  // 0: all there are
  gemwright::prefetch hint = gemwright::prefetch::none;
  int rows = 8;  // at most: 8, 16 or 30
  bool along_k = false;
  int panels = 1;

  auto operator<=>(const TileGroup&) const = default;
};

TileGroup group_of(const Problem& p, const Config& c);
// Those of the group that the kernel library offers.
std::vector<gemwright::tile> tiles_of(const TileGroup& group);

}  // namespace gemwright::tuner
