// The Export view: what would be written, against the file, written.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/gui/headless.h"
#include "tests/gui/real_study.h"

namespace gemwright::app::gui {
namespace {

std::string content(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(ExportView, ByMouseOptionsAreChosenAndTheHeaderIsWritten) {
  const RealStudy real("export-mouse");
  Headless window("export");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  const auto file = real.folder / "mine.h";
  EXPECT_TRUE(window.act([&](ImGuiTestContext& t) {
    t.ItemInputValue("//Export/**/##output", file.c_str());
    t.ItemInputValue("//Export/**/##namespace", "mine");
  }));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Export/**/Write"); }));
  EXPECT_NE(content(file).find("namespace mine"), std::string::npos);
  EXPECT_NE(window.shell().notice().find("written"), std::string::npos);
  const auto database = real.snapshot()->databases.front();
  EXPECT_TRUE(window.desk().export_state(database).diff.lines.empty());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemInputValue("//Export/**/##namespace", "yours");
    t.ItemClick("//Export/**/Changes");
  }));
  EXPECT_GT(window.desk().export_state(database).diff.added, 0u);
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.ItemClick("//Export/**/Copy as text"); }));
  EXPECT_NE(window.clipboard().find("namespace yours"), std::string::npos);
}

TEST(ExportView, ByKeyboardAloneTheHeaderIsWritten) {
  const RealStudy real("export-keys");
  Headless window("run");
  window.desk().export_file = (real.folder / "keys.h").string();
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_K);
    t.Yield(2);
    t.KeyChars("show export");
    t.KeyPress(ImGuiKey_Enter);
  }));
  EXPECT_EQ(window.shell().shown_view(), "export");
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) { t.KeyPress(ImGuiMod_Ctrl | ImGuiKey_S); }));
  EXPECT_GT(content(real.folder / "keys.h").size(), 1000u);
}

TEST(ExportView, SaysInWordsWhyThereIsNoHeader) {
  const RealStudy real("export-wrong");
  Headless window("export");
  window.shell().show(real.snapshot());
  ASSERT_TRUE(window.settle());
  EXPECT_TRUE(window.act([](ImGuiTestContext& t) {
    t.ItemInputValue("//Export/**/##studies", "tea=yes");
    t.KeyPress(ImGuiMod_Ctrl | ImGuiMod_Shift | ImGuiKey_C);
  }));
  const ExportState& state = window.desk().export_state(real.snapshot()->databases.front());
  EXPECT_FALSE(state.plan);
  EXPECT_NE(state.error.find("tea"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::app::gui
