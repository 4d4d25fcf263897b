#include "profilers/cpu_info.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "profilers/cpu_id.h"
#include "profilers/text_file.h"

namespace gemwright::profilers {
namespace {

namespace fs = std::filesystem;

int allowed_cpus() {
  // The fixed cpu_set_t has 1024 bits; the system call refuses a set that is smaller than the kernel's, so grow it.
  for (std::size_t cpus = 1024; cpus <= (std::size_t{1} << 20); cpus *= 4) {
    cpu_set_t* const set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

void read_identity(CpuInfo& cpu) {
  const auto id = read_cpuid();
  if (!id) return;
  cpu.vendor = vendor(*id);
  cpu.brand = brand(*id);
  const CpuSignature s = signature(*id);
  cpu.family = s.family;
  cpu.model = s.model;
  cpu.stepping = s.stepping;
  cpu.instruction_sets = instruction_sets(*id);
  cpu.hypervisor = hypervisor(*id);
  cpu.constant_tsc = cpu.nonstop_tsc = invariant_tsc(*id);
}

void read_caches(CpuInfo& cpu, const fs::path& cpu0) {
  // No CPU lists more than a few; the bound is for a broken /sys.
  constexpr int kMaxIndex = 16;
  for (int i = 0; i < kMaxIndex; ++i) {
    const fs::path cache = cpu0 / "cache" / ("index" + std::to_string(i));
    const auto level = read_word(cache / "level");
    const auto type = read_word(cache / "type");
    const auto size = read_word(cache / "size");
    if (!level || !type || !size) continue;
    const auto bytes = parse_size(*size);
    if (*level == "1" && *type == "Data") cpu.l1d_bytes = bytes;
    if (*level == "2" && *type != "Instruction") cpu.l2_bytes = bytes;
    if (*level == "3" && *type != "Instruction") {
      cpu.l3_bytes = bytes;
      if (const auto list = read_word(cache / "shared_cpu_list")) cpu.l3_sharing_cpus = count_cpu_list(*list);
    }
  }
}

// The first entry of /proc/cpuinfo: what CPUID does not tell.
void read_cpuinfo(CpuInfo& cpu, const fs::path& file) {
  const auto text = read_text(file);
  if (!text) return;
  for (const std::string_view line : lines(*text)) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
    if (name == "microcode" && !cpu.microcode && !value.empty()) cpu.microcode = std::string(value.substr(0, 64));
    if (name == "model name" && cpu.brand.empty()) cpu.brand = std::string(value.substr(0, 128));
    if (name == "flags") {
      // The kernel knows TSCs that are constant although CPUID does not say so.
      const auto flags = words(value);
      const auto has = [&](std::string_view f) { return std::find(flags.begin(), flags.end(), f) != flags.end(); };
      cpu.constant_tsc = has("constant_tsc");
      cpu.nonstop_tsc = has("nonstop_tsc");
      return;
    }
  }
}

template <class T>
nlohmann::json json_of(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

template <class T>
std::string text_of(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

}  // namespace

bool CpuInfo::has(const std::string& instruction_set) const {
  return std::find(instruction_sets.begin(), instruction_sets.end(), instruction_set) != instruction_sets.end();
}

CpuInfo probe_cpu(const fs::path& root) {
  CpuInfo cpu;
  cpu.allowed_cpus = allowed_cpus();
  read_identity(cpu);
  const fs::path cpus = root / "sys/devices/system/cpu";
  if (const auto list = read_word(cpus / "present")) cpu.total_cpus = count_cpu_list(*list);
  if (const auto list = read_word(cpus / "cpu0/topology/thread_siblings_list")) {
    cpu.threads_per_core = count_cpu_list(*list);
  }
  if (const auto khz = read_word(cpus / "cpu0/cpufreq/cpuinfo_max_freq")) cpu.max_frequency_khz = parse_count(*khz);
  read_caches(cpu, cpus / "cpu0");
  read_cpuinfo(cpu, root / "proc/cpuinfo");
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
  if (pages > 0 && page > 0) cpu.memory_bytes = static_cast<std::int64_t>(pages) * page;
  return cpu;
}

std::string fingerprint(const CpuInfo& cpu) {
  // Canonical text, one property a line. A new line is added only where it matters to speed: it changes every digest.
  const std::string text = fmt::format(
      "gemwright cpu 1\nvendor {}\nfamily {}\nmodel {}\nstepping {}\nisa {}\nl1d {}\nl2 {}\nl3 {}\nl3 shared {}\ncpus "
      "{}\n"
      "smt {}\nkhz {}\nhypervisor {}\n",
      cpu.vendor, text_of(cpu.family), text_of(cpu.model), text_of(cpu.stepping), fmt::join(cpu.instruction_sets, " "),
      text_of(cpu.l1d_bytes), text_of(cpu.l2_bytes), text_of(cpu.l3_bytes), text_of(cpu.l3_sharing_cpus),
      text_of(cpu.total_cpus), text_of(cpu.threads_per_core), text_of(cpu.max_frequency_khz), text_of(cpu.hypervisor));
  const XXH128_hash_t h = XXH3_128bits(text.data(), text.size());
  return fmt::format("{:016x}{:016x}", h.high64, h.low64);
}

std::string properties_json(const CpuInfo& cpu) {
  const nlohmann::json j = {
      {"vendor", cpu.vendor},
      {"brand", cpu.brand},
      {"family", json_of(cpu.family)},
      {"model", json_of(cpu.model)},
      {"stepping", json_of(cpu.stepping)},
      {"allowed_cpus", cpu.allowed_cpus},
      {"total_cpus", json_of(cpu.total_cpus)},
      {"threads_per_core", json_of(cpu.threads_per_core)},
      {"l1d_bytes", json_of(cpu.l1d_bytes)},
      {"l2_bytes", json_of(cpu.l2_bytes)},
      {"l3_bytes", json_of(cpu.l3_bytes)},
      {"l3_sharing_cpus", json_of(cpu.l3_sharing_cpus)},
      {"instruction_sets", cpu.instruction_sets},
      {"hypervisor", json_of(cpu.hypervisor)},
      {"microcode", json_of(cpu.microcode)},
      {"max_frequency_khz", json_of(cpu.max_frequency_khz)},
      {"memory_bytes", json_of(cpu.memory_bytes)},
      {"constant_tsc", json_of(cpu.constant_tsc)},
      {"nonstop_tsc", json_of(cpu.nonstop_tsc)},
  };
  return j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string display_name(const CpuInfo& cpu) {
  const std::string& name = !cpu.brand.empty() ? cpu.brand : cpu.vendor;
  if (!cpu.family || !cpu.model) return name.empty() ? "unknown CPU" : name;
  return fmt::format("{} (family {} model {})", name.empty() ? "unknown CPU" : name, *cpu.family, *cpu.model);
}

std::vector<gemwright::isa> families(const CpuInfo& cpu) {
  using gemwright::isa;
  const bool avx512f = cpu.has("avx512f"), avx2 = cpu.has("avx2") && cpu.has("fma");
  std::vector<isa> out;
  if (avx512f && cpu.has("avx512_bf16")) out.push_back(isa::avx512_bf16);
  if (avx512f && cpu.has("avx512_vnni")) out.push_back(isa::avx512_vnni);
  if (avx2 && cpu.has("avx_vnni")) out.push_back(isa::avx_vnni);
  if (avx512f) out.push_back(isa::avx512f);
  if (avx2) out.push_back(isa::avx2);
  out.push_back(gemwright::isa::scalar);
  return out;
}

}  // namespace gemwright::profilers
