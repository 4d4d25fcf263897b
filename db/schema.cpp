#include "db/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

// Inlined: no library to link for one digest.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "db/schema_steps.h"

namespace gemwright::db {
namespace {

using tuner::fail;

std::string digest_of(std::string_view sql) {
  const XXH128_hash_t hash = XXH3_128bits(sql.data(), sql.size());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

// Within a transaction.
Result<void> apply(const Connection& connection, const Migration& step) {
  const std::int64_t now =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  if (auto r = connection.script(std::string(step.sql)); !r) return r;
  if (auto r = connection.run("INSERT INTO schema_migration (version, digest, applied_at) VALUES (?, ?, ?)",
                              step.version, digest_of(step.sql), now);
      !r) {
    return r;
  }
  // A PRAGMA takes no bound parameters; both values are our own numbers.
  return connection.script(
      fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, step.version));
}

std::vector<Migration> up_to(std::int64_t version, const std::vector<Migration>& steps) {
  std::vector<Migration> out;
  std::copy_if(steps.begin(), steps.end(), std::back_inserter(out),
               [&](const Migration& step) { return step.version <= version; });
  return out;
}

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> kMigrations = {{1, kVersion1}, {2, kVersion2}, {3, kVersion3}};
  return kMigrations;
}

std::vector<Migration> migrations_up_to(std::int64_t version) { return up_to(version, migrations()); }

Result<void> migrate(const Connection& connection, const std::vector<Migration>& steps, const BeforeUpgrade& before) {
  auto version = connection.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version >= steps.back().version) return {};
  auto transaction = Transaction::write(connection);
  if (!transaction) return tl::unexpected(transaction.error());
  // Again under the lock: another process may have done it in the meantime.
  version = connection.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version >= steps.back().version) return {};
  if (*version > 0) {
    if (auto r = check_migrations(connection, up_to(*version, steps)); !r) return r;
    if (before) {
      if (auto r = before(*version); !r) return r;
    }
  }
  for (const Migration& step : steps) {
    if (step.version <= *version) continue;
    if (auto r = apply(connection, step); !r) return r;
  }
  return transaction->commit();
}

Result<void> check_migrations(const Connection& connection, const std::vector<Migration>& steps) {
  auto rows = connection.query("SELECT version, digest FROM schema_migration ORDER BY version");
  if (!rows) return tl::unexpected(rows.error());
  for (const Migration& step : steps) {
    const auto row = rows->step();
    if (!row) return tl::unexpected(row.error());
    if (!*row || rows->integer(0) != step.version || rows->text(1) != digest_of(step.sql)) {
      return fail(
          fmt::format("{} was made by an unreleased gemwright whose tables differ: choose another file with --db",
                      connection.name()));
    }
  }
  return {};
}

}  // namespace gemwright::db
