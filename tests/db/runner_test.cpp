#include "tuner/study/runner.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

namespace gemwright::tuner {
namespace {

TEST(Runner, ThisProcessIsAlive) {
  const Runner self = this_process();
  EXPECT_EQ(self.pid, getpid());
  EXPECT_TRUE(alive(self));
  EXPECT_EQ(this_process(), self);
}

TEST(Runner, AProcessOfAnotherBootIsGone) {
  Runner other = this_process();
  other.boot_id += "x";
  EXPECT_FALSE(alive(other));
}

TEST(Runner, AProcessThatEndedIsGone) {
  Runner child = this_process();
  child.pid = fork();
  if (child.pid == 0) _exit(0);
  ASSERT_EQ(waitpid(static_cast<pid_t>(child.pid), nullptr, 0), child.pid);
  EXPECT_FALSE(alive(child));
}

// Only its owner may signal a process, and it exists all the same.
TEST(Runner, AProcessOfAnotherUserIsAlive) {
  if (geteuid() != 0) GTEST_SKIP() << "another user's process needs the right to become that user";
  const Runner self = this_process();
  const pid_t child = fork();
  if (child == 0) _exit(setresuid(65534, 65534, 65534) == 0 && alive(self) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(Runner, NumbersThatNameNoProcessAreGone) {
  Runner none = this_process();
  for (const std::int64_t pid : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 32 | getpid(),
                                 std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    none.pid = pid;
    EXPECT_FALSE(alive(none)) << pid;
  }
}

}  // namespace
}  // namespace gemwright::tuner
