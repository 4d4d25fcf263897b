#include "app/model/pareto.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "app/model/run_view.h"
#include "tuner/insight/pareto.h"

namespace gemwright::app {
namespace {

using tuner::TrialState;

bool verified(TrialState s) { return s == TrialState::ok || s == TrialState::pruned || s == TrialState::constraint; }

bool is_confirmed(const StudySnapshot& study, std::size_t i) {
  return study.estimates[i] && study.estimates[i]->phase == tuner::Phase::confirm;
}

std::optional<double> speed_of(const StudySnapshot& study, std::size_t i, bool over_baseline) {
  const auto& gflops = study.columns.gflops[i];
  if (!over_baseline) return gflops;
  if (is_confirmed(study, i) || !study.baseline || !gflops) return study.columns.ratio[i];
  return *gflops / study.baseline->gflops;
}

// Modes of the points, in their order: those with and those without a confirmed one.
std::set<tuner::ComputeMode> modes_of(const StudySnapshot& study, const Pareto& p, bool confirmed) {
  std::set<tuner::ComputeMode> all, sure;
  for (const ParetoPoint& x : p.points) {
    const tuner::ComputeMode mode = study.trials[x.trial].config.mode;
    all.insert(mode);
    if (x.confirmed) sure.insert(mode);
  }
  if (confirmed) return sure;
  for (const tuner::ComputeMode mode : sure) all.erase(mode);
  return all;
}

}  // namespace

Pareto pareto(const StudySnapshot& study, const TrialSet& shown) {
  Pareto out;
  out.bound = study.record().key.max_error;
  out.over_baseline = !study.record().baseline.empty();
  std::vector<tuner::ErrorAndSpeed> figures;
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    if (!shown[i]) continue;
    const auto& gflops = study.columns.gflops[i];
    const tuner::ErrorAndSpeed f{study.columns.error[i], speed_of(study, i, out.over_baseline)};
    if (!verified(study.columns.state[i]) || !f.usable() || !gflops) {
      ++out.without;
      continue;
    }
    const bool over = study.columns.state[i] == TrialState::constraint || (out.bound && *f.error > *out.bound);
    out.points.push_back({i, *f.error, *gflops, *f.speed, is_confirmed(study, i), false, false, over});
    figures.push_back(f);
  }
  const auto sure = modes_of(study, out, true);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    ParetoPoint& p = out.points[i];
    p.counts = p.confirmed || sure.count(study.trials[p.trial].config.mode) == 0;
    if (!p.counts) figures[i] = {};
  }
  out.front = tuner::pareto_front(figures);
  for (const std::size_t i : out.front) out.points[i].on_front = true;
  return out;
}

std::string speed_unit(const StudySnapshot& study, const Pareto& p) {
  return p.over_baseline ? "speed over " + study.record().baseline : "GFLOP/s";
}

nlohmann::json pareto_row(const StudySnapshot& study, const ParetoPoint& p) {
  const tuner::Trial& t = study.trials[p.trial];
  const tuner::StudyKey& key = study.record().key;
  return {{"type", "pareto"},
          {"study", study.record().id},
          {"trial", t.id},
          {"name", study.record().attributes.name},
          {"m", key.m},
          {"n", key.problem.n},
          {"k", key.problem.k},
          {"state", tuner::to_text(t.state)},
          {"mode", tuner::to_text(t.config.mode)},
          {"error", p.error},
          {"gflops", p.gflops},
          {"ratio", or_null(study.columns.ratio[p.trial])},
          {"phase", study.estimates[p.trial] ? nlohmann::json(tuner::to_text(study.estimates[p.trial]->phase))
                                             : nlohmann::json(nullptr)},
          {"speed", p.speed},
          {"counts", p.counts},
          {"on_front", p.on_front},
          {"over_bound", p.over_bound},
          {"max_error", or_null(key.max_error)},
          {"label", tuner::label(t.config)},
          {"config", tuner::to_json(t.config)}};
}

std::vector<nlohmann::json> pareto_rows(const StudySnapshot& study, const Pareto& p) {
  std::vector<nlohmann::json> rows;
  for (const ParetoPoint& point : p.points) rows.push_back(pareto_row(study, point));
  return rows;
}

std::string pareto_line(const StudySnapshot& study, const Pareto& p) {
  const auto count = [&](auto which) {
    return static_cast<std::size_t>(std::count_if(p.points.begin(), p.points.end(), which));
  };
  const std::size_t counting = count([](const ParetoPoint& x) { return x.counts; });
  const auto searched = modes_of(study, p, false);
  std::string out = fmt::format("front of {} of {} {}trial{}", p.front.size(), counting,
                                searched.empty() && counting > 0 ? "confirmed " : "", counting == 1 ? "" : "s");
  if (counting < p.points.size()) out += fmt::format(" ({} more only searched)", p.points.size() - counting);
  if (p.bound) out += fmt::format(", error bound {:.2e}", *p.bound);
  const std::size_t over = count([](const ParetoPoint& x) { return x.over_bound; });
  if (over > 0) out += fmt::format(", {} over the bound", over);
  if (p.without > 0) out += fmt::format("; {} without error or speed", p.without);
  if (searched.empty()) return out;
  std::string modes;
  for (const tuner::ComputeMode mode : searched)
    modes += (modes.empty() ? "" : ", ") + std::string(tuner::to_text(mode));
  return out + fmt::format("; nothing of {} is confirmed: speeds of the search, few blocks each", modes);
}

namespace {

// Of each mode that is not on the front, the fastest point: what it would give is asked for as well.
std::vector<std::size_t> best_beside_front(const StudySnapshot& study, const Pareto& p) {
  const auto mode_of = [&](std::size_t i) { return study.trials[p.points[i].trial].config.mode; };
  std::set<tuner::ComputeMode> shown;
  for (const std::size_t i : p.front) shown.insert(mode_of(i));
  std::map<tuner::ComputeMode, std::size_t> best;
  for (std::size_t i = 0; i < p.points.size(); ++i) {
    if (!p.points[i].counts || shown.count(mode_of(i)) != 0) continue;
    const auto [there, first] = best.emplace(mode_of(i), i);
    if (!first && p.points[i].speed > p.points[there->second].speed) there->second = i;
  }
  std::vector<std::size_t> out;
  for (const auto& [mode, point] : best) out.push_back(point);
  return out;
}

std::vector<std::string> pareto_cells(const StudySnapshot& study, const Pareto& p, const ParetoPoint& x) {
  const tuner::Trial& t = study.trials[x.trial];
  return {std::to_string(t.id),
          std::string(tuner::to_text(t.config.mode)),
          fmt::format("{:.2e}", x.error),
          number_text(x.gflops, 1),
          p.over_baseline ? ratio_text(x.speed, {}, {}) : "-",
          fmt::format("{}{}", x.confirmed ? "confirmed" : "searched", x.on_front ? "" : ", dominated"),
          x.over_bound ? "over" : (p.bound ? "within" : "-"),
          tuner::label(t.config)};
}

}  // namespace

std::string pareto_text(const StudySnapshot& study, const Pareto& p) {
  std::string out =
      fmt::format("study {}: {}\n{}\n", study.record().id, study_title(study.record()), pareto_line(study, p));
  if (p.front.empty()) return out;
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t i : p.front) rows.push_back(pareto_cells(study, p, p.points[i]));
  for (const std::size_t i : best_beside_front(study, p)) rows.push_back(pareto_cells(study, p, p.points[i]));
  return out + "\n" +
         table({{"trial", true},
                {"mode"},
                {"error", true},
                {"GFLOP/s", true},
                {"ratio", true},
                {"phase"},
                {"bound"},
                {"config"}},
               rows);
}

}  // namespace gemwright::app
