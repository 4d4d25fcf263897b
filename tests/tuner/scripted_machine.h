// A machine whose speed is known, for tests of the study engine.
#pragma once

#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/random.h"
#include "tuner/space/tile_group.h"
#include "tuner/study/engine.h"

namespace gemwright::tuner {

constexpr double kCallNs = 50e3;  // of the baseline

// A machine whose speed is known: the more accumulators up to 28 the faster, wide noise, a baseline in the middle.
class ScriptedMachine : public Measurer {
 public:
  bool has_baseline = true;
  bool tells_baseline_ns = true;
  std::set<int> crash_mr;         // tiles with so many rows crash when they are timed
  std::set<int> wrong_mr;         // and these give wrong results
  std::optional<int> stop_after;  // blocks until somebody asks to stop
  bool cannot_count = false, cannot_run_bare = false;
  std::map<ComputeMode, double> error{{ComputeMode::f32, 3e-7}, {ComputeMode::bf16, 3e-3}, {ComputeMode::u8s8, 1e-2}};
  double roof_gflops = 1e6, roof_spread = 0.01;
  bool times_admissions = true;
  int blocks = 0, admissions = 0, counted = 0;
  double clock = 0;
  double compile_s = 0;                                          // of a library; 0: all are in the cache
  double slowness = 1;                                           // of all but the anchor
  std::function<double(std::int64_t m, const Config&)> penalty;  // multiplies the time of a config
  struct Admitted {
    TileGroup group;
    bool compiled;
    double begun;
    int blocks;  // timed before
  };
  std::vector<Admitted> admitted;

  Result<SetupReply> setup(const MeasureSetup& s) override {
    m_ = s.m;
    SetupReply r;
    if (has_baseline) {
      r.baseline = "scripted 1.0";
      r.baseline_handle = 1;
      if (tells_baseline_ns) r.baseline_ns = slowness * kCallNs;
    } else {
      r.baseline_reason = "none here";
    }
    r.anchor_handle = 2;
    return r;
  }
  Result<void> prefetch_code(const std::vector<Config>&) override { return {}; }
  Result<Admission> admit(const Config& c) override {
    ++admissions;
    Admission a;
    const TileGroup group = group_of({}, c);
    const bool compiles = compile_s > 0 && compiled_.insert(group).second;
    admitted.push_back({group, compiles, clock, blocks});
    if (compiles) a.compile_ns = std::llround(1e9 * compile_s);
    clock += 0.02 + (compiles ? compile_s : 0);
    a.error_fro = error.at(c.mode);
    if (wrong_mr.contains(c.tile.mr)) {
      a.state = TrialState::correctness;
      a.reason = "row 3 is wrong";
      return a;
    }
    a.handle = next_++;
    configs_[a.handle] = c;
    return a;
  }
  Result<Admission> admit_timed(const Config& c) override {
    auto a = admit(c);
    if (!times_admissions || a->state != TrialState::ok) return a;
    a->block = *block(a->handle, 1);
    return a;
  }
  Result<Admission> admit_bare(const Config& c) override {
    if (cannot_run_bare) return fail("not here");
    Admission a;
    a.handle = next_++;
    configs_[a.handle] = c;
    bare_.insert(a.handle);
    return a;
  }
  Result<Admission> admit_header(const std::string&, const std::string&) override { return fail("not scripted"); }
  Result<Block> block(int handle, std::int64_t calls) override {
    ++blocks;
    Block b;
    b.calls = calls;
    if (handle > 2 && crash_mr.contains(configs_.at(handle).tile.mr)) {
      b.state = TrialState::crashed;
      b.reason = "signal 11";
      return b;
    }
    const double noise = 1 + 0.02 * (static_cast<double>(random_.below(1000)) / 1000.0);
    const double share = slowness * (bare_.contains(handle) ? kBareShare : 1);
    double ns = handle == 1 ? slowness * kCallNs : handle == 2 ? 5e3 : share * true_ns(configs_.at(handle));
    if (handle > 2 && penalty) ns *= penalty(m_, configs_.at(handle));
    b.ns = std::llround(ns * noise * static_cast<double>(calls));
    clock += static_cast<double>(b.ns) * 1e-9;
    return b;
  }
  Result<std::vector<profilers::Counter>> count(int handle, std::int64_t calls) override {
    ++counted;
    if (cannot_count) return fail("not here");
    return std::vector<profilers::Counter>{
        {"software", "task-clock", "ns", profilers::CounterStatus::counted, 1000.0 * handle, calls, ""},
        {"perf", "cycles", "events", profilers::CounterStatus::unsupported, {}, calls, "no PMU"}};
  }
  Result<std::vector<profilers::Ceiling>> ceilings() override {
    if (cannot_count) return fail("not here");
    std::vector<profilers::Ceiling> all;
    for (const int threads : {1, 2}) {
      all.push_back({"fma.avx512f.f32", threads, "GFLOP/s", roof_gflops, "", roof_spread, 5e3});
    }
    return all;
  }
  Result<void> drop(int handle) override {
    configs_.erase(handle);
    return {};
  }

  static double true_ns(const Config& c) {
    const int accumulators = c.tile.mr * c.tile.nv * c.tile.ka;
    return kCallNs * 0.8 / gemwright::k_group(c.mode) * (1 + 0.03 * std::abs(28 - accumulators)) *
           (threads_used(c.blocking) == 2 ? 0.9 : 1.0) *
           (c.blocking.chain_at == gemwright::fusion::registers ? 1.0 : 1.3);
  }
  std::size_t open_handles() const { return configs_.size(); }

 private:
  int next_ = 3;
  std::int64_t m_ = 0;
  static constexpr double kBareShare = 0.5;
  std::map<int, Config> configs_;
  std::set<int> bare_;
  std::set<TileGroup> compiled_;
  Random random_{7};
};

inline StudyRequest request_for(std::int64_t m, const std::string& budget) {
  StudyRequest r;
  r.key.problem.n = 1024;
  r.key.problem.k = 1024;
  r.key.m = m;
  r.key.device = {"fingerprint", "cpu", "scripted", 2, "{}"};
  r.key.build = {"digest", "0.1", "g++", "g++ 12", "-O2", "source"};
  r.key.space_version = kSpaceVersion;
  r.key.modes = {ComputeMode::f32};
  r.attributes = {"layer", "suite", 1, *parse_budget(budget), "normal", "local", 1};
  r.protocol = *measure_protocol("normal");
  r.space.problem = r.key.problem;
  r.space.m = m;
  r.space.threads = 2;
  r.space.families = {gemwright::isa::avx512f, gemwright::isa::avx2, gemwright::isa::scalar};
  return r;
}

inline EngineHooks hooks_of(ScriptedMachine& machine) {
  return {[&] { return machine.clock; },
          {},
          [&] { return machine.stop_after && machine.blocks >= *machine.stop_after; },
          [&](double seconds) { machine.clock += seconds; }};
}

}  // namespace gemwright::tuner
