// A baseline: what the user would run without gemwright, with the same operands and the same cache state.
//
// `prepare` is told the operands once and does all that a program does once (choose a primitive, reorder constant
// weights); `run` is the call that is timed. Operands are dense: row-major A is M x K with leading dimension K, and so
// on; items of a batch follow each other.
#pragma once

#include <gemwright/tile.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tuner/problem/problem.h"
#include "tuner/result.h"

namespace gemwright::tuner {

// More copies than this would spend more memory on their bookkeeping than on weights; only weights of less than 3 KiB
// want more in the usual 200 MB.
constexpr std::int64_t kMaxWeightCopies = 1 << 16;

// How many copies of weights of `one` bytes hold at least `cache_bytes` together. Hot operands: cache_bytes 0, one
// copy.
inline std::int64_t copy_count(double cache_bytes, double one) {
  if (!(cache_bytes > 0) || !(one > 0)) return 1;
  const double copies = std::min(std::ceil(cache_bytes / one), static_cast<double>(kMaxWeightCopies));
  return std::max<std::int64_t>(static_cast<std::int64_t>(copies), 1);
}

// Equal sets of weights, `stride` bytes apart.
struct WeightCopies {
  const void* first = nullptr;
  std::int64_t stride = 0;
  std::int64_t count = 1;

  const void* at(std::int64_t i) const { return static_cast<const char*>(first) + i * stride; }
};

struct BaselineCall {
  Problem problem;  // its interface says what a, b and c are made of
  std::int64_t m = 0;
  int threads = 1;
  double cache_bytes = 0;  // what copies of constant weights, in the baseline's own format, hold at least
  const void* a = nullptr;
  float a_scale = 1;  // u8s8: value(A) = a_scale * (a - a_zero)
  int a_zero = 0;
  WeightCopies b;                  // as the caller holds them; more than one only where weights are given per call
  const float* b_scale = nullptr;  // u8s8: one a column, item after item; value(B) = b_scale * b
  gemwright::epilogue_operands operands;  // the chain's, dense
  void* c = nullptr;
  float c_scale = 1;  // of u8: value(C) = c_scale * (c - c_zero)
  int c_zero = 0;
};

class Baseline {
 public:
  virtual ~Baseline() = default;

  // With the version and, once a pair is prepared, the way that it takes: "onednn 2.6.3, separate".
  virtual std::string name() const = 0;
  // Reordered weights of the call before are kept where the problem and the library's choice of format are the same,
  // and dropped where `same_weights` says that b holds other values now.
  virtual Result<void> prepare(const BaselineCall& call, bool same_weights) = 0;
  // One call with copy `weights` of the weights, 0 <= weights < weight_copies().
  virtual Result<void> run(std::int64_t weights) = 0;
  virtual std::int64_t weight_copies() const = 0;
  virtual double weight_bytes() const { return 0; }  // held by reordered weights, all copies
  // c = a * b and nothing else: no chain, no beta. f32 alone.
  virtual Result<void> product(const BaselineCall& call, float* c);
};

inline Result<void> Baseline::product(const BaselineCall&, float*) {
  return fail(name() + " is not asked for bare products");
}

// How a user of a library computes a pair of products: one half of the columns behind the other, each with its own
// matmul, the second of which takes in the result of the first; or all columns at once and a pass over them.
enum class PairWay { up_first, gate_first, concatenated };

// oneDNN's matmul, or the reason why there is none. Of a pair it takes the way that is fastest where it is prepared; or
// `way` alone.
Result<std::unique_ptr<Baseline>> make_onednn(std::optional<PairWay> way = std::nullopt);

// Baselines by name: "onednn", "openblas" and "libxsmm" as the distribution installs them, "blas:PATH" for any library
// with cblas_sgemm. All but oneDNN are libraries that are opened at run time, by the loader alone and only when asked
// for; they take weights as the caller holds them.
constexpr const char* kOneDnn = "onednn";
constexpr const char* kOpenBlas = "openblas";
constexpr const char* kLibxsmm = "libxsmm";
// Runs the library's own initialisation, so it belongs into the process that runs candidates.
Result<std::unique_ptr<Baseline>> open_baseline(const std::string& name);
// Whether the name is one of those; nothing is opened.
Result<void> check_baseline_name(const std::string& name);
// blas:PATH. What the user names and is not there is a mistake; what is not installed is absent.
bool names_a_file(const std::string& name);

}  // namespace gemwright::tuner
