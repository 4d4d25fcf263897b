#include "app/model/pareto.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/run_view.h"
#include "tuner/insight/pareto.h"

namespace gemwright::app {
namespace {

using tuner::TrialState;

bool verified(TrialState s) { return s == TrialState::ok || s == TrialState::pruned || s == TrialState::constraint; }

// Confirmed where anything is; else the best phase that all have passed.
tuner::Phase basis_of(const std::vector<tuner::Phase>& phases) {
  const auto has = [&](tuner::Phase p) { return std::find(phases.begin(), phases.end(), p) != phases.end(); };
  if (has(tuner::Phase::confirm)) return tuner::Phase::confirm;
  return has(tuner::Phase::screen) ? tuner::Phase::screen : tuner::Phase::race;
}

}  // namespace

Pareto pareto(const StudySnapshot& study, const TrialSet& shown) {
  Pareto out;
  out.bound = study.record().key.max_error;
  out.over_baseline = !study.record().baseline.empty();
  std::vector<tuner::ErrorAndSpeed> figures;
  std::vector<tuner::Phase> phases;
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    if (!shown[i]) continue;
    const auto& gflops = study.columns.gflops[i];
    const tuner::ErrorAndSpeed f{study.columns.error[i], out.over_baseline ? study.columns.ratio[i] : gflops};
    if (!verified(study.columns.state[i]) || !f.usable() || !gflops) {
      ++out.without;
      continue;
    }
    const bool over = study.columns.state[i] == TrialState::constraint || (out.bound && *f.error > *out.bound);
    out.points.push_back({i, *f.error, *gflops, *f.speed, false, false, over});
    figures.push_back(f);
    phases.push_back(study.estimates[i] ? study.estimates[i]->phase : tuner::Phase::screen);
  }
  out.basis = basis_of(phases);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    out.points[i].counts = out.basis != tuner::Phase::confirm || phases[i] == tuner::Phase::confirm;
    if (!out.points[i].counts) figures[i] = {};
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

std::string pareto_line(const Pareto& p) {
  const auto counting =
      static_cast<std::size_t>(std::count_if(p.points.begin(), p.points.end(), [](const auto& x) { return x.counts; }));
  const bool confirmed = p.basis == tuner::Phase::confirm && counting > 0;
  std::string out = fmt::format("front of {} of {} {}trial{}", p.front.size(), counting, confirmed ? "confirmed " : "",
                                counting == 1 ? "" : "s");
  if (counting < p.points.size()) out += fmt::format(" ({} more only searched)", p.points.size() - counting);
  if (p.bound) out += fmt::format(", error bound {:.1e}", *p.bound);
  const auto over = std::count_if(p.points.begin(), p.points.end(), [](const auto& x) { return x.over_bound; });
  if (over > 0) out += fmt::format(", {} over the bound", over);
  if (p.without > 0) out += fmt::format("; {} without error or speed", p.without);
  if (!confirmed && counting > 0) {
    out += fmt::format("; nothing is confirmed: figures of {}",
                       p.basis == tuner::Phase::race ? "the race" : "screening, few blocks each");
  }
  return out;
}

std::string pareto_text(const StudySnapshot& study, const Pareto& p) {
  std::string out = fmt::format("study {}: {}\n{}\n", study.record().id, study_title(study.record()), pareto_line(p));
  if (p.front.empty()) return out;
  std::vector<std::vector<std::string>> rows;
  for (const std::size_t i : p.front) {
    const ParetoPoint& x = p.points[i];
    const tuner::Trial& t = study.trials[x.trial];
    rows.push_back({std::to_string(t.id), std::string(tuner::to_text(t.config.mode)), fmt::format("{:.1e}", x.error),
                    number_text(x.gflops, 1), ratio_text(study.columns.ratio[x.trial], {}, {}),
                    x.over_bound ? "over" : (p.bound ? "within" : "-"), tuner::label(t.config)});
  }
  return out + "\n" +
         table({{"trial", true}, {"mode"}, {"error", true}, {"GFLOP/s", true}, {"ratio", true}, {"bound"}, {"config"}},
               rows);
}

}  // namespace gemwright::app
