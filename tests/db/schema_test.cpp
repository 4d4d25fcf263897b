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
}

TEST_F(SchemaTest, RowsOfTwoStudiesDoNotMix) {
  EXPECT_EQ(run_sql(file_,
                    "INSERT INTO study SELECT 2, key, 1, problem_id, m, device_id, build_id, space_version, modes, "
                    "max_error, data, cache, cache_bytes, batch_invariant, name, suite, weight, budget_seconds, "
                    "budget_trials, protocol, strategy, seed, state, created_at, updated_at, spent_seconds, "
                    "baseline, baseline_reason FROM study"),
            "ok");
  expect_refused("INSERT INTO subject (study_id, kind, trial_id, name) VALUES (2, 'trial', 1, '')");
  expect_refused("INSERT INTO outcome (study_id, best_trial_id, verdict) VALUES (2, 1, '')");
  expect_refused(
      "INSERT INTO estimate (study_id, subject_id, phase, method, samples, excluded, ns_per_call) "
      "VALUES (2, 1, 'race', 'm', 1, 0, 1.0)");
}

TEST_F(SchemaTest, AnEventBelongsToAStudyAndHoldsJson) {
  const std::string insert = "INSERT INTO event (study_id, kind, payload, created_at, applied_round) VALUES ";
  EXPECT_EQ(run_sql(file_, insert + "(1, 'pause', '{}', 1, NULL)"), "ok");
  expect_refused(insert + "(2, 'pause', '{}', 1, NULL)");
  expect_refused(insert + "(1, 'pause', '{', 1, NULL)");
  expect_refused(insert + "(1, '', '{}', 1, NULL)");
  expect_refused(insert + "(1, 'pause', '{}', 1, -1)");
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
  ASSERT_TRUE((*store)->set_outcome(1, {2, "separated", {}}, estimates));
  EXPECT_EQ(ask_sql(file_, "SELECT count(*) FROM best"), "1");
  EXPECT_EQ(ask_sql(file_, "SELECT trial_id FROM best"), "2");
}

TEST_F(SchemaTest, DeletingAStudyTakesItsRowsAlong) {
  EXPECT_EQ(run_sql(file_, "DELETE FROM study"), "ok");
  for (const char* table : {"trial", "subject", "sample", "outcome"}) {
    EXPECT_EQ(ask_sql(file_, std::string("SELECT count(*) FROM ") + table), "0") << table;
  }
}

TEST_F(SchemaTest, TheFileTellsWhoseItIs) {
  EXPECT_EQ(ask_sql(file_, "PRAGMA application_id"), std::to_string(0x474D5752));
  EXPECT_EQ(ask_sql(file_, "PRAGMA user_version"), "1");
  EXPECT_EQ(ask_sql(file_, "SELECT length(digest) FROM schema_migration"), "32");
  EXPECT_EQ(ask_sql(file_, "PRAGMA journal_mode"), "wal");
}

TEST(Migrations, EachStepIsWholeOrAbsent) {
  test::TemporaryFolder folder;
  const auto connection = Connection::open(folder / "m.db", Access::create, kBusyTimeout);
  ASSERT_TRUE(connection) << connection.error().message;
  std::vector<Migration> steps = migrations();
  ASSERT_TRUE(migrate(**connection, steps));
  steps.push_back({2, "CREATE TABLE later (x INTEGER) STRICT; INSERT INTO missing VALUES (1);"});
  EXPECT_FALSE(migrate(**connection, steps));
  EXPECT_EQ(*(*connection)->number("PRAGMA user_version"), 1);
  EXPECT_EQ(*(*connection)->number("SELECT count(*) FROM sqlite_schema WHERE name = 'later'"), 0);
  steps.back().sql = "CREATE TABLE later (x INTEGER) STRICT;";
  ASSERT_TRUE(migrate(**connection, steps));
  ASSERT_TRUE(migrate(**connection, steps));
  EXPECT_EQ(*(*connection)->number("PRAGMA user_version"), 2);
  EXPECT_EQ(*(*connection)->number("SELECT count(*) FROM schema_migration"), 2);
  EXPECT_TRUE(check_migrations(**connection, steps));
  steps.back().sql = "CREATE TABLE later (y INTEGER) STRICT;";
  EXPECT_FALSE(check_migrations(**connection, steps));
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
