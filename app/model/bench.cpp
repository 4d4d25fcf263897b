#include "app/model/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/model/roofline.h"
#include "app/version.h"
#include "tuner/baseline/baseline.h"
#include "tuner/header/export.h"
#include "tuner/measure/statistics.h"
#include "tuner/study/budget.h"

namespace gemwright::app {

using tuner::fail;
using tuner::Phase;
using tuner::Result;
using tuner::Sample;
using tuner::SubjectId;
using tuner::TrialState;

namespace {

constexpr SubjectId kTuned = 1, kBest = 2, kFirstRival = 3;
// A row of long calls stops when it has an interval and this much time went by.
constexpr double kRowSeconds = 6;

// One block of a subject into the samples; nothing more than its failure's sentence can be said of one that failed.
Result<std::string> time_into(tuner::Measurer& measurer, int handle, SubjectId subject, std::int64_t calls,
                              std::int64_t round, std::vector<Sample>& samples) {
  const auto block = measurer.block(handle, calls);
  if (!block) return tl::unexpected(block.error());
  if (block->state != TrialState::ok) return block->reason;
  Sample s;
  s.subject = subject;
  s.phase = Phase::confirm;
  s.round = round;
  s.calls = block->calls;
  s.ns = block->ns;
  s.involuntary_switches = block->involuntary_switches;
  s.steal_ticks = block->steal_ticks;
  s.migrated = block->migrated;
  samples.push_back(s);
  return std::string();
}

// All but oneDNN, which every setup has.
std::vector<std::string> further_of(std::vector<std::string> against) {
  against.erase(std::remove(against.begin(), against.end(), tuner::kOneDnn), against.end());
  return against;
}

struct Entrant {
  SubjectId subject = 0;
  int handle = 0;
  std::int64_t calls = 1;  // in a block
  std::string fault = {};

  bool is_rival() const { return subject >= kFirstRival; }
};

double call_ns_of(const Sample& s) { return std::max(1.0, static_cast<double>(s.ns) / static_cast<double>(s.calls)); }

// Blocks of about the protocol's length. Round 0 sizes them and is not counted.
void size_blocks(const tuner::MeasureProtocol& p, std::vector<Entrant>& entrants, std::vector<Sample>& samples) {
  for (const Sample& s : samples) {
    for (Entrant& e : entrants) {
      if (e.subject != s.subject) continue;
      e.calls = std::max<std::int64_t>(1, std::llround(p.block_ns / call_ns_of(s)));
    }
  }
  samples.clear();
}

// The rounds of one row. A baseline that fails is left out from then on, anything else ends them.
Result<void> rounds(tuner::Measurer& measurer, const PlannedStudy& study, std::vector<Entrant>& entrants,
                    const TuningHooks& hooks, std::vector<Sample>& samples) {
  const tuner::MeasureProtocol& p = study.request.protocol;
  const tuner::Random random(study.request.attributes.seed);
  const double begun = hooks.now();
  std::optional<double> call_ns;  // of the first entrant
  for (int round = 0; round <= p.confirm_rounds; ++round) {
    if (round > tuner::least_confirm_rounds(p, !tuner::is_very_long(call_ns)) && hooks.now() - begun > kRowSeconds)
      break;
    for (const int i : tuner::latin_round_order(static_cast<int>(entrants.size()), round, random)) {
      if (hooks.stop && hooks.stop())
        return fail("interrupted: what was tuned is saved, and the same command goes on",
                    tuner::ErrorKind::interrupted);
      Entrant& e = entrants[static_cast<std::size_t>(i)];
      if (!e.fault.empty()) continue;
      auto fault = time_into(measurer, e.handle, e.subject, e.calls, round, samples);
      if (!fault) return tl::unexpected(fault.error());
      e.fault = std::move(*fault);
      if (!e.fault.empty() && !e.is_rival()) return {};
    }
    if (round > 0) continue;
    if (!samples.empty()) call_ns = call_ns_of(samples.front());
    size_blocks(p, entrants, samples);
  }
  return {};
}

void fill_figures(BenchRow& row, const std::vector<Sample>& samples) {
  const tuner::StudyKey& k = row.study.request.key;
  const double work = tuner::flops(k.problem, k.m);
  const tuner::SampleWindow window{Phase::confirm, 0};
  const auto speed = [&](SubjectId subject) -> std::optional<double> {
    const auto e = tuner::estimate(samples, subject, std::nullopt, window, work);
    return e ? std::optional(e->gflops) : std::nullopt;
  };
  row.gflops = speed(kTuned);
  if (row.gflops) row.gbytes_per_s = *row.gflops * tuner::min_bytes(k.problem, k.m) / work;
  for (std::size_t i = 0; i < row.rivals.size(); ++i) {
    BenchRival& r = row.rivals[i];
    if (r.name.empty()) continue;
    const SubjectId subject = kFirstRival + static_cast<SubjectId>(i);
    r.gflops = speed(subject);
    if (const auto p = tuner::paired_ratio(samples, kTuned, subject, window)) {
      r.ratio = p->ratio;
      r.ratio_lo = p->lo;
      r.ratio_hi = p->hi;
    }
  }
  row.best_gflops = speed(kBest);
  if (const auto r = tuner::paired_ratio(samples, kTuned, kBest, window)) {
    row.over_best = r->ratio;
    row.over_best_lo = r->lo;
    row.over_best_hi = r->hi;
  }
}

tuner::MeasureSetup setup_of(const PlannedStudy& study, const std::vector<std::string>& against) {
  const tuner::StudyKey& k = study.request.key;
  return {k.problem,
          k.m,
          k.device.threads,
          k.data,
          study.request.attributes.seed,
          k.cache,
          k.cache_bytes,
          k.build.compiler,
          further_of(against)};
}

// A library that brings the worker down while it is prepared, alone too, is absent, with the reason.
Result<tuner::SetupReply> setup_beside(tuner::Measurer& measurer, const tuner::MeasureSetup& wanted) {
  const auto all = measurer.setup(wanted);
  if (all || wanted.further.empty() || all.error().kind != tuner::ErrorKind::worker_lost) return all;
  std::vector<tuner::FurtherBaseline> further;
  tuner::MeasureSetup rest = wanted;
  rest.further.clear();
  for (const std::string& name : wanted.further) {
    tuner::MeasureSetup alone = wanted;
    alone.further = {name};
    const auto setup = measurer.setup(alone);
    if (setup) rest.further.push_back(name);
    further.push_back({"", setup ? "" : setup.error().message, 0});
  }
  if (rest.further == wanted.further) return all;
  auto setup = measurer.setup(rest);
  if (!setup) return setup;
  auto present = setup->further.begin();
  for (tuner::FurtherBaseline& b : further) {
    if (b.reason.empty()) b = *present++;
  }
  setup->further = std::move(further);
  return setup;
}

// Measures the ceilings; those that are there already become the mean of both. Without them a row has no share.
Result<void> add_ceilings(tuner::Measurer& measurer, std::vector<tuner::StudyCeiling>& ceilings) {
  auto measured = measurer.ceilings();
  if (!measured) {
    if (measured.error().kind == tuner::ErrorKind::interrupted) return tl::unexpected(measured.error());
    return {};
  }
  for (profilers::Ceiling& c : *measured) {
    const auto known = std::find_if(ceilings.begin(), ceilings.end(), [&](const tuner::StudyCeiling& k) {
      return k.ceiling.name == c.name && k.ceiling.threads == c.threads;
    });
    if (known == ceilings.end()) {
      ceilings.push_back({std::move(c), 0});
    } else if (!known->ceiling.value) {
      known->ceiling = std::move(c);
    } else if (c.value) {
      known->ceiling.value = (*known->ceiling.value + *c.value) / 2;
    }
  }
  return {};
}

// As asked, those that are there with their handles.
std::vector<BenchRival> rivals_of(const tuner::SetupReply& setup, const std::vector<std::string>& against,
                                  std::vector<Entrant>& entrants) {
  std::vector<BenchRival> rivals;
  auto further = setup.further.begin();
  for (const std::string& asked : against) {
    const tuner::FurtherBaseline b =
        asked == tuner::kOneDnn ? tuner::FurtherBaseline{setup.baseline, setup.baseline_reason, setup.baseline_handle}
                                : *further++;
    if (!b.name.empty()) entrants.push_back({kFirstRival + static_cast<SubjectId>(rivals.size()), b.handle});
    BenchRival r;
    r.asked = asked;
    r.name = b.name;
    r.reason = b.reason;
    rivals.push_back(std::move(r));
  }
  return rivals;
}

}  // namespace

const BenchRival* BenchRow::fastest() const {
  const BenchRival* best = nullptr;
  for (const BenchRival& r : rivals) {
    if (r.ratio && r.gflops && (best == nullptr || *r.gflops > *best->gflops)) best = &r;
  }
  return best;
}

Result<std::vector<std::string>> parse_against(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    names.push_back(text.substr(begin, end - begin));
    begin = end + 1;
    const std::string& name = names.back();
    if (auto known = tuner::check_baseline_name(name); !known) return tl::unexpected(known.error());
    if (std::count(names.begin(), names.end(), name) > 1) {
      return fail(fmt::format("--against names {} twice", name), tuner::ErrorKind::usage);
    }
  }
  if (further_of(names).size() > tuner::kMaxFurtherBaselines) {
    return fail(fmt::format("--against takes at most {} libraries", tuner::kMaxFurtherBaselines),
                tuner::ErrorKind::usage);
  }
  return names;
}

Result<std::vector<std::string>> check_against(tuner::Measurer& measurer, const std::vector<std::string>& against,
                                               const std::string& compiler) {
  std::vector<std::string> absent;
  tuner::MeasureSetup small;
  small.further = further_of(against);
  if (small.further.empty()) return absent;
  small.problem.n = small.problem.k = small.m = 16;
  small.cache = tuner::CacheState::hot;
  small.compiler = compiler;
  const auto setup = setup_beside(measurer, small);
  if (!setup) return tl::unexpected(setup.error());
  for (std::size_t i = 0; i < small.further.size(); ++i) {
    const tuner::FurtherBaseline& b = setup->further[i];
    if (b.name.empty()) absent.push_back(fmt::format("{} is absent: {}", small.further[i], b.reason));
  }
  return absent;
}

Result<BenchHeader> bench_header(const tuner::Store& store, const std::vector<tuner::StudyId>& studies,
                                 double max_regret) {
  tuner::ExportRequest request;
  request.max_regret = max_regret;
  request.tool_version = kVersion;
  request.filter = [&](const tuner::StudyRecord& s) {
    return std::find(studies.begin(), studies.end(), s.id) != studies.end();
  };
  const auto plan = tuner::plan_export(store, request);
  if (!plan) return tl::unexpected(plan.error());
  if (plan->spec.problems.size() != 1) return fail("a bench header serves one problem");
  const auto text = tuner::write_header(plan->spec);
  if (!text) return tl::unexpected(text.error());
  return BenchHeader{*text, plan->spec.name_space + "::" + tuner::problem_namespaces(plan->spec.problems).front()};
}

Result<BenchRow> bench_row(tuner::Measurer& measurer, const PlannedStudy& study, const BenchHeader& header,
                           const std::vector<std::string>& against, const std::optional<tuner::Config>& best,
                           const TuningHooks& hooks) {
  BenchRow row;
  row.study = study;
  const auto setup = setup_beside(measurer, setup_of(study, against));
  if (!setup) return tl::unexpected(setup.error());
  std::vector<Entrant> entrants;
  row.rivals = rivals_of(*setup, against, entrants);
  const auto enter = [&](SubjectId subject, const Result<tuner::Admission>& admission) {
    row.failure = admission->reason;
    if (admission->state == TrialState::ok) entrants.push_back({subject, admission->handle});
    return admission->state == TrialState::ok;
  };
  const auto admission = measurer.admit_header(header.text, header.name_space);
  if (!admission) return tl::unexpected(admission.error());
  row.error = admission->error_fro;
  if (!enter(kTuned, admission)) return row;
  if (best) {
    const auto winner = measurer.admit(*best);
    if (!winner) return tl::unexpected(winner.error());
    if (!enter(kBest, winner)) return row;
  }
  std::vector<Sample> samples;
  if (auto seen = add_ceilings(measurer, row.ceilings); !seen) return tl::unexpected(seen.error());
  if (auto done = rounds(measurer, study, entrants, hooks, samples); !done) return tl::unexpected(done.error());
  if (auto seen = add_ceilings(measurer, row.ceilings); !seen) return tl::unexpected(seen.error());
  for (const Entrant& e : entrants) {
    if (e.is_rival()) {
      if (e.fault.empty()) continue;
      BenchRival& r = row.rivals[static_cast<std::size_t>(e.subject - kFirstRival)];
      r.name.clear();
      r.reason = e.fault;
      continue;
    }
    if (!e.fault.empty()) row.failure = e.fault;
    if (const auto r = measurer.drop(e.handle); !r) return tl::unexpected(r.error());
  }
  if (row.failure.empty()) fill_figures(row, samples);
  return row;
}

void add_ceiling(BenchRow& row, const StudyFigures& study) {
  if (!row.gflops || !study.trial) return;
  tuner::Estimate figure;
  figure.gflops = *row.gflops;
  const tuner::RooflinePoint p = roofline_trial(study.study, row.ceilings, *study.trial, figure, std::nullopt).point;
  row.ceiling = p.binding_name;
  row.ceiling_gflops = p.binding_roof;
  row.share = p.share;
}

}  // namespace gemwright::app
