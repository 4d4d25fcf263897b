// Products in float64: what every result is compared with in the end.
//
// Inputs are f32 matrices, sums are float64; the relative error of a sum of K products is below K * 2^-53 of the sum of
// their magnitudes, nothing beside the errors of f32. One thread, roughly 10 to 20 billion multiply-adds a second on a
// core with AVX-512. Nothing outside the matrices is read: their surroundings may hold NaN.
#pragma once

#include <gemwright/config.h>

#include <cstdint>
#include <span>
#include <vector>

namespace gemwright::tuner {

// Element (i, j) lies at data[i * row + j * col]; one of the two strides is 1.
struct MatrixView {
  const float* data = nullptr;
  std::int64_t rows = 0, cols = 0;
  std::int64_t row = 0, col = 0;

  MatrixView transposed() const { return {data, cols, rows, col, row}; }
};

// rows x cols with leading dimension ld; col_major is the transpose in memory.
MatrixView matrix_view(const float* data, std::int64_t rows, std::int64_t cols, std::int64_t ld,
                       gemwright::layout order);

// out[i][n] = sum over k of a[rows[i]][k] * b[k][n], for each listed row.
void multiply_rows(const MatrixView& a, std::span<const std::int64_t> rows, const MatrixView& b, double* out);

// out[n] = sum over k of x[k] * b[k][n].
void multiply_vector(const double* x, const MatrixView& b, double* out);

// The 2-norm of each row.
std::vector<double> row_norms(const MatrixView& m);

}  // namespace gemwright::tuner
