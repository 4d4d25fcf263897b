// The studies of one problem share a packing format: which of them are followed up.
#include "app/model/tuning.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <vector>

#include "tests/tuner/scripted_machine.h"

namespace gemwright::app {
namespace {

using tuner::Config;
using tuner::ScriptedMachine;

constexpr double kHalfASecond = 0.5e9 / tuner::kCallNs;

PlannedStudy planned(std::int64_t m) {
  PlannedStudy s;
  s.request = tuner::request_for(m, "40");
  s.request.attributes.budget = {};
  return s;
}

using Begin = std::function<void(const PlannedStudy&, std::size_t, std::size_t)>;

// Two studies, each of which is faster by `regret` with panels of its own: 16 columns at M = 8, 32 at M = 64. Nothing
// else of a config counts.
void run_two(double slowness, double regret, const Begin& begin) {
  ScriptedMachine machine;
  machine.slowness = slowness;
  machine.penalty = [regret](std::int64_t m, const Config& c) {
    const double alike = tuner::kCallNs / ScriptedMachine::true_ns(c);
    return c.format.panel == (m == 8 ? 16 : 32) ? alike : alike * (1 + regret);
  };
  const auto store = tuner::make_memory_store();
  std::vector<PlannedStudy> studies = {planned(8), planned(64)};
  TuningHooks hooks;
  hooks.now = [&] { return machine.clock; };
  hooks.sleep = [&](double seconds) { machine.clock += seconds; };
  hooks.begin = begin;
  const auto done = run_studies(*store, machine, studies, hooks);
  EXPECT_TRUE(done) << done.error().message;
}

// How many runs they take, follow-ups among them.
int runs(double slowness, double regret) {
  int begun = 0;
  run_two(slowness, regret, [&](const PlannedStudy&, std::size_t, std::size_t) { ++begun; });
  return begun;
}

TEST(Tuning, AStudyThatLosesByTheSharedFormatIsFollowedUp) {
  EXPECT_EQ(runs(1, 0.2), 3);
  EXPECT_EQ(runs(1, 0.04), 3);
}

TEST(Tuning, OfVeryLongCallsOnlyWhereItLosesMoreThanTheirFinalTells) {
  EXPECT_EQ(runs(kHalfASecond, 0.2), 3);
  EXPECT_EQ(runs(kHalfASecond, 0.08), 2);
}

TEST(Tuning, AFollowUpBeginsWithWhatServesItsNeighbour) {
  std::vector<Config> first;  // of the follow-up
  int begun = 0;
  run_two(1, 1, [&](const PlannedStudy& s, std::size_t, std::size_t) {
    if (++begun == 3) first = s.request.known_good;
  });
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].format.panel, 16);
}

TEST(Tuning, ALaterStudyIsToldTheFormatOfThoseBefore) {
  std::vector<std::optional<tuner::PackingFormat>> likely;
  run_two(1, 1, [&](const PlannedStudy& s, std::size_t, std::size_t) { likely.push_back(s.request.likely_format); });
  ASSERT_EQ(likely.size(), 3U);
  EXPECT_FALSE(likely[0]);
  EXPECT_EQ(likely[1], (tuner::PackingFormat{tuner::ComputeMode::f32, 16, 0}));
  EXPECT_FALSE(likely[2]);  // a follow-up has that format alone
}

}  // namespace
}  // namespace gemwright::app
