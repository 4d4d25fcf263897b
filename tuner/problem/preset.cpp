// Presets: the JSON shape files of the presets folder, found by name.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <system_error>

#include "tuner/problem/input_text.h"
#include "tuner/problem/suite.h"

namespace gemwright::tuner {
namespace {

// Letters, digits, '.', '_' and '-', not beginning with a dot: no way out of the folder.
bool is_preset_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  return !name.empty() && name.size() <= 100 && name[0] != '.' &&
         name.find_first_not_of(kAllowed) == std::string_view::npos;
}

}  // namespace

std::vector<std::string> preset_names(const std::filesystem::path& presets_dir) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(presets_dir, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() == ".json" && is_preset_name(path.stem().string())) names.push_back(path.stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<Suite> read_preset(const std::filesystem::path& presets_dir, std::string_view name) {
  const auto names = preset_names(presets_dir);
  if (names.empty()) {
    return fail(fmt::format("no presets in {}", printable(presets_dir.string(), 4096)));
  }
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return fail(fmt::format("unknown preset {}; known are: {}", quote(name), fmt::join(names, ", ")), ErrorKind::usage);
  }
  return read_shapes_file(presets_dir / fmt::format("{}.json", name));
}

}  // namespace gemwright::tuner
