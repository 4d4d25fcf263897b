// Libraries that a user may name as a baseline: a right one, wrong ones, and one without the function.
#include <cstdint>

#ifndef FAKE_WRONG
#define FAKE_WRONG 0
#endif

extern "C" {

#ifndef FAKE_NO_SETTER
int fake_threads = 0;
int fake_calls = 0;
void goto_set_num_threads(int threads) { fake_threads = threads; }
#endif

// By rows, as the interface defines it.
#ifndef FAKE_NO_SGEMM
void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                 const float* b, int ldb, float beta, float* c, int ldc) {
  if (order != 101) return;
#ifndef FAKE_NO_SETTER
  ++fake_calls;
#endif
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (std::int64_t l = 0; l < k; ++l) {
        sum += (trans_a == 111 ? a[i * lda + l] : a[l * lda + i]) * (trans_b == 111 ? b[l * ldb + j] : b[j * ldb + l]);
      }
      c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]) + FAKE_WRONG;
    }
  }
}
#endif

// As LIBXSMM 1.x has it: code for 5 x 6 x 7 alone, by columns.
#ifdef FAKE_LIBXSMM
void libxsmm_init() {}
namespace {
void product(const float* a, const float* b, float* c) {
  constexpr int m = 6, n = 5, k = 7;
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i) {
      float sum = 0;
      for (int l = 0; l < k; ++l) sum += a[l * m + i] * b[j * k + l];
      c[j * m + i] = sum;
    }
  }
}
}  // namespace
using Product = void (*)(const float*, const float*, float*);
Product libxsmm_smmdispatch(int m, int n, int k, const int* lda, const int* ldb, const int* ldc, const float* alpha,
                            const float* beta, const int* flags, const int* prefetch) {
  const bool known = m == 6 && n == 5 && k == 7 && *lda == m && *ldb == k && *ldc == m && *alpha == 1 && *beta == 0;
  return known && *flags == 0 && *prefetch == 0 ? product : nullptr;
}
#endif

}  // extern "C"
