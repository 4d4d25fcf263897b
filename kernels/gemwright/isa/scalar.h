// Portable C++: one float at a time. The fallback of every exported header and the reference of the tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
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
  static GEMWRIGHT_INLINE void add_product(reg& c, reg a, reg b) { c = fma(a, b, c); }
  static GEMWRIGHT_INLINE reg add(reg a, reg b) { return a + b; }
  // Hidden from the compiler, or where the target has FMA g++ joins it with an addition behind it where it likes: bits
  // would depend on the tile.
  static GEMWRIGHT_INLINE reg mul(reg a, reg b) {
    reg v = a * b;
#if defined(__x86_64__)
    asm("" : "+x"(v));
#elif defined(__aarch64__)
    asm("" : "+w"(v));
#endif
    return v;
  }
  static GEMWRIGHT_INLINE reg div(reg a, reg b) { return a / b; }
  // As the vector instructions: the second operand where one is a NaN or both are zeros.
  static GEMWRIGHT_INLINE reg max(reg a, reg b) { return a > b ? a : b; }
  static GEMWRIGHT_INLINE reg min(reg a, reg b) { return a < b ? a : b; }
  static GEMWRIGHT_INLINE reg abs(reg v) { return __builtin_fabsf(v); }
  static GEMWRIGHT_INLINE reg fused_minus(reg a, reg b, reg c) {
    return static_cast<float>(static_cast<double>(a) * static_cast<double>(b) - static_cast<double>(c));
  }
  static GEMWRIGHT_INLINE reg constant(float v) { return v; }
  static GEMWRIGHT_INLINE reg whole(reg v) {
    return static_cast<float>(static_cast<int>(v < 0.0F ? v - 0.5F : v + 0.5F));
  }
  static GEMWRIGHT_INLINE reg times_pow2(reg v, reg n) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &v, sizeof bits);
    bits += static_cast<std::uint32_t>(static_cast<int>(n)) << 23;
    std::memcpy(&v, &bits, sizeof v);
    return v;
  }
};

#include "gemwright/isa/epilogue.inl"
#include "gemwright/isa/micro_kernel.inl"
#include "gemwright/isa/micro_kernel_table.inl"

}  // namespace scalar_kernels
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
