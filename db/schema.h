// The tables of a gemwright database, as ordered migrations. A released migration is never edited: its digest is
// recorded in the database, and a database made by another text of the same version is refused. A change is a new
// migration.
//
// Rules of the tables: STRICT; times are integer nanoseconds, wall times unix nanoseconds; absent is NULL; ids are
// local and natural keys (fingerprint, digest, canonical text) identify a row across databases; raw samples are the
// truth, estimates a cache that names its method; constraints refuse values that cannot have been measured.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "db/sqlite.h"

namespace gemwright::db {

constexpr std::int64_t kApplicationId = 0x474D5752;  // "GMWR"

struct Migration {
  int version = 0;  // 1, 2, 3 ...
  std::string_view sql;
};

const std::vector<Migration>& migrations();
inline int newest_version() { return migrations().back().version; }

// The first ones, up to and with `version`.
std::vector<Migration> migrations_up_to(std::int64_t version);

// Called under the write lock before a database of an earlier version changes; after a failure it stays as it is.
using BeforeUpgrade = std::function<Result<void>(std::int64_t version)>;

// Brings the database to the last of `steps` in one transaction: a process killed on the way leaves it as it was. Does
// nothing when it is there already, and refuses one whose earlier tables are not those of `steps`.
Result<void> migrate(const Connection& connection, const std::vector<Migration>& steps,
                     const BeforeUpgrade& before = {});

// Whether the recorded digests are those of `steps`.
Result<void> check_migrations(const Connection& connection, const std::vector<Migration>& steps);

}  // namespace gemwright::db
