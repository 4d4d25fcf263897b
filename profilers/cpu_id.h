// What the CPUID instruction says, and its decoding. Raw words and decoding are apart, so that the decoding of machines
// that are not here can be tested. Elsewhere than on x86-64 the raw words are absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gemwright::profilers {

struct CpuidWords {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
};

// The leaves that are decoded here. A leaf the CPU does not have is all zeros: no feature.
struct CpuidLeaves {
  CpuidWords leaf0, leaf1;
  CpuidWords leaf7, leaf7_1;  // extended features, sub-leaves 0 and 1
  CpuidWords hypervisor;      // 0x40000000
  CpuidWords extended7;       // 0x80000007: invariant TSC
  CpuidWords brand[3];        // 0x80000002..4
  std::uint64_t xcr0 = 0;     // register states that the operating system saves; 0 without OSXSAVE
};

std::optional<CpuidLeaves> read_cpuid();

std::string vendor(const CpuidLeaves& x);
std::string brand(const CpuidLeaves& x);
struct CpuSignature {
  int family, model, stepping;

  bool operator==(const CpuSignature&) const = default;
};
CpuSignature signature(const CpuidLeaves& x);
// Instruction sets that a GEMM can use and that both the CPU and the operating system support, e.g. "avx512_vnni".
std::vector<std::string> instruction_sets(const CpuidLeaves& x);
// Signature of the hypervisor, e.g. "KVMKVMKVM"; absent on bare metal.
std::optional<std::string> hypervisor(const CpuidLeaves& x);
bool invariant_tsc(const CpuidLeaves& x);

}  // namespace gemwright::profilers
