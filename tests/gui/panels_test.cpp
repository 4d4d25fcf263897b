// What stands around the views: the rail, the status line, popups, and what is left of them in a narrow window.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <imgui_internal.h>

#include "app/gui/widgets.h"
#include "tests/gui/headless.h"
#include "tests/gui/made_up.h"

namespace gemwright::app::gui {
namespace {

std::shared_ptr<const Snapshot> studies(int count) {
  auto s = std::make_shared<Snapshot>();
  s->databases.push_back({"made-up.db", true, "", {}});
  for (int i = 0; i < count; ++i) {
    auto study = std::make_shared<StudySnapshot>(*made_up_study(5));
    study->ref.study = study->figures.study.id = i + 1;
    study->figures.study.updated_at = i;
    s->databases.front().studies.push_back(study);
  }
  return s;
}

TEST(Panels, InTheRailTheArrowsMoveBetweenStudiesAndItCopiesItself) {
  Headless window("run");
  window.shell().show(studies(40));
  ASSERT_TRUE(window.settle());
  EXPECT_EQ(window.shell().selection().study()->study, 40);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_1);
    t.Yield(4);
    t.KeyPress(ImGuiKey_DownArrow);  // the newest stands at the top
  }));
  EXPECT_EQ(window.shell().selection().study()->study, 39);
  EXPECT_FALSE(window.shell().selection().trial());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C); }));
  EXPECT_NE(window.clipboard().find("made-up.db"), std::string::npos);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_2);
    t.Yield(4);
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_DownArrow);
  }));
  EXPECT_EQ(window.shell().selection().study()->study, 38);
}

const ImGuiWindow* rail() {
  for (const ImGuiWindow* const w : ImGui::GetCurrentContext()->Windows) {
    if (std::string_view(w->Name).starts_with("Studies/list")) return w;
  }
  return nullptr;
}

TEST(Panels, TheSelectedStudyIsScrolledIntoTheRailAndNoRowIsCutAtItsTop) {
  {
    Headless window("run");
    window.shell().show(studies(200));
    ASSERT_TRUE(window.settle());
    ASSERT_NE(rail(), nullptr);
    EXPECT_EQ(rail()->Scroll.y, 0);  // the newest is the first
  }
  // In the middle, near the end, the oldest.
  for (const tuner::StudyId id : {100, 3, 1}) {
    auto snapshot = std::make_shared<Snapshot>(*studies(200));
    auto& chosen = snapshot->databases.front().studies[static_cast<std::size_t>(id) - 1];
    auto touched = std::make_shared<StudySnapshot>(*chosen);
    touched->figures.study.updated_at = 1000;
    chosen = touched;
    Headless window("run");
    window.shell().show(snapshot);
    ASSERT_TRUE(window.settle());
    ASSERT_EQ(window.shell().selection().study()->study, id);
    EXPECT_GT(rail()->Scroll.y, 0);
    ImRect row;
    EXPECT_TRUE(window.act([&](ImGuiTestContext& t) { row = t.ItemInfo("//Studies/**/##study").RectFull; }));
    // The first that is drawn: below the top of the list, or above it altogether.
    const float top = rail()->InnerRect.Min.y, between = ImGui::GetStyle().ItemSpacing.y;
    EXPECT_TRUE(row.Min.y >= top - between || row.Max.y <= top + between)
        << id << ": " << row.Min.y << " to " << row.Max.y << ", the list begins at " << top;
  }
}

TEST(Panels, PopupsAreNoHigherThanTheWindow) {
  Headless window("run");
  window.shell().show(studies(1));
  ASSERT_TRUE(window.settle());
  for (const ImGuiKeyChord key : {ImGuiKeyChord(ImGuiKey_F1), ImGuiKeyChord(ImGuiMod_Ctrl | ImGuiKey_K)}) {
    float bottom = 0;
    EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
      t.KeyPress(key);
      t.Yield(4);
      const auto& open = ImGui::GetCurrentContext()->OpenPopupStack;
      if (open.Size == 1 && open[0].Window != nullptr) bottom = open[0].Window->Rect().Max.y;
      t.KeyPress(ImGuiKey_Escape, 2);
    }));
    EXPECT_GT(bottom, 100);
    EXPECT_LE(bottom, ImGui::GetIO().DisplaySize.y);
  }
}

TEST(Panels, TheArrowsChooseInTheCommandListAndEnterRunsWhatIsChosen) {
  Headless window("run");
  window.shell().show(studies(1));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    t.Yield(2);
    t.KeyChars("show");
    t.KeyPress(ImGuiKey_DownArrow, 3);
    t.KeyPress(ImGuiKey_Enter);
  }));
  EXPECT_EQ(window.shell().shown_view(), "roofline");  // after Studies, Run and Trials
}

TEST(Panels, ANarrowWindowDropsThePanelsAtTheSidesUntilOneIsAskedFor) {
  WindowSettings small;
  small.scale = 2;
  Headless window("trials", small);
  window.shell().show(studies(2));
  ASSERT_TRUE(window.settle());
  const auto drawn = [](const char* name) {
    const ImGuiWindow* const w = ImGui::FindWindowByName(name);
    return w != nullptr && w->WasActive;
  };
  EXPECT_FALSE(drawn("Studies"));
  EXPECT_FALSE(drawn("Inspector"));
  EXPECT_GT(ImGui::FindWindowByName("Trials")->Size.x, 0.9f * ImGui::GetIO().DisplaySize.x);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_1); }));
  EXPECT_TRUE(drawn("Studies###studies over"));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiKey_Escape); }));
  EXPECT_FALSE(drawn("Studies###studies over"));
}

TEST(Panels, WhatWasSaidGoesAgainAndTheFilterStays) {
  Headless window("run");
  window.shell().show(studies(1));
  window.shell().selection().set_filter("mr>=2");
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_C); }));
  EXPECT_FALSE(window.shell().notice().empty());
  for (int i = 0; i < 60 * 21; ++i) window.frame();
  EXPECT_TRUE(window.shell().notice().empty());
  EXPECT_EQ(filter_text(window.shell().selection(), window.shell().table()), "filter mr>=2: 3 of 5 trials");
}

TEST(Panels, TabShowsWhereTheKeyboardIs) {
  Headless window("tune");
  window.shell().show(studies(1));
  ASSERT_TRUE(window.settle());
  bool visible = false;
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.KeyPress(ImGuiKey_Tab);
    t.Yield(2);
    visible = ImGui::GetCurrentContext()->NavCursorVisible && ImGui::GetCurrentContext()->NavId != 0;
  }));
  EXPECT_TRUE(visible);
}

TEST(Panels, AnAnswerThatCannotBeIsAskedForAgain) {
  Headless window("run");
  window.shell().show(studies(1));
  ASSERT_TRUE(window.settle());
  int open = 0, closed = 0;
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_E);
    t.Yield(4);
    t.KeyChars("soon");
    t.KeyPress(ImGuiKey_Enter);
    t.Yield(4);
    open = ImGui::GetCurrentContext()->OpenPopupStack.Size;
    t.KeyPress(ImGuiKey_Escape, 2);
    closed = ImGui::GetCurrentContext()->OpenPopupStack.Size;
  }));
  EXPECT_EQ(open, 1);
  EXPECT_EQ(closed, 0);
}

TEST(Panels, AWantedStudyIsSelectedFirst) {
  Headless window("run");
  window.shell().want_study(2);
  window.shell().show(studies(3));
  EXPECT_EQ(window.shell().selection().study()->study, 2);
}

}  // namespace
}  // namespace gemwright::app::gui
