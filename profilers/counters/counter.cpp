#include "profilers/counters/counter.h"

#include <algorithm>
#include <array>

namespace gemwright::profilers {
namespace {

// In the order of CounterStatus.
constexpr std::array<std::string_view, 8> kStatuses = {"counted",     "scaled", "simulated",   "computed",
                                                       "unsupported", "denied", "not_counted", "failed"};

}  // namespace

std::string_view to_text(CounterStatus s) { return kStatuses[static_cast<std::size_t>(s)]; }

std::optional<CounterStatus> parse_counter_status(std::string_view text) {
  const auto found = std::find(kStatuses.begin(), kStatuses.end(), text);
  if (found == kStatuses.end()) return std::nullopt;
  return static_cast<CounterStatus>(found - kStatuses.begin());
}

}  // namespace gemwright::profilers
