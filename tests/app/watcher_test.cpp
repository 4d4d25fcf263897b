#include "app/model/watcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "db/store.h"
#include "tests/app/scripted_study.h"

namespace gemwright::app {
namespace {

using std::chrono::milliseconds;
// Patience of a test that waits for a thread; nothing is timed.
constexpr auto kPatience = std::chrono::seconds(60);

std::filesystem::path fresh_database(const char* name) {
  const auto file = std::filesystem::path(testing::TempDir()) / name;
  for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + tail);
  return file;
}

// Waits until a snapshot of the watcher is as wanted.
template <class Wanted>
bool comes(const Watcher& watcher, Wanted wanted) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!wanted(*watcher.snapshot())) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

void add_study(const std::filesystem::path& file, int m) {
  const auto store = db::open_store(file, db::OpenMode::read_write);
  ASSERT_TRUE(store);
  tuner::StudyKey key = scripted_key();
  key.m = m;
  ASSERT_TRUE((*store)->open_study(key, {}, false));
}

TEST(Watcher, SeesStudiesThatAnotherConnectionWritesLater) {
  const auto file = fresh_database("gemwright-watched.db");
  std::atomic<int> changes = 0;
  Watcher watcher({file}, {milliseconds(5), milliseconds(5), [] { return false; }}, [&] { ++changes; });
  // The file does not exist yet: a sentence, and it goes on looking.
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return !s.databases.front().error.empty(); }));
  add_study(file, 8);
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 1 && s.databases.front().error.empty(); }));
  add_study(file, 16);
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 2; }));
  EXPECT_GE(changes, 3);
}

TEST(Watcher, ReadsNothingWhileABlockIsTimed) {
  const auto file = fresh_database("gemwright-timed.db");
  add_study(file, 8);
  std::atomic<bool> timed = true;
  std::atomic<int> asked = 0;
  const auto being_timed = [&] {
    ++asked;
    return timed.load();
  };
  Watcher watcher({file}, {milliseconds(1), milliseconds(1), being_timed}, [] {});
  while (asked < 20) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_TRUE(watcher.snapshot()->loading());
  timed = false;
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 1; }));
}

TEST(Watcher, TakesUpADatabaseThatIsOpenedLater) {
  const auto first = fresh_database("gemwright-first.db"), second = fresh_database("gemwright-second.db");
  add_study(first, 8);
  add_study(second, 8);
  Watcher watcher({first}, {milliseconds(5), milliseconds(5), [] { return false; }}, [] {});
  watcher.open(second);
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 2; }));
  EXPECT_NE(watcher.snapshot()->find(StudyRef{1, 1}), nullptr);
}

TEST(Watcher, ADatabaseThatIsClosedHoldsNothingUntilItIsOpenedAgain) {
  const auto first = fresh_database("gemwright-closed.db"), second = fresh_database("gemwright-stays.db");
  add_study(first, 8);
  add_study(second, 8);
  Watcher watcher({first, second}, {milliseconds(5), milliseconds(5), [] { return false; }}, [] {});
  ASSERT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 2; }));
  watcher.close(first);
  ASSERT_TRUE(comes(watcher, [](const Snapshot& s) { return s.databases.front().closed; }));
  EXPECT_EQ(watcher.snapshot()->find(StudyRef{0, 1}), nullptr);
  EXPECT_NE(watcher.snapshot()->find(StudyRef{1, 1}), nullptr);
  watcher.open(first);
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 2; }));
  EXPECT_EQ(watcher.snapshot()->databases.size(), 2u);
}

TEST(Watcher, ADatabaseThatIsReplacedIsReadAfreshAndOneThatIsDeletedIsGone) {
  const auto file = fresh_database("gemwright-replaced.db"), other = fresh_database("gemwright-other.db");
  add_study(file, 8);
  add_study(other, 16);
  Watcher watcher({file}, {milliseconds(5), milliseconds(5), [] { return false; }}, [] {});
  ASSERT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 1; }));
  const auto before = watcher.snapshot()->databases.front().file;
  for (const char* tail : {"-wal", "-shm"}) std::filesystem::remove(file.string() + tail);
  std::filesystem::rename(other, file);
  ASSERT_TRUE(comes(watcher, [](const Snapshot& s) {
    const auto* const study = s.find(StudyRef{0, 1});
    return study != nullptr && study->record().key.m == 16;
  }));
  EXPECT_NE(watcher.snapshot()->databases.front().file, before);
  fresh_database("gemwright-replaced.db");
  ASSERT_TRUE(comes(watcher, [](const Snapshot& s) { return s.databases.front().error.ends_with("is gone"); }));
  EXPECT_EQ(watcher.snapshot()->studies(), 0u);
  EXPECT_FALSE(watcher.snapshot()->databases.front().absent);
  add_study(file, 8);
  EXPECT_TRUE(comes(watcher, [](const Snapshot& s) { return s.studies() == 1 && s.databases.front().error.empty(); }));
}

}  // namespace
}  // namespace gemwright::app
