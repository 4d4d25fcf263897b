#include "profilers/ceiling_kernels.h"

#include <algorithm>
#include <cstring>

namespace gemwright::profilers {
namespace {

#if defined(__x86_64__)

// Every 32-bit lane of every operand: 1.5 as float (nearly), {1.5, 1.5} as bf16, {192, 63} or {-64, 63} as bytes. A sum
// of its products stops growing long before it overflows and is never denormal.
constexpr std::uint32_t kOperand = 0x3fc03fc0;
constexpr std::uint32_t kOne = 0x3f800000;  // 1.0F: its own square

#define GEMWRIGHT_XMM_0_15                                                                                            \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
      "xmm14", "xmm15"
#define GEMWRIGHT_XMM_16_31                                                                                            \
  "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", \
      "xmm29", "xmm30", "xmm31"

// Independent chains of accumulators, as many as there are registers for: latency times instructions per cycle is 8 to
// 10 on CPUs since 2013, and Zen 5 has been seen to need 20 for its peak at 512 bits.
constexpr int kZmmChains = 24;
constexpr int kYmmChains = 14;
constexpr int kXmmChains = 8;  // of multiplications, and as many of additions

// `\r` is the assembler's: the number of each register of the list in turn.
#define GEMWRIGHT_ZMM_CHAINS(text) \
  ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\n" text "\n.endr\n"
#define GEMWRIGHT_YMM_CHAINS(text) ".irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13\n" text "\n.endr\n"

#define GEMWRIGHT_ZMM_KERNEL(function, instruction)                                      \
  __attribute__((target("avx512f"))) void function(std::int64_t repeats) {               \
    asm volatile("vpbroadcastd %[operand], %%zmm31\n" GEMWRIGHT_ZMM_CHAINS(            \
                     "vpxord %%zmm\\r, %%zmm\\r, %%zmm\\r")                            \
                 ".p2align 6\n"                                                        \
                 "1:\n" GEMWRIGHT_ZMM_CHAINS(instruction " %%zmm31, %%zmm31, %%zmm\\r") \
                 "decq %[repeats]\n"                                                   \
                 "jnz 1b\n"                                                            \
                 "vzeroupper\n"                                                        \
                 : [repeats] "+r"(repeats)                                             \
                 : [operand] "r"(kOperand)                                             \
                 : GEMWRIGHT_XMM_0_15, GEMWRIGHT_XMM_16_31, "cc"); \
  }

#define GEMWRIGHT_YMM_KERNEL(function, instruction)                                      \
  __attribute__((target("avx2"))) void function(std::int64_t repeats) {                  \
    asm volatile("vmovd %[operand], %%xmm15\n"                                         \
                 "vpbroadcastd %%xmm15, %%ymm15\n" GEMWRIGHT_YMM_CHAINS(               \
                     "vpxor %%ymm\\r, %%ymm\\r, %%ymm\\r")                             \
                 ".p2align 6\n"                                                        \
                 "1:\n" GEMWRIGHT_YMM_CHAINS(instruction " %%ymm15, %%ymm15, %%ymm\\r") \
                 "decq %[repeats]\n"                                                   \
                 "jnz 1b\n"                                                            \
                 "vzeroupper\n"                                                        \
                 : [repeats] "+r"(repeats)                                             \
                 : [operand] "r"(kOperand)                                             \
                 : GEMWRIGHT_XMM_0_15, "cc"); \
  }

GEMWRIGHT_ZMM_KERNEL(fma_avx512f, "vfmadd231ps")
GEMWRIGHT_ZMM_KERNEL(dot_avx512_bf16, "vdpbf16ps")
GEMWRIGHT_ZMM_KERNEL(dot_avx512_vnni, "vpdpbusd")
GEMWRIGHT_YMM_KERNEL(fma_avx2, "vfmadd231ps")
GEMWRIGHT_YMM_KERNEL(dot_avx_vnni, "%{vex%} vpdpbusd")  // without the prefix it would be AVX-512's

// Each register is multiplied by or added to itself: a product and a sum without the register move that the two-operand
// form of a multiply-add needs, in alternation because the pipes differ.
#define GEMWRIGHT_MUL_ADD(mul, add) "mulps %%xmm" #mul ", %%xmm" #mul "\naddps %%xmm" #add ", %%xmm" #add "\n"
void fma_scalar(std::int64_t repeats) {
  asm volatile(
      "movd %[one], %%xmm0\n"
      "shufps $0, %%xmm0, %%xmm0\n"
      ".irp r,1,2,3,4,5,6,7\n"
      "movaps %%xmm0, %%xmm\\r\n"
      ".endr\n"
      ".irp r,8,9,10,11,12,13,14,15\n"
      "xorps %%xmm\\r, %%xmm\\r\n"
      ".endr\n"
      ".p2align 6\n"
      "1:\n" GEMWRIGHT_MUL_ADD(0, 8) GEMWRIGHT_MUL_ADD(1, 9) GEMWRIGHT_MUL_ADD(2, 10) GEMWRIGHT_MUL_ADD(3, 11)
          GEMWRIGHT_MUL_ADD(4, 12) GEMWRIGHT_MUL_ADD(5, 13) GEMWRIGHT_MUL_ADD(6, 14) GEMWRIGHT_MUL_ADD(7, 15)
      "decq %[repeats]\n"
      "jnz 1b\n"
      : [repeats] "+r"(repeats)
      : [one] "r"(kOne)
      : GEMWRIGHT_XMM_0_15, "cc");
}

// A turn of the inner loop loads sixteen lines of 64 bytes. Software prefetch ahead of it was tried and gains nothing.
#define GEMWRIGHT_READ_KERNEL(function, features, loads, leave)                                                      \
  __attribute__((target(features))) void function(const std::byte* begin, std::int64_t bytes, std::int64_t passes) { \
    static_assert(kReadGranule == 16 * 64);                                                                          \
    const std::byte* at = begin;                                                                                     \
    asm volatile(                                                                                                    \
        "1:\n"                                                                                                       \
        "movq %[begin], %[at]\n"                                                                                     \
        ".p2align 6\n"                                                                                               \
        "2:\n"                                                                                                       \
        ".irp i,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n" loads                                                       \
        ".endr\n"                                                                                                    \
        "addq $1024, %[at]\n"                                                                                        \
        "cmpq %[end], %[at]\n"                                                                                       \
        "jb 2b\n"                                                                                                    \
        "decq %[passes]\n"                                                                                           \
        "jnz 1b\n" leave                                                                                             \
        : [at] "=&r"(at), [passes] "+r"(passes)                                                                      \
        : [begin] "r"(begin), [end] "r"(begin + bytes)                                                               \
        : GEMWRIGHT_XMM_0_15, "cc", "memory");                                                                       \
  }

GEMWRIGHT_READ_KERNEL(read_avx512f, "avx512f", "vmovups \\i*64(%[at]), %%zmm\\i\n", "vzeroupper\n")
GEMWRIGHT_READ_KERNEL(read_avx2, "avx2",
                      "vmovups \\i*64(%[at]), %%ymm\\i\n"
                      "vmovups \\i*64+32(%[at]), %%ymm\\i\n",
                      "vzeroupper\n")
GEMWRIGHT_READ_KERNEL(read_portable, "sse2",
                      "movups \\i*64(%[at]), %%xmm\\i\n"
                      "movups \\i*64+16(%[at]), %%xmm\\i\n"
                      "movups \\i*64+32(%[at]), %%xmm\\i\n"
                      "movups \\i*64+48(%[at]), %%xmm\\i\n",
                      "")

constexpr double kScalarOperations = kXmmChains * 2 * 4;

#else

using Floats = float __attribute__((vector_size(16)));
using Words = std::uint64_t __attribute__((vector_size(16)));
constexpr int kChains = 16;
constexpr double kScalarOperations = kChains * 2 * 4;

void fma_scalar(std::int64_t repeats) {
  volatile float source = 0.5F;  // volatile: the compiler must not know it; sums go to 1
  const float x = source;
  const Floats operand = {x, x, x, x};
  Floats sums[kChains] = {};
  for (std::int64_t i = 0; i < repeats; ++i) {
#pragma GCC unroll 16
    for (int c = 0; c < kChains; ++c) sums[c] = sums[c] * operand + operand;
  }
  asm volatile("" : : "m"(sums));
}

void read_portable(const std::byte* begin, std::int64_t bytes, std::int64_t passes) {
  Words sums[4] = {};
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    for (std::int64_t at = 0; at < bytes; at += static_cast<std::int64_t>(sizeof sums)) {
      Words words[4];
      std::memcpy(words, begin + at, sizeof words);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sums[i] ^= words[i];
    }
    asm volatile("" : : : "memory");  // the next pass reads again
  }
  asm volatile("" : : "m"(sums));
}

#endif

#if defined(__x86_64__)
bool runs(const CpuInfo& cpu, gemwright::isa family) {
  const auto all = families(cpu);
  return std::find(all.begin(), all.end(), family) != all.end();
}
#endif

}  // namespace

std::vector<ComputeKernel> compute_kernels(const CpuInfo& cpu) {
  std::vector<ComputeKernel> out;
#if defined(__x86_64__)
  using gemwright::isa;
  // Operations of one instruction: lanes of 32 bits times the products in each, a multiply-add being two.
  constexpr double kZmm = kZmmChains * 16.0 * 2, kYmm = kYmmChains * 8.0 * 2;
  if (runs(cpu, isa::avx512f)) out.push_back({"fma.avx512f.f32", kZmm, fma_avx512f});
  if (runs(cpu, isa::avx2)) out.push_back({"fma.avx2.f32", kYmm, fma_avx2});
  if (runs(cpu, isa::avx512_bf16)) out.push_back({"dot.avx512_bf16.bf16", kZmm * 2, dot_avx512_bf16});
  if (runs(cpu, isa::avx512_vnni)) out.push_back({"dot.avx512_vnni.u8s8", kZmm * 4, dot_avx512_vnni});
  if (runs(cpu, isa::avx_vnni)) out.push_back({"dot.avx_vnni.u8s8", kYmm * 4, dot_avx_vnni});
#else
  (void)cpu;
#endif
  out.push_back({"fma.scalar.f32", kScalarOperations, fma_scalar});
  return out;
}

ReadKernel read_kernel(const CpuInfo& cpu) {
#if defined(__x86_64__)
  if (runs(cpu, gemwright::isa::avx512f)) return read_avx512f;
  if (runs(cpu, gemwright::isa::avx2)) return read_avx2;
#else
  (void)cpu;
#endif
  return read_portable;
}

}  // namespace gemwright::profilers
