// gemwright doctor
#include "app/model/doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/doctor_probe.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string db;
  bool json = false, ui_impact = false;
};

int run(const Options& o) {
  if (o.ui_impact) return report({"'doctor --ui-impact' is not built yet", tuner::ErrorKind::usage});
  const DoctorInput input = probe_doctor({.database = database_path(o.db), .measure = true, .not_measured = ""});
  const auto lines = doctor(input);
  fmt::print("{}", o.json ? doctor_json(lines) : doctor_table(lines));
  return kDone;
}

}  // namespace

Runner add_doctor(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("--db", o->db, "Database whose health is checked (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  app.add_flag("--ui-impact", o->ui_impact, "Whether a window disturbs the measurement (not built yet)");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
