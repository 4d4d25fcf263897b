// What the window remembers between two starts: theme, scale, shown view, databases, and where its panels are docked.
//
// One JSON file, $XDG_CONFIG_HOME/gemwright/window.json (else ~/.config/...), written whole or not at all. A file that
// cannot be read, or is of another version, gives the defaults and a notice in words; it is replaced at the next save.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/result.h"

namespace gemwright::app {

constexpr int kLayoutVersion = 1;

enum class Theme { dark, light, contrast };
const char* to_text(Theme theme);
std::optional<Theme> parse_theme(const std::string& text);

// Of the user's own scale, on top of the screen's.
constexpr double kMinScale = 0.5, kMaxScale = 4;

struct WindowSettings {
  Theme theme = Theme::dark;
  double scale = 1;
  int width = 1280, height = 800;
  std::string view = "run";
  std::vector<std::string> recent;  // databases, the newest first
  std::string docking;              // as Dear ImGui writes it; empty: the default layout

  bool operator==(const WindowSettings&) const = default;
};

struct LoadedSettings {
  WindowSettings settings;
  std::string notice;  // why these are the defaults; empty where all is well
};

// $XDG_CONFIG_HOME/gemwright/window.json; nothing where neither it nor $HOME tells a folder.
std::optional<std::filesystem::path> settings_path();

std::string settings_text(const WindowSettings& settings);
LoadedSettings parse_settings(const std::string& text, const std::string& file);
// No notice where the file does not exist.
LoadedSettings load_settings(const std::filesystem::path& file);
// Makes the folder where it is missing.
tuner::Result<void> save_settings(const std::filesystem::path& file, const WindowSettings& settings);

}  // namespace gemwright::app
