// From what a user asks for to the studies that answer it: resolves the suite, the device, the build and the cache
// state. Both faces of gemwright plan through this, so the same words give the same studies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "profilers/cpu_info.h"
#include "tuner/problem/suite.h"
#include "tuner/study/engine.h"

namespace gemwright::app {

// The options of "what to tune", as the user wrote them.
struct TuneOptions {
  std::vector<std::string> gemm;  // MxNxK
  std::string shapes, preset;
  std::string m;  // overrides the M lists
  std::string layout = "nn", weights = "constant", epilogue = "none";
  std::int64_t batch = 1;
  int beta = 0;
  // precision: a list of "f32", "bf16", "u8s8" (interface and compute mode alike), or "auto": every mode behind the
  // interface that keeps max_error. Empty: what the shapes say, else f32.
  std::string interface, precision, data = "normal";
  std::optional<double> max_error;
  bool batch_invariant = false;
  std::string device = "cpu", threads, compiler = "g++", budget, strategy = "local", protocol = "normal",
              cache = "auto";
  std::uint64_t seed = 1;
  bool fresh = false;
};

// What the options say of types: whose interface (none: each entry's own) and which modes are admitted behind it.
struct Precision {
  std::optional<tuner::Interface> interface;
  bool every_mode = false;  // else the interface's own
};
tuner::Result<std::vector<Precision>> parse_precisions(const TuneOptions& options);

// What does not change between the studies of one run.
struct Workplace {
  profilers::CpuInfo cpu;
  tuner::Build build;
  std::filesystem::path presets;
};

// The CPU as a device that offers so many threads.
tuner::Device device_of(const profilers::CpuInfo& cpu, int threads);

tuner::Result<Workplace> find_workplace(const std::string& compiler);

// Problems of the run. Entries of the command line get the options' layout, chain and so on; presets and files bring
// theirs.
tuner::Result<tuner::Suite> resolve_suite(const TuneOptions& options, const std::filesystem::path& presets);

struct PlannedStudy {
  tuner::SuiteEntry entry;
  tuner::StudyRequest request;  // known_good is filled when the study begins
};

// One study for each precision, entry, thread count and M, ordered so that neighbours share operands and packed
// weights.
tuner::Result<std::vector<PlannedStudy>> plan_studies(const TuneOptions& options, const tuner::Suite& suite,
                                                      const Workplace& place);

// DESIGN's rule for --cache auto: what the operands will find in the real program.
struct CacheChoice {
  tuner::CacheState state;
  double bytes;  // between two uses of the same weights
};
CacheChoice choose_cache(const tuner::Suite& suite, const tuner::SuiteEntry& entry, std::int64_t m, double l2_bytes,
                         double l3_bytes);

// "1,2" -> {1, 2}; empty -> every CPU this process may use.
tuner::Result<std::vector<int>> parse_threads(const std::string& text, int available);

}  // namespace gemwright::app
