// Whatever stands where the database should be gets one sentence and stays as it is, byte for byte.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "tests/db/support.h"

namespace gemwright::db {
namespace {

namespace fs = std::filesystem;
using test::ask_sql;
using test::contents;
using test::refusal;
using test::run_sql;

constexpr uid_t kNobody = 65534;

class BadFile : public testing::Test {
 protected:
  // Refused for writing and for reading, with `part` in the sentence, and nothing changes in the folder.
  void expect_refused(const fs::path& file, const std::string& part) {
    const auto before = contents(folder_.path());
    for (const OpenMode mode : {OpenMode::read_write, OpenMode::read_only}) {
      const std::string message = refusal(file, mode);
      EXPECT_NE(message.find(part), std::string::npos) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_EQ(contents(folder_.path()), before);
    }
    EXPECT_FALSE(check_health(file));
    EXPECT_EQ(contents(folder_.path()), before);
  }

  test::TemporaryFolder folder_;
  fs::path file_ = folder_ / "test.db";
};

TEST_F(BadFile, AFolder) {
  fs::create_directory(file_);
  expect_refused(file_, "is a folder");
}

TEST_F(BadFile, APipe) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  expect_refused(file_, "not a regular file");
}

TEST_F(BadFile, AMissingFolder) { expect_refused(folder_ / "missing" / "test.db", "does not exist"); }

TEST_F(BadFile, NoName) { expect_refused("", "empty"); }

TEST_F(BadFile, AMissingFileIsRefusedForReadingAndNotMade) {
  EXPECT_NE(refusal(file_, OpenMode::read_only).find("there is no database"), std::string::npos);
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(BadFile, ATextFile) {
  test::write_file(file_, "m,n,k\n1,4096,4096\n");
  expect_refused(file_, "not a SQLite database");
  test::write_file(file_, std::string(8192, 'x'));
  expect_refused(file_, "not a SQLite database");
}

TEST_F(BadFile, OnlyTheBeginningOfADatabase) {
  test::write_file(file_, std::string("SQLite format 3\0", 16));
  expect_refused(file_, "not a SQLite database");
}

TEST_F(BadFile, AnotherApplicationsDatabase) {
  ASSERT_EQ(run_sql(file_, "CREATE TABLE mail (subject TEXT)"), "ok");
  expect_refused(file_, "another application");
  ASSERT_EQ(run_sql(file_, "PRAGMA application_id = 252006675"), "ok");
  expect_refused(file_, "another application");
  ASSERT_EQ(run_sql(file_, "PRAGMA journal_mode = WAL"), "ok");
  expect_refused(file_, "another application");
}

TEST_F(BadFile, AnotherApplicationsEmptyDatabaseWithItsMark) {
  ASSERT_EQ(run_sql(file_, "PRAGMA application_id = 252006675"), "ok");
  expect_refused(file_, "another application");
}

TEST_F(BadFile, AnUnfinishedWriteOfAnotherApplicationIsNotRolledBack) {
  ASSERT_EQ(run_sql(file_, "CREATE TABLE mail (subject TEXT)"), "ok");
  test::write_file(file_.string() + "-journal", "whatever it is, it is not ours");
  expect_refused(file_, "another application");
}

TEST_F(BadFile, ANewerVersion) {
  test::make_database(file_);
  ASSERT_EQ(run_sql(file_, "PRAGMA user_version = 4"), "ok");
  expect_refused(file_, "newer gemwright (schema version 4");
  EXPECT_FALSE(fs::exists(file_.string() + "-wal"));
}

TEST_F(BadFile, ANewerVersionThatStandsInTheLogOnly) {
  test::make_database(file_);
  ASSERT_EQ(test::in_child([&] {
              sqlite3* connection = nullptr;
              sqlite3_open(file_.c_str(), &connection);
              sqlite3_exec(connection, "PRAGMA user_version = 4; CREATE TABLE later (x)", nullptr, nullptr, nullptr);
              kill(getpid(), SIGKILL);
              return 0;
            }),
            128 + SIGKILL);
  ASSERT_GT(fs::file_size(file_.string() + "-wal"), 0u);
  expect_refused(file_, "newer gemwright (schema version 4");
}

TEST_F(BadFile, ADatabaseOfAnUnreleasedVersion) {
  test::make_database(file_);
  ASSERT_EQ(run_sql(file_, "UPDATE schema_migration SET digest = 'other'"), "ok");
  expect_refused(file_, "unreleased");
}

TEST_F(BadFile, ATruncatedDatabase) {
  test::make_database(file_);
  const std::string whole = test::read_file(file_);
  for (const std::size_t size :
       {std::size_t{100}, std::size_t{4096}, whole.size() / 2, whole.size() - 4096, whole.size() - 1}) {
    test::write_file(file_, whole.substr(0, size));
    expect_refused(file_, "");
  }
}

TEST_F(BadFile, DamagedPagesAreFoundBeforeTheFirstWrite) {
  test::make_database(file_);
  const std::string whole = test::read_file(file_);
  const std::size_t pages = whole.size() / 4096;
  int refused = 0;
  for (std::size_t page = 1; page < pages; ++page) {
    std::string broken = whole;
    broken.replace(page * 4096, 4096, std::string(4096, '\xA5'));
    test::write_file(file_, broken);
    const auto before = contents(folder_.path());
    const auto store = open_store(file_, OpenMode::read_write);
    EXPECT_FALSE(store) << "page " << page;
    if (!store) {
      ++refused;
      EXPECT_NE(store.error().message.find("damaged"), std::string::npos) << store.error().message;
    }
    EXPECT_EQ(contents(folder_.path()), before);
    EXPECT_FALSE(check_health(file_));
  }
  EXPECT_GT(refused, 5);
}

TEST_F(BadFile, RandomDamageNeverCrashes) {
  test::make_database(file_);
  const std::string whole = test::read_file(file_);
  std::uint64_t state = 88172645463325252u;
  for (int i = 0; i < 200; ++i) {
    std::string broken = whole;
    for (int k = 0; k < 8; ++k) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      broken[state % broken.size()] = static_cast<char>(state >> 40);
    }
    test::write_file(file_, broken);
    const auto store = open_store(file_, OpenMode::read_only);
    if (!store) continue;
    for (const auto& study : (*store)->studies().value_or(std::vector<tuner::StudyRecord>{})) {
      (void)(*store)->trials(study.id);
      (void)(*store)->samples(study.id);
    }
  }
  SUCCEED();
}

TEST_F(BadFile, AnEmptyFileIsANewDatabase) {
  test::write_file(file_, "");
  EXPECT_NE(refusal(file_, OpenMode::read_only).find("empty"), std::string::npos);
  EXPECT_EQ(fs::file_size(file_), 0u);
  const auto store = open_store(file_, OpenMode::read_write);
  EXPECT_TRUE(store) << store.error().message;
}

TEST_F(BadFile, ADatabaseWithoutTablesIsANewDatabase) {
  ASSERT_EQ(run_sql(file_, "VACUUM"), "ok");
  ASSERT_EQ(run_sql(file_, "CREATE TABLE t (x); DROP TABLE t"), "ok");
  ASSERT_GT(fs::file_size(file_), 0u);
  const auto store = open_store(file_, OpenMode::read_write);
  EXPECT_TRUE(store) << store.error().message;
}

TEST_F(BadFile, NamesThatMeanSomethingToSqliteAreFiles) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  EXPECT_TRUE(open_store(":memory:", OpenMode::read_write));
  EXPECT_TRUE(open_store("file:x?mode=memory", OpenMode::read_write));
  fs::current_path(before);
  EXPECT_TRUE(fs::exists(folder_ / ":memory:"));
  EXPECT_TRUE(fs::exists(folder_ / "file:x?mode=memory"));
}

TEST_F(BadFile, ALinkLeadsToTheFileAndItsLog) {
  test::make_database(file_);
  fs::create_directory(folder_ / "links");
  const fs::path link = folder_ / "links" / "test.db";
  fs::create_symlink(file_, link);
  EXPECT_TRUE(check_health(link));
  ASSERT_EQ(run_sql(file_, "PRAGMA user_version = 4"), "ok");
  expect_refused(link, "newer gemwright");
}

TEST_F(BadFile, AHostileNameStaysOneLine) {
  const std::string message = refusal(folder_ / "a\n\x1b[31mb" / "test.db");
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_TRUE(open_store(folder_ / "a\nb.db", OpenMode::read_write));
}

TEST_F(BadFile, ALockedDatabaseIsSaidToBeLockedAndGoesOnLater) {
  test::make_database(file_);
  auto store = open_store(file_, OpenMode::read_write, std::chrono::milliseconds(20));
  ASSERT_TRUE(store) << store.error().message;
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto added = (*store)->add_sample(test::some_sample(1, 50));
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message.find("locked by another process"), std::string::npos) << added.error().message;
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_TRUE((*store)->add_sample(test::some_sample(1, 50)));
}

TEST_F(BadFile, HealthFindsAReferenceToNothing) {
  test::make_database(file_);
  const auto good = check_health(file_);
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_NE(good->find("schema version 3, studies: 1, trials: 2, ceilings: 0, counters: 0, events: 0"),
            std::string::npos)
      << *good;
  EXPECT_EQ(good->find('\n'), std::string::npos);
  ASSERT_EQ(run_sql(file_, "PRAGMA foreign_keys = OFF; UPDATE trial SET config_id = 99 WHERE id = 2"), "ok");
  const auto bad = check_health(file_);
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().message.find("table trial, row 2"), std::string::npos) << bad.error().message;
}

TEST_F(BadFile, AFileWithoutTheTablesItsVersionPromises) {
  test::make_database(file_);
  ASSERT_EQ(run_sql(file_, "DROP VIEW best; DROP TABLE sample"), "ok");
  auto store = open_store(file_, OpenMode::read_only);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_FALSE((*store)->samples(1));
}

// As a user who owns nothing here: root may write everywhere.
class AsNobody : public BadFile {
 protected:
  void SetUp() override {
    if (geteuid() != 0) return;
    chmod(folder_.path().c_str(), 0755);
  }
  // The message of an open in a process without rights, or "opened".
  std::string message_as_nobody(OpenMode mode) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
    test::in_child([&] {
      if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) return 1;
      const auto store = open_store(file_, mode);
      const std::string text =
          store ? "opened, studies: " + std::to_string((*store)->studies()->size()) : store.error().message;
      return write(ends[1], text.data(), text.size()) > 0 ? 0 : 1;
    });
    close(ends[1]);
    char text[4096];
    const ssize_t size = read(ends[0], text, sizeof text);
    close(ends[0]);
    return std::string(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  }
};

TEST_F(AsNobody, AFolderThatMayNotBeWritten) {
  chmod(folder_.path().c_str(), 0555);
  const std::string message = message_as_nobody(OpenMode::read_write);
  EXPECT_NE(message.find("may not be written"), std::string::npos) << message;
  EXPECT_TRUE(contents(folder_.path()).empty());
  chmod(folder_.path().c_str(), 0755);
}

TEST_F(AsNobody, ADatabaseInAFolderThatMayNotBeWrittenIsReadable) {
  test::make_database(file_);
  chmod(file_.c_str(), 0444);
  chmod(folder_.path().c_str(), 0555);
  const auto before = contents(folder_.path());
  EXPECT_EQ(message_as_nobody(OpenMode::read_only), "opened, studies: 1");
  const std::string message = message_as_nobody(OpenMode::read_write);
  EXPECT_NE(message.find("may not be written"), std::string::npos) << message;
  EXPECT_EQ(contents(folder_.path()), before);
  chmod(folder_.path().c_str(), 0755);
}

TEST_F(AsNobody, AnEarlierVersionThatMayNotBeWrittenIsSaidToNeedIt) {
  test::make_v1_database(file_);
  chmod(file_.c_str(), 0444);
  chmod(folder_.path().c_str(), 0555);
  const auto before = contents(folder_.path());
  const std::string message = message_as_nobody(OpenMode::read_only);
  EXPECT_NE(message.find("older gemwright"), std::string::npos) << message;
  EXPECT_NE(message.find("copy it to a folder"), std::string::npos) << message;
  EXPECT_EQ(contents(folder_.path()), before);
  chmod(folder_.path().c_str(), 0755);
}

TEST_F(AsNobody, AFileThatMayNotBeWritten) {
  test::make_database(file_);
  chmod(file_.c_str(), 0444);
  chmod(folder_.path().c_str(), 0777);
  const auto before = contents(folder_.path());
  const std::string message = message_as_nobody(OpenMode::read_write);
  EXPECT_NE(message.find("may not be written"), std::string::npos) << message;
  EXPECT_EQ(contents(folder_.path()), before);
}

TEST_F(AsNobody, AFileThatMayNotBeRead) {
  test::make_database(file_);
  const auto before = contents(folder_.path());
  chmod(file_.c_str(), 0);
  chmod(folder_.path().c_str(), 0777);
  const std::string message = message_as_nobody(OpenMode::read_only);
  EXPECT_NE(message.find("cannot be opened"), std::string::npos) << message;
  chmod(file_.c_str(), 0644);
  EXPECT_EQ(contents(folder_.path()), before);
}

}  // namespace
}  // namespace gemwright::db
