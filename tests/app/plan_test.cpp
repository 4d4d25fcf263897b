#include "app/model/plan.h"

#include <gtest/gtest.h>

namespace gemwright::app {
namespace {

using tuner::CacheState;

tuner::SuiteEntry entry(std::int64_t n, std::int64_t k, bool constant = true) {
  tuner::SuiteEntry e;
  e.problem.n = n;
  e.problem.k = k;
  e.problem.constant_weights = constant;
  e.m = {4};
  return e;
}

constexpr double kL2 = 1 << 20, kL3 = 32 << 20;

Workplace workplace() {
  Workplace w;
  w.cpu.allowed_cpus = 2;
  w.build = {"digest", "0.1", "g++", "g++ 12", "-O2", "source"};
  return w;
}

TEST(CacheChoice, WeightsThatCannotStayInTheCacheAreCold) {
  const tuner::Suite suite{"s", {entry(4096, 4096)}, {}};
  const auto c = choose_cache(suite, suite.entries[0], 4, kL2, kL3);
  EXPECT_EQ(c.state, CacheState::cold);
  EXPECT_DOUBLE_EQ(c.bytes, 200e6);
}

TEST(CacheChoice, TheWholeSuiteDecidesNotTheRow) {
  const tuner::Suite suite{"s", {entry(512, 512), entry(4096, 4096)}, {}};
  EXPECT_EQ(choose_cache(suite, suite.entries[0], 4, kL2, kL3).state, CacheState::cold);
}

TEST(CacheChoice, ASuiteThatFitsRotatesThroughItsOwnWeights) {
  const tuner::Suite suite{"s", {entry(512, 512), entry(512, 1024)}, {}};
  const auto c = choose_cache(suite, suite.entries[0], 4, kL2, kL3);
  EXPECT_EQ(c.state, CacheState::rotate);
  EXPECT_DOUBLE_EQ(c.bytes, 4.0 * (512 * 512 + 512 * 1024));
}

TEST(CacheChoice, WeightsPerCallAndASingleSmallProblemAreHot) {
  const tuner::Suite per_call{"s", {entry(4096, 4096, false)}, {}};
  EXPECT_EQ(choose_cache(per_call, per_call.entries[0], 4, kL2, kL3).state, CacheState::hot);
  const tuner::Suite small{"s", {entry(64, 64)}, {}};
  EXPECT_EQ(choose_cache(small, small.entries[0], 64, kL2, kL3).state, CacheState::hot);
}

TEST(Threads, ListIsReadAndDefaultsToAllCpus) {
  EXPECT_EQ(*parse_threads("", 2), (std::vector<int>{2}));
  EXPECT_EQ(*parse_threads("1,2", 2), (std::vector<int>{1, 2}));
  for (const char* text : {"0", "-1", "two", "1,,2", "4096"}) EXPECT_FALSE(parse_threads(text, 2)) << text;
}

TEST(Plan, OneStudyForEachProblemThreadCountAndM) {
  TuneOptions o;
  o.gemm = {"4x64x32", "8x64x32", "4x128x32"};
  o.threads = "1,2";
  const auto suite = resolve_suite(o, {});
  ASSERT_TRUE(suite);
  EXPECT_EQ(suite->entries.size(), 2u);
  const auto studies = plan_studies(o, *suite, workplace());
  ASSERT_TRUE(studies);
  EXPECT_EQ(studies->size(), 6u);
  EXPECT_EQ((*studies)[0].request.key.m, 4);
  EXPECT_EQ((*studies)[1].request.key.m, 8);
  EXPECT_EQ((*studies)[2].request.key.device.threads, 2);
}

TEST(Plan, WhatIsNotBuiltOrHasNoMeaningIsUsage) {
  const auto refused = [](auto change) {
    TuneOptions o;
    o.gemm = {"4x64x32"};
    change(o);
    const auto suite = resolve_suite(o, {});
    if (!suite) return suite.error().kind == tuner::ErrorKind::usage;
    const auto studies = plan_studies(o, *suite, workplace());
    return !studies && studies.error().kind == tuner::ErrorKind::usage;
  };
  EXPECT_TRUE(refused([](TuneOptions& o) { o.gemm = {}; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.preset = "cubes"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.gemm = {"0x5x5"}; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.gemm = {"1000000000000x5x5"}; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.m = "1,x"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.layout = "xx"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.weights = "maybe"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.beta = 2; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.epilogue = "swiglu"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = "bf16"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = "auto"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.interface = "u8s8"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.device = "cuda:0"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.batch_invariant = true; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.protocol = "hasty"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.strategy = "clever"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.budget = "-3s"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.cache = "warm"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.data = "real"; }));
}

}  // namespace
}  // namespace gemwright::app
