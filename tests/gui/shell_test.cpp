// The window's shell and views, driven headless by the test engine: what is drawn, clicked and typed.
#include "app/gui/shell.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <imgui_internal.h>

#include "app/gui/widgets.h"
#include "tests/gui/headless.h"
#include "tests/gui/made_up.h"

namespace gemwright::app::gui {
namespace {

std::vector<DoctorLine> machine() { return {{"cpu", "name", "a CPU", ""}, {"counters", "perf", {}, "no PMU"}}; }

class EveryView : public testing::TestWithParam<std::tuple<std::string, std::size_t>> {};

TEST_P(EveryView, DrawsAndCopiesAsText) {
  const auto& [view, trials] = GetParam();
  Headless window(view);
  window.shell().show(made_up_snapshot(trials));
  window.shell().show_machine(machine());
  ASSERT_TRUE(window.settle());
  // The rail stands beside whatever is in front.
  EXPECT_EQ(window.shell().shown_view(), view == "studies" ? "run" : view);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C); }));
  EXPECT_NE(window.shell().notice().find("copied as text"), std::string::npos);
  EXPECT_FALSE(window.clipboard().empty());
}

INSTANTIATE_TEST_SUITE_P(Sizes, EveryView,
                         testing::Combine(testing::ValuesIn(view_names()), testing::Values(0, 1, 10000, 50000)),
                         [](const auto& p) {
                           return std::get<0>(p.param) + "_" + std::to_string(std::get<1>(p.param));
                         });

TEST(Shell, SaysInWordsWhatIsMissing) {
  Headless window("run");
  EXPECT_TRUE(window.settle());  // no database
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->databases.push_back({"gone.db", false, "gone.db does not exist yet", {}});
  window.shell().show(snapshot);
  for (const std::string& view : view_names()) {
    EXPECT_TRUE(window.settle()) << view;
    EXPECT_FALSE(window.shell().selection().study());
  }
}

TEST(Shell, WalksThroughAllViewsByTheKeyboardAlone) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10));
  window.shell().show_machine(machine());
  // The rail has the first key; after nine views they go on with Shift.
  const auto views = view_names();
  for (std::size_t i = 1; i < views.size(); ++i) {
    const ImGuiKeyChord shift = i < 9 ? ImGuiMod_None : ImGuiMod_Shift;
    const auto key = static_cast<ImGuiKey>(ImGuiKey_1 + static_cast<int>(i % 9));
    EXPECT_TRUE(window.act([&](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | shift | key); }));
    EXPECT_EQ(window.shell().shown_view(), views[i]);
  }
}

TEST(Shell, TheArrowsMoveTheSelectedTrialInTheOrderOfTheTable) {
  Headless window("trials");
  window.shell().show(made_up_snapshot(50));
  ASSERT_TRUE(window.settle());
  const auto& rows = window.shell().table().rows();
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiKey_DownArrow); }));
  ASSERT_TRUE(window.shell().selection().trial());
  EXPECT_EQ(window.shell().selection().trial()->trial, rows[0] + 1);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiKey_DownArrow, 2); }));
  EXPECT_EQ(window.shell().selection().trial()->trial, rows[2] + 1);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiKey_UpArrow); }));
  EXPECT_EQ(window.shell().selection().trial()->trial, rows[1] + 1);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiKey_A);
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_C);
  }));
  EXPECT_EQ(window.shell().selection().pinned(Selection::Side::a), window.shell().selection().trial());
  EXPECT_EQ(window.clipboard().substr(0, window.clipboard().find('\t')), std::to_string(rows[1] + 1));
  // The pointer may rest on a row that the keyboard has left.
  const std::string row = "//Trials/**/##trial " + std::to_string(rows[5] + 1);
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.MouseMove(row.c_str());
    t.KeyPress(ImGuiKey_DownArrow);
    t.KeyPress(ImGuiKey_B);
  }));
  ASSERT_TRUE(window.shell().selection().trial());
  EXPECT_EQ(window.shell().selection().trial()->trial, rows[2] + 1);
  EXPECT_EQ(window.shell().selection().pinned(Selection::Side::b), window.shell().selection().trial());
}

TEST(Shell, AFilterThatIsTypedNarrowsTheTable) {
  Headless window("trials");
  window.shell().show(made_up_snapshot(600));
  const auto states = made_up_study(600)->columns.state;
  const auto crashed = static_cast<std::size_t>(std::count(states.begin(), states.end(), tuner::TrialState::crashed));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_F);
    t.Yield(2);
    t.KeyChars("state=crashed");
  }));
  EXPECT_EQ(window.shell().selection().filter_text(), "state=crashed");
  EXPECT_EQ(window.shell().table().rows().size(), crashed);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_F);
    t.Yield(2);
    t.KeyPress(ImGuiKey_End);
    t.KeyChars(" and");
  }));
  EXPECT_FALSE(window.shell().selection().filter_error().empty());
  EXPECT_EQ(window.shell().table().rows().size(), crashed);
  // Letters that are typed are not commands.
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiKey_DownArrow);
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_F);
    t.Yield(2);
    t.KeyChars("ab");
  }));
  EXPECT_TRUE(window.shell().selection().trial());
  EXPECT_FALSE(window.shell().selection().pinned(Selection::Side::a));
}

TEST(Shell, TheCommandListFindsRunsAndCloses) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    t.Yield(2);
    t.KeyChars("roof");
    t.KeyPress(ImGuiKey_Enter);
  }));
  EXPECT_EQ(window.shell().shown_view(), "roofline");
  EXPECT_EQ(ImGui::GetCurrentContext()->OpenPopupStack.Size, 0);
}

TEST(Shell, F1ShowsTheKeysAndEscLeavesEverything) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10));
  for (const ImGuiKeyChord key : {ImGuiKeyChord(ImGuiKey_F1), ImGuiKeyChord(ImGuiMod_Ctrl | ImGuiKey_K)}) {
    int open = 0, closed = 0;
    EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
      t.KeyPress(key);
      t.Yield(2);
      open = ImGui::GetCurrentContext()->OpenPopupStack.Size;
      t.KeyPress(ImGuiKey_Escape);
      t.Yield(2);
      closed = ImGui::GetCurrentContext()->OpenPopupStack.Size;
    }));
    EXPECT_EQ(open, 1);
    EXPECT_EQ(closed, 0);
  }
}

TEST(Shell, AWrongFilterIsToldWithItsErrorAndNoCount) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10));
  Selection& selection = window.shell().selection();
  selection.set_filter("state=ok");
  ASSERT_TRUE(window.settle());
  EXPECT_NE(filter_text(selection, window.shell().table()).find(" of 10 trials"), std::string::npos);
  selection.set_filter("state=ok and (gflops>");
  ASSERT_TRUE(window.settle());
  const std::string text = filter_text(selection, window.shell().table());
  EXPECT_EQ(text, "filter state=ok and (gflops>: " + selection.filter_error());
  EXPECT_EQ(text.find(" of 10 trials"), std::string::npos);
}

TEST(Shell, TheScaleGrowsShrinksAndComesBack) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10));
  float normal = 0, large = 0, again = 0;
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    const auto press = [&](ImGuiKeyChord key, int times) {
      t.KeyPress(key, times);
      t.Yield(2);
      return ImGui::GetFontSize();
    };
    normal = press(ImGuiMod_Ctrl | ImGuiKey_0, 1);
    large = press(ImGuiMod_Ctrl | ImGuiKey_Equal, 3);
    again = press(ImGuiMod_Ctrl | ImGuiKey_0, 1);
  }));
  EXPECT_GT(large, 1.2f * normal);
  EXPECT_FLOAT_EQ(again, normal);
}

TEST(Shell, TheMenuSwitchesTheThemeAndTheLayoutIsRemembered) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.SetRef("##MainMenuBar");
    t.MenuClick("View/Theme: light");
  }));
  const WindowSettings saved = window.shell().settings();
  EXPECT_EQ(saved.theme, Theme::light);
  EXPECT_NE(saved.docking.find("[Docking]"), std::string::npos);
  EXPECT_EQ(saved.view, "run");
}

TEST(Shell, ARememberedLayoutIsTakenUpAgain) {
  WindowSettings saved;
  {
    Headless first("trials");
    ASSERT_TRUE(first.settle());
    saved = first.shell().settings();
  }
  Headless again("", saved);
  ASSERT_TRUE(again.settle());
  EXPECT_EQ(again.shell().shown_view(), "trials");
  EXPECT_EQ(again.shell().settings().docking, saved.docking);
}

TEST(Shell, AClickOnARowSelectsItsTrialEverywhere) {
  Headless window("trials");
  window.shell().show(made_up_snapshot(20));
  ASSERT_TRUE(window.settle());
  const auto row = window.shell().table().rows()[3];
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) { t.ItemClick(fmt::format("**/##trial {}", row + 1).c_str()); }));
  ASSERT_TRUE(window.shell().selection().trial());
  EXPECT_EQ(window.shell().selection().trial()->trial, row + 1);
}

TEST(Shell, AskedForNothingItWantsNoFurtherFrame) {
  Headless window("run");
  window.shell().show(made_up_snapshot(10000));
  ASSERT_TRUE(window.settle());
  for (int i = 0; i < 5; ++i) {
    window.frame();
    EXPECT_FALSE(window.shell().wants_frame());
  }
}

}  // namespace
}  // namespace gemwright::app::gui
