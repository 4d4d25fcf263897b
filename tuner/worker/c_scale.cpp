#include "tuner/worker/c_scale.h"

#include <gemwright/quantize.h>

#include <algorithm>
#include <vector>

#include "tuner/worker/chain_reference.h"

namespace gemwright::tuner {
namespace {

// Multiply-adds in float64: some 10 ms; and rows that are computed whatever they take.
constexpr double kRangeWork = 1e8;
constexpr std::int64_t kLeastRows = 4;

std::int64_t rows_to_compute(const Operands& o) {
  const double row = static_cast<double>(o.problem.n) * static_cast<double>(o.problem.k);
  const auto affordable = static_cast<std::int64_t>(std::min(kRangeWork / row, 1e9));
  return std::min(std::max(affordable, kLeastRows), o.rows());
}

}  // namespace

void choose_c_scale(Operands& o) {
  const Problem& p = o.problem;
  const gemwright::epilogue_operands chain = o.chain();
  const std::int64_t columns = c_columns(p), half = has_pair(p) ? columns : 0, count = rows_to_compute(o);
  std::vector<double> product(static_cast<std::size_t>(p.n));
  gemwright::value_range range;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t line = count > 1 ? (o.rows() - 1) * i / (count - 1) : 0;
    const std::int64_t item = line / o.m, row = line % o.m;
    multiply_rows(o.a_item(item), std::span(&row, 1), o.b_item(item), product.data());
    for (std::int64_t j = 0; j < columns; ++j) {
      const double* const at = product.data() + j;
      const ChainPoint point = chain_point(chain, item, row, j, half);
      range.add(static_cast<float>(apply_chain(p.chain, {at[0], 0}, point, 0, {at[half], 0}).value));
    }
  }
  const gemwright::row_scale chosen = gemwright::scale_of(range, gemwright::row_quantisation::asymmetric);
  const bool usable = chosen.scale > 0;  // and no NaN
  o.c_scale = usable ? chosen.scale : 1;
  o.c_zero = usable ? chosen.zero : 0;
}

}  // namespace gemwright::tuner
