// Which instruction sets this CPU and its operating system offer. Asked once, when a context is made: the answer lives
// in the context, not in a global.
#pragma once

#include "gemwright/config.h"

namespace gemwright {
inline namespace gemwright_abi {

inline bool cpu_has(isa family) {
#if defined(__x86_64__)
  // These builtins test the CPUID bits and that the operating system saves the registers (XCR0).
  if (family == isa::avx512f) return __builtin_cpu_supports("avx512f") != 0;
  if (family == isa::avx2) return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#endif
  return family == isa::scalar;
}

}  // namespace gemwright_abi
}  // namespace gemwright
