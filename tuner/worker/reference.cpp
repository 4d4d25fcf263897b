#include "tuner/worker/reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace gemwright::tuner {
namespace {

// Vectors of eight, lowered by the compiler to what the target has. They cross no function border (that would depend on
// the target), only references do.
using float8 = float __attribute__((vector_size(32), aligned(4)));
using double8 = double __attribute__((vector_size(64), aligned(8)));

constexpr std::int64_t kRows = 4;     // of the result at a time: B is read once for four rows
constexpr std::int64_t kDepth = 512;  // of K at a time: four rows of A as float64 are 16 KiB
constexpr std::int64_t kWidth = 512;  // of N at a time: four rows of sums are 16 KiB, both stay in L1
constexpr std::int64_t kLanes = 8;

// One block of a product: out[r][j] += sum over k of a * b.
struct BlockArgs {
  const double* a;  // stream: [k][R]; dot: [R][kDepth]
  const float* b;
  std::int64_t ldb;  // stream: between two k; dot: between two columns
  std::int64_t depth, width;
  double* out;
  std::int64_t ldo;
};

[[gnu::always_inline]] inline void load(const float* p, double8& out) {
  float8 v;
  std::memcpy(&v, p, sizeof v);
  out = __builtin_convertvector(v, double8);
}

// `U` steps of K on all columns of the block; B is contiguous along N.
template <int R, int U>
[[gnu::always_inline]] inline void stream_steps(const BlockArgs& x, std::int64_t k) {
  const double* const a = x.a + k * R;
  const float* const b = x.b + k * x.ldb;
  std::int64_t j = 0;
  for (; j + kLanes <= x.width; j += kLanes) {
    double8 bv[U];
    for (int u = 0; u < U; ++u) load(b + u * x.ldb + j, bv[u]);
    for (int r = 0; r < R; ++r) {
      double8 sum;
      std::memcpy(&sum, x.out + r * x.ldo + j, sizeof sum);
      for (int u = 0; u < U; ++u) sum += a[u * R + r] * bv[u];
      std::memcpy(x.out + r * x.ldo + j, &sum, sizeof sum);
    }
  }
  for (; j < x.width; ++j) {
    for (int r = 0; r < R; ++r) {
      for (int u = 0; u < U; ++u) x.out[r * x.ldo + j] += a[u * R + r] * static_cast<double>(b[u * x.ldb + j]);
    }
  }
}

template <int R>
[[gnu::always_inline]] inline void stream_block(const BlockArgs& x) {
  std::int64_t k = 0;
  for (; k + 4 <= x.depth; k += 4) stream_steps<R, 4>(x, k);
  for (; k < x.depth; ++k) stream_steps<R, 1>(x, k);
}

// `C` columns of the block; B is contiguous along K.
template <int R, int C>
[[gnu::always_inline]] inline void dot_columns(const BlockArgs& x, std::int64_t j) {
  double8 sum[R][C] = {};
  std::int64_t k = 0;
  for (; k + kLanes <= x.depth; k += kLanes) {
    double8 bv[C];
    for (int c = 0; c < C; ++c) load(x.b + (j + c) * x.ldb + k, bv[c]);
    for (int r = 0; r < R; ++r) {
      double8 av;
      std::memcpy(&av, x.a + r * kDepth + k, sizeof av);
      for (int c = 0; c < C; ++c) sum[r][c] += av * bv[c];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      double s = 0;
      for (int l = 0; l < kLanes; ++l) s += sum[r][c][l];
      for (std::int64_t i = k; i < x.depth; ++i) {
        s += x.a[r * kDepth + i] * static_cast<double>(x.b[(j + c) * x.ldb + i]);
      }
      x.out[r * x.ldo + j + c] += s;
    }
  }
}

template <int R>
[[gnu::always_inline]] inline void dot_block(const BlockArgs& x) {
  std::int64_t j = 0;
  for (; j + 2 <= x.width; j += 2) dot_columns<R, 2>(x, j);
  for (; j < x.width; ++j) dot_columns<R, 1>(x, j);
}

[[gnu::always_inline]] inline void block(const BlockArgs& x, bool stream, bool one_row) {
  if (stream) {
    one_row ? stream_block<1>(x) : stream_block<kRows>(x);
  } else {
    one_row ? dot_block<1>(x) : dot_block<kRows>(x);
  }
}

void block_portable(const BlockArgs& x, bool stream, bool one_row) { block(x, stream, one_row); }
#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) void block_avx2(const BlockArgs& x, bool stream, bool one_row) {
  block(x, stream, one_row);
}
__attribute__((target("avx512f,fma"))) void block_avx512(const BlockArgs& x, bool stream, bool one_row) {
  block(x, stream, one_row);
}
#endif

using BlockFunction = void (*)(const BlockArgs&, bool, bool);

BlockFunction best_block() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return block_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return block_avx2;
#endif
  return block_portable;
}

// Rows of the left factor: row i begins at data[rows[i] * row].
template <class T>
struct LeftRows {
  const T* data;
  std::int64_t row, col;
  std::span<const std::int64_t> rows;
};

template <class T>
void gather(const LeftRows<T>& left, std::int64_t first, std::int64_t count, std::int64_t k0, std::int64_t depth,
            bool stream, double* out) {
  const std::int64_t slots = count == 1 ? 1 : kRows;
  const std::int64_t row_step = stream ? 1 : kDepth;
  const std::int64_t k_step = stream ? slots : 1;
  for (std::int64_t r = 0; r < slots; ++r) {
    for (std::int64_t k = 0; k < depth; ++k) {
      double value = 0;
      if (r < count) {
        value = static_cast<double>(
            left.data[left.rows[static_cast<std::size_t>(first + r)] * left.row + (k0 + k) * left.col]);
      }
      out[r * row_step + k * k_step] = value;
    }
  }
}

template <class T>
void multiply(const LeftRows<T>& left, const MatrixView& b, double* out) {
  const BlockFunction run = best_block();
  // A single column or row is contiguous both ways: run along the longer side.
  const bool stream = b.col == 1 && !(b.row == 1 && b.rows > b.cols);
  const std::int64_t rows = static_cast<std::int64_t>(left.rows.size());
  std::fill(out, out + rows * b.cols, 0.0);
  std::vector<double> a(static_cast<std::size_t>(kRows * kDepth));
  std::vector<double> sums;  // for a group of fewer than kRows rows
  for (std::int64_t i = 0; i < rows; i += kRows) {
    const std::int64_t count = std::min(kRows, rows - i);
    const bool spare = count > 1 && count < kRows;
    if (spare) sums.assign(static_cast<std::size_t>(kRows * b.cols), 0.0);
    double* const to = spare ? sums.data() : out + i * b.cols;
    for (std::int64_t k = 0; k < b.rows; k += kDepth) {
      const std::int64_t depth = std::min(kDepth, b.rows - k);
      gather(left, i, count, k, depth, stream, a.data());
      for (std::int64_t j = 0; j < b.cols; j += kWidth) {
        run({a.data(), b.data + k * b.row + j * b.col, stream ? b.row : b.col, depth, std::min(kWidth, b.cols - j),
             to + j, b.cols},
            stream, count == 1);
      }
    }
    if (spare) std::copy(sums.begin(), sums.begin() + count * b.cols, out + i * b.cols);
  }
}

}  // namespace

MatrixView matrix_view(const float* data, std::int64_t rows, std::int64_t cols, std::int64_t ld,
                       gemwright::layout order) {
  if (order == gemwright::layout::row_major) return {data, rows, cols, ld, 1};
  return {data, rows, cols, 1, ld};
}

void multiply_rows(const MatrixView& a, std::span<const std::int64_t> rows, const MatrixView& b, double* out) {
  multiply(LeftRows<float>{a.data, a.row, a.col, rows}, b, out);
}

void multiply_vector(const double* x, const MatrixView& b, double* out) {
  const std::int64_t first[] = {0};
  multiply(LeftRows<double>{x, 0, 1, first}, b, out);
}

std::vector<double> row_norms(const MatrixView& m) {
  std::vector<double> sums(static_cast<std::size_t>(m.rows), 0.0);
  if (m.col == 1) {
    for (std::int64_t i = 0; i < m.rows; ++i) {
      const float* const p = m.data + i * m.row;
      double part[kLanes] = {};  // independent sums, so that the additions need not wait for each other
      std::int64_t j = 0;
      for (; j + kLanes <= m.cols; j += kLanes) {
        for (int l = 0; l < kLanes; ++l) part[l] += static_cast<double>(p[j + l]) * static_cast<double>(p[j + l]);
      }
      for (; j < m.cols; ++j) part[0] += static_cast<double>(p[j]) * static_cast<double>(p[j]);
      for (const double s : part) sums[static_cast<std::size_t>(i)] += s;
    }
  } else {
    for (std::int64_t j = 0; j < m.cols; ++j) {
      const float* const p = m.data + j * m.col;
      for (std::int64_t i = 0; i < m.rows; ++i) {
        sums[static_cast<std::size_t>(i)] += static_cast<double>(p[i]) * static_cast<double>(p[i]);
      }
    }
  }
  for (double& s : sums) s = std::sqrt(s);
  return sums;
}

}  // namespace gemwright::tuner
