// Each row of the results of a batch-invariant header has the same bits, whatever M and the number of threads are.
#include <cstdio>
#include <cstring>
#include <vector>

#include "invariant.h"

namespace {

constexpr std::int64_t kMost = 19;

template <class T>
std::vector<T> values(std::int64_t count, unsigned seed) {
  std::vector<T> v(static_cast<std::size_t>(count));
  for (T& x : v) {
    seed = seed * 1664525U + 1013904223U;
    if constexpr (sizeof(T) == 1) {
      x = static_cast<T>(seed >> 24);
      continue;
    }
    const float f = static_cast<float>(static_cast<int>(seed >> 8) % 2001 - 1000) / 1000.0F;
    if constexpr (sizeof(T) == 2) {
      std::uint32_t bits;
      std::memcpy(&bits, &f, sizeof bits);
      x.bits = static_cast<std::uint16_t>(bits >> 16);
    } else {
      x = static_cast<T>(f);
    }
  }
  return v;
}

int differences = 0, compared = 0;

// A of T, C of C.
template <class T, class C, class Run>
void compare(const char* name, std::int64_t n, std::int64_t k, const Run& run) {
  const std::vector<T> a = values<T>(kMost * k, 7);
  std::vector<C> first;
  for (const int threads : {1, 2}) {
    tuned::context ctx(threads);
    for (std::int64_t m = kMost; m >= 1; --m) {
      std::vector<C> c(static_cast<std::size_t>(m * n));
      if (run(ctx, m, a.data(), c.data()) != tuned::status::ok) std::printf("%s: a call failed\n", name), ++differences;
      if (first.empty()) first = c;
      ++compared;
      if (std::memcmp(first.data(), c.data(), c.size() * sizeof(C)) == 0) continue;
      std::printf("%s: other bits with M = %d and %d threads\n", name, static_cast<int>(m), threads);
      ++differences;
    }
  }
}

}  // namespace

int main() {
  {
    namespace proj = tuned::exact;
    const auto w = values<float>(proj::n * proj::k, 11);
    const auto packed = proj::pack_weights(w.data(), proj::n);
    compare<float, float>("f32", proj::n, proj::k, [&](tuned::context& ctx, std::int64_t m, const float* a, float* c) {
      return proj::run(ctx, m, a, proj::k, packed, c, proj::n);
    });
  }
  {
    namespace proj = tuned::half;
    const auto w = values<tuned::bf16>(proj::n * proj::k, 11);
    const auto packed = proj::pack_weights(w.data(), proj::n);
    compare<tuned::bf16, tuned::bf16>("bf16", proj::n, proj::k,
                                      [&](tuned::context& ctx, std::int64_t m, const tuned::bf16* a, tuned::bf16* c) {
                                        return proj::run(ctx, m, a, proj::k, packed, c, proj::n);
                                      });
  }
  {
    namespace proj = tuned::bytes;
    const auto w = values<std::int8_t>(proj::n * proj::k, 11);
    const auto bias = values<float>(proj::n, 13);
    const auto packed = proj::pack_weights(w.data(), proj::n, nullptr);
    compare<std::uint8_t, float>("u8s8", proj::n, proj::k,
                                 [&](tuned::context& ctx, std::int64_t m, const std::uint8_t* a, float* c) {
                                   proj::args x;
                                   x.a_scale = 0.01F;
                                   x.a_zero = 117;
                                   x.bias = bias.data();
                                   return proj::run(ctx, m, a, proj::k, packed, c, proj::n, x);
                                 });
  }
  std::printf("%d results compared, %d differ\n", compared, differences);
  return differences == 0 && compared == 3 * 2 * kMost ? 0 : 1;
}
