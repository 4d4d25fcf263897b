#include "tuner/insight/roofline.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

namespace gemwright::tuner {
namespace {

// The clock of a block differs from that of its anchor by a few per cent at most.
constexpr double kTolerance = 1.05;

struct Level {
  std::string_view counter, ceiling;
};
// From inside.
constexpr std::array<Level, 4> kLevels{
    {{"traffic.l1", "read.l1"}, {"traffic.l2", "read.l2"}, {"traffic.l3", "read.l3"}, {"traffic.dram", "read.dram"}}};

bool positive(double v) { return std::isfinite(v) && v > 0; }

std::optional<double> traffic_of(const std::vector<profilers::Counter>& all, std::string_view name) {
  const auto found = std::find_if(
      all.begin(), all.end(), [&](const profilers::Counter& c) { return c.provider == "traffic" && c.name == name; });
  if (found == all.end() || !found->value || !std::isfinite(*found->value) || *found->value < 0) return std::nullopt;
  return found->value;
}

std::optional<double> value_at(const profilers::Ceiling& c, std::optional<double> anchor_ns) {
  const auto scaled = profilers::scaled_to(c, anchor_ns);
  const std::optional<double> value = scaled ? scaled : c.value;
  return value && positive(*value) ? value : std::nullopt;
}

bool has_own_instruction(gemwright::isa family) {
  using gemwright::isa;
  return family == isa::avx512_bf16 || family == isa::avx512_vnni || family == isa::avx_vnni;
}

// Whether a config's speed may come from what this ceiling measures, if not in its own family then by the compiler's
// choice of instructions.
bool may_reach(const Config& c, std::string_view name) {
  const bool widened = c.mode == ComputeMode::bf16 && !has_own_instruction(c.tile.family);
  const ComputeMode computed = widened ? ComputeMode::f32 : c.mode;
  const std::string_view kind = computed == ComputeMode::f32 ? "fma." : "dot.";
  const std::string end = fmt::format(".{}", to_text(computed));
  return name.substr(0, kind.size()) == kind && name.size() > end.size() &&
         name.substr(name.size() - end.size()) == end;
}

void set_compute_roofs(const RooflineInput& in, RooflinePoint& p) {
  p.compute_name = compute_ceiling(in.config.tile.family, in.config.mode);
  p.compute_roof = ceiling_at(in.ceilings, p.compute_name, p.threads, in.anchor_ns);
  if (p.compute_name.empty()) {
    p.compute_reason = fmt::format("{} has no instruction of its own for {}, so no ceiling bounds it",
                                   gemwright::isa_name(in.config.tile.family), to_text(in.config.mode));
  } else if (!p.compute_roof) {
    p.compute_reason =
        fmt::format("{} has no figure for {} thread{}", p.compute_name, p.threads, p.threads == 1 ? "" : "s");
  }
  std::set<std::string_view> names;
  for (const StudyCeiling& c : in.ceilings) {
    if (may_reach(in.config, c.ceiling.name)) names.insert(c.ceiling.name);
  }
  for (const std::string_view name : names) {
    const auto roof = ceiling_at(in.ceilings, name, p.threads, in.anchor_ns);
    if (!roof || (p.cpu_roof && *p.cpu_roof >= *roof)) continue;
    p.cpu_roof = roof;
    p.cpu_name = name;
  }
}

void set_memory_roof(const RooflineInput& in, RooflinePoint& p) {
  // The last level with traffic; all levels behind it must be known to have none.
  for (auto level = kLevels.rbegin(); level != kLevels.rend(); ++level) {
    const auto bytes = traffic_of(in.traffic, level->counter);
    if (!bytes) return;
    if (*bytes == 0) continue;
    p.level = level->ceiling;
    p.bytes = bytes;
    p.intensity = in.flops / *bytes;
    if (const auto bandwidth = ceiling_at(in.ceilings, p.level, p.threads, in.anchor_ns)) {
      p.memory_roof = *bandwidth * *p.intensity;
    }
    return;
  }
}

}  // namespace

std::string compute_ceiling(gemwright::isa family, ComputeMode mode) {
  if (has_own_instruction(family)) return fmt::format("dot.{}.{}", gemwright::isa_name(family), to_text(mode));
  if (mode == ComputeMode::u8s8) return "";
  return fmt::format("fma.{}.{}", gemwright::isa_name(family), to_text(ComputeMode::f32));
}

std::optional<double> ceiling_at(const std::vector<StudyCeiling>& ceilings, std::string_view name, int threads,
                                 std::optional<double> anchor_ns) {
  struct Newest {
    std::int64_t at;
    double value;
  };
  std::map<int, Newest> by_threads;
  for (const StudyCeiling& c : ceilings) {
    if (c.ceiling.name != name || c.ceiling.threads < 1) continue;
    const auto value = value_at(c.ceiling, anchor_ns);
    if (!value) continue;
    const auto known = by_threads.find(c.ceiling.threads);
    if (known == by_threads.end() || known->second.at <= c.measured_at) {
      by_threads[c.ceiling.threads] = {c.measured_at, *value};
    }
  }
  const auto above = by_threads.lower_bound(threads);
  if (above == by_threads.end()) return std::nullopt;
  double value = above->second.value;
  if (above->first != threads) {
    if (above == by_threads.begin()) return std::nullopt;
    const auto below = std::prev(above);
    const double part = static_cast<double>(threads - below->first) / (above->first - below->first);
    value = below->second.value + part * (above->second.value - below->second.value);
  }
  const auto one = by_threads.find(1);
  return one == by_threads.end() ? value : std::min(value, threads * one->second.value);
}

RooflinePoint roofline_point(const RooflineInput& in) {
  RooflinePoint p;
  p.flops = in.flops;
  p.gflops = in.gflops;
  p.threads = threads_used(in.config.blocking);
  set_compute_roofs(in, p);
  set_memory_roof(in, p);
  const bool memory_binds = p.memory_roof && (!p.compute_roof || *p.memory_roof < *p.compute_roof);
  p.binding_roof = memory_binds ? p.memory_roof : p.compute_roof;
  if (p.binding_roof) p.binding_name = memory_binds ? p.level : p.compute_name;
  if (p.binding_roof && positive(*p.binding_roof) && positive(p.gflops)) p.share = p.gflops / *p.binding_roof;
  return p;
}

std::optional<std::string> above_roof(const RooflinePoint& p) {
  if (!p.cpu_roof || !positive(p.gflops) || p.gflops <= kTolerance * *p.cpu_roof) return std::nullopt;
  return fmt::format(
      "{:.4g} GFLOP/s is {:.0f} % above {}, the most that this CPU computed on {} thread{} ({:.4g} GFLOP/s): the clock "
      "or the load has changed since, measure the ceilings again",
      p.gflops, 100 * (p.gflops / *p.cpu_roof - 1), p.cpu_name, p.threads, p.threads == 1 ? "" : "s", *p.cpu_roof);
}

}  // namespace gemwright::tuner
