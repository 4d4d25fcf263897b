// The command line of gemwright-gui.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/model/layout_file.h"
#include "tuner/study/records.h"

namespace gemwright::app::gui {

struct GuiOptions {
  std::vector<std::filesystem::path> databases;  // never empty
  std::string view;                              // empty: the one that was open last
  std::optional<tuner::StudyId> study;           // selected first; nothing: the one that was touched last
  std::optional<int> width, height;
  std::optional<double> scale;
  std::optional<Theme> theme;
  std::filesystem::path screenshot, ready_file;
  bool config = true;  // false: nothing is read from or written to the user's settings
};

// The options, or the exit code to end with: 0 after --help, 2 after a usage error, whose sentence was printed.
struct ParsedOptions {
  std::optional<GuiOptions> options;
  int exit_code = 0;
};
ParsedOptions parse_options(int argc, char** argv);

}  // namespace gemwright::app::gui
