#include "app/model/cpu_share.h"

#include <sched.h>

#include "profilers/pinning.h"

namespace gemwright::app {

std::vector<int> allowed_cpus() {
  const profilers::Pinning here;
  return here.allowed();
}

void allow_cpus(const std::vector<int>& cpus) {
  if (cpus.empty()) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    if (cpu < CPU_SETSIZE) CPU_SET(static_cast<unsigned>(cpu), &set);
  }
  (void)sched_setaffinity(0, sizeof set, &set);
}

std::vector<int> without_measured(std::vector<int> cpus) {
  if (cpus.size() > 1) cpus.pop_back();
  return cpus;
}

}  // namespace gemwright::app
