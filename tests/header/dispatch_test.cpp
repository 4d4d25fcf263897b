#include "tuner/header/dispatch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/header/samples.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;

// N and K are larger than every block here, so that each config is a program of its own. Configs are told apart by kc;
// mc is one tile, whatever M is.
const Problem kProblem = samples::problem(512, 4096);
Config config(std::int64_t kc, int panel = 32) {
  Config c = samples::config(isa::avx512f, 1, 2, panel, samples::blocking(1, 512, kc));
  c.blocking.mc = 1;
  return c;
}

TrialId next_trial = 0;
Candidate candidate(const Config& c, double ns, bool confirmed = true) { return {++next_trial, c, ns, confirmed}; }
Cell cell(std::int64_t m, int threads, std::vector<Candidate> candidates, double weight = 1) {
  return {m, threads, weight, 0, std::move(candidates)};
}

TEST(Dispatch, OneConfigThatIsGoodEnoughEverywhereServesAll) {
  // 256 is best at M = 1, 512 at M = 2; 1024 is within 2 % of both.
  const std::vector<Cell> cells = {
      cell(1, 1, {candidate(config(256), 100), candidate(config(512), 120), candidate(config(1024), 101)}),
      cell(2, 1, {candidate(config(256), 240), candidate(config(512), 200), candidate(config(1024), 203)})};
  const Dispatch d = choose_dispatch(kProblem, cells, 0.02).value();
  ASSERT_EQ(d.configs.size(), 1u);
  EXPECT_EQ(d.configs[0].blocking.kc, 1024);
  ASSERT_EQ(d.groups.size(), 1u);
  ASSERT_EQ(d.groups[0].ranges.size(), 1u);
  EXPECT_EQ(d.groups[0].ranges[0].max_m, 2);
  EXPECT_NEAR(d.cells[0].regret.value(), 0.01, 1e-12);
  EXPECT_NEAR(d.cells[1].regret.value(), 0.015, 1e-12);
}

TEST(Dispatch, ATighterBoundKeepsTheBestOfEach) {
  const std::vector<Cell> cells = {cell(1, 1, {candidate(config(256), 100), candidate(config(1024), 101)}),
                                   cell(2, 1, {candidate(config(512), 200), candidate(config(1024), 203)})};
  const Dispatch d = choose_dispatch(kProblem, cells, 0.0).value();
  ASSERT_EQ(d.groups[0].ranges.size(), 2u);
  EXPECT_EQ(d.configs[d.groups[0].ranges[0].config].blocking.kc, 256);
  EXPECT_EQ(d.groups[0].ranges[0].max_m, 1);
  EXPECT_EQ(d.configs[d.groups[0].ranges[1].config].blocking.kc, 512);
  EXPECT_EQ(d.cells[0].regret, 0.0);
}

TEST(Dispatch, NeighboursThatShareNoMeasuredConfigAreNotMerged) {
  const std::vector<Cell> cells = {cell(1, 1, {candidate(config(256), 100)}),
                                   cell(2, 1, {candidate(config(512), 200)})};
  const Dispatch d = choose_dispatch(kProblem, cells, 10.0).value();
  EXPECT_EQ(d.groups[0].ranges.size(), 2u);
}

TEST(Dispatch, WholeMAtTwoMIsOneConfig) {
  // Each study writes "all rows" as its own M: both are one program, and the larger one serves both.
  const auto whole = [](std::int64_t m) {
    return samples::config(isa::avx512f, 8, 2, 32, samples::blocking(m, 512, 256));
  };
  const std::vector<Cell> cells = {cell(8, 1, {candidate(whole(8), 100)}), cell(16, 1, {candidate(whole(16), 200)})};
  const Dispatch d = choose_dispatch(kProblem, cells, 0.02).value();
  ASSERT_EQ(d.configs.size(), 1u);
  EXPECT_EQ(d.configs[0].blocking.mc, 16);
  EXPECT_EQ(d.cells[0].trial, cells[0].candidates[0].trial);
}

TEST(Dispatch, TheFormatWithTheLeastWeightedRegretServesAll) {
  // Panel 64 loses 10 % at M = 1, panel 32 loses 30 % at M = 2.
  const auto cells = [](double weight) {
    return std::vector<Cell>{cell(1, 1, {candidate(config(256, 32), 100), candidate(config(256, 64), 110)}, weight),
                             cell(2, 1, {candidate(config(256, 32), 260), candidate(config(256, 64), 200)}, 1)};
  };
  EXPECT_EQ(choose_dispatch(kProblem, cells(1), 0.02)->format.panel, 64);
  EXPECT_EQ(choose_dispatch(kProblem, cells(10), 0.02)->format.panel, 32);
  // What the format costs is told, and no more than that is lost.
  EXPECT_NEAR(choose_dispatch(kProblem, cells(1), 0.02)->cells[0].regret.value(), 0.1, 1e-12);
}

TEST(Dispatch, AFormatThatWasMeasuredEverywhereBeatsAFasterOneThatWasNot) {
  const std::vector<Cell> cells = {cell(1, 1, {candidate(config(256, 32), 100), candidate(config(256, 64), 150)}),
                                   cell(2, 1, {candidate(config(256, 64), 200)})};
  EXPECT_EQ(choose_dispatch(kProblem, cells, 0.02)->format.panel, 64);
}

TEST(Dispatch, WithoutACommonFormatTheHeavierCellsDecideAndTheOthersAreUnknown) {
  const std::vector<Cell> cells = {cell(1, 1, {candidate(config(256, 32), 100)}, 3),
                                   cell(2, 1, {candidate(config(256, 64), 200)}, 1),
                                   cell(4, 1, {candidate(config(512, 32), 300)}, 1)};
  const Dispatch d = choose_dispatch(kProblem, cells, 0.02).value();
  EXPECT_EQ(d.format.panel, 32);
  ASSERT_EQ(d.groups[0].ranges.size(), 2u);
  // M = 2 runs as the next larger M that this format has.
  EXPECT_EQ(d.configs[d.cells[1].config].blocking.kc, 512);
  EXPECT_FALSE(d.cells[1].regret.has_value());
  EXPECT_FALSE(d.cells[1].trial.has_value());
}

TEST(Dispatch, AConfirmedConfigShipsBeforeOneThatNoiseCannotTellFromIt) {
  std::vector<Cell> cells = {cell(1, 1, {candidate(config(256), 90, false), candidate(config(512), 100)})};
  cells[0].noise_floor = 0.01;
  const Dispatch d = choose_dispatch(kProblem, cells, 0.02).value();
  EXPECT_EQ(d.configs.at(0).blocking.kc, 512);
  EXPECT_TRUE(d.cells[0].confirmed);
}

TEST(Dispatch, AnUnconfirmedLeadIsNoLead) {
  const std::vector<Cell> cells = {cell(
      1, 1, {candidate(config(256), 100), candidate(config(512), 90, false), candidate(config(1024), 101, false)})};
  const Dispatch d = choose_dispatch(kProblem, cells, 0.02).value();
  EXPECT_EQ(d.cells[0].regret, 0.0);
}

TEST(Dispatch, ThreadCountsShareConfigsWhereTheBoundAllows) {
  // At two threads 512 is best by 1 %; 256, which one thread needs, will do.
  const std::vector<Cell> cells = {cell(1, 1, {candidate(config(256), 100), candidate(config(512), 130)}),
                                   cell(1, 2, {candidate(config(256), 101), candidate(config(512), 100)})};
  const Dispatch loose = choose_dispatch(kProblem, cells, 0.02).value();
  EXPECT_EQ(loose.configs.size(), 1u);
  EXPECT_EQ(loose.groups.size(), 1u);  // one table serves both
  EXPECT_NEAR(loose.cells[1].regret.value(), 0.01, 1e-12);
  const Dispatch tight = choose_dispatch(kProblem, cells, 0.001).value();
  EXPECT_EQ(tight.configs.size(), 2u);
  EXPECT_EQ(tight.groups.size(), 2u);
}

TEST(Dispatch, CellsMayComeInAnyOrder) {
  const std::vector<Cell> cells = {cell(4, 2, {candidate(config(512), 1)}), cell(1, 1, {candidate(config(256), 1)}),
                                   cell(2, 2, {candidate(config(1024), 1)})};
  const Dispatch d = choose_dispatch(kProblem, cells, 0.02).value();
  ASSERT_EQ(d.groups.size(), 2u);
  EXPECT_EQ(d.groups[0].threads, 1);
  EXPECT_EQ(d.groups[1].ranges[0].max_m, 2);
  EXPECT_EQ(d.groups[1].ranges[1].max_m, 4);
  EXPECT_EQ(d.configs[d.cells[0].config].blocking.kc, 512);
}

Config dot_config(ComputeMode mode, std::int64_t kc) {
  Config c = config(kc);
  c.mode = mode;
  c.tile.family = mode == ComputeMode::u8s8 ? isa::avx512_vnni : isa::avx512_bf16;
  c.blocking.order = gemwright::loop_order::mnk;
  c.blocking.pack_a = gemwright::a_packing::job;
  return c;
}

TEST(Dispatch, ChoosesTheModeWithThePanel) {
  // bf16 is faster at M = 1 and slower at M = 8: one mode serves both.
  const auto cells = [](double weight) {
    return std::vector<Cell>{
        cell(1, 1, {candidate(config(256), 200), candidate(dot_config(ComputeMode::bf16, 256), 100)}, weight),
        cell(8, 1, {candidate(config(256), 800), candidate(dot_config(ComputeMode::bf16, 256), 1000)}, 1)};
  };
  const Dispatch light = choose_dispatch(kProblem, cells(0.2), 0.02).value();
  EXPECT_EQ(light.mode, ComputeMode::f32);
  const Dispatch heavy = choose_dispatch(kProblem, cells(1), 0.02).value();
  EXPECT_EQ(heavy.mode, ComputeMode::bf16);
  for (const Config& c : heavy.configs) EXPECT_EQ(c.mode, ComputeMode::bf16);
  EXPECT_NEAR(heavy.cells[1].regret.value(), 0.25, 1e-12);
}

TEST(Dispatch, OfEquallyFastModesTakesTheMostExact) {
  const std::vector<Cell> cells = {cell(
      1, 1, {candidate(dot_config(ComputeMode::u8s8, 256), 100), candidate(dot_config(ComputeMode::bf16, 256), 100)})};
  EXPECT_EQ(choose_dispatch(kProblem, cells, 0.02)->mode, ComputeMode::bf16);
}

TEST(Dispatch, AModeThatOneStudyDidNotAdmitServesNone) {
  std::vector<Cell> cells = {
      cell(1, 1, {candidate(config(256), 200), candidate(dot_config(ComputeMode::u8s8, 256), 100)}, 100),
      cell(8, 1, {candidate(config(256), 800)}, 1)};
  cells[1].modes = {ComputeMode::f32};
  EXPECT_EQ(choose_dispatch(kProblem, cells, 0.02)->mode, ComputeMode::f32);
  // Nor where that leaves a cell without any.
  cells[0].candidates.erase(cells[0].candidates.begin());
  const auto d = choose_dispatch(kProblem, cells, 0.02);
  ASSERT_TRUE(d);
  EXPECT_EQ(d->mode, ComputeMode::f32);
  EXPECT_FALSE(d->cells[0].trial.has_value());
  cells[0].modes = {ComputeMode::u8s8};
  const auto none = choose_dispatch(kProblem, cells, 0.02);
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("--filter"), std::string::npos) << none.error().message;
}

TEST(Dispatch, RefusesWhatHasNoMeaning) {
  EXPECT_FALSE(choose_dispatch(kProblem, {}, 0.02));
  EXPECT_FALSE(choose_dispatch(kProblem, {cell(1, 1, {})}, 0.02));
  const Candidate c = candidate(config(256), 1);
  EXPECT_FALSE(choose_dispatch(kProblem, {cell(1, 1, {c}), cell(1, 1, {c})}, 0.02));
  EXPECT_FALSE(choose_dispatch(kProblem, {cell(1, 1, {c})}, -1));
  EXPECT_FALSE(choose_dispatch(kProblem, {cell(1, 1, {c})}, std::nan("")));
  for (const double ns : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(choose_dispatch(kProblem, {cell(1, 1, {candidate(config(256), ns)})}, 0.02));
  }
}

}  // namespace
}  // namespace gemwright::tuner
