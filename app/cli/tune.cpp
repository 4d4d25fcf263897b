// gemwright tune
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <set>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/tuning.h"
#include "db/store.h"

namespace gemwright::app {
namespace {

struct Options {
  TuneOptions tune;
  std::string db, worker;
  bool json = false;
};

void print_done(const StudyFigures& f, bool reused, bool json, bool first) {
  if (json) {
    auto row = study_row(f);
    if (first) row["version"] = kJsonVersion;
    row["reused"] = reused;
    fmt::print("{}", json_line(row));
  } else {
    const tuner::StudyRecord& s = f.study;
    const std::string name = s.attributes.name.empty() ? "gemm" : s.attributes.name;
    std::string figures = f.best ? number_text(f.best->gflops, 1) + " GFLOP/s" : "no figure";
    if (f.best && f.best->ratio) {
      figures += fmt::format(" = {}x {}", ratio_text(f.best->ratio, f.best->ratio_lo, f.best->ratio_hi), s.baseline);
    }
    fmt::print("{} M={} N={} K={} threads={}: {}, {}, study {}{}\n  {}\n", name, s.key.m, s.key.problem.n,
               s.key.problem.k, s.key.device.threads, figures, s.outcome.verdict, s.id, reused ? " (known before)" : "",
               f.trial ? tuner::label(f.trial->config) : "");
  }
  std::fflush(stdout);
}

int run(const Options& o) {
  hear_interrupts();
  auto place = find_workplace(o.tune.compiler);
  if (!place) return report(place.error());
  const auto suite = resolve_suite(o.tune, place->presets);
  if (!suite) return report(suite.error());
  auto studies = plan_studies(o.tune, *suite, *place);
  if (!studies) return report(studies.error());
  auto store = db::open_store(database_path(o.db), db::OpenMode::read_write);
  if (!store) return report(store.error());
  auto worker = start_worker(o.worker);
  if (!worker) return report(worker.error());

  for (const std::string& note : notes(*studies)) fmt::print(stderr, "gemwright: note: {}\n", note);
  ProgressLine line;
  bool first = true;
  std::set<std::string> said;
  TuningHooks hooks;
  hooks.now = now_seconds;
  hooks.stop = interrupted;
  hooks.sleep = sleep_seconds;
  hooks.begin = [&](const PlannedStudy& s, std::size_t i, std::size_t n) { line.begin(title(s), i, n); };
  hooks.progress = [&](const tuner::StudyProgress& p) { line.show(p); };
  hooks.done = [&](const StudyFigures& f, bool reused) {
    line.end();
    const std::string& why = f.study.baseline_reason;
    if (f.study.baseline.empty() && said.insert(why).second) fmt::print(stderr, "gemwright: no baseline: {}\n", why);
    print_done(f, reused, o.json, first);
    first = false;
  };
  hooks.failed = [&](const PlannedStudy&, const tuner::Error& e) {
    line.end();
    (void)report(e);
  };
  const auto done = run_studies(**store, **worker, *studies, hooks);
  line.end();
  if (done) return kDone;
  // Said when it happened.
  return done.error().kind == tuner::ErrorKind::nothing_valid ? kNothingValid : report(done.error());
}

}  // namespace

Runner add_tune(CLI::App& app) {
  auto o = std::make_shared<Options>();
  add_tune_options(app, o->tune);
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_option("--worker", o->worker, "Command that starts the measuring worker, as \"ssh board gemwright worker\"");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
