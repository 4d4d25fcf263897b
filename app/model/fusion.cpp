#include "app/model/fusion.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/contents.h"
#include "app/model/figure_index.h"
#include "app/model/rows.h"
#include "tuner/problem/input_text.h"
#include "tuner/space/limits.h"

namespace gemwright::app {

using nlohmann::json;
using tuner::Result;

namespace {

constexpr double kNsPerUs = 1000;

gemwright::fusion place_at(std::size_t i) { return static_cast<gemwright::fusion>(i); }

void read_times(const std::vector<tuner::SubjectCounter>& counters, tuner::SubjectId winner, FusionView& out) {
  for (const tuner::SubjectCounter& c : counters) {
    if (c.subject != winner || c.counter.provider != tuner::kFusionProvider) continue;
    if (c.counter.name == tuner::kFusionWhole) out.whole_ns = c.counter.value;
    if (c.counter.name == tuner::kFusionProduct) out.product_ns = c.counter.value;
    if (c.counter.name == tuner::kFusionSeparate) out.separate_ns = c.counter.value;
  }
}

Result<std::optional<FusionView>> view_of(const tuner::Store& store, const tuner::StudyRecord& study) {
  if (study.key.problem.chain.empty() || !study.outcome.best_trial) return std::optional<FusionView>();
  const auto contents = study_contents(store, study.id);
  if (!contents) return tl::unexpected(contents.error());
  const auto counters = store.counters(study.id);
  if (!counters) return tl::unexpected(counters.error());
  FusionView view;
  view.study = study;
  view.winner = *study.outcome.best_trial;
  const FigureIndex index(*contents, study);
  for (const tuner::Trial& t : contents->trials) {
    const auto subject = index.subject(t.id);
    const auto place = t.config.blocking.chain_at;
    if (t.id == view.winner) {
      view.place = place;
      view.has_choice = tuner::may_choose_fusion(study.key.problem, t.config);
    }
    if (t.id == view.winner && subject) read_times(*counters, *subject, view);
    const auto figure = index.figure(t.id);
    if (!figure) continue;
    auto& best = view.best_gflops[static_cast<std::size_t>(place)];
    best = std::max(best.value_or(0), figure->gflops);
  }
  return std::optional(std::move(view));
}

std::string us_text(const std::optional<double>& ns) { return ns ? four_digits(*ns / kNsPerUs) : "-"; }

}  // namespace

std::optional<double> FusionView::gain() const {
  if (!whole_ns || !separate_ns || place == gemwright::fusion::pass) return std::nullopt;
  return *separate_ns / *whole_ns;
}

std::optional<double> FusionView::hidden() const {
  if (!gain() || !product_ns) return std::nullopt;
  const double pass_ns = *separate_ns - *product_ns;
  if (pass_ns <= study.outcome.noise_floor.value_or(0) * *product_ns) return std::nullopt;
  return (*separate_ns - *whole_ns) / pass_ns;
}

std::string FusionView::note() const {
  if (!has_choice) return "registers are the only place in this mode";
  if (!whole_ns || !separate_ns) return "not timed";
  if (!gain()) return "the winner is the pass";
  if (!hidden()) return "the pass is lost in the noise";
  const double floor = study.outcome.noise_floor.value_or(0);
  if (*gain() > 1 + floor) return "";
  return *gain() < 1 - floor ? "two passes were faster here" : "the gain is within the noise floor";
}

Result<std::vector<FusionView>> fusion_views(const tuner::Store& store, const Filter& filter) {
  const auto studies = chosen_studies(store, filter);
  if (!studies) return tl::unexpected(studies.error());
  std::vector<FusionView> views;
  for (const tuner::StudyRecord& s : *studies) {
    auto view = view_of(store, s);
    if (!view) return tl::unexpected(view.error());
    if (*view) views.push_back(std::move(**view));
  }
  return views;
}

std::string fusion_table(const std::vector<FusionView>& views) {
  std::vector<Column> columns{{"study", true}, {"name"},          {"M", true},          {"chain"},
                              {"in"},          {"call us", true}, {"product us", true}, {"separate us", true},
                              {"gain", true},  {"hidden", true}};
  for (std::size_t i = 0; i < gemwright::fusion_count; ++i) {
    columns.push_back({gemwright::fusion_name(place_at(i)), true});
  }
  columns.push_back({"note"});
  std::vector<std::vector<std::string>> rows;
  for (const FusionView& v : views) {
    const auto gain = v.gain(), hidden = v.hidden();
    rows.push_back({std::to_string(v.study.id), tuner::printable(v.study.attributes.name),
                    std::to_string(v.study.key.m), tuner::epilogue_text(v.study.key.problem.chain),
                    gemwright::fusion_name(v.place), us_text(v.whole_ns), us_text(v.product_ns), us_text(v.separate_ns),
                    gain ? fmt::format("{:.3f}", *gain) : "-", hidden ? fmt::format("{:.0f} %", 100 * *hidden) : "-"});
    for (const auto& best : v.best_gflops) rows.back().push_back(best ? four_digits(*best) : "-");
    rows.back().push_back(v.note());
  }
  return table(columns, rows) +
         "call: the winner. product: the same without the chain. separate: product and chain as two passes. hidden: "
         "the share of\nthe pass that the winner does not spend. Behind them the best GFLOP/s of any trial with the "
         "chain "
         "there.\n";
}

json fusion_row(const FusionView& v) {
  json best = json::object();
  for (std::size_t i = 0; i < v.best_gflops.size(); ++i) {
    best[gemwright::fusion_name(place_at(i))] = or_null(v.best_gflops[i]);
  }
  return {{"type", "fusion"},
          {"study", v.study.id},
          {"name", v.study.attributes.name},
          {"m", v.study.key.m},
          {"threads", v.study.key.device.threads},
          {"chain", tuner::epilogue_text(v.study.key.problem.chain)},
          {"trial", v.winner},
          {"place", gemwright::fusion_name(v.place)},
          {"call_ns", or_null(v.whole_ns)},
          {"product_ns", or_null(v.product_ns)},
          {"separate_ns", or_null(v.separate_ns)},
          {"gain", or_null(v.gain())},
          {"hidden", or_null(v.hidden())},
          {"note", v.note()},
          {"best_gflops", std::move(best)}};
}

}  // namespace gemwright::app
