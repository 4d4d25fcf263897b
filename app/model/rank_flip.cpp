#include "app/model/rank_flip.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/contents.h"
#include "app/model/figure_index.h"
#include "app/model/rows.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {

using nlohmann::json;
using tuner::RankFlip;
using tuner::Result;
using tuner::StudyRecord;

namespace {

// Verified and timed. A pruned one is correct and was left for being far behind when it was screened: the winner of the
// other cache state may be among these.
bool has_figure(const tuner::Trial& t) {
  return t.state == tuner::TrialState::ok || t.state == tuner::TrialState::pruned;
}

// Speeds are over the baseline, or over the anchor loop where there is none.
Result<tuner::RankedStudy> ranked(const tuner::Store& store, const StudyRecord& study) {
  const auto contents = study_contents(store, study.id);
  if (!contents) return tl::unexpected(contents.error());
  tuner::RankedStudy out{study.id, study.key.cache, study.outcome.noise_floor, {}};
  const auto baseline = baseline_of(*contents, study);
  const auto reference = baseline ? baseline : anchor_of(*contents);
  if (!reference) return out;
  const FigureIndex index(*contents, study, reference);
  for (const tuner::Trial& t : contents->trials) {
    const auto figure = has_figure(t) ? index.figure(t.id) : std::nullopt;
    if (!figure || !figure->ratio) continue;
    out.configs.push_back({tuner::key(t.config), tuner::label(t.config), t.id, *figure->ratio, figure->samples});
  }
  return out;
}

std::string title(const FlipPair& p) {
  const StudyRecord &hot = p.hot, &other = p.other;
  const std::string name =
      hot.attributes.name.empty() ? tuner::key(hot.key.problem) : tuner::printable(hot.attributes.name);
  return fmt::format(
      "{} M={}, {} thread{}: study {} (hot) and {} ({}), {} config{} tried in both, {} pair{} change{} "
      "order beyond the noise\n",
      name, hot.key.m, hot.key.device.threads, hot.key.device.threads == 1 ? "" : "s", hot.id, other.id,
      tuner::to_text(other.key.cache), p.flips.common, p.flips.common == 1 ? "" : "s", p.flips.count,
      p.flips.count == 1 ? "" : "s", p.flips.count == 1 ? "s" : "");
}

}  // namespace

Result<RankFlipView> rank_flip_view(const tuner::Store& store, const Filter& filter) {
  const auto studies = chosen_studies(store, filter);
  if (!studies) return tl::unexpected(studies.error());
  RankFlipView view;
  for (const auto& [hot, other] : tuner::cache_state_pairs(*studies)) {
    const auto in_hot = ranked(store, (*studies)[hot]), in_other = ranked(store, (*studies)[other]);
    if (!in_hot) return tl::unexpected(in_hot.error());
    if (!in_other) return tl::unexpected(in_other.error());
    FlipPair pair{(*studies)[hot], (*studies)[other], tuner::rank_flips(*in_hot, *in_other)};
    view.count += pair.flips.count;
    view.flips.insert(view.flips.end(), pair.flips.flips.begin(), pair.flips.flips.end());
    pair.flips.flips.clear();
    std::stable_sort(view.flips.begin(), view.flips.end(),
                     [](const RankFlip& a, const RankFlip& b) { return a.size() > b.size(); });
    view.flips.resize(std::min(view.flips.size(), tuner::kMaxFlips));
    view.pairs.push_back(std::move(pair));
  }
  return view;
}

std::string no_pairs_text() {
  return "no two finished studies differ only in their cache state: run the same 'gemwright tune' with --cache hot and "
         "with --cache cold";
}

std::string rank_flip_text(const RankFlipView& view) {
  std::string text;
  for (const FlipPair& p : view.pairs) text += title(p);
  if (view.flips.empty()) return text;
  const std::size_t shown = std::min(view.flips.size(), kShownFlips);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < shown; ++i) {
    const RankFlip& f = view.flips[i];
    rows.push_back({std::to_string(f.hot), std::to_string(f.other), f.x, f.y, fmt::format("{:.3f}", f.ratio_hot),
                    fmt::format("{:.3f}", f.ratio_other), fmt::format("{} -> {}", f.x_rank_hot, f.x_rank_other),
                    fmt::format("{} -> {}", f.y_rank_hot, f.y_rank_other)});
  }
  text += '\n';
  text += table({{"hot study", true},
                 {"other", true},
                 {"x"},
                 {"y"},
                 {"x/y hot", true},
                 {"x/y other", true},
                 {"rank of x", true},
                 {"rank of y", true}},
                rows);
  if (view.count > shown) text += fmt::format("and {} more\n", view.count - shown);
  text +=
      "ranks of configs that were only screened rest on few blocks; no correction is made for the number of pairs\n";
  return text;
}

std::vector<json> rank_flip_rows(const RankFlipView& view) {
  std::vector<json> rows;
  for (const FlipPair& p : view.pairs) {
    rows.push_back({{"type", "rank_flip_pair"},
                    {"hot_study", p.hot.id},
                    {"other_study", p.other.id},
                    {"other_cache", tuner::to_text(p.other.key.cache)},
                    {"problem", tuner::key(p.hot.key.problem)},
                    {"m", p.hot.key.m},
                    {"threads", p.hot.key.device.threads},
                    {"configs", p.flips.common},
                    {"flips", p.flips.count}});
  }
  for (const RankFlip& f : view.flips) {
    rows.push_back({{"type", "rank_flip"},
                    {"hot_study", f.hot},
                    {"other_study", f.other},
                    {"x", f.x},
                    {"y", f.y},
                    {"x_hot_trial", f.x_hot},
                    {"y_hot_trial", f.y_hot},
                    {"x_other_trial", f.x_other},
                    {"y_other_trial", f.y_other},
                    {"ratio_hot", f.ratio_hot},
                    {"ratio_other", f.ratio_other},
                    {"x_rank_hot", f.x_rank_hot},
                    {"y_rank_hot", f.y_rank_hot},
                    {"x_rank_other", f.x_rank_other},
                    {"y_rank_other", f.y_rank_other}});
  }
  return rows;
}

}  // namespace gemwright::app
