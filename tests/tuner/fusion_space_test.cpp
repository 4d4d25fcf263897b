// Where the chain runs, and how the halves of a pair of products lie, as parameters of the space.
#include <gtest/gtest.h>

#include <set>

#include "tests/tuner/search_inputs.h"
#include "tuner/space/limits.h"
#include "tuner/strategy/seeds.h"

namespace gemwright::tuner {
namespace {

using gemwright::fusion;
using gemwright::isa;

SpaceInput with_chain(std::int64_t m, std::vector<EpilogueOp> chain, std::vector<ComputeMode> modes = {}) {
  SpaceInput in = modes.empty() ? test::space_of(m, 512, 2048, 2)
                                : test::space_of_modes(modes, m, 512, 2048, 2, {isa::avx512f, isa::avx512_bf16});
  in.problem.chain = std::move(chain);
  return in;
}

template <class Value>
std::set<Value> drawn(const SpaceInput& in, Value (*value)(const Config&)) {
  Random random(5);
  std::set<Value> seen;
  for (int i = 0; i < 400; ++i) {
    const auto c = random_config(in, random);
    EXPECT_TRUE(c && !violated(in, *c));
    if (c) seen.insert(value(*c));
  }
  return seen;
}

fusion place(const Config& c) { return c.blocking.chain_at; }
int pair(const Config& c) { return c.format.pair; }

TEST(FusionSpace, AChainOfAnF32ProductHasEveryPlaceAndNoChainHasOne) {
  EXPECT_EQ(drawn(with_chain(8, {EpilogueOp::bias}), place),
            (std::set{fusion::registers, fusion::tile, fusion::block, fusion::pass}));
  EXPECT_EQ(drawn(with_chain(8, {}), place), std::set{fusion::registers});
}

TEST(FusionSpace, AChainOfADotModeHasEveryPlaceWhereCIsF32) {
  SpaceInput in = with_chain(8, {EpilogueOp::bias}, {ComputeMode::bf16});
  EXPECT_EQ(drawn(in, place), (std::set{fusion::registers, fusion::tile, fusion::block, fusion::pass}));
  in.problem.interface = Interface::bf16;
  EXPECT_EQ(drawn(in, place), std::set{fusion::registers});
}

TEST(FusionSpace, AChainThatEndsInRequantStaysInRegisters) {
  SpaceInput in = test::space_of_modes({ComputeMode::u8s8}, 8, 512, 2048, 2, {isa::avx2, isa::avx512_vnni});
  in.problem.interface = Interface::u8s8;
  in.problem.chain = {EpilogueOp::bias};
  EXPECT_EQ(drawn(in, place), (std::set{fusion::registers, fusion::tile, fusion::block, fusion::pass}));
  in.problem.chain.push_back(EpilogueOp::requant);
  EXPECT_EQ(drawn(in, place), std::set{fusion::registers});
}

TEST(FusionSpace, SlicesOfKLeaveTheChainNoPlaceOfItsOwn) {
  const SpaceInput in = with_chain(8, {EpilogueOp::relu});
  Random random(6);
  int sliced = 0;
  for (int i = 0; i < 2000; ++i) {
    Config c = *random_config(in, random);
    if (c.blocking.tk == 1) continue;
    ++sliced;
    EXPECT_EQ(place(c), fusion::registers) << label(c);
    c.blocking.chain_at = fusion::pass;
    EXPECT_NE(violated(in, c), std::nullopt);
    EXPECT_EQ(place(canonical(in, c)), fusion::registers);
  }
  EXPECT_GT(sliced, 20);
}

TEST(FusionSpace, EveryOtherPlaceIsOneStepAway) {
  const SpaceInput in = with_chain(8, {EpilogueOp::bias, EpilogueOp::silu});
  const Config seed = seeds(in).front().config;
  std::set<fusion> found;
  for (const Config& c : neighbours(in, seed)) {
    Config same = c;
    same.blocking.chain_at = place(seed);
    if (same == seed) found.insert(place(c));
  }
  EXPECT_EQ(found, (std::set{fusion::tile, fusion::block, fusion::pass}));
}

TEST(FusionSpace, HalvesOfAPairTakeTurnsOrStandOneBehindTheOther) {
  EXPECT_EQ(drawn(with_chain(8, {EpilogueOp::swiglu}), pair), (std::set{0, 16}));
  EXPECT_EQ(drawn(with_chain(8, {EpilogueOp::bias, EpilogueOp::geglu}, {ComputeMode::bf16}), pair), (std::set{0, 16}));
  EXPECT_EQ(drawn(with_chain(8, {EpilogueOp::silu}), pair), std::set{0});
}

class PairSpace : public ::testing::TestWithParam<ComputeMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, PairSpace, ::testing::Values(ComputeMode::f32, ComputeMode::bf16));

TEST_P(PairSpace, APairLeavesRegistersForAPassAlone) {
  const SpaceInput in = with_chain(8, {EpilogueOp::swiglu}, {GetParam()});
  EXPECT_EQ(drawn(in, place), (std::set{fusion::registers, fusion::pass}));
  Random random(7);
  for (int i = 0; i < 400; ++i) {
    Config c = *random_config(in, random);
    c.blocking.chain_at = fusion::tile;
    EXPECT_EQ(place(canonical(in, c)),
              holds_pairs(in.problem, c) && c.blocking.tk == 1 ? fusion::pass : fusion::registers)
        << label(c);
  }
}

TEST(FusionSpace, SumsThatADotModeKeepsForAPhaseOfAllJobsAreBounded) {
  SpaceInput in = with_chain(8192, {EpilogueOp::swiglu}, {ComputeMode::bf16});
  in.problem.n = 22016;
  Random random(9);
  std::set<gemwright::fusion> waited;
  for (int i = 0; i < 400; ++i) {
    const Config c = *random_config(in, random);
    if (!sums_wait(in.problem, c) || c.blocking.tk > 1) continue;
    waited.insert(place(c));
    EXPECT_NE(c.blocking.pack_a, gemwright::a_packing::job) << label(c);
    EXPECT_LE(std::min(c.blocking.mc, in.m) * c.blocking.tm * in.problem.n * kWordBytes, kMaxSplitBytes) << label(c);
  }
  EXPECT_EQ(waited, (std::set{fusion::registers, fusion::pass}));
}

// Where more rows of a chunk than memory has room for would be needed to keep the phases few; and where the format
// leaves few tiles.
TEST(FusionSpace, LargePairsOfADotModeHaveConfigsInEachFormat) {
  SpaceInput in = with_chain(8192, {EpilogueOp::swiglu}, {ComputeMode::bf16});
  in.problem.n = 57344;
  in.threads = 8;
  Random random(10);
  for (const gemwright::packing format : {gemwright::packing{32, 0}, gemwright::packing{32, 16}}) {
    in.format = format;
    for (int i = 0; i < 40; ++i) {
      const auto c = random_config(in, random);
      ASSERT_TRUE(c);
      EXPECT_EQ(violated(in, *c), std::nullopt) << label(*c);
      EXPECT_EQ(c->format.pair, format.pair);
    }
    ASSERT_TRUE(Enumeration(in).next());
    for (const NamedConfig& s : seeds(in)) EXPECT_EQ(violated(in, s.config), std::nullopt) << s.name;
  }
  Config c = seeds(in).front().config;
  in.format.reset();
  c.format.pair = 0;
  c.tile.mr = 24;
  c.tile.nv = 1;
  c.blocking.mc = in.m;
  c.blocking.tm = 8;
  EXPECT_TRUE(repaired(in, c)) << "its chunks become smaller";
}

TEST(FusionSpace, EveryModeHasSeedsOfAPairWhoseTilesHoldBothHalves) {
  const SpaceInput in = with_chain(8, {EpilogueOp::swiglu}, {ComputeMode::f32, ComputeMode::bf16});
  std::set<ComputeMode> held;
  for (const NamedConfig& s : seeds(in)) {
    EXPECT_EQ(violated(in, s.config), std::nullopt) << s.name;
    if (holds_pairs(in.problem, s.config)) held.insert(s.config.mode);
  }
  EXPECT_EQ(held, (std::set{ComputeMode::f32, ComputeMode::bf16}));
}

TEST(FusionSpace, ABlockThatTheChainWaitsForIsNotJoinedWithTheNext) {
  SpaceInput in = with_chain(256, {EpilogueOp::gelu_erf});
  Config c = seeds(in).front().config;
  c.blocking.nc = 128;
  c.blocking.rows_inside = true;
  c.blocking.chain_at = fusion::block;
  c.blocking.tn = c.blocking.tm = c.blocking.tk = 1;
  EXPECT_EQ(canonical(in, c).blocking.nc, 128);
  c.blocking.chain_at = fusion::registers;
  EXPECT_EQ(canonical(in, c).blocking.nc, in.problem.n);
}

TEST(FusionSpace, ANarrowPairOfADotModeHasTiles) {
  SpaceInput in = with_chain(8, {EpilogueOp::swiglu}, {ComputeMode::bf16});
  in.problem.n = 16;
  EXPECT_FALSE(seeds(in).empty());
  EXPECT_EQ(drawn(in, pair), (std::set{0, 16}));
}

TEST(FusionSpace, SumsThatAPairKeepsInMemoryAreBounded) {
  SpaceInput in = with_chain(8192, {EpilogueOp::swiglu});
  in.problem.n = 22016;
  Random random(8);
  int through = 0;
  for (int i = 0; i < 400; ++i) {
    const Config c = *random_config(in, random);
    const int sums = sums_in_memory(in.problem, c);
    if (sums == 0) continue;
    ++through;
    EXPECT_LE(std::min(c.blocking.mc, in.m) * in.problem.n * sums * kWordBytes, kMaxSplitBytes) << label(c);
  }
  EXPECT_GT(through, 10);
}

TEST(FusionSpace, ASharedFormatFixesHowTheHalvesLie) {
  SpaceInput in = with_chain(8, {EpilogueOp::swiglu});
  in.format = gemwright::packing{64, 16};
  EXPECT_EQ(drawn(in, pair), std::set{16});
  in.format = gemwright::packing{64, 0};
  EXPECT_EQ(drawn(in, pair), std::set{0});
  for (const NamedConfig& s : seeds(in)) EXPECT_TRUE(s.config.format == *in.format) << s.name;
}

}  // namespace
}  // namespace gemwright::tuner
