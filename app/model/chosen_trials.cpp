#include "app/model/chosen_trials.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tuner/problem/input_text.h"

namespace gemwright::app {

tuner::Result<std::vector<ChosenTrials>> chosen_trials(const tuner::Store& store, const Filter& filter) {
  if (const auto r = check_fields(filter, any_trial_row()); !r) return tl::unexpected(r.error());
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  std::vector<ChosenTrials> out;
  for (const tuner::StudyRecord& record : *studies) {
    auto study = study_snapshot(store, record, 0);
    if (!study) return tl::unexpected(study.error());
    TrialSet shown(study->trials.size());
    for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = filter.matches(study->row(i));
    if (std::find(shown.begin(), shown.end(), true) == shown.end()) continue;
    out.push_back({std::move(*study), std::move(shown)});
  }
  return out;
}

bool has_speed(const StudySnapshot& study, std::size_t i) {
  const tuner::TrialState state = study.columns.state[i];
  return study.columns.gflops[i] && (state == tuner::TrialState::ok || state == tuner::TrialState::pruned);
}

std::size_t TriedParameter::place(std::int64_t value) const {
  return static_cast<std::size_t>(std::lower_bound(values.begin(), values.end(), value) - values.begin());
}

std::vector<TriedParameter> varying_parameters(const StudySnapshot& study, const TrialSet& shown) {
  std::vector<TriedParameter> out;
  for (const tuner::Parameter& p : tuner::parameters()) {
    TriedParameter one{p.id, {}};
    for (std::size_t i = 0; i < study.trials.size(); ++i) {
      if (!shown[i]) continue;
      const std::int64_t value = tuner::value(study.trials[i].config, p.id);
      const auto at = std::lower_bound(one.values.begin(), one.values.end(), value);
      if (at == one.values.end() || *at != value) one.values.insert(at, value);
    }
    if (one.values.size() > 1) out.push_back(std::move(one));
  }
  return out;
}

std::string_view name_of(tuner::Param p) {
  const auto& all = tuner::parameters();
  const auto it = std::find_if(all.begin(), all.end(), [&](const tuner::Parameter& x) { return x.id == p; });
  return it == all.end() ? std::string_view{} : it->name;
}

tuner::Result<tuner::Param> parse_param(std::string_view name) {
  std::vector<std::string_view> names;
  for (const tuner::Parameter& p : tuner::parameters()) {
    if (p.name == name) return p.id;
    names.push_back(p.name);
  }
  return tuner::fail(fmt::format("{} is no parameter: choose {}", tuner::quote(name), fmt::join(names, ", ")),
                     tuner::ErrorKind::usage);
}

}  // namespace gemwright::app
