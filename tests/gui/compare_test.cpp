// The Compare view: two pinned trials, two operands that are typed, and what is offered before anybody chose.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/gui/headless.h"
#include "tests/gui/real_study.h"

namespace gemwright::app::gui {
namespace {

TEST(CompareView, OffersTheWinnerAgainstItsRunnerUp) {
  const RealStudy real("compare-offer");
  Headless window("compare");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  const CompareState& state = window.desk().compare_state();
  ASSERT_TRUE(state.result) << state.error;
  EXPECT_EQ(state.result->trials->a.trial.id, real.study.winner.id);
  EXPECT_EQ(state.result->trials->b.trial.id, real.study.runner_up.id);
}

TEST(CompareView, ByKeyboardAloneTwoTrialsArePinnedAndCompared) {
  const RealStudy real("compare-keys");
  Headless window("trials");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiKey_DownArrow);
    t.KeyPress(ImGuiKey_B);
    t.KeyPress(ImGuiKey_DownArrow);
    t.KeyPress(ImGuiKey_A);
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    t.Yield(2);
    t.KeyChars("show compare");
    t.KeyPress(ImGuiKey_Enter);
  }));
  EXPECT_EQ(window.shell().shown_view(), "compare");
  const CompareState& state = window.desk().compare_state();
  ASSERT_TRUE(state.result) << state.error;
  EXPECT_EQ(state.result->trials->b.trial.id, real.study.winner.id);
  EXPECT_EQ(state.result->trials->a.trial.id, real.study.runner_up.id);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C); }));
  EXPECT_NE(window.clipboard().find("B is"), std::string::npos);
}

TEST(CompareView, ByMouseOperandsAreTypedSwappedAndRefusedInWords) {
  const RealStudy real("compare-mouse");
  Headless window("compare");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  const std::string a = fmt::format("trial:{}", real.study.winner.id);
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.ItemInputValue("//Compare/**/##a", a.c_str());
    t.ItemInputValue("//Compare/**/##b", fmt::format("trial:{}", real.study.runner_up.id).c_str());
    t.ItemClick("//Compare/**/Swap");
  }));
  EXPECT_EQ(window.desk().compare_form.b, a);
  ASSERT_TRUE(window.desk().compare_state().result);
  EXPECT_GT(window.desk().compare_state().result->trials->ratio->ratio, 1);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemInputValue("//Compare/**/##a", "trial:9999"); }));
  EXPECT_NE(window.desk().compare_state().error.find("9999"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::app::gui
