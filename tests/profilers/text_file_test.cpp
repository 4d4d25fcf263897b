#include "profilers/text_file.h"

#include <gtest/gtest.h>

#include "tests/profilers/fake_root.h"

namespace gemwright::profilers {
namespace {

TEST(TextFile, CountsAreDecimalAndNotNegative) {
  EXPECT_EQ(parse_count("0"), 0);
  EXPECT_EQ(parse_count("9223372036854775807"), INT64_MAX);
  for (const char* wrong : {"", "-1", "+1", " 1", "1 ", "0x1", "1.5", "9223372036854775808", "max"}) {
    EXPECT_FALSE(parse_count(wrong)) << wrong;
  }
}

TEST(TextFile, SizesHaveBinaryUnits) {
  EXPECT_EQ(parse_size("48K"), 48 << 10);
  EXPECT_EQ(parse_size("32M\n"), 32 << 20);
  EXPECT_EQ(parse_size("2G"), std::int64_t{2} << 30);
  EXPECT_EQ(parse_size("512"), 512);
  for (const char* wrong : {"", "K", "0K", "-1K", "1T", "9223372036854775807K", "1 K"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(TextFile, CpuListsAreCounted) {
  EXPECT_EQ(count_cpu_list("0"), 1);
  EXPECT_EQ(count_cpu_list("0-3,8,10-11\n"), 7);
  for (const char* wrong : {"", "a", "3-1", "0-", "-3", "0-99999999999", "1 2"}) {
    EXPECT_FALSE(count_cpu_list(wrong)) << wrong;
  }
}

TEST(TextFile, FoldersAndMissingFilesAreAbsent) {
  const test::FakeRoot root;
  EXPECT_FALSE(read_text(root.path()));
  EXPECT_FALSE(read_text(root.path() / "nothing"));
}

TEST(TextFile, ReadsAtMostItsBound) {
  const test::FakeRoot root;
  root.write("large", std::string(kMaxTextBytes + 100000, 'x'));
  const auto text = read_text(root.path() / "large");
  ASSERT_TRUE(text);
  EXPECT_GE(text->size(), kMaxTextBytes);
  EXPECT_LE(text->size(), kMaxTextBytes + 4096);
}

TEST(TextFile, AWordIsTheTextWithoutBlanksAround) {
  const test::FakeRoot root;
  root.write("word", "  performance\n");
  root.write("blank", " \n");
  EXPECT_EQ(read_word(root.path() / "word"), "performance");
  EXPECT_FALSE(read_word(root.path() / "blank"));
}

}  // namespace
}  // namespace gemwright::profilers
