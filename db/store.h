// The SQLite store: what the tuner records, in one file that outlives every process.
//
// A call that writes is one transaction; when it returns, its rows survive a kill of the process at any moment (after a
// loss of power the last few may be missing, never a part of one). Any number of processes may use the file at once:
// writers take turns and wait for each other up to the busy timeout, readers wait for nobody.
//
// A file of an earlier version is brought up to date when it is opened, in one transaction; the copy "FILE.bak-v1" of
// what it was before stays beside it, for whoever goes back to the earlier gemwright.
//
// A file that cannot be used is refused with one sentence and is left as it is, byte for byte: a folder, another
// application's database, a damaged one, one of a newer gemwright. A store belongs to one thread and does not survive
// fork.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "tuner/result.h"
#include "tuner/study/store.h"

namespace gemwright::db {

enum class OpenMode {
  read_write,  // makes the file when there is none
  read_only,   // the file must exist
};

constexpr std::chrono::milliseconds kBusyTimeout{5000};  // a writer holds the lock for milliseconds; this is patience

tuner::Result<std::unique_ptr<tuner::Store>> open_store(const std::filesystem::path& file, OpenMode mode,
                                                        std::chrono::milliseconds busy_timeout = kBusyTimeout);

// Reads the whole file and changes nothing: pages, references between rows, schema version. One line for people when
// all is well.
tuner::Result<std::string> check_health(const std::filesystem::path& file);

}  // namespace gemwright::db
