// Problems and made-up costs that the tests of space, seeds and strategies share.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tuner/space/space.h"

namespace gemwright::tuner::test {

using gemwright::isa;
using gemwright::prefetch;

inline const std::vector<isa> kAllFamilies = {isa::scalar, isa::avx2, isa::avx512f};  // of f32
inline const std::vector<isa> kDotFamilies = {isa::scalar,   isa::avx2,        isa::avx512f,
                                              isa::avx_vnni, isa::avx512_vnni, isa::avx512_bf16};
inline const std::vector<ComputeMode> kAllModes = {ComputeMode::f32, ComputeMode::bf16, ComputeMode::u8s8};

inline SpaceInput space_of(std::int64_t m, std::int64_t n, std::int64_t k, int threads = 1,
                           std::vector<isa> families = kAllFamilies) {
  SpaceInput in;
  in.problem.n = n;
  in.problem.k = k;
  in.m = m;
  in.threads = threads;
  in.families = std::move(families);
  in.l1d_bytes = 48 << 10;
  in.l2_bytes = 1 << 20;
  in.l3_bytes = 32 << 20;
  return in;
}

inline SpaceInput space_of_modes(std::vector<ComputeMode> modes, std::int64_t m, std::int64_t n, std::int64_t k,
                                 int threads = 1, std::vector<isa> families = kDotFamilies) {
  SpaceInput in = space_of(m, n, k, threads, std::move(families));
  in.modes = std::move(modes);
  return in;
}

inline std::string name_of(const SpaceInput& in) {
  return std::to_string(in.m) + "x" + std::to_string(in.problem.n) + "x" + std::to_string(in.problem.k) + " batch " +
         std::to_string(in.problem.batch) + " modes " + std::to_string(in.modes.size()) + " from " +
         std::string(to_text(in.modes.front())) + " threads " + std::to_string(in.threads) + " families " +
         std::to_string(in.families.size()) + (in.problem.constant_weights ? " constant" : " call") +
         (in.batch_invariant ? " invariant" : "");
}

// Many odd problems: every size from a list, with the attributes that change the space turning along.
inline void for_odd_problems(const std::function<void(const SpaceInput&)>& visit) {
  const std::int64_t sizes[] = {1, 3, 16, 17, 64, 127, 4096, 14336};
  const std::vector<std::vector<isa>> families = {
      kAllFamilies, {isa::scalar}, {isa::scalar, isa::avx2}, {isa::avx512f}};
  const std::vector<std::vector<isa>> dot_families = {
      kDotFamilies, {isa::scalar}, {isa::scalar, isa::avx2}, {isa::avx2, isa::avx512f, isa::avx_vnni}};
  const std::vector<std::vector<ComputeMode>> modes = {
      {ComputeMode::f32}, {ComputeMode::bf16}, {ComputeMode::u8s8}, kAllModes, {ComputeMode::f32}};
  std::uint64_t turn = 0;
  for (std::int64_t m : sizes) {
    for (std::int64_t n : sizes) {
      for (std::int64_t k : sizes) {
        SpaceInput in = space_of(m, n, k, 1 + static_cast<int>(turn % 3));
        in.modes = modes[turn % modes.size()];
        const bool f32 = in.modes.back() == ComputeMode::f32;
        in.families = (f32 ? families : dot_families)[turn % families.size()];
        if (in.modes.size() == 1 && turn % 4 == 0) {
          in.problem.interface = static_cast<Interface>(static_cast<int>(in.modes.front()));
        }
        in.problem.batch = turn % 2 == 0 ? 1 : 3;
        in.problem.constant_weights = turn / 2 % 2 == 0;
        in.problem.a_layout = turn / 3 % 2 == 0 ? gemwright::layout::row_major : gemwright::layout::col_major;
        in.problem.b_layout = turn / 5 % 2 == 0 ? gemwright::layout::row_major : gemwright::layout::col_major;
        in.batch_invariant = turn % 7 == 0;
        visit(in);
        ++turn;
      }
    }
  }
}

// A made-up machine: the log of a time with one optimum away from every seed, and 2 % of noise that is fixed for a
// config.
inline double synthetic_cost(const Config& c) {
  const auto& t = c.tile;
  const auto& b = c.blocking;
  const auto square = [](double x) { return x * x; };
  const auto log = [](std::int64_t x) { return std::log2(static_cast<double>(x)); };
  double cost = 0;
  cost += vector_width(t.family) == 16 ? 0 : vector_width(t.family) == 8 ? 0.5 : 2.5;
  cost -= 0.5 * static_cast<int>(c.mode);
  cost += 0.004 * square(t.mr * t.nv * t.ka - 22);
  cost += 0.05 * std::abs(t.nv - 2);
  cost += t.ku == 2 ? 0 : 0.04;
  cost += t.hint == prefetch::none ? 0.35 : t.hint == prefetch::t2 ? 0 : 0.06;
  cost += t.hint == prefetch::none ? 0 : 0.05 * std::abs(log(b.prefetch_rows) - log(96));
  cost += 0.06 * std::abs(log(c.format.panel) - 6);
  cost += 0.08 * std::abs(log(b.kc) - 10) + 0.03 * std::abs(log(b.mc) - 5);
  cost += b.pack_a != gemwright::a_packing::none ? 0.03 : 0;
  cost += b.rows_inside ? 0 : 0.05;
  cost += 0.6 * std::abs(2 - threads_used(b));
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a: the same everywhere
  for (const char letter : key(c)) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211U;
  cost += 0.02 * static_cast<double>(hash % 1000) / 1000;
  return cost;
}

}  // namespace gemwright::tuner::test
