// Tuning jobs one after the other on a thread of their own, each with its own store connection and worker. The window
// adds jobs, reads the state, interrupts; it waits for nothing.
//
// What a job does is a function that is handed in (tune_here.h, or a script in tests).
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/model/plan.h"
#include "tuner/study/engine.h"

namespace gemwright::app {

struct TuningJob {
  TuneOptions options;
  std::filesystem::path database;
  std::optional<tuner::StudyId> study = {};     // this one goes on, instead of the options
  std::optional<std::int64_t> created_at = {};  // when that study was begun
};
// A study that was told to go on.
struct StudyPlace {
  std::filesystem::path database;
  tuner::StudyId study = 0;
  bool operator==(const StudyPlace&) const = default;
};
// "preset qwen3-0.6b", "study 3"
std::string job_title(const TuningJob& job);

// How a job tells what happens. To be called from the thread of the job.
struct TuningSink {
  std::function<bool()> stop;                      // true: save and end with ErrorKind::interrupted
  std::function<void(const std::string&)> note;    // what a person should know about what was planned
  std::function<void(const std::string&)> notice;  // of the worker: whom it waits for
  std::function<void(const std::string& title, std::size_t index, std::size_t count)> begin;
  std::function<void(const tuner::StudyProgress&)> progress;
  std::function<void(const std::string&)> done, failed;  // one study, in a sentence
};
using TuningRunner = std::function<tuner::Result<void>(const TuningJob&, const TuningSink&)>;

struct TuningLine {
  enum class Kind { done, note, problem } kind = Kind::done;
  std::string text;
};

struct TuningState {
  bool running = false, stopping = false;
  std::string job;    // what the running one tunes
  std::string title;  // of the study at hand; empty while the job is being prepared
  std::size_t index = 0, count = 0;
  std::optional<tuner::StudyProgress> progress;
  std::string waits;                 // for whom, in a sentence; empty when it does not
  std::vector<std::string> waiting;  // jobs behind the running one
  std::vector<TuningLine> lines;     // what happened, oldest first, the last hundred
  std::int64_t finished = 0;         // jobs that have ended, however
};

class TuningQueue {
 public:
  // `wake` is called from the thread of the jobs, a few times a second at most.
  TuningQueue(TuningRunner runner, std::function<void()> wake);
  // Interrupts the running job and waits until it is saved.
  ~TuningQueue();
  TuningQueue(const TuningQueue&) = delete;
  TuningQueue& operator=(const TuningQueue&) = delete;

  void add(TuningJob job);
  // The running job ends as soon as it can, saved as interrupted; the jobs behind it are forgotten.
  void interrupt();
  TuningState state() const;
  // Whether this study goes on here, now or when its turn comes, and has not ended yet.
  bool holds(const StudyPlace& study) const;
  // Whether a job runs or waits whose studies are recorded there.
  bool tunes_into(const std::filesystem::path& database) const;

 private:
  void run();
  TuningSink sink();
  void leave();
  void line(TuningLine::Kind kind, const std::string& text);
  template <class Change>
  void change(bool at_once, Change what);

  TuningRunner runner_;
  std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable added_;
  std::deque<TuningJob> jobs_;
  std::optional<StudyPlace> going_on_;  // of the running job, until its study has ended
  std::filesystem::path database_;      // of the running job; empty where none runs
  TuningState state_;
  bool stop_ = false, closing_ = false;
  double woken_at_ = 0;
  std::thread thread_;
};

// For a terminal: "120 configs (3 failed), best 151.2 GFLOP/s = 1.31x baseline"; of a paused study also the command
// that lets it go on.
std::string progress_figures(const tuner::StudyProgress& progress);
// For the window: "search, 120 configs (3 failed), best 151.2 GFLOP/s = 1.31x baseline, 5 s left"
std::string progress_text(const tuner::StudyProgress& progress);
// Of the budget, from 0 to 1.
double progress_share(const tuner::StudyProgress& progress);
// One line for the status bar; empty where nothing runs.
std::string tuning_text(const TuningState& state);

}  // namespace gemwright::app
