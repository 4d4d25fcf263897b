#include "app/model/heatmap.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/importance.h"
#include "app/model/run_view.h"
#include "tuner/measure/statistics.h"

namespace gemwright::app {
namespace {

std::string figure_text(const HeatCell& c) {
  if (c.tried == 0) return "";
  return c.gflops ? number_text(c.gflops, 1) : "no speed";
}

}  // namespace

std::string_view to_text(Reduction r) { return r == Reduction::best ? "best" : "median"; }

std::optional<HeatMap> heat_map(const StudySnapshot& study, const TrialSet& shown, tuner::Param x, tuner::Param y,
                                Reduction reduction) {
  HeatMap out;
  for (TriedParameter& p : varying_parameters(study, shown)) {
    if (p.param == x) out.x = p;
    if (p.param == y) out.y = p;
  }
  if (out.x.values.empty() || out.y.values.empty()) return std::nullopt;
  out.cells.resize(out.x.values.size() * out.y.values.size());
  std::vector<std::vector<double>> speeds(out.cells.size());
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    if (!shown[i]) continue;
    const tuner::Config& c = study.trials[i].config;
    const std::size_t at = out.y.place(tuner::value(c, y)) * out.x.values.size() + out.x.place(tuner::value(c, x));
    HeatCell& cell = out.cells[at];
    ++cell.tried;
    if (!has_speed(study, i)) continue;
    const double gflops = *study.columns.gflops[i];
    if (!cell.fastest || gflops > *study.columns.gflops[*cell.fastest]) cell.fastest = i;
    speeds[at].push_back(gflops);
  }
  bool first = true;
  for (std::size_t at = 0; at < out.cells.size(); ++at) {
    HeatCell& cell = out.cells[at];
    cell.timed = speeds[at].size();
    if (!cell.fastest) continue;
    cell.gflops = reduction == Reduction::best ? study.columns.gflops[*cell.fastest] : tuner::median(speeds[at]);
    out.low = first ? *cell.gflops : std::min(out.low, *cell.gflops);
    out.high = first ? *cell.gflops : std::max(out.high, *cell.gflops);
    first = false;
  }
  out.timed = !first;
  return out;
}

std::optional<std::pair<tuner::Param, tuner::Param>> default_axes(const StudySnapshot& study, const TrialSet& shown) {
  auto important = importance_of(study, shown).parameters;
  // What may be chance stands behind what is not.
  std::stable_partition(important.begin(), important.end(), [](const auto& p) { return p.beyond_chance; });
  if (important.size() >= 2) return std::pair(important[0].param, important[1].param);
  const auto varying = varying_parameters(study, shown);
  if (varying.size() < 2) return std::nullopt;
  return std::pair(varying[0].param, varying[1].param);
}

std::vector<nlohmann::json> heatmap_rows(const StudySnapshot& study, const HeatMap& map, Reduction reduction) {
  std::vector<nlohmann::json> rows;
  for (std::size_t r = 0; r < map.y.values.size(); ++r) {
    for (std::size_t c = 0; c < map.x.values.size(); ++c) {
      const HeatCell& cell = map.at(c, r);
      if (cell.tried == 0) continue;
      rows.push_back({{"type", "heatmap"},
                      {"study", study.record().id},
                      {"name", study.record().attributes.name},
                      {"m", study.record().key.m},
                      {"x", name_of(map.x.param)},
                      {"y", name_of(map.y.param)},
                      {"x_value", tuner::value_text(map.x.param, map.x.values[c])},
                      {"y_value", tuner::value_text(map.y.param, map.y.values[r])},
                      {"value", to_text(reduction)},
                      {"gflops", or_null(cell.gflops)},
                      {"trials", cell.tried},
                      {"timed", cell.timed}});
      rows.back()["fastest"] = cell.fastest ? nlohmann::json(study.trials[*cell.fastest].id) : nlohmann::json(nullptr);
    }
  }
  return rows;
}

std::string heatmap_text(const StudySnapshot& study, const HeatMap& map, Reduction reduction) {
  const auto text = [](const TriedParameter& p, std::size_t i) { return tuner::value_text(p.param, p.values[i]); };
  std::vector<Column> columns{{fmt::format("{} \\ {}", name_of(map.y.param), name_of(map.x.param)), true}};
  for (std::size_t c = 0; c < map.x.values.size(); ++c) columns.push_back({text(map.x, c), true});
  std::vector<std::vector<std::string>> rows;
  for (std::size_t r = 0; r < map.y.values.size(); ++r) {
    rows.push_back({text(map.y, r)});
    for (std::size_t c = 0; c < map.x.values.size(); ++c) rows.back().push_back(figure_text(map.at(c, r)));
  }
  return fmt::format("study {}: {}\n{} GFLOP/s of the trials with each {} (across) and {} (down)\n\n",
                     study.record().id, study_title(study.record()), to_text(reduction), name_of(map.x.param),
                     name_of(map.y.param)) +
         table(columns, rows);
}

}  // namespace gemwright::app
