// Pairs of products against float64, for the tests of f32 tiles and of dot tiles: C = act(gate) * up and what follows,
// from the gate and the other half of each element and the bounds of their distances.
#pragma once

#include <gemwright/gemm.h>

#include <algorithm>
#include <cmath>

#include "tests/kernels/gemm_case.h"

namespace gemwright::test {

struct PairChain {
  bool geglu = false, bias = false, add = false;
};

struct Bounded {
  double value, bound;
};

// No slope of an activation is above 1.13; their own errors: epilogue.h.
inline Bounded paired(PairChain chain, Bounded gate, Bounded up, double residual) {
  const double z = gate.value;
  const double share = chain.geglu ? 2 * std::sqrt(2 / std::acos(-1.0)) * (z + 0.044715 * z * z * z) : z;
  const double act = z / (1 + std::exp(-share));
  const double own = std::min(1.5e-5 * std::fabs(act) + 1e-43, 1.2e-7 * std::max(std::fabs(act), 1.0));
  const double off = 1.13 * gate.bound + own;
  Bounded out{act * up.value, off * (std::fabs(up.value) + up.bound) + std::fabs(act) * up.bound};
  if (chain.add) out.value += residual;
  out.bound += 0x1p-23 * (std::fabs(out.value) + std::fabs(act * up.value) + std::fabs(residual)) + 0x1p-126;
  return out;
}

// The bias that stands before the pair, as large as the column of B says.
inline float pair_bias(std::int64_t column) { return static_cast<float>(column % 7) * 0.25F - 0.75F; }

}  // namespace gemwright::test
