// The tiles of a block, in their order: each once, with its place in C, in B and among those that share a panel.
#include <gemwright/walk.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace gemwright::test {
namespace {

std::vector<tile_place> places(const tile_walk& w) {
  std::vector<tile_place> all;
  w.each([&](const tile_place& t) { all.push_back(t); });
  return all;
}

// Where column `at` of a B begins whose `unit` columns lie side by side, before the next ones.
std::int64_t begins(std::int64_t at, std::int64_t unit, std::int64_t steps) {
  return at / unit * unit * steps + at % unit;
}

TEST(Walk, RowsAreSpreadEvenlyOverTiles) {
  for (std::int64_t rows = 1; rows <= 40; ++rows) {
    for (std::int64_t tiles = 1; tiles <= rows; ++tiles) {
      const row_spread s = spread_rows(rows, tiles);
      std::int64_t next = 0;
      for (std::int64_t t = 0; t < tiles; ++t) {
        EXPECT_EQ(s.rows(t).begin, next);
        EXPECT_EQ(s.rows(t).size(), s.count(t));
        EXPECT_GE(s.count(t), rows / tiles);
        EXPECT_LE(s.count(t), rows / tiles + 1);
        next += s.count(t);
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST(Walk, TilesOfABlockComeInItsOrderAndNameTheirPlaces) {
  constexpr std::int64_t kRows = 23, kTiles = 5, kSteps = 9;
  const row_spread spread = spread_rows(kRows, kTiles);
  for (const bool rows_inside : {false, true}) {
    for (const range tiles : {range{0, kTiles}, range{2, 4}, range{4, 5}}) {
      for (const std::int64_t unit : {16, 32, 48}) {
        for (const range columns : {range{0, 96}, range{48, 101}, range{96, 97}}) {
          const std::int64_t column_tiles = (columns.size() + 15) / 16;
          const std::vector<tile_place> all = places({tiles, spread, columns, 16, unit, kSteps, rows_inside});
          ASSERT_EQ(static_cast<std::int64_t>(all.size()), tiles.size() * column_tiles);
          // Units are whole from the block's first column on.
          const auto b_at = [&](std::int64_t j) { return begins(16 * j, unit, kSteps); };
          for (std::int64_t i = 0; i < static_cast<std::int64_t>(all.size()); ++i) {
            const tile_place& p = all[static_cast<std::size_t>(i)];
            const std::int64_t t = rows_inside ? i % tiles.size() : i / column_tiles;
            const std::int64_t j = rows_inside ? i / tiles.size() : i % column_tiles;
            EXPECT_EQ(p.t, t);
            EXPECT_EQ(p.row, spread.first(tiles.begin + t));
            EXPECT_EQ(p.rows, spread.count(tiles.begin + t));
            EXPECT_EQ(p.column, columns.begin + 16 * j);
            EXPECT_EQ(p.b, b_at(j));
            EXPECT_EQ(p.b_next, j + 1 < column_tiles ? b_at(j + 1) - b_at(j) : 0);
            EXPECT_EQ(p.passes, rows_inside ? t : 0);
            EXPECT_EQ(p.first_column, j == 0);
          }
        }
      }
    }
  }
}

TEST(Walk, NothingIsWalkedWhereThereAreNoColumnsOrNoTiles) {
  EXPECT_TRUE(places({{0, 3}, spread_rows(9, 3), {16, 16}, 16, 16, 4, true}).empty());
  EXPECT_TRUE(places({{3, 3}, spread_rows(9, 3), {0, 32}, 16, 16, 4, false}).empty());
  EXPECT_TRUE(places({{3, 3}, spread_rows(9, 3), {0, 32}, 16, 16, 4, true}).empty());
}

}  // namespace
}  // namespace gemwright::test
