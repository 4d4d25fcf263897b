// A study is started from the window, watched and interrupted: by mouse, by keyboard, and at the first start.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "tests/gui/headless.h"
#include "tests/gui/made_up.h"

namespace gemwright::app::gui {
namespace {

std::shared_ptr<const Snapshot> no_study() {
  auto s = std::make_shared<Snapshot>();
  s->databases.push_back({"empty.db", true, "", {}});
  return s;
}

// Jobs that tell what they are and search until they are stopped or let go.
class Script {
 public:
  DeskHooks hooks() {
    DeskHooks h;
    h.tune = [this](const TuningJob& job, const TuningSink& sink) { return run(job, sink); };
    return h;
  }
  std::vector<TuningJob> jobs() const {
    const std::lock_guard lock(mutex_);
    return jobs_;
  }
  std::atomic<bool> go = false;

 private:
  tuner::Result<void> run(const TuningJob& job, const TuningSink& sink) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(job);
    }
    sink.begin("layer M=8", 0, 1);
    tuner::StudyProgress p;
    p.phase = "search";
    p.trials = 40;
    p.budget_seconds = 10;
    sink.progress(p);
    while (!go && !sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (sink.stop()) return tuner::fail("interrupted", tuner::ErrorKind::interrupted);
    sink.done("layer M=8: 12.3 GFLOP/s");
    return {};
  }

  mutable std::mutex mutex_;
  std::vector<TuningJob> jobs_;
};

TEST(TuneView, ByMouseTheFormIsFilledStartedWatchedAndInterrupted) {
  Script script;
  Headless window("tune", {}, script.hooks());
  window.shell().show(no_study());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemInputValue("//Tune/**/##gemm", "8x64x64, 1x64x64");
    t.ItemInputValue("//Tune/**/##threads", "1");
    t.ItemInputValue("//Tune/**/##budget", "5s");
  }));
  ASSERT_TRUE(window.desk().form_state().preview) << window.desk().form_state().error->sentence;
  EXPECT_EQ(preview_text(*window.desk().form_state().preview), "2 studies, about 10 s");
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Tune/**/Start"); }));
  ASSERT_TRUE(window.comes([&] { return window.desk().tuning().progress.has_value(); }));
  ASSERT_EQ(script.jobs().size(), 1u);
  const TuningJob job = script.jobs().front();
  EXPECT_EQ(job.options.gemm, (std::vector<std::string>{"8x64x64", "1x64x64"}));
  EXPECT_EQ(job.options.threads, "1");
  EXPECT_EQ(job.database, "empty.db");
  // A second one waits behind it.
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Tune/**/Queue"); }));
  EXPECT_EQ(window.desk().tuning().waiting.size(), 1u);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Tune/**/Interrupt"); }));
  ASSERT_TRUE(window.comes([&] { return window.desk().tuning().finished == 1; }));
  EXPECT_EQ(script.jobs().size(), 1u);
  EXPECT_NE(window.shell().notice().find("interrupted"), std::string::npos);
}

TEST(TuneView, ByKeyboardAloneAStudyIsTypedAndStarted) {
  Script script;
  Headless window("run", {}, script.hooks());
  window.shell().show(made_up_snapshot(10));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
    t.Yield(6);
    // The field of the sizes has the keyboard, its text selected.
    t.KeyChars("4x32x32");
  }));
  EXPECT_EQ(window.shell().shown_view(), "tune");
  EXPECT_EQ(window.desk().form.sizes, "4x32x32");
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiKey_F5); }));
  ASSERT_TRUE(window.comes([&] { return !script.jobs().empty(); }));
  EXPECT_EQ(script.jobs().front().options.gemm, std::vector<std::string>{"4x32x32"});
  script.go = true;
  ASSERT_TRUE(window.comes([&] { return window.desk().tuning().finished == 1; }));
  EXPECT_EQ(window.shell().notice(), "layer M=8: 12.3 GFLOP/s");
}

TEST(TuneView, EveryNewStudyTakesTheKeyboardAndSelectsAllOfItsField) {
  Headless window("tune");
  window.shell().show(made_up_snapshot(10));
  ASSERT_TRUE(window.settle());
  // The keyboard elsewhere, then in the field itself, then elsewhere after the field had it.
  for (const char* const elsewhere : {"//Tune/**/##threads", "//Tune/**/##gemm", "//Tune/**/##budget"}) {
    EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
      t.ItemClick(elsewhere);
      for (const char* const typed : {"4x32x32", "8x16x16"}) {
        t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_N);
        t.Yield(6);
        t.KeyChars(typed);
        t.Yield(2);
        IM_CHECK(window.desk().form.sizes == typed);
      }
    })) << elsewhere;
  }
}

TEST(TuneView, WhatIsWrongStandsBesideItsFieldAndNothingStarts) {
  Script script;
  Headless window("tune", {}, script.hooks());
  window.shell().show(no_study());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemInputValue("//Tune/**/##threads", "none");
    t.KeyPress(ImGuiKey_F5);
  }));
  // The form is read in the background.
  ASSERT_TRUE(window.comes([&] { return window.desk().form_state().error.has_value(); }));
  EXPECT_EQ(window.desk().form_state().error->field, "threads");
  EXPECT_TRUE(window.act(
      [](ImGuiTestContext& t) { IM_CHECK((t.ItemInfo("//Tune/**/Start").ItemFlags & ImGuiItemFlags_Disabled) != 0); }));
  EXPECT_TRUE(script.jobs().empty());
}

TEST(TuneView, TheFirstStartTunesTheExampleWithOneClick) {
  Script script;
  Headless window("run", {}, script.hooks());
  window.shell().show(no_study());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Run/**/Tune the example"); }));
  ASSERT_TRUE(window.comes([&] { return !script.jobs().empty(); }));
  EXPECT_EQ(script.jobs().front().options.gemm, options_of(example_form())->gemm);
  EXPECT_EQ(script.jobs().front().options.budget, "5s");
}

TEST(TuneView, CopiesTheFormAsACommandLine) {
  Headless window("tune");
  window.shell().show(no_study());
  window.desk().form.sizes = "8x64x64";
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Tune/**/Copy as text"); }));
  EXPECT_EQ(window.clipboard().substr(0, window.clipboard().find('\n')), "gemwright tune --gemm 8x64x64 --db empty.db");
}

}  // namespace
}  // namespace gemwright::app::gui
