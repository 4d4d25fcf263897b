#include <fmt/format.h>

#include <utility>

#include "db/read_rows.h"
#include "db/sqlite_store.h"
#include "tuner/study/check.h"

namespace gemwright::db {

using tuner::fail;

namespace {

Result<tuner::StudyCeiling> read_ceiling(RowReader row) {
  tuner::StudyCeiling c;
  row.integer();  // its id
  c.ceiling.name = row.text();
  c.ceiling.threads = row.small_integer();
  c.ceiling.unit = row.text();
  c.ceiling.value = row.maybe_real();
  c.ceiling.reason = row.maybe_text().value_or("");
  c.ceiling.spread = row.real();
  c.ceiling.anchor_ns = row.maybe_real();
  c.measured_at = row.integer();
  row.accept(tuner::check(c.ceiling));
  return row.finish(std::move(c));
}

Result<profilers::CounterStatus> parse_status(const std::string& text) {
  const auto status = profilers::parse_counter_status(text);
  if (!status) return fail("there is no such status of a counter");
  return *status;
}

Result<tuner::SubjectCounter> read_counter(RowReader row) {
  tuner::SubjectCounter c;
  c.subject = row.integer();
  row.integer();  // its place
  c.counter.provider = row.text();
  c.counter.name = row.text();
  c.counter.unit = row.text();
  c.counter.status = row.accept(parse_status(row.text()), profilers::CounterStatus::failed);
  c.counter.value = row.maybe_real();
  c.counter.calls = row.integer();
  c.counter.reason = row.text();
  row.accept(tuner::check(c.counter));
  return row.finish(std::move(c));
}

Result<tuner::StudyEvent> read_event(RowReader row) {
  tuner::StudyEvent e;
  e.id = row.integer();
  e.study = row.integer();
  e.kind = row.accept(tuner::parse_event_kind(row.text()));
  e.argument = row.text();
  e.created_at = row.integer();
  e.applied_round = row.maybe_integer();
  row.accept(check(e));
  return row.finish(std::move(e));
}

}  // namespace

Result<void> SqliteStore::add_ceilings(tuner::StudyId study, const std::vector<profilers::Ceiling>& ceilings) {
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_study(study); !r) return r;
  const std::int64_t now = now_ns();
  for (const profilers::Ceiling& c : ceilings) {
    if (auto r = tuner::check(c); !r) return r;
    const auto reason = c.value ? std::nullopt : std::optional(c.reason);
    if (auto r = connection_->run(
            "INSERT INTO ceiling (study_id, name, threads, unit, value, reason, spread, anchor_ns, measured_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            study, c.name, c.threads, c.unit, c.value, reason, c.spread, c.anchor_ns, now);
        !r) {
      return r;
    }
  }
  return transaction->commit();
}

Result<std::int64_t> SqliteStore::counter_def_id(const profilers::Counter& c) const {
  const auto found =
      find("SELECT id FROM counter_def WHERE provider = ? AND name = ? AND unit = ?", c.provider, c.name, c.unit);
  if (!found) return tl::unexpected(found.error());
  if (*found) return **found;
  if (auto r = connection_->run("INSERT INTO counter_def (provider, name, unit) VALUES (?, ?, ?)", c.provider, c.name,
                                c.unit);
      !r) {
    return tl::unexpected(r.error());
  }
  return connection_->last_id();
}

Result<void> SqliteStore::set_counters(tuner::SubjectId subject, const std::vector<profilers::Counter>& counters) {
  if (auto r = tuner::check(counters); !r) return r;
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  const auto study = find("SELECT study_id FROM subject WHERE id = ?", subject);
  if (!study) return tl::unexpected(study.error());
  if (!*study) return fail(fmt::format("there is no subject {}", subject));
  if (auto r = connection_->run("DELETE FROM counter WHERE subject_id = ?", subject); !r) return r;
  std::int64_t place = 0;
  for (const profilers::Counter& c : counters) {
    const auto def = counter_def_id(c);
    if (!def) return tl::unexpected(def.error());
    if (auto r = connection_->run(
            "INSERT INTO counter (study_id, subject_id, place, counter_def_id, status, value, calls, reason) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            **study, subject, place++, *def, to_text(c.status), c.value, c.calls, c.reason);
        !r) {
      return r;
    }
  }
  return transaction->commit();
}

Result<tuner::StudyEvent> SqliteStore::add_event(tuner::StudyId study, tuner::EventKind kind,
                                                 const std::string& argument) {
  tuner::StudyEvent event{0, study, kind, argument, now_ns(), std::nullopt};
  if (auto r = check(event); !r) return tl::unexpected(r.error());
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = require_study(study); !r) return tl::unexpected(r.error());
  if (auto r = connection_->run("INSERT INTO event (study_id, kind, argument, created_at) VALUES (?, ?, ?, ?)", study,
                                to_text(kind), argument, event.created_at);
      !r) {
    return tl::unexpected(r.error());
  }
  event.id = connection_->last_id();
  if (auto r = transaction->commit(); !r) return tl::unexpected(r.error());
  return event;
}

Result<void> SqliteStore::stamp_event(std::int64_t event, std::int64_t applied_round) {
  if (applied_round < 0) return fail("rounds count from 0");
  auto transaction = begin();
  if (!transaction) return tl::unexpected(transaction.error());
  if (auto r = connection_->run("UPDATE event SET applied_round = ? WHERE id = ? AND applied_round IS NULL",
                                applied_round, event);
      !r) {
    return r;
  }
  if (connection_->changes() == 1) return transaction->commit();
  const auto round = find("SELECT applied_round FROM event WHERE id = ?", event);
  if (!round) return tl::unexpected(round.error());
  if (!*round) return fail(fmt::format("there is no event {}", event));
  return fail(fmt::format("event {} took effect in round {} already", event, **round));
}

Result<std::vector<tuner::StudyCeiling>> SqliteStore::ceilings(tuner::StudyId study) const {
  return read_all(*connection_,
                  connection_->query("SELECT id, name, threads, unit, value, reason, spread, anchor_ns, measured_at "
                                     "FROM ceiling WHERE study_id = ? ORDER BY id",
                                     study),
                  read_ceiling, by_id("ceiling"));
}

Result<std::vector<tuner::SubjectCounter>> SqliteStore::counters(tuner::StudyId study) const {
  return read_all(*connection_,
                  connection_->query("SELECT c.subject_id, c.place, d.provider, d.name, d.unit, c.status, c.value, "
                                     "c.calls, c.reason FROM counter c LEFT JOIN counter_def d "
                                     "ON d.id = c.counter_def_id WHERE c.study_id = ? ORDER BY c.subject_id, c.place",
                                     study),
                  read_counter, [](const Statement& s) {
                    return fmt::format("table counter, subject {} place {}", s.integer(0), s.integer(1));
                  });
}

Result<std::vector<tuner::StudyEvent>> SqliteStore::events(tuner::StudyId study) const {
  return read_all(*connection_,
                  connection_->query("SELECT id, study_id, kind, argument, created_at, applied_round FROM event "
                                     "WHERE study_id = ? ORDER BY id",
                                     study),
                  read_event, by_id("event"));
}

}  // namespace gemwright::db
