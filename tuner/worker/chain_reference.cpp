#include "tuner/worker/chain_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace gemwright::tuner {
namespace {

constexpr double kUnit = 0x1p-24;  // half the distance from 1 to the next f32
constexpr double kSteepest = 1.13;
constexpr double kStep = static_cast<double>(std::numeric_limits<float>::denorm_min());

double logistic(double z) { return 1 / (1 + std::exp(-z)); }

double activation(EpilogueOp op, double v) {
  if (std::isinf(v)) return std::max(v, 0.0);
  if (op == EpilogueOp::silu || op == EpilogueOp::swiglu) return v * logistic(v);
  if (op == EpilogueOp::gelu_erf) return 0.5 * v * std::erfc(-v / std::numbers::sqrt2);
  return v * logistic(2 * std::sqrt(2 * std::numbers::inv_pi) * (v + 0.044715 * v * v * v));
}

// A function that never falls and is nowhere steeper than 1.
template <class F>
Bounded monotone(const F& f, Bounded b) {
  const double value = f(b.value);
  return {value, std::max(f(b.value + b.error) - value, value - f(b.value - b.error))};
}

Bounded apply(EpilogueOp op, Bounded b, const ChainPoint& at, double approximation) {
  const double v = b.value;
  switch (op) {
    case EpilogueOp::bias:
      return {v + at.bias, b.error};
    case EpilogueOp::add:
      return {v + at.residual, b.error};
    case EpilogueOp::mul:
      return {v * at.operand, b.error * std::abs(at.operand)};
    case EpilogueOp::scale:
      return {v * at.scale, b.error * std::abs(at.scale)};
    case EpilogueOp::requant:  // how the result is stored: in_element() of verify.h
      return b;
    case EpilogueOp::relu:
      return monotone([](double x) { return x < 0 ? 0 : x; }, b);
    case EpilogueOp::clamp:
      return monotone([&at](double x) { return x < at.lo ? at.lo : x > at.hi ? at.hi : x; }, b);
    case EpilogueOp::gelu_tanh:
    case EpilogueOp::gelu_erf:
    case EpilogueOp::silu:
    case EpilogueOp::swiglu:  // of its gate
    case EpilogueOp::geglu:
      break;
  }
  const double value = activation(op, v);
  return {value, kSteepest * b.error + approximation * std::max(std::abs(value), 1.0)};
}

void round(Bounded& b) {
  b.error += kUnit * std::abs(b.value) + kStep;
  if (!std::isfinite(b.value)) b.error = 0;
}

double at_or_none(const float* p, std::int64_t i) { return p == nullptr ? 0 : static_cast<double>(p[i]); }

}  // namespace

ChainPoint chain_point(const gemwright::epilogue_operands& x, std::int64_t item, std::int64_t row, std::int64_t col,
                       std::int64_t half) {
  ChainPoint at;
  at.bias = at_or_none(x.bias, col);
  if (half > 0) at.up_bias = at_or_none(x.bias, half + col);
  at.residual = at_or_none(x.residual, item * x.stride_residual + row * x.ld_residual + col);
  at.operand = at_or_none(x.operand, item * x.stride_operand + row * x.ld_operand + col);
  at.scale = static_cast<double>(x.scale);
  at.lo = static_cast<double>(x.clamp_lo);
  at.hi = static_cast<double>(x.clamp_hi);
  return at;
}

bool agrees(double got, const Bounded& right) {
  if (std::isnan(right.value)) return std::isnan(got);
  if (std::isinf(right.value)) return got == right.value;
  return std::abs(got - right.value) <= right.error;
}

Bounded apply_chain(const std::vector<EpilogueOp>& chain, Bounded b, const ChainPoint& at, double approximation,
                    Bounded up) {
  for (const EpilogueOp op : chain) {
    b = apply(op, b, at, approximation);
    round(b);
    if (op == EpilogueOp::bias) {
      up.value += at.up_bias;
      round(up);
    } else if (op == EpilogueOp::swiglu || op == EpilogueOp::geglu) {
      b = {b.value * up.value, b.error * std::abs(up.value) + up.error * std::abs(b.value) + b.error * up.error};
      round(b);
    }
  }
  return b;
}

}  // namespace gemwright::tuner
