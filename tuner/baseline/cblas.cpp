// Any library with cblas_sgemm, the C interface to the BLAS (Lawson, Hanson, Kincaid, Krogh, ACM TOMS 5(3), 1979).
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

#include "tuner/baseline/loaded.h"
#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

// The interface's constants.
constexpr std::int64_t kRowMajor = 101, kNoTrans = 111, kTrans = 112;

// Libraries have 32-bit integers in their interface or 64-bit ones and do not say which. A 64-bit argument serves both:
// x86-64 and AArch64 pass each in a register or a slot of eight bytes, of which the other kind reads the lower half.
using Sgemm = void(std::int64_t order, std::int64_t trans_a, std::int64_t trans_b, std::int64_t m, std::int64_t n,
                   std::int64_t k, float alpha, const float* a, std::int64_t lda, const float* b, std::int64_t ldb,
                   float beta, float* c, std::int64_t ldc);
using SetThreads = void(std::int64_t threads);
using Text = const char*();

constexpr std::int64_t kLargest = std::numeric_limits<std::int32_t>::max();

// Each library's own; OpenMP's where the library runs on it. The first that is there sets the number of threads.
constexpr std::array kSetters{"openblas_set_num_threads", "MKL_Set_Num_Threads",       "bli_thread_set_num_threads",
                              "goto_set_num_threads",     "nvpl_blas_set_num_threads", "flexiblas_set_num_threads",
                              "omp_set_num_threads"};

// "0.3.21" of "OpenBLAS 0.3.21 DYNAMIC_ARCH ...", or of BLIS's "0.9.0".
std::string version_of(const LoadedLibrary& library) {
  std::string_view text;
  if (auto* const config = library.find<Text>("openblas_get_config")) {
    text = config();
    if (const auto space = text.find(' '); space != std::string_view::npos) text.remove_prefix(space + 1);
  } else if (auto* const blis = library.find<Text>("bli_info_get_version_str")) {
    text = blis();
  }
  return printable(text.substr(0, text.find(' ')), 32);
}

class Cblas final : public Baseline {
 public:
  Cblas(std::string name, Sgemm* sgemm, SetThreads* set_threads)
      : name_(std::move(name)), sgemm_(sgemm), set_threads_(set_threads) {}

  std::string name() const override { return name_; }

  Result<void> prepare(const BaselineCall& call, bool) override {
    const Problem& p = call.problem;
    if (auto plain = check_plain_f32(name_, p); !plain) return plain;
    if (call.m > kLargest || p.n > kLargest || p.k > kLargest) {
      return fail(fmt::format("{} counts rows and columns in 32 bits", name_));
    }
    if (set_threads_ != nullptr) {
      set_threads_(call.threads);
    } else if (call.threads > 1) {
      return fail(fmt::format("{} has no function that sets its number of threads", name_));
    }
    call_ = call;
    return {};
  }

  Result<void> run(std::int64_t weights) override {
    const Problem& p = call_.problem;
    const bool a_rows = p.a_layout == gemwright::layout::row_major;
    const bool b_rows = p.b_layout == gemwright::layout::row_major;
    const auto* a = static_cast<const float*>(call_.a);
    const auto* b = static_cast<const float*>(call_.b.at(weights));
    auto* c = static_cast<float*>(call_.c);
    for (std::int64_t i = 0; i < p.batch; ++i) {
      sgemm_(kRowMajor, a_rows ? kNoTrans : kTrans, b_rows ? kNoTrans : kTrans, call_.m, p.n, p.k, 1.0F, a,
             a_rows ? p.k : call_.m, b, b_rows ? p.n : p.k, p.beta == 1 ? 1.0F : 0.0F, c, p.n);
      a += call_.m * p.k;
      b += p.k * p.n;
      c += call_.m * p.n;
    }
    return {};
  }

  std::int64_t weight_copies() const override { return call_.b.count; }

 private:
  const std::string name_;
  Sgemm* const sgemm_;
  SetThreads* const set_threads_;
  BaselineCall call_;
};

}  // namespace

Result<std::unique_ptr<Baseline>> open_cblas(const std::string& name, const std::string& file) {
  // OpenBLAS reads these once. Its threads then come when they are asked for, a team at a time, not one for each CPU.
  // They spin 2^26 cycles after a call unless told otherwise, longer than others wait for them; 2^24 are still several
  // milliseconds, and a block has no such gaps.
  setenv("OPENBLAS_NUM_THREADS", "1", 1);
  setenv("OPENBLAS_THREAD_TIMEOUT", "24", 1);
  const auto library = LoadedLibrary::open(file);
  if (!library) return tl::unexpected(library.error());
  auto* const sgemm = library->find<Sgemm>("cblas_sgemm");
  if (sgemm == nullptr) return fail(fmt::format("{} has no function cblas_sgemm", printable(file)));
  SetThreads* set_threads = nullptr;
  for (const char* const setter : kSetters) {
    if (set_threads == nullptr) set_threads = library->find<SetThreads>(setter);
  }
  const std::string version = version_of(*library);
  return std::make_unique<Cblas>(version.empty() ? name : fmt::format("{} {}", name, version), sgemm, set_threads);
}

}  // namespace gemwright::tuner
