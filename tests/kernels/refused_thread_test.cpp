// A pool that cannot get its threads throws, and those that it did get end.
#include <gemwright/parallel.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

namespace gemwright::test {
namespace {

// Leaves address space for the stacks of a few threads only.
void limit_address_space() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlim_t limit = pages * 4096 + (rlim_t{64} << 20);
  const rlimit bound{limit, limit};
  if (setrlimit(RLIMIT_AS, &bound) != 0) std::_Exit(3);
}

[[noreturn]] void make_pool_in_little_memory() {
  limit_address_space();
  try {
    thread_pool pool(4000);
  } catch (const std::system_error&) {
    std::_Exit(0);
  }
  std::_Exit(1);
}

TEST(RefusedThreadDeathTest, ThrowsInsteadOfEndingTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(make_pool_in_little_memory(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace gemwright::test
