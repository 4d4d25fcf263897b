// gemwright show
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/figures.h"
#include "app/model/filter.h"
#include "db/store.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string what = "studies", filter, db;
  bool json = false;
};

// Views of the contract that come with later work.
bool known_later(const std::string& what) {
  for (const char* name : {"counters", "roofline", "heatmap", "importance", "pareto", "rank-flip"}) {
    if (what == name) return true;
  }
  return false;
}

void print_lines(std::vector<nlohmann::json>& rows) {
  if (!rows.empty()) rows.front()["version"] = kJsonVersion;
  for (const nlohmann::json& row : rows) fmt::print("{}", json_line(row));
}

tuner::Result<std::vector<StudyFigures>> all_studies(const tuner::Store& store) {
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  std::vector<StudyFigures> out;
  for (const tuner::StudyRecord& s : *studies) {
    auto figures = study_figures(store, s);
    if (!figures) return tl::unexpected(figures.error());
    out.push_back(std::move(*figures));
  }
  return out;
}

int show_studies(const std::vector<StudyFigures>& studies, const Filter& filter, bool json) {
  std::vector<StudyFigures> chosen;
  std::vector<nlohmann::json> rows;
  for (const StudyFigures& f : studies) {
    auto row = study_row(f);
    if (rows.empty()) {
      if (const auto r = check_fields(filter, row); !r) return report(r.error());
    }
    if (!filter.matches(row)) continue;
    chosen.push_back(f);
    rows.push_back(std::move(row));
  }
  if (json) {
    print_lines(rows);
  } else if (chosen.empty()) {
    fmt::print(stderr, "gemwright: no study matches\n");
  } else {
    fmt::print("{}", studies_table(chosen));
  }
  return kDone;
}

int show_trials(const tuner::Store& store, const std::vector<StudyFigures>& studies, const Filter& filter, bool json) {
  std::vector<nlohmann::json> rows;
  for (const StudyFigures& f : studies) {
    auto all = trial_rows(store, f);
    if (!all) return report(all.error());
    for (nlohmann::json& row : *all) {
      if (rows.empty()) {
        if (const auto r = check_fields(filter, row); !r) return report(r.error());
      }
      if (filter.matches(row)) rows.push_back(std::move(row));
    }
  }
  if (json) {
    print_lines(rows);
  } else if (rows.empty()) {
    fmt::print(stderr, "gemwright: no trial matches\n");
  } else {
    fmt::print("{}", trials_table(rows));
  }
  return kDone;
}

int run(const Options& o) {
  if (known_later(o.what)) {
    return report({fmt::format("'show {}' is not built yet", o.what), tuner::ErrorKind::usage});
  }
  if (o.what != "studies" && o.what != "trials") {
    return report({fmt::format("show '{}' is unknown: choose studies or trials", o.what), tuner::ErrorKind::usage});
  }
  const auto filter = parse_filter(o.filter);
  if (!filter) return report(filter.error());
  const auto store = db::open_store(database_path(o.db), db::OpenMode::read_only);
  if (!store) return report(store.error());
  const auto studies = all_studies(**store);
  if (!studies) return report(studies.error());
  return o.what == "studies" ? show_studies(*studies, *filter, o.json)
                             : show_trials(**store, *studies, *filter, o.json);
}

}  // namespace

Runner add_show(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("what", o->what, "studies or trials")->capture_default_str();
  app.add_option("--filter", o->filter, "field op value, joined by and/or: 'm<=32 and threads=1'");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
