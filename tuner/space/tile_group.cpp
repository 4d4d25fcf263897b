#include "tuner/space/tile_group.h"

#include <algorithm>

namespace gemwright::tuner {

TileGroup group_of(const Problem& p, const Config& c) {
  constexpr int kShort = 8, kTall = 16, kTallest = 30, kCommonUnroll = 2;
  const gemwright::tile& t = c.tile;
  // Fewer steps than accumulators along K are the same program.
  const int ku = std::max(t.ku, t.ka);
  const int rows = t.mr > kTall ? kTallest : kTall;
  TileGroup g{c.mode, p.interface, t.family, t.nv, ku, ku, t.ka, t.hint, rows, t.along_k, t.panels};
  if (t.mr <= kShort) {
    g.rows = kShort;
    g.ka = 0;
    if (ku <= kCommonUnroll) {
      g.least_ku = 1;
      g.most_ku = kCommonUnroll;
    }
  }
  return g;
}

std::vector<gemwright::tile> tiles_of(const TileGroup& g) {
  std::vector<gemwright::tile> tiles;
  for (const int ku : {1, 2, 4}) {
    for (const int ka : {1, 2, 4}) {
      if (ku < g.least_ku || ku > g.most_ku || (g.ka != 0 && g.ka != ka)) continue;
      // Canonical configs unroll K as often as they have accumulators along it.
      if (ku < ka) continue;
      for (int mr = 1; mr <= g.rows; ++mr) {
        const gemwright::tile t{g.family, mr, g.nv, ku, ka, g.hint, g.along_k, g.panels};
        if (!violated(g.mode, t)) tiles.push_back(t);
      }
    }
  }
  return tiles;
}

}  // namespace gemwright::tuner
