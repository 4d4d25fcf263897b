// Whether a database file may have changed since it was last read, without opening it: for a reader that looks often at
// a file that hardly ever changes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace gemwright::app {

// Of the file and of the log beside it, into which a writer commits first.
struct DatabaseStamp {
  std::vector<std::int64_t> numbers;
  bool operator==(const DatabaseStamp&) const = default;
};

// To be taken before the file is read. Nothing where the file is not there, or was written so lately that a later write
// might bear the same time: then only reading tells. `now`: unix nanoseconds.
std::optional<DatabaseStamp> settled_stamp(const std::filesystem::path& database, std::int64_t now);

}  // namespace gemwright::app
