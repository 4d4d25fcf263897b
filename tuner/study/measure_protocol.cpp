#include "tuner/study/measure_protocol.h"

#include <fmt/format.h>

namespace gemwright::tuner {

Result<MeasureProtocol> measure_protocol(std::string_view name) {
  constexpr double kMillisecond = 1e6;
  if (name == "quick") return MeasureProtocol{"quick", 1 * kMillisecond, 8, 2, 5, 12, 8, 3};
  if (name == "normal") return MeasureProtocol{"normal", 2 * kMillisecond, 8, 4, 8, 26, 8, 4};
  if (name == "careful") return MeasureProtocol{"careful", 2 * kMillisecond, 8, 8, 12, 52, 12, 5};
  return fail(fmt::format("unknown protocol '{}': choose quick, normal or careful", name), ErrorKind::usage);
}

}  // namespace gemwright::tuner
