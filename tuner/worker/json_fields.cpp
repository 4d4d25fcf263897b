#include "tuner/worker/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 8;                 // our messages nest 3 deep
constexpr std::size_t kMaxValues = 200'000;  // 4096 configs with 19 fields each

// Looks at brackets and commas alone, so that nothing is allocated for a hostile line.
std::optional<std::string> too_large(std::string_view line) {
  int depth = 0;
  std::size_t values = 1;
  bool in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
      continue;
    }
    in_text = c == '"';
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ',') ++values;
    if (depth > kMaxDepth) return fmt::format("it nests more than {} deep", kMaxDepth);
  }
  if (values > kMaxValues) return fmt::format("it has more than {} values", kMaxValues);
  return std::nullopt;
}

std::string shown(const json& value) {
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  return printable(value.dump(-1, ' ', true, json::error_handler_t::replace));
}

}  // namespace

Result<json> parse_json_line(std::string_view line) {
  if (const auto why = too_large(line)) return fail("a message is refused: " + *why);
  std::vector<std::set<std::string>> keys;
  std::optional<std::string> repeated;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get_ref<const std::string&>()).second) {
      repeated = value.get<std::string>();
    }
    return true;
  };
  json parsed = json::parse(line, watch, false);
  if (parsed.is_discarded()) return fail("a message is not JSON: " + quote(line));
  if (repeated) return fail(fmt::format("a message has the key {} twice", quote(*repeated)));
  if (!parsed.is_object()) return fail("a message is not a JSON object: " + quote(line));
  return parsed;
}

JsonFields::JsonFields(const json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) complain("must be an object, not " + shown(object_));
}

const json* JsonFields::find(const char* name, const char* wanted, bool (json::*is)() const noexcept) {
  if (!object_.is_object()) return nullptr;
  const auto at = object_.find(name);
  if (at == object_.end()) {
    complain(fmt::format("the key \"{}\" is missing", name));
    return nullptr;
  }
  ++read_;
  if (is != nullptr && !((*at).*is)()) {
    complain(fmt::format("\"{}\" must be {}, not {}", name, wanted, shown(*at)));
    return nullptr;
  }
  return &*at;
}

std::int64_t JsonFields::integer(const char* name, std::int64_t low, std::int64_t high) {
  const json* const value = find(name, "a whole number", &json::is_number_integer);
  if (value == nullptr) return low;
  const bool fits = !value->is_number_unsigned() ||
                    value->get<std::uint64_t>() <= static_cast<std::uint64_t>(std::max<std::int64_t>(high, 0));
  const std::int64_t n = fits ? value->get<std::int64_t>() : low;
  if (fits && n >= low && n <= high) return n;
  complain(fmt::format("\"{}\" must be from {} to {}, not {}", name, low, high, shown(*value)));
  return low;
}

std::uint64_t JsonFields::unsigned_integer(const char* name) {
  const json* const value = find(name, "a whole number of 64 bits without sign", &json::is_number_unsigned);
  return value == nullptr ? 0 : value->get<std::uint64_t>();
}

double JsonFields::number(const char* name, double low, double high) {
  const json* const value = find(name, "a number", &json::is_number);
  if (value == nullptr) return low;
  const double x = value->get<double>();
  if (x >= low && x <= high) return x;
  complain(fmt::format("\"{}\" must be from {} to {}, not {}", name, low, high, shown(*value)));
  return low;
}

bool JsonFields::boolean(const char* name) {
  const json* const value = find(name, "true or false", &json::is_boolean);
  return value != nullptr && value->get<bool>();
}

std::string JsonFields::text(const char* name) {
  const json* const value = find(name, "a text", &json::is_string);
  return value == nullptr ? "" : value->get<std::string>();
}

const json& JsonFields::value(const char* name) {
  static const json null;
  const json* const value = find(name, "", nullptr);
  return value == nullptr ? null : *value;
}

void JsonFields::complain(std::string message) {
  if (!complaint_) complaint_ = fmt::format("{}: {}", where_, message);
}

std::optional<Error> JsonFields::complaint() const {
  if (complaint_) return Error{*complaint_};
  if (read_ < object_.size()) return Error{where_ + ": it has a key that is not known here"};
  return std::nullopt;
}

}  // namespace gemwright::tuner
