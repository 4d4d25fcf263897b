#include "db/inspect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "db/backup.h"
#include "db/schema.h"
#include "tuner/problem/input_text.h"

namespace gemwright::db {
namespace {

namespace fs = std::filesystem;
using tuner::fail;

constexpr int kHeaderBytes = 100;  // of a SQLite file
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
// A file up to this size is read and checked whole before it is written to, which takes 0.2 s; 30 MB would take 1.2 s.
// Damage in a larger one is noticed by the statement that meets it, and by `doctor`.
constexpr std::int64_t kCheckedBytes = 4 << 20;

// What the first bytes of a file say, read without touching it.
struct Header {
  std::int64_t size = 0;
  std::int64_t promised_size = 0;  // by the count of pages; 0 where that is not kept
  bool is_sqlite = false;
  bool has_log = false;  // the format that keeps a write-ahead log
  std::int64_t application_id = 0;
  std::int64_t version = 0;
};

std::int64_t big_endian(const std::string& bytes, std::size_t at, std::size_t count = 4) {
  std::int64_t value = 0;
  for (std::size_t i = at; i < at + count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::int64_t promised_size(const std::string& bytes) {
  const std::int64_t page = big_endian(bytes, 16, 2);
  const bool kept = big_endian(bytes, 24) == big_endian(bytes, 92);
  return kept ? big_endian(bytes, 28) * (page == 1 ? 65536 : page) : 0;
}

Result<Header> read_header(const Connection& connection) {
  const auto bytes = connection.first_bytes(kHeaderBytes);
  if (!bytes) return tl::unexpected(bytes.error());
  const auto size = connection.file_size();  // after the count of pages: a writer may add some in between
  if (!size) return tl::unexpected(size.error());
  Header header;
  header.size = *size;
  header.is_sqlite = bytes->size() == kHeaderBytes && bytes->compare(0, kMagic.size(), kMagic) == 0;
  if (header.is_sqlite) {
    header.promised_size = promised_size(*bytes);
    header.has_log = (*bytes)[19] != 1;
    header.version = big_endian(*bytes, 60);
    header.application_id = big_endian(*bytes, 68);
  }
  return header;
}

// A path fit for a message of one line.
std::string shown(const fs::path& path) { return tuner::printable(path.string(), 4096); }

// The path of a companion file, as SQLite names it.
fs::path beside(const fs::path& file, const char* ending) { return fs::path(file.string() + ending); }

bool has_content(const fs::path& file) {
  std::error_code ec;
  const auto size = fs::file_size(file, ec);
  return !ec && size > 0;
}

bool unfinished(const fs::path& file) {
  return has_content(beside(file, "-wal")) || has_content(beside(file, "-journal"));
}

bool may_write_folder(const fs::path& folder) {
  return faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
}

bool may_write_file(const fs::path& file) { return faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) == 0; }

fs::path folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// What can be said without opening. Returns whether the file exists.
Result<bool> look_at(const fs::path& file, OpenMode mode) {
  if (file.empty()) return fail("the name of the database is empty: name a file with --db");
  if (file.string().find('\0') != std::string::npos) return fail("the name of the database contains a zero byte");
  std::error_code ec;
  const fs::file_status status = fs::status(file, ec);
  if (ec && status.type() != fs::file_type::not_found) {
    return fail(fmt::format("{} cannot be opened: {}", shown(file), ec.message()));
  }
  if (fs::is_directory(status)) {
    return fail(fmt::format("{} is a folder: name a file in it with --db", shown(file)));
  }
  const bool exists = fs::exists(status);
  if (exists && !fs::is_regular_file(status)) return fail(fmt::format("{} is not a regular file", shown(file)));
  const fs::path folder = folder_of(file);
  if (!fs::is_directory(folder, ec)) {
    return fail(fmt::format("the folder {} of {} does not exist: make it first", shown(folder), shown(file)));
  }
  if (mode == OpenMode::read_only) {
    if (!exists) return fail(fmt::format("there is no database {}: 'gemwright tune' makes one", shown(file)));
    return true;
  }
  if (!may_write_folder(folder)) {
    return fail(
        fmt::format("the folder {} may not be written, and SQLite keeps its log beside {}: choose another file "
                    "with --db",
                    shown(folder), shown(file.filename())));
  }
  if (exists && !may_write_file(file)) {
    return fail(fmt::format("{} may not be written: check its permissions", shown(file)));
  }
  return exists;
}

Result<bool> has_tables(const Connection& connection) {
  const auto count = connection.number("SELECT count(*) FROM sqlite_schema");
  if (!count) return tl::unexpected(count.error());
  return *count > 0;
}

tl::unexpected<tuner::Error> of_another_application(const std::string& name) {
  return fail(fmt::format("{} is the database of another application: choose another file with --db", name));
}

tl::unexpected<tuner::Error> of_newer_version(const std::string& name, std::int64_t version) {
  return fail(
      fmt::format("{} was written by a newer gemwright (schema version {}, this one knows {}): use that version or "
                  "choose another file with --db",
                  name, version, newest_version()));
}

tl::unexpected<tuner::Error> damaged(const std::string& name, std::string_view how) {
  return fail(fmt::format("{} is damaged ({}): restore it from a backup or choose another file with --db", name, how));
}

// Whether it is ours to use. Changes nothing. Returns whether it is still empty.
Result<bool> check_header(const Connection& connection, const fs::path& file, const Header& header) {
  if (header.size == 0) return true;
  if (!header.is_sqlite) {
    return fail(fmt::format("{} is not a SQLite database: choose another file with --db", connection.name()));
  }
  if (header.application_id == kApplicationId) {
    if (header.version > newest_version()) return of_newer_version(connection.name(), header.version);
    // SQLite fills a short last page with zeros. While a log or journal waits, the rest of the file may stand there.
    if (header.size < header.promised_size && !unfinished(file)) {
      return damaged(connection.name(), fmt::format("{} of {} bytes", header.size, header.promised_size));
    }
    return false;
  }
  // Only a file without a log and without an unfinished write can be read without leaving a trace.
  if (header.application_id != 0 || header.version != 0 || header.has_log || unfinished(file)) {
    return of_another_application(connection.name());
  }
  const auto tables = has_tables(connection);
  if (!tables) return tl::unexpected(tables.error());
  if (*tables) return of_another_application(connection.name());
  return true;
}

Result<void> check_pages(const Connection& connection, const char* pragma) {
  const auto finding = connection.word(pragma);
  if (!finding) return tl::unexpected(finding.error());
  if (*finding == "ok") return {};
  return damaged(connection.name(), finding->substr(0, finding->find('\n')));
}

Result<void> use_journal(const Connection& connection, const fs::path& file, std::chrono::milliseconds patience) {
  struct statfs info {};
  const bool shared =
      statfs(file.c_str(), &info) == 0 && is_network_file_system(static_cast<std::uint32_t>(info.f_type));
  // Answers with the mode that holds now; a file system without shared memory keeps the rollback journal, which is safe
  // too.
  const char* const wanted = shared ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL";
  auto mode = connection.word(wanted);
  // SQLite does not wait for another process here, which may be making the same database at this moment.
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!mode && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    mode = connection.word(wanted);
  }
  if (!mode) return tl::unexpected(mode.error());
  // With the log, NORMAL survives a kill and cannot corrupt; the rollback journal needs FULL for the latter.
  return connection.script(*mode == "wal" ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL");
}

// What is to happen to a database of an earlier version.
enum class Older { migrate, keep };

struct Opening {
  const fs::path& file;
  OpenMode mode;
  Access access;
  Older older;
  std::chrono::milliseconds patience;
};

// As SQLite sees the database, log included.
Result<std::int64_t> version_of(const Connection& connection) {
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return tl::unexpected(version.error());
  if (*version > newest_version()) return of_newer_version(connection.name(), *version);
  return *version;
}

// For reading too where the file may be written, so that nobody has to tune something before he can look.
Result<void> bring_up_to_date(const Connection& connection, const Opening& opening) {
  if (opening.access != Access::write && opening.access != Access::create) {
    return fail(
        fmt::format("{} was written by an older gemwright and must be brought up to date, but may not be written: copy "
                    "it to a folder where it may",
                    connection.name()));
  }
  const auto before = [&](std::int64_t version) { return back_up(opening.file, version, opening.patience); };
  return migrate(connection, migrations(), before);
}

Result<void> prepare(Connection& connection, const Opening& opening) {
  const auto header = read_header(connection);
  if (!header) return tl::unexpected(header.error());
  const auto empty = check_header(connection, opening.file, *header);
  if (!empty) return tl::unexpected(empty.error());
  const bool reads = opening.mode == OpenMode::read_only;
  if (*empty && reads) return fail(fmt::format("{} is empty: nothing has been tuned into it yet", connection.name()));
  if (auto r = connection.distrust_contents(); !r) return r;
  if (auto r = connection.script("PRAGMA foreign_keys=ON"); !r) return r;
  auto version = version_of(connection);
  if (!version) return tl::unexpected(version.error());
  const bool changes = *version < newest_version() && opening.older == Older::migrate;
  if (!*empty && (changes || !reads) && header->size <= kCheckedBytes) {
    if (auto r = check_pages(connection, "PRAGMA quick_check(1)"); !r) return r;
  }
  // Tables first and the log after them, so that the file itself always tells whose it is.
  if (changes) {
    if (auto r = bring_up_to_date(connection, opening); !r) return r;
    version = version_of(connection);
    if (!version) return tl::unexpected(version.error());
  }
  if (auto r = check_migrations(connection, migrations_up_to(*version)); !r) return r;
  return reads ? connection.script("PRAGMA query_only=ON") : use_journal(connection, opening.file, opening.patience);
}

// A reader that may write opens for writing and then forbids itself to: a read-only connection of SQLite leaves its log
// files behind. One that may not can follow a writer at work, and otherwise reads the file as it lies there.
Access access_for(const fs::path& file, OpenMode mode, bool exists) {
  if (mode == OpenMode::read_write) return exists ? Access::write : Access::create;
  if (may_write_folder(folder_of(file)) && may_write_file(file)) return Access::write;
  std::error_code ec;
  return fs::exists(beside(file, "-wal"), ec) || unfinished(file) ? Access::read : Access::immutable;
}

Result<std::unique_ptr<Connection>> open_any(const fs::path& name, OpenMode mode, Older older,
                                             std::chrono::milliseconds busy_timeout) {
  // SQLite keeps its log beside the file that a link leads to.
  std::error_code ec;
  const fs::path target = fs::is_symlink(name, ec) ? fs::weakly_canonical(name, ec) : name;
  const fs::path& file = ec ? name : target;
  const auto exists = look_at(file, mode);
  if (!exists) return tl::unexpected(exists.error());
  // What a killed writer left in its log stays there when the file is refused.
  const bool log_waits = has_content(beside(file, "-wal"));
  const Access access = access_for(file, mode, *exists);
  auto connection = Connection::open(file, access, busy_timeout);
  if (!connection) return connection;
  (*connection)->keep_log_on_close(log_waits);
  if (auto r = prepare(**connection, {file, mode, access, older, busy_timeout}); !r) return tl::unexpected(r.error());
  (*connection)->keep_log_on_close(false);
  return connection;
}

// "studies: 3, trials: 200": how many rows there are of what a person would look for.
Result<std::string> count_rows(const Connection& connection, std::int64_t version) {
  struct Count {
    std::int64_t since;
    const char *what, *sql;
  };
  constexpr std::array<Count, 5> kCounts = {{{1, "studies", "SELECT count(*) FROM study"},
                                             {1, "trials", "SELECT count(*) FROM trial"},
                                             {2, "ceilings", "SELECT count(*) FROM ceiling"},
                                             {2, "counters", "SELECT count(*) FROM counter"},
                                             {2, "events", "SELECT count(*) FROM event"}}};
  std::string out;
  for (const Count& count : kCounts) {
    if (count.since > version) continue;
    const auto rows = connection.number(count.sql);
    if (!rows) return tl::unexpected(rows.error());
    out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", count.what, *rows);
  }
  return out;
}

}  // namespace

bool is_network_file_system(std::uint32_t type) {
  // NFS, SMB, SMB2, CIFS, 9P, FUSE, from linux/magic.h and the kernel's sources.
  constexpr std::array<std::uint32_t, 6> kTypes{0x6969, 0x517B, 0xFE534D42, 0xFF534D42, 0x01021997, 0x65735546};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

Result<std::unique_ptr<Connection>> open_database(const fs::path& name, OpenMode mode,
                                                  std::chrono::milliseconds busy_timeout) {
  return open_any(name, mode, Older::migrate, busy_timeout);
}

Result<std::string> check_health(const fs::path& file) {
  auto connection = open_any(file, OpenMode::read_only, Older::keep, kBusyTimeout);
  if (!connection) return tl::unexpected(connection.error());
  if (auto r = check_pages(**connection, "PRAGMA integrity_check(1)"); !r) return tl::unexpected(r.error());
  auto dangling = (*connection)->query("PRAGMA foreign_key_check");
  if (!dangling) return tl::unexpected(dangling.error());
  const auto found = dangling->step();
  if (!found) return tl::unexpected(found.error());
  if (*found) {
    return damaged(shown(file), fmt::format("table {}, row {} refers to a row of {} that does not exist",
                                            dangling->text(0), dangling->text(1), dangling->text(2)));
  }
  const auto version = version_of(**connection);
  if (!version) return tl::unexpected(version.error());
  const auto rows = count_rows(**connection, *version);
  if (!rows) return tl::unexpected(rows.error());
  const std::string old = *version < newest_version() ? " of an older gemwright" : "";
  return fmt::format("{}: schema version {}{}, {}, no damage found", shown(file), *version, old, *rows);
}

}  // namespace gemwright::db
