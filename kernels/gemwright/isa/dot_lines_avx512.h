// Lines of elements as words of a packed panel, 512 bits at a time, with AVX-512F alone.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gemwright/isa/avx512f.h"
#include "gemwright/pack.h"
#include "gemwright/quantize.h"

#define GEMWRIGHT_TARGET __attribute__((target("avx512f,fma")))

namespace gemwright {
inline namespace gemwright_abi {
namespace avx512_dot {

// Where g++ 12's headers hand an undefined register to an instruction (and warn), the forms with a mask of all lanes.
constexpr __mmask16 all = 0xffff;
constexpr __mmask8 all_pairs = 0xff;

struct line {
  static constexpr int width = 16;
  using reg = __m512i;
  using freg = __m512;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg zero() { return _mm512_setzero_si512(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg load(const void* p) { return _mm512_loadu_si512(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(std::uint32_t* p, reg w) { _mm512_storeu_si512(p, w); }
  // n lanes. `free`: what stands behind them may be overwritten.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_lanes(std::uint32_t* p, reg w, int n, bool /*free*/) {
    _mm512_mask_storeu_epi32(p, avx512f_kernels::vec::first(n), w);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg fload(const float* p) { return _mm512_loadu_ps(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg fsplat(float v) { return _mm512_set1_ps(v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg splat(std::uint32_t v) { return _mm512_set1_epi32(static_cast<int>(v)); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg as_floats(reg w) { return _mm512_castsi512_ps(w); }
  template <bool Part>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg read(const float* p, int n) {
    if constexpr (Part) {
      return avx512f_kernels::vec::load(p, avx512f_kernels::vec::first(n));
    } else {
      return _mm512_loadu_ps(p);
    }
  }
  template <bool Part>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE freg read(const bf16* p, int n) {
    return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, codes<Part>(p, n), 16));
  }
  template <bool Part>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg codes(const bf16* p, int n) {
    if constexpr (Part) {
      const void* const at = p;  // of no namespace: another version's bytes_at is not found
      const auto part = [=](int i) { return static_cast<long long>(bytes_at(at, 8 * i, 2 * n)); };
      return _mm512_maskz_cvtepu16_epi32(all, _mm256_setr_epi64x(part(0), part(1), part(2), part(3)));
    } else {
      return _mm512_maskz_cvtepu16_epi32(all, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
  }
  template <bool Part, class Byte>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg codes(const Byte* p, int n) {
    if constexpr (Part) {
      const auto part = [=](int i) { return static_cast<long long>(bytes_at(p, 8 * i, n)); };
      return _mm512_maskz_cvtepu8_epi32(all, _mm_set_epi64x(part(1), part(0)));
    } else {
      return _mm512_maskz_cvtepu8_epi32(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg upper_half(freg v) {  // as bf16, in the lower half of each lane
    const reg bits = _mm512_castps_si512(v);
    const reg odd = _mm512_and_si512(_mm512_maskz_srli_epi32(all, bits, 16), _mm512_set1_epi32(1));
    const reg rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    const reg quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_maskz_srli_epi32(all, _mm512_mask_mov_epi32(rounded, nan, quiet), 16);
  }
  // A NaN becomes 0; everything else lies within the 127 steps of its column.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg weight(freg v, freg inverse) {
    const freg scaled = _mm512_mul_ps(v, inverse);
    const __mmask16 number = _mm512_cmp_ps_mask(scaled, scaled, _CMP_ORD_Q);
    return _mm512_and_si512(_mm512_maskz_cvtps_epi32(number, scaled), _mm512_set1_epi32(0xff));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg row(freg v, freg inverse, reg zero_point) {
    const reg q = _mm512_add_epi32(_mm512_maskz_cvtps_epi32(all, _mm512_mul_ps(v, inverse)), zero_point);
    return _mm512_maskz_min_epi32(all, _mm512_maskz_max_epi32(all, q, zero()), _mm512_set1_epi32(255));
  }
  template <int Bits>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg shl(reg w) {
    return _mm512_maskz_slli_epi32(all, w, Bits);
  }
  template <int Bits>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg shr(reg w) {
    return _mm512_maskz_srli_epi32(all, w, Bits);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg keep(reg w, std::uint32_t bits) {
    return _mm512_and_si512(w, splat(bits));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg join(reg x, reg y) { return _mm512_or_si512(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg add(reg x, reg y) { return _mm512_add_epi32(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg top_byte(reg w) { return _mm512_maskz_srai_epi32(all, w, 24); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg byte_sums(reg w) {
    return add(add(top_byte(w), top_byte(shl<8>(w))), add(top_byte(shl<16>(w)), top_byte(shl<24>(w))));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg pack2(reg x, reg y) {
    const reg first = _mm512_castsi256_si512(_mm512_maskz_cvtepi32_epi16(all, x));
    return _mm512_maskz_inserti64x4(all_pairs, first, _mm512_maskz_cvtepi32_epi16(all, y), 1);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg pack4(reg x, reg y, reg z, reg w) {
    reg out = _mm512_castsi128_si512(_mm512_maskz_cvtepi32_epi8(all, x));
    out = _mm512_maskz_inserti32x4(all, out, _mm512_maskz_cvtepi32_epi8(all, y), 1);
    out = _mm512_maskz_inserti32x4(all, out, _mm512_maskz_cvtepi32_epi8(all, z), 2);
    return _mm512_maskz_inserti32x4(all, out, _mm512_maskz_cvtepi32_epi8(all, w), 3);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void zip(reg even, reg odd, reg& first, reg& second) {
    const reg lower = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    first = _mm512_maskz_permutex2var_epi32(all, even, lower, odd);
    second = _mm512_maskz_permutex2var_epi32(all, even, _mm512_add_epi32(lower, _mm512_set1_epi32(8)), odd);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void transpose(reg (&r)[16]) {
    reg t[16];
    GEMWRIGHT_UNROLL
    for (int i = 0; i < 16; i += 2) {
      t[i] = _mm512_maskz_unpacklo_epi32(all, r[i], r[i + 1]);
      t[i + 1] = _mm512_maskz_unpackhi_epi32(all, r[i], r[i + 1]);
    }
    GEMWRIGHT_UNROLL
    for (int q = 0; q < 16; q += 4) {  // r[q + c]: columns c, 4 + c, 8 + c and 12 + c of the rows q .. q + 3
      r[q] = _mm512_maskz_unpacklo_epi64(all_pairs, t[q], t[q + 2]);
      r[q + 1] = _mm512_maskz_unpackhi_epi64(all_pairs, t[q], t[q + 2]);
      r[q + 2] = _mm512_maskz_unpacklo_epi64(all_pairs, t[q + 1], t[q + 3]);
      r[q + 3] = _mm512_maskz_unpackhi_epi64(all_pairs, t[q + 1], t[q + 3]);
    }
    GEMWRIGHT_UNROLL
    for (int c = 0; c < 4; ++c) {
      t[c] = _mm512_maskz_shuffle_i32x4(all, r[c], r[4 + c], 0x88);
      t[4 + c] = _mm512_maskz_shuffle_i32x4(all, r[8 + c], r[12 + c], 0x88);
      t[8 + c] = _mm512_maskz_shuffle_i32x4(all, r[c], r[4 + c], 0xdd);
      t[12 + c] = _mm512_maskz_shuffle_i32x4(all, r[8 + c], r[12 + c], 0xdd);
    }
    GEMWRIGHT_UNROLL
    for (int c = 0; c < 4; ++c) {
      r[c] = _mm512_maskz_shuffle_i32x4(all, t[c], t[4 + c], 0x88);
      r[4 + c] = _mm512_maskz_shuffle_i32x4(all, t[8 + c], t[12 + c], 0x88);
      r[8 + c] = _mm512_maskz_shuffle_i32x4(all, t[c], t[4 + c], 0xdd);
      r[12 + c] = _mm512_maskz_shuffle_i32x4(all, t[8 + c], t[12 + c], 0xdd);
    }
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg low(freg v, reg least) {
    return _mm512_castps_si512(_mm512_maskz_min_ps(all, v, as_floats(least)));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg high(freg v, reg most) {
    return _mm512_castps_si512(_mm512_maskz_max_ps(all, v, as_floats(most)));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE reg magnitude(freg v, reg most) {
    return _mm512_maskz_max_epu32(all, _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7fffffff)), most);
  }
};

#include "gemwright/isa/dot_lines.inl"
// After it.
#include "gemwright/isa/dot_columns.inl"
#include "gemwright/isa/dot_rows.inl"

}  // namespace avx512_dot
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
#endif
