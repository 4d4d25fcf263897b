// Whether verdicts can be believed on this machine: whole studies over a real worker, with differences that are known
// because they were planted. Not part of the timed suite: it needs a quiet machine and some minutes.
//
//   trust aa N hot|cold              N studies of two identical candidates: how many name a winner
//   trust planted N hot|cold P       N studies in which one of the two does P per cent more work: how many find it
//   trust alone                      baseline and kernel, alone and interleaved, on one and two threads
//
// Two configs of a study run one and the same program here; the slower one makes more calls a block than it reports.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "profilers/cpu_info.h"
#include "tuner/measure/statistics.h"
#include "tuner/strategy/seeds.h"
#include "tuner/study/engine.h"
#include "tuner/worker/client.h"
#include "tuner/worker/guard.h"

namespace {

using namespace gemwright::tuner;
using gemwright::profilers::CpuInfo;
namespace profilers = gemwright::profilers;

// Stands between the engine and the worker: whatever config is asked for, one program runs.
class Planted final : public Measurer {
 public:
  Planted(Measurer& inner, Config real, Config slow, int every)
      : inner_(inner), real_(real), slow_(slow), every_(every) {}

  Result<SetupReply> setup(const MeasureSetup& s) override { return inner_.setup(s); }
  Result<void> prefetch_code(const std::vector<Config>&) override { return inner_.prefetch_code({real_}); }
  Result<Admission> admit(const Config& config) override {
    auto admission = inner_.admit(real_);
    if (admission && config == slow_) slow_handle_ = admission->handle;
    return admission;
  }
  Result<Admission> admit_header(const std::string&, const std::string&) override { return fail("no header here"); }
  // One call in `every_` is made twice; nobody's block is shorter than that many calls.
  Result<Block> block(int handle, std::int64_t calls) override {
    if (every_ > 0) calls = (calls + every_ - 1) / every_ * every_;
    const std::int64_t extra = handle == slow_handle_ && every_ > 0 ? calls / every_ : 0;
    auto b = inner_.block(handle, calls + extra);
    if (b) b->calls -= extra;
    return b;
  }
  Result<std::vector<profilers::Counter>> count(int, std::int64_t) override { return fail("not counted here"); }
  Result<std::vector<profilers::Ceiling>> ceilings() override { return fail("no ceilings here"); }
  Result<void> drop(int handle) override { return inner_.drop(handle); }

 private:
  Measurer& inner_;
  Config real_, slow_;
  int every_;
  int slow_handle_ = 0;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

StudyRequest request_for(const CpuInfo& cpu, std::int64_t m, std::int64_t n, std::int64_t k, int threads, bool cold) {
  StudyRequest r;
  r.key.problem.n = n;
  r.key.problem.k = k;
  r.key.m = m;
  r.key.device = {profilers::fingerprint(cpu), "cpu", "trust", threads, "{}"};
  r.key.build = {"trust", "trust", "g++", "", "", ""};
  r.key.space_version = kSpaceVersion;
  r.key.modes = {ComputeMode::f32};
  r.key.cache = cold ? CacheState::cold : CacheState::hot;
  r.key.cache_bytes = cold ? 200e6 : 0;
  r.attributes = {"trust", "trust", 1, {{}, 2}, "normal", "random", 1};
  r.protocol = *measure_protocol("normal");
  r.space.problem = r.key.problem;
  r.space.m = m;
  r.space.threads = threads;
  r.space.families = profilers::families(cpu);
  r.space.cache_bytes = r.key.cache_bytes;
  return r;
}

Result<std::unique_ptr<WorkerClient>> start_worker() {
  return WorkerClient::start({"/proc/self/exe", "worker"},
                             {.notice = [](const std::string& s) { fmt::print(stderr, "{}\n", s); }});
}

// Some config that is not `real`.
Config another(const SpaceInput& space, const Config& real) {
  Random random(5);
  for (;;) {
    const auto c = random_config(space, random);
    if (c && *c != real) return *c;
  }
}

struct Tally {
  int studies = 0, named = 0, right = 0;
  double excluded = 0, floor = 0, lead = 0;
};

int studies(int count, bool cold, double percent) {
  const CpuInfo cpu = profilers::probe_cpu();
  auto worker = start_worker();
  if (!worker) return fmt::print(stderr, "trust: {}\n", worker.error().message), 1;
  Tally t;
  for (int i = 0; i < count; ++i) {
    StudyRequest r = cold ? request_for(cpu, 1, 512, 1024, 1, true) : request_for(cpu, 8, 256, 256, 1, false);
    r.attributes.seed = static_cast<std::uint64_t>(1000 + i);
    const Config real = seeds(r.space).front().config;
    const Config twin = another(r.space, real);
    r.known_good = {real, twin};
    const Config& slow = i % 2 == 0 ? real : twin;  // neither the first nor the second is always the slow one
    Planted measurer(**worker, real, slow, percent > 0 ? static_cast<int>(std::lround(100 / percent)) : 0);
    const auto store = make_memory_store();
    const auto result = run_study(*store, measurer, r, {now, {}, {}, [](double) {}});
    if (!result) return fmt::print(stderr, "trust: {}\n", result.error().message), 1;
    const StudyOutcome& out = result->record.outcome;
    const auto trials = *store->trials(result->record.id);
    ++t.studies;
    t.excluded += static_cast<double>(out.tally.excluded()) / static_cast<double>(out.tally.blocks) / count;
    t.floor += out.noise_floor.value_or(0) / count;
    if (out.certified()) {
      ++t.named;
      t.lead += *out.lead - 1;
      for (const Trial& trial : trials) t.right += trial.id == out.best_trial && trial.config != slow ? 1 : 0;
    }
    fmt::print("{:3} {}\n", i + 1, out.verdict);
    std::fflush(stdout);
  }
  fmt::print("{} {} studies, planted {} %: {} named a winner", t.studies, cold ? "cold" : "hot", percent, t.named);
  if (percent > 0)
    fmt::print(", {} of them the right one, mean lead {:.2f} %", t.right, 100 * t.lead / std::max(t.named, 1));
  fmt::print("; mean noise floor {:.2f} %, {:.1f} % of the blocks excluded\n", 100 * t.floor, 100 * t.excluded);
  return 0;
}

// One block's time of a call, as a logarithm; nothing where it failed.
std::optional<double> timed(Measurer& m, int handle, double call_s) {
  const auto calls = std::max<std::int64_t>(1, std::llround(2e-3 / call_s));
  const auto b = m.block(handle, calls);
  if (!b || b->state != TrialState::ok) return std::nullopt;
  return std::log(static_cast<double>(b->ns) / static_cast<double>(b->calls));
}

// Medians of a stretch of blocks: of one subject alone, or of both in turn.
std::vector<double> stretch(Measurer& m, const std::vector<int>& handles, double call_s) {
  constexpr int kBlocks = 20;
  std::vector<std::vector<double>> logs(handles.size());
  for (int i = 0; i < kBlocks; ++i) {
    for (std::size_t h = 0; h < handles.size(); ++h) {
      if (const auto t = timed(m, handles[h], call_s)) logs[h].push_back(*t);
    }
  }
  std::vector<double> out;
  for (const auto& l : logs) out.push_back(median(l).value_or(0));
  return out;
}

int alone() {
  constexpr int kCycles = 16;
  constexpr double kCallSeconds = 60e-6;
  const CpuInfo cpu = profilers::probe_cpu();
  auto worker = start_worker();
  if (!worker) return fmt::print(stderr, "trust: {}\n", worker.error().message), 1;
  Measurer& m = **worker;
  for (const int threads : {1, 2}) {
    const StudyRequest r = request_for(cpu, 8, 1024, 1024, threads, false);
    const auto setup = m.setup({r.key.problem, r.key.m, threads, r.key.data, 1, r.key.cache, 0, "g++"});
    if (!setup) return fmt::print(stderr, "trust: {}\n", setup.error().message), 1;
    std::optional<Config> config;
    for (const auto& s : seeds(r.space)) {
      if (!config || threads_used(s.config.blocking) > threads_used(config->blocking)) config = s.config;
    }
    const auto ours = m.admit(*config);
    if (!ours || ours->state != TrialState::ok || setup->baseline.empty()) {
      return fmt::print(stderr, "trust: no kernel or no baseline\n"), 1;
    }
    std::vector<double> kernel, baseline;
    for (int cycle = 0; cycle < kCycles; ++cycle) {
      const double a = stretch(m, {ours->handle}, kCallSeconds)[0];
      const double b = stretch(m, {setup->baseline_handle}, kCallSeconds)[0];
      const auto both = stretch(m, {ours->handle, setup->baseline_handle}, kCallSeconds);
      kernel.push_back(both[0] - a);
      baseline.push_back(both[1] - b);
    }
    for (const auto& [name, logs] : {std::pair{std::string("kernel"), kernel}, {setup->baseline, baseline}}) {
      const auto interval = sign_test_interval(logs, 0.95);
      fmt::print("{} thread{}, {}: interleaved takes {:.3f} [{:.3f}, {:.3f}] times what it takes alone\n", threads,
                 threads == 1 ? "" : "s", name, std::exp(*median(logs)), std::exp(interval->lo),
                 std::exp(interval->hi));
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "worker") {
    if (argc == 3 && std::strcmp(argv[2], "--child") == 0) return run_worker_child(STDIN_FILENO, STDOUT_FILENO);
    return run_worker(STDIN_FILENO, STDOUT_FILENO, {"trust", {}});
  }
  if (what == "alone") return alone();
  if (what == "aa" && argc == 4) return studies(std::atoi(argv[2]), std::strcmp(argv[3], "cold") == 0, 0);
  if (what == "planted" && argc == 5) {
    return studies(std::atoi(argv[2]), std::strcmp(argv[3], "cold") == 0, std::atof(argv[4]));
  }
  fmt::print(stderr, "usage: trust aa N hot|cold | planted N hot|cold PERCENT | alone\n");
  return 2;
}
