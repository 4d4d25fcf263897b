// The implementation behind open_store: store_write.cpp and store_read.cpp hold what a search records,
// store_profile.cpp holds ceilings, counters and events.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "db/sqlite.h"
#include "db/store.h"

namespace gemwright::db {

class SqliteStore final : public tuner::Store {
 public:
  SqliteStore(std::unique_ptr<Connection> connection, OpenMode mode)
      : connection_(std::move(connection)), mode_(mode) {}

  Result<tuner::StudyRecord> open_study(const tuner::StudyKey& key, const tuner::StudyAttributes& attributes,
                                        bool fresh) override;
  Result<void> set_study_state(tuner::StudyId study, tuner::StudyState state, double spent_seconds,
                               const std::optional<std::string>& failure) override;
  Result<void> set_baseline(tuner::StudyId study, const std::string& name,
                            const std::string& reason_if_absent) override;
  Result<tuner::Trial> add_trial(tuner::StudyId study, const tuner::Config& config, const std::string& origin) override;
  Result<void> update_trial(const tuner::Trial& trial) override;
  Result<tuner::Subject> add_subject(tuner::StudyId study, tuner::SubjectKind kind, std::optional<tuner::TrialId> trial,
                                     const std::string& name) override;
  Result<void> add_sample(const tuner::Sample& sample) override;
  Result<void> set_outcome(tuner::StudyId study, const tuner::StudyOutcome& outcome,
                           const std::vector<tuner::Estimate>& estimates) override;
  Result<void> add_ceilings(tuner::StudyId study, const std::vector<profilers::Ceiling>& ceilings) override;
  Result<void> set_counters(tuner::SubjectId subject, const std::vector<profilers::Counter>& counters) override;
  Result<tuner::StudyEvent> add_event(tuner::StudyId study, tuner::EventKind kind,
                                      const std::string& argument) override;
  Result<void> stamp_event(std::int64_t event, std::int64_t applied_round) override;
  Result<void> record_export(const std::string& path, const std::string& sha,
                             const std::vector<tuner::TrialId>& trials) override;

  Result<std::vector<tuner::StudyRecord>> studies() const override;
  Result<std::vector<tuner::Trial>> trials(tuner::StudyId study) const override;
  Result<std::vector<tuner::Subject>> subjects(tuner::StudyId study) const override;
  Result<std::vector<tuner::Sample>> samples(tuner::StudyId study) const override;
  Result<std::vector<tuner::Estimate>> estimates(tuner::StudyId study) const override;
  Result<std::vector<tuner::StudyCeiling>> ceilings(tuner::StudyId study) const override;
  Result<std::vector<tuner::SubjectCounter>> counters(tuner::StudyId study) const override;
  Result<std::vector<tuner::StudyEvent>> events(tuner::StudyId study) const override;

 private:
  // Refuses when the store was opened for reading.
  Result<Transaction> begin() const;
  // Of the first row, or nothing.
  template <class... Args>
  Result<std::optional<std::int64_t>> find(std::string_view sql, const Args&... args) const {
    auto statement = connection_->query(sql, args...);
    if (!statement) return tl::unexpected(statement.error());
    const auto row = statement->step();
    if (!row) return tl::unexpected(row.error());
    if (!*row) return std::optional<std::int64_t>();
    return std::optional(statement->integer(0));
  }
  static std::int64_t now_ns();  // unix
  Result<void> require_study(tuner::StudyId study) const;
  Result<void> require_trial(tuner::StudyId study, tuner::TrialId trial) const;
  Result<void> require_winner(tuner::StudyId study, tuner::TrialId trial) const;

  // Ids of rows found by their natural key, made when there is none.
  Result<std::int64_t> device_id(const tuner::Device& device) const;
  Result<std::int64_t> build_id(const tuner::Build& build) const;
  Result<std::int64_t> problem_id(const tuner::Problem& problem) const;
  Result<std::int64_t> config_id(const tuner::Config& config) const;
  Result<std::int64_t> counter_def_id(const profilers::Counter& counter) const;
  Result<tuner::StudyId> insert_study(const tuner::StudyKey& key, const std::string& text, std::int64_t generation,
                                      std::int64_t now) const;
  Result<void> set_attributes(tuner::StudyId study, const tuner::StudyAttributes& a, std::int64_t now) const;
  Result<void> write_outcome(tuner::StudyId study, const tuner::StudyOutcome& outcome) const;
  Result<void> write_estimate(tuner::StudyId study, const tuner::Estimate& e) const;

  // `only` chooses one.
  Result<std::vector<tuner::StudyRecord>> read_studies(std::optional<tuner::StudyId> only) const;

  std::unique_ptr<Connection> connection_;
  OpenMode mode_;
};

}  // namespace gemwright::db
