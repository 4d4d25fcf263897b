// gemwright export
#include "tuner/header/export.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/figures.h"
#include "app/model/filter.h"
#include "app/model/write_file.h"
#include "app/version.h"
#include "tuner/toolchain/digest.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string output, style = "standalone", name_space = "tuned", filter, db, max_regret = "2%";
};

// "2%" or "0.02".
tuner::Result<double> parse_regret(const std::string& text) {
  char* end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  const std::string rest = end;
  if (rest == "%") value /= 100;
  if (text.empty() || (!rest.empty() && rest != "%") || !(value >= 0 && value <= 1)) {
    return tuner::fail(fmt::format("--max-regret {}: give a percentage from 0% to 100%", text),
                       tuner::ErrorKind::usage);
  }
  return value;
}

// The studies whose rows match; an unknown field is refused.
tuner::Result<std::function<bool(const tuner::StudyRecord&)>> study_filter(const tuner::Store& store,
                                                                           const std::string& text) {
  const auto filter = parse_filter(text);
  if (!filter) return tl::unexpected(filter.error());
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  auto chosen = std::make_shared<std::vector<tuner::StudyId>>();
  for (const tuner::StudyRecord& s : *studies) {
    const auto figures = study_figures(store, s);
    if (!figures) return tl::unexpected(figures.error());
    const auto row = study_row(*figures);
    if (const auto r = check_fields(*filter, row); !r) return tl::unexpected(r.error());
    if (filter->matches(row)) chosen->push_back(s.id);
  }
  return [chosen](const tuner::StudyRecord& s) {
    return std::find(chosen->begin(), chosen->end(), s.id) != chosen->end();
  };
}

tuner::Result<void> check_options(const Options& o) {
  if (o.style != "standalone" && o.style != "library") {
    return tuner::fail(fmt::format("--style {}: choose standalone or library", o.style), tuner::ErrorKind::usage);
  }
  if (o.output.empty()) return tuner::fail("--output is empty: name the header to write", tuner::ErrorKind::usage);
  return {};
}

int run(const Options& o) {
  if (const auto r = check_options(o); !r) return report(r.error());
  const auto regret = parse_regret(o.max_regret);
  if (!regret) return report(regret.error());
  const auto store = open_existing(database_path(o.db));
  if (!store) return report(store.error());
  auto filter = study_filter(**store, o.filter);
  if (!filter) return report(filter.error());
  tuner::ExportRequest request;
  request.style = o.style == "library" ? tuner::HeaderStyle::library : tuner::HeaderStyle::standalone;
  request.name_space = o.name_space;
  request.max_regret = *regret;
  request.filter = std::move(*filter);
  request.tool_version = kVersion;
  request.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
  const auto plan = tuner::plan_export(**store, request);
  if (!plan) return report(plan.error());
  const auto text = tuner::write_header(plan->spec);
  if (!text) return report(text.error());
  if (const auto r = write_file(o.output, *text); !r) return report(r.error());
  if (const auto r = (*store)->record_export(o.output, tuner::digest_of({*text}), plan->trials); !r)
    return report(r.error());
  for (const std::string& note : plan->notes) fmt::print(stderr, "gemwright: note: {}\n", note);
  const auto names = tuner::problem_namespaces(plan->spec.problems);
  fmt::print("{}: {} problem{}, {} bytes\n", o.output, names.size(), names.size() == 1 ? "" : "s", text->size());
  for (const std::string& name : names) fmt::print("  {}::{}\n", o.name_space, name);
  return kDone;
}

}  // namespace

Runner add_export(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("-o,--output", o->output, "The header to write")->required();
  app.add_option("--style", o->style, "standalone (one file) or library (over the installed package)")
      ->capture_default_str();
  app.add_option("--max-regret", o->max_regret, "How much slower than the best known a choice may be")
      ->capture_default_str();
  app.add_option("--namespace", o->name_space, "Root namespace of the header")->capture_default_str();
  app.add_option("--filter", o->filter, "Which studies, as 'threads=1 and name=qkv'");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
