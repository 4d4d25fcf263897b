#include "tuner/header/export.h"

#include <gtest/gtest.h>

#include "tests/header/samples.h"
#include "tuner/space/space.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;

StudyKey study_key(std::int64_t m, int threads) {
  StudyKey k;
  k.problem = samples::problem(512, 4096);
  k.m = m;
  k.device.fingerprint = "dev1";
  k.device.name = "some CPU";
  k.device.threads = threads;
  k.build = samples::gcc_build();
  k.build.source_digest = source_digest();
  k.space_version = kSpaceVersion;
  k.modes = {ComputeMode::f32};
  k.cache_bytes = 1e9;
  return k;
}

StudyAttributes attributes(const std::string& name) {
  StudyAttributes a;
  a.name = name;
  a.protocol = "normal";
  a.strategy = "default";
  return a;
}

struct Timed {
  Config config;
  double ns;
  Phase phase = Phase::confirm;
  TrialState state = TrialState::ok;
};

// Adds a study whose first trial won.
StudyId add_study(Store& store, const StudyKey& key, const std::string& name, const std::vector<Timed>& timed) {
  const StudyRecord study = store.open_study(key, attributes(name), false).value();
  StudyOutcome outcome;
  std::vector<Estimate> estimates;
  for (const Timed& t : timed) {
    Trial trial = store.add_trial(study.id, t.config, "test").value();
    trial.state = t.state;
    if (t.state == TrialState::ok) trial.error_fro = 2e-7;
    if (t.state != TrialState::ok) trial.reason = "because";
    EXPECT_TRUE(store.update_trial(trial));
    const Subject s = store.add_subject(study.id, SubjectKind::trial, trial.id, "").value();
    Estimate e;
    e.subject = s.id;
    e.phase = t.phase;
    e.method = "test";
    e.samples = 10;
    e.ns_per_call = t.ns;
    e.gflops = flops(key.problem, key.m) / t.ns;
    e.ratio = 1.5;
    e.ratio_lo = 1.4;
    e.ratio_hi = 1.6;
    estimates.push_back(e);
    if (!outcome.best_trial) outcome.best_trial = trial.id;
  }
  outcome.verdict = "separated";
  EXPECT_TRUE(store.set_outcome(study.id, outcome, estimates));
  return study.id;
}

Config config(std::int64_t kc, int panel = 32) {
  return samples::config(isa::avx512f, 1, 2, panel, samples::blocking(1, 512, kc));
}

TEST(Export, TurnsStudiesIntoAHeader) {
  const auto store = make_memory_store();
  const StudyId first = add_study(*store, study_key(1, 1), "qkv", {{config(256), 1000}, {config(512), 1010}});
  add_study(*store, study_key(8, 1), "qkv", {{config(512), 8000}, {config(256), 9000}});
  add_study(*store, study_key(1, 2), "qkv", {{config(1024), 600}});
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_TRUE(plan->notes.empty());
  ASSERT_EQ(plan->spec.problems.size(), 1u);
  const HeaderTable& t = plan->spec.problems[0].tables.at(0);
  ASSERT_EQ(t.configs.size(), 2u);
  EXPECT_EQ(t.configs[0].blocking.kc, 512);  // 1 % at M = 1, best at M = 8
  ASSERT_EQ(t.choices.size(), 3u);
  EXPECT_EQ(t.choices[0].study, first);
  EXPECT_NEAR(t.choices[0].regret.value(), 0.01, 1e-12);
  EXPECT_EQ(t.choices[0].ns_per_call, 1010);
  EXPECT_EQ(t.choices[0].ratio_lo, 1.4);
  EXPECT_EQ(t.choices[0].error, 2e-7);
  EXPECT_EQ(plan->trials.size(), 3u);
  EXPECT_TRUE(write_header(plan->spec));
}

TEST(Export, IgnoresTrialsThatAreWrongOrWereNotTimed) {
  const auto store = make_memory_store();
  add_study(*store, study_key(1, 1), "qkv",
            {{config(256), 1000}, {config(512), 10, Phase::screen, TrialState::correctness}});
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->spec.problems[0].tables[0].configs.size(), 1u);
  EXPECT_EQ(plan->spec.problems[0].tables[0].configs[0].blocking.kc, 256);
}

TEST(Export, TellsWhatTheCommonFormatCosts) {
  const auto store = make_memory_store();
  add_study(*store, study_key(1, 1), "qkv", {{config(256, 32), 1000}, {config(256, 64), 1300}});
  add_study(*store, study_key(8, 1), "qkv", {{config(256, 64), 8000}});
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->notes.size(), 1u);
  EXPECT_NE(plan->notes[0].find("m = 1 with 1 thread has a regret of 30.0 %"), std::string::npos) << plan->notes[0];
}

TEST(Export, ServesEachCompilerThatWasTuned) {
  const auto store = make_memory_store();
  StudyKey clang = study_key(1, 1);
  clang.build = samples::clang_build();
  clang.build.source_digest = source_digest();
  add_study(*store, study_key(1, 1), "qkv", {{config(256, 32), 1000}});
  add_study(*store, clang, "qkv", {{config(256, 64), 1000}});
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  ASSERT_EQ(plan->spec.problems.size(), 1u);
  EXPECT_EQ(plan->spec.problems[0].tables.size(), 2u);
}

TEST(Export, ShipsOneModeWithItsErrorAndTheLoosestBound) {
  const auto store = make_memory_store();
  const auto bf16 = [](std::int64_t kc) {
    Config c = config(kc);
    c.mode = ComputeMode::bf16;
    c.tile.family = isa::avx512_bf16;
    c.blocking.order = gemwright::loop_order::mnk;
    c.blocking.pack_a = gemwright::a_packing::job;
    return c;
  };
  for (const auto& [m, bound] : {std::pair<std::int64_t, double>{1, 0.01}, {8, 0.02}}) {
    StudyKey k = study_key(m, 1);
    k.modes = modes_behind(Interface::f32);
    k.max_error = bound;
    k.data = DataKind::uniform;
    add_study(*store, k, "qkv", {{bf16(256), 500}, {config(256), 1000}});
  }
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  const HeaderTable& t = plan->spec.problems[0].tables.at(0);
  EXPECT_EQ(t.mode, ComputeMode::bf16);
  EXPECT_EQ(t.max_error, 0.02);
  EXPECT_EQ(t.data, DataKind::uniform);
  EXPECT_EQ(t.choices[0].error, 2e-7);
  const auto text = write_header(plan->spec);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_NE(text->find("compiled_dot_tile<kernels::compute_mode::bf16"), std::string::npos);
}

TEST(Export, AModeThatExceededTheBoundOfOneMServesNoM) {
  StudyRecord study;
  study.id = 1;
  study.key = study_key(1, 1);
  study.key.modes = modes_behind(Interface::f32);
  study.key.max_error = 1e-3;
  const auto trial = [](TrialId id, ComputeMode mode, double error, TrialState state) {
    Trial t;
    t.id = id;
    t.study = 1;
    t.config.mode = mode;
    t.error_fro = error;
    t.state = state;
    return t;
  };
  const std::vector<Trial> trials{trial(1, ComputeMode::f32, 1e-7, TrialState::ok),
                                  trial(2, ComputeMode::bf16, 2e-3, TrialState::constraint),
                                  trial(3, ComputeMode::u8s8, 1.1e-3, TrialState::constraint),
                                  trial(4, ComputeMode::u8s8, 0.9e-3, TrialState::pruned)};
  const std::vector<Subject> subjects{{1, 1, SubjectKind::trial, 1, ""}};
  Estimate e;
  e.subject = 1;
  e.ns_per_call = 1000;
  const auto cell = cell_of_study(study, trials, subjects, {e}, {});
  ASSERT_TRUE(cell);
  EXPECT_EQ(cell->modes, (std::vector{ComputeMode::f32, ComputeMode::u8s8}));
}

// The first left the final early, while the clock was fast; in each round that both ran in the second was faster.
TEST(Export, ShipsTheFasterOfCommonRoundsWhateverTheClockDid) {
  const auto store = make_memory_store();
  const StudyId study = add_study(*store, study_key(1, 1), "qkv", {{config(512), 1200}, {config(256), 1000}});
  const auto subjects = store->subjects(study).value();
  ASSERT_EQ(subjects.size(), 2u);
  for (std::int64_t round = 0; round < 20; ++round) {
    for (const Subject& s : subjects) {
      const bool winner = s.id == subjects.front().id;
      if (round >= 8 && !winner) continue;
      Sample x;
      x.subject = s.id;
      x.phase = Phase::confirm;
      x.round = round;
      x.calls = 1;
      x.ns = round < 8 ? (winner ? 950 : 1000) : 1200;
      ASSERT_TRUE(store->add_sample(x));
    }
  }
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(plan->spec.problems[0].tables[0].configs.at(0).blocking.kc, 512);
}

TEST(Export, StudiesOfOneNameAndTwoInterfacesAreTwoProblems) {
  const auto store = make_memory_store();
  StudyKey short_key = study_key(1, 1);
  short_key.problem.interface = Interface::bf16;
  short_key.modes = {ComputeMode::bf16};
  Config c = config(256);
  c.mode = ComputeMode::bf16;
  c.tile.family = isa::avx512_bf16;
  c.blocking.order = gemwright::loop_order::mnk;
  c.blocking.pack_a = gemwright::a_packing::job;
  add_study(*store, study_key(1, 1), "qkv", {{config(256), 1000}});
  add_study(*store, short_key, "qkv", {{c, 500}});
  const auto plan = plan_export(*store, {HeaderStyle::library, "tuned", 0.02, {}, "0.1.0", "2026-03-01"});
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(problem_namespaces(plan->spec.problems), (std::vector<std::string>{"qkv_f32", "qkv_bf16"}));
}

TEST(Export, RefusesABadNamespaceBeforeItReads) {
  const auto r = plan_export(*make_memory_store(), {HeaderStyle::library, "1x", 0.02, {}, "", ""});
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().kind, ErrorKind::usage);
}

}  // namespace
}  // namespace gemwright::tuner
