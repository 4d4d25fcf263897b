// Sessions whose interface or mode is not f32.
#include <dlfcn.h>
#include <fmt/format.h>
#include <gemwright/cpu.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/session/faults.h"
#include "tuner/worker/session.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::layout;
using gemwright::loop_order;
using gemwright::prefetch;

std::string module(const std::string& name) {
  return std::string(GEMWRIGHT_MODULE_DIR) + "/libsession_" + name + ".so";
}

std::string library(const Problem& p, ComputeMode mode) {
  using gemwright::element;
  if (mode == ComputeMode::f32) return module("tiles_NONE");
  const element c = c_element(p);
  return module(fmt::format("dot_{}_{}", to_text(mode), c == element::bf16 ? "bf16" : c == element::u8 ? "u8" : "f32"));
}

std::string library(Interface i, ComputeMode mode) {
  Problem p;
  p.interface = i;
  return library(p, mode);
}

// The tiles of dot_module.cpp that this CPU has, the best first; the chain is bias+relu.
std::vector<gemwright::tile> tiles(ComputeMode mode, bool chain = false) {
  if (mode == ComputeMode::f32) return {{isa::scalar, 3, 5, 2, 1, prefetch::none}};
  const isa best = mode == ComputeMode::bf16 ? isa::avx512_bf16 : isa::avx512_vnni;
  const gemwright::tile bare[] = {{best, 5, 2, 1, 1, prefetch::none},
                                  {isa::avx2, 4, 2, 2, 2, prefetch::t0},
                                  {isa::scalar, 3, 4, 2, 1, prefetch::none}};
  const gemwright::tile chained[] = {{best, 2, 1, 2, 2, prefetch::t0},
                                     {isa::avx2, 3, 2, 1, 1, prefetch::none},
                                     {isa::scalar, 2, 4, 1, 1, prefetch::none}};
  std::vector<gemwright::tile> all;
  for (const gemwright::tile& t : chain ? chained : bare) {
    if (gemwright::cpu_has(t.family)) all.push_back(t);
  }
  return all;
}

Config config(ComputeMode mode, const gemwright::tile& t) {
  Config c;
  c.mode = mode;
  c.tile = t;
  c.format.panel = mode == ComputeMode::f32 ? 10 : 2 * nr(t);
  c.blocking = {40, 64, 50, loop_order::mnk, true, a_packing::job, 1, 1, 1, 8};
  return c;
}
Config config(ComputeMode mode) { return config(mode, tiles(mode).front()); }

MeasureSetup setup_for(Interface i, std::int64_t m, std::int64_t n, std::int64_t k) {
  MeasureSetup s;
  s.problem.interface = i;
  s.problem.n = n;
  s.problem.k = k;
  s.m = m;
  s.cache = CacheState::hot;
  return s;
}

constexpr Interface kInterfaces[] = {Interface::f32, Interface::bf16, Interface::u8s8};

// A library of dot tiles that is wrong while this lives.
class Faulty {
 public:
  Faulty(const std::string& path, int fault) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) { set(fault); }
  ~Faulty() {
    set(DOT_FAULT_NONE);
    if (handle_ != nullptr) dlclose(handle_);
  }
  Faulty(const Faulty&) = delete;
  Faulty& operator=(const Faulty&) = delete;
  // How many calls began with weights that an earlier call had marked (DOT_FAULT_MARK).
  int marked() const { return *static_cast<int*>(dlsym(handle_, "gemwright_test_marked")); }

 private:
  void set(int fault) {
    ASSERT_NE(handle_, nullptr) << dlerror();
    *static_cast<int*>(dlsym(handle_, "gemwright_test_fault")) = fault;
  }
  void* handle_;
};

class DotSessionTest : public testing::Test {
 protected:
  Admission admitted(const MeasureSetup& s, const Config& c, TrialState state = TrialState::ok,
                     const std::string& part = "") {
    const auto ready = session_.setup(s);
    EXPECT_TRUE(ready) << ready.error().message;
    if (!ready) return {};
    const auto a = session_.admit(c, library(s.problem, c.mode), true);
    EXPECT_TRUE(a) << a.error().message;
    if (!a) return {};
    EXPECT_EQ(a->state, state) << key(s.problem) << ": " << key(c) << ": " << a->reason;
    EXPECT_NE(a->reason.find(part), std::string::npos) << a->reason;
    return *a;
  }

  double error(Interface i, ComputeMode mode, DataKind data = DataKind::normal) {
    MeasureSetup s = setup_for(i, 70, 90, 400);
    s.data = data;
    return admitted(s, config(mode)).error_fro.value_or(-1);
  }

  Session session_;
};

TEST_F(DotSessionTest, EveryModeBehindEachInterfaceIsAdmittedAndTimed) {
  for (const Interface i : kInterfaces) {
    for (const ComputeMode mode : modes_behind(i)) {
      for (const gemwright::tile& t : tiles(mode)) {
        const Admission a = admitted(setup_for(i, 70, 90, 110), config(mode, t));
        EXPECT_TRUE(a.error_fro && a.error_max && a.verify_ns);
        const auto b = session_.block(a.handle, 3);
        ASSERT_TRUE(b);
        EXPECT_EQ(b->state, TrialState::ok) << b->reason;
        EXPECT_GT(b->ns, 0);
      }
    }
  }
}

TEST_F(DotSessionTest, RightTilesAreAdmittedForEveryLayoutSizeAndUseOfWeights) {
  const std::int64_t sizes[][3] = {{70, 90, 110}, {1, 77, 33}, {33, 1, 20}, {9, 19, 1}, {1, 1, 1}, {5, 200, 64}};
  int i = 0;
  for (const Interface interface : kInterfaces) {
    for (const ComputeMode mode : modes_behind(interface)) {
      if (mode == ComputeMode::f32) continue;
      const auto all = tiles(mode);
      for (const layout la : {layout::row_major, layout::col_major}) {
        for (const layout lb : {layout::row_major, layout::col_major}) {
          for (const int beta : {0, 1}) {
            for (const bool constant : {true, false}) {
              const auto& [m, n, k] = sizes[i % 6];
              MeasureSetup s = setup_for(interface, m, n, k);
              s.problem.a_layout = la;
              s.problem.b_layout = lb;
              s.problem.beta = beta;
              s.problem.constant_weights = constant;
              s.problem.batch = i % 3 == 0 ? 3 : 1;
              Config c = config(mode, all[static_cast<std::size_t>(i) % all.size()]);
              c.blocking.tm = c.blocking.tn = 1 + i % 2;
              c.blocking.pack_a = i % 4 == 1 ? a_packing::shared : a_packing::job;
              admitted(s, c);
              ++i;
            }
          }
        }
      }
    }
  }
}

TEST_F(DotSessionTest, ChainsAreChecked) {
  for (const Interface i : kInterfaces) {
    for (const ComputeMode mode : modes_behind(i)) {
      if (mode == ComputeMode::f32) continue;
      MeasureSetup s = setup_for(i, 30, 40, 50);
      s.problem.chain = {EpilogueOp::bias, EpilogueOp::relu};
      for (const gemwright::tile& t : tiles(mode, true)) admitted(s, config(mode, t));
      admitted(s, config(mode), TrialState::correctness, "small problem");
      s.problem.beta = 1;
      s.problem.batch = 2;
      for (const gemwright::tile& t : tiles(mode, true)) admitted(s, config(mode, t));
    }
  }
}

TEST_F(DotSessionTest, AWrongResultOfEachModeIsFound) {
  const struct {
    int fault;
    Interface interface;
    ComputeMode mode;
    const char* part;
  } wrong[] = {
      {DOT_FAULT_ELEMENT, Interface::f32, ComputeMode::bf16, "row 69, column 88"},
      {DOT_FAULT_ELEMENT, Interface::f32, ComputeMode::u8s8, "row 69, column 88"},
      {DOT_FAULT_ELEMENT, Interface::bf16, ComputeMode::bf16, "row 69, column 88"},
      {DOT_FAULT_ELEMENT, Interface::bf16, ComputeMode::u8s8, "row 69, column 88"},
      {DOT_FAULT_ELEMENT, Interface::u8s8, ComputeMode::u8s8, "row 69, column 88"},
      {DOT_FAULT_WRITE, Interface::f32, ComputeMode::bf16, "outside C"},
      {DOT_FAULT_WRITE, Interface::bf16, ComputeMode::u8s8, "outside C"},
      {DOT_FAULT_ZERO, Interface::u8s8, ComputeMode::u8s8, "wrong result"},
      {DOT_FAULT_SMALL_ZERO, Interface::u8s8, ComputeMode::u8s8, "small problem"},
      {DOT_FAULT_SYMMETRIC, Interface::f32, ComputeMode::u8s8, "small problem"},
      {DOT_FAULT_SYMMETRIC, Interface::bf16, ComputeMode::u8s8, "small problem"},
      {DOT_FAULT_SHORT, Interface::f32, ComputeMode::bf16, "small problem"},
      {DOT_FAULT_SHORT, Interface::u8s8, ComputeMode::u8s8, "small problem"},
      {DOT_FAULT_SCALES, Interface::u8s8, ComputeMode::u8s8, "small problem"},
      {DOT_FAULT_SCALES, Interface::f32, ComputeMode::u8s8, "small problem"},
  };
  for (const auto& w : wrong) {
    const MeasureSetup s = setup_for(w.interface, 70, 90, 110);
    {
      const Faulty fault(library(w.interface, w.mode), w.fault);
      Session fresh;  // one that has checked no tile
      ASSERT_TRUE(fresh.setup(s));
      const auto a = fresh.admit(config(w.mode), library(w.interface, w.mode), true);
      ASSERT_TRUE(a);
      EXPECT_EQ(a->state, TrialState::correctness) << w.fault << key(s.problem);
      EXPECT_NE(a->reason.find(w.part), std::string::npos) << w.fault << a->reason;
    }
    admitted(s, config(w.mode));  // the tile is checked now, so that only the large problem can tell
    const Faulty again(library(w.interface, w.mode), w.fault);
    MeasureSetup other = s;
    other.seed = 7;  // its weights are packed anew
    if (w.fault != DOT_FAULT_SMALL_ZERO) admitted(other, config(w.mode), TrialState::correctness, "w");
  }
}

TEST_F(DotSessionTest, TheCallThatVerifiesIsABlockWhereThatIsAskedFor) {
  const std::string path = library(Interface::u8s8, ComputeMode::u8s8);
  const Config c = config(ComputeMode::u8s8);
  ASSERT_TRUE(session_.setup(setup_for(Interface::u8s8, 70, 90, 110)));
  const auto right = session_.admit(c, path, true, true);
  ASSERT_TRUE(right && right->block) << (right ? right->reason : right.error().message);
  EXPECT_EQ(right->block->calls, 1);
  EXPECT_GT(right->block->ns, 0);
  EXPECT_TRUE(right->error_fro && right->verify_ns);
  EXPECT_EQ(session_.block(right->handle, 3)->state, TrialState::ok);
  EXPECT_FALSE(session_.admit(c, path, true)->block);
  MeasureSetup other = setup_for(Interface::u8s8, 70, 90, 110);
  other.seed = 7;  // its weights are packed anew
  const Faulty fault(path, DOT_FAULT_ELEMENT);
  ASSERT_TRUE(session_.setup(other));
  const auto wrong = session_.admit(c, path, true, true);
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->state, TrialState::correctness);
  EXPECT_FALSE(wrong->block) << "a wrong result has no speed";
}

MeasureSetup requantised(std::int64_t m, std::int64_t n, std::int64_t k, std::vector<EpilogueOp> before = {}) {
  MeasureSetup s = setup_for(Interface::u8s8, m, n, k);
  s.problem.chain = std::move(before);
  s.problem.chain.push_back(EpilogueOp::requant);
  return s;
}

TEST_F(DotSessionTest, RequantisedResultsAreAdmittedAndTimed) {
  const ComputeMode mode = ComputeMode::u8s8;
  for (const gemwright::tile& t : tiles(mode)) {
    for (const MeasureSetup& s : {requantised(70, 90, 110), requantised(1, 77, 33), requantised(300, 700, 400)}) {
      const Admission a = admitted(s, config(mode, t));
      // A step of a range of some nine standard deviations, over the root of 12.
      EXPECT_GT(a.error_fro.value_or(0), 3e-3);
      EXPECT_LT(a.error_fro.value_or(1), 2e-2);
      EXPECT_EQ(session_.block(a.handle, 3)->state, TrialState::ok);
    }
  }
  for (const gemwright::tile& t : tiles(mode, true)) {
    MeasureSetup s = requantised(30, 40, 50, {EpilogueOp::bias, EpilogueOp::relu});
    s.problem.batch = 2;
    admitted(s, config(mode, t));
    const auto bare = session_.admit_bare(config(mode, t), library(s.problem, mode));
    ASSERT_TRUE(bare);
    EXPECT_EQ(bare->state, TrialState::ok) << bare->reason;
  }
}

TEST_F(DotSessionTest, AWrongQuantisationOfCIsFound) {
  const Config c = config(ComputeMode::u8s8);
  const MeasureSetup s = requantised(70, 90, 110);
  const std::string path = library(s.problem, c.mode);
  for (const int wrong : {DOT_FAULT_STEP, DOT_FAULT_C_ZERO, DOT_FAULT_WRAP, DOT_FAULT_ELEMENT, DOT_FAULT_WRITE}) {
    SCOPED_TRACE(wrong);
    const bool small = wrong != DOT_FAULT_ELEMENT;
    {
      const Faulty fault(path, wrong);
      Session fresh;
      ASSERT_TRUE(fresh.setup(s));
      const auto a = fresh.admit(c, path, true);
      ASSERT_TRUE(a);
      EXPECT_EQ(a->state, TrialState::correctness);
      EXPECT_EQ(a->reason.find("small problem") != std::string::npos, small) << a->reason;
    }
    admitted(s, c);  // the tile is checked now, so that only the large problem can tell
    const Faulty again(path, wrong);
    admitted(s, c, TrialState::correctness, wrong == DOT_FAULT_WRITE ? "wrote outside C" : "wrong result");
  }
}

TEST_F(DotSessionTest, AResultTooLargeForFloat64IsCheckedInEveryMode) {
  for (const Interface i : kInterfaces) {
    for (const ComputeMode mode : modes_behind(i)) {
      if (mode == ComputeMode::f32) continue;
      const MeasureSetup s = setup_for(i, 300, 700, 400);
      const Admission a = admitted(s, config(mode));
      EXPECT_LT(*a.error_fro, 0.03);
      const Faulty fault(library(i, mode), DOT_FAULT_ELEMENT);
      admitted(s, config(mode), TrialState::correctness, "row 299, column 698");
    }
  }
}

TEST_F(DotSessionTest, TheErrorIsTheDistanceToWhatTheOperandsMean) {
  const double f32 = error(Interface::f32, ComputeMode::f32), bf16 = error(Interface::f32, ComputeMode::bf16);
  const double u8s8 = error(Interface::f32, ComputeMode::u8s8);
  EXPECT_LT(f32, 1e-6);
  EXPECT_GT(bf16, 1.5e-3);
  EXPECT_LT(bf16, 4e-3);
  EXPECT_GT(u8s8, 5e-3);
  EXPECT_LT(u8s8, 2e-2);
  // C is rounded behind bf16 in both modes; the operands are what they are.
  const double rounded = error(Interface::bf16, ComputeMode::bf16);
  EXPECT_GT(rounded, 1e-3);
  EXPECT_LT(rounded, bf16);
  EXPECT_GT(error(Interface::bf16, ComputeMode::u8s8), 5e-3);
  EXPECT_LT(error(Interface::u8s8, ComputeMode::u8s8), 1e-6);
}

TEST_F(DotSessionTest, OutliersMakeQuantisingWorseAndRoundingNot) {
  const double bf16 = error(Interface::f32, ComputeMode::bf16);
  EXPECT_GT(error(Interface::f32, ComputeMode::u8s8, DataKind::outliers),
            1.5 * error(Interface::f32, ComputeMode::u8s8));
  EXPECT_NEAR(error(Interface::f32, ComputeMode::bf16, DataKind::outliers), bf16, bf16 / 2);
}

TEST_F(DotSessionTest, ATileOfAnotherModeOrInterfaceIsRefused) {
  admitted(setup_for(Interface::bf16, 7, 16, 8), config(ComputeMode::f32), TrialState::runtime,
           "does not stand behind");
  admitted(setup_for(Interface::u8s8, 7, 16, 8), config(ComputeMode::bf16), TrialState::runtime,
           "does not stand behind");
  ASSERT_TRUE(session_.setup(setup_for(Interface::bf16, 7, 16, 8)));
  const auto other_c = session_.admit(config(ComputeMode::bf16), module("dot_bf16_f32"), true);
  ASSERT_TRUE(other_c);
  EXPECT_EQ(other_c->state, TrialState::compile);
  ASSERT_TRUE(session_.setup(requantised(7, 16, 8)));
  const auto f32_c = session_.admit(config(ComputeMode::u8s8), module("dot_u8s8_f32"), true);
  ASSERT_TRUE(f32_c);
  EXPECT_EQ(f32_c->state, TrialState::compile);
  ASSERT_TRUE(session_.setup(setup_for(Interface::bf16, 7, 16, 8)));
  Config u8s8 = config(ComputeMode::u8s8);
  u8s8.tile = tiles(ComputeMode::bf16).back();  // both libraries have the scalar tile
  const auto other_mode = session_.admit(u8s8, module("dot_bf16_bf16"), true);
  ASSERT_TRUE(other_mode);
  EXPECT_EQ(other_mode->state, TrialState::compile);
  EXPECT_NE(other_mode->reason.find("has no tile"), std::string::npos) << other_mode->reason;
}

TEST_F(DotSessionTest, ADotTileWithoutPanelsIsRefused) {
  for (const bool constant : {true, false}) {
    MeasureSetup s = setup_for(Interface::f32, 7, 16, 8);
    s.problem.constant_weights = constant;
    Config c = config(ComputeMode::bf16);
    c.format.panel = 0;
    admitted(s, c, TrialState::runtime, "panel");
    const auto unchecked = session_.admit(c, library(Interface::f32, c.mode), false);
    ASSERT_TRUE(unchecked);
    if (unchecked->state == TrialState::ok) {
      EXPECT_EQ(session_.block(unchecked->handle, 1)->state, TrialState::runtime);
    }
  }
}

TEST_F(DotSessionTest, CopiesOfPackedWeightsRotateAndStayForAnotherM) {
  const Config c = config(ComputeMode::bf16);
  MeasureSetup s = setup_for(Interface::f32, 13, 128, 40);
  s.cache = CacheState::rotate;
  s.cache_bytes = 2.5 * 128 * 40 * 2;  // packed weights take half of what those of f32 do
  const Faulty marking(library(Interface::f32, c.mode), DOT_FAULT_MARK);
  ASSERT_TRUE(session_.setup(s));
  const auto a = session_.admit(c, library(Interface::f32, c.mode), false);
  ASSERT_TRUE(a);
  const int before = marking.marked();
  const auto block = [&](int handle, int calls) {
    EXPECT_EQ(session_.block(handle, calls)->state, TrialState::ok);
    return marking.marked() - before;
  };
  const int calls = 1 + 12;  // a discarded one goes before each block
  EXPECT_EQ(block(a->handle, calls - 1), calls - 3) << "three copies, each new once";
  s.m = 20;
  ASSERT_TRUE(session_.setup(s));
  const auto other = session_.admit(c, library(Interface::f32, c.mode), false);
  ASSERT_TRUE(other);
  EXPECT_EQ(block(other->handle, calls - 1), 2 * calls - 3) << "none of them is new";
}

// It does not say that it computes in bf16: that follows from what it is right about.
TEST_F(DotSessionTest, AHeaderIsAdmittedWithTheErrorOfItsMode) {
  MeasureSetup s = setup_for(Interface::f32, 13, 96, 40);
  s.cache = CacheState::rotate;
  s.cache_bytes = 2.5 * 96 * 40 * 4;
  ASSERT_TRUE(session_.setup(s));
  const auto a = session_.admit_header(module("header_bf16"), true);
  ASSERT_TRUE(a);
  ASSERT_EQ(a->state, TrialState::ok) << a->reason;
  EXPECT_GT(*a->error_fro, 1.5e-3);
  EXPECT_LT(*a->error_fro, 4e-3);
  void* const library = dlopen(module("header_bf16").c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
  ASSERT_NE(library, nullptr);
  EXPECT_EQ(*static_cast<int*>(dlsym(library, "gemwright_test_packings")), 5)
      << "its weights may take half of what those of f32 do";
  dlclose(library);
  const auto unknown = session_.admit_header(module("header_bf16"), false);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(session_.block(unknown->handle, 3)->state, TrialState::ok);
}

TEST_F(DotSessionTest, TwoThreadsPackATogether) {
  for (const Interface i : kInterfaces) {
    MeasureSetup s = setup_for(i, 64, 128, 64);
    s.threads = 2;
    const ComputeMode mode = modes_behind(i).back();
    Config c = config(mode);
    c.blocking.tn = 2;
    c.blocking.pack_a = a_packing::shared;
    const Admission a = admitted(s, c);
    EXPECT_EQ(session_.block(a.handle, 3)->state, TrialState::ok);
  }
}

}  // namespace
}  // namespace gemwright::tuner
