// LIBXSMM 1.x (Heinecke, Henry, Hutchinson, Pabst, SC 2016): makes machine code for one small product, and runs it on
// the caller's thread.
#include <fmt/format.h>

#include "tuner/baseline/loaded.h"

namespace gemwright::tuner {
namespace {

// Its own documentation bounds what its code is made for: products of up to 128 in the geometric mean of the sizes.
constexpr std::int64_t kSmall = std::int64_t{128} * 128 * 128;

using Initialise = void();
using Product = void(const float* a, const float* b, float* c);
using Dispatch = Product*(int m, int n, int k, const int* lda, const int* ldb, const int* ldc, const float* alpha,
                          const float* beta, const int* flags, const int* prefetch);

class Libxsmm final : public Baseline {
 public:
  explicit Libxsmm(Dispatch* dispatch) : dispatch_(dispatch) {}

  std::string name() const override { return "libxsmm"; }

  Result<void> prepare(const BaselineCall& call, bool) override {
    const Problem& p = call.problem;
    if (auto plain = check_plain_f32(name(), p); !plain) return plain;
    if (call.threads > 1) return fail("libxsmm runs its products on one thread");
    if (p.a_layout != gemwright::layout::row_major || p.b_layout != gemwright::layout::row_major) {
      return fail(fmt::format("libxsmm makes no f32 product with layout {}", layout_text(p)));
    }
    // One size after the other, so that no product overflows.
    if (call.m > kSmall || p.n > kSmall / call.m || p.k > kSmall / (call.m * p.n)) {
      return fail("libxsmm is made for small products: up to 128 in the geometric mean of M, N and K");
    }
    const int m = static_cast<int>(call.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
    const float alpha = 1, beta = p.beta == 1 ? 1.0F : 0.0F;
    const int none = 0;
    // It counts by columns: the row-major C = A B is its C' = B' A'.
    product_ = dispatch_(n, m, k, &n, &k, &n, &alpha, &beta, &none, &none);
    if (product_ == nullptr) {
      return fail(fmt::format("libxsmm makes no code for M={} N={} K={} on this CPU", call.m, p.n, p.k));
    }
    call_ = call;
    return {};
  }

  Result<void> run(std::int64_t weights) override {
    const Problem& p = call_.problem;
    const auto* a = static_cast<const float*>(call_.a);
    const auto* b = static_cast<const float*>(call_.b.at(weights));
    auto* c = static_cast<float*>(call_.c);
    for (std::int64_t i = 0; i < p.batch; ++i) {
      product_(b, a, c);
      a += call_.m * p.k;
      b += p.k * p.n;
      c += call_.m * p.n;
    }
    return {};
  }

  std::int64_t weight_copies() const override { return call_.b.count; }

 private:
  Dispatch* const dispatch_;
  Product* product_ = nullptr;
  BaselineCall call_;
};

}  // namespace

Result<std::unique_ptr<Baseline>> open_libxsmm(const std::string& file) {
  const auto library = LoadedLibrary::open(file);
  if (!library) return tl::unexpected(library.error());
  auto* const initialise = library->find<Initialise>("libxsmm_init");
  auto* const dispatch = library->find<Dispatch>("libxsmm_smmdispatch");
  if (initialise == nullptr || dispatch == nullptr) {
    return fail("this libxsmm has no libxsmm_smmdispatch: versions 1.x are known");
  }
  initialise();
  return std::make_unique<Libxsmm>(dispatch);
}

}  // namespace gemwright::tuner
