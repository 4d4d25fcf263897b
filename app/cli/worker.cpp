// gemwright worker
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/model/plan.h"
#include "app/version.h"
#include "tuner/worker/guard.h"

namespace gemwright::app {

Runner add_worker(CLI::App& app) {
  auto child = std::make_shared<bool>(false);
  app.add_flag("--child", *child, "The part that runs candidates; started by the guard")->group("");
  return [child] {
    if (*child) return tuner::run_worker_child(STDIN_FILENO, STDOUT_FILENO);
    return tuner::run_worker(STDIN_FILENO, STDOUT_FILENO, {kVersion, device_of(profilers::probe_cpu(), 1)});
  };
}

}  // namespace gemwright::app
