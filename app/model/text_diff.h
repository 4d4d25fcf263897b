// What changed between two texts, line by line, as `diff -u` shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gemwright::app {

struct TextDiff {
  // Each begins with ' ' (the same), '-' (of the old text alone), '+' (of the new one alone) or "@@" (where it stands).
  // Empty where the texts are equal.
  std::vector<std::string> lines;
  std::size_t removed = 0, added = 0;
};

// `context`: so many equal lines around each change. The fewest changes (Myers 1986) as long as there are some
// thousands at most; beyond that everything between the first and the last change is replaced.
TextDiff text_diff(std::string_view before, std::string_view after, std::size_t context = 3);

std::vector<std::string_view> text_lines(std::string_view text);

}  // namespace gemwright::app
