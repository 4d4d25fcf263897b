// One measurer at a time on a machine, whoever the users are: an advisory lock (flock) on one file for all of them.
//
// The file belongs to whoever was first to need it, readable by everybody. Its owner's measurers also map it and write
// there what they measure and whether a block is being timed this moment, so that whoever waits, and every window, can
// see it. Another user's measurer holds the same lock and is told apart by /proc/locks, but can say no more than that.
//
// Limits: whoever may read the file may hold its lock, so users who share a machine trust each other not to. A measurer
// whose file is removed keeps measuring until its next look, and meanwhile a new file has a lock of its own. Services
// with a private /tmp, and containers, see the machine's file only where it is handed to them ($GEMWRIGHT_LOCK).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "tuner/result.h"

namespace gemwright::tuner {

// Of the process that measures, as far as can be told.
struct LockInfo {
  std::optional<int> pid;
  std::optional<uid_t> uid;
  std::string study;  // empty where it is not known
  bool timing = false;
};

// $GEMWRIGHT_LOCK, else /run/lock/gemwright.lock where everybody may make files in /run/lock, else /tmp/gemwright.lock.
std::filesystem::path machine_lock_path();
// Who measures now; nothing when nobody does.
std::optional<LockInfo> read_machine_lock(const std::filesystem::path& path);
// Whether a block is being timed this moment. Cheap enough to ask before each repaint, a microsecond or so when nothing
// is timed.
bool being_timed(const std::filesystem::path& path);

// The process with the exclusive flock on a file, from the text of /proc/locks; nothing where it is not listed.
std::optional<int> flock_holder(std::string_view proc_locks, dev_t device, ino_t inode);

struct LockPage;

class MachineLock {
 public:
  // Opens the file and makes it where it is missing; refuses whatever is not a plain file with one name.
  static Result<MachineLock> open(const std::filesystem::path& path);
  MachineLock(MachineLock&& other) noexcept;
  MachineLock& operator=(MachineLock&&) = delete;
  ~MachineLock();

  // True when it is ours, now or still. An Error when the file is gone and no new one can be had.
  Result<bool> try_take();
  bool taken() const { return taken_; }
  // Who has it now; nothing when it is free.
  std::optional<LockInfo> holder() const;
  // Of the holder only. They do nothing when the file belongs to another user.
  void set_study(const std::string& study);
  void set_timing(bool timing);

 private:
  explicit MachineLock(std::filesystem::path path) : path_(std::move(path)) {}

  Result<void> open_file();
  Result<void> map_own_file();
  void close_file();
  bool has_its_name() const;

  std::filesystem::path path_;
  int fd_ = -1;
  LockPage* page_ = nullptr;  // null when the file belongs to another user
  bool taken_ = false;
};

}  // namespace gemwright::tuner
