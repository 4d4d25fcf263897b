#include "tuner/problem/suite.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace gemwright::tuner {
namespace {

using Sizes = std::vector<std::int64_t>;

template <class T>
std::string error_of(const Result<T>& r) {
  return r ? "no error" : r.error().message;
}

std::string json_error(const std::string& text) { return error_of(parse_shapes_json(text, "f.json")); }
std::string csv_error(const std::string& text) { return error_of(parse_shapes_csv(text, "f.csv")); }

// A shapes file with one problem on line 3.
std::string one(const std::string& fields) {
  return "{\"gemwright_shapes\": 1, \"name\": \"s\",\n \"problems\": [\n  {" + fields + "}]}";
}

// A folder of its own for each test, removed with what lies in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "gemwright_suite_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(GemmSize, ReadsThreeSizes) {
  const auto size = parse_gemm_size("4x4096x1073741824");
  ASSERT_TRUE(size);
  EXPECT_EQ(size->m, 4);
  EXPECT_EQ(size->n, 4096);
  EXPECT_EQ(size->k, kMaxSize);
}

TEST(GemmSize, RefusesEverythingElseWithASentence) {
  for (const char* text : {"", "4", "4x4", "4x4x4x4", "x4x4", "4x4x", "0x4x4", "-4x4x4", "+4x4x4", " 4x4x4", "4x4x4 ",
                           "0x10x4x4", "4X4X4", "4.0x4x4", "1e3x4x4", "99999999999999999999x4x4", "1073741825x4x4"}) {
    const auto size = parse_gemm_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_NE(size.error().message.find("is not a size MxNxK"), std::string::npos) << text;
    EXPECT_EQ(size.error().kind, ErrorKind::usage);
  }
  EXPECT_EQ(error_of(parse_gemm_size("4x0x4")),
            "\"4x0x4\" is not a size MxNxK such as 4x4096x4096: N must be a whole number from 1 to 1073741824");
}

TEST(MList, IsSortedAndUnique) {
  EXPECT_EQ(*parse_m_list("32,1,8,1"), (Sizes{1, 8, 32}));
  EXPECT_EQ(*parse_m_list("8/1", '/'), (Sizes{1, 8}));
}

TEST(MList, RefusesBadMembersAndTooMany) {
  for (const char* text : {"", "1,", ",1", "1,,2", "0", "-1", "1, 2", "a", "99999999999999999999"}) {
    EXPECT_NE(error_of(parse_m_list(text)).find("must be a whole number"), std::string::npos) << text;
  }
  std::string many = "1";
  for (std::size_t i = 2; i <= kMaxMList; ++i) many += fmt::format(",{}", i);
  EXPECT_EQ(parse_m_list(many)->size(), kMaxMList);
  EXPECT_NE(error_of(parse_m_list(many + ",1")).find("more than 256"), std::string::npos);
}

TEST(Identifier, IsAlwaysACppNameOrEmpty) {
  EXPECT_EQ(identifier("attn.qkv 2"), "attn_qkv_2");
  EXPECT_EQ(identifier("7x7"), "p7x7");
  EXPECT_EQ(identifier("__a__b__"), "a_b");
  EXPECT_EQ(identifier("class"), "class_");
  EXPECT_EQ(identifier("std"), "std_");
  EXPECT_EQ(identifier("\xe6\xbc\xa2"), "");
  EXPECT_EQ(identifier("};int x;{"), "int_x");
  EXPECT_EQ(identifier(std::string(1000, 'a')), std::string(64, 'a'));
}

TEST(ShapesJson, ReadsEveryKey) {
  const auto suite = parse_shapes_json(
      one(R"("name": "a b", "n": 8, "k": 4, "m": [32, 1, 1], "batch": 2, "layout": "nt", "weights": "call", "beta": 1,
             "epilogue": "bias+relu", "precision": "f32", "weight": 2.5, "note": "why", "source": "read")"),
      "f.json");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(suite->name, "s");
  ASSERT_EQ(suite->entries.size(), 1u);
  const SuiteEntry& entry = suite->entries[0];
  EXPECT_EQ(entry.name, "a_b");
  EXPECT_EQ(key(entry.problem), "gemm/f32/n8/k4/b2/nt/call/beta1/bias+relu");
  EXPECT_EQ(entry.m, (Sizes{1, 32}));
  EXPECT_EQ(entry.weight, 2.5);
  EXPECT_EQ(entry.note, "why");
  EXPECT_EQ(entry.source, "read");
}

TEST(ShapesJson, HasDefaultsAndTakesASingleM) {
  const auto suite = parse_shapes_json(
      R"({"gemwright_shapes": 1, "note": "all", "problems": [{"n": 8, "k": 4, "m": 7}]})", "dir/mine.json");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(suite->name, "mine");
  EXPECT_EQ(suite->note, "all");
  EXPECT_EQ(suite->entries[0].name, "");
  EXPECT_EQ(key(suite->entries[0].problem), "gemm/f32/n8/k4/b1/nn/constant/beta0/none");
  EXPECT_EQ(suite->entries[0].m, Sizes{7});
  EXPECT_EQ(suite->entries[0].weight, 1);
}

TEST(ShapesJson, AcceptsByteOrderMarkAndCrLf) {
  EXPECT_TRUE(parse_shapes_json(
      "\xef\xbb\xbf{\"gemwright_shapes\": 1,\r\n\"problems\": [{\"n\":1,\"k\":1,\"m\":1}]}\r\n", "f"));
}

TEST(ShapesJson, ReadsAChainWhoseInterfaceIsSettledLater) {
  const auto suite = parse_shapes_json(one(R"("n": 28672, "k": 4096, "m": 1, "epilogue": "requant")"), "f");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(epilogue_text(suite->entries[0].problem.chain), "requant");
  EXPECT_EQ(suite->entries[0].note, "");
}

TEST(ShapesJson, MakesNamesUnique) {
  const std::string p = R"("n": 8, "k": 4, "m": 7})";
  const auto suite =
      parse_shapes_json(R"({"gemwright_shapes": 1, "problems": [{"name": "a", )" + p + R"(, {"name": "a_2", )" + p +
                            R"(, {"name": "a", )" + p + R"(, {"name": "a-", )" + p + R"(, {"name": "int", )" + p +
                            R"(, {"name": "int", )" + p + "]}",
                        "f");
  ASSERT_TRUE(suite) << error_of(suite);
  std::vector<std::string> names;
  for (const auto& entry : suite->entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a", "a_2", "a_3", "a_4", "int_", "int_2"}));
}

TEST(ShapesJson, RefusesBadValuesWithLineAndProblem) {
  const std::string at = "f.json:3: problem 1: ";
  const std::string size = " must be a whole number from 1 to 1073741824";
  EXPECT_EQ(json_error(one(R"("n": 1.5, "k": 1, "m": 1)")), at + "n" + size);
  EXPECT_EQ(json_error(one(R"("n": -1, "k": 1, "m": 1)")), at + "n" + size);
  EXPECT_EQ(json_error(one(R"("n": "1", "k": 1, "m": 1)")), at + "n" + size);
  EXPECT_EQ(json_error(one(R"("n": 18446744073709551615, "k": 1, "m": 1)")), at + "n" + size);
  EXPECT_EQ(json_error(one(R"("n": 99999999999999999999999999, "k": 1, "m": 1)")), at + "n" + size);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": null, "m": 1)")), at + "k" + size);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": true)")), at + "m must be a whole number or a list of them");
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": [])")), at + "m is an empty list");
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": [1, 0])")), at + "m" + size);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": [[1]])")), at + "m" + size);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1)")), at + "m is missing");
  EXPECT_EQ(json_error(one(R"("k": 1, "m": 1)")), at + "n is missing");
  EXPECT_EQ(json_error(one(R"("n": 1, "m": 1)")), at + "k is missing");
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": 1, "batch": 0)")), at + "batch" + size);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": 1, "beta": 2)")), at + "beta must be a whole number from 0 to 1");
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": 1, "name": 3)")), at + "name must be a string, not a number");
  EXPECT_NE(json_error(one(R"("n": 1, "k": 1, "m": 1, "weight": 0)")).find(at + "weight must be"), std::string::npos);
  EXPECT_NE(json_error(one(R"("n": 1, "k": 1, "m": 1, "weight": -1)")).find(at + "weight must be"), std::string::npos);
  EXPECT_NE(json_error(one(R"("n": 1, "k": 1, "m": 1, "weight": "1")")).find(at + "weight must be"), std::string::npos);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": 1, "weigth": 1)")), at + "unknown key \"weigth\"");
  EXPECT_NE(json_error(one(R"("n": 1, "k": 1, "m": 1, "layout": "ab")")).find(at + "unknown layout \"ab\""),
            std::string::npos);
  EXPECT_NE(json_error(one(R"("n": 1, "k": 1, "m": 1, "weights": "x")")).find(at + "weights \"x\" are unknown"),
            std::string::npos);
  EXPECT_EQ(json_error(one(R"("n": 1, "k": 1, "m": 1, "precision": "w4")")),
            at + "unknown interface \"w4\"; built are: f32, bf16, u8s8");
  EXPECT_NE(json_error(one(R"("n": 1, "k": 1, "m": 1, "epilogue": "tanh")")).find(at + "unknown epilogue operation"),
            std::string::npos);
  EXPECT_NE(json_error(one(R"("n": 1073741824, "k": 1073741824, "m": 1)")).find(at + "operand B"), std::string::npos);
  EXPECT_NE(json_error(one("\"n\": 1, \"k\": 1, \"m\": 1, \"note\": \"" + std::string(1001, 'x') + '"')).find("longer"),
            std::string::npos);
}

TEST(ShapesJson, NamesTheProblemAndTheLineOfTheValue) {
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1, \"problems\": [\n{\"n\": 1, \"k\": 1, \"m\": 1},\n"
                       "{\"name\": \"q\\u0007\",\n \"n\": 1,\n \"k\": 0\n, \"m\": 1}]}"),
            "f.json:5: problem 2 \"q?\": k must be a whole number from 1 to 1073741824");
}

TEST(ShapesJson, RefusesWrongFilesWithASentence) {
  EXPECT_EQ(json_error("[]"), "f.json:1: a shapes file must be an object, not a list");
  EXPECT_EQ(json_error("3\n"), "f.json:1: a shapes file must be an object, not a number");
  EXPECT_EQ(json_error("{}"), "f.json:1: key \"gemwright_shapes\" is missing: this is not a shapes file");
  EXPECT_EQ(json_error("{\"gemwright_shapes\":\n2}"),
            "f.json:2: version of the shapes file is not 1, which is all this build reads");
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1}"), "f.json:1: key \"problems\" is missing");
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1,\n\"problems\": []}"),
            "f.json:2: problems must be a list with at least one problem");
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1,\n\"problems\": {}}"),
            "f.json:2: problems must be a list with at least one problem");
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1, \"problems\": [\n3]}"),
            "f.json:2: problem 1: it must be an object, not a number");
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1,\n\"extra\": 1, \"problems\": []}"),
            "f.json:2: unknown key \"extra\"");
  EXPECT_EQ(json_error("{\"gemwright_shapes\": 1, \"name\": [], \"problems\": []}"),
            "f.json:1: name must be a string, not a list");
}

TEST(ShapesJson, RefusesBrokenTextWithTheLine) {
  EXPECT_EQ(json_error(""), "f.json:1: not valid JSON: the file ends too early");
  EXPECT_EQ(json_error("{\n\"gemwright_shapes\": 1,\n"), "f.json:2: not valid JSON: the file ends too early");
  EXPECT_EQ(json_error("{\"a\": 1\n\"b\": 2}").substr(0, 9), "f.json:2:");
  EXPECT_EQ(json_error("{\"a\": 1,\n\n nope}").substr(0, 9), "f.json:3:");
  EXPECT_EQ(json_error("{} {}").substr(0, 26), "f.json:1: not valid JSON: ");
  EXPECT_EQ(json_error("{\"a\": NaN}").substr(0, 26), "f.json:1: not valid JSON: ");
  EXPECT_EQ(json_error("{\"a\": 1e999}"), "f.json:1: number \"1e999\" is too large");
  EXPECT_EQ(json_error("{\n\"a\": 1,\n\"a\": 2}"), "f.json:3: key \"a\" stands twice in one object");
  EXPECT_EQ(json_error(std::string("{\n\0}", 4)), "f.json:2: control character 0x00 in a text file");
  EXPECT_EQ(json_error("{\n\n\"\xff\": 1}"), "f.json:3: the text is not valid UTF-8");
}

TEST(ShapesJson, RefusesHostileAmounts) {
  EXPECT_EQ(json_error(std::string(1 << 20, '[')), "f.json:1: nested more than 32 deep");
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
  EXPECT_EQ(json_error(deep), "f.json:1: nested more than 32 deep");
  std::string keys = "{";
  for (int i = 0; i < 65; ++i) keys += fmt::format("\"k{}\": 0,", i);
  EXPECT_EQ(json_error(keys), "f.json:1: an object has more than 64 keys");
  std::string values = "[0";
  for (int i = 0; i < (1 << 20); ++i) values += ",0";
  EXPECT_EQ(json_error(values + "]"), "f.json:1: the file holds more than 1048576 values");
  EXPECT_LT(json_error('"' + std::string(1 << 20, 'x')).size(), 400u);
  std::string m = "1";
  for (std::size_t i = 0; i < kMaxMList; ++i) m += ",1";
  EXPECT_EQ(json_error(one("\"n\": 1, \"k\": 1, \"m\": [" + m + "]")),
            "f.json:3: problem 1: m has more than 256 sizes");
}

TEST(ShapesJson, RefusesMoreProblemsThanTheLimit) {
  std::string text = "{\"gemwright_shapes\": 1, \"problems\": [";
  for (std::size_t i = 0; i <= kMaxSuiteEntries; ++i) text += std::string(i ? "," : "") + R"({"n":1,"k":1,"m":1})";
  EXPECT_EQ(json_error(text + "]}"), "f.json:1: problem 10001: more than 10000 problems; split the file");
}

TEST(ShapesCsv, ReadsColumnsInAnyOrder) {
  const auto suite = parse_shapes_csv(
      "\xef\xbb\xbfK, name ,M,n,weight,epilogue,precision,layout,weights,batch\r\n"
      "\r\n"
      "4,\"a, \"\"b\"\"\",8/1,16,2.5,bias+relu,f32,nt,call,3\r\n"
      "5,,1,6,,,,,,\r\n",
      "dir/mine.csv");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(suite->name, "mine");
  ASSERT_EQ(suite->entries.size(), 2u);
  EXPECT_EQ(suite->entries[0].name, "a_b");
  EXPECT_EQ(key(suite->entries[0].problem), "gemm/f32/n16/k4/b3/nt/call/beta0/bias+relu");
  EXPECT_EQ(suite->entries[0].m, (Sizes{1, 8}));
  EXPECT_EQ(suite->entries[0].weight, 2.5);
  EXPECT_EQ(key(suite->entries[1].problem), "gemm/f32/n6/k5/b1/nn/constant/beta0/none");
  EXPECT_EQ(suite->entries[1].weight, 1);
}

TEST(ShapesCsv, UnitesRowsOfOneProblemAndName) {
  const auto suite = parse_shapes_csv("name,m,n,k,weight\na,8,4,4,2\nb,1,4,4,1\na,1/8,4,4,3\na,1,5,4,1\n", "f.csv");
  ASSERT_TRUE(suite) << error_of(suite);
  ASSERT_EQ(suite->entries.size(), 3u);
  EXPECT_EQ(suite->entries[0].m, (Sizes{1, 8}));
  EXPECT_EQ(suite->entries[0].weight, 5);
  EXPECT_EQ(suite->entries[1].name, "b");
  EXPECT_EQ(suite->entries[2].name, "a_2");
}

TEST(ShapesCsv, ReadsChainsWithTheirPrecision) {
  const auto suite = parse_shapes_csv("m,n,k,precision,epilogue\n1,2,3,u8s8,bias+requant\n", "f.csv");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(key(suite->entries[0].problem), "gemm/u8s8/n2/k3/b1/nn/constant/beta0/bias+requant");
}

TEST(ShapesCsv, RefusesWithALine) {
  EXPECT_EQ(csv_error(""), "f.csv:1: the file holds no problem");
  EXPECT_EQ(csv_error("m,n,k\n\n"), "f.csv:2: the file holds no problem");
  EXPECT_EQ(csv_error("1,2,3\n"), "f.csv:1: unknown column \"1\"");
  EXPECT_EQ(csv_error("m,n,k,colour\n"), "f.csv:1: unknown column \"colour\"");
  EXPECT_EQ(csv_error("m,n,k,m\n"), "f.csv:1: column m stands twice");
  EXPECT_EQ(csv_error("m,n\n1,2\n"), "f.csv:1: column k is missing; the first line must name the columns");
  EXPECT_EQ(csv_error("m,n,k\n1,2\n"), "f.csv:2: the line has 2 fields, but the header has 3");
  EXPECT_EQ(csv_error("m,n,k\n1,2,3,\n"), "f.csv:2: the line has 4 fields, but the header has 3");
  EXPECT_EQ(csv_error("m,n,k\n1,-2,3\n"), "f.csv:2: n is \"-2\", but it must be a whole number from 1 to 1073741824");
  EXPECT_EQ(csv_error("m,n,k\n1,,3\n"), "f.csv:2: n is \"\", but it must be a whole number from 1 to 1073741824");
  EXPECT_EQ(csv_error("m,n,k\n,2,3\n"), "f.csv:2: M \"\" in \"\" must be a whole number from 1 to 1073741824");
  EXPECT_EQ(csv_error("m,n,k\n\n1/x,2,3\n"), "f.csv:3: M \"x\" in \"1/x\" must be a whole number from 1 to 1073741824");
  EXPECT_EQ(csv_error("m,n,k,weight\n1,2,3,nan\n"), "f.csv:2: weight \"nan\" is not a number above 0");
  EXPECT_NE(csv_error("m,n,k,weight\n1,2,3,0\n").find("f.csv:2: weight is 0"), std::string::npos);
  EXPECT_EQ(csv_error("m,n,k,precision\n1,2,3,w4\n"), "f.csv:2: unknown interface \"w4\"; built are: f32, bf16, u8s8");
  EXPECT_NE(csv_error("m,n,k,epilogue\n1,2,3,tanh\n").find("f.csv:2: unknown epilogue operation"), std::string::npos);
  EXPECT_NE(csv_error("m,n,k,layout\n1,2,3,row\n").find("f.csv:2: unknown layout"), std::string::npos);
  EXPECT_NE(csv_error("m,n,k,weights\n1,2,3,no\n").find("f.csv:2: weights"), std::string::npos);
  EXPECT_EQ(csv_error("m,n,k,name\n1,2,3,\"a\n"), "f.csv:2: a quoted field does not end on its line");
  EXPECT_EQ(csv_error("m,n,k,name\n1,2,3,\"a\"b\n"), "f.csv:2: text follows the closing quote of a field");
  EXPECT_EQ(csv_error("m,n,k,name\n1,2,3,a\"b\n"), "f.csv:2: a quote stands inside a field without quotes");
  EXPECT_NE(csv_error("m,n,k\n1,1073741824,1073741824\n").find("f.csv:2: operand B"), std::string::npos);
  EXPECT_EQ(csv_error(std::string("m,n,k\n1,\0,3\n", 13)), "f.csv:2: control character 0x00 in a text file");
  EXPECT_EQ(csv_error("m,n,k\n1,2,\xc3\n"), "f.csv:2: the text is not valid UTF-8");
  EXPECT_EQ(csv_error("m,n,k\n" + std::string(70000, ',')), "f.csv:2: the line is longer than 65536 bytes");
}

TEST(ShapesCsv, LimitsRowsAndUnitedMLists) {
  std::string rows = "m,n,k\n";
  for (std::size_t i = 0; i <= kMaxSuiteEntries; ++i) rows += "1,2,3\n";
  EXPECT_EQ(csv_error(rows), "f.csv:10002: more than 10000 problems; split the file");
  std::string sizes = "m,n,k\n";
  for (std::size_t m = 1; m <= kMaxMList + 1; ++m) sizes += fmt::format("{},2,3\n", m);
  EXPECT_EQ(csv_error(sizes), "f.csv:258: the M list has more than 256 sizes");
}

// Every prefix of valid texts, and each with one byte changed: an answer or a sentence, never more.
TEST(Readers, SurviveTruncatedAndDamagedText) {
  const std::vector<std::string> texts = {
      one(R"("name": "a", "n": 8, "k": 4, "m": [1, 2], "epilogue": "bias+relu", "weight": 1.5)"),
      "m,n,k,name,epilogue\n1/8,2,3,\"a\"\"b\",bias\n",
      "--reset --dt=f32 --wtag=ba --attr-post-ops=relu\n3x2x4:3x4x5_n\"a*2\"\n"};
  for (const std::string& text : texts) {
    for (std::size_t i = 0; i <= text.size(); ++i) {
      for (const int byte : {-1, 0x00, 0x22, 0x2c, 0x39, 0x5b, 0x78, 0x80, 0xff}) {
        std::string damaged = text.substr(0, byte < 0 ? i : text.size());
        if (byte >= 0 && i < damaged.size()) damaged[i] = static_cast<char>(byte);
        for (auto* parse : {parse_shapes_json, parse_shapes_csv, parse_benchdnn}) {
          const auto suite = parse(damaged, "f");
          if (suite) {
            ASSERT_FALSE(suite->entries.empty());
          } else {
            ASSERT_EQ(suite.error().message.substr(0, 2), "f:");
            ASSERT_EQ(suite.error().message.find('\n'), std::string::npos);
          }
        }
      }
    }
  }
}

TEST(ShapesFile, FormatIsToldByExtensionThenContent) {
  const TemporaryFolder folder;
  const std::string json = one(R"("n": 8, "k": 4, "m": 1)");
  for (const char* name : {"a.json", "a.JSON", "shapes"})
    EXPECT_TRUE(read_shapes_file(folder.write(name, json))) << name;
  EXPECT_TRUE(read_shapes_file(folder.write("a.csv", "m,n,k\n1,2,3\n")));
  const auto bench = read_shapes_file(folder.write("shapes_2d", "1x2:2x3\n"));
  ASSERT_TRUE(bench) << error_of(bench);
  EXPECT_EQ(bench->name, "shapes_2d");
  EXPECT_NE(error_of(read_shapes_file(folder.write("b.csv", json))).find("b.csv:1: "), std::string::npos);
}

TEST(ShapesFile, RefusesWhatIsNoReadableTextFile) {
  const TemporaryFolder folder;
  EXPECT_NE(error_of(read_shapes_file(folder.path() / "none.json")).find("no such file"), std::string::npos);
  EXPECT_NE(error_of(read_shapes_file(folder.path())).find("is a folder, not a file"), std::string::npos);
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_NE(error_of(read_shapes_file(pipe)).find("is not a regular file"), std::string::npos);
  const auto large = folder.write("large", std::string(kMaxShapeFileBytes + 1, '\n'));
  EXPECT_NE(error_of(read_shapes_file(large)).find("is larger than 16777216 bytes"), std::string::npos);
}

const std::filesystem::path kPresets = std::filesystem::path(GEMWRIGHT_SOURCE_DIR) / "presets" / "shapes";

TEST(Presets, AllParseAndAreComplete) {
  const auto names = preset_names(kPresets);
  for (const char* expected : {"bert-base", "cubes", "dlrm", "llama-3.1-8b", "llama-3.1-8b-lm-head", "qwen3-0.6b",
                               "qwen3-0.6b-lm-head", "resnet-50", "stress"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), expected), names.end()) << expected;
  }
  for (const std::string& name : names) {
    const auto suite = read_preset(kPresets, name);
    ASSERT_TRUE(suite) << error_of(suite);
    EXPECT_EQ(suite->name, name);
    EXPECT_FALSE(suite->entries.empty()) << name;
    EXPECT_FALSE(suite->note.empty()) << name;
    for (const SuiteEntry& entry : suite->entries) {
      EXPECT_FALSE(entry.name.empty()) << name;
      EXPECT_FALSE(entry.source.empty()) << name << ' ' << entry.name;
    }
    EXPECT_GT(suite_weight_bytes(*suite), 0);
  }
}

TEST(Presets, LlamaLayersHoldItsParameters) {
  const auto suite = read_preset(kPresets, "llama-3.1-8b");
  ASSERT_TRUE(suite) << error_of(suite);
  double parameters = 0;
  for (const SuiteEntry& e : suite->entries) parameters += e.weight * static_cast<double>(e.problem.n * e.problem.k);
  EXPECT_EQ(parameters, 32.0 * (6144.0 * 4096 + 4096.0 * 4096 + 28672.0 * 4096 + 4096.0 * 14336));
  EXPECT_EQ(suite_weight_bytes(*suite), 4.0 * parameters / 32);
}

TEST(Presets, AnUnknownNameListsTheKnownOnes) {
  const auto suite = read_preset(kPresets, "lama");
  ASSERT_FALSE(suite);
  EXPECT_EQ(suite.error().kind, ErrorKind::usage);
  EXPECT_NE(suite.error().message.find("unknown preset \"lama\"; known are: bert-base, cubes, "), std::string::npos);
}

TEST(Presets, NamesDoNotLeaveTheFolder) {
  const TemporaryFolder folder;
  folder.write("secret.json", one(R"("n": 8, "k": 4, "m": 1)"));
  std::filesystem::create_directory(folder.path() / "shapes");
  std::ofstream(folder.path() / "shapes" / "a.json") << one(R"("n": 8, "k": 4, "m": 1)");
  EXPECT_TRUE(read_preset(folder.path() / "shapes", "a"));
  for (const char* name : {"../secret", "", ".", "..", "a.json", "/etc/passwd"}) {
    EXPECT_NE(error_of(read_preset(folder.path() / "shapes", name)).find("unknown preset"), std::string::npos) << name;
  }
  EXPECT_NE(error_of(read_preset(folder.path() / "none", "a")).find("no presets in"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::tuner
