// Compute modes beside f32, and the elements that operands are made of.
//
// A dot mode multiplies short elements in groups along K and sums each group into one 32-bit accumulator:
//   bf16   groups of 2, bf16 x bf16 -> f32. f32 operands are rounded to nearest even while they are packed.
//   u8s8   groups of 4, u8 x s8 -> s32, exact. value(A) = scale * (a - zero), one pair a row or a tensor;
//          value(B) = scale * b, one scale a column (channel). B's column sums make up for A's zero points.
// One group is one 32-bit word in both, so that packed panels, accumulators and steps have one geometry.
#pragma once

#include <cstdint>
#include <cstring>

#include "gemwright/config.h"

namespace gemwright {
inline namespace gemwright_abi {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first element of a word is its lowest part");

enum class compute_mode : std::uint8_t { f32, bf16, u8s8 };
constexpr int compute_mode_count = 3;

constexpr const char* compute_mode_name(compute_mode m) {
  return m == compute_mode::f32 ? "f32" : m == compute_mode::bf16 ? "bf16" : "u8s8";
}

// Elements of K in one word of a packed panel.
constexpr int k_group(compute_mode m) { return m == compute_mode::f32 ? 1 : m == compute_mode::bf16 ? 2 : 4; }

// Products of u8 and s8 that an s32 accumulator holds at least: 2^31 - 1 over 255 * 128. Longer K is refused.
constexpr std::int64_t max_u8s8_depth = 65793;

enum class element : std::uint8_t { f32, bf16, u8, s8 };

constexpr int element_size(element e) { return e == element::f32 ? 4 : e == element::bf16 ? 2 : 1; }

// The families that compute a mode.
constexpr bool computes(isa family, compute_mode m) {
  switch (family) {
    case isa::avx512_bf16:
      return m == compute_mode::bf16;
    case isa::avx512_vnni:
    case isa::avx_vnni:
      return m == compute_mode::u8s8;
    case isa::avx512f:
      return m != compute_mode::u8s8;
    default:
      return true;
  }
}

// bfloat16: the upper half of a float.
struct bf16 {
  std::uint16_t bits;
};

inline float to_float(bf16 v) {
  const std::uint32_t bits = static_cast<std::uint32_t>(v.bits) << 16U;
  float f = 0;
  std::memcpy(&f, &bits, sizeof f);
  return f;
}

// Nearest, ties to even; a NaN stays one (its quiet bit is set, since the payload may be cut off).
inline bf16 to_bf16(float v) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &v, sizeof bits);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return {static_cast<std::uint16_t>(bits >> 16U | 0x40U)};
  return {static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U)};
}

}  // namespace gemwright_abi
}  // namespace gemwright
