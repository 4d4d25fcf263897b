#include "tuner/space/tile_group.h"

namespace gemwright::tuner {

TileGroup group_of(const Problem& p, const Config& c) {
  constexpr int kShort = 8, kTall = 16, kTallest = 30;
  const gemwright::tile& t = c.tile;
  TileGroup g{c.mode, p.interface, t.family, t.nv, 0, 0, t.hint, kShort};
  if (t.mr > kShort) {
    g.ku = t.ku;
    g.ka = t.ka;
    g.rows = t.mr > kTall ? kTallest : kTall;
  }
  return g;
}

std::vector<gemwright::tile> tiles_of(const TileGroup& g) {
  std::vector<gemwright::tile> tiles;
  for (const int ku : {1, 2, 4}) {
    for (const int ka : {1, 2, 4}) {
      if ((g.ku != 0 && g.ku != ku) || (g.ka != 0 && g.ka != ka)) continue;
      for (int mr = 1; mr <= g.rows; ++mr) {
        const gemwright::tile t{g.family, mr, g.nv, ku, ka, g.hint};
        if (!violated(g.mode, t)) tiles.push_back(t);
      }
    }
  }
  return tiles;
}

}  // namespace gemwright::tuner
