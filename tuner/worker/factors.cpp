#include "tuner/worker/factors.h"

#include <algorithm>
#include <vector>

namespace gemwright::tuner {
namespace {

using gemwright::row_quantisation;
using gemwright::row_scale;
using gemwright::value_range;

// Calls each(row, place) for all elements in the order of memory.
template <class Each>
void visit(const MatrixView& m, const Each& each) {
  if (m.col == 1) {
    for (std::int64_t i = 0; i < m.rows; ++i) {
      for (std::int64_t j = 0; j < m.cols; ++j) each(static_cast<std::size_t>(i), i * m.row + j);
    }
  } else {
    for (std::int64_t j = 0; j < m.cols; ++j) {
      for (std::int64_t i = 0; i < m.rows; ++i) each(static_cast<std::size_t>(i), i * m.row + j * m.col);
    }
  }
}

std::vector<row_scale> scales_of_rows(const MatrixView& m, row_quantisation q) {
  std::vector<value_range> ranges(static_cast<std::size_t>(m.rows));
  visit(m, [&](std::size_t row, std::int64_t at) { ranges[row].add(m.data[at]); });
  std::vector<row_scale> scales(ranges.size());
  std::transform(ranges.begin(), ranges.end(), scales.begin(),
                 [q](const value_range& r) { return gemwright::scale_of(r, q); });
  return scales;
}

float dequantised(std::uint8_t q, const row_scale& s) {
  return s.scale * static_cast<float>(static_cast<std::int32_t>(q) - s.zero);
}

}  // namespace

void round_to_bf16(const float* values, std::int64_t count, float* out, gemwright::bf16* codes) {
  for (std::int64_t i = 0; i < count; ++i) {
    const gemwright::bf16 v = gemwright::to_bf16(values[i]);
    out[i] = gemwright::to_float(v);
    if (codes != nullptr) codes[i] = v;
  }
}

row_scale quantise_tensor(const float* values, std::int64_t count, float* out, std::uint8_t* codes) {
  value_range all;
  for (std::int64_t i = 0; i < count; ++i) all.add(values[i]);
  const row_scale s = gemwright::scale_of(all, row_quantisation::asymmetric);
  for (std::int64_t i = 0; i < count; ++i) {
    codes[i] = gemwright::quantised(values[i], s.inverse, s.zero);
    out[i] = dequantised(codes[i], s);
  }
  return s;
}

void quantise_rows(const MatrixView& a, float* out) {
  const std::vector<row_scale> scales = scales_of_rows(a, row_quantisation::asymmetric);
  visit(a, [&](std::size_t row, std::int64_t at) {
    const row_scale& s = scales[row];
    out[at] = dequantised(gemwright::quantised(a.data[at], s.inverse, s.zero), s);
  });
}

void quantise_columns(const MatrixView& b, float* out, std::int8_t* codes, float* scales) {
  const MatrixView columns = b.transposed();
  const std::vector<row_scale> all = scales_of_rows(columns, row_quantisation::symmetric);
  visit(columns, [&](std::size_t col, std::int64_t at) {
    const std::int8_t q = gemwright::quantised_weight(columns.data[at], all[col].inverse);
    if (codes != nullptr) codes[at] = q;
    out[at] = all[col].scale * static_cast<float>(q);
  });
  if (scales == nullptr) return;
  std::transform(all.begin(), all.end(), scales, [](const row_scale& s) { return s.scale; });
}

}  // namespace gemwright::tuner
