// What a study makes of compilations that take long.
#include <gtest/gtest.h>

#include <set>

#include "scripted_machine.h"
#include "tuner/study/budget.h"

namespace gemwright::tuner {
namespace {

constexpr double kCompile = 0.8, kEnd = 10 * kSearchShare;  // of the search

TEST(Compilations, ThatWouldEndBehindTheSearchAreNotBegun) {
  ScriptedMachine machine;
  machine.compile_s = kCompile;
  const auto store = make_memory_store();
  const auto result = run_study(*store, machine, request_for(64, "10s"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  int late = 0, blocks = 0;
  double batch = 0;  // when it began: its libraries are compiled side by side
  for (const auto& a : machine.admitted) {
    if (a.blocks != blocks) batch = a.begun;
    blocks = a.blocks;
    if (a.begun > kEnd - kCompile && a.begun < kEnd) ++late;
    // The seeds, before the first block but the one that sizes the others, are worth waiting for.
    if (a.compiled && a.blocks > 1) {
      EXPECT_LE(batch, kEnd - kCompile);
    }
  }
  EXPECT_GT(late, 0) << "the search goes on with what is compiled";
}

TEST(Compilations, ThatComeTooLateDoNotEndTheSearch) {
  ScriptedMachine machine;
  machine.compile_s = 4;  // one leaves no time for another
  const auto store = make_memory_store();
  StudyRequest request = request_for(64, "10s");
  request.protocol.batch = 1;
  ASSERT_TRUE(run_study(*store, machine, request, hooks_of(machine)));
  EXPECT_GT(machine.admitted.size(), 10U) << "what needs no compilation is tried until the time is over";
  for (std::size_t i = 1; i < machine.admitted.size(); ++i) EXPECT_FALSE(machine.admitted[i].compiled) << i;
}

TEST(Compilations, AreWaitedForAfterWhatIsCompiledAlready) {
  ScriptedMachine machine;
  machine.compile_s = kCompile;
  const auto store = make_memory_store();
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "20s"), hooks_of(machine)));
  std::set<TileGroup> before, now;
  int blocks = 0, mixed = 0;
  bool waited = false;
  for (const auto& a : machine.admitted) {
    if (a.blocks != blocks) {  // another batch
      before.insert(now.begin(), now.end());
      blocks = a.blocks;
      waited = false;
    }
    if (waited) {
      EXPECT_EQ(before.count(a.group), 0u);
    }
    if (a.compiled && !before.empty()) ++mixed;
    waited = waited || a.compiled;
    now.insert(a.group);
  }
  EXPECT_GT(mixed, 0);
}

}  // namespace
}  // namespace gemwright::tuner
