#include "tuner/header/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "tuner/problem/suite.h"

namespace gemwright::tuner {
namespace {

// Longer names help nobody and some tools cut them.
constexpr std::size_t kMaxIdentifier = 64;

// Keywords up to C++23, alternative tokens, and words with a meaning in some places.
constexpr std::string_view kKeywords[] = {"alignas",
                                          "alignof",
                                          "and",
                                          "and_eq",
                                          "asm",
                                          "atomic_cancel",
                                          "atomic_commit",
                                          "atomic_noexcept",
                                          "auto",
                                          "bitand",
                                          "bitor",
                                          "bool",
                                          "break",
                                          "case",
                                          "catch",
                                          "char",
                                          "char16_t",
                                          "char32_t",
                                          "char8_t",
                                          "class",
                                          "co_await",
                                          "co_return",
                                          "co_yield",
                                          "compl",
                                          "concept",
                                          "const",
                                          "const_cast",
                                          "consteval",
                                          "constexpr",
                                          "constinit",
                                          "continue",
                                          "decltype",
                                          "default",
                                          "delete",
                                          "do",
                                          "double",
                                          "dynamic_cast",
                                          "else",
                                          "enum",
                                          "explicit",
                                          "export",
                                          "extern",
                                          "false",
                                          "final",
                                          "float",
                                          "for",
                                          "friend",
                                          "goto",
                                          "if",
                                          "import",
                                          "inline",
                                          "int",
                                          "long",
                                          "module",
                                          "mutable",
                                          "namespace",
                                          "new",
                                          "noexcept",
                                          "not",
                                          "not_eq",
                                          "nullptr",
                                          "operator",
                                          "or",
                                          "or_eq",
                                          "override",
                                          "private",
                                          "protected",
                                          "public",
                                          "reflexpr",
                                          "register",
                                          "reinterpret_cast",
                                          "requires",
                                          "return",
                                          "short",
                                          "signed",
                                          "sizeof",
                                          "static",
                                          "static_assert",
                                          "static_cast",
                                          "struct",
                                          "switch",
                                          "synchronized",
                                          "template",
                                          "this",
                                          "thread_local",
                                          "throw",
                                          "true",
                                          "try",
                                          "typedef",
                                          "typeid",
                                          "typename",
                                          "typeof",
                                          "union",
                                          "unsigned",
                                          "using",
                                          "virtual",
                                          "void",
                                          "volatile",
                                          "wchar_t",
                                          "while",
                                          "xor",
                                          "xor_eq"};

// Macros of common compilers and headers, and the names that an exported header uses itself.
constexpr std::string_view kTaken[] = {"linux",      "unix",
                                       "i386",       "errno",
                                       "assert",     "NULL",
                                       "EOF",        "BUFSIZ",
                                       "stdin",      "stdout",
                                       "stderr",     "major",
                                       "minor",      "makedev",
                                       "offsetof",   "INFINITY",
                                       "NAN",        "TRUE",
                                       "FALSE",      "min",
                                       "max",        "std",
                                       "posix",      "gemwright",
                                       "kernels",    "layout",
                                       "status",     "status_text",
                                       "executor",   "packed_weights",
                                       "context",    "measured_choice",
                                       "provenance", "scratch_bound",
                                       "bf16",       "to_bf16",
                                       "to_float",   "main"};

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool taken(std::string_view word) {
  return std::find(std::begin(kKeywords), std::end(kKeywords), word) != std::end(kKeywords) ||
         std::find(std::begin(kTaken), std::end(kTaken), word) != std::end(kTaken);
}

// What is wrong with one part of a namespace; empty when nothing is.
std::string wrong_with(std::string_view part) {
  if (part.empty()) return "a part of it is empty";
  if (part.size() > kMaxIdentifier) return fmt::format("a part of it is longer than {} characters", kMaxIdentifier);
  if (!letter(part[0])) return "a part of it does not begin with a letter";
  for (const char c : part) {
    if (!letter(c) && !digit(c) && c != '_') return "it has a character that is no letter, digit or '_'";
  }
  if (part.find("__") != std::string_view::npos) return "two underscores in a row are reserved for the compiler";
  if (taken(part)) return fmt::format("\"{}\" has another meaning in C++ or in the header", part);
  return "";
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxProvenanceText)) {
    const char kept = c < ' ' || c > '~' || c == '?' || c == '"' ? '_' : c == '\\' ? '/' : c;
    const char before = out.empty() ? ' ' : out.back();
    if ((before == '*' && kept == '/') || (before == '/' && (kept == '*' || kept == '/'))) out += ' ';
    out += kept;
  }
  return text.size() > kMaxProvenanceText ? out + "..." : out;
}

std::string string_literal(std::string_view text) { return '"' + harmless(text) + '"'; }

std::string header_name(std::string_view text) {
  std::string out = identifier(text).substr(0, kMaxIdentifier);
  while (!out.empty() && out.back() == '_') out.pop_back();  // a cut, or a keyword that was marked
  return taken(out) ? out + "_gemm" : out;
}

Result<std::string> parse_namespace(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::string_view rest = text;;) {
    const auto end = rest.find("::");
    parts.push_back(rest.substr(0, end));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 2);
  }
  for (const std::string_view part : parts) {
    if (const std::string why = wrong_with(part); !why.empty()) {
      return fail(fmt::format("\"{}\" cannot be the namespace of a header: {}", harmless(text.substr(0, 80)), why),
                  ErrorKind::usage);
    }
  }
  return std::string(text);
}

std::string double_literal(double value) {
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

}  // namespace gemwright::tuner
