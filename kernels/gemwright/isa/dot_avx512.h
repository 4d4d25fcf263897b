// Dot modes with 512-bit registers: bf16 by AVX512_BF16, or by AVX-512F alone (widened to f32), u8s8 by AVX512_VNNI.
//
// The dot products are inline assembly with the accumulator as "+v": with the intrinsics g++ 12 moves accumulators
// about and runs at half the rate.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "gemwright/isa/avx512f.h"
#include "gemwright/isa/dot_lines_avx512.h"
#include "gemwright/quantize.h"

namespace gemwright {
inline namespace gemwright_abi {

#define GEMWRIGHT_TARGET __attribute__((target("avx512f,fma")))
namespace avx512_dot {
namespace f32 = avx512f_kernels;

struct io {
  template <element E>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m512 load(const void* p, int n) {
    if constexpr (E == element::f32) {
      return f32::vec::load(static_cast<const float*>(p), f32::vec::first(n));
    } else {
      __m256i half;
      if (n == 16) {
        half = _mm256_loadu_si256(static_cast<const __m256i*>(p));
      } else {
        // AVX-512F has no masked loads of 16 bits.
        alignas(32) std::uint16_t lanes[16] = {};
        std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(std::uint16_t));
        half = _mm256_load_si256(reinterpret_cast<const __m256i*>(lanes));
      }
      return _mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, _mm512_maskz_cvtepu16_epi32(all, half), 16));
    }
  }
  template <element E>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(void* p, int n, __m512 v, [[maybe_unused]] requantisation r) {
    const __mmask16 m = f32::vec::first(n);
    if constexpr (E == element::f32) {
      f32::vec::store(static_cast<float*>(p), m, v);
    } else if constexpr (E == element::bf16) {
      // A masked store of 16 bits takes several times as long as a whole one.
      if (n == 16) {
        _mm256_storeu_si256(static_cast<__m256i*>(p), _mm512_maskz_cvtepi32_epi16(all, line::upper_half(v)));
      } else {
        _mm512_mask_cvtepi32_storeu_epi16(p, m, line::upper_half(v));
      }
    } else {
      const __m512 low = _mm512_set1_ps(static_cast<float>(-r.zero));
      const __m512 high = _mm512_set1_ps(static_cast<float>(255 - r.zero));
      const __m512 scaled = f32::vec::mul(v, _mm512_set1_ps(r.inverse_scale));
      // The second operand where one is a NaN: it becomes `low`.
      const __m512 inside = _mm512_maskz_min_ps(all, _mm512_maskz_max_ps(all, scaled, low), high);
      const __m512i q = _mm512_add_epi32(_mm512_maskz_cvtps_epi32(all, inside), _mm512_set1_epi32(r.zero));
      if (n == 16) {
        _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_maskz_cvtepi32_epi8(all, q));
      } else {
        _mm512_mask_cvtepi32_storeu_epi8(p, m, q);
      }
    }
  }
};

// bf16 accumulators are vectors of f32 whatever multiplies them.
struct f32_acc {
  using acc = __m512;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc zero() { return _mm512_setzero_ps(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc add(acc x, acc y) { return _mm512_add_ps(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc load_raw(const std::uint32_t* p) { return _mm512_loadu_ps(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_raw(std::uint32_t* p, acc v) { _mm512_storeu_ps(p, v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m512 value(acc v) { return v; }
};
}  // namespace avx512_dot

namespace avx512f_bf16 {
using namespace avx512_dot;

struct dot : f32_acc {
  static constexpr compute_mode mode = compute_mode::bf16;
  static constexpr isa family = isa::avx512f;
  static constexpr int a_words = 2;
  struct a_reg {
    __m512 e0, e1;
  };
  using b_reg = a_reg;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    return {_mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(p[0]))),
            _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(p[1])))};
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) {
    const __m512i w = _mm512_loadu_si512(p);
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(all, w, 16)),
            _mm512_castsi512_ps(_mm512_and_si512(w, _mm512_set1_epi32(static_cast<int>(0xffff0000U))))};
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    return _mm512_fmadd_ps(a.e1, b.e1, _mm512_fmadd_ps(a.e0, b.e0, c));
  }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace avx512f_bf16

#undef GEMWRIGHT_TARGET
#define GEMWRIGHT_TARGET __attribute__((target("avx512f,fma,avx512bf16,avx512bw,avx512vl")))
namespace avx512_bf16_dot {
using namespace avx512_dot;

// As above, but with the instruction that rounds to bf16: numbers below the normal ones become zero, as those that
// vdpbf16ps reads do.
struct io : avx512_dot::io {
  template <element E>
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store(void* p, int n, __m512 v, requantisation r) {
    if constexpr (E == element::bf16) {
      __m256i half;
      // volatile: or g++ 12 moves several of them before the others and spills an accumulator in the loop.
      asm volatile("vcvtneps2bf16 {%1, %0|%0, %1}" : "=v"(half) : "v"(v));
      if (n == 16) {
        _mm256_storeu_si256(static_cast<__m256i*>(p), half);
      } else {
        _mm256_mask_storeu_epi16(p, f32::vec::first(n), half);
      }
    } else {
      avx512_dot::io::store<E>(p, n, v, r);
    }
  }
};

struct dot : f32_acc {
  static constexpr compute_mode mode = compute_mode::bf16;
  static constexpr isa family = isa::avx512_bf16;
  static constexpr int a_words = 1;
  using a_reg = __m512i;
  using b_reg = __m512i;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    return _mm512_set1_epi32(static_cast<int>(*p));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    asm("vdpbf16ps {%2, %1, %0|%0, %1, %2}" : "+v"(c) : "v"(a), "v"(b));
    return c;
  }
  // Two vectors as one of bf16, in half the time of one instruction for each.
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_two(void* p, __m512 v, __m512 next) {
    __m512i both;
    asm volatile("vcvtne2ps2bf16 {%1, %2, %0|%0, %2, %1}" : "=v"(both) : "v"(v), "v"(next));
    _mm512_storeu_si512(p, both);
  }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace avx512_bf16_dot

#undef GEMWRIGHT_TARGET
#define GEMWRIGHT_TARGET __attribute__((target("avx512f,fma,avx512vnni")))
namespace avx512_vnni_dot {
using namespace avx512_dot;

struct dot {
  static constexpr compute_mode mode = compute_mode::u8s8;
  static constexpr isa family = isa::avx512_vnni;
  static constexpr int a_words = 1;
  using acc = __m512i;
  using a_reg = __m512i;
  using b_reg = __m512i;
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc zero() { return _mm512_setzero_si512(); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc add(acc x, acc y) { return _mm512_add_epi32(x, y); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc load_raw(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE void store_raw(std::uint32_t* p, acc v) { _mm512_storeu_si512(p, v); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE a_reg load_a(const std::uint32_t* p) {
    return _mm512_set1_epi32(static_cast<int>(*p));
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE b_reg load_b(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE acc mul_add(acc c, a_reg a, b_reg b) {
    asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(c) : "v"(a), "v"(b));  // the signed operand is named first
    return c;
  }
  GEMWRIGHT_TARGET static GEMWRIGHT_INLINE __m512 value(acc v, std::int32_t zero, acc sum) {
    const __m512i shift = _mm512_mullo_epi32(_mm512_set1_epi32(zero), sum);
    return _mm512_maskz_cvtepi32_ps(all, _mm512_sub_epi32(v, shift));
  }
};

#include "gemwright/isa/dot_kernel.inl"
#include "gemwright/isa/dot_table.inl"
}  // namespace avx512_vnni_dot
#undef GEMWRIGHT_TARGET

}  // namespace gemwright_abi
}  // namespace gemwright
#endif
