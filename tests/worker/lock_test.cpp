// The lock of the machine between real processes and, where the tests run as root, between users.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <limits>

#include "tests/worker/scratch_folder.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::tuner {
namespace {

constexpr uid_t kSomebody = 1000, kAnother = 1001;

bool take(MachineLock& lock) { return lock.try_take().value_or(false); }

// A process that takes the lock, as another user where one is given, and holds it until this ends.
class Holder {
 public:
  explicit Holder(const std::function<void(MachineLock&)>& then, uid_t user = geteuid()) {
    int ready[2];
    EXPECT_EQ(pipe2(ready, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      const bool changed = user == geteuid() || (setgid(user) == 0 && setuid(user) == 0);
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // changing the user would clear it
      auto lock = MachineLock::open(machine_lock_path());
      char answer = changed && lock && take(*lock) ? 'y' : 'n';
      if (answer == 'y') then(*lock);
      if (write(ready[1], &answer, 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(ready[1]);
    char answer = 0;
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    close(ready[0]);
    has_it_ = answer == 'y';
  }
  ~Holder() { end(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  bool has_it() const { return has_it_; }
  int pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  bool has_it_ = false;
};

class LockTest : public testing::Test {
 protected:
  void SetUp() override {
    // Like /tmp.
    ASSERT_EQ(chmod(folder_.path().c_str(), 01777), 0);
  }
  std::string why_refused() const {
    const auto lock = MachineLock::open(path_);
    return lock ? "" : lock.error().message;
  }

  ScratchFolder folder_;
  std::filesystem::path path_ = machine_lock_path();
};

void measure_study(MachineLock& lock) {
  lock.set_study("f32/n40 at M=8");
  lock.set_timing(true);
}

TEST_F(LockTest, IsHeldByOneAndFreeAfterwards) {
  EXPECT_FALSE(read_machine_lock(path_));
  {
    auto one = MachineLock::open(path_), two = MachineLock::open(path_);
    ASSERT_TRUE(one && two);
    EXPECT_FALSE(read_machine_lock(path_));
    EXPECT_TRUE(take(*one));
    EXPECT_TRUE(take(*one)) << "still";
    EXPECT_FALSE(take(*two));
    EXPECT_TRUE(one->taken() && !two->taken());
    one->set_study(std::string(1000, 'x') + "\n");
    EXPECT_EQ(two->holder()->pid, getpid());
    EXPECT_EQ(two->holder()->uid, geteuid());
    EXPECT_LT(two->holder()->study.size(), 300u);
    EXPECT_FALSE(two->holder()->timing);
  }
  EXPECT_FALSE(read_machine_lock(path_));
  auto three = MachineLock::open(path_);
  ASSERT_TRUE(three);
  EXPECT_TRUE(take(*three));
  EXPECT_EQ(read_machine_lock(path_)->study, "") << "of the one before";
}

TEST_F(LockTest, EverybodyMayReadTheFileWhateverTheUmask) {
  const mode_t before = umask(077);
  const auto lock = MachineLock::open(path_);
  umask(before);
  ASSERT_TRUE(lock);
  struct stat s {};
  ASSERT_EQ(stat(path_.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777, 0644u);
}

TEST_F(LockTest, SecondProcessLearnsWhoMeasuresWhatAndWhen) {
  const Holder holder(measure_study);
  ASSERT_TRUE(holder.has_it());
  auto lock = MachineLock::open(path_);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(take(*lock));
  lock->set_study("not the holder's to say");
  lock->set_timing(false);
  EXPECT_EQ(lock->holder()->pid, holder.pid());
  EXPECT_EQ(lock->holder()->study, "f32/n40 at M=8");
  EXPECT_TRUE(being_timed(path_));
  const Holder second(measure_study);
  EXPECT_FALSE(second.has_it());
}

TEST_F(LockTest, KilledHolderFreesIt) {
  Holder holder(measure_study);
  ASSERT_TRUE(holder.has_it());
  holder.end();
  EXPECT_FALSE(read_machine_lock(path_)) << "what it wrote is stale";
  EXPECT_FALSE(being_timed(path_));
  auto lock = MachineLock::open(path_);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(lock->holder());
  EXPECT_TRUE(take(*lock));
  EXPECT_FALSE(being_timed(path_));
}

TEST_F(LockTest, WhoeverLooksDoesNotKeepAMeasurerWaiting) {
  auto lock = MachineLock::open(path_);
  ASSERT_TRUE(lock);
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(flock(fd, LOCK_SH), 0);
  EXPECT_FALSE(read_machine_lock(path_)) << "a look is no measurement";
  EXPECT_FALSE(take(*lock)) << "a look that lasts";
  close(fd);
  EXPECT_TRUE(take(*lock));
}

TEST_F(LockTest, FileThatWasRemovedWhileItWasHeldIsTakenAnew) {
  auto first = MachineLock::open(path_), waiter = MachineLock::open(path_);
  ASSERT_TRUE(first && waiter && take(*first));
  std::filesystem::remove(path_);
  EXPECT_FALSE(take(*waiter)) << "it is being measured still";
  EXPECT_EQ(waiter->holder()->pid, getpid());
  {
    auto newcomer = MachineLock::open(path_);
    ASSERT_TRUE(newcomer && take(*newcomer));
    EXPECT_FALSE(take(*first)) << "the others see the new file";
    EXPECT_FALSE(first->taken());
    EXPECT_FALSE(take(*waiter));
  }
  EXPECT_TRUE(take(*waiter));
  EXPECT_FALSE(take(*first));
  EXPECT_TRUE(read_machine_lock(path_));
}

TEST_F(LockTest, FileThatCannotBeMadeAnewIsAnError) {
  const auto gone = folder_.path() / "gone";
  std::filesystem::create_directory(gone);
  auto lock = MachineLock::open(gone / "lock");
  ASSERT_TRUE(lock && take(*lock));
  std::filesystem::remove_all(gone);
  const auto taken = lock->try_take();
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("No such file"), std::string::npos) << taken.error().message;
  EXPECT_FALSE(lock->taken());
  lock->set_timing(true);
  EXPECT_FALSE(lock->holder());
}

TEST_F(LockTest, WhateverIsNoPlainFileOfOneNameIsRefused) {
  const auto refuses = [&](const std::string& why) {
    EXPECT_NE(why_refused().find(why), std::string::npos) << why_refused();
    EXPECT_FALSE(read_machine_lock(path_));
    EXPECT_FALSE(being_timed(path_));
    std::filesystem::remove(path_);
  };
  const auto precious = folder_.write("precious", "keep");
  std::filesystem::create_symlink(precious, path_);
  refuses("it is a link");
  std::filesystem::create_hard_link(precious, path_);
  refuses("second name");
  EXPECT_EQ(folder_.read("precious"), "keep");
  std::filesystem::create_directory(path_);
  refuses("not a plain file");
  ASSERT_EQ(mkfifo(path_.c_str(), 0644), 0);
  refuses("not a plain file");
}

TEST_F(LockTest, PathThatIsNotAbsoluteIsRefused) {
  setenv("GEMWRIGHT_LOCK", "gemwright.lock", 1);
  EXPECT_EQ(machine_lock_path(), "gemwright.lock");
  path_ = machine_lock_path();
  EXPECT_NE(why_refused().find("absolute"), std::string::npos) << why_refused();
}

TEST_F(LockTest, DefaultIsOneFileForAllUsers) {
  unsetenv("GEMWRIGHT_LOCK");
  const auto path = machine_lock_path();
  EXPECT_EQ(path.filename(), "gemwright.lock");
  EXPECT_TRUE(path.parent_path() == "/run/lock" || path.parent_path() == "/tmp") << path;
}

TEST_F(LockTest, HostileContentIsShownHarmlessly) {
  const auto shown = [&] {
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    EXPECT_EQ(flock(fd, LOCK_EX), 0);
    const auto info = read_machine_lock(path_);
    EXPECT_TRUE(info);
    close(fd);
    return info.value_or(LockInfo());
  };
  // Version, process, timing, study: as this machine writes them.
  const auto page = [](std::int32_t pid, const std::string& study) {
    const std::int32_t head[] = {1, pid, 1};
    return std::string(reinterpret_cast<const char*>(head), sizeof head) + study;
  };
  folder_.write("gemwright.lock", std::string(4096, '\x1b'));
  EXPECT_EQ(shown().study, "");
  folder_.write("gemwright.lock", page(getpid(), "red \x1b[31m\n" + std::string(4096, '\xff')));
  const LockInfo garbage = shown();
  EXPECT_EQ(garbage.study.find_first_of("\x1b\n"), std::string::npos);
  EXPECT_LE(garbage.study.size(), 240u);
  EXPECT_EQ(garbage.study.substr(0, 3), "red");
  for (const int pid : {0, -1, std::numeric_limits<int>::min()}) {
    folder_.write("gemwright.lock", page(pid, "nobody's"));
    EXPECT_EQ(shown().study, "");
    EXPECT_FALSE(shown().timing);
  }
  for (const std::size_t size : {0u, 4u, 5u, 11u}) {
    folder_.write("gemwright.lock", page(1, "").substr(0, size));
    EXPECT_EQ(shown().study, "");
    auto lock = MachineLock::open(path_);
    ASSERT_TRUE(lock && take(*lock)) << "a page of " << size << " bytes";
  }
}

TEST_F(LockTest, FileThatIsNoLockIsNeitherWrittenNorOpenedToOthers) {
  for (const char* text : {"precious", "x",
                           "\x7f"
                           "ELF and so on"}) {
    const auto file = folder_.write("gemwright.lock", text);
    ASSERT_EQ(chmod(file.c_str(), 0600), 0);
    EXPECT_NE(why_refused().find("something else"), std::string::npos) << why_refused();
    EXPECT_EQ(folder_.read("gemwright.lock"), text);
    struct stat s {};
    ASSERT_EQ(stat(file.c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777, 0600u);
  }
}

TEST_F(LockTest, OtherUsersMeasurersExcludeEachOther) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may act as other users";
  const Holder owner(measure_study, kSomebody);
  ASSERT_TRUE(owner.has_it());
  const Holder other(measure_study, kAnother);
  EXPECT_FALSE(other.has_it());
  auto lock = MachineLock::open(path_);
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_FALSE(take(*lock));
  EXPECT_EQ(lock->holder()->pid, owner.pid());
  EXPECT_EQ(lock->holder()->uid, kSomebody);
  EXPECT_EQ(lock->holder()->study, "f32/n40 at M=8");
  EXPECT_TRUE(being_timed(path_));
}

TEST_F(LockTest, HolderWhoDoesNotOwnTheFileIsToldByTheListOfLocks) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may act as other users";
  if (access("/proc/locks", R_OK) != 0) GTEST_SKIP() << "there is no /proc/locks";
  Holder(measure_study, kSomebody).end();  // killed: what it wrote stays
  const std::string before = folder_.read("gemwright.lock");
  const Holder other(measure_study, kAnother);
  ASSERT_TRUE(other.has_it());
  EXPECT_EQ(folder_.read("gemwright.lock"), before) << "it is not the other's to write";
  const auto info = read_machine_lock(path_);
  ASSERT_TRUE(info);
  if (!info->pid) GTEST_SKIP() << "the list of locks names files of " << path_ << " differently";
  EXPECT_EQ(info->pid, other.pid());
  EXPECT_EQ(info->uid, kAnother);
  EXPECT_EQ(info->study, "") << "it is of the one that was killed";
  EXPECT_FALSE(being_timed(path_));
}

TEST_F(LockTest, OthersFileIsNeverWrittenEvenByRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give a file away";
  const auto file = folder_.write("gemwright.lock", "short");
  ASSERT_EQ(chown(file.c_str(), kSomebody, kSomebody), 0);
  auto lock = MachineLock::open(path_);
  ASSERT_TRUE(lock && take(*lock));
  measure_study(*lock);
  EXPECT_EQ(truncate(file.c_str(), 0), 0) << "as its owner may";
  EXPECT_TRUE(take(*lock));
  lock->set_timing(false);
  EXPECT_EQ(folder_.read("gemwright.lock"), "");
  EXPECT_FALSE(being_timed(path_));
  EXPECT_TRUE(read_machine_lock(path_));
}

TEST_F(LockTest, FileThatItsOwnerKeepsToHimselfIsRefusedWithHisName) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may act as other users";
  const auto file = folder_.write("gemwright.lock", "");
  ASSERT_EQ(chown(file.c_str(), kSomebody, kSomebody), 0);
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  ASSERT_EQ(seteuid(kAnother), 0);
  const std::string why = why_refused();
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_NE(why.find("belongs to user 1000"), std::string::npos) << why;
}

TEST(FlockHolder, IsReadStrictly) {
  const dev_t device = makedev(0xfe, 0x10);
  const auto holder = [&](const std::string& locks) { return flock_holder(locks, device, 5678); };
  EXPECT_EQ(holder("1: POSIX  ADVISORY  WRITE 11 fe:10:5678 0 EOF\n"
                   "2: FLOCK  ADVISORY  WRITE 12 fe:10:56789 0 EOF\n"
                   "3: FLOCK  ADVISORY  WRITE 13 fe:11:5678 0 EOF\n"
                   "4: FLOCK  ADVISORY  READ  14 fe:10:5678 0 EOF\n"
                   "4: -> FLOCK  ADVISORY  WRITE 15 fe:10:5678 0 EOF\n"
                   "5: FLOCK  ADVISORY  WRITE 16 fe:10:5678 0 EOF\n"),
            16);
  EXPECT_EQ(holder("5: FLOCK  ADVISORY  WRITE 16 fe:10:5678 0 EOF"), 16) << "no line feed at the end";
  for (const char* line :
       {"", "\n\n", "FLOCK", "1: FLOCK  ADVISORY  WRITE 16 fe:10:5678", "1: FLOCK ADVISORY WRITE",
        "1: FLOCK  ADVISORY  WRITE 0 fe:10:5678 0 EOF", "1: FLOCK  ADVISORY  WRITE -1 fe:10:5678 0 EOF",
        "1: FLOCK  ADVISORY  WRITE 1x fe:10:5678 0 EOF", "1: FLOCK  ADVISORY  WRITE 99999999999 fe:10:5678 0 EOF",
        "1: FLOCK  ADVISORY  WRITE 16 fe:5678 0 EOF", "1: FLOCK  ADVISORY  WRITE 16 0xfe:10:5678 0 EOF",
        "1: FLOCK  ADVISORY  WRITE 16 fe:10:5678: 0 EOF", "1: FLOCK  ADVISORY  WRITE 16 ::5678 0 EOF",
        "1: FLOCK  ADVISORY  WRITE 16 <none>:0 0 EOF"}) {
    EXPECT_FALSE(holder(line)) << line;
  }
}

}  // namespace
}  // namespace gemwright::tuner
