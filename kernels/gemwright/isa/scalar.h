// Portable C++: one float at a time. The fallback of every exported header and the reference of the tests.
#pragma once

#include <cstdint>
#include <utility>

#include "gemwright/epilogue.h"
#include "gemwright/macros.h"
#include "gemwright/tile.h"

#define GEMWRIGHT_TARGET

namespace gemwright {
inline namespace gemwright_abi {
namespace scalar_kernels {

struct vec {
  using reg = float;
  using mask = bool;
  static constexpr int width = 1;
  static constexpr isa family = isa::scalar;
  static GEMWRIGHT_INLINE mask first(int n) { return n > 0; }
  static GEMWRIGHT_INLINE reg zero() { return 0.0F; }
  static GEMWRIGHT_INLINE reg set1(const float* p) { return *p; }
  static GEMWRIGHT_INLINE reg load(const float* p) { return *p; }
  static GEMWRIGHT_INLINE reg load(const float* p, mask m) { return m ? *p : 0.0F; }
  static GEMWRIGHT_INLINE void store(float* p, reg v) { *p = v; }
  static GEMWRIGHT_INLINE void store(float* p, mask m, reg v) {
    if (m) *p = v;
  }
  static GEMWRIGHT_INLINE reg fma(reg a, reg b, reg c) { return c + a * b; }
  static GEMWRIGHT_INLINE reg add(reg a, reg b) { return a + b; }
  static GEMWRIGHT_INLINE reg relu(reg v) { return v < 0.0F ? 0.0F : v; }
};

#include "gemwright/isa/micro_kernel.inl"

}  // namespace scalar_kernels
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
