#include "app/model/stale.h"

#include "app/model/export_plan.h"
#include "tests/app/exportable_key.h"

namespace gemwright::app {
namespace {

// A confirmed study of today, as a preset began it.
tuner::StudyRecord record(std::int64_t m) {
  tuner::StudyRecord r;
  r.id = m;
  r.key = exportable_key();
  r.key.m = m;
  r.attributes.suite = "model";
  r.attributes.strategy = "local";
  r.attributes.protocol = "normal";
  r.attributes.budget.seconds = 5;
  r.outcome.best_trial = 1;
  return r;
}

Today today() {
  Today t;
  t.fingerprint = record(1).key.device.fingerprint;
  t.builds["g++"] = record(1).key.build.digest;
  t.presets = {"model"};
  return t;
}

TEST(Stale, WhatHasChangedSinceAStudyIsTold) {
  EXPECT_FALSE(change_since(record(1), today()));
  EXPECT_FALSE(cannot_ship(record(1)));
  auto kernels = record(1), space = record(1), machine = record(1), compiler = record(1);
  kernels.key.build.source_digest = "older";
  kernels.key.build.digest = "older";
  space.key.space_version = 0;
  machine.key.device.fingerprint = "another";
  compiler.key.build.digest = "older";
  EXPECT_EQ(change_since(kernels, today()), "with other kernels");
  EXPECT_EQ(change_since(space, today()), "over another search space");
  EXPECT_EQ(change_since(machine, today()), "on another machine");
  EXPECT_EQ(change_since(compiler, today()), "with another compiler");
  EXPECT_TRUE(cannot_ship(kernels));
  EXPECT_TRUE(cannot_ship(space));
  EXPECT_FALSE(cannot_ship(machine));
  EXPECT_FALSE(cannot_ship(compiler));
  // A compiler that is not here says nothing.
  Today without = today();
  without.builds.clear();
  EXPECT_FALSE(change_since(compiler, without));
}

TEST(Stale, OneCommandTunesTheStudiesOfAPresetAgain) {
  EXPECT_EQ(tune_again_commands({record(8), record(1), record(32)}, today(), "my.db"),
            std::vector<std::string>{
                "gemwright tune --preset model --m 1,8,32 --threads 1 --budget 5s --cache hot --db my.db"});
}

TEST(Stale, WhatCameFromNoPresetIsNamedByItsSizes) {
  auto one = record(1), eight = record(8), call = record(8);
  for (tuner::StudyRecord* r : {&one, &eight, &call}) r->attributes.suite = "command line";
  one.attributes.budget = eight.attributes.budget = {};
  call.key.problem.constant_weights = false;
  call.key.modes = {tuner::ComputeMode::f32, tuner::ComputeMode::bf16};
  call.key.max_error = 0.02;
  EXPECT_EQ(tune_again_commands({one, eight, call}, today(), ""),
            (std::vector<std::string>{"gemwright tune --gemm 1x64x64 --gemm 8x64x64 --threads 1 --cache hot",
                                      "gemwright tune --gemm 8x64x64 --weights call --precision auto --max-error 0.02 "
                                      "--threads 1 --budget 5s --cache hot"}));
}

TEST(Stale, TheCommandComesBeforeTheStudies) {
  auto old = record(1), other = record(8);
  old.key.build.source_digest = "older";
  other.key.build.source_digest = "older";
  EXPECT_EQ(tune_again_text({old, other, record(32)}, today(), ""),
            "tune again with 'gemwright tune --preset model --m 1,8 --threads 1 --budget 5s --cache hot': "
            "studies 1, 8 were tuned with other kernels");
  EXPECT_EQ(tune_again_text({record(32)}, today(), ""), "");
}

// What the export of a store says.
std::string refused(const tuner::Store& store) {
  const auto plan = plan_header(store, {}, "some.db");
  return plan ? "" : plan.error().message;
}

TEST(Stale, AnExportOfNothingElseSaysOnlyHowToTuneAgain) {
  auto key = exportable_key();
  key.space_version = 1;
  const ScriptedStudy s = scripted_study(tuner::StudyState::finished, {}, tuner::make_memory_store(), key);
  const std::string said = refused(*s.store);
  EXPECT_EQ(said.find("tune again with 'gemwright tune --gemm 8x64x64 "), 0u) << said;
  EXPECT_NE(said.find("--db some.db': study 1 was tuned over another search space"), std::string::npos) << said;
  EXPECT_EQ(said.find("left out"), std::string::npos) << said;
}

TEST(Stale, AnExportSaysHowToTuneAgainBeforeItRefusesForAnotherReason) {
  auto other = exportable_key();
  other.device.fingerprint = "another machine";
  ScriptedStudy s = scripted_study(tuner::StudyState::finished, {}, tuner::make_memory_store(), exportable_key());
  s = scripted_study(tuner::StudyState::finished, {}, std::move(s.store), other);
  const std::string said = refused(*s.store);
  const auto devices = said.find("several devices match");
  EXPECT_EQ(said.find("tune again with '"), 0u) << said;
  EXPECT_NE(devices, std::string::npos) << said;
  EXPECT_LT(said.find("on another machine"), devices) << said;
}

TEST(Stale, AnExportThatLeavesStudiesOutNotesFirstHowToTuneThemAgain) {
  auto old = exportable_key();
  old.m = 1;
  old.build.source_digest = "older";
  ScriptedStudy s = scripted_study(tuner::StudyState::finished, {}, tuner::make_memory_store(), exportable_key());
  s = scripted_study(tuner::StudyState::finished, {}, std::move(s.store), old);
  const auto plan = plan_header(*s.store, {}, "");
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_GT(plan->notes.size(), 1u);
  EXPECT_EQ(plan->notes[0].find("tune again with 'gemwright tune --gemm 1x64x64 "), 0u) << plan->notes[0];
  EXPECT_NE(plan->notes[1].find("left out"), std::string::npos) << plan->notes[1];
}

}  // namespace
}  // namespace gemwright::app
