#include "profilers/host.h"

#include <gtest/gtest.h>

#include "tests/profilers/fake_root.h"

namespace gemwright::profilers {
namespace {

template <class T>
void expect_missing(const Reading<T>& r) {
  EXPECT_FALSE(r.value);
  EXPECT_FALSE(r.reason.empty());
}

TEST(Host, AnEmptySystemMakesEachValueMissingWithItsReason) {
  const test::FakeRoot root;
  const HostInfo h = probe_host(root.path());
  expect_missing(h.clock.source);
  expect_missing(h.clock.constant_tsc);
  expect_missing(h.clock.nonstop_tsc);
  expect_missing(h.transparent_huge_pages);
  expect_missing(h.governor);
  expect_missing(h.steal_ticks);
  expect_missing(h.memory_available_bytes);
  expect_missing(h.limits.cpus);
  expect_missing(h.limits.memory_bytes);
}

TEST(Host, ReadsWhatTheSystemTells) {
  const test::FakeRoot root;
  root.write("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
  root.write("proc/cpuinfo", "flags\t: fpu constant_tsc nonstop_tsc_s3\n");
  root.write("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  root.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  root.write("proc/meminfo", "MemTotal: 100 kB\nMemAvailable:    2048 kB\n");
  const HostInfo h = probe_host(root.path());
  EXPECT_EQ(h.clock.source.value, "tsc");
  EXPECT_EQ(h.clock.constant_tsc.value, true);
  EXPECT_EQ(h.clock.nonstop_tsc.value, false);
  EXPECT_EQ(h.transparent_huge_pages.value, "madvise");
  EXPECT_EQ(h.governor.value, "powersave");
  EXPECT_EQ(h.memory_available_bytes.value, 2048 * 1024);
}

TEST(Host, TheClockIsMeasured) {
  const ClockInfo c = probe_clock();
  ASSERT_TRUE(c.cost_ns.value) << c.cost_ns.reason;
  ASSERT_TRUE(c.resolution_ns.value) << c.resolution_ns.reason;
  EXPECT_GT(*c.cost_ns.value, 0);
  EXPECT_GT(*c.resolution_ns.value, 0);
}

TEST(Host, StolenTimeIsTheEighthNumberOfTheCpusLine) {
  const test::FakeRoot root;
  root.write("proc/stat", "cpu  1 2 3 4 5 6 7 80 9 10\ncpu0 1 2 3 4 5 6 7 30 9 10\ncpu1 1 2 3\nintr 5\n");
  EXPECT_EQ(steal_ticks(std::nullopt, root.path()).value, 80);
  EXPECT_EQ(steal_ticks(0, root.path()).value, 30);
  expect_missing(steal_ticks(1, root.path()));
  expect_missing(steal_ticks(2, root.path()));
}

TEST(Cgroup, TheTightestLimitOnTheWayToTheRootCounts) {
  const test::FakeRoot root;
  root.write("proc/self/cgroup", "0::/outer/inner\n");
  root.write("sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
  root.write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  root.write("sys/fs/cgroup/outer/memory.max", "2147483648\n");
  root.write("sys/fs/cgroup/outer/inner/memory.max", "1073741824\n");
  const CgroupLimits l = cgroup_limits(root.path());
  EXPECT_EQ(l.cpus.value, 1.5);
  EXPECT_EQ(l.memory_bytes.value, 1 << 30);
}

TEST(Cgroup, VersionOneHasAHierarchyForEachController) {
  const test::FakeRoot root;
  root.write("proc/self/cgroup", "4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "50000\n");
  root.write("sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
  root.write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "536870912\n");
  root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  const CgroupLimits l = cgroup_limits(root.path());
  EXPECT_EQ(l.cpus.value, 0.5);
  EXPECT_EQ(l.memory_bytes.value, 512 << 20);
}

TEST(Cgroup, NoLimitIsAbsentAndSaysSo) {
  const test::FakeRoot root;
  root.write("proc/self/cgroup", "0::/\n");
  root.write("sys/fs/cgroup/cpu.max", "max 100000\n");
  root.write("sys/fs/cgroup/memory.max", "max\n");
  const CgroupLimits l = cgroup_limits(root.path());
  EXPECT_FALSE(l.cpus.value);
  EXPECT_EQ(l.cpus.reason, "no limit is set");
  EXPECT_EQ(l.memory_bytes.reason, "no limit is set");
}

TEST(Cgroup, AGroupOutsideTheNamespaceDoesNotLeaveTheMountPoint) {
  const test::FakeRoot root;
  root.write("proc/self/cgroup", "0::/../../secret\n");
  root.write("sys/secret/cpu.max", "1000 100000\n");
  expect_missing(cgroup_limits(root.path()).cpus);
}

TEST(Cgroup, BrokenTextIsMissing) {
  const test::FakeRoot root;
  root.write("proc/self/cgroup", "::::\nnonsense\n\n0::/\n");
  root.write("sys/fs/cgroup/cpu.max", "1e9 -5 7\n");
  root.write("sys/fs/cgroup/memory.max", "-1\n");
  const CgroupLimits l = cgroup_limits(root.path());
  expect_missing(l.cpus);
  expect_missing(l.memory_bytes);
}

}  // namespace
}  // namespace gemwright::profilers
