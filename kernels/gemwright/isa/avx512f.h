// AVX-512F: 32 registers of 16 floats, masks for tails.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>
#include <utility>

#include "gemwright/epilogue.h"
#include "gemwright/macros.h"
#include "gemwright/tile.h"

#define GEMWRIGHT_TARGET __attribute__((target("avx512f,fma")))

namespace gemwright {
inline namespace gemwright_abi {
namespace avx512f_kernels {

struct vec {
  using reg = __m512;
  using mask = __mmask16;
  static constexpr int width = 16;
  static constexpr isa family = isa::avx512f;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE mask first(int n) { return static_cast<mask>((1U << n) - 1U); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg zero() { return _mm512_setzero_ps(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg set1(const float* p) { return _mm512_set1_ps(*p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg load(const float* p) { return _mm512_loadu_ps(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg load(const float* p, mask m) { return _mm512_maskz_loadu_ps(m, p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(float* p, reg v) { _mm512_storeu_ps(p, v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(float* p, mask m, reg v) { _mm512_mask_storeu_ps(p, m, v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg fma(reg a, reg b, reg c) { return _mm512_fmadd_ps(a, b, c); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg add(reg a, reg b) { return _mm512_add_ps(a, b); }
  // A NaN passes through, as x < 0 ? 0 : x does: max returns its second operand then. The maskz form avoids a false
  // warning about uninitialised registers in g++ 12's header.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg relu(reg v) {
    return _mm512_maskz_max_ps(0xffff, _mm512_setzero_ps(), v);
  }
};

#include "gemwright/isa/micro_kernel.inl"

}  // namespace avx512f_kernels
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
#endif
