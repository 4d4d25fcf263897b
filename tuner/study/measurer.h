// What the study engine asks of whoever measures. WorkerClient implements it over a worker process; tests script it.
//
// One measurer serves one study at a time: `setup` gives it the problem, `add_*` verify and admit subjects, `block`
// times one block of one of them. Failure of a candidate is a value (TrialState and a sentence); an Error means that
// measuring itself cannot go on, but for `count` and `ceilings`: theirs, unless it is `interrupted`, leaves everything
// as it was, and what was asked for is absent with its sentence as the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/study/records.h"

namespace gemwright::tuner {

struct MeasureSetup {
  Problem problem;
  std::int64_t m = 0;
  int threads = 1;  // offered
  DataKind data = DataKind::normal;
  std::uint64_t seed = 1;  // of the operands
  CacheState cache = CacheState::cold;
  double cache_bytes = 0;  // weights rotate through copies of at least this many bytes
  std::string compiler;    // "g++"
  // Further baselines by name, see baseline/baseline.h: each at most once, kMaxFurtherBaselines at most.
  std::vector<std::string> further = {};
};
constexpr std::size_t kMaxFurtherBaselines = 8;

struct FurtherBaseline {
  std::string name;    // "openblas 0.3.21"; empty when absent
  std::string reason;  // why it is absent
  int handle = 0;      // valid when `name` is not empty
};

struct SetupReply {
  std::string baseline;         // "onednn 2.6.3"; empty when absent
  std::string baseline_reason;  // why it is absent
  int baseline_handle = 0;      // valid when `baseline` is not empty
  int anchor_handle = 0;
  std::vector<FurtherBaseline> further = {};  // those asked for, in order
  std::optional<double> baseline_ns = {};     // the call that verified it
};

struct Block {
  TrialState state = TrialState::ok;  // ok, runtime, timeout, crashed
  std::string reason;
  std::int64_t ns = 0, calls = 0;
  std::optional<int> cpu;
  std::optional<std::int64_t> involuntary_switches, steal_ticks;
  bool migrated = false;
};

// The answer to a candidate: a handle to time, or the state it failed in.
struct Admission {
  TrialState state = TrialState::ok;  // ok, compile, runtime, timeout, correctness, crashed
  std::string reason;
  int handle = 0;  // valid when ok
  std::optional<double> error_fro, error_max;
  std::optional<std::int64_t> compile_ns, verify_ns;
  std::optional<Block> block = {};  // of admit_timed
};

class Measurer {
 public:
  virtual ~Measurer() = default;

  virtual Result<SetupReply> setup(const MeasureSetup& setup) = 0;
  // Starts compiling what these configs need and returns at once; admit waits for its own part only.
  virtual Result<void> prefetch_code(const std::vector<Config>& configs) = 0;
  // Compiles (cached), packs (once per format), verifies at full size.
  virtual Result<Admission> admit(const Config& config) = 0;
  // The same where a call is so long that another one is dear: the call that verifies the config is a block of one
  // call, timed like any other but that none is discarded before it. Without a block the config has to be timed.
  virtual Result<Admission> admit_timed(const Config& config) { return admit(config); }
  // The product of a config without the chain of the problem, to see what the chain costs: never a result, so nothing
  // is verified. The chain of the config runs as a pass of its own.
  virtual Result<Admission> admit_bare(const Config& config);
  // A whole exported header, compiled as a consumer would: what `bench` times. `run_namespace` is the problem's
  // namespace.
  virtual Result<Admission> admit_header(const std::string& header_text, const std::string& run_namespace) = 0;
  // One discarded call, then `calls` timed ones.
  virtual Result<Block> block(int handle, std::int64_t calls) = 0;
  // Counts `calls` calls of a subject, apart from timing; several passes where the hardware needs them. A subject that
  // fails gives counters of status failed with the reason. One that takes the worker down, or failed before, gives an
  // Error; it is not marked failed by that.
  virtual Result<std::vector<profilers::Counter>> count(int handle, std::int64_t calls) = 0;
  // The ceilings of the measuring machine for one thread and for those offered by the setup, each with the time of the
  // anchor loop beside it: some tenths of a second. Needs a setup.
  virtual Result<std::vector<profilers::Ceiling>> ceilings() = 0;
  virtual Result<void> drop(int handle) = 0;
};

inline Result<Admission> Measurer::admit_bare(const Config&) { return fail("this measurer runs whole calls alone"); }

}  // namespace gemwright::tuner
