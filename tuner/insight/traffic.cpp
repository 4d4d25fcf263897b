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

// What a dot mode makes of the operands: see dot_tile.h.
void set_dot(profilers::TrafficInput& in, const Problem& p, const Config& config) {
  constexpr int kWord = 4;
  const int group = gemwright::k_group(config.mode);
  in.dot = true;
  if (in.blocking.kc < p.k) in.blocking.kc += (group - in.blocking.kc % group) % group;  // whole words
  in.a_bytes = kWord * packed_words(config.mode, config.tile.family) / group;
  in.b_bytes = kWord / group;
  in.c_bytes = element_size(c_element(p)) / (has_pair(p) ? 2.0 : 1.0);
  in.a_source_bytes = element_size(a_element(p.interface));
  in.b_source_bytes = element_size(b_element(p.interface));
  if (config.mode != ComputeMode::u8s8) return;
  in.b_column_bytes = 2 * kWord;
  if (p.interface != Interface::u8s8) in.a_passes = 2;
}

}  // namespace

int packed_words(ComputeMode mode, gemwright::isa family) {
  using gemwright::isa;
  if (mode == ComputeMode::bf16) return family == isa::avx512_bf16 ? 1 : 2;
  return mode == ComputeMode::u8s8 && family == isa::avx2 ? 2 : 1;
}

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
  // A column of a pair's product is half a column of C. What a separate pass, or a pair that does not meet in the tile,
  // moves beyond that is not modelled.
  const int columns = has_pair(p) ? 2 : 1;
  in.c_bytes = kFloat / columns;
  in.chain_element_bytes = kFloat * chain_matrices(p) / columns;
  in.l1d_bytes = bytes_named(properties, "l1d_bytes");
  in.l2_bytes = bytes_named(properties, "l2_bytes");
  in.l3_bytes = bytes_named(properties, "l3_bytes");
  in.weights_between = key.cache == CacheState::hot ? 0 : key.cache_bytes;
  if (config.mode != ComputeMode::f32) set_dot(in, p, config);
  return profilers::model_traffic(in);
}

}  // namespace gemwright::tuner
