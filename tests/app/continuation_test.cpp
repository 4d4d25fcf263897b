#include "app/model/continuation.h"

#include <gtest/gtest.h>

#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

Workplace place() {
  Workplace w;
  w.cpu = profilers::probe_cpu();
  w.build = {"build", "0.1", "g++", "g++ 12", "-O2", "source"};
  return w;
}

// As this machine and that build would have begun it, from a preset.
tuner::StudyRecord record() {
  tuner::StudyRecord r;
  r.id = 3;
  r.key = scripted_key();
  r.key.device = device_of(profilers::probe_cpu(), 1);
  r.key.build = place().build;
  r.key.space_version = tuner::kSpaceVersion;
  r.key.cache = tuner::CacheState::rotate;
  r.key.cache_bytes = 123456;  // of all weights of the preset
  r.attributes.name = "qkv";
  r.attributes.suite = "preset";
  r.attributes.weight = 7;
  r.attributes.strategy = "local";
  r.attributes.protocol = "quick";
  r.attributes.budget.seconds = 12;
  return r;
}

TEST(Continuation, AsksForTheSameStudyWithItsAttributes) {
  const auto planned = continuation(record(), place());
  ASSERT_TRUE(planned) << planned.error().message;
  const tuner::StudyRequest& r = planned->request;
  EXPECT_EQ(tuner::key(r.key), tuner::key(record().key));
  EXPECT_EQ(r.attributes.name, "qkv");
  EXPECT_EQ(r.attributes.budget.seconds, 12);
  EXPECT_EQ(r.space.cache_bytes, 123456);
  EXPECT_EQ(r.space.m, 8);
  EXPECT_EQ(r.protocol.name, "quick");
  EXPECT_FALSE(r.fresh);
}

TEST(Continuation, RefusesAnEarlierGenerationOfAKeyThatWasBegunAnew) {
  auto first = record(), other = record(), second = record();
  other.id = 4;
  other.key.m = 99;
  second.id = 5;
  second.generation = 1;
  const std::vector<tuner::StudyRecord> all{first, other, second};
  for (const tuner::StudyId id : {4, 5}) {
    const auto chosen = study_to_continue(all, id);
    ASSERT_TRUE(chosen) << chosen.error().message;
    EXPECT_EQ(chosen->id, id);
  }
  EXPECT_EQ(study_to_continue(all, 3).error().message, "study 3 was begun anew as study 5: only that one can go on");
  EXPECT_FALSE(study_to_continue(all, 6));
}

TEST(Continuation, RefusesAnotherMachineAndAnotherBuild) {
  auto moved = record();
  moved.key.device.fingerprint = "another";
  EXPECT_NE(continuation(moved, place()).error().message.find("another machine"), std::string::npos);
  auto rebuilt = record();
  rebuilt.key.build.digest = "another";
  EXPECT_NE(continuation(rebuilt, place()).error().message.find("another build"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::app
