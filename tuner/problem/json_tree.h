// A JSON document as a tree that remembers lines, so that every complaint about it can name one. Made for small
// configuration files from hostile hands: nesting, keys and values are bounded, a repeated key is refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"

namespace gemwright::tuner {

constexpr int kMaxJsonDepth = 32;                 // our formats nest 4 deep
constexpr std::size_t kMaxJsonKeys = 64;          // in one object; our formats have at most 14
constexpr std::size_t kMaxJsonValues = 1u << 20;  // in the document: about 100 MB of nodes

struct JsonNode {
  // `number` is what is no integer of 64 bits: a fraction, an exponent, or too large.
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };
  Kind kind = Kind::null;
  int line = 1;                   // where the value begins
  std::int64_t integer = 0;       // also 0 or 1 of a boolean
  double number = 0;              // also set for integers
  std::string text;               // of a string
  std::vector<std::string> keys;  // of an object, beside its `items`
  std::vector<JsonNode> items;    // of an array or object

  const JsonNode* find(std::string_view key) const;
};

std::string_view to_text(JsonNode::Kind kind);  // "a string", "an object", ...

Result<JsonNode> parse_json_tree(std::string_view text, const std::string& file);

}  // namespace gemwright::tuner
