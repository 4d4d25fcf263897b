// How often a loop must repeat to fill a timed block.
#pragma once

#include <cstdint>
#include <functional>

namespace gemwright::profilers {

// `seconds_of(n)` runs the loop n times and tells how long that took. What it runs on the way also warms the core and
// the caches up: about one block in all. A run that the system interrupted seems long and would make every block too
// short, so the shortest of three runs counts. At least 1; block_seconds is finite and above zero.
std::int64_t repeats_for(double block_seconds, const std::function<double(std::int64_t repeats)>& seconds_of);

}  // namespace gemwright::profilers
