// What a study is made of, as plain values: the rows that the tuner writes through `Store` and that show, export, bench
// and the window read back. Times are nanoseconds unless the name says otherwise; wall times are unix nanoseconds.
// Absent values are std::optional, never 0 or -1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "profilers/ceilings.h"
#include "profilers/counters/counter.h"
#include "tuner/problem/problem.h"
#include "tuner/result.h"
#include "tuner/space/config.h"

namespace gemwright::tuner {

using StudyId = std::int64_t;
using TrialId = std::int64_t;
using SubjectId = std::int64_t;

// What runs the kernel. The fingerprint covers what matters to speed; `name` is for people only.
struct Device {
  std::string fingerprint;  // hex digest of the canonical properties
  std::string kind = "cpu";
  std::string name;  // "AMD EPYC (family 26 model 2)"
  int threads = 1;   // threads offered to a config; part of the study's identity, not of the fingerprint
  std::string properties_json = "{}";  // ISA, caches, cores, hypervisor: what the fingerprint was made from

  bool operator==(const Device&) const = default;
};

// What compiled the candidates. The digest covers compiler, version, flags and the kernel sources.
struct Build {
  std::string digest;
  std::string tool_version;
  std::string compiler;          // as the user names it: "g++"
  std::string compiler_version;  // first line of --version
  std::string flags;
  std::string source_digest;  // of the kernel headers

  bool operator==(const Build&) const = default;
};

enum class CacheState { hot, rotate, cold };
std::string_view to_text(CacheState s);
Result<CacheState> parse_cache_state(std::string_view text);

enum class DataKind { normal, uniform, outliers };
std::string_view to_text(DataKind d);
Result<DataKind> parse_data_kind(std::string_view text);

// The identity of a study: the same key goes on where the study stopped.
struct StudyKey {
  Problem problem;
  std::int64_t m = 0;
  Device device;
  Build build;
  int space_version = 0;
  std::vector<ComputeMode> modes;
  std::optional<double> max_error;
  DataKind data = DataKind::normal;
  CacheState cache = CacheState::cold;
  double cache_bytes = 0;  // bytes that lie between two uses of the same weights (0 when hot)
  bool batch_invariant = false;
};
// "bf16" where one mode is admitted, "auto" where several are.
std::string precision_text(const StudyKey& k);
// Canonical text of everything above; unique per study and generation.
std::string key(const StudyKey& k);

// A budget is per study: a time, a number of trials, or the default rule (both absent).
struct Budget {
  std::optional<double> seconds;
  std::optional<std::int64_t> trials;

  bool operator==(const Budget&) const = default;
};
Result<Budget> parse_budget(std::string_view text);  // "60s", "2m", "1h", "500"
std::string to_text(const Budget& b);

// What may change without making another study.
struct StudyAttributes {
  std::string name;   // of the suite's entry, e.g. "qkv"; names the namespace of the exported header
  std::string suite;  // preset or file
  double weight = 1;
  Budget budget;
  std::string protocol;
  std::string strategy;
  std::uint64_t seed = 1;
};

enum class StudyState { running, finished, interrupted, failed };
std::string_view to_text(StudyState s);
Result<StudyState> parse_study_state(std::string_view text);

enum class TrialState { running, ok, pruned, constraint, compile, runtime, timeout, correctness, crashed, cancelled };
std::string_view to_text(TrialState s);
Result<TrialState> parse_trial_state(std::string_view text);

struct Trial {
  TrialId id = 0;
  StudyId study = 0;
  std::int64_t seq = 0;  // 0, 1, 2 ... in the order of proposal
  Config config;
  std::string origin;  // who proposed it: "seed:blis", "neighbour", "local", "random"
  TrialState state = TrialState::running;
  std::string reason;               // one sentence where the state is not ok
  std::optional<double> error_fro;  // relative Frobenius distance to float64
  std::optional<double> error_max;  // largest element error, relative to its bound's scale
  std::optional<std::int64_t> compile_ns, verify_ns;
  // What decides the bits of its results (tuner/space/reduction.h); absent in trials of earlier versions.
  std::optional<std::string> reduction_class;
};

// What a measuring round times.
enum class SubjectKind { trial, baseline, anchor };
std::string_view to_text(SubjectKind k);
Result<SubjectKind> parse_subject_kind(std::string_view text);

struct Subject {
  SubjectId id = 0;
  StudyId study = 0;
  SubjectKind kind = SubjectKind::trial;
  std::optional<TrialId> trial;  // exactly when kind is trial
  std::string name;              // baselines: "onednn 2.6.3"; anchor: "anchor"
};

enum class Phase { screen, race, confirm };
std::string_view to_text(Phase p);
Result<Phase> parse_phase(std::string_view text);

// Why a block does not count: who took the CPU while it ran.
enum class Disturbance { none, steal, context_switch, migration };

// One timed block of a subject. Raw: kept, never edited.
struct Sample {
  SubjectId subject = 0;
  Phase phase = Phase::screen;
  std::int64_t round = 0;  // rounds count up through the whole study, over all phases
  int position = 0;        // place in the round
  std::int64_t calls = 0;  // > 0
  std::int64_t ns = 0;     // of the whole block
  std::optional<int> cpu;
  std::optional<std::int64_t> involuntary_switches;
  std::optional<std::int64_t> steal_ticks;
  bool migrated = false;  // began and ended on different CPUs

  static constexpr double kNoticed = 0.02;      // more than what two blocks of one candidate differ by
  static constexpr double kStealTickNs = 10e6;  // USER_HZ
  static constexpr double kSliceNs = 3e6;       // of another process, until ours is back: the scheduler's usual one

  bool excluded() const { return disturbance() != Disturbance::none; }
  // The first cause that applies. Steal and switches only where at their usual length they took kNoticed of the block:
  // nothing but an idle host leaves long ones alone.
  Disturbance disturbance() const {
    const double noticed = kNoticed * static_cast<double>(ns);
    if (static_cast<double>(steal_ticks.value_or(0)) * kStealTickNs > noticed) return Disturbance::steal;
    if (static_cast<double>(involuntary_switches.value_or(0)) * kSliceNs > noticed) return Disturbance::context_switch;
    return migrated ? Disturbance::migration : Disturbance::none;
  }
};

// A figure computed from samples; recomputable, so it carries its method. Ratios are speed over the baseline: above 1
// is faster. Intervals are 95 %; absent where there are too few samples or no baseline.
struct Estimate {
  SubjectId subject = 0;
  Phase phase = Phase::confirm;
  std::string method;        // "median of blocks, paired log ratios, sign test"
  std::int64_t samples = 0;  // used
  std::int64_t excluded = 0;
  double ns_per_call = 0;                // median
  std::optional<double> min_ns, p10_ns;  // of a call: fastest block and 10th percentile
  double gflops = 0;
  std::optional<double> ratio, ratio_lo, ratio_hi;
};

// The blocks of the confirmation and what disturbed them: a block is excluded for one cause, the first of these.
struct BlockTally {
  std::int64_t blocks = 0, steal = 0, context_switch = 0, migration = 0;

  std::int64_t excluded() const { return steal + context_switch + migration; }
  bool operator==(const BlockTally&) const = default;
};

// How a study ended. Only confirmed figures are reported. Relative figures: 0.03 is 3 %.
struct StudyOutcome {
  std::optional<TrialId> best_trial;
  std::string verdict;        // one sentence: separated from the runner-up, or the ties
  std::vector<TrialId> ties;  // confirmed trials that are not separated from the best

  // Of the lead over every other confirmed trial, all comparisons and looks taken together; absent where the best is
  // not separated from all others or there is no other.
  std::optional<double> confidence;
  // Over the runner-up: speed of the best over its, and the interval of that confidence. Absent without a runner-up.
  std::optional<double> lead, lead_lo, lead_hi;
  // How well two identical candidates could be told apart in the same rounds (A/A): half the width of the 95 % interval
  // of their ratio. No smaller lead is claimed. Absent with too few rounds.
  std::optional<double> noise_floor;
  BlockTally tally;

  bool certified() const { return confidence.has_value(); }
};

// Of which process a study was last seen running: it runs no more when that process or that boot is gone.
struct Runner {
  std::int64_t pid = 0;
  std::string boot_id;  // /proc/sys/kernel/random/boot_id; empty where the system has none

  bool operator==(const Runner&) const = default;
};

// Software counters of the winner of a study whose chain has a choice of places: the time of a call ("fusion.whole"),
// of its product without the chain ("fusion.product"), and of product and chain in two passes ("fusion.separate").
constexpr const char* kFusionProvider = "software";
constexpr const char* kFusionWhole = "fusion.whole";
constexpr const char* kFusionProduct = "fusion.product";
constexpr const char* kFusionSeparate = "fusion.separate";

// A counter of a subject of a study.
struct SubjectCounter {
  SubjectId subject = 0;
  profilers::Counter counter;
};

// A ceiling with when it was measured.
struct StudyCeiling {
  profilers::Ceiling ceiling;
  std::int64_t measured_at = 0;  // unix ns
};

// What a person or the machine did to a study. Any process writes it; the process that runs the study stamps the round
// at which it took effect, so that resuming and replaying see the same order.
enum class EventKind { pause, resume, stop, again, pin, veto, extend };
std::string_view to_text(EventKind k);
Result<EventKind> parse_event_kind(std::string_view text);

struct StudyEvent {
  std::int64_t id = 0;  // ascending in the order of writing
  StudyId study = 0;
  EventKind kind = EventKind::pause;
  std::string argument;  // "17" (again), "mr=8" (pin, veto), "30s" (extend); empty for the others
  std::int64_t created_at = 0;
  std::optional<std::int64_t> applied_round;
};

struct StudyRecord {
  StudyId id = 0;
  int generation = 0;  // --fresh starts the next one of the same key
  StudyKey key;
  StudyAttributes attributes;
  StudyState state = StudyState::running;
  std::optional<std::string> failure;           // why it failed: one sentence
  std::int64_t created_at = 0, updated_at = 0;  // unix ns
  double spent_seconds = 0;                     // measuring time so far, over all sittings
  std::int64_t trials = 0;
  StudyOutcome outcome;
  std::string baseline;         // name, or empty
  std::string baseline_reason;  // why there is none
  std::optional<Runner> runner;
};

}  // namespace gemwright::tuner
