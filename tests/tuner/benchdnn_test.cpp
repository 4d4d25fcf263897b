#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tuner/problem/suite.h"

namespace gemwright::tuner {
namespace {

using Sizes = std::vector<std::int64_t>;

std::string error_of(const Result<Suite>& r) { return r ? "no error" : r.error().message; }

std::string bench_error(const std::string& text) { return error_of(parse_benchdnn(text, "f.txt")); }

TEST(Benchdnn, ReadsProblemsOptionsAndNames) {
  const auto suite = parse_benchdnn(
      "# a comment\r\n"
      "--reset --dt=f32 --stag=ab --wtag=ba --dtag=ab --bia_dt=f32 --bia_mask=2 --attr-post-ops=eltwise_relu\r\n"
      "--mode=P --perf-template=%prb%,%-time% --skip-impl=ref,gemm -v1 --strides=:: --attr-scales=\r\n"
      "128x4096:4096x16384n\"gpt:ffn*28\" # and more\r\n"
      "\t--reset 4x16x32x256:4x16x256x33:4x16x32x33_n\"bmm\"\r\n",
      "dir/shapes_2d");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(suite->name, "shapes_2d");
  ASSERT_EQ(suite->entries.size(), 2u);
  EXPECT_EQ(suite->entries[0].name, "gpt_ffn");
  EXPECT_EQ(key(suite->entries[0].problem), "gemm/f32/n16384/k4096/b1/nt/constant/beta0/bias+relu");
  EXPECT_EQ(suite->entries[0].m, Sizes{128});
  EXPECT_EQ(suite->entries[0].weight, 28);
  EXPECT_EQ(suite->entries[1].name, "bmm");
  EXPECT_EQ(key(suite->entries[1].problem), "gemm/f32/n33/k256/b64/nn/call/beta0/none");
  EXPECT_EQ(suite->entries[1].m, Sizes{32});
}

TEST(Benchdnn, UnitesProblemsOfOneKey) {
  const auto suite = parse_benchdnn("8x4:4x4\n1x4:4x4n\"late*3\"\n8x4:4x4\n8x5:5x4\n", "f");
  ASSERT_TRUE(suite) << error_of(suite);
  ASSERT_EQ(suite->entries.size(), 2u);
  EXPECT_EQ(suite->entries[0].m, (Sizes{1, 8}));
  EXPECT_EQ(suite->entries[0].weight, 5);
  EXPECT_EQ(suite->entries[0].name, "late");
}

TEST(Benchdnn, ReadsTransposedTagsAndSum) {
  const auto suite = parse_benchdnn("--stag=acb --wtag=acb --dtag=any --attr-post-ops=sum+relu:0:0 3x2x4:3x4x5", "f");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(key(suite->entries[0].problem), "gemm/f32/n5/k4/b3/tt/call/beta1/relu");
  const auto any = parse_benchdnn("--stag=any --wtag=any 2x4:4x5", "f");
  ASSERT_TRUE(any) << error_of(any);
  EXPECT_EQ(layout_text(any->entries[0].problem), "nn");
}

TEST(Benchdnn, ReadsActivations) {
  const auto suite = parse_benchdnn(
      "--bia_dt=f32 --attr-post-ops=gelu_erf 2x4:4x5\n--reset --attr-post-ops=eltwise_gelu_tanh+swish:1 "
      "2x4:4x5",
      "f");
  ASSERT_TRUE(suite) << error_of(suite);
  ASSERT_EQ(suite->entries.size(), 2u);
  EXPECT_EQ(epilogue_text(suite->entries[0].problem.chain), "bias+gelu_erf");
  EXPECT_EQ(epilogue_text(suite->entries[1].problem.chain), "gelu_tanh+silu");
}

TEST(Benchdnn, RunsAChainThatIsNotBuiltYetAsNoneAndSaysSo) {
  for (const char* ops :
       {"gelu_tanh:1", "swish:2", "gelu_erf+gelu_erf", "relu:0.5", "relu+sum", "sum:0.5", "bias", "relu+add:f32"}) {
    const auto suite = parse_benchdnn(fmt::format("--bia_dt=f32 --attr-post-ops={} 2x4:4x5", ops), "f");
    ASSERT_TRUE(suite) << error_of(suite);
    EXPECT_TRUE(suite->entries[0].problem.chain.empty());
    EXPECT_EQ(suite->entries[0].problem.beta, 0);
    EXPECT_EQ(suite->entries[0].note, fmt::format("chain bias+{} is not built yet: runs with epilogue none", ops));
  }
  const auto mask = parse_benchdnn("--bia_dt=f32 --bia_mask=3 2x4:4x5", "f");
  ASSERT_TRUE(mask) << error_of(mask);
  EXPECT_EQ(mask->entries[0].note, "bias mask 3 is not built yet: runs with epilogue none");
}

TEST(Benchdnn, DataTypesNameTheInterface) {
  const auto suite =
      parse_benchdnn("--dt=bf16 2x4:4x5\n--dt=u8:s8:f32 2x4:4x6\n--dt=f32:f32:f32 2x4:4x7\n--reset 2x4:4x8", "f");
  ASSERT_TRUE(suite) << error_of(suite);
  ASSERT_EQ(suite->entries.size(), 4u);
  EXPECT_EQ(suite->entries[0].problem.interface, Interface::bf16);
  EXPECT_EQ(suite->entries[1].problem.interface, Interface::u8s8);
  EXPECT_EQ(suite->entries[2].problem.interface, Interface::f32);
  EXPECT_EQ(suite->entries[3].problem.interface, Interface::f32);
}

TEST(Benchdnn, ADestinationOfU8IsRequantised) {
  const auto suite = parse_benchdnn(
      "--dt=u8:s8:u8 2x4:4x5\n--bia_dt=f32 --attr-post-ops=relu 2x4:4x5\n--dt=u8:s8:f32 2x4:4x5\n"
      "--reset --dt=u8:s8:u8 --attr-post-ops=sum 2x4:4x6",
      "f");
  ASSERT_TRUE(suite) << error_of(suite);
  ASSERT_EQ(suite->entries.size(), 4u);
  EXPECT_EQ(key(suite->entries[0].problem), "gemm/u8s8/n5/k4/b1/nn/constant/beta0/requant");
  EXPECT_EQ(epilogue_text(suite->entries[1].problem.chain), "bias+relu+requant");
  EXPECT_EQ(epilogue_text(suite->entries[2].problem.chain), "bias+relu");
  EXPECT_EQ(suite->entries[3].note, "chain sum+requant is not built yet: runs with epilogue none");
}

TEST(Benchdnn, RefusesWithALine) {
  EXPECT_EQ(bench_error(""), "f.txt:1: the file holds no problem MxK:KxN");
  EXPECT_EQ(bench_error("--reset\n# x\n"), "f.txt:2: the file holds no problem MxK:KxN");
  EXPECT_EQ(bench_error("hello\n"), "f.txt:1: \"hello\" is neither an option nor a problem MxK:KxN");
  EXPECT_EQ(bench_error("2x4\n"), "f.txt:1: \"2x4\" is neither an option nor a problem MxK:KxN");
  EXPECT_EQ(bench_error("\n--batch=shapes_2d\n"),
            "f.txt:2: nested batch files are not read; put the problems of \"shapes_2d\" into this file");
  EXPECT_EQ(bench_error("--dt=f16\n"),
            "f.txt:1: data type \"f16\" is not built yet; built are: f32, bf16, u8:s8:f32, u8:s8:u8");
  EXPECT_EQ(bench_error("--dt=f32:bf16:f32\n"),
            "f.txt:1: data type \"f32:bf16:f32\" is not built yet; built are: f32, bf16, u8:s8:f32, u8:s8:u8");
  EXPECT_EQ(bench_error("--bia_dt=bf16\n"), "f.txt:1: bias data type \"bf16\" is not built yet; built are: f32");
  EXPECT_EQ(bench_error("--bia_mask=x\n"), "f.txt:1: bias mask \"x\" is not a whole number");
  EXPECT_EQ(bench_error("--stag=ab,ba\n"), "f.txt:1: option --stag has several values; write one line for each");
  EXPECT_NE(
      bench_error("--attr-scales=src:common:2\n").find("f.txt:1: option \"--attr-scales=src:common:2\" may change"),
      std::string::npos);
  EXPECT_NE(bench_error("--strides=8x1:8x1:8x1\n").find("may change"), std::string::npos);
  EXPECT_NE(bench_error("--engine=gpu\n").find("may change"), std::string::npos);
  EXPECT_EQ(bench_error("--frobnicate\n"), "f.txt:1: unknown option \"frobnicate\"");
  EXPECT_EQ(bench_error("--wtag=BA16a64b\n2x4:4x5\n"),
            "f.txt:2: tag \"BA16a64b\" is no plain or transposed layout of 2 dimensions");
  EXPECT_EQ(bench_error("--stag=ab 3x2x4:3x4x5\n"),
            "f.txt:1: tag \"ab\" is no plain or transposed layout of 3 dimensions");
  EXPECT_EQ(bench_error("--dtag=ba 2x4:4x5\n"),
            "f.txt:1: destination tag \"ba\" is not built yet; built are: row-major");
  EXPECT_EQ(bench_error("2x4:5x5\n"), "f.txt:1: K is 4 in the source and 5 in the weights");
  EXPECT_EQ(bench_error("3x2x4:1x4x5\n"),
            "f.txt:1: dimension 1 of the batch is 3 and 1: broadcast along the batch is not built yet");
  EXPECT_EQ(bench_error("3x2x4:4x5\n"), "f.txt:1: the tensors of \"3x2x4:4x5\" differ in their number of dimensions");
  EXPECT_EQ(bench_error("2x4:4x5:2x6\n"), "f.txt:1: the destination of \"2x4:4x5:2x6\" does not fit its operands");
  EXPECT_EQ(bench_error("0x4:4x5\n"), "f.txt:1: size \"0\" in \"0x4\" must be a whole number from 1 to 1073741824");
  EXPECT_EQ(bench_error("4:4\n"), "f.txt:1: \"4\" must have from 2 to 12 dimensions");
  EXPECT_NE(bench_error("99999999999999999999x4:4x5\n").find("must be a whole number"), std::string::npos);
  EXPECT_NE(bench_error("1073741824x2x1x1:1073741824x2x1x1\n").find("the batch is larger"), std::string::npos);
  EXPECT_EQ(bench_error("2x4:4x5z\n"), "f.txt:1: \"z\" after the sizes is not a name");
  EXPECT_EQ(bench_error("2x4:4x5n\"a\n"), "f.txt:1: name \"\"a\" does not end in a quote");
  EXPECT_EQ(bench_error("onednn_verbose,exec,cpu,matmul\n"),
            "f.txt:1: logs of ONEDNN_VERBOSE are not read yet; write the problems as MxK:KxN");
  EXPECT_EQ(bench_error("2x4:4x5\n\x01\n"), "f.txt:2: control character 0x01 in a text file");
  EXPECT_EQ(bench_error(std::string(70000, '-')), "f.txt:1: the line is longer than 65536 bytes");
}

TEST(Benchdnn, ABatchOfOneIsAProduct) {
  const auto suite = parse_benchdnn("1x2x4:1x4x5", "f");
  ASSERT_TRUE(suite) << error_of(suite);
  EXPECT_EQ(suite->entries[0].problem.batch, 1);
}

}  // namespace
}  // namespace gemwright::tuner
