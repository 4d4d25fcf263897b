// A database of an earlier gemwright is brought up to date whole or not at all, and what it was before is kept.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "db/schema.h"
#include "db/sqlite.h"
#include "tests/db/support.h"

namespace gemwright::db {
namespace {

namespace fs = std::filesystem;
using test::ask_sql;
using test::contents;
using test::run_sql;

constexpr int kKills = 12;

TEST(Migrations, AllStepsOrNone) {
  test::TemporaryFolder folder;
  const auto connection = Connection::open(folder / "m.db", Access::create, kBusyTimeout);
  ASSERT_TRUE(connection) << connection.error().message;
  std::vector<Migration> steps = {{1, migrations()[0].sql}};
  ASSERT_TRUE(migrate(**connection, steps));
  steps.push_back({2, "CREATE TABLE later (x INTEGER) STRICT"});
  steps.push_back({3, "CREATE TABLE last (x INTEGER) STRICT; INSERT INTO missing VALUES (1)"});
  EXPECT_FALSE(migrate(**connection, steps));
  EXPECT_EQ(*(*connection)->number("PRAGMA user_version"), 1);
  EXPECT_EQ(*(*connection)->number("SELECT count(*) FROM sqlite_schema WHERE name IN ('later', 'last')"), 0);
  steps.back().sql = "CREATE TABLE last (x INTEGER) STRICT";
  ASSERT_TRUE(migrate(**connection, steps));
  ASSERT_TRUE(migrate(**connection, steps));
  EXPECT_EQ(*(*connection)->number("PRAGMA user_version"), 3);
  EXPECT_EQ(*(*connection)->number("SELECT count(*) FROM schema_migration"), 3);
  EXPECT_TRUE(check_migrations(**connection, steps));
  steps.back().sql = "CREATE TABLE last (y INTEGER) STRICT";
  EXPECT_FALSE(check_migrations(**connection, steps));
}

TEST(Migrations, AFailureBeforeTheFirstStepLeavesTheTables) {
  test::TemporaryFolder folder;
  const auto connection = Connection::open(folder / "m.db", Access::create, kBusyTimeout);
  ASSERT_TRUE(connection) << connection.error().message;
  std::int64_t calls = 0, version = 0;
  const auto refuse = [&](std::int64_t v) -> Result<void> {
    ++calls;
    version = v;
    return tuner::fail("no");
  };
  ASSERT_TRUE(migrate(**connection, migrations_up_to(1), refuse)) << "there is nothing to keep of a new database";
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(migrate(**connection, migrations(), refuse));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(version, 1);
  EXPECT_EQ(*(*connection)->number("PRAGMA user_version"), 1);
}

class FromVersion1 : public testing::Test {
 protected:
  void SetUp() override { test::make_v1_database(file_); }

  // All that was in the file still is, in the tables that both versions have.
  void expect_rows(const fs::path& file) {
    const std::string counts =
        "SELECT (SELECT count(*) FROM study) || ' ' || (SELECT count(*) FROM trial) || ' ' || (SELECT count(*) FROM "
        "sample) || ' ' || (SELECT count(*) FROM estimate) || ' ' || (SELECT count(*) FROM tie)";
    EXPECT_EQ(ask_sql(file, counts), "1 2 6 1 1") << file;
    EXPECT_EQ(ask_sql(file, "PRAGMA integrity_check"), "ok") << file;
  }
  std::string version(const fs::path& file) { return ask_sql(file, "PRAGMA user_version"); }

  test::TemporaryFolder folder_;
  fs::path file_ = folder_ / "test.db";
  fs::path copy_ = folder_ / "test.db.bak-v1";
};

TEST_F(FromVersion1, EveryRowIsReadAndWhatWasNotMeasuredIsAbsent) {
  ASSERT_EQ(version(file_), "1");
  auto store = open_store(file_, OpenMode::read_write);
  ASSERT_TRUE(store) << store.error().message;
  const auto studies = (*store)->studies();
  ASSERT_TRUE(studies) << studies.error().message;
  ASSERT_EQ(studies->size(), 1u);
  const tuner::StudyRecord& s = studies->front();
  EXPECT_EQ(key(s.key), key(test::some_key()));
  EXPECT_EQ(s.runner, std::nullopt);
  EXPECT_EQ(s.outcome.best_trial, 1);
  EXPECT_EQ(s.outcome.verdict, "separated");
  EXPECT_EQ(s.outcome.ties, std::vector<tuner::TrialId>{2});
  EXPECT_FALSE(s.outcome.certified());
  EXPECT_EQ(s.outcome.lead, std::nullopt);
  EXPECT_EQ(s.outcome.noise_floor, std::nullopt);
  EXPECT_EQ(s.outcome.tally, tuner::BlockTally{});
  const auto estimates = (*store)->estimates(1);
  ASSERT_TRUE(estimates) << estimates.error().message;
  EXPECT_EQ(estimates->front().ratio_hi, 1.75);
  EXPECT_EQ(estimates->front().min_ns, std::nullopt);
  EXPECT_EQ(estimates->front().p10_ns, std::nullopt);
  EXPECT_EQ((*store)->trials(1)->size(), 2u);
  EXPECT_EQ((*store)->samples(1)->size(), 6u);
  EXPECT_TRUE((*store)->counters(1)->empty());
  EXPECT_TRUE((*store)->ceilings(1)->empty());
  EXPECT_TRUE((*store)->events(1)->empty());
  const auto again = (*store)->open_study(test::some_key(), test::some_attributes(), false);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, 1);
  EXPECT_TRUE(again->runner);
}

TEST_F(FromVersion1, TheTablesAreThoseOfANewDatabase) {
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  test::make_database(folder_ / "new.db");
  for (const std::string table :
       {"study", "estimate", "outcome", "ceiling", "counter_def", "counter", "event", "best"}) {
    const std::string ask = "SELECT group_concat(name || type || \"notnull\") FROM pragma_table_info('" + table + "')";
    EXPECT_EQ(ask_sql(file_, ask), ask_sql(folder_ / "new.db", ask));
    EXPECT_NE(ask_sql(file_, ask), "NULL") << table;
  }
  const std::string digests = "SELECT group_concat(digest) FROM schema_migration";
  EXPECT_EQ(ask_sql(file_, digests), ask_sql(folder_ / "new.db", digests));
}

TEST_F(FromVersion1, ACopyOfWhatItWasIsKept) {
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  EXPECT_EQ(version(file_), "3");
  EXPECT_EQ(version(copy_), "1");
  EXPECT_EQ(ask_sql(copy_, "PRAGMA application_id"), std::to_string(kApplicationId));
  expect_rows(file_);
  expect_rows(copy_);
  EXPECT_FALSE(fs::exists(folder_ / "test.db.bak-v1.partial"));
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  EXPECT_FALSE(fs::exists(folder_ / "test.db.bak-v1.2")) << "one copy for one migration";
}

TEST_F(FromVersion1, AnEarlierCopyIsNeverOverwritten) {
  test::write_file(copy_, "precious");
  fs::create_symlink(folder_ / "nowhere", folder_ / "test.db.bak-v1.2");
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  EXPECT_EQ(test::read_file(copy_), "precious");
  EXPECT_TRUE(fs::is_symlink(folder_ / "test.db.bak-v1.2"));
  EXPECT_EQ(version(folder_ / "test.db.bak-v1.3"), "1");
}

TEST_F(FromVersion1, TheCopyIsAsPrivateAsTheFile) {
  ASSERT_EQ(chmod(file_.c_str(), 0600), 0);
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  EXPECT_EQ(fs::status(copy_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FromVersion1, TheCopyLiesBesideTheFileThatALinkLeadsTo) {
  fs::create_directory(folder_ / "links");
  const fs::path link = folder_ / "links" / "other.db";
  fs::create_symlink(file_, link);
  ASSERT_TRUE(open_store(link, OpenMode::read_write));
  EXPECT_EQ(version(copy_), "1");
}

TEST_F(FromVersion1, ANewDatabaseNeedsNoCopy) {
  ASSERT_TRUE(open_store(folder_ / "new.db", OpenMode::read_write));
  EXPECT_FALSE(fs::exists(folder_ / "new.db.bak-v0"));
  EXPECT_FALSE(fs::exists(folder_ / "new.db.bak-v1"));
}

TEST_F(FromVersion1, ReadingBringsItUpToDateToo) {
  auto store = open_store(file_, OpenMode::read_only);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ((*store)->studies()->size(), 1u);
  EXPECT_FALSE((*store)->add_event(1, tuner::EventKind::pause, ""));
  EXPECT_EQ(version(copy_), "1");
}

TEST_F(FromVersion1, HealthReadsItAsItIs) {
  const auto before = contents(folder_.path());
  const auto health = check_health(file_);
  ASSERT_TRUE(health) << health.error().message;
  EXPECT_NE(health->find("schema version 1 of an older gemwright, studies: 1, trials: 2, no"), std::string::npos)
      << *health;
  EXPECT_EQ(contents(folder_.path()), before);
}

TEST_F(FromVersion1, WithoutACopyItStaysAsItIs) {
  fs::create_directories(folder_ / "test.db.bak-v1.partial" / "folder");
  const auto before = contents(folder_.path());
  for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
    const std::string message = test::refusal(file_, mode);
    EXPECT_NE(message.find("stays at schema version 1"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
  EXPECT_EQ(contents(folder_.path()), before);
}

TEST_F(FromVersion1, ALeftoverOfAKilledCopyIsReplaced) {
  test::write_file(folder_ / "test.db.bak-v1.partial", std::string(10000, 'x'));
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  EXPECT_FALSE(fs::exists(folder_ / "test.db.bak-v1.partial"));
  expect_rows(copy_);
}

TEST_F(FromVersion1, TablesOfAnUnreleasedVersionAreNotTouched) {
  ASSERT_EQ(run_sql(file_, "UPDATE schema_migration SET digest = 'other'"), "ok");
  const auto before = contents(folder_.path());
  EXPECT_NE(test::refusal(file_).find("unreleased"), std::string::npos);
  EXPECT_EQ(contents(folder_.path()), before);
}

TEST_F(FromVersion1, ADamagedFileIsNotTouched) {
  std::string bytes = test::read_file(file_);
  for (std::size_t page = bytes.size() / 4096 - 1; page > 1; --page) {
    bytes.replace(page * 4096, 4096, std::string(4096, '\xA5'));
  }
  test::write_file(file_, bytes);
  const auto before = contents(folder_.path());
  for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
    EXPECT_NE(test::refusal(file_, mode).find("damaged"), std::string::npos);
  }
  EXPECT_EQ(contents(folder_.path()), before);
}

// The rows that a killed writer of the earlier version left in its log are in the copy and in the file.
TEST_F(FromVersion1, RowsThatStandInTheLogOnlyAreTakenAlong) {
  ASSERT_EQ(test::in_child([&] {
              const auto connection = Connection::open(file_, Access::write, kBusyTimeout);
              if (!connection || !(*connection)->run("DELETE FROM tie") ||
                  !(*connection)->run("INSERT INTO tie VALUES (1, 3, 2)")) {
                return 1;
              }
              kill(getpid(), SIGKILL);
              return 0;
            }),
            128 + SIGKILL);
  ASSERT_GT(fs::file_size(file_.string() + "-wal"), 0u);
  ASSERT_TRUE(open_store(file_, OpenMode::read_write));
  for (const fs::path& file : {file_, copy_}) EXPECT_EQ(ask_sql(file, "SELECT place FROM tie"), "3") << file;
}

TEST_F(FromVersion1, AKillAtAnyMomentLeavesOneVersionOrTheOther) {
  const std::string original = test::read_file(file_);
  const auto migrate_in_child = [&] {
    const pid_t child = fork();
    if (child == 0) _exit(open_store(file_, OpenMode::read_write) ? 0 : 1);
    return child;
  };
  // The kills are spread over the time that one whole migration takes here.
  const auto start = std::chrono::steady_clock::now();
  waitpid(migrate_in_child(), nullptr, 0);
  const auto whole = std::chrono::steady_clock::now() - start;
  for (int i = 0; i < kKills; ++i) {
    test::write_file(file_, original);
    const pid_t child = migrate_in_child();
    std::this_thread::sleep_for(whole * i / kKills);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto health = check_health(file_);
    ASSERT_TRUE(health) << health.error().message;
    const auto store = open_store(file_, OpenMode::read_write);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->samples(1)->size(), 6u);
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.find(".bak-v1") != std::string::npos && !name.ends_with(".partial")) expect_rows(entry.path());
    }
  }
}

TEST_F(FromVersion1, TwoProcessesAtOnceMakeOneCopy) {
  constexpr int kProcesses = 4;
  pid_t children[kProcesses];
  int gate[2];
  ASSERT_EQ(pipe(gate), 0);
  for (pid_t& child : children) {
    child = fork();
    if (child != 0) continue;
    close(gate[1]);
    char nothing;
    (void)!read(gate[0], &nothing, 1);  // until the parent opens the gate
    const auto store = open_store(file_, OpenMode::read_write);
    _exit(store && (*store)->samples(1)->size() == 6 ? 0 : 1);
  }
  close(gate[0]);
  close(gate[1]);
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(version(file_), "3");
  EXPECT_EQ(version(copy_), "1");
  EXPECT_FALSE(fs::exists(folder_ / "test.db.bak-v1.2"));
  EXPECT_TRUE(check_health(file_));
}

}  // namespace
}  // namespace gemwright::db
