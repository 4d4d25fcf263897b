// The tiles of a block of C, one behind the other: what the loop nests (loop_nest.h, dot_nest.h) and the products that
// need no nest (direct.h, dot_direct.h) have in common.
//
// Where K is short this is a large part of the work: a tile of 6 x 64 over 13 elements of bf16 takes 170 cycles, and
// from 20 to 60 went into finding the next one while its place was kept in memory and read again behind each tile. All
// of it is inlined, so places are registers, and in an exported header, whose N and plan are constants, often
// constants.
#pragma once

#include <cstdint>

#include "gemwright/macros.h"
#include "gemwright/pack.h"

namespace gemwright {
inline namespace gemwright_abi {

// Rows over tiles, as even as can be: the first `longer` tiles have one more than the others.
struct row_spread {
  std::int64_t least, longer;

  constexpr std::int64_t first(std::int64_t tile) const { return tile * least + (tile < longer ? tile : longer); }
  constexpr std::int64_t count(std::int64_t tile) const { return least + (tile < longer ? 1 : 0); }
  constexpr range rows(std::int64_t tile) const { return {first(tile), first(tile) + count(tile)}; }
};

// Without a division for one tile: such products have few cycles in all.
constexpr row_spread spread_rows(std::int64_t rows, std::int64_t tiles) {
  if (tiles == 1) return {rows, 0};
  const std::int64_t least = rows / tiles;
  return {least, rows - least * tiles};
}

// A tile's place in its block.
struct tile_place {
  std::int64_t t;          // tiles of rows above it
  std::int64_t row, rows;  // the first one, and how many
  std::int64_t column;     // the first one
  std::int64_t b;          // its part of B begins so many elements behind that of the block
  std::int64_t b_next;     // how far behind it that of the next tile of columns does; 0: there is none
  std::int64_t passes;     // tiles that passed over its panel of B before
  bool first_column;
};

// A class, since its function takes a type of the caller: where two exports of different versions meet, a free one
// would be found in both of their namespaces.
struct tile_walk {
  range tiles;  // of rows
  row_spread spread;
  range columns;
  std::int64_t nr;
  std::int64_t unit, unit_steps;  // columns of B that lie side by side, and how many rows of them stand before the next
  bool rows_inside;

  // Tiles of rows that pass over a panel of B one behind the other.
  std::int64_t shares() const { return rows_inside ? tiles.size() : 1; }

  // tile(tile_place) for each tile.
  template <class Tile>
  GEMWRIGHT_INLINE void each(const Tile& tile) const {
    if (tiles.size() == 1) {
      each_column([&](const panel_place& at)
                      GEMWRIGHT_INLINE_BODY { tile(place(tiles.begin, spread.first(tiles.begin), at, 0)); });
    } else if (rows_inside) {
      each_column([&](const panel_place& at) GEMWRIGHT_INLINE_BODY {
        std::int64_t row = spread.first(tiles.begin);
        for (std::int64_t t = tiles.begin; t < tiles.end; row += spread.count(t++)) {
          tile(place(t, row, at, t - tiles.begin));
        }
      });
    } else {
      std::int64_t row = spread.first(tiles.begin);
      for (std::int64_t t = tiles.begin; t < tiles.end; row += spread.count(t++)) {
        each_column([&](const panel_place& at) GEMWRIGHT_INLINE_BODY { tile(place(t, row, at, 0)); });
      }
    }
  }

 private:
  struct panel_place {
    std::int64_t column, begin, next;  // as in tile_place
  };

  template <class Column>
  GEMWRIGHT_INLINE void each_column(const Column& visit) const {
    std::int64_t begin = 0, in_unit = 0, step = 0;
    for (std::int64_t column = columns.begin; column < columns.end; column += nr, begin += step) {
      in_unit += nr;
      step = nr;
      if (in_unit >= unit) {
        step += unit * (unit_steps - 1);
        in_unit = 0;
      }
      visit({column, begin, columns.end - column > nr ? step : 0});
    }
  }

  GEMWRIGHT_INLINE tile_place place(std::int64_t t, std::int64_t row, const panel_place& at,
                                    std::int64_t passes) const {
    return {t - tiles.begin, row, spread.count(t), at.column, at.begin, at.next, passes, at.column == columns.begin};
  }
};

}  // namespace gemwright_abi
}  // namespace gemwright
