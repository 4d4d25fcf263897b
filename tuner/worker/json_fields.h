// Strict reading of one JSON object. Internal to the protocol.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "tuner/result.h"

namespace gemwright::tuner {

// One line of JSON. Refuses deep nesting, very many values and repeated keys before or while it parses.
Result<nlohmann::json> parse_json_line(std::string_view line);

// Reads the fields of one object and keeps the first complaint; after one, values are defaults. A key that was not
// asked for is a complaint too (see `complaint`).
class JsonFields {
 public:
  explicit JsonFields(const nlohmann::json& object, std::string where);

  bool has(const char* name) const { return object_.contains(name); }
  std::int64_t integer(const char* name, std::int64_t low, std::int64_t high);
  std::uint64_t unsigned_integer(const char* name);
  double number(const char* name, double low, double high);
  bool boolean(const char* name);
  std::string text(const char* name);
  const nlohmann::json& value(const char* name);  // null where it is missing

  std::optional<std::int64_t> optional_integer(const char* name, std::int64_t low, std::int64_t high) {
    return has(name) ? std::optional(integer(name, low, high)) : std::nullopt;
  }
  std::optional<double> optional_number(const char* name, double low, double high) {
    return has(name) ? std::optional(number(name, low, high)) : std::nullopt;
  }
  // The value of a Result, or a default and its complaint.
  template <class T>
  T take(Result<T> result) {
    if (result) return std::move(*result);
    complain(result.error().message);
    return T{};
  }

  void complain(std::string message);
  // Nothing when every field was good and all fields were read.
  std::optional<Error> complaint() const;

 private:
  const nlohmann::json* find(const char* name, const char* wanted, bool (nlohmann::json::*is)() const noexcept);

  const nlohmann::json& object_;
  std::string where_;
  std::size_t read_ = 0;  // fields that were asked for and are there
  std::optional<std::string> complaint_;
};

}  // namespace gemwright::tuner
