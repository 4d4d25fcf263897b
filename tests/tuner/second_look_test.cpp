// Candidates that were screened while the machine was slow.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/tuner/scripted_machine.h"

namespace gemwright::tuner {
namespace {

constexpr auto kFirst = "8", kAll = "24";  // trials: of one batch, and of three
constexpr std::int64_t kSlowTrials = 9;    // until the second batch is there

struct Looked {
  TrialState state = TrialState::running;
  std::set<std::int64_t> rounds;  // that the config was screened in
  bool confirmed = false;
  std::string winner;
};

// A study whose machine is slow, and config `slowed` slower still, until `calm_from` trials were made.
Looked study_on(const std::string& slowed, std::int64_t calm_from, double slowness, const std::string& trials_to_try) {
  ScriptedMachine machine;
  bool slow = calm_from > 0;
  machine.slowness = slow ? slowness : 1;
  machine.penalty = [&](std::int64_t, const Config& c) { return slow && key(c) == slowed ? 2.5 : 1.0; };
  const auto store = make_memory_store();
  EngineHooks hooks = hooks_of(machine);
  hooks.progress = [&](const StudyProgress& p) {
    slow = slow && p.trials < calm_from;
    machine.slowness = slow ? slowness : 1;
  };
  const auto result = run_study(*store, machine, request_for(64, trials_to_try), hooks);
  EXPECT_TRUE(result) << result.error().message;
  Looked out;
  const auto trials = *store->trials(result->record.id);
  const auto subjects = *store->subjects(result->record.id);
  const auto samples = *store->samples(result->record.id);
  for (const Trial& t : trials) {
    if (t.id == result->record.outcome.best_trial) out.winner = key(t.config);
    if (key(t.config) != slowed) continue;
    out.state = t.state;
    const auto own = std::find_if(subjects.begin(), subjects.end(), [&](const Subject& s) { return s.trial == t.id; });
    for (const Sample& s : samples) {
      if (own == subjects.end() || s.subject != own->id) continue;
      if (s.phase == Phase::screen) out.rounds.insert(s.round);
      out.confirmed = out.confirmed || s.phase == Phase::confirm;
    }
  }
  EXPECT_LE(machine.open_handles(), static_cast<std::size_t>(measure_protocol("normal")->contenders));
  return out;
}

TEST(SecondLook, WhoWasSlowOnlyWhileTheMachineWasIsScreenedAgainAndMayBeConfirmed) {
  const std::string best = study_on("", 0, 1, kFirst).winner;
  const Looked looked = study_on(best, kSlowTrials, 3, kAll);
  EXPECT_EQ(looked.state, TrialState::ok);
  EXPECT_GE(looked.rounds.size(), 3U);
  EXPECT_TRUE(looked.confirmed);
}

TEST(SecondLook, OfAFollowUpOnlyWhatHasItsFormat) {
  ScriptedMachine machine;
  machine.slowness = 3;
  const auto store = make_memory_store();
  StudyRequest request = request_for(64, "24");
  ASSERT_TRUE(run_study(*store, machine, request, hooks_of(machine)));
  const auto before = store->trials(1)->size();

  ScriptedMachine calm;
  request.follow_up = Budget{{}, 4};
  request.space.modes = {ComputeMode::f32};
  request.space.format = gemwright::packing{32, 0};
  const auto study = run_study(*store, calm, request, hooks_of(calm));
  ASSERT_TRUE(study) << study.error().message;
  const auto trials = *store->trials(study->record.id);
  const auto others = std::count_if(trials.begin(), trials.begin() + static_cast<std::ptrdiff_t>(before),
                                    [](const Trial& t) { return t.config.format.panel != 32; });
  ASSERT_GT(others, 4);
  // Two of other formats come back, to be compared with; the rest is new or has the format.
  EXPECT_LE(calm.admissions, static_cast<int>(trials.size() - static_cast<std::size_t>(others)) + 2);
}

TEST(SecondLook, OnASteadyMachineNobodyGetsOne) {
  const std::string best = study_on("", 0, 1, kFirst).winner;
  const Looked looked = study_on(best, kSlowTrials, 1.1, kAll);  // within what calm rounds differ by
  EXPECT_EQ(looked.state, TrialState::pruned);
  EXPECT_FALSE(looked.confirmed);
}

}  // namespace
}  // namespace gemwright::tuner
