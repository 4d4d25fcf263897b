// What `canonical` calls the same program has to be the same walk of the kernels' loop nest: both are run with
// micro-kernels that write down their arguments instead of computing.
#include <gemwright/gemm.h>
#include <gtest/gtest.h>

#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include "search_inputs.h"

namespace gemwright::tuner {
namespace {

using test::name_of;
using test::space_of;

// rows, cols, column, depth, B, C, accumulate, finish
using Step = std::tuple<int, int, std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool, bool>;

// Micro-kernels are plain functions, so what they write to cannot be handed to them.
struct Recording {
  const float* b = nullptr;
  const float* c = nullptr;
  std::int64_t c_size = 0;
  std::vector<Step> steps;
};
Recording* recording = nullptr;

template <int Rows>
void record(const micro_args& x) {
  const bool in_c = x.c >= recording->c && x.c < recording->c + recording->c_size;  // otherwise a partial sum
  recording->steps.emplace_back(Rows, x.cols, x.col, x.k, x.b - recording->b, in_c ? x.c - recording->c : -1,
                                x.accumulate, x.finish);
}

void record_sum(const reduce_args& x) {
  recording->steps.emplace_back(0, 0, x.rows, x.cols, x.slices, x.c - recording->c, false, true);
}

template <std::size_t... I>
constexpr std::array<micro_kernel, sizeof...(I)> recorders(std::index_sequence<I...>) {
  return {record<static_cast<int>(I) + 1>...};
}
constexpr auto kRecorders = recorders(std::make_index_sequence<30>());

std::vector<Step> walk(const SpaceInput& in, const Config& c) {
  const std::int64_t m = in.m, n = in.problem.n, k = in.problem.k, batch = in.problem.batch;
  kernel_set kernels{};
  kernels.shape = c.tile;
  kernels.nr = nr(c.tile);
  kernels.full = kernels.tail = kRecorders.data();
  kernels.reduce = record_sum;
  const std::vector<float> a(static_cast<std::size_t>(m * k * batch)),
      b(static_cast<std::size_t>(packed_b_size(n, k, c.format) * batch));
  std::vector<float> out(static_cast<std::size_t>(m * n * batch));
  gemm_call call;
  call.m = m;
  call.n = n;
  call.k = k;
  call.batch = batch;
  call.a = a.data();
  call.lda = k;
  call.stride_a = m * k;
  call.b = b.data();
  call.stride_b = packed_b_size(n, k, c.format);
  call.b_packed = true;
  call.c = out.data();
  call.ldc = n;
  call.stride_c = m * n;
  context ctx(1, scratch_for(c.tile, c.format, c.blocking, n, k, batch, true));  // jobs run one after the other
  Recording written{b.data(), out.data(), m * n * batch, {}};
  recording = &written;
  loop_nest(call, plan{&kernels, c.format, c.blocking}, ctx).run();
  recording = nullptr;
  return written.steps;
}

TEST(SameProgram, CanonicalConfigsWalkTheLoopNestLikeTheOriginals) {
  Random random(17);
  int changed = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    const auto size_up_to = [&](std::uint64_t most) { return 1 + static_cast<std::int64_t>(random.below(most)); };
    SpaceInput in = space_of(size_up_to(150), size_up_to(300), random.below(4) == 0 ? 2048 : size_up_to(300),
                             1 + static_cast<int>(random.below(4)), {isa::avx512f});
    in.problem.batch = 1 + static_cast<std::int64_t>(random.below(3));
    Config c = *random_config(in, random);
    // Whatever fits the constraints, canonical or not.
    auto& b = c.blocking;
    c.tile.mr = static_cast<int>(1 + random.below(static_cast<std::uint64_t>(c.tile.mr)));
    b.mc = c.tile.mr * size_up_to(12);
    b.nc = c.format.panel * size_up_to(6);
    if (random.below(2) == 0) b.kc = 16 * size_up_to(12);
    b.order = static_cast<loop_order>(random.below(loop_order_count));
    b.rows_inside = random.below(2) == 0;
    if (violated(in, c)) continue;
    const Config same = canonical(in, c);
    if (same == c) continue;
    ++changed;
    ASSERT_EQ(walk(in, same), walk(in, c)) << name_of(in) << "\n" << label(c) << "\n" << label(same);
  }
  EXPECT_GT(changed, 300);
}

}  // namespace
}  // namespace gemwright::tuner
