// Shapes as CSV: a header line, then one problem a line.
//
//   name,m,n,k,epilogue,weight
//   qkv,1/8/32,6144,4096,none,32
//
// Columns, in any order: m, n, k (required); name, precision, epilogue, weight, layout, weights, batch, with the
// meaning, defaults and limits of the JSON format (shapes_json.cpp). An empty field is the default. A field may stand
// between double quotes ("" inside them is one quote), but not span lines. Rows with the same name and problem are one:
// their M are united and their weights summed. Blank lines are skipped.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tuner/problem/input_text.h"
#include "tuner/problem/suite.h"
#include "tuner/problem/suite_builder.h"

namespace gemwright::tuner {
namespace {

constexpr auto kColumns = std::to_array<std::string_view>(
    {"m", "n", "k", "name", "precision", "epilogue", "weight", "layout", "weights", "batch"});

using Fields = std::vector<std::string>;

// Takes one quoted field off `rest`, which begins with the quote.
Result<std::string> take_quoted(std::string_view& rest) {
  std::string field;
  rest.remove_prefix(1);
  while (true) {
    const auto quote_at = rest.find('"');
    if (quote_at == std::string_view::npos) return fail("a quoted field does not end on its line");
    field += rest.substr(0, quote_at);
    rest.remove_prefix(quote_at + 1);
    if (rest.empty() || rest[0] != '"') break;
    field += '"';
    rest.remove_prefix(1);
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (!rest.empty() && rest[0] != ',') return fail("text follows the closing quote of a field");
  return field;
}

Result<Fields> split_fields(std::string_view line) {
  Fields fields;
  std::string_view rest = line;
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (!rest.empty() && rest[0] == '"') {
      auto field = take_quoted(rest);
      if (!field) return tl::unexpected(field.error());
      fields.push_back(std::move(*field));
    } else {
      const auto end = std::min(rest.find(','), rest.size());
      fields.emplace_back(trimmed(rest.substr(0, end)));
      if (fields.back().find('"') != std::string::npos) return fail("a quote stands inside a field without quotes");
      rest.remove_prefix(end);
    }
    if (rest.empty()) return fields;
    rest.remove_prefix(1);
  }
}

Result<void> check_header(const Fields& header) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (std::find(kColumns.begin(), kColumns.end(), header[i]) == kColumns.end()) {
      return fail(fmt::format("unknown column {}", quote(header[i])));
    }
    if (std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]) !=
        header.begin() + static_cast<std::ptrdiff_t>(i)) {
      return fail(fmt::format("column {} stands twice", header[i]));
    }
  }
  for (const std::string_view required : {"m", "n", "k"}) {
    if (std::find(header.begin(), header.end(), required) == header.end()) {
      return fail(fmt::format("column {} is missing; the first line must name the columns", required));
    }
  }
  return {};
}

Result<void> set_size(std::string_view column, std::string_view text, std::int64_t& value) {
  const auto size = parse_count(text);
  if (!size || *size < 1 || *size > kMaxSize) {
    return fail(fmt::format("{} is {}, but it must be a whole number from 1 to {}", column, quote(text), kMaxSize));
  }
  value = *size;
  return {};
}

Result<void> set_m(std::string_view text, std::vector<std::int64_t>& m) {
  auto list = parse_m_list(text, '/');
  if (!list) return tl::unexpected(list.error());
  m = std::move(*list);
  return {};
}

Result<void> set_weight(std::string_view text, double& weight) {
  const auto value = parse_number(text);
  if (!value) return fail(fmt::format("weight {} is not a number above 0", quote(text)));
  weight = *value;
  return {};
}

Result<void> set_field(SuiteEntry& entry, std::string_view column, const std::string& text) {
  if (column == "m") return set_m(text, entry.m);
  if (column == "n") return set_size(column, text, entry.problem.n);
  if (column == "k") return set_size(column, text, entry.problem.k);
  if (text.empty()) return {};
  if (column == "batch") return set_size(column, text, entry.problem.batch);
  if (column == "precision") return set_interface(entry.problem, text);
  if (column == "epilogue") return set_chain(entry, text);
  if (column == "weight") return set_weight(text, entry.weight);
  if (column == "layout") return set_layout(entry.problem, text);
  if (column == "weights") return set_weights(entry.problem, text);
  entry.name = text;
  return {};
}

Result<void> read_row(const Fields& header, std::string_view line, SuiteBuilder& builder) {
  const auto fields = split_fields(line);
  if (!fields) return tl::unexpected(fields.error());
  if (fields->size() != header.size()) {
    return fail(fmt::format("the line has {} fields, but the header has {}", fields->size(), header.size()));
  }
  SuiteEntry entry;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (auto set = set_field(entry, header[i], (*fields)[i]); !set) return set;
  }
  const std::string same = key(entry.problem) + ' ' + entry.name;
  return builder.merge(std::move(entry), same);
}

}  // namespace

Result<Suite> parse_shapes_csv(std::string_view text, const std::string& file_name) {
  const auto clean = check_text(text, file_name);
  if (!clean) return tl::unexpected(clean.error());
  std::string_view rest = *clean;
  std::string_view line;
  Fields header;
  SuiteBuilder builder;
  int number = 0;
  while (next_line(rest, line)) {
    ++number;
    if (line.size() > kMaxLineBytes) {
      return fail_at(file_name, number, fmt::format("the line is longer than {} bytes", kMaxLineBytes));
    }
    line = trimmed(line);
    if (line.empty()) continue;
    Result<void> read;
    if (header.empty()) {
      const auto columns = split_fields(lower(line));
      if (!columns) return fail_at(file_name, number, columns.error().message);
      header = *columns;
      read = check_header(header);
    } else {
      read = read_row(header, line, builder);
    }
    if (!read) return fail_at(file_name, number, read.error().message);
  }
  if (builder.empty()) return fail_at(file_name, std::max(number, 1), "the file holds no problem");
  return builder.take(suite_name(file_name));
}

}  // namespace gemwright::tuner
