#include "app/model/tuning_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace gemwright::app {
namespace {

// Patience of a test that waits for a thread; nothing is timed.
constexpr auto kPatience = std::chrono::seconds(60);

template <class Wanted>
bool comes(const TuningQueue& queue, Wanted wanted) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!wanted(queue.state())) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

TuningJob job(const std::string& size) {
  TuningJob j;
  j.options.gemm = {size};
  return j;
}

// Searches until it is told to stop.
tuner::Result<void> until_stopped(const TuningJob&, const TuningSink& sink) {
  sink.begin("layer M=8", 1, 3);
  tuner::StudyProgress p;
  p.phase = "search";
  p.trials = 12;
  p.best_gflops = 99.5;
  p.budget_seconds = 10;
  p.spent_seconds = 4;
  sink.progress(p);
  while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return tuner::fail("interrupted", tuner::ErrorKind::interrupted);
}

TEST(TuningQueue, RunsJobsOneAfterTheOther) {
  std::atomic<int> at_once = 0, most = 0;
  TuningQueue queue(
      [&](const TuningJob& j, const TuningSink& sink) -> tuner::Result<void> {
        most = std::max(most.load(), ++at_once);
        sink.done(j.options.gemm.front() + " is done");
        --at_once;
        return {};
      },
      [] {});
  for (const char* size : {"1x2x3", "4x5x6", "7x8x9"}) queue.add(job(size));
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.finished == 3; }));
  const TuningState s = queue.state();
  EXPECT_FALSE(s.running);
  EXPECT_EQ(most, 1);
  ASSERT_EQ(s.lines.size(), 3u);
  EXPECT_EQ(s.lines[0].text, "1x2x3 is done");
  EXPECT_EQ(s.lines[2].text, "7x8x9 is done");
}

TEST(TuningQueue, TellsWhatRunsHowFarItIsAndWhatWaits) {
  TuningQueue queue(until_stopped, [] {});
  EXPECT_EQ(tuning_text(queue.state()), "");
  queue.add(job("1x2x3"));
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.progress.has_value(); }));
  queue.add(job("4x5x6"));
  const TuningState s = queue.state();
  EXPECT_EQ(s.job, "1x2x3");
  EXPECT_EQ(s.waiting, std::vector<std::string>{"4x5x6"});
  EXPECT_EQ(tuning_text(s), "[2/3] layer M=8: search, 12 configs, best 99.5 GFLOP/s, 6 s left");
  EXPECT_DOUBLE_EQ(progress_share(*s.progress), 0.4);
}

TEST(TuningQueue, TheLineOfAPausedStudySaysHowItGoesOn) {
  tuner::StudyProgress p;
  p.study = 7;
  p.phase = "search";
  p.trials = 1;
  p.best_gflops = 99.5;
  EXPECT_EQ(progress_figures(p), "1 config, best 99.5 GFLOP/s");
  p.phase = "paused";
  EXPECT_EQ(progress_figures(p), "1 config, best 99.5 GFLOP/s; 'gemwright steer 7 resume' goes on");
}

TEST(TuningQueue, AnInterruptEndsTheRunningJobAndForgetsTheOthers) {
  TuningQueue queue(until_stopped, [] {});
  queue.add(job("1x2x3"));
  queue.add(job("4x5x6"));
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.progress.has_value(); }));
  queue.interrupt();
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.finished == 1; }));
  const TuningState s = queue.state();
  EXPECT_FALSE(s.running);
  EXPECT_TRUE(s.waiting.empty());
  EXPECT_NE(s.lines.back().text.find("interrupted"), std::string::npos);
  // The next one is not stopped by what stopped the last.
  queue.add(job("7x8x9"));
  EXPECT_TRUE(comes(queue, [](const TuningState& now) { return now.running && now.progress && !now.stopping; }));
}

TEST(TuningQueue, HoldsAStudyThatGoesOnFromTheRequestUntilItHasEnded) {
  std::atomic<bool> end = false, over = false;
  TuningQueue queue(
      [&](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
        while (!end && !sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        sink.done("done");
        while (!over && !sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return {};
      },
      [] {});
  const StudyPlace first{"a.db", 3}, second{"a.db", 4};
  for (const StudyPlace& p : {first, second}) queue.add({{}, p.database, p.study});
  EXPECT_TRUE(queue.holds(first));
  EXPECT_TRUE(queue.holds(second));
  EXPECT_FALSE(queue.holds({"b.db", 3}));
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.running; }));
  EXPECT_TRUE(queue.holds(first));
  end = true;
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return !s.lines.empty(); }));
  EXPECT_FALSE(queue.holds(first));  // although its worker still runs
  EXPECT_TRUE(queue.holds(second));
  queue.interrupt();
  EXPECT_FALSE(queue.holds(second));
  over = true;
}

TEST(TuningQueue, ClosingStopsWhatRunsAndWaitsUntilItIsSaved) {
  std::atomic<bool> saved = false, second = false;
  {
    TuningQueue queue(
        [&](const TuningJob& j, const TuningSink& sink) {
          second = second || j.options.gemm.front() == "4x5x6";
          auto r = until_stopped(j, sink);
          saved = true;
          return r;
        },
        [] {});
    queue.add(job("1x2x3"));
    queue.add(job("4x5x6"));
    ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.running; }));
  }
  EXPECT_TRUE(saved);
  EXPECT_FALSE(second);
}

TEST(TuningQueue, AFailureIsSaidAndTheNextJobRuns) {
  TuningQueue queue(
      [](const TuningJob& j, const TuningSink& sink) -> tuner::Result<void> {
        if (j.options.gemm.front() == "1x2x3") return tuner::fail("there is no compiler");
        sink.done("done");
        return {};
      },
      [] {});
  queue.add(job("1x2x3"));
  queue.add(job("4x5x6"));
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return s.finished == 2; }));
  ASSERT_EQ(queue.state().lines.size(), 2u);
  EXPECT_EQ(queue.state().lines[0].kind, TuningLine::Kind::problem);
  EXPECT_EQ(queue.state().lines[0].text, "there is no compiler");
}

TEST(TuningQueue, WhomTheWorkerWaitsForIsSaidUntilItMeasures) {
  std::atomic<bool> go = false;
  TuningQueue queue(
      [&](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
        sink.begin("layer", 0, 1);
        sink.notice("process 7 measures study 3: this one waits");
        while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        tuner::StudyProgress p;
        p.phase = "search";
        sink.progress(p);
        while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return {};
      },
      [] {});
  queue.add(job("1x2x3"));
  ASSERT_TRUE(comes(queue, [](const TuningState& s) { return !s.waits.empty(); }));
  EXPECT_EQ(tuning_text(queue.state()), "process 7 measures study 3: this one waits");
  go = true;
  EXPECT_TRUE(comes(queue, [](const TuningState& s) { return s.waits.empty() && s.progress.has_value(); }));
}

}  // namespace
}  // namespace gemwright::app
