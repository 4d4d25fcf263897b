#include "app/model/importance.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "app/model/run_view.h"
#include "tuner/measure/statistics.h"

namespace gemwright::app {

tuner::Importance importance_of(const StudySnapshot& study, const TrialSet& shown) {
  std::vector<tuner::ObservedCost> observed;
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    if (shown[i] && has_speed(study, i)) observed.push_back({study.trials[i].config, 1 / *study.columns.gflops[i]});
  }
  return tuner::importance(observed);
}

std::vector<ValueEffect> value_effects(const StudySnapshot& study, const TrialSet& shown, tuner::Param p) {
  std::map<std::int64_t, std::vector<double>> speeds;
  std::vector<double> all;
  for (std::size_t i = 0; i < study.trials.size(); ++i) {
    if (!shown[i] || !has_speed(study, i)) continue;
    speeds[tuner::value(study.trials[i].config, p)].push_back(*study.columns.gflops[i]);
    all.push_back(*study.columns.gflops[i]);
  }
  if (all.empty()) return {};
  const std::size_t top = std::min(all.size(), tuner::top_count(all.size()));
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(top - 1), all.end(), std::greater<>());
  const double limit = all[top - 1];
  std::vector<ValueEffect> out;
  for (auto& [value, list] : speeds) {
    ValueEffect e;
    e.value = value;
    e.trials = list.size();
    e.top = static_cast<std::size_t>(std::count_if(list.begin(), list.end(), [&](double g) { return g >= limit; }));
    e.best = *std::max_element(list.begin(), list.end());
    e.median = *tuner::median(list);
    out.push_back(e);
  }
  return out;
}

std::vector<nlohmann::json> importance_rows(const StudySnapshot& study, const tuner::Importance& importance) {
  const auto row = [&] {
    return nlohmann::json{{"type", "importance"},
                          {"study", study.record().id},
                          {"name", study.record().attributes.name},
                          {"m", study.record().key.m},
                          {"trials", importance.trials},
                          {"top", importance.top > 0 ? nlohmann::json(importance.top) : nlohmann::json(nullptr)},
                          {"method", "ped-anova"}};
  };
  std::vector<nlohmann::json> rows;
  for (const tuner::ParameterImportance& p : importance.parameters) {
    rows.push_back(row());
    rows.back()["parameter"] = name_of(p.param);
    rows.back()["importance"] = p.importance;
    rows.back()["divergence"] = p.divergence;
    rows.back()["values"] = p.values;
    rows.back()["beyond_chance"] = p.beyond_chance;
    rows.back()["reason"] = nullptr;
  }
  if (!rows.empty()) return rows;
  rows.push_back(row());
  for (const char* field : {"parameter", "importance", "divergence", "values", "beyond_chance"}) {
    rows.back()[field] = nullptr;
  }
  rows.back()["reason"] = importance.reason;
  return rows;
}

std::string importance_line(const tuner::Importance& i) {
  if (!i.reason.empty()) return i.reason;
  return fmt::format("how unlike the best {} of {} trials are to all of them (PED-ANOVA)", i.top, i.trials);
}

std::string importance_text(const StudySnapshot& study, const tuner::Importance& importance) {
  std::string out =
      fmt::format("study {}: {}\n{}\n", study.record().id, study_title(study.record()), importance_line(importance));
  if (importance.parameters.empty()) return out;
  std::vector<std::vector<std::string>> rows;
  for (const tuner::ParameterImportance& p : importance.parameters) {
    rows.push_back({std::string(name_of(p.param)), fmt::format("{:.1f} %", 100 * p.importance),
                    fmt::format("{:.3f}", p.divergence), std::to_string(p.values),
                    p.beyond_chance ? "" : "no more than chance"});
  }
  return out + "\n" + table({{"parameter"}, {"importance", true}, {"divergence", true}, {"values", true}, {""}}, rows);
}

}  // namespace gemwright::app
