// Decides whether a file may be used as a gemwright database before anything in it can change, and opens it.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "db/sqlite.h"
#include "db/store.h"

namespace gemwright::db {

// A connection to a database of this version. It is made where `mode` allows it. One of an earlier version is brought
// up to date, for reading too where the file may be written; the copy "FILE.bak-v1" of what it was before stays beside
// it.
Result<std::unique_ptr<Connection>> open_database(const std::filesystem::path& name, OpenMode mode,
                                                  std::chrono::milliseconds busy_timeout);

// SQLite's write-ahead log needs memory shared between its users, which a network file system does not give. `type` is
// statfs's f_type.
bool is_network_file_system(std::uint32_t type);

}  // namespace gemwright::db
