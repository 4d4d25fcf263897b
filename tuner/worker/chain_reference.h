// What an epilogue chain makes of an element in float64, and of what the element may be off by before it.
//
// Errors go through a chain as follows: an operation multiplies them by its slope (1.13 at most for an activation),
// adds half a unit in the last place of its result, and an activation adds what its approximation may be off by.
#pragma once

#include <gemwright/tile.h>

#include <cstdint>
#include <vector>

#include "tuner/problem/problem.h"

namespace gemwright::tuner {

// A value, and how far from it a right result may lie. A value that is no finite number is exact.
struct Bounded {
  double value = 0, error = 0;
};

// What the chain reads at one element.
struct ChainPoint {
  double bias = 0, residual = 0, operand = 0, scale = 0, lo = 0, hi = 0;
  double up_bias = 0;  // of a pair of products: bias is the gate's
};
// `half`: of a pair, the columns of each half, which is where the bias of the other one begins.
ChainPoint chain_point(const gemwright::epilogue_operands& x, std::int64_t item, std::int64_t row, std::int64_t col,
                       std::int64_t half = 0);

// Whether a result is as near the right one as that allows; a NaN and an infinity must be what they are.
bool agrees(double got, const Bounded& right);

// `approximation`: the share of the result, and of 1 where that is less, that an activation may be off by. `up` is the
// other half of a pair, whose gate is b.
Bounded apply_chain(const std::vector<EpilogueOp>& chain, Bounded b, const ChainPoint& at, double approximation,
                    Bounded up = {});

}  // namespace gemwright::tuner
