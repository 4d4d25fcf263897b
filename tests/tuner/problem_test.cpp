#include "tuner/problem/problem.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

namespace gemwright::tuner {
namespace {

using gemwright::layout;

Problem example() {
  Problem p;
  p.n = 4096;
  p.k = 1024;
  return p;
}

std::string error_of(const Result<Problem>& r) { return r ? "no error" : r.error().message; }
std::string error_of(const Result<void>& r) { return r ? "no error" : r.error().message; }
std::string error_of(const Result<std::vector<EpilogueOp>>& r) { return r ? "no error" : r.error().message; }

TEST(ProblemKey, IsTheDocumentedText) {
  Problem p = example();
  EXPECT_EQ(key(p), "gemm/f32/n4096/k1024/b1/nn/constant/beta0/none");
  p.batch = 12;
  p.b_layout = layout::col_major;
  p.constant_weights = false;
  p.beta = 1;
  p.chain = {EpilogueOp::bias, EpilogueOp::relu};
  EXPECT_EQ(key(p), "gemm/f32/n4096/k1024/b12/nt/call/beta1/bias+relu");
}

TEST(ProblemKey, IsReadBackForEveryCombination) {
  const std::vector<std::vector<EpilogueOp>> chains = {{},
                                                       {EpilogueOp::bias},
                                                       {EpilogueOp::relu},
                                                       {EpilogueOp::bias, EpilogueOp::relu},
                                                       {EpilogueOp::relu, EpilogueOp::bias}};
  for (const char* letters : {"nn", "nt", "tn", "tt"}) {
    for (const bool constant : {true, false}) {
      for (const int beta : {0, 1}) {
        for (const auto& chain : chains) {
          Problem p = example();
          ASSERT_TRUE(set_layout(p, letters));
          p.constant_weights = constant;
          p.beta = beta;
          p.chain = chain;
          const auto read = parse_key(key(p));
          ASSERT_TRUE(read) << error_of(read);
          EXPECT_EQ(*read, p);
        }
      }
    }
  }
}

TEST(ProblemKey, RefusesWhatKeyDoesNotWrite) {
  for (const char* text :
       {"", "gemm", "conv/f32/n1/k1/b1/nn/constant/beta0/none", "gemm/f32/n01/k1/b1/nn/constant/beta0/none",
        "gemm/f32/n1/k1/b1/nn/constant/beta0/none/", "gemm/f32/n1/k1/b1/nn/constant/beta2/none",
        "gemm/f32/n1/k1/b1/xx/constant/beta0/none", "gemm/f32/n1/k1/b1/nn/often/beta0/none",
        "gemm/f32/n-1/k1/b1/nn/constant/beta0/none", "gemm/f32/k1/n1/b1/nn/constant/beta0/none",
        "gemm/f32/n99999999999999999999/k1/b1/nn/constant/beta0/none", " gemm/f32/n1/k1/b1/nn/constant/beta0/none"}) {
    EXPECT_NE(error_of(parse_key(text)).find("is not a problem key"), std::string::npos) << text;
  }
}

TEST(ProblemKey, SaysWhatTheProblemCannotHave) {
  EXPECT_NE(error_of(parse_key("gemm/f32/n1/k1/b1/nn/constant/beta0/requant")).find("the interface u8s8 alone"),
            std::string::npos);
  EXPECT_TRUE(parse_key("gemm/u8s8/n1/k1/b1/nn/constant/beta0/requant"));
  EXPECT_NE(error_of(parse_key("gemm/f32/n0/k1/b1/nn/constant/beta0/none")).find("N is 0"), std::string::npos);
}

TEST(ProblemKey, KeepsControlCharactersOutOfTheMessage) {
  EXPECT_EQ(error_of(parse_key("a\n\x1b[2Jb")).find_first_of("\n\x1b"), std::string::npos);
}

TEST(Epilogue, ReadsBuiltChainsInOrder) {
  EXPECT_EQ(*parse_epilogue("none"), std::vector<EpilogueOp>{});
  EXPECT_EQ(*parse_epilogue("relu+bias"), (std::vector<EpilogueOp>{EpilogueOp::relu, EpilogueOp::bias}));
  EXPECT_EQ(epilogue_text({}), "none");
  EXPECT_EQ(epilogue_text({EpilogueOp::bias, EpilogueOp::relu}), "bias+relu");
  const std::string all = "clamp+scale+mul+add+silu+gelu_erf+gelu_tanh+relu+bias";
  EXPECT_EQ(epilogue_text(*parse_epilogue(all)), all);
}

TEST(Epilogue, RequantComesLast) {
  for (const char* text : {"requant", "bias+requant", "bias+swiglu+add+requant"}) {
    const auto chain = parse_epilogue(text);
    ASSERT_TRUE(chain) << text;
    EXPECT_EQ(epilogue_text(*chain), text);
  }
  EXPECT_EQ(error_of(parse_epilogue("bias+requant+relu")),
            "requant makes u8 of the result and comes last in its chain, but relu follows it in \"bias+requant+relu\"");
  EXPECT_FALSE(parse_epilogue("requant+bias"));
}

TEST(Problem, RequantMakesCOfU8BehindU8s8Alone) {
  Problem p;
  p.n = 14;
  p.k = 3;
  p.interface = Interface::u8s8;
  EXPECT_EQ(c_element(p), gemwright::element::f32);
  p.chain = *parse_epilogue("bias+requant");
  EXPECT_EQ(c_element(p), gemwright::element::u8);
  EXPECT_TRUE(check(p, 5));
  EXPECT_EQ(min_bytes(p, 5), 5 * 3 + 14 * 3 + 5 * 14);
  p.beta = 1;
  EXPECT_EQ(error_of(check(p, 5)), "requant in the chain leaves no place for beta: it must be 0");
  p.beta = 0;
  for (const Interface i : {Interface::f32, Interface::bf16}) {
    p.interface = i;
    EXPECT_NE(error_of(check(p, 5)).find("the interface is " + std::string(to_text(i))), std::string::npos);
    EXPECT_TRUE(check_before_interface(p, 5)) << "--precision may still settle it";
  }
}

TEST(Epilogue, APairComesFirstOrSecondAfterABias) {
  for (const char* text : {"swiglu", "geglu", "bias+swiglu", "bias+geglu+add", "swiglu+mul+bias"}) {
    const auto chain = parse_epilogue(text);
    ASSERT_TRUE(chain) << text;
    EXPECT_EQ(epilogue_text(*chain), text);
  }
  for (const char* text : {"relu+swiglu", "bias+add+geglu", "swiglu+geglu", "bias+swiglu+geglu"}) {
    EXPECT_NE(error_of(parse_epilogue(text)).find("a pair of products comes first"), std::string::npos) << text;
  }
}

TEST(Problem, APairHalvesTheColumnsOfC) {
  Problem p;
  p.n = 14;
  p.k = 3;
  p.chain = *parse_epilogue("bias+swiglu+add");
  EXPECT_TRUE(check(p, 5));
  EXPECT_EQ(c_columns(p), 7);
  EXPECT_EQ(flops(p, 5), 2.0 * 5 * 14 * 3);
  EXPECT_EQ(min_bytes(p, 5), 4.0 * (5 * 3 + 14 * 3 + 5 * 7 + 5 * 7));
  p.n = 13;
  EXPECT_NE(error_of(check(p, 5)).find("[gate | up]"), std::string::npos);
  p.n = 14;
  p.beta = 1;
  EXPECT_NE(error_of(check(p, 5)).find("beta"), std::string::npos);
}

TEST(Epilogue, RefusesUnknownEmptyAndRepeatedOperations) {
  EXPECT_EQ(error_of(parse_epilogue("bias+tanh")),
            "unknown epilogue operation \"tanh\" in chain \"bias+tanh\"; built are: bias, relu, gelu_tanh, gelu_erf, "
            "silu, add, mul, scale, clamp, swiglu, geglu, requant");
  for (const char* text : {"", "bias+", "+bias", "bias++relu", "none+relu", "BIAS", "bias relu"}) {
    EXPECT_NE(error_of(parse_epilogue(text)).find("unknown epilogue operation"), std::string::npos) << text;
  }
  EXPECT_EQ(error_of(parse_epilogue("bias+bias")),
            "epilogue operation bias stands twice in chain \"bias+bias\", but each may stand there once");
  for (const char* op : {"add", "mul", "scale", "clamp", "silu"}) {
    EXPECT_NE(error_of(parse_epilogue(std::string(op) + "+bias+" + op)).find("stands twice"), std::string::npos) << op;
  }
}

TEST(ComputeModes, AreReadByNameOrRefused) {
  for (const Interface i : {Interface::f32, Interface::bf16, Interface::u8s8}) {
    EXPECT_EQ(*parse_interface(to_text(i)), i);
    EXPECT_EQ(*parse_compute_mode(to_text(i)), own_mode(i));
    const auto modes = modes_behind(i);
    EXPECT_EQ(std::count(modes.begin(), modes.end(), own_mode(i)), 1) << to_text(i);
  }
  EXPECT_EQ(parse_compute_mode("w4").error().message, "compute mode w4 is not built yet; built are: f32, bf16, u8s8");
  EXPECT_EQ(parse_interface("u8").error().message, "unknown interface \"u8\"; built are: f32, bf16, u8s8");
  EXPECT_EQ(parse_compute_mode("f64").error().message, "unknown compute mode \"f64\"; built are: f32, bf16, u8s8");
  EXPECT_EQ(parse_compute_mode("f64").error().kind, ErrorKind::usage);
}

TEST(ProblemCheck, AcceptsTheLimitsAndRefusesBeyond) {
  Problem p = example();
  EXPECT_TRUE(check(p, 1));
  EXPECT_TRUE(check(p, kMaxElements / p.n));
  EXPECT_EQ(error_of(check(p, 0)), "M is 0, but it must be from 1 to 1073741824");
  EXPECT_EQ(error_of(check(p, -5)), "M is -5, but it must be from 1 to 1073741824");
  EXPECT_NE(error_of(check(p, kMaxElements / p.n + 1)).find("operand C"), std::string::npos);
  EXPECT_NE(error_of(check(p, std::numeric_limits<std::int64_t>::max())).find("M is"), std::string::npos);
  p.beta = 2;
  EXPECT_EQ(error_of(check(p, 1)), "beta is 2, but it must be 0 or 1");
}

TEST(ProblemCheck, BoundsEachOperandWithoutOverflow) {
  Problem p;
  p.n = 1;
  p.k = kMaxSize;
  EXPECT_NE(error_of(check(p, kMaxSize)).find("operand A"), std::string::npos);
  p.n = kMaxSize;
  EXPECT_NE(error_of(check(p, 1)).find("operand B"), std::string::npos);
  p.batch = kMaxSize;
  EXPECT_NE(error_of(check(p, 1)).find("operand A"), std::string::npos);
  p = Problem{};
  p.n = p.k = 2;
  p.batch = kMaxElements / 4;
  EXPECT_NE(error_of(check(p, 1)).find("batch is"), std::string::npos);
}

TEST(ProblemFigures, CountFlopsAndBytes) {
  Problem p;
  p.n = 3;
  p.k = 5;
  p.batch = 7;
  EXPECT_DOUBLE_EQ(flops(p, 2), 2.0 * 2 * 3 * 5 * 7);
  EXPECT_DOUBLE_EQ(weight_bytes(p), 4.0 * 3 * 5 * 7);
  EXPECT_DOUBLE_EQ(min_bytes(p, 2), 4.0 * 7 * (2 * 5 + 3 * 5 + 2 * 3));
  p.beta = 1;
  EXPECT_DOUBLE_EQ(min_bytes(p, 2), 4.0 * 7 * (2 * 5 + 3 * 5 + 2 * 2 * 3));
  p.chain = {EpilogueOp::add, EpilogueOp::scale, EpilogueOp::mul};  // two operands as large as C
  EXPECT_DOUBLE_EQ(min_bytes(p, 2), 4.0 * 7 * (2 * 5 + 3 * 5 + 4 * 2 * 3));
}

TEST(ProblemWords, SetLayoutAndWeights) {
  Problem p = example();
  ASSERT_TRUE(set_layout(p, "tn"));
  EXPECT_EQ(p.a_layout, layout::col_major);
  EXPECT_EQ(p.b_layout, layout::row_major);
  EXPECT_EQ(layout_text(p), "tn");
  EXPECT_EQ(error_of(set_layout(p, "nx")), "unknown layout \"nx\"; it is nn, nt, tn or tt (first A, then B)");
  ASSERT_TRUE(set_weights(p, "call"));
  EXPECT_FALSE(p.constant_weights);
  EXPECT_EQ(weights_text(p), "call");
  EXPECT_EQ(error_of(set_weights(p, "no")), "weights \"no\" are unknown; they are constant or call");
}

}  // namespace
}  // namespace gemwright::tuner
