// A copy of a database before its tables change, for whoever must go back to an earlier gemwright.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "db/sqlite.h"

namespace gemwright::db {

// Copies what is committed in `file` to "FILE.bak-vVERSION", with a number added where that name is taken: no file is
// ever overwritten. The copy gets its name when it is whole and on the disk; a process killed on the way leaves
// "FILE.bak-vVERSION.partial", which the next one replaces. The caller holds the write lock of `file`, so that there is
// one at a time and the copy is the last state before the change.
Result<void> back_up(const std::filesystem::path& file, std::int64_t version, std::chrono::milliseconds busy_timeout);

}  // namespace gemwright::db
