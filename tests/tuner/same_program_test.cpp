// What `canonical` calls the same program has to be the same walk of the kernels' loop nest: both are run with
// micro-kernels that write down their arguments instead of computing.
#include <gemwright/dot.h>
#include <gemwright/gemm.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
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
    const std::int64_t n = size_up_to(random.below(4) == 0 ? 4 : 300);  // few: vectors along K
    SpaceInput in = space_of(size_up_to(150), n, random.below(4) == 0 ? 2048 : size_up_to(300),
                             1 + static_cast<int>(random.below(4)), {isa::avx512f});
    in.problem.batch = 1 + static_cast<std::int64_t>(random.below(3));
    Config c = *random_config(in, random);
    // Whatever fits the constraints, canonical or not.
    auto& b = c.blocking;
    c.tile.mr = static_cast<int>(1 + random.below(static_cast<std::uint64_t>(c.tile.mr)));
    b.mc = c.tile.mr * size_up_to(12);
    b.nc = gemwright::column_unit(c.tile, c.format) * size_up_to(6);
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

// Of a dot mode: rows, cols, column, groups, B, C, first, last; rows of A that are packed have no columns.
struct DotRecording {
  const std::uint32_t* b = nullptr;
  const float* a = nullptr;
  const char* c = nullptr;
  std::vector<Step> steps;
};
DotRecording* dot_recording = nullptr;

template <int Rows>
void record_dot(const dot_args& x) {
  dot_recording->steps.emplace_back(Rows, x.cols, x.col, x.groups, x.b - dot_recording->b,
                                    static_cast<const char*>(x.c) - dot_recording->c, x.first, x.last);
}

void record_packing(const dot_pack_args& x) {
  dot_recording->steps.emplace_back(x.rows, 0, 0, x.k, static_cast<const float*>(x.a) - dot_recording->a, 0, false,
                                    false);
}

template <std::size_t... I>
constexpr std::array<dot_kernel, sizeof...(I)> dot_recorders(std::index_sequence<I...>) {
  return {record_dot<static_cast<int>(I) + 1>...};
}
constexpr auto kDotRecorders = dot_recorders(std::make_index_sequence<30>());

std::vector<Step> dot_walk(const SpaceInput& in, const Config& c) {
  const std::int64_t m = in.m, n = in.problem.n, k = in.problem.k, batch = in.problem.batch;
  dot_kernel_set kernels{};
  kernels.shape = c.tile;
  kernels.mode = c.mode;
  kernels.c_type = element::f32;
  kernels.nr = nr(c.tile);
  kernels.a_words = 1;
  kernels.kernels = kDotRecorders.data();
  kernels.pack_a = record_packing;
  const std::vector<float> a(static_cast<std::size_t>(m * k * batch)), b(static_cast<std::size_t>(k * n));
  std::vector<float> out(static_cast<std::size_t>(m * n * batch));
  dot_weights_source source;
  source.b = b.data();
  source.ldb = n;
  const auto weights = pack_dot_weights(c.mode, source, n, k, batch, c.format);
  EXPECT_TRUE(weights.valid());
  dot_call call;
  if (c.blocking.pack_a == a_packing::none) {
    call.a_type = c.mode == ComputeMode::bf16 ? element::bf16 : element::u8;  // A has room for floats
  }
  call.m = m;
  call.n = n;
  call.k = k;
  call.batch = batch;
  call.a = a.data();
  call.lda = k;
  call.stride_a = m * k;
  call.weights = &weights;
  call.c = out.data();
  call.ldc = n;
  call.stride_c = m * n;
  const dot_plan plan{&kernels, c.format, c.blocking};
  context ctx(1, scratch_for(plan, n, k, batch, true));  // jobs run one after the other
  DotRecording written{weights.data(), a.data(), reinterpret_cast<const char*>(out.data()), {}};
  dot_recording = &written;
  dot_nest(call, plan, ctx).run();
  dot_recording = nullptr;
  return written.steps;
}

std::int64_t size_up_to(Random& random, std::uint64_t most) {
  return 1 + static_cast<std::int64_t>(random.below(most));
}

TEST(SameProgram, CanonicalDotConfigsWalkTheLoopNestLikeTheOriginals) {
  Random random(23);
  int changed = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    const ComputeMode mode = trial % 2 == 0 ? ComputeMode::bf16 : ComputeMode::u8s8;
    SpaceInput in = test::space_of_modes({mode}, size_up_to(random, 150), size_up_to(random, 300),
                                         size_up_to(random, 400), 1 + static_cast<int>(random.below(6)));
    if (random.below(2) == 0) in.problem.interface = mode == ComputeMode::bf16 ? Interface::bf16 : Interface::u8s8;
    in.problem.batch = size_up_to(random, 3);
    Config c = *random_config(in, random);
    // Whatever fits the constraints, canonical or not.
    auto& b = c.blocking;
    c.tile.mr = static_cast<int>(size_up_to(random, static_cast<std::uint64_t>(c.tile.mr)));
    b.mc = c.tile.mr * size_up_to(random, 12);
    b.nc = gemwright::column_unit(c.tile, c.format) * size_up_to(random, 6);
    if (random.below(2) == 0) b.kc = 4 * 4 * k_group(mode) * size_up_to(random, 6);
    b.rows_inside = random.below(2) == 0;
    b.pack_a = static_cast<a_packing>(random.below(a_packing_count));
    if (violated(in, c)) continue;
    const Config same = canonical(in, c);
    if (same == c) continue;
    ++changed;
    ASSERT_EQ(violated(in, same), std::nullopt) << name_of(in) << "\n" << label(c) << "\n" << label(same);
    ASSERT_EQ(dot_walk(in, same), dot_walk(in, c)) << name_of(in) << "\n" << label(c) << "\n" << label(same);
  }
  EXPECT_GT(changed, 300);
}

// The other way round: no two points of the space are one program.
TEST(SameProgram, DifferentDotConfigsOfATileWalkDifferently) {
  for (const int threads : {1, 2, 4}) {
    for (const std::int64_t m : {5, 31}) {
      // A is read where it lies, or packed.
      SpaceInput in =
          test::space_of_modes({ComputeMode::bf16}, m, 150, 600, threads, {m == 5 ? isa::avx2 : isa::avx512_bf16});
      in.problem.interface = m == 5 ? Interface::f32 : Interface::bf16;
      in.problem.batch = m == 5 ? 2 : 1;
      in.format = gemwright::packing{32};
      const auto of_interest = [](const gemwright::tile& t) {
        return t.ku == 1 && t.ka == 1 && (t.mr == 4 || t.mr == 3) && t.nv == 2;
      };
      std::map<std::tuple<int, int, int, std::vector<Step>>, Config> walks;
      Enumeration all(in, static_cast<int>(Param::hint));
      std::size_t count = 0;
      while (const auto c = all.next()) {
        if (!of_interest(c->tile)) continue;
        const auto [entry, fresh] =
            walks.try_emplace({c->tile.mr, c->blocking.tm, c->blocking.tn, dot_walk(in, *c)}, *c);
        ASSERT_TRUE(fresh) << name_of(in) << "\n" << label(*c) << "\n" << label(entry->second);
        ++count;
      }
      EXPECT_GT(count, 20U) << name_of(in);
    }
  }
}

}  // namespace
}  // namespace gemwright::tuner
