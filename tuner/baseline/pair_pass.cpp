#include "tuner/baseline/pair_pass.h"

#include <dlfcn.h>
#include <gemwright/compute_mode.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace gemwright::tuner {
namespace {

// So many columns stay in the first-level cache from one operation to the next.
constexpr std::int64_t kColumns = 1024;

#define GEMWRIGHT_PASS_INLINE __attribute__((always_inline)) inline

// exp(x), within 2e-7 of itself; beyond the range of f32 as at its ends.
GEMWRIGHT_PASS_INLINE float exp_of(float x) {
  constexpr float kLog2E = 1.44269504F, kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;
  constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: the sum's last bits are a whole number
  constexpr int kExponent = 23;
  x = x < -87.0F ? -87.0F : x;
  x = x > 88.0F ? 88.0F : x;
  const float t = x * kLog2E + kRound;
  const float n = t - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  const float p =
      1.0F + r * (1.0F + r * (0.5F + r * (0.16666657F + r * (0.04166655F + r * (0.00836323F + r * 0.001392625F)))));
  return p * std::bit_cast<float>((std::bit_cast<std::uint32_t>(t) << kExponent) + std::bit_cast<std::uint32_t>(1.0F));
}

GEMWRIGHT_PASS_INLINE float silu(float v) { return v / (1.0F + exp_of(-v)); }

GEMWRIGHT_PASS_INLINE float gelu_tanh(float v) {
  constexpr float kTwoRootTwoOverPi = 1.595769122F, kCubic = 0.044715F;
  return v / (1.0F + exp_of(-kTwoRootTwoOverPi * (v + kCubic * v * v * v)));
}

template <class F>
GEMWRIGHT_PASS_INLINE void each(float* v, std::int64_t n, const F& f) {
  for (std::int64_t i = 0; i < n; ++i) v[i] = f(v[i], i);
}

// An operation on n elements of a row, the first of which stands at `at` in C and at `col` in its row.
GEMWRIGHT_PASS_INLINE void apply(EpilogueOp op, float* v, std::int64_t n, const gemwright::epilogue_operands& x,
                                 std::int64_t at, std::int64_t col) {
  const float scale = x.scale, lo = x.clamp_lo, hi = x.clamp_hi;
  if (op == EpilogueOp::bias) each(v, n, [p = x.bias + col](float e, std::int64_t i) { return e + p[i]; });
  if (op == EpilogueOp::add) each(v, n, [p = x.residual + at](float e, std::int64_t i) { return e + p[i]; });
  if (op == EpilogueOp::mul) each(v, n, [p = x.operand + at](float e, std::int64_t i) { return e * p[i]; });
  if (op == EpilogueOp::scale) each(v, n, [scale](float e, std::int64_t) { return e * scale; });
  if (op == EpilogueOp::relu) each(v, n, [](float e, std::int64_t) { return e < 0 ? 0 : e; });
  if (op == EpilogueOp::clamp) {
    each(v, n, [lo, hi](float e, std::int64_t) {
      const float low = e < lo ? lo : e;
      return low > hi ? hi : low;
    });
  }
  if (op == EpilogueOp::silu) each(v, n, [](float e, std::int64_t) { return silu(e); });
  if (op == EpilogueOp::gelu_tanh) each(v, n, [](float e, std::int64_t) { return gelu_tanh(e); });
  if (op == EpilogueOp::gelu_erf) {
    each(v, n, [](float e, std::int64_t) { return 0.5F * e * std::erfc(e * -0.707106781F); });
  }
}

// To the nearest, ties to even; a NaN stays one.
GEMWRIGHT_PASS_INLINE std::uint16_t bf16_bits(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  const std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  return static_cast<std::uint16_t>(v != v ? 0x7fc0U : rounded);
}

// To the nearest, ties to even, kept in 0 to 255.
GEMWRIGHT_PASS_INLINE std::uint8_t u8_of(float v, float inverse_scale, float zero) {
  constexpr float kRound = 12582912.0F;  // as in exp_of
  const float code = v * inverse_scale + zero;
  const float above = code > 0.0F ? code : 0.0F;
  return static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>((above < 255.0F ? above : 255.0F) + kRound));
}

// Columns [col, col + n) of a row.
GEMWRIGHT_PASS_INLINE void part_of_row(const PairPass& x, std::int64_t row, std::int64_t col, std::int64_t n) {
  float v[kColumns];
  const float* const gate = x.product + row * 2 * x.columns + col;
  const float* const up = gate + x.columns;
  if (x.pair == EpilogueOp::swiglu) {
    for (std::int64_t i = 0; i < n; ++i) v[i] = silu(gate[i]) * up[i];
  } else {
    for (std::int64_t i = 0; i < n; ++i) v[i] = gelu_tanh(gate[i]) * up[i];
  }
  const std::int64_t at = row * x.columns + col;
  for (const EpilogueOp op : x.after) apply(op, v, n, x.operands, at, col);
  if (x.c_element == gemwright::element::bf16) {
    auto* const c = static_cast<std::uint16_t*>(x.c) + at;
    for (std::int64_t i = 0; i < n; ++i) c[i] = bf16_bits(v[i]);
  } else if (x.c_element == gemwright::element::u8) {
    const float inverse = x.requant.inverse_scale, zero = static_cast<float>(x.requant.zero);
    auto* const c = static_cast<std::uint8_t*>(x.c) + at;
    for (std::int64_t i = 0; i < n; ++i) c[i] = u8_of(v[i], inverse, zero);
  } else {
    std::copy_n(v, n, static_cast<float*>(x.c) + at);
  }
}

std::int64_t parts_of_row(const PairPass& x) { return (x.columns + kColumns - 1) / kColumns; }

// Parts [begin, end) of all rows.
GEMWRIGHT_PASS_INLINE void parts(const PairPass& x, std::int64_t begin, std::int64_t end) {
  const std::int64_t in_row = parts_of_row(x);
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t col = i % in_row * kColumns;
    part_of_row(x, i / in_row, col, std::min(kColumns, x.columns - col));
  }
}

void any_cpu(const PairPass& x, std::int64_t begin, std::int64_t end) { parts(x, begin, end); }
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void avx2(const PairPass& x, std::int64_t begin, std::int64_t end) {
  parts(x, begin, end);
}
__attribute__((target("avx512f,avx512bw,avx512vl,fma"))) void avx512(const PairPass& x, std::int64_t begin,
                                                                     std::int64_t end) {
  parts(x, begin, end);
}
#endif

void run_parts(const PairPass& x, std::int64_t begin, std::int64_t end) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return avx512(x, begin, end);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2(x, begin, end);
#endif
  any_cpu(x, begin, end);
}

template <class F>
F* loaded(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_DEFAULT, name));
}

// What a compiler calls for a parallel region; every OpenMP runtime for this CPU has it.
struct OpenMp {
  void (*parallel)(void (*)(void*), void*, unsigned,
                   unsigned) = loaded<void(void (*)(void*), void*, unsigned, unsigned)>("GOMP_parallel");
  int (*thread)() = loaded<int()>("omp_get_thread_num");
  int (*threads)() = loaded<int()>("omp_get_num_threads");

  bool there() const { return parallel != nullptr && thread != nullptr && threads != nullptr; }
};

}  // namespace

void run_pass(const PairPass& pass) {
  const std::int64_t all = pass.rows * parts_of_row(pass);
  static const OpenMp omp;
  if (pass.threads == 1 || !omp.there()) return run_parts(pass, 0, all);
  const auto slice = [](void* p) {
    const auto& x = *static_cast<const PairPass*>(p);
    const std::int64_t units = x.rows * parts_of_row(x), threads = omp.threads(), i = omp.thread();
    run_parts(x, units * i / threads, units * (i + 1) / threads);
  };
  omp.parallel(slice, const_cast<PairPass*>(&pass), static_cast<unsigned>(pass.threads), 0);
}

}  // namespace gemwright::tuner
