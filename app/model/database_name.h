// What a window calls its databases.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/model/snapshot.h"

namespace gemwright::app {

// The end of `path` that none of `others` has: its file name, behind as many folders as tell it apart. All are absolute
// and in normal form.
std::string telling_name(const std::filesystem::path& path, const std::vector<std::filesystem::path>& others);

// That of `database` among those of the snapshot that are open.
std::string database_name(const Snapshot& snapshot, const DatabaseSnapshot& database);

}  // namespace gemwright::app
