#include "app/model/continuation.h"

#include <fmt/format.h>

#include <algorithm>

namespace gemwright::app {
namespace {

// What a person would have had to ask for.
TuneOptions options_of(const tuner::StudyRecord& study) {
  const tuner::StudyKey& key = study.key;
  TuneOptions o;
  o.interface = tuner::to_text(key.problem.interface);
  o.precision = key.modes.size() == 1 ? std::string(tuner::to_text(key.modes.front())) : "auto";
  o.max_error = key.max_error;
  o.batch_invariant = key.batch_invariant;
  o.data = tuner::to_text(key.data);
  o.threads = std::to_string(key.device.threads);
  o.compiler = key.build.compiler;
  o.strategy = study.attributes.strategy;
  o.protocol = study.attributes.protocol;
  o.cache = tuner::to_text(key.cache);
  o.seed = study.attributes.seed;
  return o;
}

}  // namespace

tuner::Result<tuner::StudyRecord> study_to_continue(const std::vector<tuner::StudyRecord>& studies, tuner::StudyId id) {
  const auto it = std::find_if(studies.begin(), studies.end(), [&](const auto& s) { return s.id == id; });
  if (it == studies.end()) return tuner::fail(fmt::format("there is no study {}", id));
  const std::string key = tuner::key(it->key);
  const tuner::StudyRecord* newest = &*it;
  for (const tuner::StudyRecord& s : studies) {
    if (s.generation > newest->generation && tuner::key(s.key) == key) newest = &s;
  }
  if (newest->id == id) return *newest;
  return tuner::fail(fmt::format("study {} was begun anew as study {}: only that one can go on", id, newest->id));
}

tuner::Result<PlannedStudy> continuation(const tuner::StudyRecord& study, const Workplace& place) {
  tuner::SuiteEntry entry;
  entry.name = study.attributes.name;
  entry.problem = study.key.problem;
  entry.m = {study.key.m};
  entry.weight = study.attributes.weight;
  tuner::Suite suite;
  suite.name = study.attributes.suite;
  suite.entries.push_back(std::move(entry));
  auto planned = plan_studies(options_of(study), suite, place);
  if (!planned) return tl::unexpected(planned.error());
  PlannedStudy out = std::move(planned->front());
  const tuner::StudyKey& here = out.request.key;
  if (here.device.fingerprint != study.key.device.fingerprint) {
    return tuner::fail(fmt::format("study {} was tuned on another machine: here it would be another study", study.id));
  }
  if (here.build.digest != study.key.build.digest || here.space_version != study.key.space_version) {
    return tuner::fail(
        fmt::format("study {} was tuned by another build of gemwright or another compiler: a new study "
                    "takes its winners up",
                    study.id));
  }
  out.request.key = study.key;
  out.request.attributes = study.attributes;
  out.request.space.cache_bytes = study.key.cache_bytes;
  return out;
}

}  // namespace gemwright::app
