#include "app/model/database_stamp.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>

namespace gemwright::app {
namespace {

namespace fs = std::filesystem;

class DatabaseStampTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove(log());
    std::ofstream(file()) << "one";
  }
  void TearDown() override {
    fs::remove(log());
    fs::remove(file());
  }
  // One for each process: the tests run side by side.
  static fs::path file() {
    return fs::path(testing::TempDir()) / ("gemwright-stamp-" + std::to_string(::getpid()) + ".db");
  }
  static fs::path log() { return file().string() + "-wal"; }
  // So many seconds after the file was written.
  static std::int64_t later(int seconds) {
    const auto now = std::chrono::system_clock::now() + std::chrono::seconds(seconds);
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  }
};

TEST_F(DatabaseStampTest, IsTheSameAsLongAsNothingIsWritten) {
  const auto stamp = settled_stamp(file(), later(60));
  ASSERT_TRUE(stamp);
  EXPECT_EQ(settled_stamp(file(), later(90)), stamp);
}

TEST_F(DatabaseStampTest, ChangesWithTheFileAndWithItsLog) {
  const auto first = settled_stamp(file(), later(60));
  std::ofstream(log()) << "";
  const auto second = settled_stamp(file(), later(60));
  std::ofstream(log(), std::ios::app) << "commit";
  const auto third = settled_stamp(file(), later(60));
  std::ofstream(file(), std::ios::app) << "checkpoint";
  const auto fourth = settled_stamp(file(), later(60));
  ASSERT_TRUE(first && second && third && fourth);
  EXPECT_NE(first, second);
  EXPECT_NE(second, third);
  EXPECT_NE(third, fourth);
}

TEST_F(DatabaseStampTest, TellsNothingOfWhatWasJustWrittenOrIsNotThere) {
  EXPECT_FALSE(settled_stamp(file(), later(0)));
  EXPECT_FALSE(settled_stamp(file().string() + ".gone", later(60)));
  // An old file whose log was just written.
  fs::last_write_time(file(), fs::last_write_time(file()) - std::chrono::hours(1));
  EXPECT_TRUE(settled_stamp(file(), later(0)));
  std::ofstream(log()) << "commit";
  EXPECT_FALSE(settled_stamp(file(), later(0)));
}

}  // namespace
}  // namespace gemwright::app
