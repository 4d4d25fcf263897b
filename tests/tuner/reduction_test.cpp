#include "tuner/space/reduction.h"

#include <gtest/gtest.h>

#include <set>

#include "search_inputs.h"
#include "tuner/strategy/seeds.h"

namespace gemwright::tuner {
namespace {

using test::kAllModes;
using test::kDotFamilies;
using test::name_of;
using test::space_of_modes;

// The classes of what a search meets: seeds, random configs and their neighbours.
std::set<std::string> classes(const SpaceInput& in) {
  std::set<std::string> found;
  const auto meet = [&](const Config& c) { found.insert(reduction_class(in.problem, c)); };
  for (const NamedConfig& s : seeds(in)) meet(s.config);
  Random random(29);
  for (int i = 0; i < 60; ++i) {
    const Config c = *random_config(in, random);
    meet(c);
    if (i % 10 != 0) continue;
    for (const Config& n : neighbours(in, c)) meet(n);
  }
  return found;
}

TEST(Reduction, ABatchInvariantSpaceHasOneClassAModeForAllMAndThreads) {
  for (const std::vector<isa>& families : {kDotFamilies, std::vector{isa::scalar, isa::avx2}}) {
    for (const ComputeMode mode : kAllModes) {
      std::set<std::string> found, free;
      for (const std::int64_t m : {1, 3, 8, 65}) {
        for (const int threads : {1, 2, 3}) {
          SpaceInput in = space_of_modes({mode}, m, 96, 4099, threads, families);
          free.merge(classes(in));
          in.batch_invariant = true;
          const auto some = classes(in);
          EXPECT_EQ(some.size(), 1U) << name_of(in);
          found.insert(some.begin(), some.end());
        }
      }
      EXPECT_EQ(found.size(), 1U) << to_text(mode) << " " << *found.begin();
      // Sums of integers are exact in any order.
      if (mode == ComputeMode::u8s8) {
        EXPECT_EQ(free, found);
      } else {
        EXPECT_GT(free.size(), 2U) << to_text(mode);
      }
    }
  }
}

TEST(Reduction, EveryConfigOfASmallBatchInvariantSpaceIsOfOneClass) {
  for (const ComputeMode mode : kAllModes) {
    std::set<std::string> found;
    for (const std::int64_t m : {1, 5}) {
      SpaceInput in = space_of_modes({mode}, m, 9, 20, 2);
      in.batch_invariant = true;
      for_each(in, [&](const Config& c) {
        found.insert(reduction_class(in.problem, c));
        return true;
      });
    }
    EXPECT_EQ(found.size(), 1U) << to_text(mode);
  }
}

TEST(Reduction, NamesWhatDecidesTheBits) {
  Problem p;
  p.n = 64;
  p.k = 4096;
  Config c;
  c.tile = {isa::avx512f, 8, 1, 2, 1, gemwright::prefetch::none};
  c.format.panel = 16;
  c.blocking = {8, 64, 512, gemwright::loop_order::nmk, true, gemwright::a_packing::none, 1, 1, 1, 0};
  const auto with = [&](const auto& change) {
    Config changed = c;
    change(changed);
    return reduction_class(p, changed);
  };
  EXPECT_EQ(reduction_class(p, c), "f32>f32 fma ka1 tk1");
  EXPECT_EQ(with([](Config& x) { x.blocking.kc = 4096; }), reduction_class(p, c));
  EXPECT_EQ(with([](Config& x) { x.tile.family = isa::avx2; }), reduction_class(p, c));
  EXPECT_EQ(with([](Config& x) { x.tile.family = isa::scalar; }), "f32>f32 mul+add ka1 tk1");
  EXPECT_EQ(with([](Config& x) { x.tile.ka = 2; }), "f32>f32 fma ka2 kc512 tk1");
  EXPECT_EQ(with([](Config& x) { x.tile.ka = 2, x.blocking.kc = 4096; }), "f32>f32 fma ka2 tk1");
  EXPECT_EQ(with([](Config& x) { x.blocking.tk = 2; }), "f32>f32 fma ka1 tk2");
  c.mode = ComputeMode::bf16;
  EXPECT_EQ(reduction_class(p, c), "f32>bf16 fma ka1 tk1");
  c.tile.family = isa::avx512_bf16;
  EXPECT_EQ(reduction_class(p, c), "f32>bf16 vdpbf16ps ka1 tk1");
  p.interface = Interface::bf16;
  EXPECT_EQ(reduction_class(p, c), "bf16>bf16 vdpbf16ps ka1 tk1");
  c.mode = ComputeMode::u8s8;
  c.tile.family = isa::avx512_vnni;
  EXPECT_EQ(with([](Config& x) { x.tile.ka = 4; }), with([](Config& x) { x.tile.family = isa::avx2; }));
}

}  // namespace
}  // namespace gemwright::tuner
