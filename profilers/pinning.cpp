#include "profilers/pinning.h"

#include <sched.h>

#include <memory>

namespace gemwright::profilers {
namespace {

// The fixed cpu_set_t has 1024 bits; a system may have more CPUs.
struct FreeSet {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};
using Set = std::unique_ptr<cpu_set_t, FreeSet>;

bool restrict_to(const std::vector<int>& cpus) {
  if (cpus.empty()) return false;
  const int count = cpus.back() + 1;
  const Set set(CPU_ALLOC(count));
  if (!set) return false;
  const std::size_t bytes = CPU_ALLOC_SIZE(count);
  CPU_ZERO_S(bytes, set.get());
  for (const int cpu : cpus) CPU_SET_S(cpu, bytes, set.get());
  return sched_setaffinity(0, bytes, set.get()) == 0;
}

}  // namespace

bool pin_to(int cpu) { return restrict_to({cpu}); }

Pinning::Pinning() {
  // The system call refuses a set that is smaller than the kernel's, so grow it.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 4) {
    const Set set(CPU_ALLOC(cpus));
    if (!set) return;
    const std::size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (sched_getaffinity(0, bytes, set.get()) != 0) continue;
    for (int cpu = 0; cpu < cpus; ++cpu) {
      if (CPU_ISSET_S(cpu, bytes, set.get())) allowed_.push_back(cpu);
    }
    return;
  }
}

Pinning::~Pinning() { restrict_to(allowed_); }

}  // namespace gemwright::profilers
