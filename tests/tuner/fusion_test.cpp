// A study says what fusing its chain gained.
#include <gtest/gtest.h>

#include <map>

#include "tests/tuner/scripted_machine.h"

namespace gemwright::tuner {
namespace {

StudyRequest with_chain() {
  StudyRequest r = request_for(8, "40");
  r.key.problem.chain = {EpilogueOp::bias, EpilogueOp::silu};
  r.key.problem.k = 512;  // too short for slices of K, which leave the chain no choice
  r.space.problem = r.key.problem;
  return r;
}

// By subject and name.
std::map<std::string, double> fusion_counters(const Store& store, const StudyRecord& study) {
  std::map<std::string, double> found;
  const auto counters = store.counters(study.id);
  for (const SubjectCounter& c : *counters) {
    if (c.counter.provider != kFusionProvider || c.counter.name.find("fusion.") != 0) continue;
    EXPECT_TRUE(found.emplace(c.counter.name, c.counter.value.value_or(0)).second) << "of one subject alone";
  }
  return found;
}

TEST(StudyFusion, TheWinnerIsTimedBesideItsProductAndTwoPasses) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, with_chain(), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto times = fusion_counters(*store, result->record);
  ASSERT_EQ(times.size(), 3U);
  // The scripted machine needs half of a call for the product, and 1.3 times as long outside registers.
  EXPECT_NEAR(times.at(kFusionSeparate) / times.at(kFusionWhole), 1.3, 0.05);
  EXPECT_NEAR(times.at(kFusionProduct) / times.at(kFusionWhole), 0.65, 0.05);
}

TEST(StudyFusion, NothingIsSaidWithoutAChainOrWhereABareProductCannotRun) {
  ScriptedMachine machine;
  const auto store = make_memory_store();
  const auto plain = run_study(*store, machine, request_for(8, "40"), hooks_of(machine));
  ASSERT_TRUE(plain);
  EXPECT_TRUE(fusion_counters(*store, plain->record).empty());
  machine.cannot_run_bare = true;
  const auto chained = run_study(*store, machine, with_chain(), hooks_of(machine));
  ASSERT_TRUE(chained) << chained.error().message;
  EXPECT_TRUE(fusion_counters(*store, chained->record).empty());
  EXPECT_TRUE(chained->record.outcome.best_trial);
}

}  // namespace
}  // namespace gemwright::tuner
