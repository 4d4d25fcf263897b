// Dot modes in portable C++: the fallback of every exported header and the reference of the tests.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "gemwright/isa/dot_lines_scalar.h"
#include "gemwright/isa/scalar.h"
#include "gemwright/quantize.h"

#define GEMWRIGHT_TARGET

namespace gemwright {
inline namespace gemwright_abi {

namespace scalar_dot {
namespace f32 = scalar_kernels;

struct io {
  template <element E>
  static GEMWRIGHT_INLINE float load(const void* p, int n) {
    if (n < 1) return 0.0F;
    if constexpr (E == element::f32) {
      return *static_cast<const float*>(p);
    } else {
      return to_float(*static_cast<const bf16*>(p));
    }
  }
  template <element E>
  static GEMWRIGHT_INLINE void store(void* p, int n, float v, [[maybe_unused]] requantisation r) {
    if (n < 1) return;
    if constexpr (E == element::f32) {
      *static_cast<float*>(p) = v;
    } else if constexpr (E == element::bf16) {
      *static_cast<bf16*>(p) = to_bf16(v);
    } else {
      *static_cast<std::uint8_t*>(p) = requantised(v, r);
    }
  }
};
}  // namespace scalar_dot

namespace scalar_bf16 {
using namespace scalar_dot;

struct dot {
  static constexpr compute_mode mode = compute_mode::bf16;
  static constexpr isa family = isa::scalar;
  static constexpr int a_words = 2;
  using acc = float;
  struct a_reg {
    float e0, e1;
  };
  using b_reg = a_reg;
  static GEMWRIGHT_INLINE float as_float(std::uint32_t bits) {
    float f = 0;
    std::memcpy(&f, &bits, sizeof f);
    return f;
  }
  static GEMWRIGHT_INLINE acc zero() { return 0.0F; }
  static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) { return {as_float(p[0]), as_float(p[1])}; }
  static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) {
    return {as_float(*p << 16U), as_float(*p & 0xffff0000U)};
  }
  static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) { return c + a.e0 * b.e0 + a.e1 * b.e1; }
  static GEMWRIGHT_INLINE acc add(acc x, acc y) { return x + y; }
  static GEMWRIGHT_INLINE acc load_raw(const std::uint32_t* p) { return as_float(*p); }
  static GEMWRIGHT_INLINE void store_raw(std::uint32_t* p, acc v) { std::memcpy(p, &v, sizeof v); }
  static GEMWRIGHT_INLINE float value(acc v) { return v; }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace scalar_bf16

namespace scalar_u8s8 {
using namespace scalar_dot;

struct dot {
  static constexpr compute_mode mode = compute_mode::u8s8;
  static constexpr isa family = isa::scalar;
  static constexpr int a_words = 1;
  using acc = std::int32_t;
  struct a_reg {
    std::int32_t e0, e1, e2, e3;
  };
  using b_reg = a_reg;
  static GEMWRIGHT_INLINE acc zero() { return 0; }
  static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    const auto byte = [w = *p](unsigned i) { return static_cast<std::int32_t>(w >> 8U * i & 0xffU); };
    return {byte(0), byte(1), byte(2), byte(3)};
  }
  static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) {
    const auto byte = [w = *p](unsigned i) {
      const auto v = static_cast<std::int32_t>(w >> 8U * i & 0xffU);
      return v < 128 ? v : v - 256;
    };
    return {byte(0), byte(1), byte(2), byte(3)};
  }
  static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    return c + a.e0 * b.e0 + a.e1 * b.e1 + a.e2 * b.e2 + a.e3 * b.e3;
  }
  static GEMWRIGHT_INLINE acc add(acc x, acc y) { return x + y; }
  static GEMWRIGHT_INLINE acc load_raw(const std::uint32_t* p) { return static_cast<acc>(*p); }
  static GEMWRIGHT_INLINE void store_raw(std::uint32_t* p, acc v) { *p = static_cast<std::uint32_t>(v); }
  // The result fits, the two terms need not: modulo 2^32, as the vector instructions do it.
  static GEMWRIGHT_INLINE float value(acc v, std::int32_t zero, acc sum) {
    const std::uint32_t shift = static_cast<std::uint32_t>(zero) * static_cast<std::uint32_t>(sum);
    return static_cast<float>(static_cast<std::int32_t>(static_cast<std::uint32_t>(v) - shift));
  }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace scalar_u8s8

}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
