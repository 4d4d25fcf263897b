// The exported header's text: configs, dispatch, provenance and the functions a consumer calls, as DESIGN section 6
// says. Pure: equal specs give equal texts. Every text in a spec may be hostile (it comes from a database); every
// number is checked.
//
// The whole spec also stands in the header's comments, one JSON object a line after "//@gemwright ", so that tools can
// read what a header claims without compiling it; the first object names the version of that format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tuner/header/dispatch.h"
#include "tuner/problem/problem.h"
#include "tuner/result.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

constexpr int kHeaderVersion = 1;  // of the JSON lines and of what a consumer writes

enum class HeaderStyle {
  standalone,  // carries the kernel templates
  library,     // needs the installed gemwright::kernels of the same digest
};
const char* to_text(HeaderStyle s);

// What was measured in one cell (M, threads) of the choice that serves it. Figures are absent where the chosen config
// was not measured in that cell.
struct HeaderChoice {
  std::int64_t m = 0;
  int threads = 1;
  std::size_t config = 0;
  StudyId study = 0;
  std::optional<TrialId> trial;
  bool confirmed = false;
  std::optional<double> ns_per_call, gflops, error, ratio, ratio_lo, ratio_hi, regret;
  std::vector<TrialId> ties;  // not separated from it in its study
  // Of the study, where its winner serves the cell: the confidence of its lead (certified), half the width of A/A.
  std::optional<double> confidence, noise_floor;
  std::optional<double> excluded;  // share of the blocks that were disturbed from outside
};

// One build of one problem.
struct HeaderTable {
  Build build;
  ComputeMode mode = ComputeMode::f32;  // of all its configs
  gemwright::packing format{};
  std::vector<Config> configs;
  std::vector<DispatchGroup> groups;
  std::vector<HeaderChoice> choices;
  std::string baseline;  // "onednn 2.6.3"; empty when there was none
  CacheState cache = CacheState::cold;
  DataKind data = DataKind::normal;
  std::optional<double> max_error;  // the bound on the error of the choices; absent where a study had none
  bool batch_invariant = false;     // all choices were tuned so
};

struct HeaderProblem {
  std::string name;  // as in the suite; any text
  Problem problem;
  std::vector<HeaderTable> tables;  // at most one a compiler family
};

struct HeaderSpec {
  HeaderStyle style = HeaderStyle::standalone;
  std::string name_space = "tuned";
  std::string tool_version;
  std::string date;  // "2026-03-01"; given, so that the text does not depend on a clock
  Device device;
  double max_regret = 0.02;
  std::vector<HeaderProblem> problems;
};

// Namespaces for the problems, in their order: the name as an identifier, or n4096_k4096_f32; where two would be equal,
// a suffix says what differs (n, k, interface, batch, layout, weights, beta, chain).
std::vector<std::string> problem_namespaces(const std::vector<HeaderProblem>& problems);

Result<std::string> write_header(const HeaderSpec& spec);

}  // namespace gemwright::tuner
