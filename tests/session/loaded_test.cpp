// Baselines that are opened at run time, from libraries that the test builds.
#include "tuner/baseline/loaded.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <vector>

#include "tuner/worker/session.h"

namespace gemwright::tuner {
namespace {

using gemwright::layout;

std::string file_of(const std::string& name) { return std::string(GEMWRIGHT_MODULE_DIR) + "/lib" + name + ".so"; }
std::string by_path(const std::string& name) { return "blas:" + file_of(name); }

std::unique_ptr<Baseline> opened(const std::string& name) {
  auto b = open_baseline(name);
  EXPECT_TRUE(b) << (b ? "" : b.error().message);
  return b ? std::move(*b) : nullptr;
}

std::string why_not(const std::string& name) {
  const auto b = open_baseline(name);
  EXPECT_FALSE(b) << name;
  return b ? "" : b.error().message;
}

// Small whole numbers, of which every sum is exact.
std::vector<float> numbers(std::int64_t count, int seed) {
  std::vector<float> v(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>((static_cast<int>(i) * 7 + seed) % 11 - 5);
  return v;
}

struct Product {
  Problem p;
  std::int64_t m;
  std::vector<float> a, b, c;

  Product(Problem problem, std::int64_t rows)
      : p(std::move(problem)),
        m(rows),
        a(numbers(p.batch * m * p.k, 1)),
        b(numbers(p.batch * p.k * p.n, 4)),
        c(numbers(p.batch * m * p.n, 9)) {}

  BaselineCall call(int threads = 1) {
    BaselineCall x;
    x.problem = p;
    x.m = m;
    x.threads = threads;
    x.a = a.data();
    x.b = {b.data(), 0, 1};
    x.c = c.data();
    return x;
  }

  std::vector<float> expected() const {
    std::vector<float> out = c;
    for (std::int64_t item = 0; item < p.batch; ++item) {
      for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < p.n; ++j) {
          float sum = 0;
          for (std::int64_t l = 0; l < p.k; ++l) {
            const std::int64_t at_a = p.a_layout == layout::row_major ? i * p.k + l : l * m + i;
            const std::int64_t at_b = p.b_layout == layout::row_major ? l * p.n + j : j * p.k + l;
            sum += a[static_cast<std::size_t>(item * m * p.k + at_a)] *
                   b[static_cast<std::size_t>(item * p.k * p.n + at_b)];
          }
          float& x = out[static_cast<std::size_t>((item * m + i) * p.n + j)];
          x = sum + (p.beta == 1 ? x : 0);
        }
      }
    }
    return out;
  }
};

Problem plain(std::int64_t n, std::int64_t k) {
  Problem p;
  p.n = n;
  p.k = k;
  return p;
}

TEST(LoadedBaseline, AnyCblasComputesEveryLayoutBatchAndBeta) {
  const auto blas = opened(by_path("fake_blas"));
  ASSERT_TRUE(blas);
  for (const layout la : {layout::row_major, layout::col_major}) {
    for (const layout lb : {layout::row_major, layout::col_major}) {
      for (const int beta : {0, 1}) {
        Problem p = plain(6, 7);
        p.a_layout = la;
        p.b_layout = lb;
        p.beta = beta;
        p.batch = 1 + beta;
        Product x(p, 5);
        const auto expected = x.expected();
        ASSERT_TRUE(blas->prepare(x.call(), false));
        ASSERT_TRUE(blas->run(0));
        EXPECT_EQ(x.c, expected) << layout_text(p) << " beta " << beta;
      }
    }
  }
}

TEST(LoadedBaseline, TheNumberOfThreadsIsSetWhereTheLibraryHasAFunctionForIt) {
  const auto blas = opened(by_path("fake_blas"));
  void* const library = dlopen(file_of("fake_blas").c_str(), RTLD_NOW);
  ASSERT_NE(library, nullptr);
  const auto* const threads = static_cast<const int*>(dlsym(library, "fake_threads"));
  ASSERT_NE(threads, nullptr);
  Product x(plain(6, 7), 5);
  for (const int wanted : {2, 1}) {
    ASSERT_TRUE(blas->prepare(x.call(wanted), false));
    EXPECT_EQ(*threads, wanted);
  }
  const auto other = opened(by_path("fake_blas_no_setter"));
  EXPECT_TRUE(other->prepare(x.call(1), false));
  const auto refused = other->prepare(x.call(2), false);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("no function that sets its number of threads"), std::string::npos);
}

TEST(LoadedBaseline, WhatIsNotAPlainF32ProductIsRefusedWithTheReason) {
  const auto blas = opened(by_path("fake_blas"));
  Problem chain = plain(6, 7), bf16 = plain(6, 7), u8s8 = plain(6, 7);
  chain.chain = {EpilogueOp::bias, EpilogueOp::relu};
  bf16.interface = Interface::bf16;
  u8s8.interface = Interface::u8s8;
  for (const auto& [p, part] : {std::pair{chain, "bias+relu"}, {bf16, "not for bf16"}, {u8s8, "not for u8s8"}}) {
    Product x(p, 5);
    const auto refused = blas->prepare(x.call(), false);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
  }
}

TEST(LoadedBaseline, WhatIsNoLibraryOrHasNoProductIsOneSentence) {
  EXPECT_NE(why_not(by_path("fake_blas_no_sgemm")).find("has no function cblas_sgemm"), std::string::npos);
  EXPECT_NE(why_not("blas:" + std::string(__FILE__)).find("cannot be opened as a library"), std::string::npos);
  EXPECT_NE(why_not("blas:/no/such/lib.so").find("cannot be opened as a library"), std::string::npos);
  EXPECT_NE(why_not("blas:/").find("cannot be opened as a library"), std::string::npos);
  EXPECT_NE(why_not("blas:").find("needs a library"), std::string::npos);
  for (const auto* const name : {"blas:", "blas:a\nb", "eigen", "", "onednn "}) {
    const auto known = check_baseline_name(name);
    ASSERT_FALSE(known) << name;
    EXPECT_EQ(known.error().kind, ErrorKind::usage);
    EXPECT_EQ(known.error().message.find('\n'), std::string::npos);
  }
}

TEST(LoadedBaseline, LibxsmmIsAskedByColumnsAndForWhatItHasCodeFor) {
  auto made = open_libxsmm(file_of("fake_libxsmm"));
  ASSERT_TRUE(made) << made.error().message;
  Problem p = plain(6, 7);
  p.batch = 2;
  Product x(p, 5);
  const auto expected = x.expected();
  ASSERT_TRUE((*made)->prepare(x.call(), false));
  ASSERT_TRUE((*made)->run(0));
  EXPECT_EQ(x.c, expected);

  Problem transposed = plain(6, 7);
  transposed.b_layout = layout::col_major;
  Problem large = plain(4096, 4096);
  const auto refusal = [&](const Problem& problem, std::int64_t m, int threads) {
    BaselineCall call;
    call.problem = problem;
    call.m = m;
    call.threads = threads;
    const auto r = (*made)->prepare(call, false);
    EXPECT_FALSE(r);
    return r ? "" : r.error().message;
  };
  EXPECT_NE(refusal(transposed, 5, 1).find("layout nt"), std::string::npos);
  EXPECT_NE(refusal(large, 8, 1).find("small products"), std::string::npos);
  EXPECT_NE(refusal(plain(kMaxSize, kMaxSize), kMaxSize, 1).find("small products"), std::string::npos);
  EXPECT_NE(refusal(plain(6, 7), 5, 2).find("one thread"), std::string::npos);
  EXPECT_NE(refusal(plain(6, 7), 4, 1).find("no code for M=4"), std::string::npos);
  EXPECT_FALSE(open_libxsmm(file_of("fake_blas")));
}

MeasureSetup asking(std::vector<std::string> further, bool constant) {
  MeasureSetup s;
  s.problem = plain(40, 30);
  s.problem.constant_weights = constant;
  s.m = 9;
  s.cache = CacheState::rotate;
  s.cache_bytes = 20000;  // several copies
  s.further = std::move(further);
  return s;
}

TEST(FurtherBaselines, EachIsCheckedAndTimedBesideTheOthers) {
  Session session;
  for (const bool constant : {true, false}) {
    const auto ready = session.setup(asking({by_path("fake_blas"), by_path("fake_blas_wrong")}, constant));
    ASSERT_TRUE(ready) << ready.error().message;
    ASSERT_EQ(ready->further.size(), 2u);
    EXPECT_EQ(ready->further[0].name, by_path("fake_blas"));
    EXPECT_EQ(ready->further[0].reason, "");
    const auto block = session.block(ready->further[0].handle, 3);
    ASSERT_TRUE(block) << block.error().message;
    EXPECT_EQ(block->state, TrialState::ok) << block->reason;
    EXPECT_EQ(block->calls, 3);
    EXPECT_EQ(ready->further[1].name, "");
    EXPECT_NE(ready->further[1].reason.find("fake_blas_wrong"), std::string::npos);
  }
  const auto none = session.setup(asking({}, true));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->further.empty());
}

TEST(FurtherBaselines, AFileThatIsNoLibraryEndsTheSetupAndTheNextOneGoesOn) {
  Session session;
  const auto refused = session.setup(asking({"blas:" + std::string(__FILE__)}, true));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("cannot be opened"), std::string::npos);
  EXPECT_TRUE(session.setup(asking({by_path("fake_blas")}, true)));
}

TEST(FurtherBaselines, WhatTheProblemAsksForIsAbsentWhereTheLibraryLacksIt) {
  Session session;
  MeasureSetup s = asking({by_path("fake_blas")}, true);
  s.problem.chain = {EpilogueOp::relu};
  const auto ready = session.setup(s);
  ASSERT_TRUE(ready) << ready.error().message;
  EXPECT_EQ(ready->further[0].name, "");
  EXPECT_NE(ready->further[0].reason.find("no fused chain such as relu"), std::string::npos);
}

}  // namespace
}  // namespace gemwright::tuner
