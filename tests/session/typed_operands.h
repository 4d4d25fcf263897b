// Operands of any interface for a baseline, and what float64 makes of them.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tuner/baseline/baseline.h"
#include "tuner/worker/chain_reference.h"
#include "tuner/worker/operands.h"
#include "tuner/worker/verify.h"

namespace gemwright::tuner {

using gemwright::element;
using gemwright::layout;

using Bytes = std::vector<std::uint8_t>;

inline double element_at(const Bytes& v, element e, std::int64_t i) {
  const std::uint8_t* const p = v.data() + i * element_size(e);
  float f = 0;
  gemwright::bf16 b{};
  switch (e) {
    case element::f32:
      std::memcpy(&f, p, sizeof f);
      return static_cast<double>(f);
    case element::bf16:
      std::memcpy(&b, p, sizeof b);
      return static_cast<double>(gemwright::to_float(b));
    case element::u8:
      return *p;
    case element::s8:
      break;
  }
  return static_cast<std::int8_t>(*p);
}

// Random elements. Weights of s8 stay below 64: pairs of products then fit into 16 bits, as CPUs without dot products
// add them.
inline Bytes random_elements(element e, std::uint64_t stream, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  fill(DataKind::uniform, 1, stream, values.data(), count);
  Bytes out(static_cast<std::size_t>(count * element_size(e)));
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = values[static_cast<std::size_t>(i)];
    const auto b = gemwright::to_bf16(v);
    std::uint8_t* const to = out.data() + i * element_size(e);
    if (e == element::f32) std::memcpy(to, &v, sizeof v);
    if (e == element::bf16) std::memcpy(to, &b, sizeof b);
    if (e == element::u8) *to = static_cast<std::uint8_t>(127.5F + 127.5F * v);
    if (e == element::s8) *to = static_cast<std::uint8_t>(static_cast<std::int8_t>(63.0F * v));
  }
  return out;
}

inline std::vector<float> random_floats(std::uint64_t stream, std::int64_t count) {
  std::vector<float> out(static_cast<std::size_t>(count));
  fill(DataKind::uniform, 1, stream, out.data(), count);
  return out;
}

// Operands of any interface, and what float64 makes of them.
class TypedOperands {
 public:
  TypedOperands(Problem p, std::int64_t m, int a_zero = 0)
      : p_(std::move(p)),
        m_(m),
        a_zero_(a_zero),
        a_(random_elements(a_element(p_.interface), 1, p_.batch * m * p_.k)),
        b_(random_elements(b_element(p_.interface), 2, p_.batch * p_.k * p_.n)),
        columns_(c_columns(p_)),
        c0_(random_elements(c_element(p_), 3, p_.batch * m * columns_)),
        bias_(random_floats(4, p_.n)),
        residual_(random_floats(5, p_.batch * m * columns_)),
        operand_(random_floats(6, p_.batch * m * columns_)),
        b_scale_(random_floats(7, p_.batch * p_.n)),
        c_(c0_) {
    for (float& s : b_scale_) s = 0.01F * (1.5F + s);
    b_scale_[0] = 0;  // a column of zeros
  }

  BaselineCall call(double cache_bytes = 0, int threads = 1) {
    BaselineCall call;
    call.problem = p_;
    call.m = m_;
    call.threads = threads;
    call.cache_bytes = cache_bytes;
    call.a = a_.data();
    call.a_scale = kScale;
    call.a_zero = a_zero_;
    call.b = {b_.data(), 0, 1};
    call.b_scale = b_scale_.data();
    gemwright::epilogue_operands& x = call.operands;
    x.bias = bias_.data();
    x.residual = residual_.data();
    x.operand = operand_.data();
    x.ld_residual = x.ld_operand = columns_;
    x.stride_residual = x.stride_operand = m_ * columns_;
    x.scale = 0.75F;
    x.clamp_lo = -0.5F;
    x.clamp_hi = 1.0F;
    call.c = c_.data();
    call.c_scale = kCScale;
    call.c_zero = kCZero;
    return call;
  }

  void scale_columns(float by) {
    for (float& s : b_scale_) s *= by;
  }
  const Bytes& b() const { return b_; }
  // In place: what was prepared holds the address. All bits set is a NaN in every floating-point type.
  void prefill() {
    if (p_.beta == 1) {
      std::copy(c0_.begin(), c0_.end(), c_.begin());
    } else {
      std::fill(c_.begin(), c_.end(), std::uint8_t{0xff});
    }
  }

  // The first element that lies too far from float64; empty where none does.
  std::string fault() {
    for (std::int64_t item = 0; item < p_.batch; ++item) {
      for (std::int64_t i = 0; i < m_; ++i) {
        for (std::int64_t j = 0; j < columns_; ++j) {
          const Bounded want = expected(item, i, j);
          const double got = c_at((item * m_ + i) * columns_ + j);
          if (!(std::abs(got - want.value) <= want.error)) {
            return fmt::format("item {} row {} column {}: {} instead of {} +- {}", item, i, j, got, want.value,
                               want.error);
          }
        }
      }
    }
    return "";
  }

 private:
  static constexpr float kScale = 0.02F;
  // Some results lie beyond 0 and 255 of these.
  static constexpr float kCScale = 0.03F;
  static constexpr int kCZero = 100;

  double c_at(std::int64_t at) const {
    const double element = element_at(c_, c_element(p_), at);
    return c_element(p_) == element::u8 ? static_cast<double>(kCScale) * (element - kCZero) : element;
  }

  // Of the bare product.
  Bounded sum(std::int64_t item, std::int64_t i, std::int64_t j) {
    const Problem& p = p_;
    double sum = 0, magnitude = 0;
    for (std::int64_t k = 0; k < p.k; ++k) {
      const auto at_a = p.a_layout == layout::row_major ? i * p.k + k : k * m_ + i;
      const auto at_b = p.b_layout == layout::row_major ? k * p.n + j : j * p.k + k;
      const double a = element_at(a_, a_element(p.interface), item * m_ * p.k + at_a) - a_zero_;
      const double product = a * element_at(b_, b_element(p.interface), item * p.k * p.n + at_b);
      sum += product;
      magnitude += std::abs(product);
    }
    if (p.interface != Interface::u8s8) return {sum, magnitude * static_cast<double>(p.k) * 0x1p-24};
    // Sums of integers are exact, their scales are two floats.
    const double scale = static_cast<double>(kScale) * b_scale_[static_cast<std::size_t>(item * p.n + j)];
    return {sum * scale, std::abs(sum * scale) * 4 * 0x1p-24};
  }

  Bounded expected(std::int64_t item, std::int64_t i, std::int64_t j) {
    const Problem& p = p_;
    Bounded v = sum(item, i, j);
    if (p.beta == 1) {
      const double c0 = element_at(c0_, c_element(p), (item * m_ + i) * p.n + j);
      v = {v.value + c0, v.error + (std::abs(v.value) + std::abs(c0)) * 0x1p-23};
    }
    const bool pair = has_pair(p);
    const Bounded up = pair ? sum(item, i, columns_ + j) : Bounded{};
    v = apply_chain(p.chain, v, chain_point(call().operands, item, i, j, pair ? columns_ : 0), 2e-6, up);
    const double unit = p.interface == Interface::bf16 ? 0x1p-8 : 0x1p-24;
    v.error = 1.01 * v.error + (std::abs(v.value) + v.error) * unit + 1e-7;
    return c_element(p) == element::u8 ? in_element(element::u8, v, kCScale, kCZero) : v;
  }

  Problem p_;
  std::int64_t m_;
  int a_zero_;
  Bytes a_, b_;
  std::int64_t columns_;  // of C
  Bytes c0_;
  std::vector<float> bias_, residual_, operand_, b_scale_;
  Bytes c_;
};

}  // namespace gemwright::tuner
