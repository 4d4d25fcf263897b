#include "app/model/text_diff.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace gemwright::app {
namespace {

TEST(TextDiff, EqualTextsHaveNoLines) {
  EXPECT_TRUE(text_diff("a\nb\n", "a\nb\n").lines.empty());
  EXPECT_TRUE(text_diff("", "").lines.empty());
}

TEST(TextDiff, ShowsWhatChangedWithItsSurroundings) {
  const auto d = text_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", 2);
  const std::vector<std::string> wanted{
      "@@ line 3 of the file, line 3 of the new header @@", " 3", " 4", "-5", "+five", " 6", " 7"};
  EXPECT_EQ(d.lines, wanted);
  EXPECT_EQ(d.removed, 1u);
  EXPECT_EQ(d.added, 1u);
}

TEST(TextDiff, ChangesThatAreFarApartStandInPartsOfTheirOwn) {
  std::string a, b;
  for (int i = 0; i < 40; ++i) {
    a += fmt::format("{}\n", i);
    b += fmt::format("{}\n", i == 5 || i == 30 ? -i : i);
  }
  const auto d = text_diff(a, b, 3);
  EXPECT_EQ(std::count_if(d.lines.begin(), d.lines.end(), [](const auto& l) { return l.starts_with("@@"); }), 2);
}

TEST(TextDiff, NewAndEmptyTexts) {
  EXPECT_EQ(text_diff("", "a\nb\n").added, 2u);
  EXPECT_EQ(text_diff("a\nb\n", "").removed, 2u);
}

// Applies a diff with all its context to the old text.
std::string applied(const TextDiff& d) {
  std::string out;
  for (const std::string& line : d.lines) {
    if (line[0] == ' ' || line[0] == '+') out += fmt::format("{}\n", line.substr(1));
  }
  return out;
}

TEST(TextDiff, WithAllItsContextItHoldsBothTexts) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string a, b;
    const auto line = [&] { return fmt::format("{}\n", random() % 4); };
    for (auto i = random() % 12; i > 0; --i) a += line();
    for (auto i = random() % 12; i > 0; --i) b += line();
    const auto d = text_diff(a, b, 1000);
    if (a == b) {
      EXPECT_TRUE(d.lines.empty());
    } else {
      EXPECT_EQ(applied(d), b) << "from\n" << a;
      EXPECT_EQ(text_lines(a).size() + d.added, text_lines(b).size() + d.removed);
    }
  }
}

TEST(TextDiff, TwoLargeTextsWithoutALineInCommonAreReplacedWhole) {
  std::string a, b;
  for (int i = 0; i < 5000; ++i) {
    a += fmt::format("a{}\n", i);
    b += fmt::format("b{}\n", i);
  }
  const auto d = text_diff(a, b);
  EXPECT_EQ(d.removed, 5000u);
  EXPECT_EQ(d.added, 5000u);
}

}  // namespace
}  // namespace gemwright::app
