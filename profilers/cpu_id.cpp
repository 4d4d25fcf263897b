#include "profilers/cpu_id.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace gemwright::profilers {
namespace {

// Bits of XCR0: the operating system saves these registers.
constexpr std::uint64_t kAvxState = 0x6;      // xmm, ymm
constexpr std::uint64_t kAvx512State = 0xe6;  // and opmask, zmm
constexpr std::uint64_t kAmxState = 0x60000;  // tile configuration and data

constexpr bool bit(std::uint32_t word, int i) { return (word >> i & 1U) != 0; }

// Printable characters of register contents up to the first zero.
std::string text_of(const std::uint32_t* registers, int count) {
  char text[49] = {};
  std::memcpy(text, registers, static_cast<std::size_t>(count) * sizeof *registers);
  std::string out;
  for (const char* p = text; *p != '\0'; ++p) out.push_back(*p >= ' ' && *p <= '~' ? *p : '?');
  const std::size_t begin = out.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  return out.substr(begin, out.find_last_not_of(' ') - begin + 1);
}

#if defined(__x86_64__)
CpuidWords words_of(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  CpuidWords w;
  if (leaf == 0x40000000) {
    // The hypervisor's range is not below the maximum that leaf 0 tells.
    __cpuid_count(leaf, subleaf, w.a, w.b, w.c, w.d);
  } else if (__get_cpuid_count(leaf, subleaf, &w.a, &w.b, &w.c, &w.d) == 0) {
    return {};
  }
  return w;
}

std::uint64_t saved_states() {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<std::uint64_t>(high) << 32 | low;
}
#endif

}  // namespace

std::optional<CpuidLeaves> read_cpuid() {
#if defined(__x86_64__)
  CpuidLeaves x;
  x.leaf0 = words_of(0);
  x.leaf1 = words_of(1);
  x.leaf7 = words_of(7);
  if (x.leaf7.a >= 1) x.leaf7_1 = words_of(7, 1);
  if (bit(x.leaf1.c, 31)) x.hypervisor = words_of(0x40000000);
  x.extended7 = words_of(0x80000007);
  for (std::uint32_t i = 0; i < 3; ++i) x.brand[i] = words_of(0x80000002 + i);
  if (bit(x.leaf1.c, 27)) x.xcr0 = saved_states();
  return x;
#else
  return std::nullopt;
#endif
}

std::string vendor(const CpuidLeaves& x) {
  const std::uint32_t r[] = {x.leaf0.b, x.leaf0.d, x.leaf0.c};
  return text_of(r, 3);
}

std::string brand(const CpuidLeaves& x) {
  std::uint32_t r[12];
  for (int i = 0; i < 3; ++i) {
    const std::uint32_t four[] = {x.brand[i].a, x.brand[i].b, x.brand[i].c, x.brand[i].d};
    std::memcpy(r + i * 4, four, sizeof four);
  }
  return text_of(r, 12);
}

CpuSignature signature(const CpuidLeaves& x) {
  const std::uint32_t word = x.leaf1.a;
  const std::uint32_t base = word >> 8 & 0xf;
  std::uint32_t family = base, model = word >> 4 & 0xf;
  if (base == 0xf) family += word >> 20 & 0xff;
  if (base == 0xf || base == 0x6) model |= word >> 12 & 0xf0;
  return {static_cast<int>(family), static_cast<int>(model), static_cast<int>(word & 0xf)};
}

std::vector<std::string> instruction_sets(const CpuidLeaves& x) {
  const bool avx_saved = (x.xcr0 & kAvxState) == kAvxState;
  const bool avx512_saved = (x.xcr0 & kAvx512State) == kAvx512State;
  const bool amx_saved = (x.xcr0 & kAmxState) == kAmxState;
  const bool avx = avx_saved && bit(x.leaf1.c, 28);
  const bool avx512 = avx512_saved && bit(x.leaf7.b, 16);
  const bool amx = amx_saved && bit(x.leaf7.d, 24);
  const struct {
    const char* name;
    bool usable;
  } all[] = {
      {"sse4.2", bit(x.leaf1.c, 20)},
      {"avx", avx},
      {"f16c", avx && bit(x.leaf1.c, 29)},
      {"fma", avx && bit(x.leaf1.c, 12)},
      {"avx2", avx && bit(x.leaf7.b, 5)},
      {"avx_vnni", avx && bit(x.leaf7_1.a, 4)},
      {"avx512f", avx512},
      {"avx512cd", avx512 && bit(x.leaf7.b, 28)},
      {"avx512dq", avx512 && bit(x.leaf7.b, 17)},
      {"avx512bw", avx512 && bit(x.leaf7.b, 30)},
      {"avx512vl", avx512 && bit(x.leaf7.b, 31)},
      {"avx512_vbmi", avx512 && bit(x.leaf7.c, 1)},
      {"avx512_vnni", avx512 && bit(x.leaf7.c, 11)},
      {"avx512_bf16", avx512 && bit(x.leaf7_1.a, 5)},
      {"avx512_fp16", avx512 && bit(x.leaf7.d, 23)},
      {"amx_tile", amx},
      {"amx_int8", amx && bit(x.leaf7.d, 25)},
      {"amx_bf16", amx && bit(x.leaf7.d, 22)},
      {"amx_fp16", amx && bit(x.leaf7_1.a, 21)},
  };
  std::vector<std::string> out;
  for (const auto& s : all) {
    if (s.usable) out.emplace_back(s.name);
  }
  return out;
}

std::optional<std::string> hypervisor(const CpuidLeaves& x) {
  if (!bit(x.leaf1.c, 31)) return std::nullopt;
  const std::uint32_t r[] = {x.hypervisor.b, x.hypervisor.c, x.hypervisor.d};
  std::string name = text_of(r, 3);
  return name.empty() ? "unnamed" : std::move(name);
}

bool invariant_tsc(const CpuidLeaves& x) { return bit(x.extended7.d, 8); }

}  // namespace gemwright::profilers
