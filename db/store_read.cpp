#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "db/read_rows.h"
#include "db/sqlite_store.h"
#include "tuner/problem/input_text.h"
#include "tuner/study/check.h"

namespace gemwright::db {

using tuner::fail;

namespace {

// A config's JSON is some hundred bytes; the bound also bounds its nesting.
constexpr std::size_t kMaxConfigBytes = 4096;

Result<tuner::Config> parse_config(const std::string& text, const std::string& stored_key) {
  if (text.size() > kMaxConfigBytes) return fail("its config is too long");
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail("its config is not JSON");
  auto config = tuner::config_from_json(json);
  if (config && key(*config) != stored_key) return fail("its config and the key of its config differ");
  return config;
}

Result<std::vector<tuner::ComputeMode>> parse_modes(const std::string& text) {
  std::vector<tuner::ComputeMode> modes;
  for (const std::string_view part : tuner::split(text, ',')) {
    const auto mode = tuner::parse_compute_mode(part);
    if (!mode) return tl::unexpected(mode.error());
    modes.push_back(*mode);
  }
  return modes;
}

// The columns that make a study's key, in the order of kStudyColumns.
tuner::StudyKey read_key(RowReader& row) {
  tuner::StudyKey k;
  k.problem = row.accept(tuner::parse_key(row.text()));
  k.m = row.integer();
  k.device.kind = row.text();
  k.device.fingerprint = row.text();
  k.device.threads = row.small_integer();
  k.device.name = row.text();
  k.device.properties_json = row.text();
  k.build.digest = row.text();
  k.build.tool_version = row.text();
  k.build.compiler = row.text();
  k.build.compiler_version = row.text();
  k.build.flags = row.text();
  k.build.source_digest = row.text();
  k.space_version = row.small_integer();
  k.modes = row.accept(parse_modes(row.text()));
  k.max_error = row.maybe_real();
  k.data = row.accept(tuner::parse_data_kind(row.text()));
  k.cache = row.accept(tuner::parse_cache_state(row.text()));
  k.cache_bytes = row.real();
  k.batch_invariant = row.flag();
  return k;
}

tuner::StudyAttributes read_attributes(RowReader& row) {
  tuner::StudyAttributes a;
  a.name = row.text();
  a.suite = row.text();
  a.weight = row.real();
  a.budget.seconds = row.maybe_real();
  a.budget.trials = row.maybe_integer();
  a.protocol = row.text();
  a.strategy = row.text();
  a.seed = std::bit_cast<std::uint64_t>(row.integer());
  return a;
}

constexpr std::string_view kSelectStudies =
    "SELECT s.id, s.generation, s.key, p.key, s.m, d.kind, d.fingerprint, d.threads, d.name, d.properties_json, "
    "b.digest, "
    "b.tool_version, b.compiler, b.compiler_version, b.flags, b.source_digest, s.space_version, s.modes, s.max_error, "
    "s.data, "
    "s.cache, s.cache_bytes, s.batch_invariant, s.name, s.suite, s.weight, s.budget_seconds, s.budget_trials, "
    "s.protocol, "
    "s.strategy, s.seed, s.state, s.created_at, s.updated_at, s.spent_seconds, s.failure, s.baseline, "
    "s.baseline_reason, "
    "(SELECT count(*) FROM trial t WHERE t.study_id = s.id), s.runner_pid, s.runner_boot_id, o.best_trial_id, "
    "o.verdict, o.confidence, o.lead, o.lead_lo, o.lead_hi, o.noise_floor, o.blocks, o.blocks_steal, "
    "o.blocks_context_switch, o.blocks_migration "
    "FROM study s LEFT JOIN problem p ON p.id = s.problem_id LEFT JOIN device d ON d.id = s.device_id "
    "LEFT JOIN build b ON b.id = s.build_id LEFT JOIN outcome o ON o.study_id = s.id "
    "WHERE ?1 IS NULL OR s.id = ?1 ORDER BY s.id";

std::optional<tuner::Runner> read_runner(RowReader& row) {
  const auto pid = row.maybe_integer();
  const auto boot = row.maybe_text();
  if (pid.has_value() != boot.has_value()) row.refuse("it names half a process");
  if (!pid || !boot) return std::nullopt;
  const tuner::Runner runner{*pid, *boot};
  row.accept(check(runner));
  return runner;
}

// Of a study without one every column is absent. The ties are rows of another table.
tuner::StudyOutcome read_outcome(RowReader& row) {
  tuner::StudyOutcome o;
  o.best_trial = row.maybe_integer();
  o.verdict = row.maybe_text().value_or("");
  o.confidence = row.maybe_real();
  o.lead = row.maybe_real();
  o.lead_lo = row.maybe_real();
  o.lead_hi = row.maybe_real();
  o.noise_floor = row.maybe_real();
  // Absent in the outcomes of version 1: no block of theirs was tallied.
  o.tally.blocks = row.maybe_integer().value_or(0);
  o.tally.steal = row.maybe_integer().value_or(0);
  o.tally.context_switch = row.maybe_integer().value_or(0);
  o.tally.migration = row.maybe_integer().value_or(0);
  row.accept(check(o));
  return o;
}

Result<tuner::StudyRecord> read_study(RowReader row) {
  tuner::StudyRecord s;
  s.id = row.integer();
  s.generation = row.small_integer();
  const std::string stored_key = row.text();
  s.key = read_key(row);
  s.attributes = read_attributes(row);
  s.state = row.accept(tuner::parse_study_state(row.text()));
  s.created_at = row.integer();
  s.updated_at = row.integer();
  s.spent_seconds = row.real();
  s.failure = row.maybe_text();
  s.baseline = row.maybe_text().value_or("");
  s.baseline_reason = row.maybe_text().value_or("");
  s.trials = row.integer();
  s.runner = read_runner(row);
  s.outcome = read_outcome(row);
  row.accept(check(s.key));
  row.accept(check(s.attributes));
  row.accept(tuner::check_spent(s.spent_seconds));
  // What failed before version 3 has no reason.
  if (s.failure) row.accept(tuner::check_failure(s.state, s.failure));
  if (key(s.key) != stored_key) row.refuse("its key and the values that make it differ");
  return row.finish(std::move(s));
}

Result<tuner::Trial> read_trial(RowReader row) {
  tuner::Trial t;
  t.id = row.integer();
  t.study = row.integer();
  t.seq = row.integer();
  const std::string config_key = row.text();
  t.config = row.accept(parse_config(row.text(), config_key));
  t.origin = row.text();
  t.state = row.accept(tuner::parse_trial_state(row.text()));
  t.reason = row.text();
  t.error_fro = row.maybe_real();
  t.error_max = row.maybe_real();
  t.compile_ns = row.maybe_integer();
  t.verify_ns = row.maybe_integer();
  t.reduction_class = row.maybe_text();
  row.accept(check(t));
  return row.finish(std::move(t));
}

Result<tuner::Subject> read_subject(RowReader row) {
  tuner::Subject s;
  s.id = row.integer();
  s.study = row.integer();
  s.kind = row.accept(tuner::parse_subject_kind(row.text()));
  s.trial = row.maybe_integer();
  s.name = row.text();
  row.accept(check(s));
  return row.finish(std::move(s));
}

Result<tuner::Sample> read_sample(RowReader row) {
  tuner::Sample s;
  s.round = row.integer();
  s.position = row.small_integer();
  s.subject = row.integer();
  s.phase = row.accept(tuner::parse_phase(row.text()));
  s.calls = row.integer();
  s.ns = row.integer();
  s.cpu = row.maybe_small_integer();
  s.involuntary_switches = row.maybe_integer();
  s.steal_ticks = row.maybe_integer();
  s.migrated = row.flag();
  row.accept(check(s));
  return row.finish(s);
}

Result<tuner::Estimate> read_estimate(RowReader row) {
  tuner::Estimate e;
  e.subject = row.integer();
  e.phase = row.accept(tuner::parse_phase(row.text()));
  e.method = row.text();
  e.samples = row.integer();
  e.excluded = row.integer();
  e.ns_per_call = row.real();
  e.min_ns = row.maybe_real();
  e.p10_ns = row.maybe_real();
  e.gflops = row.maybe_real().value_or(0);
  e.ratio = row.maybe_real();
  e.ratio_lo = row.maybe_real();
  e.ratio_hi = row.maybe_real();
  row.accept(check(e));
  return row.finish(std::move(e));
}

}  // namespace

Result<std::vector<tuner::StudyRecord>> SqliteStore::read_studies(std::optional<tuner::StudyId> only) const {
  auto studies = read_all(*connection_, connection_->query(kSelectStudies, only), read_study, by_id("study"));
  if (!studies) return studies;
  std::map<tuner::StudyId, tuner::StudyRecord*> by_number;
  for (tuner::StudyRecord& s : *studies) by_number[s.id] = &s;
  auto ties = connection_->query(
      "SELECT study_id, trial_id FROM tie WHERE ?1 IS NULL OR study_id = ?1 ORDER BY study_id, place", only);
  if (!ties) return tl::unexpected(ties.error());
  while (true) {
    const auto more = ties->step();
    if (!more) return tl::unexpected(more.error());
    if (!*more) return studies;
    const auto study = by_number.find(ties->integer(0));
    if (study == by_number.end()) continue;
    tuner::StudyOutcome& outcome = study->second->outcome;
    outcome.ties.push_back(ties->integer(1));
    if (const auto r = check(outcome); !r) {
      return fail(fmt::format("{}: table tie, study {}: {}", connection_->name(), ties->integer(0), r.error().message));
    }
  }
}

Result<std::vector<tuner::StudyRecord>> SqliteStore::studies() const {
  auto snapshot = Transaction::read(*connection_);  // a study and its ties are two statements
  if (!snapshot) return tl::unexpected(snapshot.error());
  return read_studies(std::nullopt);
}

Result<std::vector<tuner::Trial>> SqliteStore::trials(tuner::StudyId study) const {
  return read_all(*connection_,
                  connection_->query("SELECT t.id, t.study_id, t.seq, c.key, c.json, t.origin, t.state, t.reason, "
                                     "t.error_fro, t.error_max, t.compile_ns, t.verify_ns, t.reduction_class "
                                     "FROM trial t LEFT JOIN config c ON c.id = t.config_id "
                                     "WHERE t.study_id = ? ORDER BY t.seq",
                                     study),
                  read_trial, by_id("trial"));
}

Result<std::vector<tuner::Subject>> SqliteStore::subjects(tuner::StudyId study) const {
  return read_all(*connection_,
                  connection_->query(
                      "SELECT id, study_id, kind, trial_id, name FROM subject WHERE study_id = ? ORDER BY id", study),
                  read_subject, by_id("subject"));
}

Result<std::vector<tuner::Sample>> SqliteStore::samples(tuner::StudyId study) const {
  return read_all(*connection_,
                  connection_->query("SELECT round, position, subject_id, phase, calls, ns, cpu, involuntary_switches, "
                                     "steal_ticks, migrated FROM sample WHERE study_id = ? "
                                     "ORDER BY round, position, subject_id",
                                     study),
                  read_sample, [study](const Statement& s) {
                    return fmt::format("table sample, study {} round {} position {}", study, s.integer(0),
                                       s.integer(1));
                  });
}

Result<std::vector<tuner::Estimate>> SqliteStore::estimates(tuner::StudyId study) const {
  auto all = read_all(*connection_,
                      connection_->query("SELECT subject_id, phase, method, samples, excluded, ns_per_call, min_ns, "
                                         "p10_ns, gflops, ratio, ratio_lo, ratio_hi FROM estimate WHERE study_id = ?",
                                         study),
                      read_estimate,
                      [](const Statement& s) { return fmt::format("table estimate, subject {}", s.integer(0)); });
  if (!all) return all;
  std::sort(all->begin(), all->end(), [](const tuner::Estimate& x, const tuner::Estimate& y) {
    return std::tuple(x.subject, x.phase) < std::tuple(y.subject, y.phase);
  });
  return all;
}

}  // namespace gemwright::db
