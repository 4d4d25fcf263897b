#include "app/model/filter.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

namespace gemwright::app {
namespace {

using nlohmann::json;
using tuner::ErrorKind;
using tuner::fail;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool word_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == '+' || c == '/' ||
         c == ':';
}

struct Token {
  std::string text;
  bool quoted = false;
  bool is_operator = false;
};

tuner::Result<std::vector<Token>> tokens(std::string_view text) {
  std::vector<Token> out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '"' || c == '\'') {
      const std::size_t end = text.find(c, i + 1);
      if (end == std::string_view::npos)
        return fail(fmt::format("--filter: the quote at position {} is not closed", i + 1), ErrorKind::usage);
      out.push_back({std::string(text.substr(i + 1, end - i - 1)), true, false});
      i = end + 1;
    } else if (std::string_view("=!<>~").find(c) != std::string_view::npos) {
      const bool two = i + 1 < text.size() && text[i + 1] == '=' && c != '~';
      out.push_back({std::string(text.substr(i, two ? 2 : 1)), false, true});
      i += two ? 2 : 1;
    } else if (word_char(c)) {
      std::size_t end = i;
      while (end < text.size() && word_char(text[end])) ++end;
      out.push_back({std::string(text.substr(i, end - i)), false, false});
      i = end;
    } else {
      return fail(fmt::format("--filter: '{}' at position {} is not part of an expression", c, i + 1),
                  ErrorKind::usage);
    }
  }
  return out;
}

const json* find_field(const json& row, const std::string& field) {
  if (const auto it = row.find(field); it != row.end()) return &*it;
  for (const auto& item : row) {
    if (!item.is_object()) continue;
    if (const json* const nested = find_field(item, field)) return nested;
  }
  return nullptr;
}

// Those of nested objects last: the parameters of a config.
std::vector<std::string> field_names(const json& row) {
  std::vector<std::string> own, nested;
  for (const auto& [name, value] : row.items()) {
    if (!value.is_object()) {
      own.push_back(name);
      continue;
    }
    for (std::string& inner : field_names(value)) nested.push_back(std::move(inner));
  }
  own.insert(own.end(), nested.begin(), nested.end());
  return own;
}

std::optional<double> number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return std::nullopt;
  return value;
}

template <class T>
bool compare(const T& x, const std::string& op, const T& y) {
  if (op == "=" || op == "==") return x == y;
  if (op == "!=") return x != y;
  if (op == "<") return x < y;
  if (op == "<=") return x <= y;
  if (op == ">") return x > y;
  return op == ">=" && x >= y;
}

bool holds(const json& row, const Comparison& c) {
  const json* const found = find_field(row, c.field);
  if (found == nullptr || found->is_null()) return c.op == "!=";
  const auto wanted = number(c.value);
  if (found->is_number() && wanted && c.op != "~") return compare(found->get<double>(), c.op, *wanted);
  const std::string text = lower(found->is_string() ? found->get<std::string>() : found->dump());
  if (c.op == "~") return text.find(lower(c.value)) != std::string::npos;
  return compare(text, c.op, lower(c.value));
}

}  // namespace

bool Filter::matches(const json& row) const {
  if (any_of_.empty()) return true;
  return std::any_of(any_of_.begin(), any_of_.end(), [&](const auto& all_of) {
    return std::all_of(all_of.begin(), all_of.end(), [&](const Comparison& c) { return holds(row, c); });
  });
}

std::vector<Comparison> Filter::comparisons() const {
  std::vector<Comparison> out;
  for (const auto& all_of : any_of_) out.insert(out.end(), all_of.begin(), all_of.end());
  return out;
}

std::vector<std::string> Filter::wanted(std::string_view field) const {
  std::vector<std::string> out;
  for (const auto& all_of : any_of_) {
    for (const Comparison& c : all_of) {
      if (c.field == field && (c.op == "=" || c.op == "==")) out.push_back(c.value);
    }
  }
  return out;
}

tuner::Result<Filter> parse_filter(std::string_view text) {
  const auto list = tokens(text);
  if (!list) return tl::unexpected(list.error());
  Filter filter;
  if (list->empty()) return filter;
  filter.any_of_.emplace_back();
  for (std::size_t i = 0;; ++i) {
    if (i + 3 > list->size() || (*list)[i].is_operator || !(*list)[i + 1].is_operator || (*list)[i + 2].is_operator) {
      return fail("--filter: expected 'field op value', for example 'm<=32 and threads=1'", ErrorKind::usage);
    }
    const std::string& op = (*list)[i + 1].text;
    if (op == "!") return fail("--filter: '!' alone is no operator: use !=", ErrorKind::usage);
    filter.any_of_.back().push_back({(*list)[i].text, op, (*list)[i + 2].text});
    i += 3;
    if (i == list->size()) return filter;
    const std::string joint = lower((*list)[i].text);
    if ((*list)[i].quoted || (joint != "and" && joint != "or")) {
      return fail(fmt::format("--filter: expected 'and' or 'or' before '{}'", (*list)[i].text), ErrorKind::usage);
    }
    if (joint == "or") filter.any_of_.emplace_back();
  }
}

std::string without_option(const tuner::Error& error) {
  constexpr std::string_view kOption = "--filter: ";
  const std::string& text = error.message;
  return text.rfind(kOption, 0) == 0 ? text.substr(kOption.size()) : text;
}

tuner::Result<void> check_fields(const Filter& filter, const json& example_row) {
  for (const Comparison& c : filter.comparisons()) {
    const json* const found = find_field(example_row, c.field);
    if (found == nullptr) {
      return fail(fmt::format("--filter: there is no field '{}'; fields are {}", c.field,
                              fmt::join(field_names(example_row), ", ")),
                  ErrorKind::usage);
    }
    if (found->is_number() && c.op != "~" && !number(c.value)) {
      return fail(fmt::format("--filter: {} is a number, and '{}' is none", c.field, c.value), ErrorKind::usage);
    }
  }
  return {};
}

}  // namespace gemwright::app
