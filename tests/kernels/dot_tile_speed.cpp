// Prints the speed of dot tiles on operands that stay in L1: a sanity check for people, not a test.
#include <gemwright/dot.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace {

using namespace gemwright;

double gflops(const dot_kernel_set& set) {
  using clock = std::chrono::steady_clock;
  constexpr std::int64_t kGroups = 96;  // 96 groups of the widest panel, 64 words, are 24 KiB
  constexpr int kRepeats = 9, kCalls = 20000;
  const std::int64_t m = set.shape.mr, n = set.nr;
  const std::vector<std::uint32_t> a(static_cast<std::size_t>(m * set.a_words * kGroups)),
      b(static_cast<std::size_t>(n * kGroups));
  std::vector<float> c(static_cast<std::size_t>(m * n)), scales(static_cast<std::size_t>(std::max(m, n)), 1.0F);
  const std::vector<std::int32_t> zeros(static_cast<std::size_t>(std::max(m, n)));
  const epilogue_operands operands{};
  dot_args x{};
  x.groups = kGroups;
  x.a = a.data();
  x.b = b.data();
  x.b_group = n;
  x.first = x.last = true;
  x.cols = static_cast<int>(n);
  x.c = c.data();
  x.ldc = n;
  x.a_scale = x.b_scale = scales.data();
  x.a_zero = x.b_sum = zeros.data();
  x.operands = &operands;
  double best = 0;
  for (int r = 0; r < kRepeats; ++r) {
    const auto begin = clock::now();
    for (int i = 0; i < kCalls; ++i) set.kernels[m - 1](x);
    const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
    const double products = static_cast<double>(m * n * kGroups * k_group(set.mode));
    best = std::max(best, 2.0 * products * kCalls / seconds / 1e9);
  }
  return best;
}

template <compute_mode Mode, isa F, int MR, int NV, int KU>
void report() {
  std::printf("%-5s %-12s %2dx%d ku%d ", compute_mode_name(Mode), isa_name(F), MR, NV, KU);
  if (!cpu_has(F)) {
    std::printf(" missing: this CPU does not have the family\n");
    return;
  }
  constexpr dot_kernel_set set = compiled_dot_tile<Mode, F, MR, NV, KU, 1, prefetch::none, element::f32, chain<>>();
  std::printf(" %7.1f GFLOP/s\n", gflops(set));
}

template <compute_mode Mode, isa F>
void report_wide() {
  report<Mode, F, 8, 2, 1>();
  report<Mode, F, 14, 2, 1>();
  report<Mode, F, 12, 2, 1>();
  report<Mode, F, 6, 4, 1>();
  report<Mode, F, 8, 2, 4>();
}

template <compute_mode Mode, isa F>
void report_narrow() {
  report<Mode, F, 4, 2, 1>();
  report<Mode, F, 6, 1, 2>();
  report<Mode, F, 6, 2, 1>();
}

}  // namespace

int main() {
  report_wide<compute_mode::bf16, isa::avx512_bf16>();
  report_wide<compute_mode::bf16, isa::avx512f>();
  report_narrow<compute_mode::bf16, isa::avx2>();
  report<compute_mode::bf16, isa::scalar, 4, 4, 1>();
  report_wide<compute_mode::u8s8, isa::avx512_vnni>();
  report_narrow<compute_mode::u8s8, isa::avx_vnni>();
  report_narrow<compute_mode::u8s8, isa::avx2>();
  report<compute_mode::u8s8, isa::scalar, 4, 4, 1>();
  return 0;
}
