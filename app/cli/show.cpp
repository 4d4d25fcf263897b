// gemwright show
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "app/cli/commands.h"
#include "app/cli/common.h"
#include "app/model/contents.h"
#include "app/model/counters.h"
#include "app/model/figures.h"
#include "app/model/filter.h"
#include "app/model/fusion.h"
#include "app/model/heatmap.h"
#include "app/model/importance.h"
#include "app/model/pareto.h"
#include "app/model/rank_flip.h"
#include "app/model/roofline.h"
#include "db/store.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

struct Options {
  std::string what = "studies", filter, db, x, y, value = "best";
  bool json = false;
};

// Nothing is an answer, unless it was asked of a study that is not there. `ids`: `id` names a study, too.
int nothing(const tuner::Store& store, const Filter& filter, std::string_view sentence, bool ids = false) {
  if (const auto r = check_studies(store, filter, ids); !r) return report(r.error());
  fmt::print(stderr, "gemwright: {}\n", sentence);
  return kDone;
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

int show_studies(const tuner::Store& store, const std::vector<StudyFigures>& studies, const Filter& filter, bool json) {
  std::vector<StudyFigures> chosen;
  std::vector<nlohmann::json> rows;
  if (const auto r = check_fields(filter, any_study_row()); !r) return report(r.error());
  for (const StudyFigures& f : studies) {
    auto row = study_row(f);
    if (!filter.matches(row)) continue;
    chosen.push_back(f);
    rows.push_back(std::move(row));
  }
  if (chosen.empty()) return nothing(store, filter, "no study matches", true);
  if (json) {
    print_lines(rows);
  } else {
    fmt::print("{}", studies_table(chosen));
  }
  return kDone;
}

int show_trials(const tuner::Store& store, const std::vector<StudyFigures>& studies, const Filter& filter, bool json) {
  if (const auto r = check_fields(filter, any_trial_row()); !r) return report(r.error());
  std::vector<nlohmann::json> rows;
  for (const StudyFigures& f : studies) {
    auto all = trial_rows(store, f);
    if (!all) return report(all.error());
    for (nlohmann::json& row : *all) {
      if (filter.matches(row)) rows.push_back(std::move(row));
    }
  }
  if (rows.empty()) return nothing(store, filter, "no trial matches");
  if (json) {
    print_lines(rows);
  } else {
    fmt::print("{}", trials_table(rows));
  }
  return kDone;
}

int show_rank_flip(const tuner::Store& store, const Filter& filter, bool json) {
  const auto view = rank_flip_view(store, filter);
  if (!view) return report(view.error());
  if (view->pairs.empty()) return nothing(store, filter, no_pairs_text(), true);
  if (json) {
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
  if (lines->empty()) {
    return nothing(store, filter, "no counter matches: 'gemwright profile TRIAL' counts those of a trial");
  }
  if (json) {
    std::vector<nlohmann::json> rows;
    for (const CounterLine& l : *lines) rows.push_back(counter_row(l));
    print_lines(rows);
  } else {
    fmt::print("{}", counters_table(*lines));
  }
  return kDone;
}

int show_fusion(const tuner::Store& store, const Filter& filter, bool json) {
  const auto views = fusion_views(store, filter);
  if (!views) return report(views.error());
  if (views->empty()) return nothing(store, filter, "no finished study with a chain matches", true);
  if (json) {
    std::vector<nlohmann::json> rows;
    for (const FusionView& v : *views) rows.push_back(fusion_row(v));
    print_lines(rows);
  } else {
    fmt::print("{}", fusion_table(*views));
  }
  return kDone;
}

int show_roofline(const tuner::Store& store, const Filter& filter, bool json) {
  const auto view = roofline_view(store, filter);
  if (!view) return report(view.error());
  if (view->empty()) return nothing(store, filter, "no trial matches");
  if (json) {
    auto rows = roofline_rows(*view);
    print_lines(rows);
  } else {
    fmt::print("{}", roofline_text(*view));
  }
  return kDone;
}

struct Shown {
  std::vector<nlohmann::json> rows;
  std::string text;
};

// Views of the trials of each study; `make` says what one study shows.
template <class Make>
int show_chosen(const tuner::Store& store, const Filter& filter, bool json, Make make) {
  const auto chosen = chosen_trials(store, filter);
  if (!chosen) return report(chosen.error());
  if (chosen->empty()) return nothing(store, filter, "no trial matches");
  Shown all;
  for (const ChosenTrials& c : *chosen) {
    tuner::Result<Shown> shown = make(c);
    if (!shown) return report(shown.error());
    all.text += (all.text.empty() ? "" : "\n") + shown->text;
    for (nlohmann::json& row : shown->rows) all.rows.push_back(std::move(row));
  }
  if (json) {
    print_lines(all.rows);
  } else {
    fmt::print("{}", all.text);
  }
  return kDone;
}

tuner::Result<Shown> pareto_of(const ChosenTrials& c) {
  const Pareto p = pareto(c.study, c.shown);
  return Shown{pareto_rows(c.study, p), pareto_text(c.study, p)};
}

tuner::Result<Shown> importance_of_chosen(const ChosenTrials& c) {
  const tuner::Importance i = importance_of(c.study, c.shown);
  return Shown{importance_rows(c.study, i), importance_text(c.study, i)};
}

struct HeatMapChoice {
  std::optional<std::pair<tuner::Param, tuner::Param>> axes;  // nothing: the most important ones
  Reduction reduction = Reduction::best;
};

tuner::Result<HeatMapChoice> heatmap_choice(const Options& o) {
  constexpr auto kUsageError = tuner::ErrorKind::usage;
  HeatMapChoice out;
  if (o.value == to_text(Reduction::median)) {
    out.reduction = Reduction::median;
  } else if (o.value != to_text(Reduction::best)) {
    return tuner::fail(fmt::format("--value {} is unknown: choose best or median", tuner::quote(o.value)), kUsageError);
  }
  if (o.x.empty() != o.y.empty()) return tuner::fail("give both --x and --y, or none", kUsageError);
  if (o.x.empty()) return out;
  const auto x = parse_param(o.x), y = parse_param(o.y);
  if (!x) return tl::unexpected(x.error());
  if (!y) return tl::unexpected(y.error());
  if (*x == *y) return tuner::fail("--x and --y name the same parameter", kUsageError);
  out.axes = std::pair(*x, *y);
  return out;
}

// Studies differ in what was tried: one without such a map does not keep the others from theirs.
tuner::Result<Shown> heatmap_of(const ChosenTrials& c, const HeatMapChoice& choice) {
  const auto axes = choice.axes ? choice.axes : default_axes(c.study, c.shown);
  const auto map = axes ? heat_map(c.study, c.shown, axes->first, axes->second, choice.reduction) : std::nullopt;
  if (map) return Shown{heatmap_rows(c.study, *map, choice.reduction), heatmap_text(c.study, *map, choice.reduction)};
  const std::string what = choice.axes
                               ? fmt::format("{} and {} do not both vary", name_of(axes->first), name_of(axes->second))
                               : "fewer than two parameters vary";
  return Shown{{}, fmt::format("study {}: {} among its trials\n", c.study.record().id, what)};
}

int run(const Options& o) {
  constexpr std::array kViews{"studies", "trials",     "counters", "roofline", "rank-flip",
                              "pareto",  "importance", "heatmap",  "fusion"};
  if (std::find(kViews.begin(), kViews.end(), o.what) == kViews.end()) {
    return report({fmt::format("show {} is unknown: choose {}", tuner::quote(o.what), fmt::join(kViews, ", ")),
                   tuner::ErrorKind::usage});
  }
  const auto filter = parse_filter(o.filter);
  if (!filter) return report(filter.error());
  const auto choice = heatmap_choice(o);
  if (!choice) return report(choice.error());
  const auto store = db::open_store(database_path(o.db), db::OpenMode::read_only);
  if (!store) return report(store.error());
  if (o.what == "rank-flip") return show_rank_flip(**store, *filter, o.json);
  if (o.what == "counters") return show_counters(**store, *filter, o.json);
  if (o.what == "fusion") return show_fusion(**store, *filter, o.json);
  if (o.what == "roofline") return show_roofline(**store, *filter, o.json);
  if (o.what == "pareto") return show_chosen(**store, *filter, o.json, pareto_of);
  if (o.what == "importance") return show_chosen(**store, *filter, o.json, importance_of_chosen);
  if (o.what == "heatmap") {
    return show_chosen(**store, *filter, o.json, [&](const ChosenTrials& c) { return heatmap_of(c, *choice); });
  }
  const auto studies = all_studies(**store);
  if (!studies) return report(studies.error());
  return o.what == "studies" ? show_studies(**store, *studies, *filter, o.json)
                             : show_trials(**store, *studies, *filter, o.json);
}

}  // namespace

Runner add_show(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("what", o->what,
                 "studies, trials, counters, roofline, rank-flip, pareto, importance, heatmap or fusion")
      ->capture_default_str();
  app.add_option("--filter", o->filter,
                 "field op value, joined by and/or: 'm<=32 and threads=1'; id is the study in show studies and fusion, "
                 "else the trial; study= names the study everywhere");
  app.add_option("--x", o->x, "heatmap: parameter across (default: the most important one)");
  app.add_option("--y", o->y, "heatmap: parameter down (default: the next one)");
  app.add_option("--value", o->value, "heatmap: best or median of the trials in a cell")->capture_default_str();
  app.add_option("--db", o->db, "Database file (default: $GEMWRIGHT_DB or gemwright.db)");
  app.add_flag("--json", o->json, "JSON lines on standard output");
  return [o] { return run(*o); };
}

}  // namespace gemwright::app
