#include "tuner/worker/machine_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {

// The file as it is mapped. Readers look without the lock, so a text may be torn; they show it to people only.
struct MachineLock::Page {
  static constexpr std::size_t kStudy = 240;
  std::uint32_t version;
  std::atomic<std::int32_t> pid;
  std::atomic<std::uint32_t> timing;
  char study[kStudy];  // ends with a zero

  LockInfo info() const {
    LockInfo i;
    i.pid = pid.load();
    i.timing = timing.load() != 0;
    i.study = printable(std::string_view(study, strnlen(study, kStudy)), kStudy);
    return i;
  }
};

std::filesystem::path machine_lock_path() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::filesystem::path(runtime) / "gemwright.lock";
  return fmt::format("/tmp/gemwright-{}.lock", geteuid());
}

std::optional<LockInfo> read_machine_lock(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  // A lock that can be had is held by nobody, whatever the file says.
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  if (!held) return std::nullopt;
  const auto lock = MachineLock::open(path);
  return lock ? std::optional(lock->holder()) : std::nullopt;
}

Result<MachineLock> MachineLock::open(const std::filesystem::path& path) {
  const auto refused = [&](const char* why) {
    return fail(fmt::format("the lock of this machine, {}, cannot be used: {}", printable(path.string(), 4096), why));
  };
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0) return refused(std::strerror(errno));
  struct stat s {};
  const char* wrong = nullptr;
  if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || s.st_nlink != 1) {
    wrong = "it is not a plain file";
  } else if (s.st_uid != geteuid()) {
    wrong = "it belongs to another user";
  } else if (s.st_size < static_cast<off_t>(sizeof(Page)) && ftruncate(fd, sizeof(Page)) != 0) {
    wrong = std::strerror(errno);
  }
  void* const memory =
      wrong != nullptr ? MAP_FAILED : mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    if (wrong == nullptr) wrong = std::strerror(errno);
    close(fd);
    return refused(wrong);
  }
  return MachineLock(fd, static_cast<Page*>(memory));
}

MachineLock::MachineLock(MachineLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), page_(std::exchange(other.page_, nullptr)), locked_(other.locked_) {}

MachineLock::~MachineLock() {
  if (page_ == nullptr) return;
  if (locked_) {
    page_->timing = 0;
    page_->pid = 0;
  }
  munmap(page_, sizeof(Page));
  close(fd_);
}

bool MachineLock::try_lock() {
  if (locked_) return true;
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) return false;
  locked_ = true;
  page_->version = 1;
  page_->timing = 0;
  page_->pid = getpid();
  return true;
}

LockInfo MachineLock::holder() const { return page_->info(); }

void MachineLock::set_study(const std::string& study) {
  char text[Page::kStudy] = {};
  std::copy_n(study.begin(), std::min(study.size(), Page::kStudy - 1), text);
  std::memcpy(page_->study, text, sizeof text);
}

void MachineLock::set_timing(bool timing) { page_->timing = timing ? 1 : 0; }

}  // namespace gemwright::tuner
