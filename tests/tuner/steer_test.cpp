// Steering: what events mean, and what they do to a running study.
#include "tuner/study/steer.h"

#include <gtest/gtest.h>

#include "scripted_machine.h"

namespace gemwright::tuner {
namespace {

StudyEvent event(EventKind kind, std::string argument = "", std::optional<std::int64_t> applied = {}) {
  return {1, 1, kind, std::move(argument), 0, applied};
}

TEST(Steering, PauseHoldsUntilResumeOrStop) {
  Steering s;
  s.apply(event(EventKind::pause));
  EXPECT_TRUE(s.paused());
  s.apply(event(EventKind::resume));
  EXPECT_FALSE(s.paused());
  s.apply(event(EventKind::pause));
  s.apply(event(EventKind::stop));
  EXPECT_FALSE(s.paused());
  EXPECT_TRUE(s.stopped());
}

TEST(Steering, AStopThatTookEffectBeforeEndsNothingNow) {
  Steering s;
  s.apply(event(EventKind::stop, "", 7));
  EXPECT_FALSE(s.stopped());
}

TEST(Steering, PinsAndVetoesDecideWhatIsTried) {
  const StudyRequest r = request_for(64, "10");
  Random random(1);
  const Config c = *random_config(r.space, random);
  const std::string mr = std::to_string(c.tile.mr);
  Steering pinned, vetoed;
  pinned.apply(event(EventKind::pin, "mr=" + mr));
  vetoed.apply(event(EventKind::veto, "mr=" + mr));
  EXPECT_TRUE(pinned.admits(c));
  EXPECT_FALSE(vetoed.admits(c));
  Config other = c;
  other.tile.mr = c.tile.mr == 4 ? 6 : 4;
  EXPECT_FALSE(pinned.admits(other));
  const auto back = pinned.steered(r.space, other);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->tile.mr, c.tile.mr);
  EXPECT_FALSE(violated(r.space, *back));
}

TEST(Steering, VectorsAlongKCanBePinnedWhereTheyCanRun) {
  Steering s;
  s.apply(event(EventKind::pin, "along=k"));
  Random random(1);
  for (const std::int64_t n : {1, 64}) {
    StudyRequest r = request_for(64, "10");
    r.space.problem.n = n;
    Config c = *random_config(r.space, random);
    const auto pinned = s.steered(r.space, c);
    EXPECT_EQ(pinned.has_value(), n == 1);
    EXPECT_TRUE(!pinned || pinned->tile.along_k);
  }
}

TEST(Steering, APinnedModeBringsAFamilyThatComputesIt) {
  SpaceInput space;
  space.problem.n = space.problem.k = 512;
  space.m = 64;
  space.modes = {ComputeMode::f32, ComputeMode::bf16, ComputeMode::u8s8};
  space.families = {gemwright::isa::avx2, gemwright::isa::avx512f, gemwright::isa::avx512_vnni};
  SpaceInput f32 = space;
  f32.modes = {ComputeMode::f32};
  Random random(1);
  const Config c = *random_config(f32, random);
  EXPECT_TRUE(Steering::is_choice("mode=bf16"));
  EXPECT_TRUE(Steering::is_choice("isa=avx512_bf16"));
  EXPECT_FALSE(Steering::is_choice("mode=w4"));
  Steering pinned, impossible;
  pinned.apply(event(EventKind::pin, "mode=u8s8"));
  const auto changed = pinned.steered(space, c);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->mode, ComputeMode::u8s8);
  EXPECT_EQ(changed->tile.family, gemwright::isa::avx512_vnni);
  EXPECT_FALSE(violated(space, *changed));
  impossible.apply(event(EventKind::pin, "mode=u8s8"));
  impossible.apply(event(EventKind::pin, "isa=avx512f"));
  EXPECT_FALSE(impossible.steered(space, c));
}

TEST(Steering, TheLastWordAboutAParameterCounts) {
  const StudyRequest r = request_for(64, "10");
  Random random(1);
  Config c = *random_config(r.space, random);
  c.tile.mr = 4;
  Config other = c;
  other.tile.mr = 6;
  Steering s;
  s.apply(event(EventKind::pin, "mr=4"));
  s.apply(event(EventKind::pin, "mr=6"));
  EXPECT_TRUE(s.admits(other));
  EXPECT_FALSE(s.admits(c));
  s.apply(event(EventKind::veto, "mr=6"));  // takes the pin back
  EXPECT_TRUE(s.admits(c));
  EXPECT_TRUE(s.admits(other));
  EXPECT_FALSE(s.restricts());
  s.apply(event(EventKind::veto, "mr=6"));
  EXPECT_FALSE(s.admits(other));
  s.apply(event(EventKind::pin, "mr=6"));  // takes the veto back, and pins
  EXPECT_TRUE(s.admits(other));
}

TEST(Steering, ExtensionsAddToTheBudgetOfTheirKind) {
  Steering s;
  s.apply(event(EventKind::extend, "30s"));
  s.apply(event(EventKind::extend, "100"));
  EXPECT_EQ(s.extended(*parse_budget("60s")), *parse_budget("90s"));
  EXPECT_EQ(s.extended(*parse_budget("500")), *parse_budget("600"));
  EXPECT_EQ(s.extended({}).seconds, 40);  // the default of ten seconds and thirty more
}

TEST(Steering, ArgumentsThatMeanNothingAreRefusedInOneSentence) {
  EXPECT_TRUE(check_event(EventKind::pin, "mr=8"));
  EXPECT_TRUE(check_event(EventKind::veto, "isa=avx2"));
  EXPECT_TRUE(check_event(EventKind::veto, "pack_a=job"));
  EXPECT_TRUE(check_event(EventKind::pin, "along=k"));
  EXPECT_TRUE(check_event(EventKind::again, "17"));
  EXPECT_TRUE(check_event(EventKind::extend, "10s"));
  EXPECT_TRUE(check_event(EventKind::pause, ""));
  for (const auto& [kind, text] : std::vector<std::pair<EventKind, std::string>>{{EventKind::pin, "mr"},
                                                                                 {EventKind::pin, "mr=x"},
                                                                                 {EventKind::pin, "mr=-1"},
                                                                                 {EventKind::pin, "mr=99999"},
                                                                                 {EventKind::pin, ""},
                                                                                 {EventKind::pin, "=8"},
                                                                                 {EventKind::pin, "along=m"},
                                                                                 {EventKind::veto, "colour=red"},
                                                                                 {EventKind::veto, "mr=8\n"},
                                                                                 {EventKind::again, "x"},
                                                                                 {EventKind::again, "-3"},
                                                                                 {EventKind::again, ""},
                                                                                 {EventKind::extend, "soon"},
                                                                                 {EventKind::pause, "now"}}) {
    const auto r = check_event(kind, text);
    ASSERT_FALSE(r) << text;
    EXPECT_EQ(r.error().kind, ErrorKind::usage);
    EXPECT_EQ(r.error().message.find('\n'), std::string::npos);
  }
  Steering s;  // a database may hold anything
  s.apply(event(EventKind::pin, "colour=red"));
  s.apply(event(EventKind::extend, "soon"));
  s.apply(event(EventKind::again, "x"));
  EXPECT_TRUE(s.admits({}));
  EXPECT_TRUE(s.take_again().empty());
}

// Writes an event when a number of blocks have been timed.
class SteeredMachine : public ScriptedMachine {
 public:
  Store* store = nullptr;
  int at = 30;
  std::vector<std::pair<EventKind, std::string>> write;

  Result<Block> block(int handle, std::int64_t calls) override {
    if (blocks == at) {
      for (const auto& [kind, argument] : write) (void)store->add_event(1, kind, argument);
    }
    clock += 0.1;  // so that every block is followed by a look at the events
    return ScriptedMachine::block(handle, calls);
  }
};

TEST(SteeredStudy, APausedStudyTimesNothingUntilItIsResumedAndPaysNothing) {
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  machine.write = {{EventKind::pause, ""}};
  EngineHooks hooks = hooks_of(machine);
  int naps = 0, blocks_while_paused = -1;
  hooks.sleep = [&](double) {
    if (naps == 0) blocks_while_paused = machine.blocks;
    EXPECT_EQ(machine.blocks, blocks_while_paused);
    machine.clock += 1000;
    if (++naps == 5) (void)store->add_event(1, EventKind::resume, "");
  };
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(naps, 5);
  EXPECT_LT(result->record.spent_seconds, 1000);
  const auto events = *store->events(1);
  EXPECT_EQ(events.size(), 2U);
  for (const StudyEvent& e : events) EXPECT_TRUE(e.applied_round);
}

TEST(SteeredStudy, WhatWasSpentIsInTheStoreWhileItIsPaused) {
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  machine.write = {{EventKind::pause, ""}};
  EngineHooks hooks = hooks_of(machine);
  std::optional<double> told;
  hooks.progress = [&](const StudyProgress& p) {
    if (p.phase == "paused") told = p.spent_seconds;
  };
  const auto stored = [&] { return (*store->studies()).front(); };
  int naps = 0;
  hooks.sleep = [&](double) {
    EXPECT_EQ(stored().state, StudyState::running);
    ASSERT_TRUE(told);
    EXPECT_DOUBLE_EQ(stored().spent_seconds, *told);
    machine.clock += 1000;
    ++naps;
  };
  hooks.stop = [&] { return naps == 3; };
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks);
  ASSERT_FALSE(result);
  EXPECT_EQ(stored().state, StudyState::interrupted);
  // A pause that is interrupted costs as little as one that ends.
  EXPECT_DOUBLE_EQ(stored().spent_seconds, *told);
}

TEST(SteeredStudy, AStudyThatWasPausedBeforeItGoesOnTimesNothingAtFirst) {
  const auto store = make_memory_store();
  ScriptedMachine machine;
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "30"), hooks_of(machine)));
  ASSERT_TRUE(store->add_event(1, EventKind::extend, "20"));
  ASSERT_TRUE(store->add_event(1, EventKind::pause, ""));
  const int before = machine.blocks;
  EngineHooks hooks = hooks_of(machine);
  int naps = 0;
  hooks.sleep = [&](double) {
    EXPECT_EQ(machine.blocks, before);
    EXPECT_EQ((*store->studies()).front().state, StudyState::running);
    if (++naps == 2) (void)store->add_event(1, EventKind::resume, "");
  };
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "30"), hooks));
  EXPECT_EQ(naps, 2);
  EXPECT_GT(machine.blocks, before);
}

TEST(SteeredStudy, StopEndsTheSearchAndConfirmsWhatItFound) {
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  machine.write = {{EventKind::stop, ""}};
  const auto result = run_study(*store, machine, request_for(64, "400"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->record.state, StudyState::finished);
  EXPECT_TRUE(result->record.outcome.best_trial);
  EXPECT_LT((*store->trials(1)).size(), 100U);
}

TEST(SteeredStudy, APinHoldsForWhatIsProposedLater) {
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  machine.write = {{EventKind::pin, "mr=4"}};
  const auto result = run_study(*store, machine, request_for(64, "80"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(1);
  int pinned = 0;
  for (const Trial& t : trials) {
    if (t.config.tile.mr == 4) ++pinned;
    if (t.seq >= 24 || t.id == result->record.outcome.best_trial) {
      EXPECT_EQ(t.config.tile.mr, 4) << t.seq;
    }
  }
  EXPECT_GT(pinned, 10);
}

TEST(SteeredStudy, AnExhaustiveSearchTriesAllThatThePinsLeave) {
  StudyRequest request = request_for(8, "500");
  request.attributes.strategy = "exhaustive";
  request.key.problem.n = request.key.problem.k = request.space.problem.n = request.space.problem.k = 64;
  request.space.families = {gemwright::isa::avx2};
  const auto store = make_memory_store();
  ASSERT_TRUE(store->open_study(request.key, request.attributes, false));
  const std::vector<std::string> pins{"nv=2", "ku=1", "ka=1", "kc=64", "hint=none", "order=mnk", "tm=1", "tn=1"};
  Steering same;
  for (const std::string& pin : pins) {
    ASSERT_TRUE(store->add_event(1, EventKind::pin, pin));
    same.apply(event(EventKind::pin, pin));
  }
  std::size_t left = 0;
  for_each(request.space, [&](const Config& c) {
    left += same.admits(c) ? 1 : 0;
    return true;
  });
  ASSERT_GT(left, 10U);
  ASSERT_LT(left, 500U);
  ScriptedMachine machine;
  const auto result = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(1);
  EXPECT_EQ(trials.size(), left);
  for (const Trial& t : trials) EXPECT_TRUE(same.admits(t.config)) << label(t.config);
}

StudyRequest exhaustive_request() {
  StudyRequest request = request_for(8, "60");
  request.attributes.strategy = "exhaustive";
  return request;
}

// Study 1 of the request, not run yet, with a pin that waits for it.
std::unique_ptr<Store> store_with_pin(const StudyRequest& request, const std::string& pin) {
  auto store = make_memory_store();
  EXPECT_TRUE(store->open_study(request.key, request.attributes, false));
  EXPECT_TRUE(store->add_event(1, EventKind::pin, pin));
  return store;
}

TEST(SteeredStudy, AnExhaustiveSearchTakesASizeThatIsNotEnumerated) {
  const StudyRequest request = exhaustive_request();
  const auto store = store_with_pin(request, "kc=100");
  ScriptedMachine machine;
  const auto result = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(1);
  EXPECT_EQ(trials.size(), 60U);
  for (const Trial& t : trials) EXPECT_EQ(t.config.blocking.kc, 100) << label(t.config);
}

TEST(SteeredStudy, AnExhaustiveSearchGoesBackForWhatAnotherPinAllows) {
  const StudyRequest request = exhaustive_request();
  const auto store = store_with_pin(request, "nv=2");
  SteeredMachine machine;
  machine.store = store.get();
  machine.write = {{EventKind::pin, "nv=1"}};  // those come before in the order of the walk
  const auto result = run_study(*store, machine, request, hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  int before = 0, after = 0;
  const auto trials = *store->trials(1);
  for (const Trial& t : trials) ++(t.config.tile.nv == 1 ? after : before);
  EXPECT_GT(before, 0);
  EXPECT_GT(after, 10);
}

TEST(SteeredStudy, AnExtensionWakesAFinishedStudy) {
  const auto store = make_memory_store();
  ScriptedMachine machine;
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "30"), hooks_of(machine)));
  const auto before = (*store->trials(1)).size();
  ASSERT_TRUE(store->add_event(1, EventKind::extend, "20"));
  const auto result = run_study(*store, machine, request_for(64, "30"), hooks_of(machine));
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->reused);
  EXPECT_GT((*store->trials(1)).size(), before);
  EXPECT_LE((*store->trials(1)).size(), 50U);
  EXPECT_TRUE(run_study(*store, machine, request_for(64, "30"), hooks_of(machine))->reused);
}

TEST(SteeredStudy, AnExtensionThatComesDuringTheFinalLengthensTheSearch) {
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  int blocks = 0;
  {
    const auto other = make_memory_store();
    ScriptedMachine alone;
    ASSERT_TRUE(run_study(*other, alone, request_for(64, "24"), hooks_of(alone)));
    blocks = alone.blocks;
  }
  machine.at = blocks - 5;  // the final is nearly over
  machine.write = {{EventKind::extend, "16"}};
  const auto result = run_study(*store, machine, request_for(64, "24"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ((*store->trials(1)).size(), 40U);
  EXPECT_EQ(result->record.state, StudyState::finished);
}

TEST(SteeredStudy, AVetoThatComesDuringTheFinalIsHeard) {
  int blocks = 0;
  TrialId winner = 0;
  std::string mr;
  {
    const auto other = make_memory_store();
    ScriptedMachine alone;
    const auto result = run_study(*other, alone, request_for(64, "40"), hooks_of(alone));
    ASSERT_TRUE(result);
    blocks = alone.blocks;
    winner = *result->record.outcome.best_trial;
    const auto trials = *other->trials(1);
    for (const Trial& t : trials) {
      if (t.id == winner) mr = std::to_string(t.config.tile.mr);
    }
  }
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  machine.at = blocks - 20;
  machine.write = {{EventKind::veto, "mr=" + mr}};
  const auto result = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(result) << result.error().message;
  const auto trials = *store->trials(1);
  for (const Trial& t : trials) {
    if (t.id == result->record.outcome.best_trial) {
      EXPECT_NE(std::to_string(t.config.tile.mr), mr);
    }
  }
}

TEST(SteeredStudy, AVetoOfItsWinnerWakesAFinishedStudy) {
  const auto store = make_memory_store();
  ScriptedMachine machine;
  const auto first = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(first);
  const auto before = *store->trials(1);
  const auto mr_of = [](const std::vector<Trial>& trials, TrialId id) {
    for (const Trial& t : trials) {
      if (t.id == id) return t.config.tile.mr;
    }
    return 0;
  };
  const int mr = mr_of(before, *first->record.outcome.best_trial);
  ASSERT_TRUE(store->add_event(1, EventKind::veto, "mr=" + std::to_string(mr)));
  const auto second = run_study(*store, machine, request_for(64, "40"), hooks_of(machine));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_FALSE(second->reused);
  const auto after = *store->trials(1);
  EXPECT_NE(mr_of(after, *second->record.outcome.best_trial), mr);
}

TEST(SteeredStudy, AnAttemptThatFindsNothingLeavesTheConfirmedWinner) {
  const auto store = make_memory_store();
  ScriptedMachine machine;
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "30"), hooks_of(machine)));
  for (const char* isa : {"avx512f", "avx2", "scalar"}) {
    ASSERT_TRUE(store->add_event(1, EventKind::veto, std::string("isa=") + isa));
  }
  const auto result = run_study(*store, machine, request_for(64, "30"), hooks_of(machine));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::nothing_valid);
  const auto study = store->studies()->front();
  EXPECT_EQ(study.state, StudyState::finished);
  EXPECT_TRUE(study.outcome.best_trial);
}

TEST(SteeredStudy, VetoesThatLeaveNothingSaySo) {
  const auto store = make_memory_store();
  SteeredMachine machine;
  machine.store = store.get();
  for (const char* isa : {"avx512f", "avx2", "scalar"})
    machine.write.emplace_back(EventKind::veto, std::string("isa=") + isa);
  const auto result = run_study(*store, machine, request_for(64, "400"), hooks_of(machine));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::nothing_valid);
  EXPECT_NE(result.error().message.find("pins and vetoes of study 1"), std::string::npos) << result.error().message;
}

TEST(SteeredStudy, ATrialIsTimedAgainOnRequest) {
  const auto store = make_memory_store();
  ScriptedMachine machine;
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "60"), hooks_of(machine)));
  const auto trials = *store->trials(1);
  // One that left the field long ago.
  const auto slowest = std::max_element(trials.begin(), trials.end(), [](const Trial& x, const Trial& y) {
    return ScriptedMachine::true_ns(x.config) < ScriptedMachine::true_ns(y.config);
  });
  SubjectId subject = 0;
  const auto subjects = *store->subjects(1);
  for (const Subject& s : subjects) {
    if (s.trial == slowest->id) subject = s.id;
  }
  const auto blocks = [&] {
    const auto samples = *store->samples(1);
    return std::count_if(samples.begin(), samples.end(), [&](const Sample& s) { return s.subject == subject; });
  };
  const auto before = blocks();
  ASSERT_TRUE(store->add_event(1, EventKind::again, std::to_string(slowest->id)));
  ASSERT_TRUE(run_study(*store, machine, request_for(64, "60"), hooks_of(machine)));
  EXPECT_GT(blocks(), before);
  EXPECT_EQ((*store->trials(1)).size(), trials.size());
}

}  // namespace
}  // namespace gemwright::tuner
