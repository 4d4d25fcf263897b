// Compiles several libraries at once in child processes, while its owner does other things. No threads: the owner calls
// `advance` now and then, or when one of `poll_fds` is readable.
//
// What the cache holds is not compiled again. Parsing the system headers is half of what compiling a library of tiles
// takes (g++ 12: 0.9 of 1.8 s): what a source may include first is precompiled beside the first library and kept, too.
// It only saves time: where it cannot be made libraries are compiled without, and one that fails with it is tried again
// without; where that helps, it is thrown away. A compiler that does not end within the deadline is killed. `pause`
// stops all compilers while a block is timed; time spent paused counts for no deadline. Compilers end with the thread
// that started them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
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

  // Queues a library unless it is there or under way, and answers its key. `prefix`: text of nothing but system
  // headers, which the source may be told to include first.
  std::string start(const Compiler& compiler, const std::string& source, const std::string& prefix = "");
  // Nothing while it is queued or being compiled. A key that was never started has an error.
  std::optional<BuildResult> result(const std::string& key);
  // Somebody waits for it: it is the next to be compiled.
  void prefer(const std::string& key);
  // Libraries that have not begun are not wanted any more.
  void forget_queued() {
    std::erase_if(queued_, [](const Job& j) { return !j.makes_prefix; });
  }
  // Waits for the result; for owners that have nothing else to do.
  BuildResult wait(const std::string& key);

  // Takes in what has ended, kills what takes too long, starts what is next.
  void advance();
  std::vector<int> poll_fds() const;
  bool idle() const { return running_.empty() && queued_.empty(); }
  void pause();
  void resume();

  // The slowest group takes some seconds; a loaded machine may be ten times slower.
  static constexpr std::chrono::seconds kDeadline{120};

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    std::string key;
    Compiler compiler;
    std::string source;
    std::string prefix;           // key of its precompiled headers; empty: none
    bool makes_prefix = false;    // it is those itself
    bool without_prefix = false;  // since it failed with them
  };
  struct Running {
    Job job;
    Process process;
    Clock::time_point started;
    bool with_prefix;
  };

  // Queues precompiled headers unless they are there or were asked for.
  void want_prefix(const Compiler& compiler, const std::string& text);
  void launch(Job job);
  void finish(Running& r);
  void give_up(const Job& job, std::string reason);
  // Queues a library that failed with precompiled headers once more, without them. False where that was done.
  bool try_without_prefix(const Job& job);
  // A folder of its own, for the compiler's temporary files, too: one that is killed leaves them.
  std::filesystem::path work_folder(const Job& job) const { return cache_.temporary(job.key, ""); }
  std::filesystem::path source_path(const Job& job) const {
    return job.makes_prefix ? cache_.prefix_path(job.key) : work_folder(job) / "source.cpp";
  }
  std::filesystem::path output_path(const Job& job) const { return work_folder(job) / "output"; }

  LibraryCache cache_;
  std::chrono::seconds deadline_;
  std::size_t parallel_;
  std::deque<Job> queued_;
  std::list<Running> running_;
  std::map<std::string, std::string> failed_;       // key -> sentence: not tried again
  std::map<std::string, std::int64_t> compile_ns_;  // not reported yet
  std::set<std::string> prefixes_;                  // asked for before
  std::set<std::string> useless_prefixes_;
  std::optional<Clock::time_point> paused_;
};

}  // namespace gemwright::tuner
