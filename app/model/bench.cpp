#include "app/model/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "app/version.h"
#include "tuner/header/export.h"
#include "tuner/measure/statistics.h"

namespace gemwright::app {

using tuner::fail;
using tuner::Phase;
using tuner::Result;
using tuner::Sample;
using tuner::SubjectId;
using tuner::TrialState;

namespace {

constexpr SubjectId kTuned = 1, kBaseline = 2, kBest = 3;
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

struct Entrant {
  SubjectId subject = 0;
  int handle = 0;
};

// The rounds of one row; a sentence when a subject failed.
Result<std::string> rounds(tuner::Measurer& measurer, const PlannedStudy& study, const std::vector<Entrant>& entrants,
                           const TuningHooks& hooks, std::vector<Sample>& samples) {
  const tuner::MeasureProtocol& p = study.request.protocol;
  const tuner::Random random(study.request.attributes.seed);
  const double begun = hooks.now();
  std::int64_t calls = 1;
  // Round 0 sizes the blocks and is not counted.
  for (int round = 0; round <= p.confirm_rounds; ++round) {
    if (round > p.min_confirm_rounds && hooks.now() - begun > kRowSeconds) break;
    for (const int i : tuner::latin_round_order(static_cast<int>(entrants.size()), round, random)) {
      if (hooks.stop && hooks.stop())
        return fail("interrupted: what was tuned is saved, and the same command goes on",
                    tuner::ErrorKind::interrupted);
      const Entrant& e = entrants[static_cast<std::size_t>(i)];
      const auto failed = time_into(measurer, e.handle, e.subject, calls, round, samples);
      if (!failed || !failed->empty()) return failed;
    }
    if (round > 0) continue;
    double slowest = 1;
    for (const Sample& s : samples)
      slowest = std::max(slowest, static_cast<double>(s.ns) / static_cast<double>(s.calls));
    calls = std::max<std::int64_t>(1, std::llround(p.block_ns / slowest));
    samples.clear();
  }
  return std::string();
}

void fill_figures(BenchRow& row, const std::vector<Sample>& samples, bool has_baseline, bool has_best) {
  const tuner::StudyKey& k = row.study.request.key;
  const double work = tuner::flops(k.problem, k.m);
  const tuner::SampleWindow window{Phase::confirm, 0};
  if (const auto e =
          tuner::estimate(samples, kTuned, has_baseline ? std::optional(kBaseline) : std::nullopt, window, work)) {
    row.gflops = e->gflops;
    row.ratio = e->ratio;
    row.ratio_lo = e->ratio_lo;
    row.ratio_hi = e->ratio_hi;
  }
  if (const auto e = tuner::estimate(samples, kBaseline, std::nullopt, window, work)) row.baseline_gflops = e->gflops;
  if (!has_best) return;
  if (const auto e = tuner::estimate(samples, kBest, std::nullopt, window, work)) row.best_gflops = e->gflops;
  if (const auto r = tuner::paired_ratio(samples, kTuned, kBest, window)) {
    row.over_best = r->ratio;
    row.over_best_lo = r->lo;
    row.over_best_hi = r->hi;
  }
}

}  // namespace

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
                           const std::optional<tuner::Config>& best, const TuningHooks& hooks) {
  BenchRow row;
  row.study = study;
  const tuner::StudyKey& k = study.request.key;
  const auto setup = measurer.setup({k.problem, k.m, k.device.threads, k.data, study.request.attributes.seed, k.cache,
                                     k.cache_bytes, k.build.compiler});
  if (!setup) return tl::unexpected(setup.error());
  row.against = setup->baseline;
  const auto admission = measurer.admit_header(header.text, header.name_space);
  if (!admission) return tl::unexpected(admission.error());
  row.error = admission->error_fro;
  row.failure = admission->reason;
  if (admission->state != TrialState::ok) return row;
  std::vector<Entrant> entrants{{kTuned, admission->handle}};
  if (!setup->baseline.empty()) entrants.push_back({kBaseline, setup->baseline_handle});
  if (best) {
    const auto winner = measurer.admit(*best);
    if (!winner) return tl::unexpected(winner.error());
    row.failure = winner->reason;
    if (winner->state != TrialState::ok) return row;
    entrants.push_back({kBest, winner->handle});
  }
  std::vector<Sample> samples;
  const auto failed = rounds(measurer, study, entrants, hooks, samples);
  if (!failed) return tl::unexpected(failed.error());
  row.failure = *failed;
  for (const Entrant& e : entrants) {
    if (e.subject == kBaseline) continue;
    if (const auto r = measurer.drop(e.handle); !r) return tl::unexpected(r.error());
  }
  if (row.failure.empty()) fill_figures(row, samples, !setup->baseline.empty(), best.has_value());
  return row;
}

nlohmann::json bench_json(const BenchRow& r) {
  const tuner::StudyKey& k = r.study.request.key;
  const auto value = [](const std::optional<double>& v) { return v ? nlohmann::json(*v) : nlohmann::json(nullptr); };
  nlohmann::json row{{"type", "bench"},
                     {"name", r.study.entry.name},
                     {"problem", tuner::key(k.problem)},
                     {"m", k.m},
                     {"n", k.problem.n},
                     {"k", k.problem.k},
                     {"precision", tuner::precision_text(k)},
                     {"threads", k.device.threads},
                     {"device", k.device.name},
                     {"cache", tuner::to_text(k.cache)},
                     {"gflops", value(r.gflops)},
                     {"baseline_gflops", value(r.baseline_gflops)},
                     {"ratio", value(r.ratio)},
                     {"ratio_lo", value(r.ratio_lo)},
                     {"ratio_hi", value(r.ratio_hi)},
                     {"error", value(r.error)}};
  if (r.best_gflops) {
    row["best_gflops"] = *r.best_gflops;
    row["over_best"] = value(r.over_best);
    row["over_best_lo"] = value(r.over_best_lo);
    row["over_best_hi"] = value(r.over_best_hi);
  }
  row["against"] = r.against.empty() ? nlohmann::json(nullptr) : nlohmann::json(r.against);
  row["failure"] = r.failure.empty() ? nlohmann::json(nullptr) : nlohmann::json(r.failure);
  return row;
}

std::string bench_table(const std::vector<BenchRow>& rows) {
  const bool best = std::any_of(rows.begin(), rows.end(), [](const BenchRow& r) { return r.best_gflops.has_value(); });
  std::vector<Column> columns{{"name"},           {"M", true},       {"N", true},    {"K", true},
                              {"precision"},      {"threads", true}, {"cache"},      {"GFLOP/s", true},
                              {"baseline", true}, {"ratio [95 %]"},  {"error", true}};
  if (best) columns.insert(columns.end(), {{"best of M*", true}, {"header over it [95 %]"}});
  columns.push_back({""});
  std::vector<std::vector<std::string>> cells;
  for (const BenchRow& r : rows) {
    const tuner::StudyKey& k = r.study.request.key;
    std::vector<std::string> line{r.study.entry.name,
                                  std::to_string(k.m),
                                  std::to_string(k.problem.n),
                                  std::to_string(k.problem.k),
                                  tuner::precision_text(k),
                                  std::to_string(k.device.threads),
                                  std::string(tuner::to_text(k.cache)),
                                  number_text(r.gflops, 1),
                                  number_text(r.baseline_gflops, 1),
                                  ratio_text(r.ratio, r.ratio_lo, r.ratio_hi),
                                  r.error ? fmt::format("{:.1e}", *r.error) : "-"};
    if (best) {
      line.push_back(number_text(r.best_gflops, 1));
      line.push_back(ratio_text(r.over_best, r.over_best_lo, r.over_best_hi));
    }
    line.push_back(r.failure);
    cells.push_back(std::move(line));
  }
  std::string text = table(columns, cells);
  if (best) text += "* the winner of that M alone, run from the tuner's own library: not what is shipped\n";
  return text;
}

std::vector<BenchSummary> bench_summaries(const std::vector<BenchRow>& rows) {
  std::map<int, std::vector<double>> by_threads;
  for (const BenchRow& r : rows) {
    if (r.ratio) by_threads[r.study.request.key.device.threads].push_back(*r.ratio);
  }
  std::vector<BenchSummary> out;
  for (const auto& [threads, ratios] : by_threads) {
    const auto slower = std::count_if(ratios.begin(), ratios.end(), [](double x) { return x < 1; });
    out.push_back({threads, ratios.size(), tuner::geomean(ratios).value_or(0),
                   *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()),
                   static_cast<double>(slower) / static_cast<double>(ratios.size())});
  }
  return out;
}

}  // namespace gemwright::app
