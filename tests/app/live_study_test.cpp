#include "app/model/live_study.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "app/model/watcher.h"

namespace gemwright::app {
namespace {

TEST(LiveStudy, GrowsUnderAReaderAsAStudyThatRuns) {
  const auto file = std::filesystem::path(testing::TempDir()) / "gemwright-live.db";
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(file.string() + end);
  auto live = LiveStudy::begin(file);
  ASSERT_TRUE(live) << live.error().message;
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(live->add_block(1e-3));
  auto before = read_snapshot({file});
  ASSERT_EQ(before->studies(), 1U);
  EXPECT_EQ(before->databases[0].studies[0]->figures.runner_alive, true);
  EXPECT_EQ(before->databases[0].studies[0]->trials.size(), 1U);
  // A few hundred: no config comes twice.
  for (int i = 0; i < 9 * 300; ++i) ASSERT_TRUE(live->add_block(1e-3));
  const auto after = read_snapshot({file});
  EXPECT_EQ(after->databases[0].studies[0]->trials.size(), 301U);
  EXPECT_TRUE(after->databases[0].studies[0]->columns.gflops.back());
  EXPECT_FALSE(after->databases[0].studies[0]->noise.empty());
}

}  // namespace
}  // namespace gemwright::app
