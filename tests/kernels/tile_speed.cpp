// Prints the speed of a few tiles on operands that stay in L1: a sanity check for people, not a test.
#include <gemwright/gemm.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

using namespace gemwright;

double gflops(const kernel_set& set) {
  using clock = std::chrono::steady_clock;
  constexpr std::int64_t kDepth = 96;  // 96 steps of the widest panel, 80 floats, are 30 KiB
  constexpr int kRepeats = 7, kCalls = 20000;
  const std::int64_t m = set.shape.mr, n = set.nr;
  const std::vector<float> a(static_cast<std::size_t>(m * kDepth), 1.0F), b(static_cast<std::size_t>(n * kDepth), 1.0F);
  std::vector<float> c(static_cast<std::size_t>(m * n));
  const epilogue_operands operands{};
  micro_args x{};
  x.k = kDepth;
  x.a = a.data();
  x.a_row = 1;
  x.a_k = m;
  x.b = b.data();
  x.b_row = n;
  x.c = c.data();
  x.ldc = n;
  x.cols = static_cast<int>(n);
  x.finish = true;
  x.next = next_tile::near;
  x.operands = &operands;
  double best = 0;
  for (int r = 0; r < kRepeats; ++r) {
    const auto begin = clock::now();
    for (int i = 0; i < kCalls; ++i) set.full[m - 1](x);
    const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
    best = std::max(best, 2.0 * static_cast<double>(m * n * kDepth) * kCalls / seconds / 1e9);
  }
  return best;
}

template <isa F, int MR, int NV, int KU, int KA>
void report() {
  if (!cpu_has(F)) {
    std::printf("%-8s %2dx%d  missing: this CPU does not have the family\n", isa_name(F), MR, NV);
    return;
  }
  constexpr kernel_set set = compiled_tile<F, MR, NV, KU, KA, prefetch::none, chain<>>();
  std::printf("%-8s %2dx%d ku%d ka%d  %7.1f GFLOP/s\n", isa_name(F), MR, NV, KU, KA, gflops(set));
}

}  // namespace

int main() {
  report<isa::avx512f, 14, 2, 1, 1>();
  report<isa::avx512f, 8, 3, 1, 1>();
  report<isa::avx512f, 6, 4, 2, 1>();
  report<isa::avx512f, 1, 5, 4, 4>();
  report<isa::avx2, 6, 2, 1, 1>();
  report<isa::avx2, 4, 3, 1, 1>();
  report<isa::scalar, 4, 4, 1, 1>();
  return 0;
}
