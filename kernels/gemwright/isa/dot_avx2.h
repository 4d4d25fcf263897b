// Dot modes with 256-bit registers: bf16 widened to f32, u8s8 by exact 16-bit products (vpmaddubsw would saturate), and
// u8s8 by AVX-VNNI.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "gemwright/isa/avx2.h"
#include "gemwright/isa/dot_lines_avx2.h"
#include "gemwright/quantize.h"

namespace gemwright {
inline namespace gemwright_abi {

#define GEMWRIGHT_TARGET __attribute__((target("avx2,fma")))
namespace avx2_dot {
namespace f32 = avx2_kernels;

struct io {
  // Eight lanes of 32 bits as 16 bits, saturated (they fit).
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m128i halves(__m256i v) {
    return _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  }
  template <element E>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m256 load(const void* p, int n) {
    if constexpr (E == element::f32) {
      return f32::vec::load(static_cast<const float*>(p), f32::vec::first(n));
    } else {
      alignas(16) std::uint16_t lanes[8] = {};
      std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(std::uint16_t));
      const __m128i half = _mm_load_si128(reinterpret_cast<const __m128i*>(lanes));
      return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
    }
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m128i bytes(__m256i v) {
    const __m128i h = halves(v);
    return _mm_packus_epi16(h, h);
  }
  template <element E>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(void* p, int n, __m256 v, [[maybe_unused]] requantisation r) {
    const auto bytes_of = [n](int each) { return static_cast<std::size_t>(n) * static_cast<std::size_t>(each); };
    if constexpr (E == element::f32) {
      // A masked store takes many cycles on some CPUs.
      if (n == 8) {
        f32::vec::store(static_cast<float*>(p), v);
      } else {
        f32::vec::store(static_cast<float*>(p), f32::vec::first(n), v);
      }
    } else if constexpr (E == element::bf16) {
      alignas(16) std::uint16_t lanes[8];
      _mm_store_si128(reinterpret_cast<__m128i*>(lanes), halves(line::upper_half(v)));
      std::memcpy(p, lanes, bytes_of(2));
    } else {
      const __m256 low = _mm256_set1_ps(static_cast<float>(-r.zero));
      const __m256 high = _mm256_set1_ps(static_cast<float>(255 - r.zero));
      const __m256 scaled = f32::vec::mul(v, _mm256_set1_ps(r.inverse_scale));
      // The second operand where one is a NaN: it becomes `low`.
      const __m256 inside = _mm256_min_ps(_mm256_max_ps(scaled, low), high);
      const __m256i q = _mm256_add_epi32(_mm256_cvtps_epi32(inside), _mm256_set1_epi32(r.zero));
      alignas(16) std::uint8_t lanes[16];
      _mm_store_si128(reinterpret_cast<__m128i*>(lanes), bytes(q));
      std::memcpy(p, lanes, bytes_of(1));
    }
  }
};

struct s32_acc {
  using acc = __m256i;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc zero() { return _mm256_setzero_si256(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc add(acc x, acc y) { return _mm256_add_epi32(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc load_raw(const std::uint32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_raw(std::uint32_t* p, acc v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m256 value(acc v, std::int32_t zero, acc sum) {
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(v, _mm256_mullo_epi32(_mm256_set1_epi32(zero), sum)));
  }
};
}  // namespace avx2_dot

namespace avx2_bf16 {
using namespace avx2_dot;

struct dot {
  static constexpr compute_mode mode = compute_mode::bf16;
  static constexpr isa family = isa::avx2;
  static constexpr int a_words = 2;
  using acc = __m256;
  struct a_reg {
    __m256 e0, e1;
  };
  using b_reg = a_reg;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc zero() { return _mm256_setzero_ps(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc add(acc x, acc y) { return _mm256_add_ps(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc load_raw(const std::uint32_t* p) {
    return _mm256_loadu_ps(reinterpret_cast<const float*>(p));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_raw(std::uint32_t* p, acc v) {
    _mm256_storeu_ps(reinterpret_cast<float*>(p), v);
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    return {_mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(p[0]))),
            _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(p[1])))};
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) {
    const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(w, 16)),
            _mm256_castsi256_ps(_mm256_and_si256(w, _mm256_set1_epi32(static_cast<int>(0xffff0000U))))};
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    return _mm256_fmadd_ps(a.e1, b.e1, _mm256_fmadd_ps(a.e0, b.e0, c));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m256 value(acc v) { return v; }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace avx2_bf16

namespace avx2_u8s8 {
using namespace avx2_dot;

// Even and odd bytes of each word apart, as pairs of s16.
struct dot : s32_acc {
  static constexpr compute_mode mode = compute_mode::u8s8;
  static constexpr isa family = isa::avx2;
  static constexpr int a_words = 2;
  struct a_reg {
    __m256i even, odd;
  };
  using b_reg = a_reg;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    return {_mm256_set1_epi32(static_cast<int>(p[0])), _mm256_set1_epi32(static_cast<int>(p[1]))};
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) {
    const __m256i w = load_raw(p);
    return {_mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), _mm256_srai_epi16(w, 8)};
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    return add(add(c, _mm256_madd_epi16(a.even, b.even)), _mm256_madd_epi16(a.odd, b.odd));
  }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace avx2_u8s8

#undef GEMWRIGHT_TARGET
#define GEMWRIGHT_TARGET __attribute__((target("avx2,fma,avxvnni")))
namespace avx_vnni_dot {
using namespace avx2_dot;

struct dot : s32_acc {
  static constexpr compute_mode mode = compute_mode::u8s8;
  static constexpr isa family = isa::avx_vnni;
  static constexpr int a_words = 1;
  using a_reg = __m256i;
  using b_reg = __m256i;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    return _mm256_set1_epi32(static_cast<int>(*p));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) { return load_raw(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    // Without the prefix an assembler may choose the encoding of AVX-512. The signed operand is named first.
    asm("%{vex%} vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+x"(c) : "x"(a), "x"(b));
    return c;
  }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace avx_vnni_dot
#undef GEMWRIGHT_TARGET

}  // namespace gemwright_abi
}  // namespace gemwright
#endif
