#include "tuner/insight/traffic.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "profilers/counters/traffic_model.h"

namespace gemwright::tuner {
namespace {

std::optional<std::int64_t> bytes_named(const nlohmann::json& properties, const char* name) {
  if (!properties.is_object() || !properties.contains(name)) return std::nullopt;
  const nlohmann::json& value = properties[name];
  if (!value.is_number_integer() || value.get<std::int64_t>() <= 0) return std::nullopt;
  return value.get<std::int64_t>();
}

// The model follows the loop nest of f32; that of the dot modes is another.
std::vector<profilers::Counter> without_levels(const StudyKey& key, ComputeMode mode) {
  const auto counter = [](const char* name, const char* unit, double value) {
    profilers::Counter c;
    c.provider = "traffic";
    c.name = name;
    c.unit = unit;
    c.status = profilers::CounterStatus::computed;
    c.value = value;
    return c;
  };
  std::vector<profilers::Counter> out{counter("flops", "flops", flops(key.problem, key.m)),
                                      counter("bytes.min", "bytes", min_bytes(key.problem, key.m))};
  for (const char* const name : {"traffic.l1", "traffic.l2", "traffic.l3", "traffic.dram"}) {
    profilers::Counter c = counter(name, "bytes", 0);
    c.status = profilers::CounterStatus::unsupported;
    c.value.reset();
    c.reason = fmt::format("not modelled for {} yet", to_text(mode));
    out.push_back(std::move(c));
  }
  return out;
}

}  // namespace

std::vector<profilers::Counter> traffic_of(const StudyKey& key, const Config& config) {
  if (config.mode != ComputeMode::f32) return without_levels(key, config.mode);
  constexpr int kFloat = 4;
  const Problem& p = key.problem;
  const auto properties = nlohmann::json::parse(key.device.properties_json, nullptr, false);
  profilers::TrafficInput in;
  in.m = key.m;
  in.n = p.n;
  in.k = p.k;
  in.batch = p.batch;
  in.tile = config.tile;
  in.format = config.format;
  in.blocking = config.blocking;
  in.b_packed = p.constant_weights && config.format.panel > 0;
  in.beta = p.beta == 1;
  if (has_op(p, EpilogueOp::bias)) in.chain_column_bytes = kFloat;
  in.chain_element_bytes = kFloat * chain_matrices(p);
  in.l1d_bytes = bytes_named(properties, "l1d_bytes");
  in.l2_bytes = bytes_named(properties, "l2_bytes");
  in.l3_bytes = bytes_named(properties, "l3_bytes");
  in.weights_between = key.cache == CacheState::hot ? 0 : key.cache_bytes;
  return profilers::model_traffic(in);
}

}  // namespace gemwright::tuner
