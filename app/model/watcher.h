// Keeps a snapshot of several databases up to date from a thread of its own: a study that another process runs can be
// watched live. Nothing is read while a block is being timed on this machine, nor while no file has changed.
//
// The databases are only read. `on_change` is called from the thread of the watcher after each new snapshot.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "app/model/database_stamp.h"
#include "app/model/snapshot.h"

namespace gemwright::app {

// Every database read once, here and now.
std::shared_ptr<const Snapshot> read_snapshot(const std::vector<std::filesystem::path>& databases);

struct WatcherOptions {
  std::chrono::milliseconds interval{1000};  // between two looks
  std::chrono::milliseconds retry{50};       // after a look that a timed block forbade
  std::function<bool()> being_timed = [] { return false; };
};

class Watcher {
 public:
  Watcher(std::vector<std::filesystem::path> databases, WatcherOptions options, std::function<void()> on_change);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  std::shared_ptr<const Snapshot> snapshot() const;
  // Opened with the next look; one that is open stays as it is.
  void open(const std::filesystem::path& database);
  // Holds no study from the next snapshot on.
  void close(const std::filesystem::path& database);

 private:
  struct Watched {
    std::filesystem::path path;
    bool closed = false;
  };
  struct OpenDatabase {
    std::unique_ptr<tuner::Store> store;
    std::optional<DatabaseStamp> stamp;  // from before it was read last
  };
  static std::vector<Watched> watched(const std::vector<std::filesystem::path>& databases);
  Watched* find(const std::filesystem::path& database);
  void look_now();
  void run();
  void look(std::vector<OpenDatabase>& open);
  void publish(std::shared_ptr<const Snapshot> snapshot);

  WatcherOptions options_;
  std::function<void()> on_change_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Watched> databases_;
  bool stopping_ = false, look_now_ = false;
  std::thread thread_;
};

}  // namespace gemwright::app
