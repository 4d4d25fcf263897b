// SQLite as values: a connection, a statement, a transaction. The one place of the project that knows SQLite's
// interface.
//
// Every failure is an Error with a sentence that names the file. Parameters are bound, never pasted into SQL. A
// connection belongs to one thread and must not be used after fork.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "tuner/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace gemwright::db {

template <class T>
using Result = tuner::Result<T>;

// How SQLite opens the file. `immutable` reads a file that nobody can change now: it takes no lock and needs no log, so
// it works in a folder that may not be written.
enum class Access { create, write, read, immutable };

class Statement {
 public:
  enum class Type { integer, real, text, null, blob };

  // True while there is a row.
  Result<bool> step();

  Type type(int column) const;
  std::string column_name(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;

 private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const;
  };

  void bind(int place, std::int64_t value);
  void bind(int place, int value) { bind(place, std::int64_t{value}); }
  void bind(int place, bool value) { bind(place, std::int64_t{value}); }
  void bind(int place, double value);
  void bind(int place, std::string_view value);
  void bind(int place, const std::string& value) { bind(place, std::string_view(value)); }
  void bind(int place, const char* value) { bind(place, std::string_view(value)); }
  void bind(int place, const std::optional<std::int64_t>& value);
  void bind(int place, const std::optional<int>& value);
  void bind(int place, const std::optional<double>& value);
  void bind(int place, const std::optional<std::string>& value);
  void bind_null(int place);

  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  const class Connection* connection_ = nullptr;
  int bind_status_ = 0;  // first failure of a bind; step reports it
};

class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::filesystem::path& file, Access access,
                                                  std::chrono::milliseconds busy_timeout);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  const std::string& name() const { return name_; }  // the file, for messages

  // Up to `count` bytes from the start of the file, read without a lock and without opening its log.
  Result<std::string> first_bytes(int count) const;
  Result<std::int64_t> file_size() const;
  // While set, closing leaves file and log as they are instead of moving the log into the file.
  void keep_log_on_close(bool keep);
  // Treats what is stored as hostile: no triggers, no shadow writes, page contents checked.
  Result<void> distrust_contents();

  template <class... Args>
  Result<Statement> query(std::string_view sql, const Args&... args) const {
    auto statement = prepare(sql);
    if (!statement) return statement;
    int place = 0;
    (statement->bind(++place, args), ...);
    return statement;
  }
  // A statement that yields no rows.
  template <class... Args>
  Result<void> run(std::string_view sql, const Args&... args) const {
    auto statement = query(sql, args...);
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    return {};
  }
  // The first column of the first row.
  Result<std::int64_t> number(std::string_view sql) const;
  Result<std::string> word(std::string_view sql) const;
  // Several statements, without parameters.
  Result<void> script(const std::string& sql) const;

  std::int64_t last_id() const;
  std::int64_t changes() const;
  bool in_transaction() const;
  // SQLite's newest complaint (or `status`) as a sentence.
  tl::unexpected<tuner::Error> failure(int status) const;

 private:
  Connection(sqlite3* handle, std::string name) : handle_(handle), name_(std::move(name)) {}
  Result<Statement> prepare(std::string_view sql) const;

  sqlite3* handle_;
  std::string name_;
};

// Rolled back unless committed.
class Transaction {
 public:
  // Takes the write lock at once, so that waiting for another writer honours the busy timeout.
  static Result<Transaction> write(const Connection& connection) { return begin(connection, "BEGIN IMMEDIATE"); }
  // Several reads that see one state of the file.
  static Result<Transaction> read(const Connection& connection) { return begin(connection, "BEGIN"); }
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Result<void> commit();

 private:
  static Result<Transaction> begin(const Connection& connection, std::string_view sql);
  explicit Transaction(const Connection* connection) : connection_(connection) {}
  const Connection* connection_;
};

}  // namespace gemwright::db
