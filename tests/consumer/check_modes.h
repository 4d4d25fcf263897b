// Compares a product of short elements, or one that is computed in them, with float64 over the operands that the mode
// really multiplies: rounded to bfloat16, or quantised to 8 bits row by row and column by column.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "check.h"
#include "modes.h"

// What an element of a u8 A means: kAScale * (a - kAZero).
constexpr float kAScale = 0.013F;
constexpr int kAZero = 117;
// The same of a u8 C, whose results lie beyond 0 and 255 of them in part.
constexpr float kCScale = 0.05F;
constexpr int kCZero = 37;

struct mode_shape {
  std::int64_t m, n, k, batch = 1;
  bool b_transposed = false;
  bool bias = false;
  std::function<double(double, double residual, double operand)> chain = nullptr;  // after bias; of slope 1 at most
  int beta = 0;
  std::string mode = "bf16";
  std::function<double(double gate, double up)> pair = nullptr;  // of a pair of products; before chain

  std::int64_t columns() const { return pair ? n / 2 : n; }  // of C
};

template <class A, class B, class C>
struct mode_operands {
  std::int64_t lda, ldb, ldc, stride_a, stride_b, stride_c, ld_residual, ld_operand, stride_residual, stride_operand;
  std::vector<A> a;
  std::vector<B> b;
  std::vector<C> c;
  std::vector<float> bias, residual, operand, b_scale;
};

inline double value_of(float v) { return double{v}; }
inline double value_of(modes::bf16 v) { return double{modes::to_float(v)}; }
inline double value_of(std::uint8_t v) { return double{kAScale} * (int{v} - kAZero); }
inline double value_of(std::int8_t v) { return int{v}; }

// Of C, whose integers are not those of A.
template <class T>
double value_of_c(T v) {
  if constexpr (std::is_same_v<T, std::uint8_t>) {
    return double{kCScale} * (int{v} - kCZero);
  } else {
    return value_of(v);
  }
}

template <class T>
std::vector<T> elements(std::int64_t count, std::uint64_t seed) {
  std::vector<T> out;
  for (const float v : random_values(count, seed)) {
    if constexpr (std::is_same_v<T, float>) {
      out.push_back(v);
    } else if constexpr (std::is_same_v<T, modes::bf16>) {
      out.push_back(modes::to_bf16(v));
    } else {
      out.push_back(static_cast<T>(std::lround(v * 127.0F + (std::is_same_v<T, std::uint8_t> ? 128.0F : 0.0F))));
    }
  }
  return out;
}

template <class A, class B, class C>
mode_operands<A, B, C> make_mode_operands(const mode_shape& s) {
  shape plain{s.m, s.n, s.k, s.batch, s.b_transposed};
  plain.pair = s.pair;
  const operands sizes = make_operands(plain);
  mode_operands<A, B, C> o{};
  o.lda = sizes.lda;
  o.ldb = sizes.ldb;
  o.ldc = sizes.ldc;
  o.stride_a = sizes.stride_a;
  o.stride_b = sizes.stride_b;
  o.stride_c = sizes.stride_c;
  o.ld_residual = sizes.ld_residual;
  o.ld_operand = sizes.ld_operand;
  o.stride_residual = sizes.stride_residual;
  o.stride_operand = sizes.stride_operand;
  o.a = elements<A>(o.stride_a * s.batch, 1);
  o.b = elements<B>(o.stride_b * s.batch, 2);
  o.c = elements<C>(o.stride_c * s.batch, 4);
  o.bias = sizes.bias;
  o.residual = sizes.residual;
  o.operand = sizes.operand;
  o.b_scale = random_values(s.n * s.batch, 7);
  for (float& v : o.b_scale) v = 0.01F + 0.005F * v;
  return o;
}

// A line of floats as the integers that stand for it mean it: asymmetric in 0..255, symmetric in -127..127.
inline void quantise(std::vector<double>& line, bool symmetric) {
  float low = 0, high = 0;
  for (const double v : line) {
    low = std::min(low, static_cast<float>(v));
    high = std::max(high, static_cast<float>(v));
  }
  const float scale = symmetric ? std::max(high, -low) / 127.0F : high / 255.0F - low / 255.0F;
  const float inverse = 1.0F / scale;
  const float zero = symmetric ? 0.0F : std::nearbyint(-low * inverse);
  for (double& v : line) {
    const float q = std::nearbyint(static_cast<float>(v) * inverse) + zero;
    v = double{std::clamp(q, symmetric ? -127.0F : 0.0F, symmetric ? 127.0F : 255.0F) - zero} * double{scale};
  }
}

// One line of A or B along K, as the mode multiplies it.
template <class T>
std::vector<double> line_of(const T* first, std::int64_t step, std::int64_t k, const std::string& mode, bool of_b) {
  std::vector<double> line;
  for (std::int64_t i = 0; i < k; ++i) line.push_back(value_of(first[i * step]));
  if constexpr (!std::is_integral_v<T>) {
    if (mode == "u8s8") quantise(line, of_b);
    if (mode == "bf16") {
      for (double& v : line) v = double{modes::to_float(modes::to_bf16(static_cast<float>(v)))};
    }
  }
  return line;
}

// Runs and compares; says what is wrong and counts it. What lies between rows of C must stay as it was.
template <class A, class B, class C>
int check_mode(const std::string& what, const mode_shape& s, const std::function<int(mode_operands<A, B, C>&)>& run) {
  mode_operands<A, B, C> o = make_mode_operands<A, B, C>(s);
  const std::vector<C> old = o.c;
  const auto fails = [&](const std::string& why) {
    std::printf("%s in %s, m = %d: %s\n", what.c_str(), s.mode.c_str(), static_cast<int>(s.m), why.c_str());
    return 1;
  };
  if (const int status = run(o); status != 0) return fails("status " + std::to_string(status));
  std::vector<std::vector<double>> columns;
  for (std::int64_t i = 0; i < s.batch * s.n; ++i) {
    const std::int64_t item = i / s.n, col = i % s.n;
    columns.push_back(line_of(o.b.data() + item * o.stride_b + col * (s.b_transposed ? o.ldb : 1),
                              s.b_transposed ? 1 : o.ldb, s.k, s.mode, true));
    if constexpr (std::is_same_v<B, std::int8_t>) {
      for (double& v : columns.back()) v *= double{o.b_scale[static_cast<std::size_t>(i)]};
    }
  }
  std::vector<double> row;
  for (std::int64_t at = 0; at < o.stride_c * s.batch; ++at) {
    const std::int64_t item = at / o.stride_c, r = at % o.stride_c / o.ldc, col = at % o.stride_c % o.ldc;
    const double got = value_of_c(o.c[static_cast<std::size_t>(at)]);
    const double before = value_of_c(old[static_cast<std::size_t>(at)]);
    if (r >= s.m || col >= s.columns()) {
      if (got != before) return fails("wrote outside C");
      continue;
    }
    if (col == 0) row = line_of(o.a.data() + item * o.stride_a + r * o.lda, 1, s.k, s.mode, false);
    const auto product = [&](std::int64_t j, double& magnitude) {
      double sum = s.beta == 1 ? before : 0;
      magnitude = std::fabs(sum);
      const std::vector<double>& column = columns[static_cast<std::size_t>(item * s.n + j)];
      for (std::size_t i = 0; i < row.size(); ++i) {
        sum += row[i] * column[i];
        magnitude += std::fabs(row[i] * column[i]);
      }
      if (s.bias) {
        sum += double{o.bias[static_cast<std::size_t>(j)]};
        magnitude += std::fabs(double{o.bias[static_cast<std::size_t>(j)]});
      }
      return sum;
    };
    double magnitude = 0, other = 0;
    double right = product(col, magnitude);
    if (s.pair) {
      right = s.pair(right, product(s.n / 2 + col, other));
      magnitude = pair_magnitude(magnitude, other);
    }
    if (s.chain) {
      const double added =
          double{o.residual[static_cast<std::size_t>(item * o.stride_residual + r * o.ld_residual + col)]};
      const double factor =
          double{o.operand[static_cast<std::size_t>(item * o.stride_operand + r * o.ld_operand + col)]};
      right = s.chain(right, added, factor);
      magnitude += std::fabs(added);
    }
    double bound = (static_cast<double>(s.k) + 4) * 6e-8 * magnitude;
    if (std::is_same_v<C, modes::bf16>) bound += (std::fabs(right) + bound) / 256;
    if (std::is_same_v<C, std::uint8_t>) {
      right = std::clamp(right, -double{kCScale} * kCZero, double{kCScale} * (255 - kCZero));
      bound += 0.501 * double{kCScale};
    }
    if (!(std::fabs(got - right) <= bound)) {
      return fails("C[" + std::to_string(r) + ", " + std::to_string(col) + "] is " + std::to_string(got) + ", not " +
                   std::to_string(right));
    }
  }
  return 0;
}
