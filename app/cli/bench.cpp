// gemwright bench
#include "app/model/bench.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "db/store.h"

namespace gemwright::app {
namespace {

struct Options {
  TuneOptions tune;
  std::string db, worker, against = "onednn";
  double max_regret = 2;
  bool json = false, best_per_m = false;
};

void print_row(const BenchRow& row, bool json, bool first) {
  if (json) {
    for (nlohmann::json& line : bench_json(row)) {
      if (std::exchange(first, false)) line["version"] = kJsonVersion;
      fmt::print("{}", json_line(line));
    }
    std::fflush(stdout);
    return;
  }
  std::string text = row.failure;
  for (const BenchRival& r : row.rivals) {
    if (!row.failure.empty()) break;
    text += fmt::format("{}{} over {}", text.empty() ? "" : ", ", ratio_text(r.ratio, r.ratio_lo, r.ratio_hi),
                        r.name.empty() ? r.asked : r.name);
  }
  fmt::print(stderr, "{}: {}\n", title(row.study), text);
}

void print_summaries(const std::vector<BenchRow>& rows, bool json) {
  for (const BenchSummary& s : bench_summaries(rows)) {
    fmt::print("{}", json ? json_line(summary_json(s)) : summary_text(s));
  }
}

struct Tuned {
  std::map<std::string, std::vector<tuner::StudyId>> ids;  // of the studies, by problem
  std::map<std::string, StudyFigures> figures;             // by study key
};

Tuned by_problem(const std::vector<StudyFigures>& studies) {
  Tuned tuned;
  for (const StudyFigures& f : studies) {
    tuned.ids[tuner::key(f.study.key.problem)].push_back(f.study.id);
    tuned.figures[tuner::key(f.study.key)] = f;
  }
  return tuned;
}

tuner::Result<void> measure_rows(const Options& o, tuner::Store& store, tuner::WorkerClient& worker,
                                 const std::vector<PlannedStudy>& studies, const Tuned& tuned,
                                 const std::vector<std::string>& against, const TuningHooks& hooks,
                                 std::vector<BenchRow>& rows) {
  std::map<std::string, BenchHeader> headers;
  for (const PlannedStudy& s : studies) {
    const std::string problem = tuner::key(s.request.key.problem);
    if (!headers.contains(problem)) {
      auto header = bench_header(store, tuned.ids.at(problem), o.max_regret / 100);
      if (!header) return tl::unexpected(header.error());
      headers[problem] = std::move(*header);
    }
    const StudyFigures& figures = tuned.figures.at(tuner::key(s.request.key));
    std::optional<tuner::Config> best;
    if (o.best_per_m && figures.trial) best = figures.trial->config;
    auto row = bench_row(worker, s, headers[problem], against, best, hooks);
    if (!row) return tl::unexpected(row.error());
    add_ceiling(*row, figures);
    print_row(*row, o.json, rows.empty());
    rows.push_back(std::move(*row));
  }
  return {};
}

int run(const Options& o) {
  hear_interrupts();
  const auto against = parse_against(o.against);
  if (!against) return report(against.error());
  const auto place = find_workplace(o.tune.compiler);
  if (!place) return report(place.error());
  const auto suite = resolve_suite(o.tune, place->presets);
  if (!suite) return report(suite.error());
  auto studies = plan_studies(o.tune, *suite, *place);
  if (!studies) return report(studies.error());
  const auto worker = start_worker(o.worker);
  if (!worker) return report(worker.error());
  const auto absent = check_against(**worker, *against, o.tune.compiler);
  if (!absent) return report(absent.error());
  const auto store = db::open_store(database_path(o.db), db::OpenMode::read_write);
  if (!store) return report(store.error());
  for (const std::string& note : *absent) fmt::print(stderr, "gemwright: note: {}\n", note);
  for (const std::string& note : notes(*studies)) fmt::print(stderr, "gemwright: note: {}\n", note);
  const auto done = tune_missing(**store, **worker, *studies);
  if (!done) return report(done.error());
  const Tuned tuned = by_problem(*done);

  TuningHooks hooks;
  hooks.now = now_seconds;
  hooks.stop = interrupted;
  hooks.sleep = sleep_seconds;
  std::vector<BenchRow> rows;
  const auto measured = measure_rows(o, **store, **worker, *studies, tuned, *against, hooks, rows);
  // What was measured before an error or an interrupt is told all the same.
  if (!o.json && !rows.empty()) fmt::print("{}", bench_table(rows));
  if (!rows.empty()) print_summaries(rows, o.json);
  return measured ? kDone : report(measured.error());
}

}  // namespace

Runner add_bench(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_tune_options(app, o->tune);
  app.add_option("--against", o->against, "Baselines, as a list of onednn, openblas, libxsmm and blas:/path/to/lib.so")
      ->capture_default_str();
  app.add_option("--max-regret", o->max_regret, "As in export, in percent")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  app.add_flag("--best-per-m", o->best_per_m, "Also time the winner of each M alone, from the tuner's own library");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_option("--worker", o->worker, "Command that starts the measuring worker");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
