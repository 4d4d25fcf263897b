// One measurer at a time on a machine, as far as one user's programs go: an advisory lock on a file that is also
// mapped, so that whoever waits, and every window, can see who measures what and whether a block is being timed this
// moment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tuner/result.h"

namespace gemwright::tuner {

struct LockInfo {
  int pid = 0;
  std::string study;
  bool timing = false;
};

// $XDG_RUNTIME_DIR/gemwright.lock, else /tmp/gemwright-<uid>.lock.
std::filesystem::path machine_lock_path();
// Who measures now; nothing when nobody does.
std::optional<LockInfo> read_machine_lock(const std::filesystem::path& path);

class MachineLock {
 public:
  // Opens and maps the file; refuses a link and another user's file.
  static Result<MachineLock> open(const std::filesystem::path& path);
  MachineLock(MachineLock&& other) noexcept;
  MachineLock& operator=(MachineLock&&) = delete;
  ~MachineLock();

  // True when it is ours, now or before.
  bool try_lock();
  bool locked() const { return locked_; }
  // Who has it, as far as can be told; for those who wait.
  LockInfo holder() const;
  // Of the holder only.
  void set_study(const std::string& study);
  void set_timing(bool timing);

 private:
  struct Page;
  MachineLock(int fd, Page* page) : fd_(fd), page_(page) {}

  int fd_;
  Page* page_;
  bool locked_ = false;
};

}  // namespace gemwright::tuner
