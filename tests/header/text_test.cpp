#include "tuner/header/text.h"

#include <gtest/gtest.h>

#include "tuner/header/compiler.h"

namespace gemwright::tuner {
namespace {

TEST(Harmless, CannotLeaveACommentOrAString) {
  EXPECT_EQ(harmless("a\nb\r\tc"), "a_b__c");
  EXPECT_EQ(harmless("x */ int y; /* z"), "x * / int y; / * z");
  EXPECT_EQ(harmless("line\\"), "line/");
  EXPECT_EQ(harmless("\\\\"), "/ /");
  EXPECT_EQ(harmless("?"
                     "?/ quote\""),
            "__/ quote_");
  EXPECT_EQ(harmless(std::string("nul\0x", 5)), "nul_x");
  EXPECT_EQ(harmless("caf\xc3\xa9 \xe2\x80\xae"), "caf__ ___");
  EXPECT_EQ(harmless(std::string(100000, 'x')).size(), kMaxProvenanceText + 3);
  EXPECT_EQ(string_literal("say \"hi\""), "\"say _hi_\"");
}

TEST(Identifier, MakesNamesThatAreNoKeywordNotReservedAndNotTaken) {
  EXPECT_EQ(header_name("qkv"), "qkv");
  EXPECT_EQ(header_name("ffn up/gate"), "ffn_up_gate");
  EXPECT_EQ(header_name("2nd"), "p2nd");
  EXPECT_EQ(header_name("__x__y__"), "x_y");
  EXPECT_EQ(header_name("_Upper"), "Upper");
  for (const char* word : {"class", "co_await", "xor", "linux", "context", "std", "kernels", "while", "NULL", "bf16"}) {
    EXPECT_EQ(header_name(word), std::string(word) + "_gemm");
  }
  EXPECT_EQ(header_name(""), "");
  EXPECT_EQ(header_name("\xe2\x80\xae;{}"), "");
  EXPECT_LE(header_name(std::string(5000, 'x')).size(), 64u);
}

TEST(ParseNamespace, TakesIdentifiersOnly) {
  EXPECT_EQ(parse_namespace("tuned").value(), "tuned");
  EXPECT_EQ(parse_namespace("engine::kernels2::v1").value(), "engine::kernels2::v1");
  for (const char* bad : {"", "a::", "::a", "a:b", "1a", "_a", "a__b", "int", "std", "gemwright", "a b", "a{}",
                          "a::class", "a\n", "a::std"}) {
    const auto r = parse_namespace(bad);
    ASSERT_FALSE(r) << bad;
    EXPECT_EQ(r.error().kind, ErrorKind::usage);
    EXPECT_EQ(r.error().message.find('\n'), std::string::npos);
  }
}

TEST(DoubleLiteral, IsADouble) {
  EXPECT_EQ(double_literal(5), "5.0");
  EXPECT_EQ(double_literal(0.02), "0.02");
  EXPECT_EQ(double_literal(3e-7), "3e-07");
  EXPECT_EQ(double_literal(1e22), "1e+22");
}

TEST(CompilerId, ReadsFamilyAndMajorVersion) {
  const auto id = [](const char* name, const char* version) { return compiler_id({"", "", name, version, "", ""}); };
  EXPECT_EQ(id("g++", "g++ (Debian 12.2.0-14+deb12u1) 12.2.0").major, 12);
  EXPECT_EQ(id("g++", "g++ (GCC) 11.4.1 20230605 (Red Hat 11.4.1-2)").major, 11);
  EXPECT_EQ(id("g++-13", "g++-13 (Ubuntu 13.1.0-8ubuntu1~22.04) 13.1.0").major, 13);
  EXPECT_EQ(id("clang++", "Debian clang version 14.0.6").major, 14);
  EXPECT_EQ(id("c++", "Ubuntu clang version 18.1.3 (1ubuntu1)").family, CompilerFamily::clang);
  EXPECT_EQ(id("c++", "Ubuntu clang version 18.1.3 (1ubuntu1)").major, 18);
  EXPECT_EQ(id("g++", "").major, std::nullopt);
  EXPECT_EQ(id("g++", "g++ 99999999999999999999.1").major, std::nullopt);
}

}  // namespace
}  // namespace gemwright::tuner
