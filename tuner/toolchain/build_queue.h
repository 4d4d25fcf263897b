// Compiles several libraries at once in child processes, while its owner does other things. No threads: the owner calls
// `advance` now and then, or when one of `poll_fds` is readable.
//
// What the cache holds is not compiled again. A compiler that does not end within the deadline is killed. `pause` stops
// all compilers while a block is timed; time spent paused counts for no deadline. Compilers end with the thread that
// started them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/toolchain/compiler.h"
#include "tuner/toolchain/library_cache.h"
#include "tuner/toolchain/process.h"

namespace gemwright::tuner {

struct BuildResult {
  std::string library;                     // path; empty when it could not be built
  std::string error;                       // then one sentence
  std::optional<std::int64_t> compile_ns;  // absent when it came from the cache or was reported before
};

class BuildQueue {
 public:
  explicit BuildQueue(LibraryCache cache, std::chrono::seconds deadline = kDeadline);
  ~BuildQueue();  // kills what is running
  BuildQueue(const BuildQueue&) = delete;
  BuildQueue& operator=(const BuildQueue&) = delete;

  // Queues a library unless it is there or under way, and answers its key.
  std::string start(const Compiler& compiler, const std::string& source);
  // Nothing while it is queued or being compiled. A key that was never started has an error.
  std::optional<BuildResult> result(const std::string& key);
  // Somebody waits for it: it is the next to be compiled.
  void prefer(const std::string& key);
  // What has not begun is not wanted any more.
  void forget_queued() { queued_.clear(); }
  // Waits for the result; for owners that have nothing else to do.
  BuildResult wait(const std::string& key);

  // Takes in what has ended, kills what takes too long, starts what is next.
  void advance();
  std::vector<int> poll_fds() const;
  bool idle() const { return running_.empty() && queued_.empty(); }
  void pause();
  void resume();

  // The slowest group takes 4 s; a loaded machine may be ten times slower.
  static constexpr std::chrono::seconds kDeadline{120};

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    std::string key;
    Compiler compiler;
    std::string source;
  };
  struct Running {
    Job job;
    Process process;
    Clock::time_point started;
  };

  void launch(Job job);
  void finish(Running& r);
  void give_up(const Job& job, std::string reason);
  std::filesystem::path source_path(const Job& job) const { return cache_.temporary(job.key, ".cpp"); }
  std::filesystem::path output_path(const Job& job) const { return cache_.temporary(job.key, ".so"); }

  LibraryCache cache_;
  std::chrono::seconds deadline_;
  std::size_t parallel_;
  std::deque<Job> queued_;
  std::list<Running> running_;
  std::map<std::string, std::string> failed_;       // key -> sentence: not tried again
  std::map<std::string, std::int64_t> compile_ns_;  // not reported yet
  std::optional<Clock::time_point> paused_;
};

}  // namespace gemwright::tuner
