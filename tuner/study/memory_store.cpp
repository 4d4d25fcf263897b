// The store for tests and for searches that are not kept. It refuses what a database would refuse.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "tuner/study/check.h"
#include "tuner/study/runner.h"
#include "tuner/study/store.h"

namespace gemwright::tuner {
namespace {

std::int64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

// Ids are places in these vectors, counted from 1.
template <class Rows>
auto* row_of(Rows& rows, std::int64_t id) {
  return id >= 1 && id <= static_cast<std::int64_t>(rows.size()) ? &rows[static_cast<std::size_t>(id - 1)] : nullptr;
}

template <class Row>
std::vector<Row> of_study(const std::vector<Row>& rows, StudyId study) {
  std::vector<Row> out;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(out), [&](const Row& r) { return r.study == study; });
  return out;
}

tl::unexpected<Error> no_study(StudyId id) { return fail(fmt::format("there is no study {}", id)); }

class MemoryStore final : public Store {
 public:
  Result<StudyRecord> open_study(const StudyKey& key, const StudyAttributes& attributes, bool fresh) override;
  Result<void> set_study_state(StudyId study, StudyState state, double spent_seconds,
                               const std::optional<std::string>& failure) override;
  Result<void> set_baseline(StudyId study, const std::string& name, const std::string& reason_if_absent) override;
  Result<Trial> add_trial(StudyId study, const Config& config, const std::string& origin) override;
  Result<void> update_trial(const Trial& trial) override;
  Result<Subject> add_subject(StudyId study, SubjectKind kind, std::optional<TrialId> trial,
                              const std::string& name) override;
  Result<void> add_sample(const Sample& sample) override;
  Result<void> set_outcome(StudyId study, const StudyOutcome& outcome, const std::vector<Estimate>& estimates) override;
  Result<void> add_ceilings(StudyId study, const std::vector<profilers::Ceiling>& ceilings) override;
  Result<void> set_counters(SubjectId subject, const std::vector<profilers::Counter>& counters) override;
  Result<StudyEvent> add_event(StudyId study, EventKind kind, const std::string& argument) override;
  Result<void> stamp_event(std::int64_t event, std::int64_t applied_round) override;
  Result<void> record_export(const std::string& path, const std::string& sha,
                             const std::vector<TrialId>& trials) override;

  Result<std::vector<StudyRecord>> studies() const override { return studies_; }
  Result<std::vector<Trial>> trials(StudyId study) const override { return of_study(trials_, study); }
  Result<std::vector<Subject>> subjects(StudyId study) const override { return of_study(subjects_, study); }
  Result<std::vector<Sample>> samples(StudyId study) const override;
  Result<std::vector<Estimate>> estimates(StudyId study) const override;
  Result<std::vector<StudyCeiling>> ceilings(StudyId study) const override;
  Result<std::vector<SubjectCounter>> counters(StudyId study) const override;
  Result<std::vector<StudyEvent>> events(StudyId study) const override { return of_study(events_, study); }

 private:
  Result<void> check_winner(StudyId study, TrialId trial) const;
  Result<void> check_outcome(StudyId study, const StudyOutcome& outcome, const std::vector<Estimate>& estimates) const;
  bool in_study(StudyId study, SubjectId subject) const {
    const Subject* row = row_of(subjects_, subject);
    return row != nullptr && row->study == study;
  }

  std::vector<StudyRecord> studies_;
  std::vector<Trial> trials_;
  std::vector<Subject> subjects_;
  std::vector<Sample> samples_;
  std::map<StudyId, std::vector<Estimate>> estimates_;
  std::map<StudyId, std::vector<StudyCeiling>> ceilings_;
  std::map<SubjectId, std::vector<profilers::Counter>> counters_;
  std::vector<StudyEvent> events_;
  std::map<std::pair<StudyId, std::string>, TrialId> trial_of_config_;
  std::set<std::tuple<SubjectId, std::int64_t, int>> sampled_;  // subject, round, position
};

Result<StudyRecord> MemoryStore::open_study(const StudyKey& key_, const StudyAttributes& attributes, bool fresh) {
  if (auto r = check(key_); !r) return tl::unexpected(r.error());
  if (auto r = check(attributes); !r) return tl::unexpected(r.error());
  const std::string wanted = key(key_);
  StudyRecord* newest = nullptr;
  for (StudyRecord& s : studies_) {
    if (key(s.key) == wanted) newest = &s;
  }
  const std::int64_t now = now_ns();
  if (newest == nullptr || fresh) {
    StudyRecord study;
    study.id = static_cast<StudyId>(studies_.size()) + 1;
    study.generation = newest == nullptr ? 0 : newest->generation + 1;
    study.key = key_;
    study.created_at = now;
    studies_.push_back(std::move(study));
    newest = &studies_.back();
  }
  newest->attributes = attributes;
  newest->runner = this_process();
  newest->updated_at = std::max(now, newest->created_at);
  return *newest;
}

Result<void> MemoryStore::set_study_state(StudyId study, StudyState state, double spent_seconds,
                                          const std::optional<std::string>& failure) {
  if (auto r = check_spent(spent_seconds); !r) return r;
  if (auto r = check_failure(state, failure); !r) return r;
  StudyRecord* row = row_of(studies_, study);
  if (row == nullptr) return no_study(study);
  row->state = state;
  row->failure = failure;
  row->spent_seconds = spent_seconds;
  row->updated_at = std::max(now_ns(), row->created_at);
  return {};
}

Result<void> MemoryStore::set_baseline(StudyId study, const std::string& name, const std::string& reason_if_absent) {
  if (auto r = check_baseline(name, reason_if_absent); !r) return r;
  StudyRecord* row = row_of(studies_, study);
  if (row == nullptr) return no_study(study);
  row->baseline = name;
  row->baseline_reason = name.empty() ? reason_if_absent : "";
  return {};
}

Result<Trial> MemoryStore::add_trial(StudyId study, const Config& config, const std::string& origin) {
  StudyRecord* row = row_of(studies_, study);
  if (row == nullptr) return no_study(study);
  const TrialId id = static_cast<TrialId>(trials_.size()) + 1;
  const auto [place, is_new] = trial_of_config_.try_emplace({study, key(config)}, id);
  if (!is_new) return fail(fmt::format("study {} has tried this config as trial {} already", study, place->second));
  Trial trial;
  trial.id = id;
  trial.study = study;
  trial.seq = row->trials++;
  trial.config = config;
  trial.origin = origin;
  trials_.push_back(trial);
  return trial;
}

Result<void> MemoryStore::update_trial(const Trial& trial) {
  if (auto r = check(trial); !r) return r;
  Trial* row = row_of(trials_, trial.id);
  if (row == nullptr || row->study != trial.study) {
    return fail(fmt::format("study {} has no trial {}", trial.study, trial.id));
  }
  row->state = trial.state;
  row->reason = trial.reason;
  row->error_fro = trial.error_fro;
  row->error_max = trial.error_max;
  row->compile_ns = trial.compile_ns;
  row->verify_ns = trial.verify_ns;
  row->reduction_class = trial.reduction_class;
  return {};
}

Result<Subject> MemoryStore::add_subject(StudyId study, SubjectKind kind, std::optional<TrialId> trial,
                                         const std::string& name) {
  Subject subject{static_cast<SubjectId>(subjects_.size()) + 1, study, kind, trial, name};
  if (auto r = check(subject); !r) return tl::unexpected(r.error());
  if (row_of(studies_, study) == nullptr) return no_study(study);
  if (trial) {
    const Trial* row = row_of(trials_, *trial);
    if (row == nullptr || row->study != study) return fail(fmt::format("study {} has no trial {}", study, *trial));
  }
  for (const Subject& s : subjects_) {
    if (s.study == study && s.kind == kind && s.trial == trial && (trial || s.name == name)) return s;
  }
  subjects_.push_back(subject);
  return subject;
}

Result<void> MemoryStore::add_sample(const Sample& sample) {
  if (auto r = check(sample); !r) return r;
  if (row_of(subjects_, sample.subject) == nullptr) return fail(fmt::format("there is no subject {}", sample.subject));
  if (!sampled_.emplace(sample.subject, sample.round, sample.position).second) {
    return fail(fmt::format("subject {} has a sample at place {} of round {} already", sample.subject, sample.position,
                            sample.round));
  }
  samples_.push_back(sample);
  return {};
}

Result<void> MemoryStore::check_winner(StudyId study, TrialId trial) const {
  const Trial* row = row_of(trials_, trial);
  if (row == nullptr || row->study != study) return fail(fmt::format("study {} has no trial {}", study, trial));
  if (row->state != TrialState::ok) {
    return fail(fmt::format("trial {} is {}: only a trial that is ok can win or tie", trial, to_text(row->state)));
  }
  return {};
}

Result<void> MemoryStore::check_outcome(StudyId study, const StudyOutcome& outcome,
                                        const std::vector<Estimate>& estimates) const {
  if (auto r = check(outcome); !r) return r;
  if (outcome.best_trial) {
    if (auto r = check_winner(study, *outcome.best_trial); !r) return r;
  }
  std::set<TrialId> tied;
  for (const TrialId tie : outcome.ties) {
    if (auto r = check_winner(study, tie); !r) return r;
    if (!tied.insert(tie).second) return fail(fmt::format("trial {} ties twice", tie));
  }
  std::set<std::pair<SubjectId, Phase>> estimated;
  for (const Estimate& e : estimates) {
    if (auto r = check(e); !r) return r;
    if (!in_study(study, e.subject)) return fail(fmt::format("study {} has no subject {}", study, e.subject));
    if (!estimated.emplace(e.subject, e.phase).second) {
      return fail(fmt::format("subject {} has two estimates for phase {}", e.subject, to_text(e.phase)));
    }
  }
  return {};
}

Result<void> MemoryStore::set_outcome(StudyId study, const StudyOutcome& outcome,
                                      const std::vector<Estimate>& estimates) {
  StudyRecord* row = row_of(studies_, study);
  if (row == nullptr) return no_study(study);
  if (auto r = check_outcome(study, outcome, estimates); !r) return r;
  row->outcome = outcome;
  row->updated_at = std::max(now_ns(), row->created_at);
  estimates_[study] = estimates;
  std::sort(estimates_[study].begin(), estimates_[study].end(), [](const Estimate& x, const Estimate& y) {
    return std::pair(x.subject, x.phase) < std::pair(y.subject, y.phase);
  });
  return {};
}

Result<void> MemoryStore::add_ceilings(StudyId study, const std::vector<profilers::Ceiling>& ceilings) {
  for (const profilers::Ceiling& c : ceilings) {
    if (auto r = check(c); !r) return r;
  }
  if (row_of(studies_, study) == nullptr) return no_study(study);
  const std::int64_t now = now_ns();
  for (const profilers::Ceiling& c : ceilings) ceilings_[study].push_back({c, now});
  return {};
}

Result<void> MemoryStore::set_counters(SubjectId subject, const std::vector<profilers::Counter>& counters) {
  if (auto r = check(counters); !r) return r;
  if (row_of(subjects_, subject) == nullptr) return fail(fmt::format("there is no subject {}", subject));
  counters_[subject] = counters;
  return {};
}

Result<StudyEvent> MemoryStore::add_event(StudyId study, EventKind kind, const std::string& argument) {
  const StudyEvent event{static_cast<std::int64_t>(events_.size()) + 1, study, kind, argument, now_ns(), std::nullopt};
  if (auto r = check(event); !r) return tl::unexpected(r.error());
  if (row_of(studies_, study) == nullptr) return no_study(study);
  events_.push_back(event);
  return event;
}

Result<void> MemoryStore::stamp_event(std::int64_t event, std::int64_t applied_round) {
  StudyEvent* row = row_of(events_, event);
  if (row == nullptr) return fail(fmt::format("there is no event {}", event));
  if (row->applied_round)
    return fail(fmt::format("event {} took effect in round {} already", event, *row->applied_round));
  StudyEvent stamped = *row;
  stamped.applied_round = applied_round;
  if (auto r = check(stamped); !r) return r;
  *row = stamped;
  return {};
}

Result<void> MemoryStore::record_export(const std::string& path, const std::string& sha,
                                        const std::vector<TrialId>& trials) {
  if (path.empty() || sha.empty()) return fail("an export has a path and a digest");
  for (const TrialId trial : trials) {
    if (row_of(trials_, trial) == nullptr) return fail(fmt::format("there is no trial {}", trial));
  }
  return {};  // nothing reads exports back in one process
}

Result<std::vector<Sample>> MemoryStore::samples(StudyId study) const {
  std::vector<Sample> out;
  for (const Sample& s : samples_) {
    if (in_study(study, s.subject)) out.push_back(s);
  }
  std::sort(out.begin(), out.end(), [](const Sample& x, const Sample& y) {
    return std::tuple(x.round, x.position, x.subject) < std::tuple(y.round, y.position, y.subject);
  });
  return out;
}

Result<std::vector<Estimate>> MemoryStore::estimates(StudyId study) const {
  const auto found = estimates_.find(study);
  return found == estimates_.end() ? std::vector<Estimate>{} : found->second;
}

Result<std::vector<StudyCeiling>> MemoryStore::ceilings(StudyId study) const {
  const auto found = ceilings_.find(study);
  return found == ceilings_.end() ? std::vector<StudyCeiling>{} : found->second;
}

Result<std::vector<SubjectCounter>> MemoryStore::counters(StudyId study) const {
  std::vector<SubjectCounter> out;
  for (const auto& [subject, counters] : counters_) {
    if (!in_study(study, subject)) continue;
    for (const profilers::Counter& c : counters) out.push_back({subject, c});
  }
  return out;
}

}  // namespace

std::unique_ptr<Store> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace gemwright::tuner
