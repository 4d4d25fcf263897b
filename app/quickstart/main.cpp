// What a program does with an exported header: pack the weights once, call run, check the status.
// Checks the result against a naive loop and prints the speed, beside oneDNN's where that is installed.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "tuned_gemm.h"

#ifdef WITH_ONEDNN
#include "onednn.h"
#endif

namespace layer = tuned::qkv;

namespace {

std::vector<float> random_floats(std::size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(count);
  for (float& x : v) x = normal(generator);
  return v;
}

// Largest distance to a plain double loop, relative to what float rounding may do to a sum of k products.
double worst_error(int m, int n, int k, const std::vector<float>& a, const std::vector<float>& w,
                   const std::vector<float>& c) {
  double worst = 0;
  for (int i = 0; i < m; ++i) {
    for (int j = 0; j < n; ++j) {
      double sum = 0, scale = 0;
      for (int l = 0; l < k; ++l) {
        const double product = double{a[std::size_t(i) * k + l]} * double{w[std::size_t(j) * k + l]};
        sum += product;
        scale += std::fabs(product);
      }
      worst = std::max(worst, std::fabs(c[std::size_t(i) * n + j] - sum) / (scale * k * 6e-8));
    }
  }
  return worst;
}

// Seconds of one call: median over rounds; the weights rotate, so that each call finds them as cold as a model would.
template <class Call>
double time_of(Call call, int copies, int calls) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call(i % copies);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() / calls;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

}  // namespace

int main() {
  constexpr int n = static_cast<int>(layer::n), k = static_cast<int>(layer::k);
  const int copies = 1 + static_cast<int>(200e6 / (4.0 * n * k));
  tuned::context ctx(1);
  const std::vector<float> w = random_floats(std::size_t(n) * k, 1);  // n x k, as the model stores it
  std::vector<decltype(layer::pack_weights(w.data(), k))> weights;
  for (int i = 0; i < copies; ++i) weights.push_back(layer::pack_weights(w.data(), k));

  for (const int m : {1, 8}) {
    const std::vector<float> a = random_floats(std::size_t(m) * k, 2);
    std::vector<float> c(std::size_t(m) * n);
    const auto status = layer::run(ctx, m, a.data(), k, weights[0], c.data(), n);
    const double error = worst_error(m, n, k, a, w, c);
    if (static_cast<int>(status) != 0 || !(error <= 1)) {
      std::printf("M=%d: wrong result (status %d, error %.2g of the bound)\n", m, static_cast<int>(status), error);
      return 1;
    }
    const double work = 2.0 * m * n * k * 1e-9;
    const int calls = copies;
    const auto ours = [&](int i) { layer::run(ctx, m, a.data(), k, weights[std::size_t(i)], c.data(), n); };
    std::vector<double> mine, theirs;
#ifdef WITH_ONEDNN
    const auto baseline = onednn_product(m, n, k, a.data(), w.data(), c.data(), copies);
#endif
    for (int round = 0; round < 15; ++round) {
      mine.push_back(time_of(ours, copies, calls));
#ifdef WITH_ONEDNN
      theirs.push_back(time_of(baseline, copies, calls));
#endif
    }
    std::printf("M=%d N=%d K=%d: correct, tuned %.1f GFLOP/s", m, n, k, work / median(mine));
    if (!theirs.empty())
      std::printf(", oneDNN %.1f GFLOP/s, %.2fx", work / median(theirs), median(theirs) / median(mine));
    std::printf("\n");
  }
  return 0;
}
