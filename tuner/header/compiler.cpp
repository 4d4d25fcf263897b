#include "tuner/header/compiler.h"

#include <charconv>
#include <string_view>

namespace gemwright::tuner {
namespace {

// The number before the first '.' of the first word that begins with a digit.
std::optional<int> first_version(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts = text[i] >= '0' && text[i] <= '9' && (i == 0 || text[i - 1] == ' ');
    if (!starts) continue;
    int major = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), major);
    if (error == std::errc{} && end != text.data() + text.size() && *end == '.') return major;
  }
  return std::nullopt;
}

}  // namespace

const char* to_text(CompilerFamily f) { return f == CompilerFamily::clang ? "clang++" : "g++"; }

CompilerId compiler_id(const Build& build) {
  std::string_view version = build.compiler_version;
  const bool clang =
      version.find("clang") != std::string_view::npos || build.compiler.find("clang") != std::string::npos;
  // Distributions put their own version in parentheses before (g++) the compiler's.
  if (const auto close = version.find(')'); !clang && close != std::string_view::npos) version.remove_prefix(close + 1);
  return {clang ? CompilerFamily::clang : CompilerFamily::gcc, first_version(version)};
}

}  // namespace gemwright::tuner
