#include "app/model/layout_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace gemwright::app {
namespace {

WindowSettings some_settings() {
  WindowSettings s;
  s.theme = Theme::light;
  s.scale = 1.5;
  s.width = 1600;
  s.view = "trials";
  s.recent = {"/data/new.db", "/data/old.db"};
  s.docking = "[Window][Run]\nPos=1,2\n";
  return s;
}

TEST(LayoutFile, WhatIsSavedIsLoadedAgain) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gemwright-layout" / "deep" / "window.json";
  std::filesystem::remove_all(file.parent_path().parent_path());
  EXPECT_EQ(load_settings(file).settings, WindowSettings{});
  EXPECT_TRUE(load_settings(file).notice.empty());
  ASSERT_TRUE(save_settings(file, some_settings()));
  const LoadedSettings loaded = load_settings(file);
  EXPECT_EQ(loaded.settings, some_settings());
  EXPECT_TRUE(loaded.notice.empty());
}

TEST(LayoutFile, AnUnknownVersionGivesTheDefaultsAndSaysSo) {
  const auto loaded = parse_settings(R"({"version": 7, "scale": 2})", "w.json");
  EXPECT_EQ(loaded.settings, WindowSettings{});
  EXPECT_EQ(loaded.notice,
            "w.json is of version 7, this gemwright knows version 1: the window starts with its defaults");
}

TEST(LayoutFile, WhatIsNoSettingsFileGivesTheDefaultsAndANotice) {
  for (const char* text :
       {"", "[]", "null", "{", "{}", R"({"version": "1"})", R"({"version": 1, "scale": "large"})",
        R"({"version": 1, "scale": 1e9})", R"({"version": 1, "theme": "pink"})", R"({"version": 1, "width": 1e99})",
        R"({"version": 1, "height": -3})", R"({"version": 1, "width": 700.5})", R"({"version": 1, "docking": []})",
        R"({"version": 1, "recent": [1]})", R"({"version": 1, "recent": "a.db"})"}) {
    const auto loaded = parse_settings(text, "w.json");
    EXPECT_EQ(loaded.settings, WindowSettings{}) << text;
    EXPECT_NE(loaded.notice.find("w.json"), std::string::npos) << text;
  }
}

TEST(LayoutFile, AFolderThatCannotBeMadeIsOneSentence) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gemwright-plain-file";
  std::ofstream(file) << "text";
  const auto saved = save_settings(file / "window.json", {});
  ASSERT_FALSE(saved);
  EXPECT_NE(saved.error().message.find(file.string()), std::string::npos);
}

TEST(LayoutFile, TheFolderIsThatOfXdgAndARelativeOneIsPassedOver) {
  setenv("XDG_CONFIG_HOME", "/somewhere", 1);
  EXPECT_EQ(settings_path(), "/somewhere/gemwright/window.json");
  setenv("XDG_CONFIG_HOME", "relative", 1);
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(settings_path(), "/home/me/.config/gemwright/window.json");
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("HOME");
  EXPECT_FALSE(settings_path());
}

}  // namespace
}  // namespace gemwright::app
