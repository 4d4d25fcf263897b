// gemwright-gui
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>

#include "app/gui/interrupts.h"
#include "app/gui/options.h"
#include "app/gui/png.h"
#include "app/gui/shell.h"
#include "app/gui/window.h"
#include "app/model/cpu_share.h"
#include "app/model/desk.h"
#include "app/model/doctor_probe.h"
#include "app/model/layout_file.h"
#include "app/model/repaint.h"
#include "app/model/tune_here.h"
#include "app/model/watcher.h"
#include "app/model/write_file.h"
#include "tuner/problem/input_text.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::app::gui {
namespace {

constexpr int kDone = 0, kFailed = 1;
constexpr std::size_t kMaxSentence = 8192;
// Docking, automatic sizes and the fitting of axes settle within these.
constexpr int kPictureFrames = 8;

int report(const tuner::Error& error) {
  fmt::print(stderr, "gemwright-gui: {}\n", tuner::printable(error.message, kMaxSentence));
  return kFailed;
}

// `cpus`: that this process may use.
std::vector<DoctorLine> ask_machine(const std::filesystem::path& database, const std::vector<int>& cpus) {
  return doctor(probe_doctor({database, false, "'gemwright doctor' measures it, without a window beside it", cpus}));
}

WindowSettings settings_of(const GuiOptions& o, std::string& notice) {
  LoadedSettings loaded;
  const auto path = settings_path();
  if (o.config && path) loaded = load_settings(*path);
  notice = loaded.notice;
  WindowSettings s = loaded.settings;
  s.width = o.width.value_or(s.width);
  s.height = o.height.value_or(s.height);
  s.scale = o.scale.value_or(s.scale);
  s.theme = o.theme.value_or(s.theme);
  return s;
}

int take_picture(const GuiOptions& o, const WindowSettings& settings) {
  // A picture of what cannot be read is of no use.
  auto snapshot = read_snapshot(o.databases);
  for (const DatabaseSnapshot& d : snapshot->databases) {
    if (!d.error.empty()) return report({d.error});
  }
  std::optional<std::vector<DoctorLine>> machine;
  if (o.view == "doctor") machine = ask_machine(o.databases.front(), {});
  const std::vector<int> cpus = allowed_cpus();
  // The threads of a software renderer inherit this.
  allow_cpus(without_measured(cpus));
  auto window = Window::open({settings.width, settings.height, false});
  if (!window) return report(window.error());
  DeskHooks hooks;
  hooks.tune = [](const TuningJob&, const TuningSink&) { return tuner::Result<void>(); };
  hooks.cpus = cpus;
  Desk desk(std::move(hooks));
  Shell shell(desk, settings, o.view, "");
  if (o.study) shell.want_study(*o.study);
  shell.show(std::move(snapshot));
  if (o.study && (!shell.selection().study() || shell.selection().study()->study != *o.study)) {
    return report({fmt::format("there is no study {}: see 'gemwright show studies'", *o.study)});
  }
  if (machine) shell.show_machine(std::move(*machine));
  // The size that was asked for is that of the picture, whatever the screen: no scale but the user's.
  Picture picture;
  for (int left = kPictureFrames; left > 0; --left) {
    (*window)->wait(0);
    shell.before_frame();
    (*window)->begin_frame();
    shell.draw();
    picture = (*window)->end_frame_as_picture();
    // What is still being computed settles within as many frames as the rest.
    if (desk.busy() || shell.wants_frame()) left = kPictureFrames;
  }
  const auto written = write_png(o.screenshot, picture);
  return written ? kDone : report(written.error());
}

class Loop {
 public:
  Loop(const GuiOptions& options, Window& window, Shell& shell, Watcher& watcher, std::atomic<bool>& news,
       std::future<std::vector<DoctorLine>> machine)
      : options_(options),
        window_(window),
        shell_(shell),
        watcher_(watcher),
        news_(news),
        machine_(std::move(machine)),
        interrupts_(wake_window) {}

  tuner::Result<void> run() {
    const auto lock = tuner::machine_lock_path();
    while (!window_.wants_to_close() && !shell_.wants_to_quit() && !interrupts_.came()) {
      policy_.minimised(window_.minimised());
      const RepaintStep step = policy_.next(window_seconds(), [&] { return tuner::being_timed(lock); });
      if (window_.wait(step.wait)) policy_.input();
      take_data();
      if (!step.draw) continue;
      draw();
      if (auto ready = tell_ready(); !ready) return ready;
    }
    return {};
  }

 private:
  void take_data() {
    if (news_.exchange(false)) policy_.data();
    if (auto snapshot = watcher_.snapshot(); snapshot != shown_) {
      shown_ = snapshot;
      shell_.show(std::move(snapshot));
      policy_.data();
    }
    if (machine_.valid() && machine_.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
      shell_.show_machine(machine_.get());
      policy_.data();
    }
  }

  void draw() {
    const double begin = window_seconds();
    shell_.screen_scale(window_.scale());
    shell_.before_frame();
    window_.begin_frame();
    shell_.draw();
    window_.end_frame();
    policy_.took(window_seconds() - begin);
    if (shell_.wants_frame()) policy_.progress();
  }

  // Once, when data is shown.
  tuner::Result<void> tell_ready() {
    const bool asking = machine_.valid() && shell_.shown_view() == "doctor";
    if (told_ready_ || options_.ready_file.empty() || !shown_ || shown_->loading() || shell_.wants_frame() || asking) {
      return {};
    }
    told_ready_ = true;
    return write_file(options_.ready_file, "ready\n");
  }

  const GuiOptions& options_;
  Window& window_;
  Shell& shell_;
  Watcher& watcher_;
  std::atomic<bool>& news_;
  std::future<std::vector<DoctorLine>> machine_;
  Interrupts interrupts_;
  std::shared_ptr<const Snapshot> shown_;
  RepaintPolicy policy_;
  bool told_ready_ = false;
};

DeskHooks desk_hooks(const std::vector<int>& cpus, Watcher& watcher, std::atomic<bool>& news) {
  DeskHooks hooks;
  hooks.tune = [cpus](const TuningJob& job, const TuningSink& sink) { return tune_here(job, sink, cpus); };
  hooks.wake = [&news] {
    news = true;
    wake_window();
  };
  hooks.being_timed = [lock = tuner::machine_lock_path()] { return tuner::being_timed(lock); };
  hooks.open = [&watcher](const std::filesystem::path& database) { watcher.open(database); };
  hooks.close = [&watcher](const std::filesystem::path& database) { watcher.close(database); };
  hooks.cpus = cpus;
  return hooks;
}

int show_window(const GuiOptions& o, const WindowSettings& settings, const std::string& notice) {
  const std::vector<int> cpus = allowed_cpus();
  allow_cpus(without_measured(cpus));
  // Before any other thread: it sets a variable of the environment.
  auto window = Window::open({settings.width, settings.height, true});
  if (!window) return report(window.error());
  std::promise<std::vector<DoctorLine>> machine;
  const auto asking = std::async(std::launch::async, [&] {
    machine.set_value(ask_machine(o.databases.front(), cpus));
    wake_window();
  });
  WatcherOptions options;
  options.being_timed = [lock = tuner::machine_lock_path()] { return tuner::being_timed(lock); };
  Watcher watcher(o.databases, options, wake_window);
  std::atomic<bool> news = false;
  Desk desk(desk_hooks(cpus, watcher, news));
  Shell shell(desk, settings, o.view, notice);
  if (o.study) shell.want_study(*o.study);
  if (const auto ended = Loop(o, **window, shell, watcher, news, machine.get_future()).run(); !ended) {
    return report(ended.error());
  }
  // What is being tuned is saved behind this.
  (*window)->hide();
  const auto path = settings_path();
  if (!o.config || !path) return kDone;
  WindowSettings last = shell.settings();
  (*window)->size(last.width, last.height);
  const auto saved = save_settings(*path, last);
  return saved ? kDone : report(saved.error());
}

int run(int argc, char** argv) {
  const ParsedOptions parsed = parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_code;
  std::string notice;
  const WindowSettings settings = settings_of(*parsed.options, notice);
  return parsed.options->screenshot.empty() ? show_window(*parsed.options, settings, notice)
                                            : take_picture(*parsed.options, settings);
}

}  // namespace
}  // namespace gemwright::app::gui

int main(int argc, char** argv) { return gemwright::app::gui::run(argc, argv); }
