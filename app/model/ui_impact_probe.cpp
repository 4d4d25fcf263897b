#include "app/model/ui_impact_probe.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>
#include <utility>

#include "app/model/cpu_share.h"
#include "app/model/live_study.h"
#include "profilers/noise.h"
#include "profilers/pinning.h"
#include "tuner/problem/input_text.h"
#include "tuner/random.h"
#include "tuner/toolchain/process.h"
#include "tuner/worker/machine_lock.h"

namespace gemwright::app {
namespace {

using std::chrono::milliseconds;
using tuner::fail;
using tuner::Result;

// Half of it computes, half of it reads memory: what takes the CPU and what takes the memory shows alike. As long as a
// block of a study.
constexpr double kBlockSeconds = 2e-3;
// A block and the row behind it take about so long.
constexpr double kStepSeconds = 3e-3;
// What follows the opening or closing of a window and is not counted: its first frames are drawn, pages, caches and
// clocks settle.
constexpr double kSettleSeconds = 0.8;
constexpr milliseconds kLook{20}, kStarts{60'000}, kEnds{10'000}, kEndsInHaste{1'000};
constexpr std::uint64_t kSeed = 1;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

class Scratch {
 public:
  static Result<Scratch> make() {
    std::error_code unknown;
    std::string name = (std::filesystem::temp_directory_path(unknown) / "gemwright-impact-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return fail(fmt::format("no folder can be made as {}", name));
    return Scratch(name);
  }
  Scratch(Scratch&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch() {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

 private:
  explicit Scratch(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path folder_;
};

tl::unexpected<tuner::Error> interrupted() { return fail("interrupted", tuner::ErrorKind::interrupted); }

// Asks a process to end, and sees that it does. False where it had to be killed.
bool end(tuner::Process& process, const std::function<bool()>& stop) {
  ::kill(process.pid(), SIGTERM);
  const double until = now() + 1e-3 * static_cast<double>((stop() ? kEndsInHaste : kEnds).count());
  while (!process.finished()) {
    if (now() > until) {
      process.kill();
      return false;
    }
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

// Where the window is drawn.
struct Display {
  std::string name;
  std::vector<std::string> environment;
  std::optional<tuner::Process> server;
};
// A virtual screen that is killed leaves its lock and its socket behind.
class DisplayEnd {
 public:
  DisplayEnd(Display& display, const std::function<bool()>& stop) : display_(display), stop_(stop) {}
  DisplayEnd(const DisplayEnd&) = delete;
  DisplayEnd& operator=(const DisplayEnd&) = delete;
  ~DisplayEnd() {
    if (display_.server) end(*display_.server, stop_);
  }

 private:
  Display& display_;
  const std::function<bool()>& stop_;
};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// `cpus`: all that there are; a virtual screen is kept off the measured one, as the window is.
Result<Display> find_display(const std::vector<int>& cpus, const std::function<bool()>& stop) {
  for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY"}) {
    if (std::string value = variable(name); !value.empty()) return Display{std::move(value), {}, {}};
  }
  if (!tuner::find_program("Xvfb")) {
    return fail("there is no display, and no Xvfb (package xvfb) to make a virtual one");
  }
  const CpusHere spared(without_measured(cpus));
  auto server = tuner::Process::start(
      {"Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "+extension", "GLX"},
      {.die_with_parent = true});
  if (!server) return tl::unexpected(server.error());
  const double until = now() + 1e-3 * static_cast<double>(kStarts.count());
  while (!server->finished() && now() < until) {
    if (stop()) {
      end(*server, stop);
      return interrupted();
    }
    const std::string& said = server->out();
    if (said.ends_with('\n')) {
      std::string display = fmt::format("DISPLAY=:{}", said.substr(0, said.size() - 1));
      return Display{"Xvfb", {std::move(display)}, std::move(*server)};
    }
    std::this_thread::sleep_for(kLook);
  }
  return fail("Xvfb, the virtual display, does not start: " + tuner::printable(server->err()));
}

Result<std::filesystem::path> find_window() {
  std::error_code ignored;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const auto& file : {folder / "gemwright-gui", folder.parent_path() / "gui" / "gemwright-gui"}) {
    if (std::filesystem::is_regular_file(file, ignored)) return file;
  }
  return fail(fmt::format("there is no window: gemwright-gui is not in {}", folder.string()));
}

// User and system time of a process; nothing when it is gone.
std::optional<double> cpu_seconds(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto name_ends = text.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  // Fields 14 and 15; the name is the second.
  const auto fields = tuner::split(text.substr(name_ends + 2), ' ');
  constexpr std::size_t kUser = 11;
  if (fields.size() <= kUser + 1) return std::nullopt;
  const auto user = tuner::parse_count(fields[kUser]), system = tuner::parse_count(fields[kUser + 1]);
  if (!user || !system) return std::nullopt;
  return static_cast<double>(*user + *system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class ImpactRun {
 public:
  ImpactRun(const ImpactProbe& probe, std::filesystem::path program, const Scratch& scratch, Display& display,
            tuner::MachineLock& lock)
      : probe_(probe),
        program_(std::move(program)),
        scratch_(scratch),
        display_(display),
        lock_(lock),
        compute_(profilers::NoiseLoop::computing(kBlockSeconds / 2)),
        memory_(profilers::NoiseLoop::reading(kBlockSeconds / 2)),
        blocks_(std::max(1, static_cast<int>(probe.phase_seconds / kStepSeconds))) {}

  // `cpus`: what the window is started with, as a person starts it.
  Result<UiImpact> run(const std::vector<int>& cpus) {
    cpus_ = cpus;
    std::vector<ImpactRound> rounds;
    // What the first start of a window reads from disk is in memory then.
    if (const auto ok = show(true); !ok) return tl::unexpected(ok.error());
    probe_.progress(0);
    const tuner::Random random(kSeed);
    while (static_cast<int>(rounds.size()) < probe_.rounds) {
      const auto round = time_round(static_cast<std::int64_t>(rounds.size()), random);
      if (!round) return tl::unexpected(round.error());
      rounds.push_back(*round);
      probe_.progress(static_cast<int>(rounds.size()));
    }
    if (const auto ok = show(false); !ok) return tl::unexpected(ok.error());
    if (window_cpu_ <= 0) return fail("the window drew nothing while it was open: this would prove nothing");
    auto impact = ui_impact(rounds, {memory_ ? "computing and reading memory" : "computing", display_.name, blocks_,
                                     open_seconds_, window_cpu_, rows_ + study_->rows()});
    if (!impact) return fail(fmt::format("{} rounds tell nothing, {} do", rounds.size(), kMinImpactRounds));
    return *impact;
  }

 private:
  Result<ImpactRound> time_round(std::int64_t number, const tuner::Random& random) {
    ImpactRound out;
    for (const int phase : tuner::latin_round_order(kImpactPhases, number, random)) {
      const bool open = phase >= 2;
      if (const auto ok = show(open); !ok) return tl::unexpected(ok.error());
      const auto time = time_phase(open);
      if (!time) return tl::unexpected(time.error());
      (open ? out.open : out.closed)[phase % 2] = *time;
    }
    return out;
  }

  // Mean log time of the blocks.
  Result<double> time_phase(bool open) {
    for (const double until = changed_at_ + kSettleSeconds; now() < until;) {
      if (const auto block = time_block(); !block) return block;
    }
    const auto cpu = open ? cpu_seconds(window_->pid()) : std::nullopt;
    const double begin = now();
    double sum = 0;
    for (int i = 0; i < blocks_; ++i) {
      const auto block = time_block();
      if (!block) return block;
      sum += *block;
    }
    if (open) {
      const auto after = cpu_seconds(window_->pid());
      if (window_->finished() || !cpu || !after) return window_failed("ended");
      open_seconds_ += now() - begin;
      window_cpu_ += *after - *cpu;
    }
    return sum / blocks_;
  }

  Result<double> time_block() {
    if (probe_.stop()) return interrupted();
    lock_.set_timing(true);
    const double seconds = compute_.seconds() + (memory_ ? memory_.value->seconds() : 0);
    lock_.set_timing(false);
    if (const auto ok = study_->add_block(seconds); !ok) return tl::unexpected(ok.error());
    return std::log(std::max(seconds, 1e-9));
  }

  Result<void> show(bool open) {
    if (open == window_.has_value()) return {};
    const auto changed = open ? open_window() : close_window();
    changed_at_ = now();
    return changed;
  }

  Result<void> close_window() {
    const bool ended = end(*window_, probe_.stop);
    window_.reset();
    if (probe_.stop()) return interrupted();
    return ended ? Result<void>() : fail("the window does not close");
  }

  Result<void> open_window() {
    // A study of its own for each window: one that lasts as long as all rounds grows larger than real ones do.
    const auto database = scratch_.file(fmt::format("study-{}.db", ++windows_));
    if (study_) rows_ += study_->rows();
    auto study = LiveStudy::begin(database);
    if (!study) return tl::unexpected(study.error());
    study_ = std::move(*study);
    const auto ready = scratch_.file("ready");
    std::error_code ignored;
    std::filesystem::remove(ready, ignored);
    const CpusHere all(cpus_);
    auto window = tuner::Process::start({program_.string(), "--db", database.string(), "--view", "run", "--size",
                                         "1280x800", "--no-config", "--ready-file", ready.string()},
                                        {.die_with_parent = true, .environment = display_.environment});
    if (!window) return tl::unexpected(window.error());
    window_ = std::move(*window);
    const double until = now() + 1e-3 * static_cast<double>(kStarts.count());
    while (!std::filesystem::exists(ready, ignored)) {
      if (probe_.stop()) return interrupted();
      if (window_->finished() || now() > until) return window_failed("does not open");
      std::this_thread::sleep_for(kLook);
    }
    return {};
  }

  tl::unexpected<tuner::Error> window_failed(const char* what) {
    std::string said = window_->err();
    constexpr std::string_view kPrefix = "gemwright-gui: ";
    if (said.starts_with(kPrefix)) said.erase(0, kPrefix.size());
    while (said.ends_with('\n')) said.pop_back();
    return fail(fmt::format("the window {}{}{}", what, said.empty() ? "" : ": ", tuner::printable(said)));
  }

  const ImpactProbe& probe_;
  std::filesystem::path program_;
  const Scratch& scratch_;
  std::optional<LiveStudy> study_;  // what the latest window shows
  std::int64_t rows_ = 0;           // of the studies before
  int windows_ = 0;
  double changed_at_ = 0;  // when a window was opened or closed
  Display& display_;
  tuner::MachineLock& lock_;
  profilers::NoiseLoop compute_;
  profilers::Reading<profilers::NoiseLoop> memory_;
  int blocks_;
  std::vector<int> cpus_;
  std::optional<tuner::Process> window_;
  double open_seconds_ = 0, window_cpu_ = 0;
};

Result<tuner::MachineLock> take_lock() {
  const auto path = tuner::machine_lock_path();
  auto lock = tuner::MachineLock::open(path);
  if (!lock) return lock;
  const auto taken = lock->try_take();
  if (!taken) return tl::unexpected(taken.error());
  if (*taken) return lock;
  const auto holder = tuner::read_machine_lock(path);
  return fail(fmt::format("{} measures on this machine and would be disturbed: try again when it is done",
                          holder && holder->pid ? fmt::format("process {}", *holder->pid) : "another process"));
}

}  // namespace

Result<UiImpact> measure_ui_impact(const ImpactProbe& probe) {
  auto program = find_window();
  if (!program) return tl::unexpected(program.error());
  auto lock = take_lock();
  if (!lock) return tl::unexpected(lock.error());
  lock->set_study("gemwright doctor --ui-impact");
  const auto scratch = Scratch::make();
  if (!scratch) return tl::unexpected(scratch.error());
  const profilers::Pinning pinning;
  auto display = find_display(pinning.allowed(), probe.stop);
  if (!display) return tl::unexpected(display.error());
  const DisplayEnd ends(*display, probe.stop);
  if (!pinning.allowed().empty()) profilers::pin_to(pinning.allowed().back());
  return ImpactRun(probe, std::move(*program), *scratch, *display, *lock).run(pinning.allowed());
}

}  // namespace gemwright::app
