// Stored values that make no sense are one sentence that names table and row, whoever wrote them.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/db/support.h"

namespace gemwright::db {
namespace {

class BrokenValue : public testing::Test {
 protected:
  void SetUp() override {
    test::make_database(file_);
    auto store = open_store(file_, OpenMode::read_write);
    ASSERT_TRUE(store) << store.error().message;
    tuner::StudyOutcome outcome;
    outcome.best_trial = 1;
    outcome.lead = 1.5;
    outcome.tally = {10, 1, 1, 1};
    ASSERT_TRUE((*store)->set_outcome(1, outcome, {}));
    ASSERT_TRUE((*store)->add_ceilings(1, {{"read.l1", 1, "GB/s", 50, "", 0.01, 20}}));
    ASSERT_TRUE((*store)->set_counters(
        1, {{"perf", "cycles", "events", profilers::CounterStatus::counted, 5, 1, ""},
            {"perf", "dram", "bytes", profilers::CounterStatus::unsupported, std::nullopt, 1, "no such counter"}}));
    ASSERT_TRUE((*store)->add_event(1, tuner::EventKind::veto, "mr=8"));
    store->reset();
    good_ = test::read_file(file_);
  }

  // Each change alone makes `ask` fail with `row` in a sentence of one line.
  template <class Rows>
  void expect_complaint(const std::vector<std::string>& changes, const std::string& row,
                        tuner::Result<Rows> (tuner::Store::*ask)(tuner::StudyId) const) {
    expect_complaint(changes, row, [ask](const tuner::Store& s) -> std::string {
      const auto rows = (s.*ask)(1);
      return rows ? "read" : rows.error().message;
    });
  }
  void expect_complaint(const std::vector<std::string>& changes, const std::string& row,
                        const std::function<std::string(const tuner::Store&)>& ask) {
    for (const std::string& change : changes) {
      test::write_file(file_, good_);
      ASSERT_EQ(
          test::run_sql(file_, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; UPDATE " + change),
          "ok")
          << change;
      const auto store = open_store(file_, OpenMode::read_only);
      ASSERT_TRUE(store) << store.error().message;
      const std::string message = ask(**store);
      EXPECT_NE(message.find(row), std::string::npos) << change << "\n" << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "test.db";
  std::string good_;
};

TEST_F(BrokenValue, OfATrial) {
  expect_complaint({"trial SET state = 'great' WHERE id = 2", "trial SET error_fro = 9e999 WHERE id = 2",
                    "trial SET compile_ns = -5 WHERE id = 2", "trial SET config_id = 99 WHERE id = 2",
                    "config SET json = '{}' WHERE id = 2", "config SET json = 'x' WHERE id = 2",
                    "config SET json = (SELECT json FROM config WHERE id = 1) WHERE id = 2",
                    "config SET key = 'x' WHERE id = 2", "config SET json = '[' || json || ']' WHERE id = 2"},
                   "table trial, row 2", &tuner::Store::trials);
}

TEST_F(BrokenValue, OfAStudyOrItsOutcome) {
  expect_complaint({"study SET state = 'asleep'",
                    "study SET data = 'nice'",
                    "study SET modes = 'f32,f99'",
                    "study SET modes = ''",
                    "study SET m = 5",
                    "study SET weight = -1",
                    "study SET device_id = 99",
                    "study SET batch_invariant = 7",
                    "study SET space_version = 99999999999",
                    "problem SET key = 'gemm'",
                    "device SET properties_json = '{'",
                    "study SET runner_pid = 0",
                    "study SET failure = 'late'",
                    "study SET runner_boot_id = NULL",
                    "outcome SET confidence = 1.5",
                    "outcome SET confidence = 0.0",
                    "outcome SET lead = -1.0",
                    "outcome SET lead_lo = 1.0",
                    "outcome SET lead_lo = 2.0, lead_hi = 1.0",
                    "outcome SET lead = NULL, lead_lo = 1.0, lead_hi = 2.0",
                    "outcome SET noise_floor = -0.5",
                    "outcome SET noise_floor = 9e999",
                    "outcome SET blocks = 2",
                    "outcome SET blocks_steal = -1",
                    "outcome SET blocks_migration = 9223372036854775807",
                    "outcome SET best_trial_id = NULL"},
                   "table study, row 1", [](const tuner::Store& s) -> std::string {
                     const auto rows = s.studies();
                     return rows ? "read" : rows.error().message;
                   });
}

TEST_F(BrokenValue, OfASample) {
  expect_complaint({"sample SET calls = 0 WHERE round = 1", "sample SET phase = 'x' WHERE round = 1"},
                   "table sample, study 1 round 1", &tuner::Store::samples);
}

TEST_F(BrokenValue, OfACeiling) {
  expect_complaint({"ceiling SET value = 0.0", "ceiling SET value = 9e999", "ceiling SET value = NULL",
                    "ceiling SET reason = 'none'", "ceiling SET name = ''", "ceiling SET name = char(27)",
                    "ceiling SET unit = ''", "ceiling SET threads = 0", "ceiling SET threads = 99999999999",
                    "ceiling SET spread = -1.0", "ceiling SET anchor_ns = 0.0"},
                   "table ceiling, row 1", &tuner::Store::ceilings);
}

TEST_F(BrokenValue, OfACounter) {
  expect_complaint({"counter SET value = 0.0 WHERE place = 1", "counter SET reason = '' WHERE place = 1",
                    "counter SET status = 'counted' WHERE place = 1", "counter SET status = 'lost' WHERE place = 1",
                    "counter SET calls = 0 WHERE place = 1", "counter SET counter_def_id = 99 WHERE place = 1",
                    "counter_def SET provider = 'guess' WHERE id = 2", "counter_def SET unit = '' WHERE id = 2",
                    "counter_def SET name = 'a' || char(10) WHERE id = 2"},
                   "table counter, subject 1 place 1", &tuner::Store::counters);
  expect_complaint({"counter SET value = NULL WHERE place = 0", "counter SET value = -1.0 WHERE place = 0",
                    "counter SET value = 9e999 WHERE place = 0", "counter SET status = 'denied' WHERE place = 0"},
                   "table counter, subject 1 place 0", &tuner::Store::counters);
}

TEST_F(BrokenValue, OfAnEvent) {
  expect_complaint({"event SET kind = 'dance'", "event SET argument = ''", "event SET kind = 'stop'",
                    "event SET argument = 'a' || char(10)", "event SET applied_round = -1",
                    "event SET argument = hex(zeroblob(3000))"},
                   "table event, row 1", &tuner::Store::events);
}

// A STRICT table refuses them; a table of another shape under the same name does not.
TEST_F(BrokenValue, OfTheWrongType) {
  ASSERT_EQ(test::run_sql(file_,
                          "DROP TABLE event; CREATE TABLE event (id, study_id, kind, argument, created_at, "
                          "applied_round); INSERT INTO event VALUES (1, 1, 'veto', 7, 'now', NULL); "
                          "DROP TABLE ceiling; CREATE TABLE ceiling (id, study_id, name, threads, unit, value, reason, "
                          "spread, anchor_ns, measured_at); "
                          "INSERT INTO ceiling VALUES (1, 1, 'read.l1', 1, 'GB/s', '50', NULL, x'00', NULL, 1)"),
            "ok");
  const auto store = open_store(file_, OpenMode::read_only);
  ASSERT_TRUE(store) << store.error().message;
  const auto events = (*store)->events(1);
  ASSERT_FALSE(events);
  EXPECT_NE(events.error().message.find("column argument has the wrong type"), std::string::npos)
      << events.error().message;
  const auto ceilings = (*store)->ceilings(1);
  ASSERT_FALSE(ceilings);
  EXPECT_NE(ceilings.error().message.find("column value has the wrong type"), std::string::npos)
      << ceilings.error().message;
}

}  // namespace
}  // namespace gemwright::db
