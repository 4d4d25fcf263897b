#include "app/model/steer.h"

#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

using tuner::EventKind;
using tuner::StudyState;

// The refusal or, where there is none, what will happen.
std::string steer(const ScriptedStudy& s, const std::string& action, const std::string& argument = "") {
  const auto request = parse_steer(std::to_string(s.record.id), action, argument);
  if (!request) return request.error().message;
  const auto plan = plan_steer(*s.store, *request);
  return plan ? plan->sentence : plan.error().message;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Steer, RefusesWordsWithoutMeaning) {
  const struct {
    const char *study, *action, *argument, *text;
  } table[] = {{"x", "pause", "", "name a study by its number"},
               {"0", "pause", "", "name a study by its number"},
               {"1", "dance", "", "choose pause, resume"},
               {"1", "pause", "now", "takes no argument"},
               {"1", "again", "", "name a trial"},
               {"1", "pin", "wings=2", "PARAMETER=VALUE"},
               {"1", "extend", "soon", "budget"}};
  for (const auto& row : table) {
    const auto r = parse_steer(row.study, row.action, row.argument);
    ASSERT_FALSE(r) << row.action;
    EXPECT_EQ(r.error().kind, tuner::ErrorKind::usage) << row.action;
    EXPECT_TRUE(contains(r.error().message, row.text)) << r.error().message;
  }
}

TEST(Steer, AFinishedStudyCannotBePausedOrStopped) {
  const auto s = scripted_study();
  EXPECT_TRUE(contains(steer(s, "pause"), "is not running (its state is finished)"));
  EXPECT_TRUE(contains(steer(s, "stop"), "nothing to stop"));
  EXPECT_TRUE(contains(steer(s, "extend", "5s"), "gets 5s more; this takes effect when the study runs next"));
  EXPECT_TRUE(contains(steer(s, "pin", "mr=4"), "after 'gemwright steer 1 extend'"));
}

TEST(Steer, AStudyThatIsBeingStartedIsPausedAndStoppedLikeOneThatRuns) {
  const auto s = scripted_study();
  for (const EventKind kind : {EventKind::pause, EventKind::stop}) {
    const auto plan = plan_steer(*s.store, {s.record.id, kind, ""}, true);
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_TRUE(plan->write);
    EXPECT_TRUE(contains(plan->sentence, "; this takes effect as soon as it has started")) << plan->sentence;
  }
}

TEST(Steer, ARunningStudyIsSteeredBetweenBlocks) {
  const auto s = scripted_study(StudyState::running);  // by this process
  EXPECT_TRUE(contains(steer(s, "pause"), "pauses until 'gemwright steer 1 resume'; this takes effect between"));
  EXPECT_TRUE(contains(steer(s, "stop"), "ends its search"));
  EXPECT_TRUE(contains(steer(s, "resume"), "is not paused"));
  ASSERT_TRUE(s.store->add_event(s.record.id, EventKind::pause, ""));
  EXPECT_TRUE(contains(steer(s, "pause"), "is paused already"));
  EXPECT_TRUE(contains(steer(s, "resume"), "goes on"));
}

TEST(Steer, AskingForTheStateItIsInWritesNothing) {
  const auto s = scripted_study(StudyState::interrupted);
  const auto plan = plan_steer(*s.store, {s.record.id, EventKind::resume, ""});
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->write);
}

TEST(Steer, AVetoOfWhatIsPinnedTakesThePinBackAndSaysSo) {
  const auto s = scripted_study(StudyState::running);
  EXPECT_TRUE(contains(steer(s, "veto", "mr=8"), "tries no configs with mr=8"));
  ASSERT_TRUE(s.store->add_event(s.record.id, EventKind::pin, "mr=8"));
  ASSERT_TRUE(s.store->add_event(s.record.id, EventKind::veto, "nv=4"));
  EXPECT_EQ(restrictions_text(*s.store->events(s.record.id)), "mr=8 only, not nv=4");
  EXPECT_TRUE(contains(steer(s, "veto", "mr=8"), "is free of the pin mr=8 again: veto it once more"));
  EXPECT_TRUE(contains(steer(s, "veto", "mr=4"), "tries no configs with mr=4"));
  ASSERT_TRUE(s.store->add_event(s.record.id, EventKind::veto, "mr=8"));
  EXPECT_EQ(restrictions_text(*s.store->events(s.record.id)), "not nv=4");
  EXPECT_TRUE(contains(steer(s, "veto", "mr=8"), "tries no configs with mr=8"));
}

TEST(Steer, TheTrialHasToBeOneOfTheStudy) {
  const auto s = scripted_study();
  EXPECT_TRUE(contains(steer(s, "again", "99"), "study 1 has no trial 99"));
  EXPECT_TRUE(contains(steer(s, "again", std::to_string(s.winner.id)), "is timed once more"));
}

TEST(Steer, AnExtensionIsOfTheKindOfTheBudget) {
  EXPECT_TRUE(contains(steer(scripted_study(), "extend", "100"), "is a time: extend it by a time"));
  const auto by_trials = scripted_study(StudyState::finished, tuner::Budget{{}, 50});
  EXPECT_TRUE(contains(steer(by_trials, "extend", "5s"), "is a number of configs"));
  EXPECT_TRUE(contains(steer(by_trials, "extend", "100"), "gets 100 configs more"));
}

TEST(Steer, AnUnknownStudyIsSaid) {
  const auto s = scripted_study();
  const auto plan = plan_steer(*s.store, {9, EventKind::stop, ""});
  ASSERT_FALSE(plan);
  EXPECT_TRUE(contains(plan.error().message, "there is no study 9"));
}

}  // namespace
}  // namespace gemwright::app
