// gemwright steer
#include "app/model/steer.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::app {
namespace {

// Blocks last milliseconds; between two of them the flag is off for about one. A row that disturbs a block is better
// than a person who waits.
constexpr double kPatience = 2;
constexpr double kLook = 0.0005;

struct Options {
  std::string study, action, argument, db;
};

void wait_until_nothing_is_timed() {
  const auto lock = tuner::machine_lock_path();
  const double until = now_seconds() + kPatience;
  while (tuner::being_timed(lock) && now_seconds() < until) sleep_seconds(kLook);
}

int run(const Options& o) {
  const auto request = parse_steer(o.study, o.action, o.argument);
  if (!request) return report(request.error());
  const auto store = open_existing(database_path(o.db));
  if (!store) return report(store.error());
  const auto plan = plan_steer(**store, *request);
  if (!plan) return report(plan.error());
  if (plan->write) {
    wait_until_nothing_is_timed();
    const auto event = (*store)->add_event(request->study, request->kind, request->argument);
    if (!event) return report(event.error());
  }
  fmt::print("{}\n", plan->sentence);
  return kDone;
}

}  // namespace

Runner add_steer(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("STUDY", o->study, "Number of the study, see 'gemwright show studies'")->required();
  app.add_option("ACTION", o->action, "pause, resume, stop, again, pin, veto or extend")->required();
  app.add_option("ARGUMENT", o->argument, "A trial (again), PARAMETER=VALUE (pin, veto) or a budget (extend)");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
