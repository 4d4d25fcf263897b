// What the tuner asks of a database: everything it writes while it measures and everything that resume, neighbours,
// show and export read back. db/ implements it on SQLite; MemoryStore (tests, --db :memory:) keeps it in vectors. The
// tuner knows no SQL.
//
// Promise: when a call that writes returns, its rows are durable. One call is one transaction.
#pragma once

#include <memory>
#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

class Store {
 public:
  virtual ~Store() = default;

  // The newest generation of this key, created when there is none or when `fresh`. Attributes are updated to the given
  // ones, and the calling process becomes its runner.
  virtual Result<StudyRecord> open_study(const StudyKey& key, const StudyAttributes& attributes, bool fresh) = 0;
  // `failure`: why, exactly where the state is failed.
  virtual Result<void> set_study_state(StudyId study, StudyState state, double spent_seconds,
                                       const std::optional<std::string>& failure) = 0;
  virtual Result<void> set_baseline(StudyId study, const std::string& name, const std::string& reason_if_absent) = 0;

  virtual Result<Trial> add_trial(StudyId study, const Config& config, const std::string& origin) = 0;  // state running
  virtual Result<void> update_trial(
      const Trial& trial) = 0;  // state, reason, errors, times and class; the config never changes
  // The same subject again when it exists already.
  virtual Result<Subject> add_subject(StudyId study, SubjectKind kind, std::optional<TrialId> trial,
                                      const std::string& name) = 0;
  virtual Result<void> add_sample(const Sample& sample) = 0;
  // Replaces the study's estimates and outcome.
  virtual Result<void> set_outcome(StudyId study, const StudyOutcome& outcome,
                                   const std::vector<Estimate>& estimates) = 0;
  // Added to those measured before.
  virtual Result<void> add_ceilings(StudyId study, const std::vector<profilers::Ceiling>& ceilings) = 0;
  // Replaces the subject's counters.
  virtual Result<void> set_counters(SubjectId subject, const std::vector<profilers::Counter>& counters) = 0;
  virtual Result<StudyEvent> add_event(StudyId study, EventKind kind, const std::string& argument) = 0;
  virtual Result<void> stamp_event(std::int64_t event, std::int64_t applied_round) = 0;
  virtual Result<void> record_export(const std::string& path, const std::string& sha,
                                     const std::vector<TrialId>& trials) = 0;

  virtual Result<std::vector<StudyRecord>> studies() const = 0;        // by id, all generations
  virtual Result<std::vector<Trial>> trials(StudyId study) const = 0;  // by seq
  virtual Result<std::vector<Subject>> subjects(StudyId study) const = 0;
  virtual Result<std::vector<Sample>> samples(StudyId study) const = 0;  // by round, position
  virtual Result<std::vector<Estimate>> estimates(StudyId study) const = 0;
  // Oldest first, those without a value too.
  virtual Result<std::vector<StudyCeiling>> ceilings(StudyId study) const = 0;
  virtual Result<std::vector<SubjectCounter>> counters(StudyId study) const = 0;  // by subject, in the order given
  virtual Result<std::vector<StudyEvent>> events(StudyId study) const = 0;        // by id
};

std::unique_ptr<Store> make_memory_store();

}  // namespace gemwright::tuner
