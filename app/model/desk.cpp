#include "app/model/desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/cpu_share.h"
#include "db/store.h"
#include "tuner/problem/input_text.h"
#include "tuner/study/runner.h"

namespace gemwright::app {
namespace {

constexpr std::size_t kMaxSentence = 600, kMaxFound = 50, kMaxRecent = 10;
// No header of ours is larger.
constexpr std::uintmax_t kMaxHeader = 64u << 20;
constexpr const char *kForm = "form", *kExport = "export", *kCompare = "compare", *kList = "list";

std::string sentence(const tuner::Error& error) { return tuner::printable(error.message, kMaxSentence); }

// In a window nobody has an option to give.
std::string without_option(std::string text) {
  constexpr std::string_view kOption = " with --db";
  if (const auto at = text.find(kOption); at != std::string::npos) text.erase(at, kOption.size());
  return text;
}

// What an export depends on beside its options: the studies that have ended.
std::string finished_text(const DatabaseSnapshot& d) {
  std::string text;
  for (const auto& s : d.studies) {
    const tuner::StudyRecord& r = s->record();
    if (r.state == tuner::StudyState::running && s->figures.runner_alive == true) continue;
    text += fmt::format("{}:{} ", r.id, r.updated_at);
  }
  return text;
}

// Every header of ours says so in lines of this form.
bool is_ours(std::string_view text) { return text.empty() || text.find("//@gemwright ") != std::string_view::npos; }

// `stamp`: of the file, before it is read.
ExportState planned(const std::filesystem::path& database, const ExportOptions& options, const std::string& file,
                    const FileStamp& stamp) {
  ExportState out;
  out.file = stamp;
  const auto store = db::open_store(database, db::OpenMode::read_only);
  auto plan = store ? plan_header(**store, options, database) : tl::unexpected(store.error());
  if (!plan) {
    out.error = sentence(plan.error());
    return out;
  }
  out.plan = std::make_shared<const PlannedExport>(std::move(*plan));
  out.lines = text_lines(out.plan->text);
  if (!stamp.exists) return out;
  const auto before = tuner::read_text_file(file, kMaxHeader);
  if (before) {
    out.diff = text_diff(*before, out.plan->text);
    out.foreign = !is_ours(*before);
  } else {
    out.file_error = sentence(before.error());
    out.foreign = true;
  }
  return out;
}

std::string steered(const std::filesystem::path& database, const ShownStudy& study, const std::string& action,
                    const std::string& argument, bool starting) {
  const auto request = parse_steer(std::to_string(study.id), action, argument);
  if (!request) return sentence(request.error());
  // To open it would make it.
  if (!file_identity(database))
    return fmt::format("{} is gone: study {} cannot be steered", database.string(), study.id);
  const auto store = db::open_store(database, db::OpenMode::read_write);
  if (!store) return sentence(store.error());
  if (const auto shown = check_shown(**store, study, database.string()); !shown) return sentence(shown.error());
  const auto plan = plan_steer(**store, *request, starting);
  if (!plan) return sentence(plan.error());
  if (plan->write) {
    const auto event = (*store)->add_event(request->study, request->kind, request->argument);
    if (!event) return sentence(event.error());
  }
  return plan->sentence;
}

std::string changed_text(const std::string& file) {
  return fmt::format("{} is not the file that was compared: look at the changes, then write again", file);
}

// What was shown, or what is planned now where nothing was, unless the file is another one than `seen`.
std::string written(const std::filesystem::path& database, const std::string& file, const FileStamp& seen,
                    const ExportOptions& options, std::shared_ptr<const PlannedExport> plan) {
  const auto store = db::open_store(database, db::OpenMode::read_write);
  if (!store) return sentence(store.error());
  if (!plan) {
    auto planned = plan_header(**store, options, database);
    if (!planned) return sentence(planned.error());
    plan = std::make_shared<const PlannedExport>(std::move(*planned));
  }
  if (file_stamp(file) != seen) return changed_text(file);
  const auto done = write_export(**store, file, *plan);
  return done ? fmt::format("{} written: {}", file, export_text(*plan)) : sentence(done.error());
}

// Another number where a study of a database that the form names has got on.
std::uint64_t progress_of(const Snapshot& snapshot, const CompareForm& form) {
  std::uint64_t sum = 0;
  for (const DatabaseSnapshot& d : snapshot.databases) {
    const std::string path = d.path.string();
    if (d.path != form.database && !form.a.starts_with(path) && !form.b.starts_with(path)) continue;
    for (const auto& s : d.studies) {
      // Rounds and trials are only added, and each change of state moves the time.
      const auto id = static_cast<std::uint64_t>(s->ref.study);
      sum += (id + 1) * (static_cast<std::uint64_t>(s->record().updated_at) + s->noise.size() + s->trials.size());
    }
  }
  return sum;
}

}  // namespace

Desk::Desk(DeskHooks hooks)
    : hooks_(std::move(hooks)),
      previews_({hooks_.wake, hooks_.being_timed}),
      actions_({hooks_.wake, hooks_.being_timed, true}),
      tuning_(hooks_.tune, hooks_.wake) {}

void Desk::advance(const Snapshot& snapshot) {
  compared_ = progress_of(snapshot, compare_form);
  previews_.finish();
  actions_.finish();
  start_wanted();
  const std::int64_t before = state_.finished;
  state_ = tuning_.state();
  if (state_.finished != before && !state_.lines.empty()) notice_ = state_.lines.back().text;
  if (!started_) return;
  if (state_.finished != started_->finished) return started_.reset();
  if (state_.progress && state_.progress->study != 0) tell_started(state_.progress->study);
}

std::optional<StudyRef> Desk::study_to_follow(const Snapshot& snapshot) {
  const bool tuning = tuning_.state().running;
  const tuner::Runner self = tuner::this_process();
  std::optional<StudyRef> begun;
  for (const DatabaseSnapshot& d : snapshot.databases) {
    for (const auto& s : d.studies) {
      const tuner::StudyRecord& r = s->record();
      const std::pair study(s->ref.database, s->ref.study);
      if (r.state != tuner::StudyState::running || r.runner != self) {
        followed_.erase(study);  // it may go on later
      } else if (tuning && !begun && followed_.insert(study).second) {
        begun = s->ref;
      }
    }
  }
  if (begun && started_) {
    tell_started(begun->study);
    started_.reset();
  }
  return begun;
}

const FormState& Desk::form_state() {
  if (planned_form_ != form) plan_form();
  form_state_.busy = previews_.busy(kForm);
  return form_state_;
}

void Desk::plan_form() {
  planned_form_ = form;
  struct Answer {
    std::shared_ptr<const Workplace> place;
    std::vector<std::string> presets;
    tl::expected<TunePreview, FormError> preview;
  };
  const auto known = place_compiler_ == form.compiler ? place_ : nullptr;
  previews_.submit(kForm, [this, wanted = form, known, cpus = hooks_.cpus]() -> Background::Then {
    const CpusHere all(cpus);
    auto answer = std::make_shared<Answer>(Answer{known, {}, tl::unexpected(FormError{})});
    if (!answer->place) {
      const auto place = find_workplace(wanted.compiler);
      if (place) {
        answer->place = std::make_shared<const Workplace>(*place);
      } else {
        answer->preview = tl::unexpected(FormError{"compiler", sentence(place.error())});
      }
    }
    if (answer->place) {
      answer->presets = tuner::preset_names(answer->place->presets);
      answer->preview = preview(wanted, *answer->place);
    }
    return [this, answer, compiler = wanted.compiler] {
      place_ = answer->place;
      place_compiler_ = compiler;
      if (!answer->presets.empty()) presets_ = answer->presets;
      form_state_ = {};
      if (place_) form_state_.device = device_text(place_->cpu);
      if (answer->preview) {
        form_state_.preview = *answer->preview;
      } else {
        form_state_.error = answer->preview.error();
      }
    };
  });
}

void Desk::start(const TuneForm& wanted, const std::filesystem::path& database) {
  const auto options = options_of(wanted);
  if (!options) {
    notice_ = options.error().sentence;
    return;
  }
  const TuningState before = tuning_.state();
  add_job({*options, database});
  // Behind another job it has to wait: what is shown is that one.
  if (!before.running && before.waiting.empty()) started_ = Started{database, before.finished};
  open(database);
}

void Desk::start_checked(const std::filesystem::path& database) {
  wanted_ = Wanted{form, database};
  start_wanted();
}

void Desk::start_wanted() {
  if (!wanted_) return;
  // One that has been changed meanwhile is not checked any more: whoever runs it does that.
  const bool same = wanted_->form == form;
  if (same && form_state().busy) return;
  const Wanted wanted = *std::exchange(wanted_, {});
  if (same && form_state_.error) {
    notice_ = form_state_.error->sentence;
  } else {
    start(wanted.form, wanted.database);
  }
}

void Desk::go_on(const std::filesystem::path& database, const ShownStudy& study) {
  add_job({{}, database, study.id, study.created_at});
}

void Desk::interrupt() {
  started_.reset();
  tuning_.interrupt();
}

bool Desk::toggle_started() {
  if (!started_) return false;
  started_->paused = !started_->paused;
  started_->due = true;
  notice_ = started_->paused ? "the study pauses as soon as it has begun" : "the study goes on as soon as it has begun";
  return true;
}

void Desk::tell_started(tuner::StudyId study) {
  if (!std::exchange(started_->due, false)) return;
  submit_steer(started_->database, {study, {}}, started_->paused ? "pause" : "resume", "", true);
}

void Desk::add_job(TuningJob job) {
  notice_ = fmt::format("{} {}", job_title(job), tuning_.state().running ? "waits for its turn" : "starts");
  tuning_.add(std::move(job));
}

std::string Desk::error_of(const DatabaseSnapshot& database) const {
  return database.studies.empty() && tuning_.tunes_into(database.path) ? "" : without_option(database.error);
}

void Desk::steer(const std::filesystem::path& database, const ShownStudy& study, const std::string& action,
                 const std::string& argument) {
  submit_steer(database, study, action, argument, goes_on(database, study.id));
}

void Desk::submit_steer(const std::filesystem::path& database, const ShownStudy& study, const std::string& action,
                        const std::string& argument, bool starting) {
  actions_.submit("", [=, this]() -> Background::Then {
    return [this, text = steered(database, study, action, argument, starting)] { notice_ = text; };
  });
}

std::string Desk::export_key(const DatabaseSnapshot& database, const FileStamp& file) const {
  const ExportOptions& o = export_options;
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", database.path.string(), o.style, o.max_regret, o.name_space,
                     o.filter, export_file, to_text(file), finished_text(database));
}

const ExportState& Desk::export_state(const DatabaseSnapshot& database) {
  const FileStamp file = file_stamp(export_file);
  const std::string key = export_key(database, file);
  if (key != export_key_) {
    export_key_ = key;
    plan_export(database.path, file);
  }
  export_.busy = previews_.busy(kExport);
  return export_;
}

void Desk::plan_export(const std::filesystem::path& database, const FileStamp& stamp) {
  previews_.submit(
      kExport,
      [this, database, options = export_options, file = export_file, stamp, key = export_key_]() -> Background::Then {
        auto state = std::make_shared<ExportState>(planned(database, options, file, stamp));
        return [this, state, key] {
          export_ = std::move(*state);
          export_shown_ = key;
        };
      });
}

void Desk::write_export(const DatabaseSnapshot& from) {
  const FileStamp file = file_stamp(export_file);
  const std::string key = export_key(from, file);
  const bool shown = export_.plan && export_shown_ == key && !previews_.busy(kExport);
  if (file.exists && !shown) {
    (void)export_state(from);
    notice_ = changed_text(export_file);
    return;
  }
  if (shown && export_.foreign && export_asked_ != key) {
    export_asked_ = key;
    notice_ = fmt::format("{} was not written by gemwright: write once more to replace it", export_file);
    return;
  }
  export_asked_.clear();
  const std::filesystem::path database = from.path;
  actions_.submit("",
                  [this, database, name = export_file, file, options = export_options,
                   plan = shown ? export_.plan : nullptr]() -> Background::Then {
                    return [this, text = written(database, name, file, options, plan)] { notice_ = text; };
                  });
}

const CompareState& Desk::compare_state() {
  const std::string key =
      fmt::format("{}\n{}\n{}\n{}", compare_form.a, compare_form.b, compare_form.database.string(), compared_);
  if (key != compare_key_ && !compare_form.a.empty() && !compare_form.b.empty()) {
    compare_key_ = key;
    previews_.submit(kCompare, [this, wanted = compare_form]() -> Background::Then {
      auto result = std::make_shared<tuner::Result<CompareResult>>(compare_for_view(wanted));
      return [this, result] {
        compare_ = {};
        if (*result) {
          compare_.result = std::make_shared<const CompareResult>(std::move(**result));
        } else {
          compare_.error = sentence(result->error());
        }
      };
    });
  }
  compare_.busy = previews_.busy(kCompare);
  return compare_;
}

void Desk::open(const std::filesystem::path& database) {
  std::error_code unknown;
  const auto whole = std::filesystem::absolute(database, unknown).string();
  std::erase(recent, whole);
  recent.insert(recent.begin(), whole);
  if (recent.size() > kMaxRecent) recent.resize(kMaxRecent);
  hooks_.open(database);
}

void Desk::open_readable(const std::filesystem::path& database, const Snapshot& snapshot) {
  if (!file_identity(database)) {
    open(database);
    notice_ = fmt::format("{} does not exist yet: the first study makes it", database.string());
    return;
  }
  std::vector<std::filesystem::path> broken;
  for (const DatabaseSnapshot& d : snapshot.databases) {
    if (!d.closed && !d.loaded && !d.absent && !error_of(d).empty()) broken.push_back(d.path);
  }
  actions_.submit("", [this, database, broken]() -> Background::Then {
    std::error_code unknown;
    const auto size = std::filesystem::file_size(database, unknown);
    // An empty one is filled by the first study.
    const auto store = db::open_store(database, db::OpenMode::read_only);
    if (!store && (unknown || size > 0)) {
      return [this, text = without_option(sentence(store.error()))] { notice_ = text; };
    }
    return [this, database, broken] {
      for (const auto& path : broken) close(path);
      open(database);
      notice_ = fmt::format("{} is opened", database.string());
    };
  });
}

void Desk::close(const std::filesystem::path& database) { hooks_.close(database); }

void Desk::list(const std::string& typed) {
  previews_.submit(
      kList, [this, typed]() -> Background::Then { return [this, files = database_files(typed)] { found_ = files; }; });
}

std::vector<std::string> database_files(const std::string& typed) {
  namespace fs = std::filesystem;
  const auto slash = typed.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
  const std::string begin = typed.substr(folder.size());
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(folder.empty() ? "." : folder, fs::directory_options::skip_permission_denied, error),
       end;
       !error && it != end && out.size() < 20 * kMaxFound; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(begin) || (begin.empty() && name.starts_with("."))) continue;
    std::error_code ignored;
    if (it->is_directory(ignored)) {
      out.push_back(folder + name + "/");
    } else if (name.ends_with(".db")) {
      out.push_back(folder + name);
    }
  }
  // Databases before folders.
  std::sort(out.begin(), out.end(), [](const std::string& x, const std::string& y) {
    return std::pair(x.ends_with('/'), x) < std::pair(y.ends_with('/'), y);
  });
  if (out.size() > kMaxFound) out.resize(kMaxFound);
  return out;
}

}  // namespace gemwright::app
