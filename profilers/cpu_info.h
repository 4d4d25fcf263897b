// The CPU that runs the kernels: what it is, what it can do, and a fingerprint of what matters to speed.
//
// Sources: the CPUID instruction, /sys/devices/system and /proc/cpuinfo. What they do not tell is absent. Sizes are
// bytes; caches are those of CPU 0 (a hybrid CPU has others too). Limits: x86-64 for instruction sets; other CPUs get
// the portable family.
#pragma once

#include <gemwright/config.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gemwright::profilers {

struct CpuInfo {
  std::string vendor;  // "AuthenticAMD"; empty where it is not known
  std::string brand;   // for people only
  std::optional<int> family, model, stepping;
  int allowed_cpus = 1;           // logical CPUs that this process may use (affinity)
  std::optional<int> total_cpus;  // logical CPUs of the machine, as /sys lists them present
  std::optional<int> threads_per_core;
  std::optional<std::int64_t> l1d_bytes, l2_bytes, l3_bytes;  // one instance of each
  std::optional<int> l3_sharing_cpus;                         // logical CPUs that share one L3
  std::vector<std::string> instruction_sets;                  // see cpu_id.h
  std::optional<std::string> hypervisor;                      // absent on bare metal
  std::optional<std::string> microcode;
  std::optional<std::int64_t> max_frequency_khz;
  std::optional<std::int64_t> memory_bytes;
  std::optional<bool> constant_tsc, nonstop_tsc;

  bool has(const std::string& instruction_set) const;
};

// `root` stands for "/" in tests. CPUID, affinity and the kernels' families are always those of this process.
CpuInfo probe_cpu(const std::filesystem::path& root = "/");

// 32 hex digits over vendor, family, model, stepping, instruction sets, caches, CPUs, top frequency and hypervisor.
// Neither brand, host name, microcode nor affinity is in it: the same kind of machine has the same fingerprint.
std::string fingerprint(const CpuInfo& cpu);

// Everything above as one JSON object; an absent value is null.
std::string properties_json(const CpuInfo& cpu);

// "AMD EPYC (family 26 model 2)", for people.
std::string display_name(const CpuInfo& cpu);

// Kernel families that run here, best first; the portable one is always among them.
std::vector<gemwright::isa> families(const CpuInfo& cpu);

}  // namespace gemwright::profilers
