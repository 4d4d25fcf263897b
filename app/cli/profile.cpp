// gemwright profile
#include "app/model/profile.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/kernel.h"
#include "app/version.h"
#include "db/store.h"
#include "tuner/toolchain/compiler.h"

namespace gemwright::app {
namespace {

using tuner::Result;

struct Options {
  std::string trial, db, worker;
  TuneOptions tune;
  bool again = false, annotate = false, json = false;

  bool tunes() const { return !tune.gemm.empty() || !tune.shapes.empty() || !tune.preset.empty(); }
};

Result<Operand> operand_of(const Options& o) {
  if (o.trial.empty() || o.tunes()) {
    return tuner::fail("name a trial, as 'gemwright profile 17', or say what to tune, as --gemm MxNxK",
                       tuner::ErrorKind::usage);
  }
  auto operand = parse_operand(o.trial);
  if (!operand) return operand;
  if (operand->kind == OperandKind::database || !operand->file.empty()) {
    return tuner::fail(fmt::format("profile {}: name a trial by its number, and its database with --db", o.trial),
                       tuner::ErrorKind::usage);
  }
  return operand;
}

// Counts what the store lacks, or everything again, and reads the profile anew.
Result<Profile> counted(const Profile& p, const Operand& operand, const Options& o) {
  const auto compiler = tuner::find_compiler(p.study.key.build.compiler);
  if (!compiler) return tl::unexpected(compiler.error());
  auto store = open_existing(database_path(o.db));
  if (!store) return tl::unexpected(store.error());
  const auto worker = start_worker(o.worker);
  if (!worker) return tl::unexpected(worker.error());
  const auto device = (*worker)->hello().device;
  const auto same = check_same_machine(p.study, device ? *device : device_of(profilers::probe_cpu(), 1),
                                       tuner::build_of(*compiler, kVersion));
  if (!same) return tl::unexpected(same.error());
  fmt::print(stderr, "gemwright: counting {}, apart from timing\n", p.subject.name);
  if (const auto r = count_subjects(**store, **worker, p, o.again); !r) return tl::unexpected(r.error());
  return profile_of(**store, operand);
}

Result<Profile> profiled(const Operand& operand, const Options& o) {
  const auto store = db::open_store(database_path(o.db), db::OpenMode::read_only);
  if (!store) return tl::unexpected(store.error());
  auto profile = profile_of(**store, operand);
  if (!profile || !(o.again || profile->subject.counters.empty())) return profile;
  return counted(*profile, operand, o);
}

// Adds its rows to `rows`, or prints the text.
Result<void> show(const Profile& p, const Options& o, std::vector<nlohmann::json>& rows) {
  std::optional<KernelCode> hot;
  if (o.annotate) {
    auto made = kernel_code(p.study, p.subject.trial->config);
    if (!made) return tl::unexpected(made.error());
    hot = std::move(*made);
    if (!hot->note.empty()) fmt::print(stderr, "gemwright: note: {}\n", hot->note);
  }
  if (o.json) {
    for (nlohmann::json& row : profile_rows(p)) rows.push_back(std::move(row));
    if (hot) rows.push_back(hot_loop_row(*p.subject.trial, hot->loop, hot->compiler));
    return {};
  }
  fmt::print("{}", profile_text(p));
  if (hot) fmt::print("\n{}", kernel_text(*hot));
  return {};
}

// The winners of what was asked for, tuned first where the database lacks them.
Result<std::vector<Operand>> tuned_winners(const Options& o) {
  const auto place = find_workplace(o.tune.compiler);
  if (!place) return tl::unexpected(place.error());
  const auto suite = resolve_suite(o.tune, place->presets);
  if (!suite) return tl::unexpected(suite.error());
  auto studies = plan_studies(o.tune, *suite, *place);
  if (!studies) return tl::unexpected(studies.error());
  const auto store = db::open_store(database_path(o.db), db::OpenMode::read_write);
  if (!store) return tl::unexpected(store.error());
  const auto worker = start_worker(o.worker);
  if (!worker) return tl::unexpected(worker.error());
  for (const std::string& note : notes(*studies)) fmt::print(stderr, "gemwright: note: {}\n", note);
  const auto tuned = tune_missing(**store, **worker, *studies);
  if (!tuned) return tl::unexpected(tuned.error());
  std::vector<Operand> out;
  for (const StudyFigures& f : *tuned) out.push_back({OperandKind::study, "", f.study.id, ""});
  return out;
}

int run(const Options& o) {
  hear_interrupts();
  std::vector<Operand> operands;
  if (o.tunes() && o.trial.empty()) {
    auto winners = tuned_winners(o);
    if (!winners) return report(winners.error());
    operands = std::move(*winners);
  } else {
    auto operand = operand_of(o);
    if (!operand) return report(operand.error());
    operands.push_back(std::move(*operand));
  }
  std::vector<nlohmann::json> rows;
  for (const Operand& operand : operands) {
    const auto profile = profiled(operand, o);
    if (!profile) return report(profile.error());
    if (&operand != &operands.front() && !o.json) fmt::print("\n");
    if (const auto shown = show(*profile, o, rows); !shown) return report(shown.error());
  }
  print_lines(rows);
  return kDone;
}

}  // namespace

Runner add_profile(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("TRIAL", o->trial, "17, or study:3 for its winner");
  add_tune_options(app, o->tune);
  app.add_flag("--again", o->again, "Count again what was counted before");
  app.add_flag("--annotate", o->annotate,
               "The hot loop in assembly, with its multiply-adds, loads and registers counted");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_option("--worker", o->worker, "Command that starts the measuring worker");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
