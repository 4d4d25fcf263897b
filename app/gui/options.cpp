#include "app/gui/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "app/gui/shell.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app::gui {
namespace {

constexpr int kUsage = 2;
// No screen is larger, and no window of use is smaller.
constexpr std::int64_t kMinSide = 320, kMaxSide = 16384;

struct Raw {
  std::vector<std::string> databases;
  std::string view, size, theme, screenshot, ready_file;
  std::optional<double> scale;
  std::optional<std::int64_t> study;
  bool no_config = false;
};

ParsedOptions refuse(const std::string& sentence) {
  fmt::print(stderr, "gemwright-gui: {}\n", sentence);
  return {std::nullopt, kUsage};
}

bool parse_size(const std::string& text, GuiOptions& out) {
  const auto parts = tuner::split(text, 'x');
  if (parts.size() != 2) return false;
  const auto width = tuner::parse_count(parts[0]), height = tuner::parse_count(parts[1]);
  const auto fits = [](const auto& v) { return v && *v >= kMinSide && *v <= kMaxSide; };
  if (!fits(width) || !fits(height)) return false;
  out.width = static_cast<int>(*width);
  out.height = static_cast<int>(*height);
  return true;
}

ParsedOptions check(const Raw& raw) {
  GuiOptions out;
  const auto views = view_names();
  if (!raw.view.empty() && std::find(views.begin(), views.end(), raw.view) == views.end()) {
    return refuse(fmt::format("--view {} is unknown: choose {}", tuner::quote(raw.view), fmt::join(views, ", ")));
  }
  if (!raw.size.empty() && !parse_size(raw.size, out)) {
    return refuse(fmt::format("--size {} is not WIDTHxHEIGHT with sides from {} to {}, for example 1280x800",
                              tuner::quote(raw.size), kMinSide, kMaxSide));
  }
  if (raw.scale && !(*raw.scale >= kMinScale && *raw.scale <= kMaxScale)) {
    return refuse(fmt::format("--scale must be from {} to {}", kMinScale, kMaxScale));
  }
  out.scale = raw.scale;
  if (raw.study && *raw.study < 1) return refuse("--study takes the number of a study, as 'gemwright show' prints it");
  out.study = raw.study;
  if (!raw.theme.empty()) {
    out.theme = parse_theme(raw.theme);
    if (!out.theme) {
      return refuse(fmt::format("--theme {} is unknown: choose dark, light or contrast", tuner::quote(raw.theme)));
    }
  }
  out.view = raw.view;
  out.screenshot = raw.screenshot;
  out.ready_file = raw.ready_file;
  // A picture is the same on every machine.
  out.config = !raw.no_config && raw.screenshot.empty();
  for (const std::string& d : raw.databases) out.databases.emplace_back(d);
  if (out.databases.empty()) {
    const char* const named = std::getenv("GEMWRIGHT_DB");
    out.databases.emplace_back(named != nullptr && *named != '\0' ? named : "gemwright.db");
  }
  return {out, 0};
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  Raw raw;
  CLI::App app("The window of gemwright: studies, trials and the machine, linked", "gemwright-gui");
  app.set_version_flag("--version", GEMWRIGHT_VERSION);
  app.add_option("--db", raw.databases,
                 "Database file, may be given several times (default: $GEMWRIGHT_DB or gemwright.db)")
      ->allow_extra_args(false);
  app.add_option("--view", raw.view, fmt::format("View that is shown first: {}", fmt::join(view_names(), ", ")));
  app.add_option("--study", raw.study, "Number of the study that is selected first, of the first database that has it");
  app.add_option("--size", raw.size, "WIDTHxHEIGHT of the window, 1280x800 at first");
  app.add_option("--scale", raw.scale, "Of text and everything else, 1 is normal");
  app.add_option("--theme", raw.theme, "dark, light or contrast");
  app.add_option("--screenshot", raw.screenshot, "Draws the view once into this PNG file and ends");
  app.add_option("--ready-file", raw.ready_file, "Is written when the first picture with data is shown (for scripts)");
  app.add_flag("--no-config", raw.no_config, "Neither read nor write the remembered settings");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const bool asked = e.get_exit_code() == 0;
    if (asked) {
      app.exit(e);
      return {std::nullopt, 0};
    }
    return refuse(e.what());
  }
  return check(raw);
}

}  // namespace gemwright::app::gui
