// gemwright doctor
#include "app/model/doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/doctor_probe.h"
#include "app/model/tune_form.h"
#include "app/model/ui_impact_probe.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string db;
  bool json = false, ui_impact = false;
  int rounds = ImpactProbe().rounds;
};

int run_ui_impact(const Options& o) {
  hear_interrupts();
  ImpactProbe probe;
  probe.rounds = o.rounds;
  probe.stop = interrupted;
  double begin = 0;
  probe.progress = [&](int round) {
    if (round == 0) {
      begin = now_seconds();
      return say(fmt::format("a window is opened and closed in each of {} rounds; Ctrl-C ends this\n", o.rounds));
    }
    const double left = (now_seconds() - begin) / round * (o.rounds - round);
    say(fmt::format("round {} of {}, {} left\n", round, o.rounds, duration_text(left)));
  };
  const auto impact = measure_ui_impact(probe);
  if (!impact) return report(impact.error());
  if (o.json) {
    std::vector<nlohmann::json> rows{ui_impact_row(*impact)};
    print_lines(rows);
  } else {
    fmt::print("{}", ui_impact_text(*impact));
  }
  return impact->holds() ? kDone : kCheckFailed;
}

int run(const Options& o) {
  if (o.ui_impact) return run_ui_impact(o);
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
  const auto impact =
      app.add_flag("--ui-impact", o->ui_impact,
                   "Whether an open window disturbs the measurement: opens and closes one for some minutes");
  app.add_option("--rounds", o->rounds, "Of --ui-impact: how often each phase is timed")
      ->needs(impact)
      ->check(CLI::Range(kMinImpactRounds, 1000))
      ->capture_default_str();
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
