// Which instruction sets this CPU and its operating system offer. Asked once, when a context is made: the answer lives
// in the context, not in a global.
#pragma once

#include "gemwright/config.h"

namespace gemwright {
inline namespace gemwright_abi {

#if defined(__x86_64__)
// EAX of CPUID leaf 7, subleaf 1; asked directly, since clang 14's builtin does not know AVX-VNNI.
inline std::uint32_t cpu_leaf_7_1() {
  const auto ask = [](std::uint32_t leaf, std::uint32_t subleaf) {
    std::uint32_t eax = leaf, ebx = 0, ecx = subleaf, edx = 0;
    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return eax;
  };
  return ask(0, 0) >= 7 && ask(7, 0) >= 1 ? ask(7, 1) : 0;
}
#endif

inline bool cpu_has(isa family) {
#if defined(__x86_64__)
  // These builtins test the CPUID bits and that the operating system saves the registers (XCR0).
  if (family == isa::avx512f) return __builtin_cpu_supports("avx512f") != 0;
  if (family == isa::avx512_vnni) return cpu_has(isa::avx512f) && __builtin_cpu_supports("avx512vnni") != 0;
  // BW and VL, which every CPU with AVX512_BF16 has, are for masked stores of 16 bits.
  if (family == isa::avx512_bf16) {
    return cpu_has(isa::avx512f) && __builtin_cpu_supports("avx512bw") != 0 &&
           __builtin_cpu_supports("avx512vl") != 0 && (cpu_leaf_7_1() >> 5U & 1U) != 0;
  }
  if (family == isa::avx_vnni) return cpu_has(isa::avx2) && (cpu_leaf_7_1() >> 4U & 1U) != 0;
  if (family == isa::avx2) return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
#endif
  return family == isa::scalar;
}

}  // namespace gemwright_abi
}  // namespace gemwright
