#include "tuner/worker/reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tuner/worker/operands.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

double plain_sum(const MatrixView& a, const MatrixView& b, std::int64_t i, std::int64_t j) {
  double sum = 0;
  for (std::int64_t k = 0; k < a.cols; ++k) {
    sum += static_cast<double>(a.data[i * a.row + k * a.col]) * static_cast<double>(b.data[k * b.row + j * b.col]);
  }
  return sum;
}

struct Sizes {
  std::int64_t m, n, k;
};

void expect_products(Sizes s, layout la, layout lb) {
  // Poison everywhere but in the elements.
  const std::int64_t lda = (la == layout::row_major ? s.k : s.m) + 3, ldb = (lb == layout::row_major ? s.n : s.k) + 2;
  auto a = GuardedFloats::make(lda * (la == layout::row_major ? s.m : s.k));
  auto b = GuardedFloats::make(ldb * (lb == layout::row_major ? s.k : s.n));
  ASSERT_TRUE(a && b);
  a->mark();
  b->mark();
  const MatrixView va = matrix_view(a->data(), s.m, s.k, lda, la), vb = matrix_view(b->data(), s.k, s.n, ldb, lb);
  std::vector<float> values(static_cast<std::size_t>(s.m * s.k + s.k * s.n));
  fill(DataKind::normal, 3, 5, values.data(), static_cast<std::int64_t>(values.size()));
  std::size_t next = 0;
  for (std::int64_t i = 0; i < s.m * s.k; ++i) a->data()[i / s.k * va.row + i % s.k * va.col] = values[next++];
  for (std::int64_t i = 0; i < s.k * s.n; ++i) b->data()[i / s.n * vb.row + i % s.n * vb.col] = values[next++];

  std::vector<std::int64_t> rows;
  for (std::int64_t i = s.m - 1; i >= 0; --i) rows.push_back(i);
  std::vector<double> out(rows.size() * static_cast<std::size_t>(s.n), -1);
  multiply_rows(va, rows, vb, out.data());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::int64_t j = 0; j < s.n; ++j) {
      const double expected = plain_sum(va, vb, rows[r], j);
      ASSERT_NEAR(out[r * static_cast<std::size_t>(s.n) + static_cast<std::size_t>(j)], expected,
                  1e-13 * (std::abs(expected) + static_cast<double>(s.k)))
          << s.m << "x" << s.n << "x" << s.k << " row " << rows[r] << " column " << j;
    }
  }
}

TEST(Reference, EqualsThePlainSumForAllLayoutsAndTails) {
  for (const layout la : {layout::row_major, layout::col_major}) {
    for (const layout lb : {layout::row_major, layout::col_major}) {
      for (const Sizes s :
           {Sizes{1, 1, 1}, {1, 7, 3}, {2, 1, 9}, {3, 8, 4}, {4, 17, 13}, {5, 513, 5}, {6, 3, 1030}, {7, 530, 519}}) {
        expect_products(s, la, lb);
      }
    }
  }
}

TEST(Reference, AnEmptySumIsZero) {
  const std::int64_t rows[] = {0, 1};
  std::vector<double> out(6, 5.0);
  multiply_rows(matrix_view(nullptr, 2, 0, 1, layout::row_major), rows,
                matrix_view(nullptr, 0, 3, 3, layout::row_major), out.data());
  EXPECT_EQ(out, std::vector<double>(6, 0.0));
}

TEST(Reference, AVectorTimesAMatrixSumsItsRows) {
  const float b[] = {1, 2, 3, 4, 5, 6};
  const double x[] = {1, -1};
  std::vector<double> out(3);
  multiply_vector(x, matrix_view(b, 2, 3, 3, layout::row_major), out.data());
  EXPECT_EQ(out, (std::vector<double>{-3, -3, -3}));
}

TEST(Reference, NormsAreThoseOfTheRows) {
  const float m[] = {3, 4, 0, 5, 12, 0};
  EXPECT_EQ(row_norms(matrix_view(m, 2, 3, 3, layout::row_major)), (std::vector<double>{5, 13}));
  EXPECT_EQ(row_norms(matrix_view(m, 3, 2, 3, layout::col_major).transposed()), (std::vector<double>{5, 13}));
}

TEST(Reference, InfinityStaysInItsRow) {
  const float inf = std::numeric_limits<float>::infinity();
  const float a[] = {1, inf, 1, 1}, b[] = {1, 1, 1, -1};
  const std::int64_t rows[] = {0, 1};
  std::vector<double> out(4);
  multiply_rows(matrix_view(a, 2, 2, 2, layout::row_major), rows, matrix_view(b, 2, 2, 2, layout::row_major),
                out.data());
  EXPECT_EQ(out, (std::vector<double>{static_cast<double>(inf), -static_cast<double>(inf), 2, 0}));
}

}  // namespace
}  // namespace gemwright::tuner
