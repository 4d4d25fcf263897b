#include "tuner/worker/factors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tuner/worker/operands.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

// 3 x 5, by rows or by columns, with a gap behind each line.
struct Small {
  explicit Small(layout order) : view(matrix_view(values.data(), 3, 5, order == layout::row_major ? 6 : 4, order)) {}
  float& at(std::int64_t i, std::int64_t j) { return values[static_cast<std::size_t>(i * view.row + j * view.col)]; }
  float out_at(std::int64_t i, std::int64_t j) const {
    return out[static_cast<std::size_t>(i * view.row + j * view.col)];
  }

  std::vector<float> values = std::vector<float>(24, 99.0F), out = std::vector<float>(24, -1.0F);
  MatrixView view;
};

TEST(Factors, RowsAreQuantisedEachByItsOwnRange) {
  for (const layout order : {layout::row_major, layout::col_major}) {
    Small m(order);
    const float rows[3][5] = {{0, 1, 2, 3, 255}, {-255, 0, -1, -2, -3}, {-1, 0.5F, 0, 1.55F, 0.25F}};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 5; ++j) m.at(i, j) = rows[i][j];
    }
    quantise_rows(m.view, m.out.data());
    for (int j = 0; j < 5; ++j) {
      EXPECT_EQ(m.out_at(0, j), rows[0][j]) << "a scale of 1, a zero point of 0";
      EXPECT_EQ(m.out_at(1, j), rows[1][j]) << "a zero point of 255";
      EXPECT_NEAR(m.out_at(2, j), rows[2][j], 0.5 * 2.55 / 255 + 1e-6);
    }
    EXPECT_EQ(m.out[order == layout::row_major ? 5 : 3], -1) << "between the lines";
  }
}

TEST(Factors, ColumnsAreQuantisedByTheirLargestMagnitude) {
  for (const layout order : {layout::row_major, layout::col_major}) {
    Small m(order);
    for (int j = 0; j < 5; ++j) {
      m.at(0, j) = 127.0F * static_cast<float>(j);
      m.at(1, j) = -3.0F * static_cast<float>(j);
      m.at(2, j) = 0.4F * static_cast<float>(j);
    }
    std::vector<std::int8_t> codes(24, 77);
    std::vector<float> scales(5);
    quantise_columns(m.view, m.out.data(), codes.data(), scales.data());
    for (int j = 0; j < 5; ++j) {
      EXPECT_EQ(scales[static_cast<std::size_t>(j)], static_cast<float>(j));
      EXPECT_EQ(m.out_at(0, j), 127.0F * static_cast<float>(j));
      EXPECT_EQ(m.out_at(1, j), -3.0F * static_cast<float>(j));
      EXPECT_EQ(m.out_at(2, j), 0.0F);
      EXPECT_EQ(codes[static_cast<std::size_t>(m.view.row + j * m.view.col)], j == 0 ? 0 : -3);
    }
    EXPECT_EQ(codes[order == layout::row_major ? 5 : 3], 77);
  }
}

TEST(Factors, ALineWithAnInfinityIsNotANumber) {
  Small m(layout::row_major);
  for (int j = 0; j < 5; ++j) m.at(0, j) = m.at(1, j) = m.at(2, j) = 1;
  m.at(1, 2) = std::numeric_limits<float>::infinity();
  quantise_rows(m.view, m.out.data());
  EXPECT_TRUE(std::isnan(m.out_at(1, 0)));
  EXPECT_EQ(m.out_at(0, 0), 1.0F);
}

TEST(Factors, ATensorHasOneScale) {
  const std::vector<float> v = {-1, 0, 0.5F, 1.55F};
  std::vector<float> out(4);
  std::vector<std::uint8_t> codes(4);
  const auto s = quantise_tensor(v.data(), 4, out.data(), codes.data());
  EXPECT_NEAR(s.scale, 0.01, 1e-8);
  EXPECT_EQ(s.zero, 100);
  EXPECT_EQ(codes, (std::vector<std::uint8_t>{0, 100, 150, 255}));
  EXPECT_EQ(out[1], 0);
  EXPECT_NEAR(out[3], 1.55, 1e-6);
}

}  // namespace
}  // namespace gemwright::tuner
