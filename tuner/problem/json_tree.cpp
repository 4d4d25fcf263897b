#include "tuner/problem/json_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

// Where the lexer is. It reads one character past a number, which may be the end of its line.
struct Position {
  int line = 1;
  bool after_newline = false;
};

// Feeds the lexer and counts lines as it goes.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, Position* position) : at_(at), position_(position) {}

  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    position_->after_newline = *at_ == '\n';
    if (position_->after_newline) ++position_->line;
    ++at_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  Position* position_;
};

// Receives the parser's events. Returning false ends the parse; the reason then stands in `error`.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(const std::string& file, const Position* position) : file_(file), position_(position) {}

  bool null() override { return add(JsonNode::Kind::null, position_->line) != nullptr; }
  bool boolean(bool value) override {
    JsonNode* node = add(JsonNode::Kind::boolean, position_->line);
    if (node) node->integer = value ? 1 : 0;
    return node != nullptr;
  }
  bool number_integer(std::int64_t value) override { return add_integer(value); }
  bool number_unsigned(std::uint64_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return number_float(static_cast<double>(value), {});
    }
    return add_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) override {
    JsonNode* node = add(JsonNode::Kind::number, token_line());
    if (node) node->number = value;
    return node != nullptr;
  }
  bool string(std::string& value) override {
    JsonNode* node = add(JsonNode::Kind::string, position_->line);
    if (node) node->text = std::move(value);
    return node != nullptr;
  }
  bool binary(nlohmann::json::binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(JsonNode::Kind::object); }
  bool start_array(std::size_t) override { return open(JsonNode::Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override;
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::json::exception& e) override;

  JsonNode root;
  Error error;

 private:
  bool refuse(const std::string& message) { return refuse(message, position_->line); }
  bool refuse(const std::string& message, int line) {
    error = fail_at(file_, line, message).value();
    return false;
  }
  // The line of a token after which the lexer has read one character more, as it does after a number.
  int token_line() const { return position_->line - (position_->after_newline ? 1 : 0); }
  JsonNode* add(JsonNode::Kind kind, int line);
  bool add_integer(std::int64_t value);
  bool open(JsonNode::Kind kind);
  bool close() {
    open_.pop_back();
    return true;
  }

  const std::string& file_;
  const Position* position_;
  std::vector<JsonNode*> open_;  // stable: a container's items do not grow while one of them is open
  std::size_t values_ = 0;
};

JsonNode* TreeBuilder::add(JsonNode::Kind kind, int line) {
  if (++values_ > kMaxJsonValues) {
    refuse(fmt::format("the file holds more than {} values", kMaxJsonValues));
    return nullptr;
  }
  JsonNode* node = open_.empty() ? &root : &open_.back()->items.emplace_back();
  node->kind = kind;
  node->line = line;
  return node;
}

bool TreeBuilder::add_integer(std::int64_t value) {
  JsonNode* node = add(JsonNode::Kind::integer, token_line());
  if (!node) return false;
  node->integer = value;
  node->number = static_cast<double>(value);
  return true;
}

bool TreeBuilder::open(JsonNode::Kind kind) {
  if (open_.size() >= static_cast<std::size_t>(kMaxJsonDepth)) {
    return refuse(fmt::format("nested more than {} deep", kMaxJsonDepth));
  }
  JsonNode* node = add(kind, position_->line);
  if (node) open_.push_back(node);
  return node != nullptr;
}

bool TreeBuilder::key(std::string& name) {
  std::vector<std::string>& keys = open_.back()->keys;
  if (std::find(keys.begin(), keys.end(), name) != keys.end()) {
    return refuse(fmt::format("key {} stands twice in one object", quote(name)));
  }
  if (keys.size() >= kMaxJsonKeys) return refuse(fmt::format("an object has more than {} keys", kMaxJsonKeys));
  keys.push_back(std::move(name));
  return true;
}

bool TreeBuilder::parse_error(std::size_t, const std::string& token, const nlohmann::json::exception& e) {
  constexpr int kOutOfRange = 406;
  if (e.id == kOutOfRange) return refuse(fmt::format("number {} is too large", quote(token)), token_line());
  // The library's text is "[code] parse error at line L, column C: syntax error while ... - reason; last read: ...",
  // where the last part may be of any length.
  std::string_view reason = e.what();
  const auto start = reason.find(" - ");
  if (start != std::string_view::npos) reason.remove_prefix(start + 3);
  reason = reason.substr(0, reason.find("; last read"));
  if (reason.substr(0, 23) == "unexpected end of input") {
    return refuse("not valid JSON: the file ends too early", token_line());
  }
  std::string message = "not valid JSON: " + printable(reason, 160);
  if (!token.empty()) message += ", near " + quote(token.size() > 30 ? token.substr(token.size() - 30) : token);
  return refuse(message, token_line());
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  const auto at = std::find(keys.begin(), keys.end(), key);
  return at == keys.end() ? nullptr : &items[static_cast<std::size_t>(at - keys.begin())];
}

std::string_view to_text(JsonNode::Kind kind) {
  switch (kind) {
    case JsonNode::Kind::null:
      return "null";
    case JsonNode::Kind::boolean:
      return "a boolean";
    case JsonNode::Kind::integer:
      return "a number";
    case JsonNode::Kind::number:
      return "a number";
    case JsonNode::Kind::string:
      return "a string";
    case JsonNode::Kind::array:
      return "a list";
    case JsonNode::Kind::object:
      return "an object";
  }
  return "unknown";
}

Result<JsonNode> parse_json_tree(std::string_view text, const std::string& file) {
  const auto clean = check_text(text, file);
  if (!clean) return tl::unexpected(clean.error());
  Position position;
  TreeBuilder builder(file, &position);
  const CountingIterator begin(clean->data(), &position);
  const CountingIterator end(clean->data() + clean->size(), &position);
  if (!nlohmann::json::sax_parse(begin, end, &builder)) return tl::unexpected(builder.error);
  return std::move(builder.root);
}

}  // namespace gemwright::tuner
