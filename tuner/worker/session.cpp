#include "tuner/worker/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <variant>

#include "profilers/counters/ladder.h"
#include "profilers/cpu_info.h"
#include "profilers/pinning.h"
#include "tuner/worker/baselines.h"
#include "tuner/worker/meter.h"
#include "tuner/worker/subject.h"
#include "tuner/worker/tile_check.h"
#include "tuner/worker/trust.h"

namespace gemwright::tuner {
namespace {

// Of the memory available: the rest is for the compiler, the database and whatever else runs here.
constexpr double kMemoryShare = 0.7;
constexpr int kMaxThreads = 1024;

std::int64_t ns_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
}

Admission refused(TrialState state, std::string reason) {
  Admission a;
  a.state = state;
  a.reason = std::move(reason);
  return a;
}

tl::unexpected<Error> no_setup() { return fail("a candidate was sent before the problem was set up"); }

tl::unexpected<Error> no_subject(int handle) {
  return fail(fmt::format("there is no subject with the handle {}", handle));
}

Result<void> validate(const MeasureSetup& s) {
  if (auto ok = check(s.problem, s.m); !ok) return ok;
  if (s.threads < 1 || s.threads > kMaxThreads) {
    return fail(fmt::format("{} threads were asked for; 1 to {} can be measured", s.threads, kMaxThreads));
  }
  if (!(s.cache_bytes >= 0 && s.cache_bytes <= 0x1p50)) {
    return fail(fmt::format("{} bytes between two uses of the same weights is not a size", s.cache_bytes));
  }
  return {};
}

}  // namespace

struct Session::State {
  explicit State(std::string digest) : expected_digest(std::move(digest)) {}

  const std::string expected_digest;
  const profilers::CpuInfo cpu = profilers::probe_cpu();  // before a thread is pinned: it tells the CPUs allowed
  Affinity affinity;
  std::optional<MeasureSetup> setup;  // absent until one succeeded
  Operands operands;
  // Libraries stand before what they made, which is freed by them.
  std::map<std::string, std::unique_ptr<TileLibrary>> tile_libraries;
  std::map<std::string, std::unique_ptr<HeaderLibrary>> header_libraries;
  TileContext tile_context;
  WeightStore store;
  Baselines baselines{operands, store};
  Trust trust{operands};
  std::optional<double> left_for_weights;  // bytes that the store may hold
  std::map<int, std::unique_ptr<TimedSubject>> subjects;
  int last_handle = 0;
  std::vector<std::unique_ptr<profilers::CounterProvider>> counter_providers;  // made when first needed
  profilers::CeilingMemory ceiling_memory;
  bool unparked = false;  // the subject before has threads that park_others does not reach
  // What passed the small problems in this process.
  std::set<std::tuple<std::string, std::string, int, std::string>> checked_tiles;

  ComputeMode interface_mode() const { return own_mode(operands.problem.interface); }
  static double cache_bytes_of(const MeasureSetup& s) { return s.cache == CacheState::hot ? 0 : s.cache_bytes; }
  double cache_bytes() const { return cache_bytes_of(*setup); }
  double rotated_weights(const MeasureSetup& s) const;
  Result<void> claim_memory(const MeasureSetup& next);
  Result<void> make(const MeasureSetup& next);
  Result<BaselineCall> baseline_call();
  void prepare_baselines(const BaselineCall& call, bool same);
  SetupReply reply();
  int add(std::unique_ptr<TimedSubject> subject);
  void park_others(const void* pool);
  void rest(const void* pool);
  Result<void> make_way(TimedSubject& subject);
  Result<const TileLibrary*> tile_library(const std::string& path);
  Result<HeaderLibrary*> header_library(const std::string& path);
  Result<void> make_trust(ComputeMode mode);
  std::optional<std::string> run_once(TimedSubject& subject);
  std::variant<FoundTile, Admission> find_tile(const Config& config, const std::string& path);
  std::unique_ptr<TimedSubject> tile_subject(const FoundTile& tile, const Config& config, bool bare);
  Block time(TimedSubject& subject, std::int64_t calls, bool discard);
  Admission admit(std::unique_ptr<TimedSubject> subject, const Config& config, bool verify, bool timed);
  Admission admit_header(std::unique_ptr<HeaderSubject> subject, bool verify);
};

// Bytes of all copies of one set of weights.
double Session::State::rotated_weights(const MeasureSetup& s) const {
  const double one = weight_bytes(s.problem);
  return one * static_cast<double>(copy_count(cache_bytes_of(s), one));
}

// Refuses what would not fit, and tells the store of weights what is left for it.
Result<void> Session::State::claim_memory(const MeasureSetup& next) {
  left_for_weights.reset();
  if (const std::optional<double> available = available_memory()) {
    const double held =
        store.bytes() + store.spare_bytes() + baselines.weight_bytes() + operands.bytes() + trust.bytes();
    const auto kept = static_cast<double>(ceiling_memory.bytes());
    const double limit = kMemoryShare * (*available + held + kept) - kept;
    const double fixed = bytes_for_weights(next.problem) + bytes_for_m(next.problem, next.m) +
                         bytes_for_baseline(next.problem, rotated_weights(next));
    if (fixed + rotated_weights(next) > limit) {
      if (kept > 0) {
        ceiling_memory = {};
        return claim_memory(next);
      }
      return fail(
          fmt::format("measuring M={} N={} K={} batch {} needs about {:.1f} GiB, but only {:.1f} GiB of this "
                      "machine's free memory may be used",
                      next.m, next.problem.n, next.problem.k, next.problem.batch,
                      (fixed + rotated_weights(next)) / 0x1p30, limit / 0x1p30));
    }
    left_for_weights = limit - fixed;
  }
  store.configure(cache_bytes_of(next), left_for_weights);
  return {};
}

Result<BaselineCall> Session::State::baseline_call() {
  BaselineCall call;
  call.problem = operands.problem;
  call.m = operands.m;
  call.threads = setup->threads;
  call.cache_bytes = cache_bytes();
  call.a = operands.a_data();
  call.a_scale = operands.a_scale;
  call.a_zero = operands.a_zero;
  call.operands = operands.chain();
  call.c = operands.c_data();
  call.c_scale = operands.c_scale;
  call.c_zero = operands.c_zero;
  call.b = {operands.b_data(), 0, 1};
  call.b_scale = operands.b_scale.data();
  if (!operands.problem.constant_weights) {
    auto plain = store.plain(operands);
    if (!plain) return tl::unexpected(plain.error());
    call.b = (*plain)->copies;
  }
  return call;
}

void Session::State::prepare_baselines(const BaselineCall& call, bool same) {
  baselines.prepare(call, same, [&](TimedSubject& subject) {
    std::optional<std::string> fault = run_once(subject);
    if (!fault) fault = trust.check(interface_mode(), all_rows(operands.rows())).fault;
    return fault;
  });
}

// The trusted result of a mode. The memory of one that is not the interface's own was not claimed at the setup: the
// copies of weights make room.
Result<void> Session::State::make_trust(ComputeMode mode) {
  if (trust.knows(mode)) return {};
  double claimed = 0;
  if (mode != interface_mode() && left_for_weights) {
    const double more = trust.bytes_for(mode);
    // Copies of one format have to stay possible; weights given per call stay where the baseline was told they are.
    const double kept = operands.problem.constant_weights ? rotated_weights(*setup) : store.bytes();
    if (more + kept > *left_for_weights) {
      return fail(
          fmt::format("checking {} needs {:.1f} GiB beside the problem, but only {:.1f} GiB of this machine's "
                      "free memory may be used",
                      to_text(mode), more / 0x1p30, *left_for_weights / 0x1p30));
    }
    *left_for_weights -= more;
    claimed = more;
    store.configure(cache_bytes(), left_for_weights);
  }
  auto call = baseline_call();
  if (!call) return tl::unexpected(call.error());
  unparked = unparked || baselines.any();  // its threads may make the product
  auto made = trust.make(mode, baselines.first(), *call);
  if (made) return {};
  if (mode != interface_mode() && left_for_weights) *left_for_weights += claimed;
  return tl::unexpected(made.error());
}

Result<void> Session::State::make(const MeasureSetup& next) {
  affinity.set(next.threads);
  if (auto opened = baselines.open(next.further); !opened) return opened;
  const bool same = same_weights(operands, next.problem, next.data, next.seed);
  if (!same) store.reset();
  if (auto claimed = claim_memory(next); !claimed) return claimed;
  trust.reset(same && trust.bytes_of_weights() < left_for_weights.value_or(0x1p60));
  if (left_for_weights) *left_for_weights -= trust.bytes();
  store.configure(cache_bytes_of(next), left_for_weights);
  if (auto made = make_operands(operands, next.problem, next.m, next.data, next.seed); !made) return made;
  setup = next;
  if (auto made = make_trust(interface_mode()); !made) return made;
  auto call = baseline_call();
  if (!call) return tl::unexpected(call.error());
  prepare_baselines(*call, same);
  return {};
}

SetupReply Session::State::reply() {
  SetupReply r;
  r.anchor_handle = add(std::make_unique<AnchorSubject>());
  baselines.enter(r, [this](std::unique_ptr<TimedSubject> subject) { return add(std::move(subject)); });
  return r;
}

int Session::State::add(std::unique_ptr<TimedSubject> subject) {
  subjects.emplace(++last_handle, std::move(subject));
  return last_handle;
}

// Two pools that both spin slow each other several times.
void Session::State::park_others(const void* pool) {
  if (pool != &tile_context) tile_context.park();
  for (const auto& [path, l] : header_libraries) {
    if (l.get() != pool) l->park();
  }
}

// No thread but the caller's runs, and those of `pool` may.
void Session::State::rest(const void* pool) {
  park_others(pool);
  if (setup->threads > 1 && unparked) await_sleeping_threads();
  unparked = false;
}

// The machine is the subject's, with its threads in their places.
Result<void> Session::State::make_way(TimedSubject& subject) {
  if (auto ready = subject.prepare(); !ready) return ready;
  rest(subject.pool());
  unparked = subject.has_own_threads();
  affinity.place_threads(setup->threads);
  return {};
}

Result<const TileLibrary*> Session::State::tile_library(const std::string& path) {
  if (const auto known = tile_libraries.find(path); known != tile_libraries.end()) return known->second.get();
  auto opened = TileLibrary::open(path, expected_digest);
  if (!opened) return tl::unexpected(opened.error());
  return (tile_libraries[path] = std::move(*opened)).get();
}

Result<HeaderLibrary*> Session::State::header_library(const std::string& path) {
  if (const auto known = header_libraries.find(path); known != header_libraries.end()) return known->second.get();
  auto opened = HeaderLibrary::open(path);
  if (!opened) return tl::unexpected(opened.error());
  return (header_libraries[path] = std::move(*opened)).get();
}

std::unique_ptr<TimedSubject> Session::State::tile_subject(const FoundTile& tile, const Config& config, bool bare) {
  if (config.mode == ComputeMode::f32) {
    return std::make_unique<F32TileSubject>(tile, config, operands, store, tile_context, setup->threads, bare);
  }
  return std::make_unique<DotTileSubject>(tile, config, operands, store, tile_context, setup->threads, bare);
}

// Runs a subject once at full size; C is there to be compared then. The sentence says why it did not run.
std::optional<std::string> Session::State::run_once(TimedSubject& subject) {
  operands.reset_c();
  park_others(subject.pool());
  const auto start = std::chrono::steady_clock::now();
  auto fault = subject.run(1);
  subject.note_call(static_cast<double>(ns_since(start)));
  return fault;
}

Block Session::State::time(TimedSubject& subject, std::int64_t calls, bool discard) {
  const auto broken = [](std::string reason) {
    return Block{TrialState::runtime, std::move(reason), 0, 0, {}, {}, {}, false};
  };
  if (auto ready = make_way(subject); !ready) return broken(ready.error().message);
  BlockMeter meter(affinity.pinned());
  meter.begin();
  // The discarded one wakes the subject's own threads and warms what every call uses.
  auto fault = discard ? subject.run(1) : std::nullopt;
  meter.start();
  if (!fault) fault = subject.run(calls);
  meter.stop();
  if (fault) return broken(*fault);
  Block b = meter.block();
  b.calls = calls;
  subject.note_call(static_cast<double>(b.ns) / static_cast<double>(calls));
  return b;
}

Admission Session::State::admit(std::unique_ptr<TimedSubject> subject, const Config& config, bool verify, bool timed) {
  if (verify) {
    if (auto made = make_trust(config.mode); !made) return refused(TrialState::runtime, made.error().message);
  }
  if (auto ready = subject->prepare(); !ready) return refused(TrialState::runtime, ready.error().message);
  Admission a;
  if (verify) {
    const auto start = std::chrono::steady_clock::now();
    if (timed) {
      operands.reset_c();
      a.block = time(*subject, 1, false);
      if (a.block->state != TrialState::ok) return refused(a.block->state, a.block->reason);
    } else if (auto fault = run_once(*subject)) {
      return refused(TrialState::runtime, *fault);
    }
    const Problem& p = operands.problem;
    const auto borders = border_rows(operands.m, p.batch, config.mode, config.tile.mr, config.blocking);
    const Verdict v = trust.check(config.mode, borders);
    if (v.fault) return refused(TrialState::correctness, *v.fault);
    a.error_fro = v.error_fro;
    a.error_max = v.error_max;
    a.verify_ns = ns_since(start);
  }
  a.handle = add(std::move(subject));
  return a;
}

// A header does not say its mode: what it computes has to be right in one of those behind the interface, the most exact
// that it is right in. Which tile it picks is its own affair, too: every row may be a border.
Admission Session::State::admit_header(std::unique_ptr<HeaderSubject> subject, bool verify) {
  Admission a;
  if (!verify) {
    if (auto ready = subject->prepare(); !ready) return refused(TrialState::runtime, ready.error().message);
    a.handle = add(std::move(subject));
    return a;
  }
  std::int64_t spent = 0;
  std::string fault;  // in the interface's own mode
  for (const ComputeMode mode : modes_behind(operands.problem.interface)) {
    // Without the memory to try another mode the first fault stands.
    if (auto made = make_trust(mode); !made) return refused(TrialState::correctness, fault);
    const auto start = std::chrono::steady_clock::now();
    subject->set_mode(mode);
    if (auto ready = subject->prepare(); !ready) return refused(TrialState::runtime, ready.error().message);
    if (auto failed = run_once(*subject)) return refused(TrialState::runtime, *failed);
    const Verdict v = trust.check(mode, all_rows(operands.rows()));
    spent += ns_since(start);
    if (v.fault) {
      if (fault.empty()) fault = *v.fault;
      continue;
    }
    a.error_fro = v.error_fro;
    a.error_max = v.error_max;
    a.verify_ns = spent;
    a.handle = add(std::move(subject));
    return a;
  }
  return refused(TrialState::correctness, fault);
}

Session::Session(std::string expected_source_digest)
    : state_(std::make_unique<State>(std::move(expected_source_digest))) {}
Session::~Session() = default;

Result<SetupReply> Session::setup(const MeasureSetup& setup) {
  State& s = *state_;
  if (auto valid = validate(setup); !valid) return tl::unexpected(valid.error());
  s.subjects.clear();
  // Contexts of the setup before may have other threads, and scratch memory that is not needed now.
  s.tile_context.drop();
  for (const auto& [path, library] : s.header_libraries) library->drop_context();
  s.setup.reset();
  if (auto made = s.make(setup); !made) {
    // Weights packed for what is no longer there must not be taken for those of the next setup.
    s.setup.reset();
    s.store.reset();
    s.trust.reset(false);
    s.baselines.forget();
    return tl::unexpected(made.error());
  }
  return s.reply();
}

// The tile of a config in a library, or why there is none.
std::variant<FoundTile, Admission> Session::State::find_tile(const Config& config, const std::string& path) {
  const auto loaded = tile_library(path);
  if (!loaded) return refused(TrialState::compile, loaded.error().message);
  const Interface interface = setup->problem.interface;
  const auto modes = modes_behind(interface);
  if (std::find(modes.begin(), modes.end(), config.mode) == modes.end()) {
    return refused(TrialState::runtime, fmt::format("the mode {} does not stand behind the interface {}",
                                                    to_text(config.mode), to_text(interface)));
  }
  const TileLibrary& library = **loaded;
  const std::optional<int> tile = library.find(config.tile);
  if (tile && library.mode() == config.mode && library.c_type() == c_element(setup->problem)) {
    return FoundTile{library, *tile};
  }
  return refused(TrialState::compile, fmt::format("{} has no tile {} of {} for the interface {}", path,
                                                  tile_name(config.tile), to_text(config.mode), to_text(interface)));
}

Result<Admission> Session::admit(const Config& config, const std::string& library, bool verify, bool timed) {
  State& s = *state_;
  if (!s.setup) return no_setup();
  const auto found = s.find_tile(config, library);
  if (const auto* none = std::get_if<Admission>(&found)) return *none;
  const FoundTile& tile = std::get<FoundTile>(found);
  const Problem& p = s.setup->problem;
  const auto start = std::chrono::steady_clock::now();
  // What of the problem the small ones depend on.
  const auto identity = std::tuple{
      library, tile_name(config.tile), config.format.panel,
      fmt::format("{} {} {}{}{}{}{}{}{}", config.format.pair, gemwright::fusion_name(config.blocking.chain_at),
                  to_text(p.interface), static_cast<int>(p.a_layout), static_cast<int>(p.b_layout), p.constant_weights,
                  p.beta, p.batch > 1, epilogue_text(p.chain))};
  if (verify && s.checked_tiles.count(identity) == 0) {
    if (auto fault = check_tile(tile.library, tile.index, config, p)) return refused(fault->state, fault->reason);
    s.checked_tiles.insert(identity);
  }
  const std::int64_t tile_ns = ns_since(start);
  Admission a = s.admit(s.tile_subject(tile, config, false), config, verify, timed);
  if (a.verify_ns) *a.verify_ns += tile_ns;
  return a;
}

Result<Admission> Session::admit_bare(const Config& config, const std::string& library) {
  State& s = *state_;
  if (!s.setup) return no_setup();
  const auto found = s.find_tile(config, library);
  if (const auto* none = std::get_if<Admission>(&found)) return *none;
  auto subject = s.tile_subject(std::get<FoundTile>(found), config, true);
  if (auto ready = subject->prepare(); !ready) return refused(TrialState::runtime, ready.error().message);
  if (auto fault = s.run_once(*subject)) return refused(TrialState::runtime, *fault);
  Admission a;
  a.handle = s.add(std::move(subject));
  return a;
}

Result<Admission> Session::admit_header(const std::string& library, bool verify) {
  State& s = *state_;
  if (!s.setup) return no_setup();
  auto loaded = s.header_library(library);
  if (!loaded) return refused(TrialState::compile, loaded.error().message);
  return s.admit_header(
      std::make_unique<HeaderSubject>(**loaded, s.operands, s.store, s.setup->threads, s.cache_bytes()), verify);
}

Result<Block> Session::block(int handle, std::int64_t calls) {
  State& s = *state_;
  if (calls <= 0) return fail(fmt::format("a block of {} calls cannot be timed", calls));
  const auto found = s.subjects.find(handle);
  if (found == s.subjects.end()) return no_subject(handle);
  return s.time(*found->second, calls, found->second->needs_a_discarded_call());
}

Result<std::vector<profilers::Counter>> Session::count(int handle, std::int64_t calls) {
  State& s = *state_;
  if (calls <= 0) return fail(fmt::format("{} calls cannot be counted", calls));
  const auto found = s.subjects.find(handle);
  if (found == s.subjects.end()) return no_subject(handle);
  TimedSubject& subject = *found->second;
  if (s.counter_providers.empty()) s.counter_providers = profilers::counter_ladder(s.cpu);
  std::optional<std::string> fault;
  if (auto ready = s.make_way(subject); !ready) fault = ready.error().message;
  if (!fault && subject.needs_a_discarded_call()) fault = subject.run(1);  // as before a block
  // A subject that has failed is not run again, but asked about all the same: each counter has its row.
  const auto run = [&] {
    if (!fault) fault = subject.run(calls);
    return !fault;
  };
  auto counters = profilers::count_all(s.counter_providers, {run, calls, subject.lasts()});
  for (profilers::Counter& c : counters) {
    if (fault && c.status == profilers::CounterStatus::failed) c.reason = *fault;
  }
  return counters;
}

Result<std::vector<profilers::Ceiling>> Session::ceilings() {
  State& s = *state_;
  if (!s.setup) return fail("the ceilings of the machine were asked for before a problem was set up");
  s.rest(nullptr);
  const profilers::Pinning before;
  s.affinity.set(s.setup->threads);  // a block has given this thread one CPU, which others would inherit
  profilers::CeilingRequest request;
  request.threads = s.setup->threads;
  request.anchor_ns = AnchorSubject::fastest_call_ns;
  return profilers::measure_ceilings(s.cpu, request, s.ceiling_memory);
}

Result<void> Session::drop(int handle) {
  if (state_->subjects.erase(handle) == 0) return no_subject(handle);
  return {};
}

}  // namespace gemwright::tuner
