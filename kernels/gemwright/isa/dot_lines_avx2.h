// Lines of elements as words of a packed panel, 256 bits at a time.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gemwright/isa/avx2.h"
#include "gemwright/pack.h"
#include "gemwright/quantize.h"

#define GEMWRIGHT_TARGET __attribute__((target("avx2,fma")))

namespace gemwright {
inline namespace gemwright_abi {
namespace avx2_dot {

struct line {
  static constexpr int width = 8;
  using reg = __m256i;
  using freg = __m256;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg zero() { return _mm256_setzero_si256(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg load(const void* p) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(p));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(std::uint32_t* p, reg w) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), w);
  }
  // n lanes. `free`: what stands behind them may be overwritten. (A masked store takes many cycles on some CPUs.)
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_lanes(std::uint32_t* p, reg w, int n, bool free) {
    if (n == width || (free && n > 4)) {
      store(p, w);
    } else if (n == 4 || free) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(w));
    } else {
      _mm256_maskstore_epi32(reinterpret_cast<int*>(p), avx2_kernels::vec::first(n), w);
    }
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg fload(const float* p) { return _mm256_loadu_ps(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg fsplat(float v) { return _mm256_set1_ps(v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg splat(std::uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg as_floats(reg w) { return _mm256_castsi256_ps(w); }
  template <bool Part>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg read(const float* p, int n) {
    if constexpr (Part) {
      return avx2_kernels::vec::load(p, avx2_kernels::vec::first(n));
    } else {
      return _mm256_loadu_ps(p);
    }
  }
  template <bool Part>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg read(const bf16* p, int n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(codes<Part>(p, n), 16));
  }
  template <bool Part>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg codes(const bf16* p, int n) {
    if constexpr (Part) {
      const void* const at = p;  // of no namespace: another version's bytes_at is not found
      const auto part = [=](int i) { return static_cast<long long>(bytes_at(at, 8 * i, 2 * n)); };
      return _mm256_cvtepu16_epi32(_mm_set_epi64x(part(1), part(0)));
    } else {
      return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
  }
  template <bool Part, class Byte>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg codes(const Byte* p, int n) {
    if constexpr (Part) {
      return _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes_at(p, 0, n))));
    } else {
      return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    }
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg upper_half(freg v) {  // as bf16, in the lower half of each lane
    const reg bits = _mm256_castps_si256(v);
    const reg odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const reg rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    const reg quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const reg nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    return _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
  }
  // A NaN becomes 0; everything else lies within the 127 steps of its column.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg weight(freg v, freg inverse) {
    const freg scaled = _mm256_mul_ps(v, inverse);
    const freg number = _mm256_and_ps(scaled, _mm256_cmp_ps(scaled, scaled, _CMP_ORD_Q));
    return _mm256_and_si256(_mm256_cvtps_epi32(number), _mm256_set1_epi32(0xff));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg row(freg v, freg inverse, reg zero_point) {
    const reg q = _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_mul_ps(v, inverse)), zero_point);
    return _mm256_min_epi32(_mm256_max_epi32(q, zero()), _mm256_set1_epi32(255));
  }
  template <int Bits>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg shl(reg w) {
    return _mm256_slli_epi32(w, Bits);
  }
  template <int Bits>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg shr(reg w) {
    return _mm256_srli_epi32(w, Bits);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg keep(reg w, std::uint32_t bits) {
    return _mm256_and_si256(w, splat(bits));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg join(reg x, reg y) { return _mm256_or_si256(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg add(reg x, reg y) { return _mm256_add_epi32(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg byte_sums(reg w) {
    return _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), w), _mm256_set1_epi16(1));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg pack2(reg x, reg y) {
    return _mm256_permute4x64_epi64(_mm256_packus_epi32(x, y), 0xd8);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg pack4(reg x, reg y, reg z, reg w) {
    const reg bytes = _mm256_packus_epi16(_mm256_packus_epi32(x, y), _mm256_packus_epi32(z, w));
    return _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void zip(reg even, reg odd, reg& first, reg& second) {
    const reg x = _mm256_unpacklo_epi32(even, odd), y = _mm256_unpackhi_epi32(even, odd);
    first = _mm256_permute2x128_si256(x, y, 0x20);
    second = _mm256_permute2x128_si256(x, y, 0x31);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void transpose(reg (&r)[8]) {
    reg t[8];
    GEMWRIGHT_UNROLL
    for (int i = 0; i < 8; i += 2) {
      t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
      t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    reg u[8];  // 4q + c: columns c and 4 + c of the rows 4q .. 4q + 3
    GEMWRIGHT_UNROLL
    for (int q = 0; q < 8; q += 4) {
      u[q] = _mm256_unpacklo_epi64(t[q], t[q + 2]);
      u[q + 1] = _mm256_unpackhi_epi64(t[q], t[q + 2]);
      u[q + 2] = _mm256_unpacklo_epi64(t[q + 1], t[q + 3]);
      u[q + 3] = _mm256_unpackhi_epi64(t[q + 1], t[q + 3]);
    }
    GEMWRIGHT_UNROLL
    for (int c = 0; c < 4; ++c) {
      r[c] = _mm256_permute2x128_si256(u[c], u[4 + c], 0x20);
      r[4 + c] = _mm256_permute2x128_si256(u[c], u[4 + c], 0x31);
    }
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg low(freg v, reg least) {
    return _mm256_castps_si256(_mm256_min_ps(v, as_floats(least)));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg high(freg v, reg most) {
    return _mm256_castps_si256(_mm256_max_ps(v, as_floats(most)));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg magnitude(freg v, reg most) {
    return _mm256_max_epu32(_mm256_and_si256(_mm256_castps_si256(v), _mm256_set1_epi32(0x7fffffff)), most);
  }
};

#include "gemwright/isa/dot_lines.inl"
// After it.
#include "gemwright/isa/dot_columns.inl"
#include "gemwright/isa/dot_rows.inl"

}  // namespace avx2_dot
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
#endif
