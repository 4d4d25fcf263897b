#include "app/cli/common.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "app/model/tuning_queue.h"
#include "db/store.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {
namespace {

// Of a sentence: longer than any of ours with a path in it.
constexpr std::size_t kMaxSentence = 8192;

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t interrupt_count = 0;

void on_interrupt(int signal) {
  interrupt_count = interrupt_count + 1;
  if (interrupt_count > 1 && signal == SIGINT) _exit(kInterrupted);
}

std::string title_of(const std::string& title, std::size_t index, std::size_t count) {
  return count > 1 ? fmt::format("[{}/{}] {}", index + 1, count, title) : title;
}

}  // namespace

void say(const std::string& text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);
  (void)std::fflush(stderr);
}

int report(const tuner::Error& error) {
  // What the user handed in may stand in it: one line, whatever that holds.
  say(fmt::format("gemwright: {}\n", tuner::printable(error.message, kMaxSentence)));
  switch (error.kind) {
    case tuner::ErrorKind::usage:
      return kUsage;
    case tuner::ErrorKind::nothing_valid:
      return kNothingValid;
    case tuner::ErrorKind::interrupted:
      return kInterrupted;
    case tuner::ErrorKind::failed:
    case tuner::ErrorKind::worker_lost:
      break;
  }
  return kFailed;
}

std::filesystem::path database_path(const std::string& option) {
  if (!option.empty()) return option;
  const char* const home = std::getenv("GEMWRIGHT_DB");
  return home != nullptr && *home != '\0' ? home : "gemwright.db";
}

tuner::Result<std::unique_ptr<tuner::Store>> open_existing(const std::filesystem::path& file) {
  std::error_code missing;
  const auto size = std::filesystem::file_size(file, missing);
  // A reader makes no file.
  return db::open_store(file, missing || size == 0 ? db::OpenMode::read_only : db::OpenMode::read_write);
}

void print_lines(std::vector<nlohmann::json>& rows) {
  if (!rows.empty()) rows.front()["version"] = kJsonVersion;
  for (const nlohmann::json& row : rows) fmt::print("{}", json_line(row));
}

void hear_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // nohup ignores it: then it stays ignored.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a worker that died is an error to report, not a reason to die
}

bool interrupted() { return interrupt_count > 0; }

void add_tune_options(CLI::App& c, TuneOptions& o) {
  const auto what = c.add_option_group("what to tune");
  what->add_option("--gemm", o.gemm, "A product, as MxNxK; may be repeated");
  what->add_option("--shapes", o.shapes, "A file of shapes: JSON, CSV or a oneDNN benchdnn batch");
  what->add_option("--preset", o.preset, "A named list of shapes of a real model");
  what->add_option("--m", o.m, "The M to serve, instead of the list's own: 1,8,32");
  what->add_option("--layout", o.layout, "Of --gemm: A and B plain (n) or transposed (t): nn, nt, tn, tt")
      ->capture_default_str();
  what->add_option("--weights", o.weights, "Of --gemm: B is constant (packed once) or given per call")
      ->capture_default_str();
  what->add_option("--batch", o.batch, "Of --gemm: how many products in one call")->capture_default_str();
  what->add_option("--beta", o.beta, "Of --gemm: 1 adds to C")->capture_default_str();
  what->add_option("--epilogue", o.epilogue, "Of --gemm: chain after the product, as bias+gelu_erf+add")
      ->capture_default_str();
  const auto how = c.add_option_group("how");
  how->add_option("--interface", o.interface, "Element types of the caller: f32, bf16 or u8s8 (default: f32)");
  how->add_option("--precision", o.precision, "f32, bf16, u8s8 as a list, or auto with --max-error (default: f32)");
  how->add_option("--max-error", o.max_error, "Bound of the relative Frobenius error against float64");
  how->add_option("--data", o.data, "What the operands hold: normal, uniform, outliers")->capture_default_str();
  how->add_flag("--batch-invariant", o.batch_invariant, "A row's bits must not depend on M");
  how->add_option("--device", o.device, "cpu or cuda:0")->capture_default_str();
  how->add_option("--threads", o.threads, "Threads offered to a config, as 1,2 (default: all CPUs)");
  how->add_option("--compiler", o.compiler, "Host compiler of the kernels: g++, clang++ or a path")
      ->capture_default_str();
  how->add_option("--budget", o.budget, "For each study: a time (60s, 5m) or a number of configs (default: 10s)");
  how->add_option("--strategy", o.strategy, "local, random or exhaustive")->capture_default_str();
  how->add_option("--seed", o.seed, "Of the search and of the operands")
      ->capture_default_str()
      ->check([](const std::string& text) {  // CLI11 alone wraps -1 around
        return tuner::parse_count(text) ? std::string() : "give a whole number from 0 to 9223372036854775807";
      });
  how->add_option("--protocol", o.protocol, "quick, normal or careful")->capture_default_str();
  how->add_option("--cache", o.cache, "Where the weights are when a call begins: hot, rotate, cold, auto")
      ->capture_default_str();
  how->add_flag("--fresh", o.fresh, "Start anew where a study of the same key exists");
}

tuner::Result<std::unique_ptr<tuner::WorkerClient>> start_worker(const std::string& command) {
  std::vector<std::string> argv{"/proc/self/exe", "worker"};
  if (!command.empty()) {
    auto words = tuner::split_command(command);
    if (!words) return tl::unexpected(words.error());
    argv = std::move(*words);
  }
  return tuner::WorkerClient::start(argv, {[](const std::string& text) { fmt::print(stderr, "gemwright: {}\n", text); },
                                           [] { return interrupted(); }});
}

void ProgressLine::begin(std::string title, std::size_t index, std::size_t count) {
  title_ = std::move(title);
  index_ = index;
  count_ = count;
  last_phase_.clear();
}

void ProgressLine::show(const tuner::StudyProgress& p) {
  const std::string head = title_of(title_, index_, count_);
  if (isatty(STDERR_FILENO) == 0) {
    if (p.phase == last_phase_) return;
    last_phase_ = p.phase;
    say(fmt::format("{}: {}, {}\n", head, p.phase, progress_figures(p)));
    return;
  }
  constexpr int kWidth = 20;
  const double share = p.budget_seconds > 0 ? std::min(p.spent_seconds / p.budget_seconds, 1.0) : 0;
  const int filled = static_cast<int>(share * kWidth);
  std::string bar;
  for (int i = 0; i < kWidth; ++i) bar += i < filled ? "█" : "░";
  const double left = std::max(p.budget_seconds - p.spent_seconds, 0.0);
  say(fmt::format("\r\033[K{} {} {:<7} {}, {:.0f} s left", head, bar, p.phase, progress_figures(p), left));
  drawn_ = true;
}

void ProgressLine::end() {
  if (drawn_) say("\r\033[K");
  drawn_ = false;
}

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void sleep_seconds(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

tuner::Result<std::vector<StudyFigures>> tune_missing(tuner::Store& store, tuner::Measurer& measurer,
                                                      std::vector<PlannedStudy>& studies) {
  std::vector<StudyFigures> tuned;
  ProgressLine line;
  TuningHooks hooks;
  hooks.now = now_seconds;
  hooks.stop = interrupted;
  hooks.sleep = sleep_seconds;
  hooks.begin = [&](const PlannedStudy& s, std::size_t i, std::size_t n) { line.begin(title(s), i, n); };
  hooks.progress = [&](const tuner::StudyProgress& p) { line.show(p); };
  hooks.done = [&](const StudyFigures& f, bool) { tuned.push_back(f); };
  const auto done = run_studies(store, measurer, studies, hooks);
  line.end();
  if (!done) return tl::unexpected(done.error());
  return tuned;
}

}  // namespace gemwright::app
