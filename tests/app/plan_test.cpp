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
  EXPECT_TRUE(refused([](TuneOptions& o) { o.epilogue = "requant"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.epilogue = "requant", o.precision = "u8s8,bf16"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.epilogue = "requant", o.precision = "auto", o.max_error = 0.1; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.epilogue = "requant", o.precision = "u8s8", o.beta = 1; }));
  EXPECT_FALSE(refused([](TuneOptions& o) { o.epilogue = "requant", o.precision = "u8s8"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.gemm = {"4x5x6"}, o.epilogue = "swiglu"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.epilogue = "add+swiglu"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = "bf17"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = "w4"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = "auto"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = "f32,auto"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.precision = ","; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.interface = "s8"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) {
    o.interface = "bf16";
    o.precision = "f32";
  }));
  EXPECT_TRUE(refused([](TuneOptions& o) {
    o.gemm = {"4x8x70000"};
    o.precision = "u8s8";
  })) << "K beyond what an s32 sum holds";
  EXPECT_TRUE(refused([](TuneOptions& o) { o.device = "cuda:0"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.protocol = "hasty"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.strategy = "clever"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.budget = "-3s"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.cache = "warm"; }));
  EXPECT_TRUE(refused([](TuneOptions& o) { o.data = "real"; }));
}

// The studies' interfaces and admitted modes, as "bf16:bf16,u8s8".
std::vector<std::string> types_of(const TuneOptions& o, tuner::Suite suite) {
  std::vector<std::string> out;
  const auto studies = plan_studies(o, suite, workplace());
  if (!studies) return {studies.error().message};
  for (const PlannedStudy& s : *studies) {
    std::string text = std::string(tuner::to_text(s.request.key.problem.interface)) + ":";
    for (const tuner::ComputeMode m : s.request.key.modes) text += std::string(tuner::to_text(m)) + ",";
    EXPECT_EQ(s.request.space.problem, s.request.key.problem);
    EXPECT_EQ(s.request.space.modes, s.request.key.modes);
    text.pop_back();
    out.push_back(text);
  }
  return out;
}

TEST(Precision, NamesInterfaceAndModeAlikeAndAutoAdmitsEveryModeBehindTheInterface) {
  using Texts = std::vector<std::string>;
  TuneOptions o;
  o.gemm = {"4x64x64"};
  o.threads = "1";
  const auto suite = resolve_suite(o, {});
  ASSERT_TRUE(suite);
  tuner::Suite typed = *suite;
  typed.entries[0].problem.interface = tuner::Interface::bf16;  // a file's own precision
  EXPECT_EQ(types_of(o, *suite), Texts{"f32:f32"});
  EXPECT_EQ(types_of(o, typed), Texts{"bf16:bf16"});
  o.precision = "f32,u8s8,f32";
  EXPECT_EQ(types_of(o, typed), (Texts{"f32:f32", "u8s8:u8s8"}));
  o.precision = "auto";
  o.max_error = 1e-2;
  EXPECT_EQ(types_of(o, *suite), Texts{"f32:f32,bf16,u8s8"});
  EXPECT_EQ(types_of(o, typed), Texts{"bf16:bf16,u8s8"});
  o.interface = "bf16";
  EXPECT_EQ(types_of(o, *suite), Texts{"bf16:bf16,u8s8"});
  o.precision = "";
  EXPECT_EQ(types_of(o, *suite), Texts{"bf16:bf16"});
}

}  // namespace
}  // namespace gemwright::app
