// Where the tiles of a loop nest prefetch B, while they read it.
//
// Either some rows ahead in the panel that they read, or in the next panel (next_panel_rows). A panel comes from memory
// with the first of the tiles of rows that pass over it and from a cache with the others, so that the memory rests
// meanwhile. Where they bring the next panel, each its share of it, the memory works all the time, and the first tile
// finds its panel near, too. On Zen 4 (f32, cold, one thread, 15 to 21 interleaved rounds) that was 1.01 to 1.04 times
// as fast as 64 rows ahead at M = 16 and 32 where K was 512 to 1024, 0.98 to 1.01 times at 2048 and 4096, and no gain
// from M = 64 on.
#pragma once

#include <cstdint>

namespace gemwright {
inline namespace gemwright_abi {

// As blocking::prefetch_rows: not a number of rows but the panel that the next tile of columns reads.
constexpr std::int64_t next_panel_rows = std::int64_t{1} << 16;

// In elements of B: floats, or words of a dot mode.
struct b_ahead {
  std::int64_t from;  // from where a tile begins in B to where its prefetch does
  std::int64_t step;  // how far that moves at a step of K
};

struct look_ahead {
  std::int64_t rows;   // blocking::prefetch_rows
  std::int64_t k;      // steps of K of a tile
  std::int64_t b_row;  // elements between two of them
  std::int64_t tiles;  // of rows that pass over a panel before the next one is read

  // Of tile t of rows; the next tile of columns begins `to_next` elements behind this one, 0 where there is none.
  constexpr b_ahead of(std::int64_t t, std::int64_t to_next) const {
    if (rows < next_panel_rows) return {rows * b_row, b_row};
    // A prefetch that moves slower than this names each line too often.
    constexpr std::int64_t kMostShares = 8;
    const std::int64_t shares = tiles < kMostShares ? tiles : kMostShares;
    if (to_next == 0 || t >= shares) return {0, b_row};  // what is read anyway
    return {to_next + k * t / shares * b_row, (b_row + shares - 1) / shares};
  }
};

}  // namespace gemwright_abi
}  // namespace gemwright
