// The tables themselves refuse values that were not measured, whoever writes them.
#include "db/schema.h"

#include <gtest/gtest.h>

#include <string>

#include "db/inspect.h"
#include "db/sqlite.h"
#include "tests/db/support.h"

namespace gemwright::db {
namespace {

using test::ask_sql;
using test::run_sql;

class SchemaTest : public testing::Test {
 protected:
  void SetUp() override { test::make_database(file_); }
  void expect_refused(const std::string& sql) {
    const std::string answer = run_sql(file_, sql);
    EXPECT_TRUE(answer.find("constraint failed") != std::string::npos ||
                answer.find("cannot store") != std::string::npos)
        << sql << "\n"
        << answer;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "test.db";
};

TEST_F(SchemaTest, FakeMeasurementsAreRefused) {
  for (const char* set : {"calls = 0", "calls = -1", "calls = NULL", "ns = -1", "ns = NULL", "ns = 'fast'", "cpu = -1",
                          "round = -1", "position = -1", "phase = 'guess'", "migrated = 2", "steal_ticks = -1",
                          "involuntary_switches = -1", "subject_id = 99", "study_id = 99"}) {
    expect_refused(std::string("UPDATE sample SET ") + set);
  }
}

TEST_F(SchemaTest, FakeTrialsAreRefused) {
  for (const char* set : {"state = 'great'", "error_fro = -1", "error_fro = 9e999", "ended_at = started_at - 1",
                          "ended_at = NULL", "state = 'running'", "compile_ns = -1", "seq = -1", "config_id = 99",
                          "study_id = 99", "seq = 0", "config_id = 1"}) {
    expect_refused(std::string("UPDATE trial SET ") + set);
  }
}

TEST_F(SchemaTest, FakeProblemsAndStudiesAreRefused) {
  for (const char* set : {"n = 0", "k = 0", "batch = 0", "beta = 2", "interface = 'f31'", "a_layout = 'diagonal'",
                          "constant_weights = 2", "key = ''"}) {
    expect_refused(std::string("UPDATE problem SET ") + set);
  }
  for (const char* set :
       {"m = 0", "max_error = 0", "cache_bytes = -1", "weight = 0", "budget_trials = 0", "budget_seconds = 0",
        "spent_seconds = -1", "state = 'asleep'", "data = 'nice'", "cache = 'warm'", "updated_at = created_at - 1",
        "baseline = ''", "baseline = 'x', baseline_reason = 'y'", "device_id = 99", "batch_invariant = 7"}) {
    expect_refused(std::string("UPDATE study SET ") + set);
  }
  expect_refused("UPDATE device SET threads = 0");
  expect_refused("UPDATE device SET properties_json = '{'");
  expect_refused("UPDATE config SET json = 'x'");
}

TEST_F(SchemaTest, ASubjectIsATrialExactlyWhenItNamesOne) {
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (1, 'trial', NULL, '')");
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (1, 'baseline', 1, 'onednn')");
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (1, 'anchor', NULL, '')");
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (1, 'trial', 1, 'again')");
  EXPECT_EQ(run_sql(file_, "INSERT INTO subject (study_id, kind, trial_id, name) VALUES (1, 'anchor', NULL, 'a')"),
            "ok");
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (1, 'anchor', NULL, 'a')");
}

TEST_F(SchemaTest, AnEstimateHasARatioAboveZeroOrNone) {
  const std::string insert =
      "INSERT INTO estimate (study_id, subject_id, phase, method, samples, excluded, ns_per_call, "
      "gflops, ratio, ratio_lo, ratio_hi) VALUES (1, 1, 'confirm', 'm', ";
  for (const char* values :
       {"0, 0, 1.0, 1.0, NULL, NULL, NULL)", "1, -1, 1.0, 1.0, NULL, NULL, NULL)", "1, 0, 0.0, 1.0, NULL, NULL, NULL)",
        "1, 0, 9e999, 1.0, NULL, NULL, NULL)", "1, 0, 1.0, 0.0, NULL, NULL, NULL)", "1, 0, 1.0, 1.0, 0.0, NULL, NULL)",
        "1, 0, 1.0, 1.0, 1.0, 0.9, NULL)", "1, 0, 1.0, 1.0, 1.0, NULL, 1.1)", "1, 0, 1.0, 1.0, NULL, 0.9, 1.1)",
        "1, 0, 1.0, 1.0, 1.0, 1.1, 0.9)", "1, 0, 1.0, 1.0, 1.0, 0.0, 1.1)"}) {
    expect_refused(insert + values);
  }
  EXPECT_EQ(run_sql(file_, insert + "1, 0, 1.0, NULL, NULL, NULL, NULL)"), "ok");
  for (const char* set : {"min_ns = 0.0", "min_ns = -1.0", "min_ns = 9e999", "p10_ns = 0.0", "p10_ns = 9e999",
                          "min_ns = 2.0, p10_ns = 1.0"}) {
    expect_refused(std::string("UPDATE estimate SET ") + set);
  }
  EXPECT_EQ(run_sql(file_, "UPDATE estimate SET min_ns = 1.0, p10_ns = 1.5"), "ok");
}

TEST_F(SchemaTest, RowsOfTwoStudiesDoNotMix) {
  EXPECT_EQ(run_sql(file_,
                    "INSERT INTO study SELECT 2, key, 1, problem_id, m, device_id, build_id, space_version, modes, "
                    "max_error, data, cache, cache_bytes, batch_invariant, name, suite, weight, budget_seconds, "
                    "budget_trials, protocol, strategy, seed, state, created_at, updated_at, spent_seconds, "
                    "baseline, baseline_reason, runner_pid, runner_boot_id, failure FROM study"),
            "ok");
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (2, 'trial', 1, '')");
  expect_refused("INSERT INTO outcome (study_id, best_trial_id, verdict) VALUES (2, 1, '')");
  expect_refused(
      "INSERT INTO estimate (study_id, subject_id, phase, method, samples, excluded, ns_per_call) "
      "VALUES (2, 1, 'race', 'm', 1, 0, 1.0)");
}

TEST_F(SchemaTest, ACounterHasAValueExactlyWhenSomethingWasCounted) {
  ASSERT_EQ(run_sql(file_, "INSERT INTO counter_def VALUES (1, 'perf', 'cycles', 'events')"), "ok");
  const std::string insert =
      "INSERT INTO counter (study_id, subject_id, place, counter_def_id, status, value, calls, reason) "
      "VALUES (1, 1, 0, 1, ";
  for (const std::string status : {"unsupported", "denied", "not_counted", "failed"}) {
    expect_refused(insert + "'" + status + "', 0.0, 1, 'why')");
    expect_refused(insert + "'" + status + "', 0, 1, 'why')");
    expect_refused(insert + "'" + status + "', 7.5, 1, 'why')");
    expect_refused(insert + "'" + status + "', NULL, 1, '')");
    EXPECT_EQ(run_sql(file_, insert + "'" + status + "', NULL, 1, 'why'); DELETE FROM counter"), "ok");
  }
  for (const std::string status : {"counted", "scaled", "simulated", "computed"}) {
    expect_refused(insert + "'" + status + "', NULL, 1, 'why')");
    expect_refused(insert + "'" + status + "', 9e999 - 9e999, 1, '')");  // not a number, which SQLite stores as NULL
    expect_refused(insert + "'" + status + "', 9e999, 1, '')");
    expect_refused(insert + "'" + status + "', -9e999, 1, '')");
    expect_refused(insert + "'" + status + "', -1.0, 1, '')");
    expect_refused(insert + "'" + status + "', 'many', 1, '')");
    EXPECT_EQ(run_sql(file_, insert + "'" + status + "', 0.0, 1, ''); DELETE FROM counter"), "ok");
  }
  for (const char* values : {"'lost', 1.0, 1, '')", "NULL, 1.0, 1, '')", "'counted', 1.0, 0, '')",
                             "'counted', 1.0, NULL, '')", "'counted', 1.0, 1, NULL)"}) {
    expect_refused(insert + values);
  }
}

TEST_F(SchemaTest, ACounterBelongsToASubjectOfItsStudyOnce) {
  const std::string def = "INSERT INTO counter_def (provider, name, unit) VALUES ";
  EXPECT_EQ(run_sql(file_, def + "('perf', 'cycles', 'events'), ('nvml', 'power', 'mW')"), "ok");
  for (const char* values : {"('perf', 'cycles', 'events')", "('guess', 'cycles', 'events')", "('perf', '', 'events')",
                             "('perf', 'cycles', '')", "(NULL, 'cycles', 'events')"}) {
    expect_refused(def + values);
  }
  const std::string insert = "INSERT INTO counter VALUES ";
  EXPECT_EQ(run_sql(file_, insert + "(1, 1, 0, 1, 'counted', 1.0, 1, '')"), "ok");
  for (const char* values : {"(1, 1, 0, 2, 'counted', 1.0, 1, '')", "(1, 1, 1, 1, 'counted', 1.0, 1, '')",
                             "(2, 1, 1, 2, 'counted', 1.0, 1, '')", "(1, 9, 1, 2, 'counted', 1.0, 1, '')",
                             "(1, 1, 1, 9, 'counted', 1.0, 1, '')", "(1, 1, -1, 2, 'counted', 1.0, 1, '')"}) {
    expect_refused(insert + values);
  }
  expect_refused("DELETE FROM counter_def");
}

TEST_F(SchemaTest, ACeilingHasAValueOrAReason) {
  const std::string insert =
      "INSERT INTO ceiling (study_id, name, threads, unit, value, reason, spread, anchor_ns, measured_at) VALUES ";
  for (const char* values :
       {"(1, 'l1', 1, 'GB/s', NULL, NULL, 0.0, NULL, 1)", "(1, 'l1', 1, 'GB/s', NULL, '', 0.0, NULL, 1)",
        "(1, 'l1', 1, 'GB/s', 1.0, 'why', 0.0, NULL, 1)", "(1, 'l1', 1, 'GB/s', 0.0, NULL, 0.0, NULL, 1)",
        "(1, 'l1', 1, 'GB/s', 0.0, 'why', 0.0, NULL, 1)", "(1, 'l1', 1, 'GB/s', 9e999, NULL, 0.0, NULL, 1)",
        "(1, 'l1', 1, 'GB/s', 9e999 - 9e999, NULL, 0.0, NULL, 1)", "(1, 'l1', 1, 'GB/s', -1.0, NULL, 0.0, NULL, 1)",
        "(1, 'l1', 1, 'GB/s', 'fast', NULL, 0.0, NULL, 1)", "(1, '', 1, 'GB/s', 1.0, NULL, 0.0, NULL, 1)",
        "(1, 'l1', 0, 'GB/s', 1.0, NULL, 0.0, NULL, 1)", "(1, 'l1', 1, '', 1.0, NULL, 0.0, NULL, 1)",
        "(1, 'l1', 1, 'GB/s', 1.0, NULL, -1.0, NULL, 1)", "(1, 'l1', 1, 'GB/s', 1.0, NULL, NULL, NULL, 1)",
        "(1, 'l1', 1, 'GB/s', 1.0, NULL, 0.0, 0.0, 1)", "(9, 'l1', 1, 'GB/s', 1.0, NULL, 0.0, NULL, 1)"}) {
    expect_refused(insert + values);
  }
  EXPECT_EQ(run_sql(file_, insert + "(1, 'l1', 1, 'GB/s', 1.0, NULL, 0.0, 20.0, 1)"), "ok");
  EXPECT_EQ(run_sql(file_, insert + "(1, 'l3', 1, 'GB/s', NULL, 'why', 0.0, NULL, 1)"), "ok");
}

TEST_F(SchemaTest, AnEventIsOfAKnownKindAndHasItsArgument) {
  const std::string insert = "INSERT INTO event (study_id, kind, argument, created_at, applied_round) VALUES ";
  EXPECT_EQ(run_sql(file_, insert + "(1, 'pause', '', 1, NULL), (1, 'again', '17', 1, 0)"), "ok");
  for (const char* values : {"(2, 'pause', '', 1, NULL)", "(1, 'dance', '', 1, NULL)", "(1, '', '', 1, NULL)",
                             "(1, 'pause', 'x', 1, NULL)", "(1, 'again', '', 1, NULL)", "(1, 'again', NULL, 1, NULL)",
                             "(1, 'pause', '', 1, -1)", "(1, 'pin', hex(zeroblob(2049)), 1, NULL)"}) {
    expect_refused(insert + values);
  }
  EXPECT_EQ(run_sql(file_, insert + "(1, 'pin', hex(zeroblob(2048)), 1, NULL)"), "ok");
}

TEST_F(SchemaTest, FakeOutcomesAreRefused) {
  ASSERT_EQ(run_sql(file_, "INSERT INTO outcome (study_id, best_trial_id, verdict) VALUES (1, 1, '')"), "ok");
  for (const char* set :
       {"confidence = 0.0",
        "confidence = 1.0",
        "confidence = -0.5",
        "confidence = 9e999",
        "confidence = 'high'",
        "confidence = 0.95, best_trial_id = NULL",
        "confidence = 0.95, lead = NULL",
        "lead = 0.0",
        "lead = -1.0",
        "lead = 9e999",
        "lead = 1.0, best_trial_id = NULL",
        "lead_lo = 1.0, lead_hi = 1.1",
        "lead = 1.0, lead_lo = 1.0",
        "lead = 1.0, lead_hi = 1.0",
        "lead = 1.0, lead_lo = 1.1, lead_hi = 1.0",
        "lead = 1.0, lead_lo = 0.0, lead_hi = 1.0",
        "lead = 1.0, lead_lo = 1.0, lead_hi = 9e999",
        "noise_floor = -0.01",
        "noise_floor = 9e999",
        "blocks = 5",
        "blocks_migration = 0",
        "blocks = 5, blocks_steal = 0, blocks_context_switch = 0",
        "blocks = 2, blocks_steal = 1, blocks_context_switch = 1, blocks_migration = 1",
        "blocks = 9, blocks_steal = 9223372036854775807, blocks_context_switch = 9223372036854775807, "
        "blocks_migration = 2",
        "blocks = -1, blocks_steal = 0, blocks_context_switch = 0, blocks_migration = 0",
        "blocks = 2, blocks_steal = -1, blocks_context_switch = 0, blocks_migration = 0",
        "blocks = 2, blocks_steal = 0, blocks_context_switch = -1, blocks_migration = 0",
        "blocks = 2, blocks_steal = 0, blocks_context_switch = 0, blocks_migration = -1"}) {
    expect_refused(std::string("UPDATE outcome SET ") + set);
  }
  EXPECT_EQ(
      run_sql(file_,
              "UPDATE outcome SET confidence = 0.95, lead = 1.05, lead_lo = 1.01, lead_hi = 1.1, noise_floor = 0.0, "
              "blocks = 9, blocks_steal = 2, blocks_context_switch = 3, blocks_migration = 4"),
      "ok");
}

TEST_F(SchemaTest, ARunnerIsAProcessOfABoot) {
  for (const char* set : {"runner_pid = 0", "runner_pid = -1", "runner_pid = NULL", "runner_boot_id = NULL"}) {
    expect_refused(std::string("UPDATE study SET ") + set);
  }
  EXPECT_EQ(run_sql(file_, "UPDATE study SET runner_pid = NULL, runner_boot_id = NULL"), "ok");
  for (const char* set : {"failure = ''", "failure = 'because'"}) {  // the study has not failed
    expect_refused(std::string("UPDATE study SET ") + set);
  }
  expect_refused("UPDATE trial SET reduction_class = ''");
}

TEST_F(SchemaTest, ConfigParametersAreRowsForSqlUsers) {
  EXPECT_EQ(ask_sql(file_, "SELECT count(*) FROM config_param WHERE name LIKE '%mr' AND num = 6"), "1");
  EXPECT_NE(ask_sql(file_, "SELECT count(DISTINCT name) FROM config_param"), "0");
}

TEST_F(SchemaTest, BestListsTheConfirmedWinnerOnly) {
  EXPECT_EQ(ask_sql(file_, "SELECT count(*) FROM best"), "0");
  auto store = open_store(file_, OpenMode::read_write);
  ASSERT_TRUE(store) << store.error().message;
  tuner::Estimate e;
  e.method = "median";
  e.samples = 6;
  e.ns_per_call = 100;
  e.gflops = 5;
  std::vector<tuner::Estimate> estimates;
  for (const tuner::SubjectId subject : {1, 2}) {
    for (const auto phase : {tuner::Phase::race, tuner::Phase::confirm}) {
      e.subject = subject;
      e.phase = phase;
      estimates.push_back(e);
    }
  }
  tuner::StudyOutcome outcome;
  outcome.best_trial = 2;
  outcome.confidence = 0.95;
  outcome.lead = 1.05;
  ASSERT_TRUE((*store)->set_outcome(1, outcome, estimates));
  EXPECT_EQ(ask_sql(file_, "SELECT count(*) FROM best"), "1");
  EXPECT_EQ(ask_sql(file_, "SELECT trial_id FROM best"), "2");
  EXPECT_EQ(ask_sql(file_, "SELECT confidence FROM best"), "0.95");
}

TEST_F(SchemaTest, DeletingAStudyTakesItsRowsAlong) {
  EXPECT_EQ(run_sql(file_,
                    "INSERT INTO counter_def VALUES (1, 'perf', 'cycles', 'events'); "
                    "INSERT INTO counter VALUES (1, 1, 0, 1, 'counted', 1.0, 1, ''); "
                    "INSERT INTO ceiling VALUES (1, 1, 'l1', 1, 'GB/s', 1.0, NULL, 0.0, NULL, 1); "
                    "INSERT INTO event VALUES (1, 1, 'pause', '', 1, NULL)"),
            "ok");
  EXPECT_EQ(run_sql(file_, "DELETE FROM study"), "ok");
  for (const char* table : {"trial", "subject", "sample", "outcome", "counter", "ceiling", "event"}) {
    EXPECT_EQ(ask_sql(file_, std::string("SELECT count(*) FROM ") + table), "0") << table;
  }
}

TEST_F(SchemaTest, TheFileTellsWhoseItIs) {
  EXPECT_EQ(ask_sql(file_, "PRAGMA application_id"), std::to_string(0x474D5752));
  EXPECT_EQ(ask_sql(file_, "PRAGMA user_version"), "3");
  EXPECT_EQ(ask_sql(file_, "SELECT count(*) FROM schema_migration WHERE length(digest) = 32"), "3");
  EXPECT_EQ(ask_sql(file_, "PRAGMA journal_mode"), "wal");
}

TEST(Sqlite, ANumberThatIsNoneIsNotStoredAsAbsent) {
  test::TemporaryFolder folder;
  const auto connection = Connection::open(folder / "m.db", Access::create, kBusyTimeout);
  ASSERT_TRUE(connection);
  ASSERT_TRUE((*connection)->script("CREATE TABLE t (x REAL) STRICT"));
  EXPECT_FALSE((*connection)->run("INSERT INTO t VALUES (?)", std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(*(*connection)->number("SELECT count(*) FROM t"), 0);
}

TEST(Journal, NetworkFileSystemsAreKnown) {
  EXPECT_TRUE(is_network_file_system(0x6969));
  EXPECT_TRUE(is_network_file_system(0xFF534D42));
  EXPECT_TRUE(is_network_file_system(0x01021997));
  EXPECT_TRUE(is_network_file_system(0x65735546));
  EXPECT_FALSE(is_network_file_system(0xEF53));      // ext4
  EXPECT_FALSE(is_network_file_system(0x01021994));  // tmpfs
}

}  // namespace
}  // namespace gemwright::db
