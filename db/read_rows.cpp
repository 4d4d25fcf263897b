#include "db/read_rows.h"

#include <fmt/format.h>

namespace gemwright::db {

void RowReader::refuse(const std::string& why) {
  if (!error_) error_ = fmt::format("{}: {} holds a broken value: {}", file_, row_, why);
}

bool RowReader::absent() {
  if (statement_.type(column_) != Statement::Type::null) return false;
  ++column_;
  return true;
}

bool RowReader::has(Statement::Type type) {
  const bool matches = statement_.type(column_) == type;
  if (!matches) refuse(fmt::format("column {} has the wrong type", statement_.column_name(column_)));
  ++column_;
  return matches;
}

std::int64_t RowReader::integer() { return has(Statement::Type::integer) ? statement_.integer(column_ - 1) : 0; }

int RowReader::small_integer() {
  const std::int64_t value = integer();
  if (value >= std::numeric_limits<int>::min() && value <= std::numeric_limits<int>::max())
    return static_cast<int>(value);
  refuse(fmt::format("column {} is out of range", statement_.column_name(column_ - 1)));
  return 0;
}

bool RowReader::flag() {
  const std::int64_t value = integer();
  if (value != 0 && value != 1)
    refuse(fmt::format("column {} is neither 0 nor 1", statement_.column_name(column_ - 1)));
  return value == 1;
}

double RowReader::real() { return has(Statement::Type::real) ? statement_.real(column_ - 1) : 0; }

std::string RowReader::text() { return has(Statement::Type::text) ? statement_.text(column_ - 1) : std::string(); }

}  // namespace gemwright::db
