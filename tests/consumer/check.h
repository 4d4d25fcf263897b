// Compares a matrix product with a naive float64 loop.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

struct shape {
  std::int64_t m, n, k, batch = 1;  // n: columns of B
  bool b_transposed = false;        // N x K in memory
  bool bias = false, relu = false;
  std::function<double(double, double residual, double operand)> chain = nullptr;  // after bias
  double slope = 1;  // by how much the chain may multiply an error
  int beta = 0;
  std::function<double(double gate, double up)> pair = nullptr;  // of a pair of products; before chain
  bool bias_after = false;                                       // n / 2 elements, behind the pair

  std::int64_t columns() const { return pair ? n / 2 : n; }  // of C
};

inline double silu_of(double v) { return v / (1 + std::exp(-v)); }
inline double gelu_tanh_of(double v) {
  return v / (1 + std::exp(-2 * 0.7978845608028654 * (v + 0.044715 * v * v * v)));
}

struct operands {
  std::int64_t lda, ldb, ldc, stride_a, stride_b, stride_c;
  std::int64_t ld_residual, ld_operand, stride_residual, stride_operand;
  std::vector<float> a, b, c, bias, residual, operand;
};

constexpr float kGuard = 12345.0F;

inline std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  std::vector<float> v(static_cast<std::size_t>(count));
  std::uint64_t s = seed * 2 + 1;
  for (float& x : v) {
    s = s * 6364136223846793005ULL + 1442695040888963407ULL;
    x = static_cast<float>(static_cast<std::int32_t>(s >> 32)) / 2147483648.0F;
  }
  return v;
}

// Leading dimensions are odd and larger than a row; what lies between rows of C holds a guard value.
inline operands make_operands(const shape& s) {
  operands o{};
  o.lda = s.k + 3;
  o.ldb = (s.b_transposed ? s.k : s.n) + 5;
  o.ldc = s.columns() + 7;
  o.stride_a = s.m * o.lda + 1;
  o.stride_b = (s.b_transposed ? s.n : s.k) * o.ldb + 1;
  o.stride_c = s.m * o.ldc + 1;
  o.ld_residual = s.columns() + 2;
  o.ld_operand = s.columns() + 6;
  o.stride_residual = s.m * o.ld_residual + 1;
  o.stride_operand = s.m * o.ld_operand + 1;
  o.residual = random_values(o.stride_residual * s.batch, 5);
  o.operand = random_values(o.stride_operand * s.batch, 6);
  o.a = random_values(o.stride_a * s.batch, 1);
  o.b = random_values(o.stride_b * s.batch, 2);
  o.bias = random_values(s.n, 3);
  o.c.assign(static_cast<std::size_t>(o.stride_c * s.batch), kGuard);
  const std::vector<float> old = random_values(o.stride_c * s.batch, 4);
  for (std::int64_t i = 0; i < s.batch; ++i) {
    for (std::int64_t r = 0; r < s.m; ++r) {
      for (std::int64_t j = 0; j < s.columns(); ++j) {
        const auto at = static_cast<std::size_t>(i * o.stride_c + r * o.ldc + j);
        o.c[at] = old[at];
      }
    }
  }
  return o;
}

// What an error of the gate and one of the other half, as large as a share of these, make of their pair.
inline double pair_magnitude(double gate, double up) { return 2.2 * (gate + 1) * (up + 1); }

// One element of the product in float64, and the sum of magnitudes that bounds its rounding error.
inline double product_element(const shape& s, const operands& o, std::int64_t item, std::int64_t row, std::int64_t col,
                              double old, double& magnitude) {
  double sum = s.beta == 1 ? old : 0;
  magnitude = std::fabs(sum);
  for (std::int64_t k = 0; k < s.k; ++k) {
    const std::int64_t at_b = s.b_transposed ? col * o.ldb + k : k * o.ldb + col;
    const double product = double{o.a[static_cast<std::size_t>(item * o.stride_a + row * o.lda + k)]} *
                           double{o.b[static_cast<std::size_t>(item * o.stride_b + at_b)]};
    sum += product;
    magnitude += std::fabs(product);
  }
  if (s.bias && !s.bias_after) {
    sum += double{o.bias[static_cast<std::size_t>(col)]};
    magnitude += std::fabs(double{o.bias[static_cast<std::size_t>(col)]});
  }
  return sum;
}

// The same of C.
inline double element(const shape& s, const operands& o, std::int64_t item, std::int64_t row, std::int64_t col,
                      double old, double& magnitude) {
  double sum = product_element(s, o, item, row, col, old, magnitude);
  if (s.pair) {
    double other = 0;
    sum = s.pair(sum, product_element(s, o, item, row, s.n / 2 + col, old, other));
    magnitude = pair_magnitude(magnitude, other);
    if (s.bias_after) sum += double{o.bias[static_cast<std::size_t>(col)]};
  }
  if (s.chain) {
    const double residual =
        double{o.residual[static_cast<std::size_t>(item * o.stride_residual + row * o.ld_residual + col)]};
    const double operand =
        double{o.operand[static_cast<std::size_t>(item * o.stride_operand + row * o.ld_operand + col)]};
    magnitude = s.slope * magnitude + std::fabs(residual);
    return s.chain(sum, residual, operand);
  }
  return s.relu && sum < 0 ? 0 : sum;
}

// Runs and compares; says what is wrong and counts it.
inline int check(const std::string& what, const shape& s, const std::function<int(operands&)>& run) {
  operands o = make_operands(s);
  const std::vector<float> old = o.c;
  if (const int status = run(o); status != 0) {
    std::printf("%s, m = %d: status %d\n", what.c_str(), static_cast<int>(s.m), status);
    return 1;
  }
  for (std::size_t at = 0; at < o.c.size(); ++at) {
    const auto in_item = static_cast<std::int64_t>(at) % o.stride_c;
    const std::int64_t item = static_cast<std::int64_t>(at) / o.stride_c;
    const std::int64_t row = in_item / o.ldc, col = in_item % o.ldc;
    if (row >= s.m || col >= s.columns()) {
      if (o.c[at] == kGuard) continue;
      std::printf("%s, m = %d: wrote outside C\n", what.c_str(), static_cast<int>(s.m));
      return 1;
    }
    double magnitude = 0;
    const double right = element(s, o, item, row, col, double{old[at]}, magnitude);
    const double bound = (static_cast<double>(s.k) + 4) * 6e-8 * magnitude;
    if (!(std::fabs(double{o.c[at]} - right) <= bound)) {
      std::printf("%s, m = %d: C[%d, %d] is %g, not %g\n", what.c_str(), static_cast<int>(s.m), static_cast<int>(row),
                  static_cast<int>(col), double{o.c[at]}, right);
      return 1;
    }
  }
  return 0;
}
