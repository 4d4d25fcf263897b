#include "db/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "tuner/problem/input_text.h"

namespace gemwright::db {
namespace {

using tuner::fail;

std::string full_disk(const std::string& name) {
  return fmt::format(
      "the disk of {} is full: free some space and run the same command again, everything saved before is intact",
      name);
}

// Characters with a meaning in a file: URI.
std::string uri_of(const std::string& absolute_path) {
  std::string uri = "file:";
  for (const char c : absolute_path) {
    if (c == '?' || c == '#' || c == '%') {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

int open_flags(Access access) {
  switch (access) {
    case Access::create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case Access::write:
      return SQLITE_OPEN_READWRITE;
    case Access::read:
      return SQLITE_OPEN_READONLY;
    case Access::immutable:
      return SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  }
  return SQLITE_OPEN_READONLY;
}

std::string io_sentence(const std::string& name, int system_errno, const char* complaint) {
  if (system_errno == ENOSPC || system_errno == EDQUOT) return full_disk(name);
  return fmt::format("{} cannot be read or written: {}", name,
                     system_errno != 0 ? std::strerror(system_errno) : complaint);
}

std::string read_only_sentence(const std::string& name, int status) {
  if (status == SQLITE_READONLY_RECOVERY || status == SQLITE_READONLY_ROLLBACK || status == SQLITE_READONLY_CANTINIT) {
    return fmt::format(
        "a writer of {} was stopped in the middle: open it once where it may be written, which repairs it", name);
  }
  return fmt::format("{} may not be written: check its permissions and those of its folder", name);
}

std::string sentence(const std::string& name, int status, int system_errno, const char* complaint) {
  switch (status & 0xff) {
    case SQLITE_FULL:
      return full_disk(name);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return fmt::format("{} is locked by another process: wait until it is done and run the same command again", name);
    case SQLITE_CORRUPT:
      return fmt::format("{} is damaged ({}): restore it from a backup or choose another file with --db", name,
                         complaint);
    case SQLITE_NOTADB:
      return fmt::format("{} is not a SQLite database: choose another file with --db", name);
    case SQLITE_READONLY:
      return read_only_sentence(name, status);
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return fmt::format("{} cannot be opened: {}", name, system_errno != 0 ? std::strerror(system_errno) : complaint);
    case SQLITE_CONSTRAINT:
      return fmt::format("{} refused a value: {}", name, complaint);
    case SQLITE_IOERR:
      return io_sentence(name, system_errno, complaint);
    default:
      return fmt::format("{}: {}", name, complaint);
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

void Statement::bind(int place, std::int64_t value) {
  if (const int status = sqlite3_bind_int64(handle_.get(), place, value); bind_status_ == SQLITE_OK)
    bind_status_ = status;
}

void Statement::bind(int place, double value) {
  // SQLite would store NaN as NULL, which means absent here.
  const int status = std::isnan(value) ? SQLITE_MISMATCH : sqlite3_bind_double(handle_.get(), place, value);
  if (bind_status_ == SQLITE_OK) bind_status_ = status;
}

void Statement::bind(int place, std::string_view value) {
  const char* const data = value.data() == nullptr ? "" : value.data();  // a null pointer would bind NULL
  const int status =
      sqlite3_bind_text64(handle_.get(), place, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);  // NOLINT
  if (bind_status_ == SQLITE_OK) bind_status_ = status;
}

void Statement::bind(int place, const std::optional<std::int64_t>& value) {
  value ? bind(place, *value) : bind_null(place);
}
void Statement::bind(int place, const std::optional<int>& value) { value ? bind(place, *value) : bind_null(place); }
void Statement::bind(int place, const std::optional<double>& value) { value ? bind(place, *value) : bind_null(place); }
void Statement::bind(int place, const std::optional<std::string>& value) {
  value ? bind(place, *value) : bind_null(place);
}

void Statement::bind_null(int place) {
  if (const int status = sqlite3_bind_null(handle_.get(), place); bind_status_ == SQLITE_OK) bind_status_ = status;
}

Result<bool> Statement::step() {
  if (bind_status_ != SQLITE_OK) return connection_->failure(bind_status_);
  const int status = sqlite3_step(handle_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  return connection_->failure(status);
}

Statement::Type Statement::type(int column) const {
  switch (sqlite3_column_type(handle_.get(), column)) {
    case SQLITE_INTEGER:
      return Type::integer;
    case SQLITE_FLOAT:
      return Type::real;
    case SQLITE_TEXT:
      return Type::text;
    case SQLITE_NULL:
      return Type::null;
    default:
      return Type::blob;
  }
}

std::string Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(handle_.get(), column);
  return name == nullptr ? "?" : name;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_.get(), column); }

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::filesystem::path& file, Access access,
                                                     std::chrono::milliseconds busy_timeout) {
  const std::string name = tuner::printable(file.string(), 4096);  // fit for a message of one line
  std::error_code ec;
  // Absolute, because SQLite gives names like ":memory:" a meaning of their own.
  const std::filesystem::path absolute = std::filesystem::absolute(file, ec);
  if (ec) return fail(fmt::format("{} cannot be opened: {}", name, ec.message()));
  const std::string target = access == Access::immutable ? uri_of(absolute.string()) : absolute.string();
  sqlite3* handle = nullptr;
  const int status = sqlite3_open_v2(target.c_str(), &handle, open_flags(access) | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (handle == nullptr) return fail(fmt::format("{} cannot be opened: out of memory", name));
  std::unique_ptr<Connection> connection(new Connection(handle, name));
  sqlite3_extended_result_codes(handle, 1);
  if (status != SQLITE_OK) return connection->failure(status);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  return connection;
}

Connection::~Connection() { sqlite3_close_v2(handle_); }

Result<std::string> Connection::first_bytes(int count) const {
  const auto size = file_size();
  if (!size) return tl::unexpected(size.error());
  if (*size < count) count = static_cast<int>(*size);
  std::string bytes(static_cast<std::size_t>(count), '\0');
  if (count == 0) return bytes;
  // Through SQLite's own descriptor: closing another one of the same file would drop this process's locks on it.
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) return failure(SQLITE_CANTOPEN);
  const int status = file->pMethods->xRead(file, bytes.data(), count, 0);
  if (status != SQLITE_OK) return failure(status);
  return bytes;
}

Result<std::int64_t> Connection::file_size() const {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) return failure(SQLITE_CANTOPEN);
  sqlite3_int64 size = 0;
  const int status = file->pMethods->xFileSize(file, &size);
  if (status != SQLITE_OK) return failure(status);
  return std::int64_t{size};
}

void Connection::keep_log_on_close(bool keep) {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, static_cast<int*>(nullptr));
}

Result<void> Connection::distrust_contents() {
  // TRUSTED_SCHEMA stays on: without it SQLite 3.40 refuses json_valid in a constraint.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, static_cast<int*>(nullptr));
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, static_cast<int*>(nullptr));
  return script("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0");
}

Result<Statement> Connection::prepare(std::string_view sql) const {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  const int status = sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  if (status != SQLITE_OK) return failure(status);
  statement.handle_.reset(handle);
  statement.connection_ = this;
  return statement;
}

Result<std::int64_t> Connection::number(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return fail(fmt::format("{} gives no answer to: {}", name_, sql));
  return statement->integer(0);
}

Result<std::string> Connection::word(std::string_view sql) const {
  auto statement = prepare(sql);
  if (!statement) return tl::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return tl::unexpected(row.error());
  if (!*row) return fail(fmt::format("{} gives no answer to: {}", name_, sql));
  return statement->text(0);
}

Result<void> Connection::script(const std::string& sql) const {
  const int status = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (status != SQLITE_OK) return failure(status);
  return {};
}

std::int64_t Connection::last_id() const { return sqlite3_last_insert_rowid(handle_); }
std::int64_t Connection::changes() const { return sqlite3_changes64(handle_); }
bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

tl::unexpected<tuner::Error> Connection::failure(int status) const {
  const bool own =
      (sqlite3_errcode(handle_) & 0xff) == (status & 0xff);  // otherwise its message belongs to another call
  return fail(sentence(name_, status, own ? sqlite3_system_errno(handle_) : 0,
                       own ? sqlite3_errmsg(handle_) : sqlite3_errstr(status)));
}

Result<Transaction> Transaction::begin(const Connection& connection, std::string_view sql) {
  if (auto r = connection.run(sql); !r) return tl::unexpected(r.error());
  return Transaction(&connection);
}

Transaction::~Transaction() {
  // SQLite may have rolled back already, for example when the disk is full.
  if (connection_ != nullptr && connection_->in_transaction()) (void)connection_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
  if (auto r = connection_->run("COMMIT"); !r) return r;
  connection_ = nullptr;
  return {};
}

}  // namespace gemwright::db
