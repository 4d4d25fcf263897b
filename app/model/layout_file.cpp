#include "app/model/layout_file.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/model/write_file.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 3> kThemes{"dark", "light", "contrast"};
// A docking layout takes a few kilobytes.
constexpr std::uintmax_t kMaxBytes = 1 << 20;
// No screen is larger, and no window of use is smaller.
constexpr std::size_t kMaxRecent = 100;
constexpr int kMinSide = 320, kMaxSide = 16384;

LoadedSettings defaults(std::string notice) { return {{}, std::move(notice)}; }

// True where the field is missing or was taken; false where it holds something else.
template <class T, class Valid>
bool take(const json& j, const char* name, T& value, Valid valid) {
  const auto it = j.find(name);
  if (it == j.end()) return true;
  const bool right_type = std::is_same_v<T, std::string> ? it->is_string() : it->is_number();
  if (!right_type) return false;
  if constexpr (std::is_same_v<T, int>) {
    if (!it->is_number_integer() || it->template get<double>() < kMinSide || it->template get<double>() > kMaxSide) {
      return false;
    }
  }
  const T read = it->template get<T>();
  if (!valid(read)) return false;
  value = read;
  return true;
}

// As `take`, of a list of texts.
bool take_recent(const json& j, std::vector<std::string>& recent) {
  const auto it = j.find("recent");
  if (it == j.end()) return true;
  if (!it->is_array() || it->size() > kMaxRecent) return false;
  for (const json& file : *it) {
    if (!file.is_string()) return false;
    recent.push_back(file.get<std::string>());
  }
  return true;
}

bool take_all(const json& j, WindowSettings& s) {
  const auto any = [](const auto&) { return true; };
  std::string theme = to_text(s.theme);
  const bool ok = take(j, "theme", theme, [](const std::string& t) { return parse_theme(t).has_value(); }) &&
                  take(j, "scale", s.scale, [](double v) { return v >= kMinScale && v <= kMaxScale; }) &&
                  take(j, "width", s.width, any) && take(j, "height", s.height, any) && take(j, "view", s.view, any) &&
                  take(j, "docking", s.docking, any) && take_recent(j, s.recent);
  if (ok) s.theme = *parse_theme(theme);
  return ok;
}

}  // namespace

const char* to_text(Theme theme) { return kThemes[static_cast<std::size_t>(theme)]; }

std::optional<Theme> parse_theme(const std::string& text) {
  for (std::size_t i = 0; i < kThemes.size(); ++i) {
    if (text == kThemes[i]) return static_cast<Theme>(i);
  }
  return std::nullopt;
}

std::optional<std::filesystem::path> settings_path() {
  const auto folder = [](const char* name) -> std::optional<std::filesystem::path> {
    const char* const value = std::getenv(name);
    // The XDG rules: a relative path is to be passed over.
    if (value == nullptr || *value != '/') return std::nullopt;
    return std::filesystem::path(value);
  };
  if (const auto config = folder("XDG_CONFIG_HOME")) return *config / "gemwright" / "window.json";
  if (const auto home = folder("HOME")) return *home / ".config" / "gemwright" / "window.json";
  return std::nullopt;
}

std::string settings_text(const WindowSettings& s) {
  const json j{{"type", "gemwright window"},
               {"version", kLayoutVersion},
               {"theme", to_text(s.theme)},
               {"scale", s.scale},
               {"width", s.width},
               {"height", s.height},
               {"view", s.view},
               {"recent", s.recent},
               {"docking", s.docking}};
  return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

LoadedSettings parse_settings(const std::string& text, const std::string& file) {
  const json j = json::parse(text, nullptr, false);
  const std::string replaced = "the window starts with its defaults";
  if (!j.is_object()) return defaults(fmt::format("{} is not a settings file: {}", file, replaced));
  const auto version = j.find("version");
  if (version == j.end() || !version->is_number_integer()) {
    return defaults(fmt::format("{} names no version: {}", file, replaced));
  }
  if (*version != kLayoutVersion) {
    return defaults(fmt::format("{} is of version {}, this gemwright knows version {}: {}", file, version->dump(),
                                kLayoutVersion, replaced));
  }
  WindowSettings s;
  if (!take_all(j, s)) return defaults(fmt::format("{} holds a value that cannot be: {}", file, replaced));
  return {s, ""};
}

LoadedSettings load_settings(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  const auto text = tuner::read_text_file(file, kMaxBytes);
  return text ? parse_settings(*text, file.string()) : defaults(text.error().message);
}

tuner::Result<void> save_settings(const std::filesystem::path& file, const WindowSettings& settings) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) {
    return tuner::fail(fmt::format("cannot make the folder {}: {}", file.parent_path().string(), error.message()));
  }
  return write_file(file, settings_text(settings));
}

}  // namespace gemwright::app
