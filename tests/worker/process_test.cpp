#include "tuner/toolchain/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include "tests/worker/scratch_folder.h"

namespace gemwright::tuner {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLong{60};  // never reached unless something hangs

Process started(const std::vector<std::string>& argv, const ProcessOptions& options = {}) {
  auto p = Process::start(argv, options);
  EXPECT_TRUE(p) << (p ? "" : p.error().message);
  return std::move(*p);
}

// The state letter in /proc, or nothing when there is no such process.
char state_of(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(in)), {});
  const auto end = text.rfind(')');
  return end == std::string::npos ? 0 : text[end + 2];
}

bool reaches(int pid, char state) {
  for (int i = 0; i < 6000; ++i) {
    if (state_of(pid) == state) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

TEST(Process, GivesItsArgumentsAsTheyAre) {
  auto p = started({"printf", "%s|", "a b", "$HOME", ";ls", "\"'"});
  ASSERT_TRUE(p.wait(kLong));
  EXPECT_TRUE(p.status()->success());
  EXPECT_EQ(p.out(), "a b|$HOME|;ls|\"'|");
}

TEST(Process, TellsHowItEnded) {
  auto p = started({"sh", "-c", "echo bad >&2; exit 3"});
  ASSERT_TRUE(p.wait(kLong));
  EXPECT_EQ(p.status()->code, 3);
  EXPECT_EQ(p.err(), "bad\n");
  auto killed = started({"sh", "-c", "kill -SEGV $$"});
  ASSERT_TRUE(killed.wait(kLong));
  EXPECT_EQ(killed.status()->signal, SIGSEGV);
  EXPECT_NE(to_text(*killed.status()).find("signal 11"), std::string::npos);
}

TEST(Process, MissingProgramIsASentence) {
  const auto p = Process::start({"no-such-program-here"}, {});
  ASSERT_FALSE(p);
  EXPECT_NE(p.error().message.find("no-such-program-here"), std::string::npos);
  EXPECT_FALSE(Process::start({}, {}));
}

TEST(Process, FileThatCannotBeRunIsASentence) {
  const ScratchFolder folder;
  EXPECT_FALSE(Process::start({folder.write("broken",
                                            "\x7f"
                                            "ELF nonsense",
                                            true)},
                              {}));
  EXPECT_FALSE(Process::start({folder.write("plain", "text")}, {}));
}

TEST(Process, KeepsABoundedPartOfItsOutput) {
  auto p = started({"head", "-c", "1000000", "/dev/zero"});
  ASSERT_TRUE(p.wait(kLong));
  EXPECT_TRUE(p.status()->success());
  EXPECT_EQ(p.out().size(), kMaxCaptured);
}

TEST(Process, DoesNotWaitLongerThanAsked) {
  auto p = started({"sleep", "1000"});
  EXPECT_FALSE(p.wait(milliseconds(1)));
  p.kill();
  EXPECT_EQ(p.status()->signal, SIGKILL);
}

TEST(Process, StopsAndResumesItsWholeGroup) {
  const ScratchFolder folder;
  auto p = started({"sh", "-c", "sleep 1000 & echo $! > \"$1\"; wait", "sh", (folder.path() / "pid").string()});
  while (folder.read("pid").empty()) std::this_thread::sleep_for(milliseconds(5));
  const int grandchild = std::stoi(folder.read("pid"));
  p.stop();
  EXPECT_TRUE(reaches(grandchild, 'T'));
  p.resume();
  EXPECT_TRUE(reaches(grandchild, 'S'));
}

TEST(Process, WhatItLeftBehindGoesWithIt) {
  const ScratchFolder folder;
  auto p =
      started({"sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $! > \"$1\"", "sh", (folder.path() / "pid").string()});
  ASSERT_TRUE(p.wait(kLong));
  const int grandchild = std::stoi(folder.read("pid"));
  // Its new parent may be slow to reap it.
  for (int i = 0; i < 6000 && state_of(grandchild) != 0 && state_of(grandchild) != 'Z'; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  const char state = state_of(grandchild);
  EXPECT_TRUE(state == 0 || state == 'Z') << state;
}

TEST(Process, StreamsCarryBothWays) {
  auto p = started({"cat"}, {.streams = true});
  ASSERT_EQ(write(p.input(), "ping", 4), 4);
  p.close_input();
  std::string got;
  char buffer[16];
  for (ssize_t n = 0; (n = read(p.output(), buffer, sizeof buffer)) > 0;)
    got.append(buffer, static_cast<std::size_t>(n));
  EXPECT_EQ(got, "ping");
  EXPECT_TRUE(p.wait(kLong));
}

TEST(FindProgram, IgnoresRelativeFoldersOnPath) {
  const ScratchFolder folder;
  folder.write("tool", "#!/bin/sh\n", true);
  const std::string old = getenv("PATH");
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  setenv("PATH", ":.", 1);
  EXPECT_FALSE(find_program("tool"));
  setenv("PATH", folder.path().c_str(), 1);
  EXPECT_EQ(find_program("tool"), (folder.path() / "tool").string());
  setenv("PATH", old.c_str(), 1);
  std::filesystem::current_path(here);
}

}  // namespace
}  // namespace gemwright::tuner
