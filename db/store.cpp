#include "db/store.h"

#include <utility>

#include "db/inspect.h"
#include "db/sqlite_store.h"

namespace gemwright::db {

Result<std::unique_ptr<tuner::Store>> open_store(const std::filesystem::path& file, OpenMode mode,
                                                 std::chrono::milliseconds busy_timeout) {
  auto connection = open_database(file, mode, busy_timeout);
  if (!connection) return tl::unexpected(connection.error());
  return std::make_unique<SqliteStore>(*std::move(connection), mode);
}

}  // namespace gemwright::db
