#include "app/model/tuning_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "app/model/tune_form.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

constexpr std::size_t kMaxLines = 100, kMaxSentence = 600;
// Between two wakes for progress: the window draws data no more often than this.
constexpr double kWakeInterval = 0.25;

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::optional<StudyPlace> place_of(const TuningJob& job) {
  return job.study ? std::optional(StudyPlace{job.database, *job.study}) : std::nullopt;
}

}  // namespace

TuningQueue::TuningQueue(TuningRunner runner, std::function<void()> wake)
    : runner_(std::move(runner)), wake_(std::move(wake)), thread_([this] { run(); }) {}

TuningQueue::~TuningQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = stop_ = true;
    jobs_.clear();
  }
  added_.notify_all();
  thread_.join();
}

void TuningQueue::add(TuningJob job) {
  {
    const std::lock_guard lock(mutex_);
    state_.waiting.push_back(job_title(job));
    jobs_.push_back(std::move(job));
  }
  added_.notify_all();
}

void TuningQueue::interrupt() {
  const std::lock_guard lock(mutex_);
  jobs_.clear();
  state_.waiting.clear();
  if (!state_.running) return;
  stop_ = true;
  state_.stopping = true;
  going_on_.reset();
}

TuningState TuningQueue::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool TuningQueue::holds(const StudyPlace& study) const {
  const std::lock_guard lock(mutex_);
  return going_on_ == study ||
         std::any_of(jobs_.begin(), jobs_.end(), [&](const TuningJob& j) { return place_of(j) == study; });
}

bool TuningQueue::tunes_into(const std::filesystem::path& database) const {
  const std::lock_guard lock(mutex_);
  return database_ == database ||
         std::any_of(jobs_.begin(), jobs_.end(), [&](const TuningJob& j) { return j.database == database; });
}

// Its study has ended: what is left of the job is to end its worker.
void TuningQueue::leave() {
  const std::lock_guard lock(mutex_);
  going_on_.reset();
}

template <class Change>
void TuningQueue::change(bool at_once, Change what) {
  bool wake = at_once;
  {
    const std::lock_guard lock(mutex_);
    what(state_);
    const double now = now_seconds();
    wake = wake || now - woken_at_ >= kWakeInterval;
    if (wake) woken_at_ = now;
  }
  if (wake) wake_();
}

void TuningQueue::line(TuningLine::Kind kind, const std::string& text) {
  change(true, [&](TuningState& s) {
    s.lines.push_back({kind, tuner::printable(text, kMaxSentence)});
    if (s.lines.size() > kMaxLines) s.lines.erase(s.lines.begin());
  });
}

TuningSink TuningQueue::sink() {
  TuningSink s;
  s.stop = [this] {
    const std::lock_guard lock(mutex_);
    return stop_;
  };
  s.note = [this](const std::string& text) { line(TuningLine::Kind::note, text); };
  s.notice = [this](const std::string& text) {
    line(TuningLine::Kind::note, text);
    change(true, [&](TuningState& state) { state.waits = tuner::printable(text, kMaxSentence); });
  };
  s.begin = [this](const std::string& title, std::size_t index, std::size_t count) {
    change(true, [&](TuningState& state) {
      state.title = title;
      state.index = index;
      state.count = count;
      state.progress.reset();
      state.waits.clear();
    });
  };
  s.progress = [this](const tuner::StudyProgress& p) {
    change(false, [&](TuningState& state) {
      // What the worker said while it was prepared holds until it measures.
      if (p.phase != "setup") state.waits.clear();
      state.progress = p;
    });
  };
  s.done = [this](const std::string& text) {
    leave();
    line(TuningLine::Kind::done, text);
  };
  s.failed = [this](const std::string& text) {
    leave();
    line(TuningLine::Kind::problem, text);
  };
  return s;
}

void TuningQueue::run() {
  for (;;) {
    TuningJob job;
    {
      std::unique_lock lock(mutex_);
      added_.wait(lock, [&] { return closing_ || !jobs_.empty(); });
      if (closing_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      state_.waiting.erase(state_.waiting.begin());
      state_.running = true;
      state_.job = job_title(job);
      going_on_ = place_of(job);
      database_ = job.database;
      stop_ = false;
    }
    wake_();
    const auto ended = runner_(job, sink());
    leave();
    if (!ended && ended.error().kind == tuner::ErrorKind::interrupted) {
      line(TuningLine::Kind::note,
           fmt::format("{}: interrupted, everything so far is saved; the same again goes on", job_title(job)));
    } else if (!ended && ended.error().kind != tuner::ErrorKind::nothing_valid) {
      line(TuningLine::Kind::problem, ended.error().message);  // the other kind was said when it happened
    }
    change(true, [this](TuningState& s) {
      database_.clear();
      s.running = s.stopping = false;
      s.job.clear();
      s.title.clear();
      s.waits.clear();
      s.progress.reset();
      s.index = s.count = 0;
      ++s.finished;
    });
  }
}

std::string job_title(const TuningJob& job) {
  return job.study ? fmt::format("study {}", *job.study) : form_title(job.options);
}

namespace {

std::string figures(const tuner::StudyProgress& p) {
  std::string text = fmt::format("{} config{}", p.trials, p.trials == 1 ? "" : "s");
  if (p.failed > 0) text += fmt::format(" ({} failed)", p.failed);
  if (p.best_gflops) text += fmt::format(", best {:.1f} GFLOP/s", *p.best_gflops);
  if (p.best_ratio) text += fmt::format(" = {:.2f}x baseline", *p.best_ratio);
  return text;
}

}  // namespace

std::string progress_figures(const tuner::StudyProgress& p) {
  return figures(p) + (p.phase == "paused" ? fmt::format("; 'gemwright steer {} resume' goes on", p.study) : "");
}

std::string progress_text(const tuner::StudyProgress& p) {
  std::string text = p.phase + ", " + figures(p);
  if (p.budget_seconds > 0) text += fmt::format(", {:.0f} s left", std::max(p.budget_seconds - p.spent_seconds, 0.0));
  return text;
}

double progress_share(const tuner::StudyProgress& p) {
  return p.budget_seconds > 0 ? std::clamp(p.spent_seconds / p.budget_seconds, 0.0, 1.0) : 0;
}

std::string tuning_text(const TuningState& s) {
  if (!s.running) return "";
  if (s.stopping) return fmt::format("{} is being stopped and saved", s.job);
  if (!s.waits.empty() && (!s.progress || s.progress->phase == "setup")) return s.waits;
  if (s.title.empty()) return fmt::format("{} is being prepared", s.job);
  const std::string head = s.count > 1 ? fmt::format("[{}/{}] {}", s.index + 1, s.count, s.title) : s.title;
  return s.progress ? fmt::format("{}: {}", head, progress_text(*s.progress)) : head;
}

}  // namespace gemwright::app
