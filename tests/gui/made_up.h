// Snapshots of any size without a database: one study whose trials cycle through the states and through several values
// of six parameters, some of them in another mode and over the error bound.
#pragma once

#include <cmath>
#include <memory>

#include "app/model/snapshot.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {

inline tuner::Estimate made_up_figure(std::size_t i) {
  tuner::Estimate e;
  e.phase = i % 7 == 0 ? tuner::Phase::confirm : tuner::Phase::screen;
  e.samples = 20;
  e.gflops = 100 + 50 * std::sin(static_cast<double>(i)) + 40.0 * static_cast<double>(i % 100) / 100;
  e.ns_per_call = 1e6 / e.gflops;
  e.ratio = e.gflops / 120;
  if (i % 3 == 0) {
    e.ratio_lo = 0.98 * *e.ratio;
    e.ratio_hi = 1.03 * *e.ratio;
  }
  return e;
}

inline tuner::Config made_up_config(std::size_t i) {
  tuner::Config c = scripted_config(1 + static_cast<int>(i % 4));
  c.tile.nv = 1 + static_cast<int>(i / 4 % 3);
  c.tile.ku = 1 << (i / 12 % 3);
  c.blocking.kc = 64 << (i / 36 % 4);
  c.blocking.order = static_cast<gemwright::loop_order>(i / 144 % 6);
  c.blocking.mc = 16 + 16 * static_cast<std::int64_t>(i / 864 % 20);
  if (i % 5 == 4) c.mode = tuner::ComputeMode::bf16;
  return c;
}

inline double made_up_error(std::size_t i) {
  const double level = i % 5 == 4 ? 4e-3 : 3e-7;
  return level * (1 + 0.8 * std::cos(0.37 * static_cast<double>(i)));
}

inline void add_made_up_trial(StudySnapshot& s, std::size_t i) {
  using tuner::TrialState;
  constexpr TrialState kStates[] = {TrialState::ok,      TrialState::pruned,      TrialState::ok,
                                    TrialState::crashed, TrialState::correctness, TrialState::ok};
  tuner::Trial t;
  t.id = static_cast<tuner::TrialId>(i) + 1;
  t.study = 1;
  t.seq = static_cast<std::int64_t>(i);
  t.config = made_up_config(i);
  t.origin = "neighbour";
  t.state = kStates[i % std::size(kStates)];
  // Timed although it is over the bound.
  if (i % 25 == 24) t.state = TrialState::constraint;
  const bool measured = t.state == TrialState::ok || t.state == TrialState::pruned || t.state == TrialState::constraint;
  if (measured) t.error_fro = made_up_error(i);
  if (!measured) t.reason = "the reason why it failed, in a sentence";
  std::optional<tuner::Estimate> figure;
  if (measured) figure = made_up_figure(i);
  s.columns.state.push_back(t.state);
  s.columns.gflops.push_back(figure ? std::optional(figure->gflops) : std::nullopt);
  s.columns.ratio.push_back(figure ? figure->ratio : std::nullopt);
  s.columns.error.push_back(t.error_fro);
  if (t.state == TrialState::ok) {
    RooflineTrial r;
    r.trial = t;
    r.point.gflops = figure->gflops;
    r.point.intensity = 1 + static_cast<double>(i % 50);
    r.point.compute_name = "fma.avx2.f32";
    s.roofline.trials.push_back(r);
  }
  s.estimates.push_back(figure);
  s.trials.push_back(std::move(t));
}

inline std::shared_ptr<const StudySnapshot> made_up_study(std::size_t trials) {
  auto s = std::make_shared<StudySnapshot>();
  s->ref = {0, 1};
  tuner::StudyRecord& r = s->figures.study;
  r.id = 1;
  r.key = scripted_key();
  r.key.max_error = 2e-2;
  r.attributes.name = "layer";
  r.state = tuner::StudyState::finished;
  r.trials = static_cast<std::int64_t>(trials);
  for (std::size_t i = 0; i < trials; ++i) add_made_up_trial(*s, i);
  if (trials > 0) {
    r.outcome.best_trial = 1;
    r.outcome.verdict = "certified: made up";
    s->figures.best = s->estimates.front();
    s->figures.trial = s->trials.front();
  }
  for (std::size_t i = 0; i < trials; ++i) {
    s->noise.push_back({static_cast<std::int64_t>(i), 1 + 0.01 * std::cos(static_cast<double>(i)), tuner::Phase::screen,
                        i % 9 == 0 ? tuner::Disturbance::steal : tuner::Disturbance::none});
  }
  s->roofline.study = r;
  s->roofline.ceilings = {{{"fma.avx2.f32", 1, "GFLOP/s", 220, "", 0, {}}, 0},
                          {{"read.dram", 1, "GB/s", 20, "", 0, {}}, 0}};
  return s;
}

inline std::shared_ptr<const Snapshot> made_up_snapshot(std::size_t trials) {
  auto s = std::make_shared<Snapshot>();
  s->databases.push_back({"made-up.db", true, "", {made_up_study(trials)}});
  return s;
}

}  // namespace gemwright::app
