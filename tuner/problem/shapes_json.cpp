// gemwright's own shape files:
//
//   {
//     "gemwright_shapes": 1,              version of this format; required
//     "name": "llama-3.1-8b",             of the suite; the file's name where absent
//     "note": "weights lie N x K",        what holds for all problems; optional
//     "problems": [
//       {
//         "name": "qkv",                  becomes a C++ identifier; optional
//         "n": 6144, "k": 4096,           required
//         "m": [1, 8, 32],                or one number; required
//         "batch": 1,
//         "layout": "nn",                 nn, nt, tn or tt: first A, then B; t is transposed (B is N x K)
//         "weights": "constant",          or "call": handed in with each call
//         "beta": 0,                      or 1
//         "epilogue": "bias+relu",        the N of a pair (swiglu, geglu) is the full width of both products; requant
//                                         needs u8s8, here or by --precision
//         "precision": "f32",             optional: f32, bf16 or u8s8, interface and compute mode alike
//         "weight": 32,                   how often it runs; 1 where absent
//         "note": "...",                  for people; optional
//         "source": "..."                 where the sizes come from; optional
//       }
//     ]
//   }
//
// The values shown for batch, layout, weights and beta are the defaults; that of epilogue is "none". Any other key is
// refused.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "tuner/problem/input_text.h"
#include "tuner/problem/json_tree.h"
#include "tuner/problem/suite.h"
#include "tuner/problem/suite_builder.h"

namespace gemwright::tuner {
namespace {

constexpr int kVersion = 1;
constexpr std::size_t kMaxTextBytes = 1000;  // of one string
constexpr auto kFileKeys = std::to_array<std::string_view>({"gemwright_shapes", "name", "note", "problems"});
constexpr auto kProblemKeys = std::to_array<std::string_view>(
    {"name", "n", "k", "m", "batch", "layout", "weights", "beta", "epilogue", "precision", "weight", "note", "source"});

using Kind = JsonNode::Kind;

// An object of the file, with what a complaint about it must say.
struct Object {
  const JsonNode& node;
  const std::string& file;
  std::string where;  // "" or "problem 2 \"qkv\": "

  tl::unexpected<Error> fail(int line, const std::string& message) const {
    return fail_at(file, line, where + message);
  }
};

Result<void> check_keys(const Object& o, const std::string_view* begin, const std::string_view* end) {
  for (std::size_t i = 0; i < o.node.keys.size(); ++i) {
    if (std::find(begin, end, o.node.keys[i]) == end) {
      return o.fail(o.node.items[i].line, fmt::format("unknown key {}", quote(o.node.keys[i])));
    }
  }
  return {};
}

// A whole number in [low, high]; absent keys give nothing.
Result<std::optional<std::int64_t>> integer(const Object& o, std::string_view key, std::int64_t low,
                                            std::int64_t high) {
  const JsonNode* value = o.node.find(key);
  if (!value) return std::nullopt;
  if (value->kind != Kind::integer || value->integer < low || value->integer > high) {
    return o.fail(value->line, fmt::format("{} must be a whole number from {} to {}", key, low, high));
  }
  return value->integer;
}

Result<std::optional<std::string>> string(const Object& o, std::string_view key) {
  const JsonNode* value = o.node.find(key);
  if (!value) return std::nullopt;
  if (value->kind != Kind::string) {
    return o.fail(value->line, fmt::format("{} must be a string, not {}", key, to_text(value->kind)));
  }
  if (value->text.size() > kMaxTextBytes) {
    return o.fail(value->line, fmt::format("{} is longer than {} bytes", key, kMaxTextBytes));
  }
  return value->text;
}

// Hands a string to `use`, which answers with Result; its sentence gets the line.
template <class Use>
Result<void> with_string(const Object& o, std::string_view key, const Use& use) {
  const auto text = string(o, key);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return {};
  if (const auto used = use(std::string_view(**text)); !used) {
    return o.fail(o.node.find(key)->line, used.error().message);
  }
  return {};
}

Result<void> read_sizes(const Object& o, Problem& p) {
  const auto n = integer(o, "n", 1, kMaxSize);
  const auto k = integer(o, "k", 1, kMaxSize);
  const auto batch = integer(o, "batch", 1, kMaxSize);
  const auto beta = integer(o, "beta", 0, 1);
  for (const auto* size : {&n, &k, &batch, &beta}) {
    if (!*size) return tl::unexpected(size->error());
  }
  if (!*n) return o.fail(o.node.line, "n is missing");
  if (!*k) return o.fail(o.node.line, "k is missing");
  p.n = **n;
  p.k = **k;
  p.batch = batch->value_or(1);
  p.beta = static_cast<int>(beta->value_or(0));
  return {};
}

Result<void> read_m(const Object& o, std::vector<std::int64_t>& m) {
  const JsonNode* list = o.node.find("m");
  if (!list) return o.fail(o.node.line, "m is missing");
  const bool single = list->kind == Kind::integer;
  if (!single && list->kind != Kind::array) {
    return o.fail(list->line, "m must be a whole number or a list of them");
  }
  const std::size_t count = single ? 1 : list->items.size();
  if (count == 0) return o.fail(list->line, "m is an empty list");
  if (count > kMaxMList) return o.fail(list->line, fmt::format("m has more than {} sizes", kMaxMList));
  for (std::size_t i = 0; i < count; ++i) {
    const JsonNode& item = single ? *list : list->items[i];
    if (item.kind != Kind::integer || item.integer < 1 || item.integer > kMaxSize) {
      return o.fail(item.line, fmt::format("m must be a whole number from 1 to {}", kMaxSize));
    }
    m.push_back(item.integer);
  }
  return {};
}

Result<void> read_weight(const Object& o, double& weight) {
  const JsonNode* value = o.node.find("weight");
  if (!value) return {};
  const bool number = value->kind == Kind::integer || value->kind == Kind::number;
  if (!number || !(value->number > 0 && value->number <= kMaxWeight)) {
    return o.fail(value->line, fmt::format("weight must be a number above 0 and at most {}", kMaxWeight));
  }
  weight = value->number;
  return {};
}

Result<void> read_words(const Object& o, SuiteEntry& entry) {
  Problem& p = entry.problem;
  const auto keep_name = [&](std::string_view text) -> Result<void> {
    entry.name = text;
    return {};
  };
  const auto keep_note = [&](std::string_view text) -> Result<void> {
    add_note(entry, printable(text, 200));
    return {};
  };
  const auto keep_source = [&](std::string_view text) -> Result<void> {
    entry.source = printable(text, 200);
    return {};
  };
  if (auto r = with_string(o, "name", keep_name); !r) return r;
  if (auto r = with_string(o, "layout", [&](std::string_view text) { return set_layout(p, text); }); !r) return r;
  if (auto r = with_string(o, "weights", [&](std::string_view text) { return set_weights(p, text); }); !r) return r;
  // The note about a chain that cannot run stands first: it changes what the figures mean.
  if (auto r = with_string(o, "epilogue", [&](std::string_view text) { return set_chain(entry, text); }); !r) return r;
  if (auto r = with_string(o, "precision", [&](std::string_view text) { return set_interface(p, text); }); !r) return r;
  if (auto r = with_string(o, "note", keep_note); !r) return r;
  return with_string(o, "source", keep_source);
}

Result<SuiteEntry> read_problem(const Object& o) {
  if (o.node.kind != Kind::object) {
    return o.fail(o.node.line, fmt::format("it must be an object, not {}", to_text(o.node.kind)));
  }
  SuiteEntry entry;
  if (auto r = check_keys(o, kProblemKeys.begin(), kProblemKeys.end()); !r) return tl::unexpected(r.error());
  if (auto r = read_sizes(o, entry.problem); !r) return tl::unexpected(r.error());
  if (auto r = read_m(o, entry.m); !r) return tl::unexpected(r.error());
  if (auto r = read_weight(o, entry.weight); !r) return tl::unexpected(r.error());
  if (auto r = read_words(o, entry); !r) return tl::unexpected(r.error());
  return entry;
}

Result<void> check_version(const Object& o) {
  const JsonNode* version = o.node.find("gemwright_shapes");
  if (!version) return o.fail(o.node.line, "key \"gemwright_shapes\" is missing: this is not a shapes file");
  if (version->kind != Kind::integer || version->integer != kVersion) {
    return o.fail(version->line,
                  fmt::format("version of the shapes file is not {}, which is all this build reads", kVersion));
  }
  return {};
}

std::string label(const JsonNode& node, std::size_t index) {
  const JsonNode* name = node.find("name");
  if (!name || name->kind != Kind::string) return fmt::format("problem {}: ", index + 1);
  return fmt::format("problem {} {}: ", index + 1, quote(name->text));
}

}  // namespace

Result<Suite> parse_shapes_json(std::string_view text, const std::string& file_name) {
  const auto root = parse_json_tree(text, file_name);
  if (!root) return tl::unexpected(root.error());
  const Object top{*root, file_name, ""};
  if (root->kind != Kind::object) {
    return top.fail(root->line, fmt::format("a shapes file must be an object, not {}", to_text(root->kind)));
  }
  if (auto r = check_version(top); !r) return tl::unexpected(r.error());
  if (auto r = check_keys(top, kFileKeys.begin(), kFileKeys.end()); !r) return tl::unexpected(r.error());
  const auto name = string(top, "name");
  if (!name) return tl::unexpected(name.error());
  const auto note = string(top, "note");
  if (!note) return tl::unexpected(note.error());
  const JsonNode* problems = root->find("problems");
  if (!problems) return top.fail(root->line, "key \"problems\" is missing");
  if (problems->kind != Kind::array || problems->items.empty()) {
    return top.fail(problems->line, "problems must be a list with at least one problem");
  }
  SuiteBuilder builder;
  for (std::size_t i = 0; i < problems->items.size(); ++i) {
    const Object object{problems->items[i], file_name, label(problems->items[i], i)};
    auto entry = read_problem(object);
    if (!entry) return tl::unexpected(entry.error());
    if (const auto added = builder.add(std::move(*entry)); !added) {
      return object.fail(object.node.line, added.error().message);
    }
  }
  const std::string given = printable(name->value_or(""), 100);
  return builder.take(given.empty() ? suite_name(file_name) : given, printable(note->value_or(""), kMaxTextBytes));
}

}  // namespace gemwright::tuner
