// A committed block survives whatever happens to the process that wrote it, and processes do not lose each other's
// rows.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string>

#include "tests/db/support.h"

namespace gemwright::db {
namespace {

using test::ask_sql;
using test::some_sample;

constexpr int kKills = 10;
constexpr std::int64_t kRowsBeforeKill = 25;

// Adds samples for ever and reports the number of those committed after each one.
int write_for_ever(const std::filesystem::path& file, std::int64_t first_round, int report) {
  auto store = open_store(file, OpenMode::read_write);
  if (!store) return 1;
  for (std::int64_t round = first_round;; ++round) {
    if (!(*store)->add_sample(some_sample(1, round))) return 2;
    if (write(report, &round, sizeof round) != sizeof round) return 3;
  }
}

// Starts the writer, lets it commit some rows, kills it and returns the last round it reported.
std::int64_t kill_a_writer(const std::filesystem::path& file, std::int64_t first_round) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    _exit(write_for_ever(file, first_round, ends[1]));
  }
  close(ends[1]);
  std::int64_t last = -1, round = 0;
  while (read(ends[0], &round, sizeof round) == sizeof round) {
    last = round;
    if (last == first_round + kRowsBeforeKill) kill(child, SIGKILL);  // it is writing the next ones meanwhile
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself with " << WEXITSTATUS(status);
  return last;
}

TEST(Durability, NoCommittedRowIsLostWhenTheWriterIsKilled) {
  test::TemporaryFolder folder;
  const auto file = folder / "test.db";
  test::make_database(file, 1);
  std::int64_t next = 1;
  for (int i = 0; i < kKills; ++i) {
    const std::int64_t reported = kill_a_writer(file, next);
    ASSERT_GE(reported, next + kRowsBeforeKill);
    auto store = open_store(file, OpenMode::read_write);
    ASSERT_TRUE(store) << store.error().message;
    const auto samples = (*store)->samples(1);
    ASSERT_TRUE(samples) << samples.error().message;
    const std::int64_t stored = samples->back().round;
    EXPECT_GE(stored, reported);
    EXPECT_LE(stored, reported + 1);  // the block in flight may have arrived
    // Subject 1 has a row in every round, subject 2 in the first.
    EXPECT_EQ(static_cast<std::int64_t>(samples->size()), stored + 2);
    next = stored + 1;
  }
  const auto health = check_health(file);
  EXPECT_TRUE(health) << health.error().message;
}

TEST(Durability, AKilledCreationLeavesNothingThatBlocksTheNext) {
  for (int i = 0; i < 8; ++i) {
    test::TemporaryFolder folder;
    const auto file = folder / "test.db";
    const pid_t child = fork();
    if (child == 0) {
      const auto store = open_store(file, OpenMode::read_write);
      _exit(store ? 0 : 1);
    }
    usleep(static_cast<useconds_t>(500 * i));  // somewhere on the way; any point must do
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto store = open_store(file, OpenMode::read_write);
    EXPECT_TRUE(store) << store.error().message;
  }
}

TEST(Durability, ATrialInFlightStaysRunning) {
  test::TemporaryFolder folder;
  const auto file = folder / "test.db";
  test::make_database(file);
  EXPECT_EQ(test::in_child([&] {
              auto store = open_store(file, OpenMode::read_write);
              if (!store || !(*store)->add_trial(1, test::some_config(3), "random")) return 1;
              kill(getpid(), SIGKILL);
              return 0;
            }),
            128 + SIGKILL);
  auto store = open_store(file, OpenMode::read_write);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->open_study(test::some_key(), test::some_attributes(), false));
  const auto trials = (*store)->trials(1);
  ASSERT_TRUE(trials) << trials.error().message;
  ASSERT_EQ(trials->size(), 3u);
  EXPECT_EQ((*trials)[2].state, tuner::TrialState::running);
}

TEST(Durability, TwoProcessesCreateAndWriteAtOnce) {
  test::TemporaryFolder folder;
  const auto file = folder / "test.db";
  constexpr int kStudies = 40;
  const auto write = [&](std::int64_t m) {
    auto store = open_store(file, OpenMode::read_write);
    EXPECT_TRUE(store) << store.error().message;
    if (!store) return 1;
    for (int i = 0; i < kStudies; ++i) {
      const auto study = (*store)->open_study(test::some_key(m + i), test::some_attributes(), false);
      if (!study) return 2;
      if (!(*store)->add_trial(study->id, test::some_config(4), "random")) return 3;
    }
    return 0;
  };
  const pid_t child = fork();
  if (child == 0) _exit(write(1));
  EXPECT_EQ(write(1000), 0);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(ask_sql(file, "SELECT count(*) FROM study"), std::to_string(2 * kStudies));
  EXPECT_EQ(ask_sql(file, "SELECT count(*) FROM trial"), std::to_string(2 * kStudies));
  EXPECT_EQ(ask_sql(file, "SELECT count(*) FROM config"), "1");
  EXPECT_EQ(ask_sql(file, "SELECT count(*) FROM device"), "1");
  EXPECT_TRUE(check_health(file));
}

TEST(Durability, AReaderSeesWhatAWriterCommits) {
  test::TemporaryFolder folder;
  const auto file = folder / "test.db";
  test::make_database(file, 1);
  auto writer = open_store(file, OpenMode::read_write);
  auto reader = open_store(file, OpenMode::read_only);
  ASSERT_TRUE(writer && reader);
  EXPECT_EQ((*reader)->samples(1)->size(), 2u);
  ASSERT_TRUE((*writer)->add_sample(some_sample(1, 7)));
  EXPECT_EQ((*reader)->samples(1)->size(), 3u);
  EXPECT_FALSE((*reader)->add_sample(some_sample(1, 8)));
}

// In a mount namespace of its own, so that nothing outside sees the small disk.
class FullDisk : public testing::Test {
 protected:
  void TearDown() override {
    if (mounted_) umount2(disk_.c_str(), MNT_DETACH);
  }
  bool mount_disk(const char* options) {
    std::filesystem::create_directory(disk_);
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
    mounted_ = mount("tmpfs", disk_.c_str(), "tmpfs", 0, options) == 0;
    return mounted_;
  }

  test::TemporaryFolder folder_;
  std::filesystem::path disk_ = folder_ / "disk";
  bool mounted_ = false;
};

TEST_F(FullDisk, IsSaidAndEarlierRowsStay) {
  if (!mount_disk("size=1200k")) GTEST_SKIP() << "a small disk needs the right to mount one";
  const auto file = disk_ / "test.db";
  test::make_database(file, 1);
  std::string message;
  std::int64_t committed = 0;
  {
    auto store = open_store(file, OpenMode::read_write);
    ASSERT_TRUE(store) << store.error().message;
    for (std::int64_t round = 1; round < 100000 && message.empty(); ++round) {
      const auto added = (*store)->add_sample(some_sample(1, round));
      if (added) ++committed;
      if (!added) message = added.error().message;
    }
    EXPECT_NE(message.find("full"), std::string::npos) << message;
    EXPECT_EQ((*store)->samples(1)->size(), static_cast<std::size_t>(committed) + 2);
  }
  EXPECT_GT(committed, 0);
  EXPECT_EQ(ask_sql(file, "SELECT count(*) FROM sample"), std::to_string(committed + 2));
  EXPECT_EQ(ask_sql(file, "PRAGMA integrity_check"), "ok");
}

TEST_F(FullDisk, AnEarlierVersionWithoutRoomForItsCopyStaysAsItIs) {
  if (!mount_disk("size=400k")) GTEST_SKIP() << "a small disk needs the right to mount one";
  const auto file = disk_ / "test.db";
  test::make_v1_database(file, 1);
  const auto left = std::filesystem::space(disk_).available;
  test::write_file(disk_ / "other", std::string(left - 64 * 1024, 'x'));
  const std::string message = test::refusal(file);
  EXPECT_NE(message.find("full"), std::string::npos) << message;
  EXPECT_EQ(ask_sql(file, "PRAGMA user_version"), "1");
  std::filesystem::remove(disk_ / "other");
  const auto health = check_health(file);
  EXPECT_TRUE(health) << health.error().message;
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".bak-v1"));
  EXPECT_FALSE(std::filesystem::exists(file.string() + ".bak-v1.partial"));
}

TEST_F(FullDisk, ACreationThatDoesNotFitIsSaid) {
  if (!mount_disk("size=64k")) GTEST_SKIP() << "a small disk needs the right to mount one";
  const std::string message = test::refusal(disk_ / "test.db");
  EXPECT_NE(message.find("full"), std::string::npos) << message;
}

}  // namespace
}  // namespace gemwright::db
