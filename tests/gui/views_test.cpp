// The views over many trials, driven headless: what a click, a drag or a key in each of them selects and filters.
#include <gtest/gtest.h>
#include <imgui_internal.h>

#include "app/gui/cell_texture.h"
#include "tests/gui/headless.h"
#include "tests/gui/made_up.h"

namespace gemwright::app::gui {
namespace {

// The window in front: where its contents begin and end.
ImRect front(const char* title) {
  const ImGuiWindow* const w = ImGui::FindWindowByName(title);
  return w == nullptr ? ImRect() : w->InnerRect;
}

TEST(HeatMapView, AClickOnACellSelectsItsFastestTrial) {
  Headless window("heatmap");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("**/##cell 0 0"); }));
  const auto& trial = window.shell().selection().trial();
  ASSERT_TRUE(trial);
  const auto study = window.shell().table().study();
  const auto state = study->columns.state[*study->find(trial->trial)];
  EXPECT_TRUE(state == tuner::TrialState::ok || state == tuner::TrialState::pruned);
}

TEST(HeatMapView, TheParametersAreChosenByKeyOrClickAndSwapped) {
  Headless window("heatmap");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.SetRef("Heat map");
    t.ComboClick("##across/kc");
    t.ComboClick("##down/order");
    t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C);
  }));
  EXPECT_NE(window.clipboard().find("each kc (across) and order (down)"), std::string::npos);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.SetRef("Heat map");
    t.ItemClick("Swap");
    t.ItemClick("median");
    t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C);
  }));
  EXPECT_NE(window.clipboard().find("median GFLOP/s of the trials with each order (across) and kc (down)"),
            std::string::npos);
}

TEST(HeatMapView, TheKeyboardReachesTheCells) {
  Headless window("heatmap");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.NavMoveTo("**/##cell 1 1");
    t.NavActivate();
  }));
  EXPECT_TRUE(window.shell().selection().trial());
}

TEST(ParallelView, ADragAlongAnAxisFiltersAndAPressTakesItBack) {
  Headless window("parallel");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    const ImRect r = t.ItemInfo("**/canvas").RectFull;
    // The first axis is as far from the left as its labels need.
    const float x = r.Min.x + 3.5f * ImGui::GetFontSize();
    t.MouseMoveToPos({x, r.Min.y + 0.02f * r.GetHeight()});
    t.MouseDown(0);
    t.MouseMoveToPos({x, r.Min.y + 0.45f * r.GetHeight()});
    t.MouseUp(0);
  }));
  EXPECT_FALSE(window.shell().selection().filter_text().empty());
  EXPECT_TRUE(window.shell().selection().filter_error().empty());
  const std::size_t matching = window.shell().table().rows().size();
  EXPECT_GT(matching, 0u);
  EXPECT_LT(matching, 600u);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    const ImRect r = t.ItemInfo("**/canvas").RectFull;
    t.MouseMoveToPos({r.Min.x + 3.5f * ImGui::GetFontSize(), r.Min.y + 0.8f * r.GetHeight()});
    t.MouseClick(0);
  }));
  EXPECT_EQ(window.shell().selection().filter_text(), "");
  EXPECT_EQ(window.shell().table().rows().size(), 600u);
}

TEST(ParallelView, AnAxisIsFilteredByItsNameTooAndWhatIsTypedTakesTheBrushesAway) {
  Headless window("parallel");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemClick("**/kc");
    t.ItemClick("//$FOCUSED/128");
  }));
  EXPECT_EQ(window.shell().selection().filter_text(), "kc=128");
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemClick("**/GFLOP\\/s");
    t.ItemClick("//$FOCUSED/the upper tenth");
  }));
  EXPECT_EQ(window.shell().selection().filter_text().find("kc=128 and gflops>="), 0u);
  window.shell().selection().set_filter("mr=4");
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemClick("**/nv");
    t.ItemClick("//$FOCUSED/2");
  }));
  EXPECT_EQ(window.shell().selection().filter_text(), "nv=2");
}

TEST(ParallelView, BrushesStayWhenTheStudyGetsOn) {
  Headless window("parallel");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemClick("**/kc");
    t.ItemClick("//$FOCUSED/128");
  }));
  window.shell().show(made_up_snapshot(700));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemClick("**/nv");
    t.ItemClick("//$FOCUSED/2");
  }));
  EXPECT_EQ(window.shell().selection().filter_text(), "nv=2 and kc=128");
}

TEST(ParallelView, ADragWhoseAxisIsGoneFiltersNothing) {
  Headless window("parallel");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    const ImRect r = t.ItemInfo("**/canvas").RectFull;
    const float x = r.Max.x - 3.5f * ImGui::GetFontSize();  // the last axis
    t.MouseMoveToPos({x, r.Min.y + 0.1f * r.GetHeight()});
    t.MouseDown(0);
    t.MouseMoveToPos({x, r.Min.y + 0.6f * r.GetHeight()});
    // A study with fewer axes takes the place of the one that is dragged in.
    auto other = std::make_shared<Snapshot>();
    auto study = std::make_shared<StudySnapshot>(*made_up_study(4));
    study->ref.study = 2;
    other->databases.push_back({"made-up.db", true, "", {study}});
    window.shell().show(other);
    t.Yield(3);
    t.MouseUp(0);
  }));
  EXPECT_EQ(window.shell().selection().filter_text(), "");
}

// A study that runs comes anew while a filter still goes over many of its trials.
TEST(HeatMapView, TheParametersThatWereChosenStayWhileALargeStudyGetsOn) {
  Headless window("heatmap");
  window.shell().show(made_up_snapshot(20000));
  window.shell().selection().set_filter("mr>=1");
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.SetRef("Heat map");
    t.ComboClick("##across/mc");
    t.ComboClick("##down/order");
  }));
  for (std::size_t trials = 20100; trials < 20400; trials += 100) {
    window.shell().show(made_up_snapshot(trials));
    window.frame();
    EXPECT_FALSE(window.shell().table().done());
  }
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C); }));
  EXPECT_NE(window.clipboard().find("each mc (across) and order (down)"), std::string::npos) << window.clipboard();
}

TEST(HeatMapView, AnotherChoiceWhileTheFilterGoesOnIsDrawnFromWhatIsKnown) {
  Headless window("heatmap");
  window.shell().show(made_up_snapshot(20000));
  ASSERT_TRUE(window.settle());
  window.shell().selection().set_filter("mr=2 and state=ok");
  window.frame();
  ASSERT_FALSE(window.shell().table().done());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Heat map/Swap"); }));
  EXPECT_TRUE(window.settle());
}

TEST(CellTexture, OneThatGoesIsNoLongerDrawnFrom) {
  Headless window("run");
  window.frame();
  const auto textures = [] { return ImGui::GetPlatformIO().Textures.Size; };
  const int before = textures();
  {
    CellTexture texture;
    texture.set(2, 2, std::vector<ImU32>(4, IM_COL32_WHITE));
    window.frame();
    EXPECT_EQ(textures(), before + 1);
  }
  EXPECT_EQ(textures(), before);
  EXPECT_TRUE(window.settle());
}

TEST(ImportanceView, AParameterThatIsPressedShowsItsValues) {
  Headless window("importance");
  window.shell().show(made_up_snapshot(600));
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("**/kc"); }));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C); }));
  EXPECT_NE(window.clipboard().find("PED-ANOVA"), std::string::npos);
}

TEST(ParetoView, APointUnderThePointerIsHoveredAndAClickSelectsIt) {
  Headless window("pareto");
  window.shell().show(made_up_snapshot(2000));
  ASSERT_TRUE(window.settle());
  // Some place of the plot has a trial: the pointer goes along a line across it.
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    const ImRect r = front("Pareto");
    for (float x = 0.15f; x < 0.95f && !window.shell().selection().trial(); x += 0.01f) {
      t.MouseMoveToPos({r.Min.x + x * r.GetWidth(), r.Min.y + 0.5f * r.GetHeight()});
      t.Yield();
      if (window.shell().selection().hovered()) t.MouseClick(0);
    }
  }));
  EXPECT_TRUE(window.shell().selection().trial());
}

TEST(KernelView, FollowsTheSelectedTrialInEveryMode) {
  Headless window("kernel");
  window.shell().show(made_up_snapshot(50));
  window.shell().selection().select(TrialRef{{0, 1}, 5});  // bf16
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C); }));
  EXPECT_NE(window.clipboard().find("hot loop of bf16 tile"), std::string::npos) << window.clipboard();
}

TEST(DensePlots, ManyTrialsAreOnePictureAndTheSelectedOneStaysExact) {
  for (const char* view : {"run", "roofline", "pareto"}) {
    Headless window(view);
    const auto vertices = [&](std::size_t trials) {
      window.shell().show(made_up_snapshot(trials));
      EXPECT_TRUE(window.settle());
      return ImGui::GetDrawData()->TotalVtxCount;
    };
    const int few = vertices(500), many = vertices(50000);
    // A mark takes at least four vertices: 50,000 of them would be more than this whatever else is drawn.
    EXPECT_LT(many, 50000) << view;
    EXPECT_GT(few, 2000) << view;
    window.shell().selection().select(TrialRef{{0, 1}, 1});
    EXPECT_TRUE(window.settle());
    EXPECT_GT(ImGui::GetDrawData()->TotalVtxCount, many) << view;
  }
}

}  // namespace
}  // namespace gemwright::app::gui
