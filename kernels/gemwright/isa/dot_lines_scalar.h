// Lines of elements as words of a packed panel in portable C++: one element, one word at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gemwright/macros.h"
#include "gemwright/pack.h"
#include "gemwright/quantize.h"

#define GEMWRIGHT_TARGET

namespace gemwright {
inline namespace gemwright_abi {
namespace scalar_dot {

struct line {
  static constexpr int width = 1;
  using reg = std::uint32_t;
  using freg = float;
  static GEMWRIGHT_INLINE reg zero() { return 0; }
  static GEMWRIGHT_INLINE reg load(const void* p) {
    reg w = 0;
    std::memcpy(&w, p, sizeof w);
    return w;
  }
  static GEMWRIGHT_INLINE void store(std::uint32_t* p, reg w) { *p = w; }
  static GEMWRIGHT_INLINE void store_lanes(std::uint32_t* p, reg w, int, bool) { *p = w; }
  static GEMWRIGHT_INLINE freg fload(const float* p) { return *p; }
  static GEMWRIGHT_INLINE freg fsplat(float v) { return v; }
  static GEMWRIGHT_INLINE reg splat(std::uint32_t v) { return v; }
  static GEMWRIGHT_INLINE freg as_floats(reg w) {
    float v = 0;
    std::memcpy(&v, &w, sizeof v);
    return v;
  }
  static GEMWRIGHT_INLINE reg as_words(freg v) { return load(&v); }
  template <bool Part>
  static GEMWRIGHT_INLINE freg read(const float* p, int) {
    return *p;
  }
  template <bool Part>
  static GEMWRIGHT_INLINE freg read(const bf16* p, int) {
    return to_float(*p);
  }
  template <bool Part>
  static GEMWRIGHT_INLINE reg codes(const bf16* p, int) {
    return p->bits;
  }
  template <bool Part, class Byte>
  static GEMWRIGHT_INLINE reg codes(const Byte* p, int) {
    return static_cast<std::uint8_t>(*p);
  }
  static GEMWRIGHT_INLINE reg upper_half(freg v) { return to_bf16(v).bits; }
  static GEMWRIGHT_INLINE reg weight(freg v, freg inverse) {
    return static_cast<std::uint8_t>(quantised_weight(v, inverse));
  }
  static GEMWRIGHT_INLINE reg row(freg v, freg inverse, reg zero_point) {
    return quantised(v, inverse, static_cast<std::int32_t>(zero_point));
  }
  template <int Bits>
  static GEMWRIGHT_INLINE reg shl(reg w) {
    return w << static_cast<unsigned>(Bits);
  }
  template <int Bits>
  static GEMWRIGHT_INLINE reg shr(reg w) {
    return w >> static_cast<unsigned>(Bits);
  }
  static GEMWRIGHT_INLINE reg keep(reg w, std::uint32_t bits) { return w & bits; }
  static GEMWRIGHT_INLINE reg join(reg x, reg y) { return x | y; }
  static GEMWRIGHT_INLINE reg add(reg x, reg y) { return x + y; }
  static GEMWRIGHT_INLINE reg byte_sums(reg w) {
    std::int8_t bytes[4];
    std::memcpy(bytes, &w, sizeof bytes);
    return static_cast<reg>(bytes[0] + bytes[1] + bytes[2] + bytes[3]);
  }
  static GEMWRIGHT_INLINE reg pack2(reg x, reg y) { return x | y << 16U; }
  static GEMWRIGHT_INLINE reg pack4(reg x, reg y, reg z, reg w) { return x | y << 8U | z << 16U | w << 24U; }
  static GEMWRIGHT_INLINE void zip(reg even, reg odd, reg& first, reg& second) {
    first = even;
    second = odd;
  }
  static GEMWRIGHT_INLINE void transpose(reg (&)[1]) {}
  // Unsigned words are kept so that all widths have one form; see value_range.
  static GEMWRIGHT_INLINE reg low(freg v, reg least) { return v < as_floats(least) ? as_words(v) : least; }
  static GEMWRIGHT_INLINE reg high(freg v, reg most) { return v > as_floats(most) ? as_words(v) : most; }
  static GEMWRIGHT_INLINE reg magnitude(freg v, reg most) { return std::max(as_words(v) & 0x7fffffffU, most); }
};

#include "gemwright/isa/dot_lines.inl"
// After it.
#include "gemwright/isa/dot_columns.inl"
#include "gemwright/isa/dot_rows.inl"

}  // namespace scalar_dot
}  // namespace gemwright_abi
}  // namespace gemwright

#undef GEMWRIGHT_TARGET
