#include "tuner/insight/traffic.h"

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

}  // namespace

std::vector<profilers::Counter> traffic_of(const StudyKey& key, const Config& config) {
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
