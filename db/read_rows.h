// Reads the columns of one stored row in order, trusting nothing: a value of the wrong type, out of range or without
// meaning makes the row an error that names table and row. After the first one the reader gives harmless values.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/sqlite.h"

namespace gemwright::db {

class RowReader {
 public:
  // `row` is how a person finds it: "trial 7".
  RowReader(const Connection& connection, const Statement& statement, std::string row)
      : file_(connection.name()), statement_(statement), row_(std::move(row)) {}

  std::int64_t integer();
  int small_integer();
  bool flag();
  double real();
  std::string text();
  std::optional<std::int64_t> maybe_integer() { return absent() ? std::nullopt : std::optional(integer()); }
  std::optional<int> maybe_small_integer() { return absent() ? std::nullopt : std::optional(small_integer()); }
  std::optional<double> maybe_real() { return absent() ? std::nullopt : std::optional(real()); }
  std::optional<std::string> maybe_text() { return absent() ? std::nullopt : std::optional(text()); }

  // The value of a parsed text, or `fallback` and the row is an error.
  template <class T>
  T accept(Result<T> value, T fallback = {}) {
    if (value) return *std::move(value);
    refuse(value.error().message);
    return fallback;
  }
  void accept(const Result<void>& checked) {
    if (!checked) refuse(checked.error().message);
  }
  void refuse(const std::string& why);

  // `value` when every column made sense.
  template <class T>
  Result<T> finish(T value) {
    if (error_) return tuner::fail(*error_);
    return value;
  }

 private:
  // Skips the column when it is NULL.
  bool absent();
  bool has(Statement::Type type);

  std::string file_;
  const Statement& statement_;
  std::string row_;
  int column_ = 0;  // the next one
  std::optional<std::string> error_;
};

// All rows of a statement; `name` says how a person finds the current one.
template <class Value, class Name>
Result<std::vector<Value>> read_all(const Connection& connection, Result<Statement> rows,
                                    Result<Value> (*read)(RowReader), const Name& name) {
  if (!rows) return tl::unexpected(rows.error());
  std::vector<Value> out;
  while (true) {
    const auto more = rows->step();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return out;
    auto value = read(RowReader(connection, *rows, name(*rows)));
    if (!value) return tl::unexpected(value.error());
    out.push_back(*std::move(value));
  }
}

// For tables whose first selected column is their id.
inline auto by_id(std::string_view table) {
  return [table](const Statement& s) { return fmt::format("table {}, row {}", table, s.integer(0)); };
}

}  // namespace gemwright::db
