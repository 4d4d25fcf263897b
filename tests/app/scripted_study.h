// A finished study whose times are written by hand: the winner, a runner-up, a trial that was only screened, a baseline
// and the anchor loop.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "tuner/study/runner.h"
#include "tuner/study/store.h"

namespace gemwright::app {

struct ScriptedStudy {
  std::unique_ptr<tuner::Store> store = tuner::make_memory_store();
  tuner::StudyRecord record;
  tuner::Trial winner, runner_up, screened;
  tuner::SubjectId winner_subject = 0, runner_up_subject = 0, screened_subject = 0, baseline_subject = 0;
};

inline tuner::Config scripted_config(int mr) {
  tuner::Config c;
  c.tile = {gemwright::isa::avx2, mr, 1, 1, 1, gemwright::prefetch::none};
  c.format.panel = 8;
  c.blocking = {64, 64, 64, gemwright::loop_order::nkm, true, gemwright::a_packing::none, 1, 1, 1, 0};
  return c;
}

inline tuner::StudyKey scripted_key() {
  tuner::StudyKey k;
  k.problem.n = 64;
  k.problem.k = 64;
  k.m = 8;
  k.device = {"d1", "cpu", "scripted", 1, R"({"l1d_bytes": 32768, "l2_bytes": 1048576, "l3_bytes": 33554432})"};
  k.build = {"build", "0.1", "g++", "g++ 12", "-O2", "source"};
  k.space_version = 1;
  k.modes = {tuner::ComputeMode::f32};
  k.cache = tuner::CacheState::hot;
  return k;
}

// Blocks of 40 calls with a fixed pattern of up to 1 % of noise.
inline void add_blocks(tuner::Store& store, tuner::SubjectId subject, tuner::Phase phase, double ns, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    tuner::Sample s;
    s.subject = subject;
    s.phase = phase;
    s.round = (phase == tuner::Phase::confirm ? 100 : 0) + i;
    s.position = static_cast<int>(subject);
    s.calls = 40;
    s.ns = std::llround(40 * ns * (1 + 0.01 * ((i * 7 + static_cast<int>(subject) * 5) % 11) / 11.0));
    EXPECT_TRUE(store.add_sample(s));
  }
}

inline ScriptedStudy scripted_study(tuner::StudyState state = tuner::StudyState::finished,
                                    const tuner::Budget& budget = {},
                                    std::unique_ptr<tuner::Store> into = tuner::make_memory_store(),
                                    const tuner::StudyKey& key = scripted_key()) {
  using tuner::Phase;
  using tuner::SubjectKind;
  ScriptedStudy s;
  s.store = std::move(into);
  tuner::Store& store = *s.store;
  tuner::StudyAttributes attributes;
  attributes.name = "layer";
  attributes.strategy = "local";
  attributes.protocol = "normal";
  attributes.budget = budget;
  const auto study = store.open_study(key, attributes, false);
  EXPECT_TRUE(study);
  EXPECT_TRUE(store.set_baseline(study->id, "scripted 1.0", ""));
  s.baseline_subject = store.add_subject(study->id, SubjectKind::baseline, {}, "scripted 1.0")->id;
  const auto anchor = store.add_subject(study->id, SubjectKind::anchor, {}, "anchor")->id;
  for (const auto subject : {s.baseline_subject, anchor}) {
    for (const Phase p : {Phase::screen, Phase::confirm}) add_blocks(store, subject, p, 5e3, 26);
  }
  const auto add = [&](int mr, Phase phase, double ns, int rounds, tuner::SubjectId& subject) {
    auto trial = store.add_trial(study->id, scripted_config(mr), "random");
    trial->state = tuner::TrialState::ok;
    trial->error_fro = 3e-7;
    EXPECT_TRUE(store.update_trial(*trial));
    subject = store.add_subject(study->id, SubjectKind::trial, trial->id, "")->id;
    add_blocks(store, subject, phase, ns, rounds);
    return *trial;
  };
  s.screened = add(1, Phase::screen, 9e3, 3, s.screened_subject);
  s.winner = add(4, Phase::confirm, 4e3, 26, s.winner_subject);
  s.runner_up = add(2, Phase::confirm, 5e3, 26, s.runner_up_subject);
  tuner::StudyOutcome outcome;
  outcome.best_trial = s.winner.id;
  outcome.verdict = "certified: scripted";
  outcome.confidence = 0.99;
  outcome.lead = 1.25;
  outcome.lead_lo = 1.2;
  outcome.lead_hi = 1.3;
  outcome.noise_floor = 0.01;
  outcome.tally = {100, 6, 3, 1};
  const double flops = 2.0 * 8 * 64 * 64;
  std::vector<tuner::Estimate> estimates;
  for (const auto& [subject, ns] : {std::pair{s.winner_subject, 4e3}, {s.runner_up_subject, 5e3}}) {
    tuner::Estimate e;
    e.subject = subject;
    e.method = "scripted";
    e.samples = 26;
    e.ns_per_call = ns;
    e.min_ns = 0.98 * ns;
    e.p10_ns = 0.99 * ns;
    e.gflops = flops / ns;
    e.ratio = 5e3 / ns;
    estimates.push_back(e);
  }
  EXPECT_TRUE(store.set_outcome(study->id, outcome, estimates));
  EXPECT_TRUE(store.set_study_state(study->id, state, 1, {}));
  s.record = store.studies()->front();
  return s;
}

inline profilers::Counter counted(std::string provider, std::string name, double value, std::int64_t calls = 1) {
  return {std::move(provider), std::move(name), "events", profilers::CounterStatus::counted, value, calls, ""};
}

inline profilers::Counter unsupported(std::string name) {
  return {"perf", std::move(name), "events", profilers::CounterStatus::unsupported, {}, 1, "no PMU here"};
}

}  // namespace gemwright::app
