// The loops whose speed is a ceiling. On x86-64 each is one block of assembly, so that no compiler and no optimisation
// level adds a move, drops the work or spills a register: a ceiling belongs to the machine alone.
//
// Limits: other CPUs get portable vectors of 16 bytes. fma.scalar.f32 is the best that a build without -march can
// reach: separate multiplications and additions of four floats each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "profilers/cpu_info.h"

namespace gemwright::profilers {

struct ComputeKernel {
  std::string name;                   // of the ceiling
  double operations;                  // of one repeat
  void (*run)(std::int64_t repeats);  // repeats > 0
};

// Those that the CPU has the instructions for.
std::vector<ComputeKernel> compute_kernels(const CpuInfo& cpu);

// Loads the `bytes` from `begin` on, `passes` times over. Bytes and passes are above zero, bytes a multiple of
// kReadGranule; `begin` is a multiple of 64.
constexpr std::int64_t kReadGranule = 1024;
using ReadKernel = void (*)(const std::byte* begin, std::int64_t bytes, std::int64_t passes);

// The one with the widest loads that the CPU has.
ReadKernel read_kernel(const CpuInfo& cpu);

}  // namespace gemwright::profilers
