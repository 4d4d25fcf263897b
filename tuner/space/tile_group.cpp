#include "tuner/space/tile_group.h"

#include <algorithm>

namespace gemwright::tuner {

TileGroup group_of(const Problem& p, const Config& c) {
  constexpr int kShort = 8, kTall = 16, kTallest = 30;
  const gemwright::tile& t = c.tile;
  // Fewer steps than accumulators along K are the same program.
  const int ku = std::max(t.ku, t.ka);
  const int rows = t.mr > kTall ? kTallest : t.mr > kShort ? kTall : kShort;
  return {c.mode, p.interface, t.family, t.nv, ku, t.ka, t.hint, rows, t.along_k, t.panels};
}

std::vector<gemwright::tile> tiles_of(const TileGroup& g) {
  std::vector<gemwright::tile> tiles;
  for (int mr = 1; mr <= g.rows; ++mr) {
    const gemwright::tile t{g.family, mr, g.nv, g.ku, g.ka, g.hint, g.along_k, g.panels};
    if (!violated(g.mode, t)) tiles.push_back(t);
  }
  return tiles;
}

}  // namespace gemwright::tuner
