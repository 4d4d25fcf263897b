#include "tuner/worker/session.h"

#include <dlfcn.h>
#include <gemwright/cpu.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "tuner/worker/candidate.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::layout;
using gemwright::loop_order;
using gemwright::prefetch;

std::string module(const std::string& name) {
  return std::string(GEMWRIGHT_MODULE_DIR) + "/libsession_" + name + ".so";
}
std::string tiles(const std::string& fault) { return module("tiles_" + fault); }

// The AVX2 tile where the CPU has it, so that vector code and its tails are covered; its panels are 16 columns.
Config config(int panel = 32) {
  Config c;
  if (gemwright::cpu_has(isa::avx2)) {
    c.tile = {isa::avx2, 4, 2, 2, 2, prefetch::t0};
  } else {
    c.tile = {isa::scalar, 3, 5, 2, 1, prefetch::none};
    panel = panel / 32 * 35;
  }
  c.format.panel = panel;
  c.blocking = {40, 64, 50, loop_order::nmk, true, a_packing::none, 1, 1, 1, 8};
  return c;
}

Config scalar_config() {
  Config c = config();
  c.tile = {isa::scalar, 3, 5, 2, 1, prefetch::none};
  c.format.panel = 10;
  return c;
}

MeasureSetup setup_for(std::int64_t m, std::int64_t n, std::int64_t k) {
  MeasureSetup s;
  s.problem.n = n;
  s.problem.k = k;
  s.m = m;
  s.cache = CacheState::hot;
  return s;
}

class SessionTest : public testing::Test {
 protected:
  void expect_state(const MeasureSetup& s, const Config& c, const std::string& library, TrialState state,
                    const std::string& part = "") {
    const auto ready = session_.setup(s);
    ASSERT_TRUE(ready) << ready.error().message;
    const auto a = session_.admit(c, library, true);
    ASSERT_TRUE(a) << a.error().message;
    EXPECT_EQ(a->state, state) << key(s.problem) << ": " << a->reason;
    EXPECT_NE(a->reason.find(part), std::string::npos) << a->reason;
    if (state == TrialState::ok) {
      EXPECT_TRUE(a->error_fro && a->error_max && a->verify_ns);
      EXPECT_GT(a->handle, 0);
    } else {
      EXPECT_FALSE(a->reason.empty());
      EXPECT_FALSE(a->error_fro);
    }
  }

  Session session_;
};

TEST_F(SessionTest, ARightTileIsAdmittedAndTimed) {
  const auto ready = session_.setup(setup_for(70, 90, 110));
  ASSERT_TRUE(ready) << ready.error().message;
  const auto a = session_.admit(config(), tiles("NONE"), true);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->state, TrialState::ok) << a->reason;
  EXPECT_LT(*a->error_fro, 1e-6);
  for (const int handle : {a->handle, ready->anchor_handle}) {
    const auto b = session_.block(handle, 5);
    ASSERT_TRUE(b) << b.error().message;
    EXPECT_EQ(b->state, TrialState::ok) << b->reason;
    EXPECT_EQ(b->calls, 5);
    EXPECT_GT(b->ns, 0);
    EXPECT_TRUE(b->cpu);
  }
  if (!ready->baseline.empty()) {
    EXPECT_TRUE(ready->baseline_reason.empty());
    const auto b = session_.block(ready->baseline_handle, 2);
    ASSERT_TRUE(b);
    EXPECT_EQ(b->state, TrialState::ok) << b->reason;
  } else {
    EXPECT_FALSE(ready->baseline_reason.empty());
  }
}

TEST_F(SessionTest, RightTilesAreAdmittedForEveryLayoutSizeAndUseOfWeights) {
  const std::int64_t sizes[][3] = {{70, 90, 110}, {1, 77, 33}, {33, 1, 20}, {9, 19, 1}, {1, 1, 1}, {5, 200, 64}};
  int i = 0;
  for (const layout la : {layout::row_major, layout::col_major}) {
    for (const layout lb : {layout::row_major, layout::col_major}) {
      for (const int beta : {0, 1}) {
        for (const bool constant : {true, false}) {
          for (const std::int64_t batch : {1, 3}) {
            const auto& [m, n, k] = sizes[i++ % 6];
            MeasureSetup s = setup_for(m, n, k);
            s.problem.a_layout = la;
            s.problem.b_layout = lb;
            s.problem.beta = beta;
            s.problem.constant_weights = constant;
            s.problem.batch = batch;
            const bool plain_b = i % 2 == 0 && lb == layout::row_major;
            expect_state(s, config(plain_b ? 0 : 32), tiles("NONE"), TrialState::ok);
            Config split = scalar_config();
            split.blocking.tk = split.blocking.tm = 2;
            split.blocking.pack_a = a_packing::job;
            expect_state(s, split, tiles("NONE"), TrialState::ok);
          }
        }
      }
    }
  }
}

TEST_F(SessionTest, TilesWhoseVectorsRunAlongKAreChecked) {
  if (!gemwright::cpu_has(isa::avx2)) GTEST_SKIP() << "they are vectors";
  Config c = config();
  c.tile = {isa::avx2, 5, 1, 2, 2, prefetch::none, true};
  c.format.panel = 1;
  c.blocking = {10, 1, 64, loop_order::nmk, true, a_packing::none, 1, 1, 2, 0};
  for (const bool constant : {true, false}) {
    MeasureSetup s = setup_for(37, 3, 150);
    s.problem.constant_weights = constant;
    s.problem.beta = constant ? 1 : 0;
    s.problem.chain = {EpilogueOp::bias, EpilogueOp::gelu_erf};
    expect_state(s, c, tiles("BIAS_GELU_ERF"), TrialState::ok);
    expect_state(s, c, tiles("BIAS_GELU_TANH"), TrialState::correctness);
  }
  MeasureSetup columns = setup_for(37, 3, 150);
  columns.problem.a_layout = layout::col_major;
  expect_state(columns, c, tiles("NONE"), TrialState::runtime);
}

TEST_F(SessionTest, ChainsAreCheckedInTheirOrder) {
  MeasureSetup s = setup_for(30, 40, 50);
  s.problem.chain = {EpilogueOp::bias, EpilogueOp::relu};
  expect_state(s, config(), tiles("BIAS_RELU"), TrialState::ok);
  expect_state(s, config(), tiles("RELU_BIAS"), TrialState::correctness);
  expect_state(s, config(), tiles("NONE"), TrialState::correctness);
  s.problem.chain = {EpilogueOp::relu, EpilogueOp::bias};
  s.problem.beta = 1;
  expect_state(s, config(), tiles("RELU_BIAS"), TrialState::ok);
}

TEST_F(SessionTest, ActivationsMatricesAndScalarsAreChecked) {
  using Op = EpilogueOp;
  // Of each pair the chains read the same operands: the two forms of gelu differ by 5e-4 at most, the others in order.
  const std::pair<const char*, std::vector<Op>> pairs[][2] = {
      {{"BIAS_GELU_ERF", {Op::bias, Op::gelu_erf}}, {"BIAS_GELU_TANH", {Op::bias, Op::gelu_tanh}}},
      {{"SCALE_ADD_CLAMP", {Op::scale, Op::add, Op::clamp}}, {"CLAMP_ADD_SCALE", {Op::clamp, Op::add, Op::scale}}},
      {{"SILU_MUL", {Op::silu, Op::mul}}, {"MUL_SILU", {Op::mul, Op::silu}}},
  };
  int i = 0;
  for (const auto& pair : pairs) {
    for (const auto& [library, own] : pair) {
      for (const auto& [other, chain] : pair) {
        MeasureSetup s = setup_for(31, 45, 50);
        s.problem.chain = chain;
        s.problem.beta = i % 2;
        s.problem.batch = i % 3 == 0 ? 2 : 1;
        Config c = i % 2 == 0 ? config() : scalar_config();
        c.blocking.tk = i++ % 4 == 0 ? 2 : 1;
        expect_state(s, c, tiles(library), chain == own ? TrialState::ok : TrialState::correctness);
      }
    }
  }
  MeasureSetup missing = setup_for(31, 45, 50);
  expect_state(missing, config(), tiles("SILU_MUL"), TrialState::runtime, "null pointer");
}

TEST_F(SessionTest, AChainOfAResultTooLargeForFloat64IsChecked) {
  MeasureSetup s = setup_for(600, 700, 320);
  s.problem.chain = {EpilogueOp::bias, EpilogueOp::gelu_erf};
  expect_state(s, config(), tiles("BIAS_GELU_ERF"), TrialState::ok);
  s.problem.chain = {EpilogueOp::silu, EpilogueOp::mul};
  expect_state(s, config(), tiles("SILU_MUL"), TrialState::ok);
}

TEST_F(SessionTest, AWrongTileIsRefused) {
  const MeasureSetup s = setup_for(70, 90, 110);
  expect_state(s, config(), tiles("ELEMENT"), TrialState::correctness, "row 69, column 89: got");
  expect_state(s, config(), tiles("ROW"), TrialState::correctness, "row 35, column 3: got");
  expect_state(s, config(), tiles("NAN"), TrialState::correctness, "row 0, column 0: got nan");
  expect_state(s, config(), tiles("SMALL"), TrialState::correctness, "small problem");
  expect_state(s, config(), tiles("WRITE"), TrialState::correctness, "outside C");
  expect_state(s, config(), tiles("WRITE_LARGE"), TrialState::correctness, "outside C");
  expect_state(s, config(), tiles("READ"), TrialState::correctness, "nan");
  expect_state(s, config(), tiles("SUBNORMAL"), TrialState::correctness, "small problem");
}

TEST_F(SessionTest, AWrongElementOfAResultTooLargeForFloat64IsFound) {
  const MeasureSetup s = setup_for(600, 700, 320);
  expect_state(s, config(), tiles("NONE"), TrialState::ok);
  expect_state(s, config(), tiles("ELEMENT"), TrialState::correctness, "row 599, column 699: got");
  expect_state(s, config(), tiles("ROW"), TrialState::correctness, "row 300, column 3: got");
}

TEST_F(SessionTest, AWrongTileIsAdmittedAgainOnlyWhereItNeedNotBeVerified) {
  ASSERT_TRUE(session_.setup(setup_for(70, 90, 110)));
  const auto a = session_.admit(config(), tiles("ELEMENT"), false);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->state, TrialState::ok);
  EXPECT_FALSE(a->error_fro);
}

TEST_F(SessionTest, LibrariesThatDoNotFitAreCompileFailures) {
  const MeasureSetup s = setup_for(70, 90, 110);
  expect_state(s, config(), "/nonexistent.so", TrialState::compile, "nonexistent");
  expect_state(s, config(), tiles("VERSION"), TrialState::compile, "version 99");
  expect_state(s, config(), module("header"), TrialState::compile, "not a library of candidates");
  Config other = config();
  other.tile.mr = 2;
  expect_state(s, other, tiles("NONE"), TrialState::compile, "has no tile");
}

TEST_F(SessionTest, ALibraryOfOtherSourcesIsRefused) {
  Session strict("0123456789abcdef");
  ASSERT_TRUE(strict.setup(setup_for(4, 16, 8)));
  const auto a = strict.admit(config(), tiles("NONE"), true);
  ASSERT_TRUE(a);
  EXPECT_EQ(a->state, TrialState::compile);
  EXPECT_NE(a->reason.find("by hand"), std::string::npos);
  Session same("by hand");
  ASSERT_TRUE(same.setup(setup_for(4, 16, 8)));
  EXPECT_EQ(same.admit(config(), tiles("NONE"), true)->state, TrialState::ok);
}

TEST_F(SessionTest, ACandidateThatRefusesToRunIsARuntimeFailure) {
  expect_state(setup_for(70, 90, 110), config(), tiles("STATUS"), TrialState::runtime, "null pointer");
  Config c = config();
  c.format.panel = 7;  // no multiple of the tile's columns
  expect_state(setup_for(70, 90, 110), c, tiles("NONE"), TrialState::runtime, "does not fit");
  Config empty = config();
  empty.blocking.mc = 0;  // the small problems have blocks of their own
  expect_state(setup_for(70, 90, 110), empty, tiles("NONE"), TrialState::runtime, "does not fit");
  const auto a = session_.admit(c, tiles("NONE"), false);
  ASSERT_TRUE(a);
  const auto b = session_.block(a->handle, 1);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->state, TrialState::runtime);
  EXPECT_NE(b->reason.find("does not fit"), std::string::npos) << b->reason;
}

// The library counts the tiles that end with the chain.
TEST_F(SessionTest, ABareProductRunsWithoutTheChainAndIsTimed) {
  const std::string library = tiles("BIAS_RELU");
  EXPECT_FALSE(session_.admit_bare(config(), library)) << "before there is a problem";
  const std::unique_ptr<void, int (*)(void*)> loaded(dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL), dlclose);
  ASSERT_TRUE(loaded) << dlerror();
  const auto& finished = *static_cast<std::atomic<int>*>(dlsym(loaded.get(), "gemwright_test_finished"));
  MeasureSetup s = setup_for(70, 90, 110);
  s.problem.chain = {EpilogueOp::bias, EpilogueOp::relu};
  expect_state(s, config(), library, TrialState::ok);
  EXPECT_GT(finished, 0);
  const int before = finished;
  const auto a = session_.admit_bare(config(), library);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->state, TrialState::ok) << a->reason;
  EXPECT_FALSE(a->error_fro) << "it is no result";
  const auto b = session_.block(a->handle, 3);
  ASSERT_TRUE(b);
  EXPECT_EQ(b->state, TrialState::ok) << b->reason;
  EXPECT_EQ(finished, before);
  const auto none = session_.admit_bare(config(), "/nowhere.so");
  ASSERT_TRUE(none);
  EXPECT_EQ(none->state, TrialState::compile);
}

TEST_F(SessionTest, WhatHasNoMeaningIsAnError) {
  EXPECT_FALSE(session_.admit(config(), tiles("NONE"), true));
  EXPECT_FALSE(session_.block(1, 1));
  EXPECT_FALSE(session_.setup(setup_for(0, 4, 4)));
  EXPECT_FALSE(session_.setup(setup_for(4, 4, 0)));
  MeasureSetup s = setup_for(4, 16, 8);
  s.threads = 0;
  EXPECT_FALSE(session_.setup(s));
  s = setup_for(4, 16, 8);
  s.cache_bytes = -1;
  EXPECT_FALSE(session_.setup(s));
  const auto ready = session_.setup(setup_for(4, 16, 8));
  ASSERT_TRUE(ready);
  EXPECT_FALSE(session_.block(ready->anchor_handle, 0));
  EXPECT_FALSE(session_.block(ready->anchor_handle, -5));
  EXPECT_FALSE(session_.count(ready->anchor_handle, 0));
  EXPECT_FALSE(session_.count(ready->anchor_handle, -5));
  EXPECT_FALSE(session_.count(99, 1));
  EXPECT_TRUE(session_.drop(ready->anchor_handle));
  EXPECT_FALSE(session_.drop(ready->anchor_handle));
  EXPECT_FALSE(session_.block(ready->anchor_handle, 1));
}

TEST_F(SessionTest, WhatDoesNotFitIntoMemoryIsRefusedWithItsSize) {
  const auto ready = session_.setup(setup_for(1 << 16, 1 << 16, 1 << 17));
  ASSERT_FALSE(ready);
  EXPECT_NE(ready.error().message.find("GiB"), std::string::npos) << ready.error().message;
  EXPECT_TRUE(session_.setup(setup_for(4, 16, 8)));
}

TEST_F(SessionTest, HandlesEndWithTheirSetup) {
  const auto first = session_.setup(setup_for(4, 16, 8));
  ASSERT_TRUE(first);
  const auto second = session_.setup(setup_for(5, 16, 8));
  ASSERT_TRUE(second);
  EXPECT_FALSE(session_.block(first->anchor_handle, 1));
  EXPECT_TRUE(session_.block(second->anchor_handle, 1));
}

TEST_F(SessionTest, OtherMAndOtherDataAreVerifiedAnew) {
  for (const std::uint64_t seed : {1, 1, 2}) {
    for (const std::int64_t m : {20, 33}) {
      for (const DataKind data : {DataKind::normal, DataKind::uniform, DataKind::outliers}) {
        MeasureSetup s = setup_for(m, 100, 64);
        s.seed = seed;
        s.data = data;
        s.cache = CacheState::cold;
        s.cache_bytes = 1e6;
        expect_state(s, config(), tiles("NONE"), TrialState::ok);
      }
    }
  }
}

TEST_F(SessionTest, OneThreadIsPinnedAndReleasedAgain) {
  cpu_set_t before, during, after;
  sched_getaffinity(0, sizeof before, &before);
  {
    Session s;
    ASSERT_TRUE(s.setup(setup_for(4, 16, 8)));
    sched_getaffinity(0, sizeof during, &during);
    EXPECT_EQ(CPU_COUNT(&during), 1);
    MeasureSetup two = setup_for(4, 16, 8);
    two.threads = 2;
    ASSERT_TRUE(s.setup(two));
    sched_getaffinity(0, sizeof during, &during);
    EXPECT_TRUE(CPU_EQUAL(&before, &during));
    ASSERT_TRUE(s.setup(setup_for(4, 16, 8)));
  }
  sched_getaffinity(0, sizeof after, &after);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

TEST_F(SessionTest, TwoThreadsShareTheWorkWithTheBaselineBetweenTheirBlocks) {
  MeasureSetup s = setup_for(64, 128, 64);
  s.threads = 2;
  const auto ready = session_.setup(s);
  ASSERT_TRUE(ready);
  Config c = config();
  c.blocking.tm = 2;
  const auto first = session_.admit(c, tiles("NONE"), true);
  const auto second = session_.admit(c, tiles("BIAS_RELU"), false);  // of another library
  ASSERT_TRUE(first && second);
  ASSERT_EQ(first->state, TrialState::ok) << first->reason;
  for (int round = 0; round < 3; ++round) {
    for (const int handle : {first->handle, ready->anchor_handle, ready->baseline_handle}) {
      if (handle == 0) continue;
      const auto b = session_.block(handle, 3);
      ASSERT_TRUE(b);
      EXPECT_EQ(b->state, TrialState::ok) << b->reason;
    }
  }
}

TEST(TileContext, KeepsWhatIsLargeEnoughAndRecoversFromWhatIsNotToBeHad) {
  TileContext context;
  ASSERT_TRUE(context.ensure(1, {100, 1, 50}));
  const auto* const first = &context.get();
  ASSERT_TRUE(context.ensure(1, {80, 1, 0}));
  EXPECT_EQ(&context.get(), first);
  ASSERT_TRUE(context.ensure(2, {10, 2, 60}));
  EXPECT_EQ(context.get().threads(), 2);
  EXPECT_TRUE(context.get().fits({100, 2, 60})) << "what it had before is kept";
  EXPECT_FALSE(context.ensure(1, {gemwright::max_floats + 1, 1, 0}));
  EXPECT_TRUE(context.ensure(1, {10, 1, 0})) << "another candidate does not pay for it";
}

TEST_F(SessionTest, SubjectsAreCountedWithARowForEachCounter) {
  const auto ready = session_.setup(setup_for(70, 90, 110));
  ASSERT_TRUE(ready) << ready.error().message;
  const auto a = session_.admit(config(), tiles("NONE"), true);
  ASSERT_TRUE(a);
  std::size_t rows = 0;
  for (const int handle : {a->handle, ready->anchor_handle, ready->baseline_handle}) {
    if (handle == 0) continue;
    const auto counters = session_.count(handle, 3);
    ASSERT_TRUE(counters) << counters.error().message;
    EXPECT_FALSE(counters->empty());
    if (rows == 0) rows = counters->size();
    EXPECT_EQ(counters->size(), rows);
    for (const profilers::Counter& c : *counters) {
      EXPECT_EQ(c.calls, 3) << c.name;
      EXPECT_EQ(c.value.has_value(), has_value(c.status)) << c.name;
      EXPECT_TRUE(c.value || !c.reason.empty()) << c.name;
      EXPECT_NE(c.status, profilers::CounterStatus::failed) << c.name << ": " << c.reason;
    }
  }
  EXPECT_EQ(session_.block(a->handle, 2)->state, TrialState::ok);
}

TEST_F(SessionTest, ASubjectThatFailsWhileItIsCountedGivesItsReason) {
  ASSERT_TRUE(session_.setup(setup_for(70, 90, 110)));
  Config unfit = config();
  unfit.format.panel = 7;  // no multiple of the tile's columns
  const auto refuses = session_.admit(config(), tiles("STATUS"), false);
  const auto unprepared = session_.admit(unfit, tiles("NONE"), false);
  ASSERT_TRUE(refuses && unprepared);
  for (const auto& [handle, part] : {std::pair{refuses->handle, "null pointer"}, {unprepared->handle, "not fit"}}) {
    const auto counters = session_.count(handle, 2);
    ASSERT_TRUE(counters) << counters.error().message;
    int failed = 0;
    for (const profilers::Counter& c : *counters) {
      EXPECT_NE(c.status, profilers::CounterStatus::counted) << c.name;
      if (c.status != profilers::CounterStatus::failed) continue;
      ++failed;
      EXPECT_NE(c.reason.find(part), std::string::npos) << c.name << ": " << c.reason;
    }
    EXPECT_GT(failed, 0);
  }
}

TEST_F(SessionTest, CeilingsAreThoseOfTheThreadsOfferedAndLeaveThePlacesAsTheyWere) {
  EXPECT_FALSE(session_.ceilings()) << "nothing was set up";
  for (const int threads : {1, 2}) {
    MeasureSetup s = setup_for(64, 128, 64);
    s.threads = threads;
    const auto ready = session_.setup(s);
    ASSERT_TRUE(ready);
    const auto a = session_.admit(config(), tiles("NONE"), false);
    ASSERT_TRUE(a);
    for (const int handle : {a->handle, ready->baseline_handle}) {
      if (handle != 0) {
        ASSERT_EQ(session_.block(handle, 2)->state, TrialState::ok);
      }
    }
    cpu_set_t before, after;
    sched_getaffinity(0, sizeof before, &before);
    const auto ceilings = session_.ceilings();
    sched_getaffinity(0, sizeof after, &after);
    EXPECT_TRUE(CPU_EQUAL(&before, &after));
    ASSERT_TRUE(ceilings) << ceilings.error().message;
    int most = 0;
    for (const profilers::Ceiling& c : *ceilings) {
      EXPECT_TRUE(c.value || !c.reason.empty()) << c.name;
      EXPECT_TRUE(!c.value || c.anchor_ns > 0) << c.name;
      most = std::max(most, c.threads);
    }
    EXPECT_EQ(most, threads);
    EXPECT_EQ(session_.block(a->handle, 2)->state, TrialState::ok);
  }
}

TEST_F(SessionTest, AHeaderIsVerifiedAndItsWeightsRotate) {
  MeasureSetup s = setup_for(13, 96, 40);
  s.cache = CacheState::rotate;
  s.cache_bytes = 2.5 * 96 * 40 * 4;
  ASSERT_TRUE(session_.setup(s));
  const auto a = session_.admit_header(module("header"), true);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->state, TrialState::ok) << a->reason;
  EXPECT_LT(*a->error_fro, 1e-6);
  ASSERT_TRUE(session_.block(a->handle, 4));
  void* const library = dlopen(module("header").c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr);
  EXPECT_EQ(*static_cast<int*>(dlsym(library, "gemwright_test_packings")), 3);
  dlclose(library);
  const auto wrong = session_.admit_header(module("header_wrong"), true);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->state, TrialState::correctness);
  EXPECT_NE(wrong->reason.find("row 0, column 0"), std::string::npos);
  const auto missing = session_.admit_header("/nonexistent.so", true);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->state, TrialState::compile);
}

}  // namespace
}  // namespace gemwright::tuner
