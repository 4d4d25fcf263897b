#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "db/sqlite_store.h"
#include "tuner/study/check.h"
#include "tuner/study/runner.h"

namespace gemwright::db {

using tuner::fail;

namespace {

std::string_view layout_text(gemwright::layout layout) {
  return layout == gemwright::layout::row_major ? "row_major" : "col_major";
}

std::optional<std::string> unless_empty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::string modes_text(const std::vector<tuner::ComputeMode>& modes) {
  std::string out;
  for (const tuner::ComputeMode mode : modes) {
    if (!out.empty()) out += ',';
    out += tuner::to_text(mode);
  }
  return out;
}

struct Param {
  std::string name;
  std::optional<double> num;
  std::string txt;
};

// The leaves of a config's JSON: {"tile": {"mr": 8}} gives tile.mr.
void flatten(const nlohmann::json& value, const std::string& name, std::vector<Param>& out) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) flatten(member, name.empty() ? key : name + "." + key, out);
  } else if (value.is_string()) {
    out.push_back({name, std::nullopt, value.get<std::string>()});
  } else if (value.is_boolean()) {
    out.push_back({name, value.get<bool>() ? 1 : 0, value.dump()});
  } else {
    out.push_back({name, value.is_number() ? std::optional(value.get<double>()) : std::nullopt, value.dump()});
  }
}

}  // namespace

std::int64_t SqliteStore::now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Result<Transaction> SqliteStore::begin() const {
  if (mode_ == OpenMode::read_only) return fail(fmt::format("{} was opened for reading only", connection_->name()));
  return Transaction::write(*connection_);
}

Result<void> SqliteStore::require_study(tuner::StudyId study) const {
  const auto found = find("SELECT id FROM study WHERE id = ?", study);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return fail(fmt::format("there is no study {}", study));
  return {};
}

Result<void> SqliteStore::require_trial(tuner::StudyId study, tuner::TrialId trial) const {
  const auto found = find("SELECT id FROM trial WHERE id = ? AND study_id = ?", trial, study);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return fail(fmt::format("study {} has no trial {}", study, trial));
  return {};
}

Result<void> SqliteStore::require_winner(tuner::StudyId study, tuner::TrialId trial) const {
  if (auto r = require_trial(study, trial); !r) return r;
  const auto found = find("SELECT id FROM trial WHERE id = ? AND state = 'ok'", trial);
  if (!found) return tl::unexpected(found.error());
  if (!*found) return fail(fmt::format("trial {} is not ok: only a trial that is ok can win or tie", trial));
  return {};
}

Result<std::int64_t> SqliteStore::device_id(const tuner::Device& d) const {
  const auto found = find("SELECT id FROM device WHERE kind = ? AND fingerprint = ? AND threads = ?", d.kind,
                          d.fingerprint, d.threads);
  if (!found) return tl::unexpected(found.error());
  if (*found) return **found;
  if (auto r = connection_->run(
          "INSERT INTO device (kind, fingerprint, threads, name, properties_json) VALUES (?, ?, ?, ?, ?)", d.kind,
          d.fingerprint, d.threads, d.name, d.properties_json);
      !r) {
    return tl::unexpected(r.error());
  }
  return connection_->last_id();
}

Result<std::int64_t> SqliteStore::build_id(const tuner::Build& b) const {
  const auto found = find("SELECT id FROM build WHERE digest = ?", b.digest);
  if (!found) return tl::unexpected(found.error());
  if (*found) return **found;
  if (auto r =
          connection_->run("INSERT INTO build (digest, tool_version, compiler, compiler_version, flags, source_digest) "
                           "VALUES (?, ?, ?, ?, ?, ?)",
                           b.digest, b.tool_version, b.compiler, b.compiler_version, b.flags, b.source_digest);
      !r) {
    return tl::unexpected(r.error());
  }
  return connection_->last_id();
}

Result<std::int64_t> SqliteStore::problem_id(const tuner::Problem& p) const {
  const std::string text = key(p);
  const auto found = find("SELECT id FROM problem WHERE key = ?", text);
  if (!found) return tl::unexpected(found.error());
  if (*found) return **found;
  if (auto r =
          connection_->run("INSERT INTO problem (key, interface, n, k, batch, a_layout, b_layout, constant_weights, "
                           "beta, epilogue) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                           text, to_text(p.interface), p.n, p.k, p.batch, layout_text(p.a_layout),
                           layout_text(p.b_layout), p.constant_weights, p.beta, epilogue_text(p.chain));
      !r) {
    return tl::unexpected(r.error());
  }
  return connection_->last_id();
}

Result<std::int64_t> SqliteStore::config_id(const tuner::Config& config) const {
  const std::string text = key(config);
  const auto found = find("SELECT id FROM config WHERE key = ?", text);
  if (!found) return tl::unexpected(found.error());
  if (*found) return **found;
  const nlohmann::json json = to_json(config);
  if (auto r = connection_->run("INSERT INTO config (key, mode, json) VALUES (?, ?, ?)", text,
                                tuner::to_text(config.mode), json.dump());
      !r) {
    return tl::unexpected(r.error());
  }
  const std::int64_t id = connection_->last_id();
  std::vector<Param> params;
  flatten(json, "", params);
  for (const Param& p : params) {
    if (auto r = connection_->run("INSERT INTO config_param (config_id, name, num, txt) VALUES (?, ?, ?, ?)", id,
                                  p.name, p.num, p.txt);
        !r) {
      return tl::unexpected(r.error());
    }
  }
  return id;
}

Result<tuner::StudyId> SqliteStore::insert_study(const tuner::StudyKey& k, const std::string& text,
                                                 std::int64_t generation, std::int64_t now) const {
  const auto problem = problem_id(k.problem);
  if (!problem) return tl::unexpected(problem.error());
  const auto device = device_id(k.device);
  if (!device) return tl::unexpected(device.error());
  const auto build = build_id(k.build);
  if (!build) return tl::unexpected(build.error());
  // The attributes that follow are set by set_attributes in the same transaction.
  if (auto r = connection_->run(
          "INSERT INTO study (key, generation, problem_id, m, device_id, build_id, space_version, modes, max_error, "
          "data, cache, cache_bytes, batch_invariant, state, created_at, updated_at, name, suite, weight, protocol, "
          "strategy, seed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, '', '', 1, '', '', 0)",
          text, generation, *problem, k.m, *device, *build, k.space_version, modes_text(k.modes), k.max_error,
          to_text(k.data), to_text(k.cache), k.cache_bytes, k.batch_invariant, now, now);
      !r) {
    return tl::unexpected(r.error());
  }
  return connection_->last_id();
}

Result<void> SqliteStore::set_attributes(tuner::StudyId study, const tuner::StudyAttributes& a,
                                         std::int64_t now) const {
  const tuner::Runner runner = tuner::this_process();
  return connection_->run(
      "UPDATE study SET name = ?, suite = ?, weight = ?, budget_seconds = ?, budget_trials = ?, protocol = ?, "
      "strategy = ?, seed = ?, runner_pid = ?, runner_boot_id = ?, updated_at = max(?, created_at) WHERE id = ?",
      a.name, a.suite, a.weight, a.budget.seconds, a.budget.trials, a.protocol, a.strategy,
      std::bit_cast<std::int64_t>(a.seed), runner.pid, runner.boot_id, now, study);
}

Result<tuner::StudyRecord> SqliteStore::open_study(const tuner::StudyKey& study_key,
                                                   const tuner::StudyAttributes& attributes, bool fresh) {
  if (auto r = check(study_key); !r) return tl::unexpected(r.error());
  if (auto r = check(attributes); !r) return tl::unexpected(r.error());
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  const std::string text = key(study_key);
  const std::int64_t now = now_ns();
  const auto generation = find("SELECT max(generation) FROM study WHERE key = ? HAVING count(*) > 0", text);
  if (!generation) return tl::unexpected(generation.error());
  auto id = find("SELECT id FROM study WHERE key = ? AND generation = ?", text, *generation);
  if (id && (!*id || fresh)) {
    const auto made = insert_study(study_key, text, *generation ? **generation + 1 : 0, now);
    if (!made) return tl::unexpected(made.error());
    id = std::optional(*made);
  }
  if (!id) return tl::unexpected(id.error());
  if (auto r = set_attributes(**id, attributes, now); !r) return tl::unexpected(r.error());
  auto rows = read_studies(**id);
  if (!rows) return tl::unexpected(rows.error());
  if (auto r = transaction->commit(); !r) return tl::unexpected(r.error());
  return std::move(rows->front());
}

Result<void> SqliteStore::set_study_state(tuner::StudyId study, tuner::StudyState state, double spent_seconds,
                                          const std::optional<std::string>& failure) {
  if (auto r = tuner::check_spent(spent_seconds); !r) return r;
  if (auto r = tuner::check_failure(state, failure); !r) return r;
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_study(study); !r) return r;
  if (auto r = connection_->run(
          "UPDATE study SET state = ?, spent_seconds = ?, failure = ?, updated_at = max(?, created_at) WHERE id = ?",
          to_text(state), spent_seconds, failure, now_ns(), study);
      !r) {
    return r;
  }
  return transaction->commit();
}

Result<void> SqliteStore::set_baseline(tuner::StudyId study, const std::string& name,
                                       const std::string& reason_if_absent) {
  if (auto r = tuner::check_baseline(name, reason_if_absent); !r) return r;
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_study(study); !r) return r;
  if (auto r = connection_->run("UPDATE study SET baseline = ?, baseline_reason = ? WHERE id = ?", unless_empty(name),
                                name.empty() ? std::optional(reason_if_absent) : std::nullopt, study);
      !r) {
    return r;
  }
  return transaction->commit();
}

Result<tuner::Trial> SqliteStore::add_trial(tuner::StudyId study, const tuner::Config& config,
                                            const std::string& origin) {
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_study(study); !r) return tl::unexpected(r.error());
  const auto row = config_id(config);
  if (!row) return tl::unexpected(row.error());
  const auto tried = find("SELECT id FROM trial WHERE study_id = ? AND config_id = ?", study, *row);
  if (!tried) return tl::unexpected(tried.error());
  if (*tried) return fail(fmt::format("study {} has tried this config as trial {} already", study, **tried));
  const auto seq = find("SELECT coalesce(max(seq) + 1, 0) FROM trial WHERE study_id = ?", study);
  if (!seq) return tl::unexpected(seq.error());
  tuner::Trial trial;
  trial.study = study;
  trial.seq = **seq;
  trial.config = config;
  trial.origin = origin;
  if (auto r = connection_->run(
          "INSERT INTO trial (study_id, seq, config_id, origin, state, started_at) VALUES (?, ?, ?, ?, 'running', ?)",
          study, trial.seq, *row, origin, now_ns());
      !r) {
    return tl::unexpected(r.error());
  }
  trial.id = connection_->last_id();
  if (auto r = transaction->commit(); !r) return tl::unexpected(r.error());
  return trial;
}

Result<void> SqliteStore::update_trial(const tuner::Trial& trial) {
  if (auto r = check(trial); !r) return r;
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_trial(trial.study, trial.id); !r) return r;
  const auto ended = trial.state == tuner::TrialState::running ? std::nullopt : std::optional(now_ns());
  // max of a NULL is NULL: a running trial has no end.
  if (auto r = connection_->run("UPDATE trial SET state = ?, reason = ?, error_fro = ?, error_max = ?, compile_ns = ?, "
                                "verify_ns = ?, reduction_class = ?, ended_at = max(?, started_at) WHERE id = ?",
                                to_text(trial.state), trial.reason, trial.error_fro, trial.error_max, trial.compile_ns,
                                trial.verify_ns, trial.reduction_class, ended, trial.id);
      !r) {
    return r;
  }
  return transaction->commit();
}

Result<tuner::Subject> SqliteStore::add_subject(tuner::StudyId study, tuner::SubjectKind kind,
                                                std::optional<tuner::TrialId> trial, const std::string& name) {
  tuner::Subject subject{0, study, kind, trial, name};
  if (auto r = check(subject); !r) return tl::unexpected(r.error());
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = trial ? require_trial(study, *trial) : require_study(study); !r) return tl::unexpected(r.error());
  auto rows = trial
                  ? connection_->query("SELECT id, name FROM subject WHERE study_id = ? AND trial_id = ?", study, trial)
                  : connection_->query("SELECT id, name FROM subject WHERE study_id = ? AND kind = ? AND name = ?",
                                       study, to_text(kind), name);
  if (!rows) return tl::unexpected(rows.error());
  const auto found = rows->step();
  if (!found) return tl::unexpected(found.error());
  if (*found) {
    subject.id = rows->integer(0);
    subject.name = rows->text(1);
    return subject;
  }
  if (auto r = connection_->run("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (?, ?, ?, ?)", study,
                                to_text(kind), trial, name);
      !r) {
    return tl::unexpected(r.error());
  }
  subject.id = connection_->last_id();
  if (auto r = transaction->commit(); !r) return tl::unexpected(r.error());
  return subject;
}

Result<void> SqliteStore::add_sample(const tuner::Sample& s) {
  if (auto r = check(s); !r) return r;
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = connection_->run(
          "INSERT INTO sample (study_id, round, position, subject_id, phase, calls, ns, cpu, involuntary_switches, "
          "steal_ticks, migrated) SELECT study_id, ?, ?, id, ?, ?, ?, ?, ?, ?, ? FROM subject WHERE id = ? "
          "ON CONFLICT DO NOTHING",
          s.round, s.position, to_text(s.phase), s.calls, s.ns, s.cpu, s.involuntary_switches, s.steal_ticks,
          s.migrated, s.subject);
      !r) {
    return r;
  }
  if (connection_->changes() == 1) return transaction->commit();
  const auto subject = find("SELECT id FROM subject WHERE id = ?", s.subject);
  if (!subject) return tl::unexpected(subject.error());
  if (!*subject) return fail(fmt::format("there is no subject {}", s.subject));
  return fail(fmt::format("subject {} has a sample at place {} of round {} already", s.subject, s.position, s.round));
}

Result<void> SqliteStore::write_outcome(tuner::StudyId study, const tuner::StudyOutcome& outcome) const {
  if (auto r = check(outcome); !r) return r;
  if (auto r = connection_->run("DELETE FROM outcome WHERE study_id = ?", study); !r) return r;  // its ties with it
  if (outcome.best_trial) {
    if (auto r = require_winner(study, *outcome.best_trial); !r) return r;
  }
  const tuner::BlockTally& tally = outcome.tally;
  if (auto r = connection_->run("INSERT INTO outcome (study_id, best_trial_id, verdict, confidence, lead, lead_lo, "
                                "lead_hi, noise_floor, blocks, blocks_steal, blocks_context_switch, blocks_migration) "
                                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                study, outcome.best_trial, outcome.verdict, outcome.confidence, outcome.lead,
                                outcome.lead_lo, outcome.lead_hi, outcome.noise_floor, tally.blocks, tally.steal,
                                tally.context_switch, tally.migration);
      !r) {
    return r;
  }
  std::set<tuner::TrialId> tied;
  for (const tuner::TrialId trial : outcome.ties) {
    if (auto r = require_winner(study, trial); !r) return r;
    if (!tied.insert(trial).second) return fail(fmt::format("trial {} ties twice", trial));
    if (auto r = connection_->run("INSERT INTO tie (study_id, place, trial_id) VALUES (?, ?, ?)", study,
                                  static_cast<std::int64_t>(tied.size()) - 1, trial);
        !r) {
      return r;
    }
  }
  return connection_->run("UPDATE study SET updated_at = max(?, created_at) WHERE id = ?", now_ns(), study);
}

Result<void> SqliteStore::write_estimate(tuner::StudyId study, const tuner::Estimate& e) const {
  if (auto r = check(e); !r) return r;
  const auto subject = find("SELECT id FROM subject WHERE id = ? AND study_id = ?", e.subject, study);
  if (!subject) return tl::unexpected(subject.error());
  if (!*subject) return fail(fmt::format("study {} has no subject {}", study, e.subject));
  const auto gflops = e.gflops > 0 ? std::optional(e.gflops) : std::nullopt;
  if (auto r = connection_->run(
          "INSERT INTO estimate (study_id, subject_id, phase, method, samples, excluded, ns_per_call, min_ns, p10_ns, "
          "gflops, ratio, ratio_lo, ratio_hi) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
          study, e.subject, to_text(e.phase), e.method, e.samples, e.excluded, e.ns_per_call, e.min_ns, e.p10_ns,
          gflops, e.ratio, e.ratio_lo, e.ratio_hi);
      !r) {
    return r;
  }
  if (connection_->changes() == 1) return {};
  return fail(fmt::format("subject {} has two estimates for phase {}", e.subject, to_text(e.phase)));
}

Result<void> SqliteStore::set_outcome(tuner::StudyId study, const tuner::StudyOutcome& outcome,
                                      const std::vector<tuner::Estimate>& estimates) {
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_study(study); !r) return r;
  if (auto r = write_outcome(study, outcome); !r) return r;
  if (auto r = connection_->run("DELETE FROM estimate WHERE study_id = ?", study); !r) return r;
  for (const tuner::Estimate& e : estimates) {
    if (auto r = write_estimate(study, e); !r) return r;
  }
  return transaction->commit();
}

Result<void> SqliteStore::record_export(const std::string& path, const std::string& sha,
                                        const std::vector<tuner::TrialId>& trials) {
  if (path.empty() || sha.empty()) return fail("an export has a path and a digest");
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = connection_->run("INSERT INTO export (created_at, path, sha) VALUES (?, ?, ?)", now_ns(), path, sha);
      !r) {
    return r;
  }
  const std::int64_t id = connection_->last_id();
  for (const tuner::TrialId trial : std::set<tuner::TrialId>(trials.begin(), trials.end())) {
    const auto found = find("SELECT id FROM trial WHERE id = ?", trial);
    if (!found) return tl::unexpected(found.error());
    if (!*found) return fail(fmt::format("there is no trial {}", trial));
    if (auto r = connection_->run("INSERT INTO export_item (export_id, trial_id) VALUES (?, ?)", id, trial); !r)
      return r;
  }
  return transaction->commit();
}

}  // namespace gemwright::db
