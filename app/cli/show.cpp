// gemwright show
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/counters.h"
#include "app/model/figures.h"
#include "app/model/filter.h"
#include "app/model/rank_flip.h"
#include "app/model/roofline.h"
#include "db/store.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string what = "studies", filter, db;
  bool json = false;
};

// Views of the contract that come with later work.
bool known_later(const std::string& what) {
  for (const char* name : {"heatmap", "importance", "pareto"}) {
    if (what == name) return true;
  }
  return false;
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

int show_rank_flip(const tuner::Store& store, const Filter& filter, bool json) {
  const auto view = rank_flip_view(store, filter);
  if (!view) return report(view.error());
  if (view->pairs.empty()) {
    fmt::print(stderr, "gemwright: {}\n", no_pairs_text());
  } else if (json) {
    auto rows = rank_flip_rows(*view);
    print_lines(rows);
  } else {
    fmt::print("{}", rank_flip_text(*view));
  }
  return kDone;
}

int show_counters(const tuner::Store& store, const Filter& filter, bool json) {
  const auto lines = counter_lines(store, filter);
  if (!lines) return report(lines.error());
  if (json) {
    std::vector<nlohmann::json> rows;
    for (const CounterLine& l : *lines) rows.push_back(counter_row(l));
    print_lines(rows);
  } else if (lines->empty()) {
    fmt::print(stderr, "gemwright: no counter matches: 'gemwright profile TRIAL' counts those of a trial\n");
  } else {
    fmt::print("{}", counters_table(*lines));
  }
  return kDone;
}

int show_roofline(const tuner::Store& store, const Filter& filter, bool json) {
  const auto view = roofline_view(store, filter);
  if (!view) return report(view.error());
  if (json) {
    auto rows = roofline_rows(*view);
    print_lines(rows);
  } else if (view->empty()) {
    fmt::print(stderr, "gemwright: no trial matches\n");
  } else {
    fmt::print("{}", roofline_text(*view));
  }
  return kDone;
}

int run(const Options& o) {
  if (known_later(o.what)) {
    return report({fmt::format("'show {}' is not built yet", o.what), tuner::ErrorKind::usage});
  }
  constexpr std::array kViews{"studies", "trials", "counters", "roofline", "rank-flip"};
  if (std::find(kViews.begin(), kViews.end(), o.what) == kViews.end()) {
    return report({fmt::format("show {} is unknown: choose studies, trials, counters, roofline or rank-flip",
                               tuner::quote(o.what)),
                   tuner::ErrorKind::usage});
  }
  const auto filter = parse_filter(o.filter);
  if (!filter) return report(filter.error());
  const auto store = db::open_store(database_path(o.db), db::OpenMode::read_only);
  if (!store) return report(store.error());
  if (o.what == "rank-flip") return show_rank_flip(**store, *filter, o.json);
  if (o.what == "counters") return show_counters(**store, *filter, o.json);
  if (o.what == "roofline") return show_roofline(**store, *filter, o.json);
  const auto studies = all_studies(**store);
  if (!studies) return report(studies.error());
  return o.what == "studies" ? show_studies(*studies, *filter, o.json)
                             : show_trials(**store, *studies, *filter, o.json);
}

}  // namespace

Runner add_show(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("what", o->what, "studies, trials, counters, roofline or rank-flip")->capture_default_str();
  app.add_option("--filter", o->filter, "field op value, joined by and/or: 'm<=32 and threads=1'");
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
