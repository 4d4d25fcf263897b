#include "tuner/worker/machine_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {

// What the file holds. Readers look without the lock, so a text may be torn; it is shown to people only.
struct LockPage {
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kStudy = 240;
  std::uint32_t version;
  std::int32_t pid;  // of the measurer that writes here; 0 when it has gone
  std::uint32_t timing;
  char study[kStudy];  // ends with a zero

  // The file need not be ours, nor as long as this.
  static LockPage read(int fd) {
    LockPage p{};
    if (pread(fd, &p, sizeof p, 0) < 0 || p.version != kVersion || p.pid <= 0) p = {};
    return p;
  }
};

namespace {

// Other processes look at, make and remove the file meanwhile: each try is over in microseconds, so that this many with
// a pause between suffice.
constexpr int kTries = 20;
constexpr std::chrono::milliseconds kPause{1};
// Nonblocking: a pipe in its place is refused, not waited for.
constexpr int kOpenFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

template <class T>
void publish(T& field, T value) {
  std::atomic_ref<T>(field).store(value);
}

tl::unexpected<Error> refused(const std::filesystem::path& path, const std::string& why) {
  return fail(fmt::format("the lock of this machine, {}, cannot be used: {}; $GEMWRIGHT_LOCK names another one",
                          printable(path.string(), 4096), why));
}

// For writing where that is allowed; the lock itself needs no more than reading.
int open_existing(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDWR | kOpenFlags);
  if (fd >= 0 || (errno != EACCES && errno != EROFS)) return fd;
  return open(path.c_str(), O_RDONLY | kOpenFlags);
}

// Apart from opening, because the kernel refuses O_CREAT for another user's file in a folder like /tmp
// (fs.protected_regular).
int create(const std::filesystem::path& path) {
  return open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | kOpenFlags, 0644);
}

std::string why_not_opened(const std::filesystem::path& path, int error) {
  struct stat s {};
  if (error == ELOOP) return "it is a link";
  if (error == EISDIR || error == ENXIO) return "it is not a plain file";
  if (error == EACCES && lstat(path.c_str(), &s) == 0 && s.st_uid != geteuid()) {
    return fmt::format(
        "it belongs to user {} and nobody else may read it; have it removed, or set GEMWRIGHT_LOCK to "
        "another file for every user of this machine",
        s.st_uid);
  }
  return std::strerror(error);
}

bool in_use(int fd) {
  if (flock(fd, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  flock(fd, LOCK_UN);
  return false;
}

bool alive(int pid) { return kill(pid, 0) == 0 || errno == EPERM; }

std::optional<uid_t> user_of(int pid) {
  struct stat s {};
  if (stat(fmt::format("/proc/{}", pid).c_str(), &s) != 0) return std::nullopt;
  return s.st_uid;
}

std::optional<int> listed_holder(int fd) {
  struct stat s {};
  std::ifstream locks("/proc/locks");
  if (fstat(fd, &s) != 0 || !locks) return std::nullopt;
  return flock_holder(std::string(std::istreambuf_iterator<char>(locks), {}), s.st_dev, s.st_ino);
}

template <class T>
std::optional<T> whole_number(std::string_view text, int base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The page tells about its last writer, and when another user's measurer holds the lock now, that one may have been
// killed long ago.
LockInfo describe(const LockPage& page, std::optional<int> listed) {
  LockInfo info;
  info.pid = listed;
  const bool by_writer = page.pid > 0 && (!listed || *listed == page.pid);
  // Not listed: there is no /proc/locks, or the holder lives in another container, where it has another number.
  if (!listed && by_writer && alive(page.pid)) info.pid = page.pid;
  if (info.pid) info.uid = user_of(*info.pid);
  if (!by_writer) return info;
  info.study = printable(std::string_view(page.study, strnlen(page.study, sizeof page.study)), sizeof page.study);
  info.timing = page.timing != 0;
  return info;
}

// Of a file whose lock we do not hold.
std::optional<LockInfo> look(int fd) {
  const LockPage page = LockPage::read(fd);
  const auto listed = listed_holder(fd);
  // A lock that can be had is held by nobody, whatever the file says. Asked last: the holder may end meanwhile.
  return in_use(fd) ? std::optional(describe(page, listed)) : std::nullopt;
}

}  // namespace

std::filesystem::path machine_lock_path() {
  const char* const chosen = std::getenv("GEMWRIGHT_LOCK");
  if (chosen != nullptr && chosen[0] != 0) return chosen;
  struct stat s {};
  constexpr mode_t kShared = S_IWOTH | S_ISVTX;  // sticky: nobody removes the file of another
  const bool shared = stat("/run/lock", &s) == 0 && S_ISDIR(s.st_mode) && (s.st_mode & kShared) == kShared;
  return shared ? "/run/lock/gemwright.lock" : "/tmp/gemwright.lock";
}

// A line is "1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF"; one that waits has "->" behind its number.
std::optional<int> flock_holder(std::string_view proc_locks, dev_t device, ino_t inode) {
  for (const std::string_view line : split(proc_locks, '\n')) {
    std::vector<std::string_view> words = split(line, ' ');
    std::erase(words, "");
    if (words.size() != 8 || words[1] != "FLOCK" || words[2] != "ADVISORY" || words[3] != "WRITE") continue;
    const auto file = split(words[5], ':');
    if (file.size() != 3 || whole_number<unsigned>(file[0], 16) != major(device) ||
        whole_number<unsigned>(file[1], 16) != minor(device) || whole_number<ino_t>(file[2], 10) != inode)
      continue;
    // Older kernels list holders in other containers, as process 0.
    if (const auto pid = whole_number<int>(words[4], 10); pid && *pid > 0) return pid;
  }
  return std::nullopt;
}

std::optional<LockInfo> read_machine_lock(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | kOpenFlags);
  if (fd < 0) return std::nullopt;
  auto info = look(fd);
  close(fd);
  return info;
}

bool being_timed(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | kOpenFlags);
  if (fd < 0) return false;
  bool timing = LockPage::read(fd).timing != 0;  // mostly it is not, and that is all there is to know
  if (timing) {
    const auto info = look(fd);
    timing = info && info->timing;
  }
  close(fd);
  return timing;
}

Result<MachineLock> MachineLock::open(const std::filesystem::path& path) {
  MachineLock lock(path);
  if (const auto opened = lock.open_file(); !opened) return tl::unexpected(opened.error());
  return lock;
}

Result<void> MachineLock::open_file() {
  if (!path_.is_absolute()) return refused(path_, "its path must be absolute");
  int error = 0;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    fd_ = open_existing(path_);
    if (fd_ < 0 && errno == ENOENT) fd_ = create(path_);
    if (fd_ < 0) {
      error = errno;
      // Made or removed by another meanwhile, or made and not yet opened to everybody.
      if (error == ENOENT || error == EEXIST || error == EACCES) continue;
      break;
    }
    struct stat s {};
    if (fstat(fd_, &s) == 0 && S_ISREG(s.st_mode) && s.st_nlink == 1)
      return s.st_uid == geteuid() ? map_own_file() : Result<void>();
    close_file();
    if (!S_ISREG(s.st_mode)) return refused(path_, "it is not a plain file");
    if (s.st_nlink > 1) return refused(path_, "it has a second name");
    error = ENOENT;  // removed by another meanwhile
  }
  return refused(path_, why_not_opened(path_, error));
}

Result<void> MachineLock::map_own_file() {
  // A version is a small number: no text, picture or program begins like that, should $GEMWRIGHT_LOCK name one.
  std::uint32_t version = 0;
  const auto got = pread(fd_, &version, sizeof version, 0);
  if (got != 0 && (got != sizeof version || version > 0xff)) {
    close_file();
    return refused(path_, "it holds something else");
  }
  // Whatever the umask said: all may read it, and none but us shorten it while it is mapped.
  (void)fchmod(fd_, 0644);
  // With its memory: a full disk is told now and not by a signal when the page is written.
  int error = posix_fallocate(fd_, 0, sizeof(LockPage));
  void* memory = MAP_FAILED;
  if (error == 0) {
    memory = mmap(nullptr, sizeof(LockPage), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    error = errno;
  }
  if (memory == MAP_FAILED) {
    close_file();
    return refused(path_, error == EBADF ? "it cannot be written" : std::strerror(error));
  }
  page_ = static_cast<LockPage*>(memory);
  return {};
}

void MachineLock::close_file() {
  if (page_ != nullptr) {
    if (taken_) {
      publish(page_->timing, 0U);
      publish(page_->pid, 0);
    }
    munmap(page_, sizeof(LockPage));
  }
  if (fd_ >= 0) close(fd_);
  page_ = nullptr;
  fd_ = -1;
  taken_ = false;
}

MachineLock::MachineLock(MachineLock&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      page_(std::exchange(other.page_, nullptr)),
      taken_(std::exchange(other.taken_, false)) {}

MachineLock::~MachineLock() { close_file(); }

// Whether others who open the path get this file.
bool MachineLock::has_its_name() const {
  struct stat ours, named;
  return fstat(fd_, &ours) == 0 && lstat(path_.c_str(), &named) == 0 && ours.st_dev == named.st_dev &&
         ours.st_ino == named.st_ino;
}

Result<bool> MachineLock::try_take() {
  for (int i = 0; i < kTries; ++i) {
    if (fd_ < 0) {
      if (const auto opened = open_file(); !opened) return tl::unexpected(opened.error());
    }
    if (!taken_ && flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (in_use(fd_)) return false;
      std::this_thread::sleep_for(kPause);  // somebody merely looked whether it is held
      continue;
    }
    if (!has_its_name()) {
      close_file();  // a lock on a file that nobody else can find is none
      continue;
    }
    if (taken_) return true;
    taken_ = true;
    if (page_ == nullptr) return true;
    publish(page_->pid, 0);
    publish(page_->version, LockPage::kVersion);
    publish(page_->timing, 0U);
    set_study("");
    publish(page_->pid, static_cast<std::int32_t>(getpid()));
    return true;
  }
  return false;
}

std::optional<LockInfo> MachineLock::holder() const {
  if (taken_) return describe(LockPage::read(fd_), getpid());
  return fd_ < 0 ? std::nullopt : look(fd_);
}

void MachineLock::set_study(const std::string& study) {
  if (!taken_ || page_ == nullptr) return;
  char text[LockPage::kStudy] = {};
  std::copy_n(study.begin(), std::min(study.size(), LockPage::kStudy - 1), text);
  std::memcpy(page_->study, text, sizeof text);
}

void MachineLock::set_timing(bool timing) {
  if (taken_ && page_ != nullptr) publish(page_->timing, timing ? 1U : 0U);
}

}  // namespace gemwright::tuner
