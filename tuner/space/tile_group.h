// Which tiles are compiled together, into one library.
//
// Tiles that differ in rows only share a library: the table of the tallest holds the functions of all of them, so every
// further row count costs nothing but its name. Short tiles have a library of their own all the same, because one of 30
// rows takes three times as long to compile as one of 8, and a search for small M needs the short ones only. All else
// is apart, because the first libraries are waited for: with its headers precompiled a library of short tiles takes 0.4
// to 1 s (g++ 12 on a Zen 3), and twice as long where it holds the unroll by 2 and two accumulators along K as well.
// For the same reason the code that converts operands is that of the problem's interface alone.
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
  int ku = 1, ka = 1;
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
