// Quantising floats to u8 (rows of A) and s8 (columns of B), and the rounding that both share.
//
// A value's integer is round(value * inverse) with inverse = 1 / scale in f32, rounded to nearest even. A range so
// small that its scale would be below the normal floats counts as zero. A range with a NaN or an infinity gets a scale
// of NaN.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "gemwright/dot_tile.h"

namespace gemwright {
inline namespace gemwright_abi {

// To nearest, ties to even, of |v| < 2^31.
inline std::int32_t nearest(float v) {
#if defined(__x86_64__)
  return _mm_cvtss_si32(_mm_set_ss(v));
#else
  return static_cast<std::int32_t>(std::nearbyint(v));
#endif
}

// Smallest and largest of some floats and zero; the magnitude as bits, which are larger for infinity and NaN than for
// any finite number.
struct value_range {
  float low = 0, high = 0;
  std::uint32_t magnitude = 0;

  void add(float v) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &v, sizeof bits);
    bits &= 0x7fffffffU;
    magnitude = bits > magnitude ? bits : magnitude;
    low = v < low ? v : low;
    high = v > high ? v : high;
  }
  bool finite() const { return magnitude < 0x7f800000U; }
};

struct row_scale {
  float scale, inverse;
  std::int32_t zero;
};

inline row_scale scale_of(const value_range& r, row_quantisation q) {
  const bool symmetric = q == row_quantisation::symmetric;
  const std::int32_t zero = symmetric ? 128 : 0;
  if (!r.finite()) return {std::numeric_limits<float>::quiet_NaN(), 0, zero};
  // Divided before they are subtracted: the difference could overflow.
  const float scale = symmetric ? (r.high > -r.low ? r.high : -r.low) / 127.0F : r.high / 255.0F - r.low / 255.0F;
  if (scale < std::numeric_limits<float>::min()) return {0, 0, zero};
  const float inverse = 1.0F / scale;
  return {scale, inverse, symmetric ? zero : nearest(-r.low * inverse)};
}

// Bytes [at, at + 8) of the `count` bytes at p, those beyond as zeros, without a detour through memory.
inline std::uint64_t bytes_at(const void* p, int at, int count) {
  const auto* const from = static_cast<const std::uint8_t*>(p) + at;
  const int n = count - at;
  const auto shifted = [](std::uint64_t v, int bytes) { return v << static_cast<unsigned>(8 * bytes); };
  if (n >= 8) {
    std::uint64_t all = 0;
    std::memcpy(&all, from, sizeof all);
    return all;
  }
  if (n >= 4) {  // two halves that may overlap
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, from, sizeof low);
    std::memcpy(&high, from + n - 4, sizeof high);
    return low | shifted(high, n - 4);
  }
  return n <= 0 ? 0 : from[0] | shifted(from[n / 2], n / 2) | shifted(from[n - 1], n - 1);
}

// One element of a row whose scale was chosen by scale_of. Where the scale is NaN or zero so is `inverse`, and what
// comes out is of no account (an infinity times zero is a NaN, whose integer is the smallest).
inline std::uint8_t quantised(float v, float inverse, std::int32_t zero) {
  const float scaled = v * inverse;
  const std::int32_t q = (scaled >= -512.0F && scaled <= 512.0F ? nearest(scaled) : 0) + zero;
  return static_cast<std::uint8_t>(q < 0 ? 0 : q > 255 ? 255 : q);
}

// The same of a weight, symmetric in [-127, 127].
inline std::int8_t quantised_weight(float v, float inverse) {
  const float scaled = v * inverse;
  const std::int32_t q = scaled >= -512.0F && scaled <= 512.0F ? nearest(scaled) : 0;
  return static_cast<std::int8_t>(q < -127 ? -127 : q > 127 ? 127 : q);
}

// A value as an element of a u8 C.
inline std::uint8_t requantised(float v, requantisation r) {
  const float low = static_cast<float>(-r.zero);
  const float high = static_cast<float>(255 - r.zero);
  const float scaled = v * r.inverse_scale;
  const float above = scaled > low ? scaled : low;  // a NaN becomes `low`
  return static_cast<std::uint8_t>(nearest(above < high ? above : high) + r.zero);
}

}  // namespace gemwright_abi
}  // namespace gemwright
