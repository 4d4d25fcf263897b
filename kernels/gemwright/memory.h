// Aligned memory that owns itself. Large blocks begin on a huge page and ask for huge pages: with 4 KiB pages a stream
// of cold weights loses 3 to 10 % to address translation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "gemwright/config.h"

namespace gemwright {
inline namespace gemwright_abi {

// More floats than any address space holds: what a product of sizes may reach at most.
constexpr std::int64_t max_floats = std::int64_t{1} << 50;

// x * y for sizes >= 0, max_floats where it would be more or would overflow.
constexpr std::int64_t bounded_product(std::int64_t x, std::int64_t y) {
  std::int64_t product = 0;
  return __builtin_mul_overflow(x, y, &product) || product > max_floats ? max_floats : product;
}

struct free_memory {
  void operator()(float* p) const { std::free(p); }
};
using float_block = std::unique_ptr<float[], free_memory>;

constexpr std::size_t huge_page = std::size_t{2} << 20;

// `count` floats, uninitialised, 64-byte aligned at least; null when count is 0 or memory is not to be had. `huge`:
// on huge pages.
inline float_block allocate_floats(std::size_t count, bool huge) {
  constexpr std::size_t kCacheLine = 64;
  if (count == 0 || count > SIZE_MAX / 8) return {};
  const std::size_t alignment = huge ? huge_page : kCacheLine;
  const std::size_t bytes = (count * sizeof(float) + alignment - 1) / alignment * alignment;
  void* const p = std::aligned_alloc(alignment, bytes);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (p != nullptr && huge) (void)madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return float_block(static_cast<float*>(p));
}
inline float_block allocate_floats(std::size_t count) {
  return allocate_floats(count, count >= huge_page / sizeof(float));
}

}  // namespace gemwright_abi
}  // namespace gemwright
