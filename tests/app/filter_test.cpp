#include "app/model/filter.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace gemwright::app {
namespace {

nlohmann::json row() {
  return {{"m", 8},
          {"name", "qkv proj"},
          {"precision", "f32"},
          {"ratio", nullptr},
          {"config", {{"mr", 14}, {"isa", "avx512f"}}}};
}

bool matches(const std::string& text) {
  const auto filter = parse_filter(text);
  EXPECT_TRUE(filter) << text << ": " << (filter ? "" : filter.error().message);
  return filter && filter->matches(row());
}

TEST(Filter, ComparesNumbersAsNumbersAndTextWithoutCase) {
  EXPECT_TRUE(matches("m<=32"));
  EXPECT_TRUE(matches("m = 8"));
  EXPECT_FALSE(matches("m>8"));
  EXPECT_TRUE(matches("m<10"));
  EXPECT_TRUE(matches("precision=F32"));
  EXPECT_FALSE(matches("precision!=f32"));
}

TEST(Filter, TellsWhatAFieldIsAskedToBe) {
  const auto filter = parse_filter("study=7 and m<=8 or study==9 or study!=3");
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->wanted("study"), (std::vector<std::string>{"7", "9"}));
  EXPECT_TRUE(filter->wanted("m").empty());
  EXPECT_TRUE(Filter().wanted("study").empty());
}

TEST(Filter, AndBindsTighterThanOr) {
  EXPECT_TRUE(matches("m=1 and m=2 or m=8"));
  EXPECT_FALSE(matches("m=1 or m=2 and m=8"));
  EXPECT_TRUE(matches("m=8 AND precision=f32"));
}

TEST(Filter, ReachesIntoTheConfigAndContains) {
  EXPECT_TRUE(matches("mr>=14 and isa=avx512f"));
  EXPECT_TRUE(matches("name~proj"));
  EXPECT_TRUE(matches("name='qkv proj'"));
  EXPECT_FALSE(matches("name=qkv"));
}

TEST(Filter, AMissingValueMatchesOnlyNotEqual) {
  EXPECT_FALSE(matches("ratio>0"));
  EXPECT_FALSE(matches("ratio=0"));
  EXPECT_TRUE(matches("ratio!=1"));
}

TEST(Filter, EmptyMatchesEverything) {
  EXPECT_TRUE(matches(""));
  EXPECT_TRUE(matches("   "));
}

TEST(Filter, RefusesWhatIsNoExpression) {
  for (const char* text : {"m", "m=", "=8", "m 8", "m=8 and", "m=8 m=9", "m=8 xor m=9", "m!8", "name='open",
                           "m=8; drop table x", "and and and", "(m=8)"}) {
    const auto filter = parse_filter(text);
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().kind, tuner::ErrorKind::usage) << text;
    EXPECT_EQ(filter.error().message.rfind("--filter: ", 0), 0u) << filter.error().message;
  }
}

TEST(Filter, ANumberIsComparedWithNumbersAlone) {
  for (const char* text : {"mr>=8b", "mr=x", "m<''"}) {
    const auto r = check_fields(*parse_filter(text), row());
    ASSERT_FALSE(r) << text;
    EXPECT_NE(r.error().message.find("is a number, and '"), std::string::npos) << r.error().message;
  }
  EXPECT_TRUE(check_fields(*parse_filter("mr>=8 and m~1 and name=8b"), row()));
}

TEST(Filter, UnknownFieldIsRefusedByName) {
  const auto filter = parse_filter("treads=1");
  ASSERT_TRUE(filter);
  const auto r = check_fields(*filter, row());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message, "--filter: there is no field 'treads'; fields are m, name, precision, ratio, isa, mr");
  EXPECT_TRUE(check_fields(*parse_filter("mr=1 and m=2"), row()));
}

}  // namespace
}  // namespace gemwright::app
