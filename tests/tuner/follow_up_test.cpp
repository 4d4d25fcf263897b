// A finished study that goes on in one packing format.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "tests/tuner/scripted_machine.h"

namespace gemwright::tuner {
namespace {

constexpr int kShared = 32;  // columns of a panel

// Panels of the shared format are slower, and those found now slower still.
ScriptedMachine machine_that_knows(const std::set<std::string>& found_before) {
  ScriptedMachine machine;
  machine.penalty = [found_before](std::int64_t, const Config& c) {
    if (c.format.panel != kShared) return 1.0;
    return found_before.empty() || found_before.contains(key(c)) ? 1.5 : 3.0;
  };
  return machine;
}

TEST(FollowUp, ConfirmsTheBestOfItsFormatThatWasFoundBefore) {
  const auto store = make_memory_store();
  ScriptedMachine first = machine_that_knows({});
  StudyRequest request = request_for(64, "120");
  const auto study = run_study(*store, first, request, hooks_of(first));
  ASSERT_TRUE(study) << study.error().message;
  std::set<std::string> found;
  const auto trials = *store->trials(study->record.id);
  for (const Trial& t : trials) found.insert(key(t.config));
  const auto samples = *store->samples(study->record.id);
  const std::int64_t last = samples.back().round;

  ScriptedMachine second = machine_that_knows(found);
  request.follow_up = Budget{{}, 4};
  request.space.modes = {ComputeMode::f32};
  request.space.format = gemwright::packing{kShared, 0};
  const auto again = run_study(*store, second, request, hooks_of(second));
  ASSERT_TRUE(again) << again.error().message;
  std::map<SubjectId, Config> configs;
  const auto subjects = *store->subjects(study->record.id);
  const auto all = *store->trials(study->record.id);
  for (const Subject& s : subjects) {
    const auto own = std::find_if(all.begin(), all.end(), [&](const Trial& t) { return s.trial == t.id; });
    if (own != all.end()) configs[s.id] = own->config;
  }
  std::set<std::string> confirmed;  // of the format
  const auto later = *store->samples(study->record.id);
  for (const Sample& s : later) {
    if (s.phase != Phase::confirm || s.round <= last || !configs.contains(s.subject)) continue;
    if (configs[s.subject].format.panel == kShared) confirmed.insert(key(configs[s.subject]));
  }
  ASSERT_FALSE(confirmed.empty());
  EXPECT_TRUE(std::all_of(confirmed.begin(), confirmed.end(), [&](const auto& k) { return found.contains(k); }));
}

TEST(FollowUp, OfVeryLongCallsBringsFewerBack) {
  const auto admitted = [](double slowness) {
    const auto store = make_memory_store();
    ScriptedMachine first = machine_that_knows({});
    first.slowness = slowness;
    StudyRequest request = request_for(64, "40");
    const auto study = run_study(*store, first, request, hooks_of(first));
    EXPECT_TRUE(study) << study.error().message;
    const auto known = store->trials(study->record.id)->size();

    ScriptedMachine second = machine_that_knows({});
    second.slowness = slowness;
    request.follow_up = Budget{{}, 1};
    request.space.modes = {ComputeMode::f32};
    request.space.format = gemwright::packing{kShared, 0};
    const auto again = run_study(*store, second, request, hooks_of(second));
    EXPECT_TRUE(again) << again.error().message;
    const auto tried = store->trials(study->record.id)->size() - known;
    return static_cast<std::size_t>(second.admissions) - tried;
  };
  EXPECT_EQ(admitted(1), 5U);
  EXPECT_EQ(admitted(0.5e9 / kCallNs), 3U);
}

// However little time it has.
TEST(FollowUp, TriesOneConfigOfItsFormatAtLeast) {
  const auto store = make_memory_store();
  ScriptedMachine machine;
  machine.slowness = 2e9 / kCallNs;  // two seconds a call
  StudyRequest request = request_for(64, "8");
  request.space.format = gemwright::packing{16, 0};
  const auto study = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_TRUE(study) << study.error().message;

  request.follow_up = Budget{2.5, {}};
  request.space.modes = {ComputeMode::f32};
  request.space.format = gemwright::packing{kShared, 0};
  const auto again = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_TRUE(again) << again.error().message;
  const auto trials = *store->trials(study->record.id);
  const auto shared = [](const Trial& t) { return t.config.format.panel == kShared && t.state == TrialState::ok; };
  EXPECT_TRUE(std::any_of(trials.begin(), trials.end(), shared));
}

}  // namespace
}  // namespace gemwright::tuner
