#include "app/model/database_name.h"

#include <algorithm>

namespace gemwright::app {
namespace {

namespace fs = std::filesystem;

// How many parts two paths have in common at their ends.
std::ptrdiff_t common_end(const std::vector<fs::path>& x, const std::vector<fs::path>& y) {
  const auto differ = std::mismatch(x.rbegin(), x.rend(), y.rbegin(), y.rend());
  return differ.first - x.rbegin();
}

fs::path whole(const fs::path& path) {
  std::error_code unknown;
  return fs::absolute(path, unknown).lexically_normal();
}

}  // namespace

std::string telling_name(const fs::path& path, const std::vector<fs::path>& others) {
  const std::vector<fs::path> parts(path.begin(), path.end());
  std::ptrdiff_t common = 0;
  for (const fs::path& other : others) {
    if (other != path) common = std::max(common, common_end(parts, {other.begin(), other.end()}));
  }
  const auto count = static_cast<std::ptrdiff_t>(parts.size());
  fs::path name;
  for (auto i = count - std::min(common + 1, count); i < count; ++i) name /= parts[static_cast<std::size_t>(i)];
  return name.string();
}

std::string database_name(const Snapshot& snapshot, const DatabaseSnapshot& database) {
  std::vector<fs::path> others;
  for (const DatabaseSnapshot& d : snapshot.databases) {
    if (!d.closed && d.path != database.path && d.path.filename() == database.path.filename()) {
      others.push_back(whole(d.path));
    }
  }
  return others.empty() ? database.path.filename().string() : telling_name(whole(database.path), others);
}

}  // namespace gemwright::app
