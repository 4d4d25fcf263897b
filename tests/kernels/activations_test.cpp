// The activations over the whole range of f32, against float64, in every instruction set: the bounds that epilogue.h
// states. A chain is applied alone, through the second phase of split-K with no slices to add.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/kernels/gemm_case.h"

namespace gemwright::test {
namespace {

// Every so many of the 2^32 bit patterns: a prime, so that all exponents and low bits occur.
constexpr std::uint64_t kStep = GEMWRIGHT_ACTIVATION_STEP;

double logistic(double z) { return 1 / (1 + std::exp(-z)); }

double reference(epilogue_op op, double v) {
  if (std::isinf(v)) return v > 0 ? v : 0;
  if (op == epilogue_op::silu) return v * logistic(v);
  if (op == epilogue_op::gelu_erf) return 0.5 * v * std::erfc(-v / std::sqrt(2.0));
  return v * logistic(2 * std::sqrt(2 / std::acos(-1.0)) * (v + 0.044715 * v * v * v));
}

double relative_bound(epilogue_op op) {
  return op == epilogue_op::silu ? 2.5e-7 : op == epilogue_op::gelu_erf ? 5e-7 : 1.5e-5;
}

float from_bits(std::uint32_t bits) {
  float v = 0;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

template <epilogue_op Op>
reduce_kernel kernel_of(isa family) {
  if (family == isa::avx512f) return compiled_tile<isa::avx512f, 1, 1, 1, 1, prefetch::none, chain<Op>>().reduce;
  if (family == isa::avx2) return compiled_tile<isa::avx2, 1, 1, 1, 1, prefetch::none, chain<Op>>().reduce;
  return compiled_tile<isa::scalar, 1, 1, 1, 1, prefetch::none, chain<Op>>().reduce;
}

std::vector<float> applied(reduce_kernel kernel, std::vector<float> v) {
  const epilogue_operands none;
  const auto count = static_cast<std::int64_t>(v.size());
  kernel({v.data(), count, nullptr, 0, 0, 1, count, &none, 0, 0, 0});
  return v;
}

class Activations : public ::testing::TestWithParam<isa> {};
INSTANTIATE_TEST_SUITE_P(Families, Activations, all_families(), family_name);

template <epilogue_op Op>
void expect_within_bounds(isa family) {
  std::vector<float> in;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += kStep) {
    const float v = from_bits(static_cast<std::uint32_t>(bits));
    if (!std::isnan(v)) in.push_back(v);
  }
  const std::vector<float> out = applied(kernel_of<Op>(family), in);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double want = reference(Op, static_cast<double>(in[i])), got = static_cast<double>(out[i]);
    const double size = std::fabs(want);
    const double relative = size * relative_bound(Op) + 1e-43;  // rounding below the normal range is absolute
    const double absolute = 1.2e-7 * std::max(size, 1.0);
    ASSERT_LE(std::fabs(got - want), std::min(relative, absolute)) << op_name(Op) << " of " << in[i];
  }
}

TEST_P(Activations, StayWithinTheirStatedErrors) {
  SKIP_WITHOUT(GetParam());
  expect_within_bounds<epilogue_op::silu>(GetParam());
  expect_within_bounds<epilogue_op::gelu_erf>(GetParam());
  expect_within_bounds<epilogue_op::gelu_tanh>(GetParam());
}

template <epilogue_op Op>
void expect_limits(isa family) {
  using limits = std::numeric_limits<float>;
  const std::vector<float> out = applied(
      kernel_of<Op>(family), {limits::infinity(), -limits::infinity(), limits::quiet_NaN(), -limits::quiet_NaN(),
                              limits::max(), limits::lowest(), 0.0F, limits::denorm_min(), 6 * limits::denorm_min()});
  EXPECT_EQ(out[0], limits::infinity()) << op_name(Op);
  EXPECT_EQ(out[1], 0.0F) << op_name(Op);
  EXPECT_TRUE(std::isnan(out[2]) && std::isnan(out[3])) << op_name(Op);
  EXPECT_EQ(out[4], limits::max()) << op_name(Op);
  EXPECT_EQ(out[5], 0.0F) << op_name(Op);
  EXPECT_EQ(out[6], 0.0F) << op_name(Op);
  EXPECT_LE(out[7], limits::denorm_min()) << op_name(Op);
  EXPECT_EQ(out[8], 3 * limits::denorm_min()) << op_name(Op);
}

TEST_P(Activations, KeepNanInfinityAndSubnormalNumbers) {
  SKIP_WITHOUT(GetParam());
  expect_limits<epilogue_op::silu>(GetParam());
  expect_limits<epilogue_op::gelu_erf>(GetParam());
  expect_limits<epilogue_op::gelu_tanh>(GetParam());
}

}  // namespace
}  // namespace gemwright::test
