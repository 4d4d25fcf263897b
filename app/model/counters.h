// The counters of subjects (trials and baselines) as rows and as a table. A counter without a value stays one: null, a
// dash, or one line for many that are missing for the same reason.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/model/filter.h"
#include "tuner/study/store.h"

namespace gemwright::app {

struct CounterLine {
  tuner::StudyId study = 0;
  std::optional<tuner::TrialId> trial;  // absent: of a baseline
  std::string subject;                  // for people: "trial 12", "onednn 2.6.3"
  profilers::Counter counter;

  std::optional<double> per_call() const;
};

// Of every subject that has counters, in the order of the studies.
tuner::Result<std::vector<CounterLine>> counter_lines(const tuner::Store& store, const Filter& filter);

nlohmann::json counter_row(const CounterLine& line);
std::string counters_table(const std::vector<CounterLine>& lines);

// "perf: 27 counters missing: this virtual machine exposes no CPU PMU", one sentence for each provider and reason; says
// of which subjects where that is not all of them.
std::vector<std::string> missing_counters(const std::vector<CounterLine>& lines);

}  // namespace gemwright::app
