// AVX-512F: 32 registers of 16 floats, masks for tails.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
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
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void add_product(reg& c, reg a, reg b) { c = fma(a, b, c); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg add(reg a, reg b) { return _mm512_add_ps(a, b); }
  // Hidden from the compiler, or g++ joins it with an addition behind it where it likes: bits would depend on the tile.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg mul(reg a, reg b) {
    reg v = _mm512_mul_ps(a, b);
    asm("" : "+v"(v));
    return v;
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg div(reg a, reg b) { return _mm512_div_ps(a, b); }
  // The maskz forms avoid false warnings about uninitialised registers in g++ 12's header.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg max(reg a, reg b) { return _mm512_maskz_max_ps(0xffff, a, b); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg min(reg a, reg b) { return _mm512_maskz_min_ps(0xffff, a, b); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg abs(reg v) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff)));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg fused_minus(reg a, reg b, reg c) { return _mm512_fmsub_ps(a, b, c); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg constant(float v) { return _mm512_set1_ps(v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg whole(reg v) { return _mm512_maskz_roundscale_ps(0xffff, v, 0x08); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg times_pow2(reg v, reg n) { return _mm512_maskz_scalef_ps(0xffff, v, n); }
  // x and y lane by lane, each of x over that one of y two behind it; then four of these become sums of neighbours.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg add_halves(reg x, reg y) {
    return add(_mm512_maskz_unpacklo_ps(0xffff, x, y), _mm512_maskz_unpackhi_ps(0xffff, x, y));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m128 sums(reg a, reg b, reg c, reg d) {
    const reg x = add_halves(a, b), y = add_halves(c, d);
    const reg v = add(_mm512_maskz_shuffle_ps(0xffff, x, y, 0x44), _mm512_maskz_shuffle_ps(0xffff, x, y, 0xee));
    const __m256d lower = _mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(v), 0);
    const __m256d upper = _mm512_maskz_extractf64x4_pd(0xff, _mm512_castps_pd(v), 1);
    const __m256 half = _mm256_add_ps(_mm256_castpd_ps(lower), _mm256_castpd_ps(upper));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
};

#include "gemwright/isa/epilogue.inl"
#include "gemwright/isa/micro_kernel.inl"
#include "gemwright/isa/micro_kernel_along_k.inl"
#include "gemwright/isa/micro_kernel_table.inl"

}  // namespace avx512f_kernels
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
#endif
