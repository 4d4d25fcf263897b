// What every command shares: where the database is, how errors end, how Ctrl-C is heard, how progress looks.
#pragma once

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/model/tuning.h"
#include "tuner/worker/client.h"

namespace CLI {
class App;
}

namespace gemwright::app {

// Exit codes are a contract (DESIGN section 5).
constexpr int kDone = 0, kFailed = 1, kUsage = 2, kNothingValid = 3, kCheckFailed = 4, kInterrupted = 130;

// To standard error. Where nobody hears it (the terminal was closed) nothing else is lost.
void say(const std::string& text);

// Prints the sentence to standard error and answers the exit code of its kind.
int report(const tuner::Error& error);

// --db, else $GEMWRIGHT_DB, else gemwright.db here.
std::filesystem::path database_path(const std::string& option);

// A database that is there, to be written to: a missing and an empty file are refused.
tuner::Result<std::unique_ptr<tuner::Store>> open_existing(const std::filesystem::path& file);

// JSON lines on standard output, the first with the version.
void print_lines(std::vector<nlohmann::json>& rows);

// From here on SIGINT, SIGTERM and SIGHUP ask to stop instead of ending the process; a second SIGINT ends it at once.
void hear_interrupts();
bool interrupted();

// Adds the options that say what to tune and how.
void add_tune_options(CLI::App& command, TuneOptions& options);

// The measuring worker: `command` as --worker gives it, empty for one on this machine.
tuner::Result<std::unique_ptr<tuner::WorkerClient>> start_worker(const std::string& command);

// One line on standard error: a bar that redraws itself on a terminal, plain lines otherwise.
class ProgressLine {
 public:
  // Of several studies: which one this is.
  void begin(std::string title, std::size_t index, std::size_t count);
  void show(const tuner::StudyProgress& progress);
  void end();

 private:
  std::string title_;
  std::size_t index_ = 0, count_ = 0;
  std::string last_phase_;
  bool drawn_ = false;
};

// Monotonic seconds, for the engine.
double now_seconds();
void sleep_seconds(double seconds);

// Tunes what the database lacks of these studies, with progress on standard error; their figures, in order.
tuner::Result<std::vector<StudyFigures>> tune_missing(tuner::Store& store, tuner::Measurer& measurer,
                                                      std::vector<PlannedStudy>& studies);

}  // namespace gemwright::app
