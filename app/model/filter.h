// The filter expression of --filter and of the window's filter bar: `field op value` joined by `and` and `or` (and
// binds tighter). It runs over rows as JSON output prints them; fields of the nested config are named directly ("mr",
// "isa").
//
// Operators: = != < <= > >=, and ~ (contains). Text compares without case, numbers as numbers; values with blanks stand
// in quotes. A row that lacks a field, or holds null there, matches nothing but !=. Example: precision=bf16 and m<=32
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"

namespace gemwright::app {

struct Comparison {
  std::string field, op, value;
};

class Filter {
 public:
  Filter() = default;  // matches everything
  bool matches(const nlohmann::json& row) const;
  // Everything that the expression compares, so that a caller can refuse what makes no sense.
  std::vector<Comparison> comparisons() const;
  // What this field is asked to be, as in `field=value`.
  std::vector<std::string> wanted(std::string_view field) const;

 private:
  friend tuner::Result<Filter> parse_filter(std::string_view text);
  std::vector<std::vector<Comparison>> any_of_;  // each a conjunction; empty: everything
};

tuner::Result<Filter> parse_filter(std::string_view text);

// The sentence of an error without the option's name, which says nothing in a window.
std::string without_option(const tuner::Error& error);

// Refuses a filter that names a field which no row of this kind has, or compares a number with what is none.
tuner::Result<void> check_fields(const Filter& filter, const nlohmann::json& example_row);

}  // namespace gemwright::app
