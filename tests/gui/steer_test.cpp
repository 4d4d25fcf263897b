// Studies are steered, databases opened and closed: by mouse and by keyboard.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/gui/headless.h"
#include "tests/gui/real_study.h"

namespace gemwright::app::gui {
namespace {

struct Event {
  tuner::EventKind kind;
  std::string argument;
  bool operator==(const Event&) const = default;
};
void PrintTo(const Event& e, std::ostream* os) { *os << tuner::to_text(e.kind) << " " << e.argument; }

std::vector<Event> events(const RealStudy& real) {
  std::vector<Event> out;
  for (const tuner::StudyEvent& e : real.events()) out.push_back({e.kind, e.argument});
  return out;
}

TEST(Steering, ByKeyboardAloneThroughTheCommandList) {
  const RealStudy real("steer-keys");
  Headless window("run");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    t.Yield(2);
    t.KeyChars("pin a par");
    t.KeyPress(ImGuiKey_Enter);
    t.Yield(4);
    t.KeyChars("mr=4");
    t.KeyPress(ImGuiKey_Enter);
  }));
  ASSERT_EQ(events(real), (std::vector<Event>{{tuner::EventKind::pin, "mr=4"}}));
  EXPECT_NE(window.shell().notice().find("only configs with mr=4"), std::string::npos);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_E);
    t.Yield(4);
    t.KeyPress(ImGuiKey_Enter);  // what is offered
  }));
  ASSERT_EQ(events(real).size(), 2u);
  EXPECT_EQ(events(real).back(), (Event{tuner::EventKind::extend, "30s"}));
  // What cannot be is said.
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_P); }));
  EXPECT_NE(window.shell().notice().find("not running"), std::string::npos);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiKey_DownArrow);
    t.KeyPress(ImGuiKey_M);
  }));
  EXPECT_EQ(events(real).size(), 3u);
  EXPECT_EQ(events(real).back().kind, tuner::EventKind::again);
  EXPECT_EQ(ImGui::GetCurrentContext()->OpenPopupStack.Size, 0);
}

TEST(Steering, AStudyIsPausedByKeyRightAfterItWasToldToGoOn) {
  const RealStudy real("steer-starting");
  DeskHooks hooks;
  hooks.tune = [](const TuningJob&, const TuningSink& sink) -> tuner::Result<void> {
    while (!sink.stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return tuner::fail("interrupted", tuner::ErrorKind::interrupted);
  };
  Headless window("run", {}, std::move(hooks));
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_G);
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_P);
  }));
  ASSERT_EQ(events(real), (std::vector<Event>{{tuner::EventKind::pause, ""}}));
  window.shell().show(real.snapshot());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    IM_CHECK(!t.ItemExists("//Run/**/Go on"));
    t.ItemClick("//Run/**/Resume");
  }));
  EXPECT_EQ(events(real).back().kind, tuner::EventKind::resume);
}

TEST(Steering, ByMouseThroughMenusOfTrialsParametersAndStudies) {
  const RealStudy real("steer-mouse");
  Headless window("trials");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  const auto id = real.study.winner.id;
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.ItemClick(fmt::format("**/##trial {}", id).c_str(), ImGuiMouseButton_Right);
    t.ItemClick("//$FOCUSED/Measure again");
  }));
  ASSERT_EQ(events(real), (std::vector<Event>{{tuner::EventKind::again, std::to_string(id)}}));
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.ItemClick(fmt::format("**/##trial {}", id).c_str());
    t.ItemClick("//Inspector/**/mr/4");
    t.ItemClick("//$FOCUSED/Veto mr=4");
  }));
  EXPECT_EQ(events(real).back(), (Event{tuner::EventKind::veto, "mr=4"}));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemClick("//Studies/**/##study", ImGuiMouseButton_Right);
    t.ItemClick("//$FOCUSED/Extend its budget...");
    t.Yield(4);
    t.KeyPress(ImGuiKey_Escape);
    t.Yield(4);
    IM_CHECK(ImGui::GetCurrentContext()->OpenPopupStack.Size == 0);
  }));
  EXPECT_EQ(events(real).size(), 2u);  // it was only asked
}

TEST(Databases, AreOpenedFromTheirFolderAndClosedByKeys) {
  const RealStudy real("open");
  std::vector<std::filesystem::path> opened, closed;
  DeskHooks hooks;
  hooks.open = [&](const auto& file) { opened.push_back(file); };
  hooks.close = [&](const auto& file) { closed.push_back(file); };
  Headless window("run", {}, std::move(hooks));
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  const std::string typed = (real.folder / "tu").string();
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_O);
    t.Yield(4);
    t.KeyChars(typed.c_str());
  }));
  ASSERT_TRUE(window.comes([&] { return window.desk().found() == std::vector{real.database.string()}; }));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiKey_DownArrow);
    t.KeyPress(ImGuiKey_Enter);
  }));
  EXPECT_TRUE(window.comes([&] { return opened == std::vector{real.database}; }));
  EXPECT_EQ(window.shell().settings().recent, std::vector{real.database.string()});
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_W); }));
  EXPECT_EQ(closed, std::vector{real.database});
}

TEST(Databases, OneThatIsClosedLeavesTheOthersWhereTheyAre) {
  const RealStudy real("closed");
  Headless window("run");
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->databases.push_back({"gone.db", false, "", {}, true});
  auto study = std::make_shared<StudySnapshot>(*real.snapshot()->databases.front().studies.front());
  study->ref.database = 1;
  snapshot->databases.push_back({real.database, true, "", {study}});
  window.shell().show(snapshot);
  ASSERT_TRUE(window.settle());
  EXPECT_EQ(window.shell().selection().study(), (StudyRef{1, real.study.record.id}));
  EXPECT_FALSE(snapshot->loading());
}

}  // namespace
}  // namespace gemwright::app::gui
