#include "profilers/calibrate.h"

#include <algorithm>
#include <cmath>

namespace gemwright::profilers {

std::int64_t repeats_for(double block_seconds, const std::function<double(std::int64_t repeats)>& seconds_of) {
  constexpr std::int64_t kMaxRepeats = std::int64_t{1} << 40;  // a loop so fast does nothing
  constexpr int kGrowth = 4, kRuns = 3;
  const double enough = block_seconds / 8;  // long enough to scale from
  for (std::int64_t repeats = 1;; repeats *= kGrowth) {
    double seconds = seconds_of(repeats);
    for (int run = 1; run < kRuns && seconds >= enough; ++run) seconds = std::min(seconds, seconds_of(repeats));
    if (seconds >= enough) {
      return std::max<std::int64_t>(1, std::llround(static_cast<double>(repeats) * (block_seconds / seconds)));
    }
    if (repeats >= kMaxRepeats) return repeats;
  }
}

}  // namespace gemwright::profilers
