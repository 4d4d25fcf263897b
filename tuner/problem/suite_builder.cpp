#include "tuner/problem/suite_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

constexpr std::size_t kMaxNameBytes = 64;   // it becomes part of symbol names
constexpr std::size_t kMaxNoteBytes = 400;  // a few sentences

// Words that cannot name a namespace, or that would hide one which the exported header uses.
constexpr auto kReserved =
    std::to_array<std::string_view>({"alignas",   "alignof",      "and",           "and_eq",
                                     "asm",       "auto",         "bitand",        "bitor",
                                     "bool",      "break",        "case",          "catch",
                                     "char",      "char16_t",     "char32_t",      "char8_t",
                                     "class",     "co_await",     "co_return",     "co_yield",
                                     "compl",     "concept",      "const",         "const_cast",
                                     "consteval", "constexpr",    "constinit",     "continue",
                                     "decltype",  "default",      "delete",        "do",
                                     "double",    "dynamic_cast", "else",          "enum",
                                     "explicit",  "export",       "extern",        "false",
                                     "float",     "for",          "friend",        "gemwright",
                                     "goto",      "if",           "inline",        "int",
                                     "long",      "mutable",      "namespace",     "new",
                                     "noexcept",  "not",          "not_eq",        "nullptr",
                                     "operator",  "or",           "or_eq",         "private",
                                     "protected", "public",       "register",      "reinterpret_cast",
                                     "requires",  "return",       "short",         "signed",
                                     "sizeof",    "static",       "static_assert", "static_cast",
                                     "std",       "struct",       "switch",        "template",
                                     "this",      "thread_local", "throw",         "true",
                                     "try",       "typedef",      "typeid",        "typename",
                                     "union",     "unsigned",     "using",         "virtual",
                                     "void",      "volatile",     "wchar_t",       "while",
                                     "xor",       "xor_eq"});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Result<void> check_entry(const SuiteEntry& entry) {
  if (entry.m.empty()) return fail("the M list is empty");
  if (entry.m.size() > kMaxMList) return fail(fmt::format("the M list has more than {} sizes", kMaxMList));
  // Written so that NaN is refused too.
  if (!(entry.weight > 0 && entry.weight <= kMaxWeight)) {
    return fail(fmt::format("weight is {}, but it must be above 0 and at most {}", entry.weight, kMaxWeight));
  }
  for (const std::int64_t m : {entry.m.front(), entry.m.back()}) {
    if (const auto fits = check_before_interface(entry.problem, m); !fits) return fail(fits.error().message);
  }
  return {};
}

void sort_unique(std::vector<std::int64_t>& m) {
  std::sort(m.begin(), m.end());
  m.erase(std::unique(m.begin(), m.end()), m.end());
}

}  // namespace

bool next_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  const auto end = rest.find('\n');
  line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return true;
}

void add_note(SuiteEntry& entry, std::string_view note) {
  if (note.empty() || entry.note.find(note) != std::string::npos) return;
  if (entry.note.size() + note.size() > kMaxNoteBytes) return;  // a merged entry may collect any number of them
  if (!entry.note.empty()) entry.note += "; ";
  entry.note += note;
}

Result<void> set_chain(SuiteEntry& entry, std::string_view text) {
  const auto chain = parse_epilogue(text);
  if (!chain) return fail(chain.error().message);
  entry.problem.chain = *chain;
  return {};
}

std::string suite_name(const std::string& file_name) {
  return printable(std::filesystem::path(file_name).stem().string(), 100);
}

std::string identifier(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (is_letter(c) || is_digit(c)) {
      if (result.empty() && is_digit(c)) result += 'p';
      result += c;
    } else if (!result.empty() && result.back() != '_') {
      result += '_';
    }
    if (result.size() >= kMaxNameBytes) break;
  }
  while (!result.empty() && result.back() == '_') result.pop_back();
  if (std::find(kReserved.begin(), kReserved.end(), result) != kReserved.end()) result += '_';
  return result;
}

std::string SuiteBuilder::unique_name(const std::string& name) {
  const std::string base = identifier(name);
  if (base.empty() || names_.insert(base).second) return base;
  int& suffix = next_suffix_.try_emplace(base, 2).first->second;
  while (true) {
    // An underscore at the end of a reserved word must not become two.
    std::string candidate = fmt::format("{}{}{}", base, base.back() == '_' ? "" : "_", suffix++);
    if (names_.insert(candidate).second) return candidate;
  }
}

Result<void> SuiteBuilder::count_row() {
  if (++rows_ <= kMaxSuiteEntries) return {};
  return fail(fmt::format("more than {} problems; split the file", kMaxSuiteEntries));
}

Result<void> SuiteBuilder::add(SuiteEntry entry) {
  if (auto counted = count_row(); !counted) return counted;
  return append(std::move(entry));
}

Result<void> SuiteBuilder::append(SuiteEntry entry) {
  sort_unique(entry.m);
  if (auto valid = check_entry(entry); !valid) return valid;
  entry.name = unique_name(entry.name);
  suite_.entries.push_back(std::move(entry));
  return {};
}

Result<void> SuiteBuilder::merge(SuiteEntry entry, const std::string& same) {
  if (auto counted = count_row(); !counted) return counted;
  const auto found = merged_.find(same);
  if (found == merged_.end()) {
    if (auto added = append(std::move(entry)); !added) return added;
    merged_.emplace(same, suite_.entries.size() - 1);
    return {};
  }
  SuiteEntry& target = suite_.entries[found->second];
  SuiteEntry both = target;
  both.m.insert(both.m.end(), entry.m.begin(), entry.m.end());
  sort_unique(both.m);
  both.weight += entry.weight;
  add_note(both, entry.note);
  if (auto valid = check_entry(entry); !valid) return valid;
  if (auto valid = check_entry(both); !valid) return valid;
  if (both.name.empty()) both.name = unique_name(entry.name);
  target = std::move(both);
  return {};
}

Suite SuiteBuilder::take(std::string name, std::string note) {
  suite_.name = std::move(name);
  suite_.note = std::move(note);
  return std::move(suite_);
}

}  // namespace gemwright::tuner
