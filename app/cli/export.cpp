// gemwright export
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/export_plan.h"

namespace gemwright::app {
namespace {

struct Options {
  ExportOptions header;
  std::string output, db;
};

int run(const Options& o) {
  if (const auto r = check_export(o.header); !r) return report(r.error());
  if (o.output.empty()) return report({"--output is empty: name the header to write", tuner::ErrorKind::usage});
  const auto store = open_existing(database_path(o.db));
  if (!store) return report(store.error());
  const auto plan = plan_header(**store, o.header, o.db);
  if (!plan) return report(plan.error());
  if (const auto r = write_export(**store, o.output, *plan); !r) return report(r.error());
  for (const std::string& note : plan->notes) fmt::print(stderr, "gemwright: note: {}\n", note);
  fmt::print("{}: {}\n", o.output, export_text(*plan));
  for (const std::string& name : plan->namespaces) fmt::print("  {}\n", name);
  return kDone;
}

}  // namespace

Runner add_export(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("-o,--output", o->output, "The header to write")->required();
  app.add_option("--style", o->header.style, "standalone (one file) or library (over the installed package)")
      ->capture_default_str();
  app.add_option("--max-regret", o->header.max_regret, "How much slower than the best known a choice may be")
      ->capture_default_str();
  app.add_option("--namespace", o->header.name_space, "Root namespace of the header")->capture_default_str();
  app.add_option("--filter", o->header.filter, "Which studies, as 'threads=1 and name=qkv'");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
