// What the window can do beyond looking: tune, steer, export, compare, open and close databases. Views fill in its
// forms and call it; what takes longer than a frame goes to a thread, and its answer is there in a later frame.
//
// Free of ImGui and of the window: tests drive it with a scripted runner. All calls come from the thread of the window.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "app/model/background.h"
#include "app/model/compare_view.h"
#include "app/model/export_plan.h"
#include "app/model/file_stamp.h"
#include "app/model/snapshot.h"
#include "app/model/steer.h"
#include "app/model/text_diff.h"
#include "app/model/tune_form.h"
#include "app/model/tuning_queue.h"

namespace gemwright::app {

struct DeskHooks {
  TuningRunner tune;                   // runs a job
  std::function<void()> wake = [] {};  // something to show; from any thread
  std::function<bool()> being_timed = [] { return false; };
  std::function<void(const std::filesystem::path&)> open = [](const auto&) {}, close = [](const auto&) {};
  std::vector<int> cpus = {};  // all that this process had when it began
};

// An answer that is on its way or was worth nothing has a sentence in its place.
struct FormState {
  std::optional<TunePreview> preview;
  std::optional<FormError> error;
  std::string device;  // this CPU by name; empty while it is not known
  bool busy = false;
};

struct ExportState {
  std::shared_ptr<const PlannedExport> plan;
  std::vector<std::string_view> lines;  // of its text
  TextDiff diff;                        // against the file
  FileStamp file;                       // as it was when it was compared
  bool foreign = false;                 // the file holds something that gemwright did not write
  std::string file_error;               // why the file cannot be compared
  std::string error;                    // why there is no plan
  bool busy = false;
};

struct CompareState {
  std::shared_ptr<const CompareResult> result;
  std::string error;
  bool busy = false;
};

class Desk {
 public:
  explicit Desk(DeskHooks hooks);

  // Once a frame: takes over what the threads have done. `snapshot` is what is shown.
  void advance(const Snapshot& snapshot);
  // What happened, to be said once; empty where nothing did.
  std::string take_notice() { return std::exchange(notice_, {}); }
  // A study of this process that began running and was not told yet: to be shown.
  std::optional<StudyRef> study_to_follow(const Snapshot& snapshot);
  // Whether a thread works for the window.
  bool busy() const { return previews_.busy() || actions_.busy(); }

  // Tuning. The form is checked as it changes, on a thread.
  TuneForm form;
  const FormState& form_state();
  const std::vector<std::string>& presets() const { return presets_; }
  void start(const TuneForm& form, const std::filesystem::path& database);
  // Starts what the form says now, as soon as that has been checked; what is wrong is a notice and starts nothing.
  void start_checked(const std::filesystem::path& database);
  // A study that does not run goes on: what is left of its budget, and what was asked of it meanwhile.
  void go_on(const std::filesystem::path& database, const ShownStudy& study);
  void interrupt();
  // Pauses the study that was started last, or resumes it, as long as it is not shown yet: it happens as soon as that
  // one has begun. False where there is none.
  bool toggle_started();
  const TuningState& tuning() const { return state_; }
  // Whether a study was told to go on here and has not ended: until it runs it is being started.
  bool goes_on(const std::filesystem::path& database, tuner::StudyId study) const {
    return tuning_.holds({database, study});
  }

  // What is wrong with a database. Nothing while its first study is being prepared here: until then there is no file,
  // or an empty one.
  std::string error_of(const DatabaseSnapshot& database) const;

  // As `gemwright steer STUDY ACTION ARGUMENT` on that database; the answer is a notice.
  void steer(const std::filesystem::path& database, const ShownStudy& study, const std::string& action,
             const std::string& argument);

  // The header of the database that is looked at.
  ExportOptions export_options;
  std::string export_file = "tuned_gemm.h";
  const ExportState& export_state(const DatabaseSnapshot& database);
  // Writes what is shown. A file that is not the one that was compared stays as it is, until it was compared anew; one
  // that gemwright did not write is replaced only when this is asked for a second time.
  void write_export(const DatabaseSnapshot& database);
  bool asks_to_replace() const { return export_.foreign && !export_asked_.empty() && export_asked_ == export_key_; }

  // Compared anew when the form changes, and while one of its studies runs.
  CompareForm compare_form;
  const CompareState& compare_state();

  // Databases. `list` looks for files that begin as typed; they are in `found` later.
  void open(const std::filesystem::path& database);
  // As a person asks for it: one that cannot be read is not opened, and one of the snapshot that could not be either is
  // closed for it. The answer is a notice.
  void open_readable(const std::filesystem::path& database, const Snapshot& snapshot);
  void close(const std::filesystem::path& database);
  void list(const std::string& typed);
  const std::vector<std::string>& found() const { return found_; }
  std::vector<std::string> recent;  // the newest first

 private:
  // A job that was started and has no study to show yet.
  struct Started {
    std::filesystem::path database;
    std::int64_t finished = 0;         // jobs that had ended before it
    bool paused = false, due = false;  // as it was asked for, and whether that is still to be told
  };
  void tell_started(tuner::StudyId study);
  // What is to be started once it has been checked.
  struct Wanted {
    TuneForm form;
    std::filesystem::path database;
  };
  void start_wanted();
  void submit_steer(const std::filesystem::path& database, const ShownStudy& study, const std::string& action,
                    const std::string& argument, bool starting);
  void add_job(TuningJob job);
  void plan_form();
  // What a plan was made from: another key is another header.
  std::string export_key(const DatabaseSnapshot& database, const FileStamp& file) const;
  void plan_export(const std::filesystem::path& database, const FileStamp& file);

  DeskHooks hooks_;
  std::string notice_;
  std::vector<std::string> presets_, found_;
  std::set<std::pair<int, tuner::StudyId>> followed_;
  std::optional<TuneForm> planned_form_;
  FormState form_state_;
  std::shared_ptr<const Workplace> place_;  // of the compiler that was asked for last
  std::string place_compiler_;
  TuningState state_;
  std::optional<Wanted> wanted_;
  std::optional<Started> started_;
  std::string export_key_, export_shown_, export_asked_, compare_key_;
  std::uint64_t compared_ = 0;  // what the snapshot holds of the studies that may be compared
  ExportState export_;
  CompareState compare_;
  // Last: their threads end first.
  Background previews_, actions_;
  TuningQueue tuning_;
};

// *.db files whose path begins as typed, folders with a slash at the end; at most some dozens, sorted.
std::vector<std::string> database_files(const std::string& typed);

}  // namespace gemwright::app
