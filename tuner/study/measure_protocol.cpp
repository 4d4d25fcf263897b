#include "tuner/study/measure_protocol.h"

#include <fmt/format.h>

#include <algorithm>

#include "tuner/measure/rounds.h"

namespace gemwright::tuner {

Result<MeasureProtocol> measure_protocol(std::string_view name) {
  constexpr double kMillisecond = 1e6;
  if (name == "quick") return MeasureProtocol{"quick", 1 * kMillisecond, 8, 4, 5, 13, 10, 3};
  if (name == "normal") return MeasureProtocol{"normal", 2 * kMillisecond, 8, 8, 8, 26, 10, 4};
  if (name == "careful") return MeasureProtocol{"careful", 2 * kMillisecond, 8, 12, 12, 52, 12, 5};
  return fail(fmt::format("unknown protocol '{}': choose quick, normal or careful", name), ErrorKind::usage);
}

int rounds_for(int rounds, int least, std::optional<double> call_ns, std::size_t blocks) {
  if (!call_ns || blocks == 0) return rounds;
  const double fit = kStageSeconds * 1e9 / (*call_ns * static_cast<double>(blocks));
  return std::clamp(static_cast<int>(std::min(fit, static_cast<double>(rounds))), std::min(least, rounds), rounds);
}

int least_confirm_rounds(const MeasureProtocol& p, bool claims) {
  return claims ? p.min_confirm_rounds : std::min(p.min_confirm_rounds, static_cast<int>(kMinPairs));
}

FinalSize final_size(const MeasureProtocol& p, std::optional<double> call_ns) {
  const auto most = static_cast<std::size_t>(p.finalists);
  if (!call_ns) return {most};
  // Beside the finalists a round times one of another packing format, the leader again and the baseline.
  const double fit = 2 * kStageSeconds * 1e9 / (*call_ns * p.min_confirm_rounds) - 3;
  if (fit >= static_cast<double>(most)) return {most};
  return {fit > 2 ? static_cast<std::size_t>(fit) : 2, 1};
}

}  // namespace gemwright::tuner
