#include "tuner/header/provenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tuner/header/compiler.h"
#include "tuner/header/text.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

using nlohmann::json;

constexpr const char* kLine = "//@gemwright ";

void put(json& object, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) object[name] = *value;
}

json head(const HeaderSpec& spec) {
  return {{"type", "header"},
          {"version", kHeaderVersion},
          {"style", to_text(spec.style)},
          {"namespace", spec.name_space},
          {"tool_version", harmless(spec.tool_version)},
          {"date", harmless(spec.date)},
          {"device", harmless(spec.device.name)},
          {"device_kind", harmless(spec.device.kind)},
          {"fingerprint", harmless(spec.device.fingerprint)},
          {"kernels", source_digest()},
          {"max_regret", spec.max_regret}};
}

json ranges(const HeaderTable& table) {
  json groups = json::array();
  for (const DispatchGroup& g : table.groups) {
    json rows = json::array();
    for (const DispatchRange& r : g.ranges) rows.push_back({{"max_m", r.max_m}, {"config", r.config}});
    groups.push_back({{"threads", g.threads}, {"ranges", std::move(rows)}});
  }
  return groups;
}

json build_of(const HeaderTable& table, const std::string& name, const Problem& problem) {
  json configs = json::array();
  for (const Config& c : table.configs) configs.push_back(to_json(c));
  json j = {{"type", "table"},
            {"problem", name},
            {"interface", to_text(problem.interface)},
            {"mode", to_text(table.mode)},
            {"compiler", harmless(table.build.compiler)},
            {"compiler_version", harmless(table.build.compiler_version)},
            {"flags", harmless(table.build.flags)},
            {"build", harmless(table.build.digest)},
            {"cache", to_text(table.cache)},
            {"data", to_text(table.data)},
            {"configs", std::move(configs)},
            {"groups", ranges(table)}};
  if (!table.baseline.empty()) j["baseline"] = harmless(table.baseline);
  put(j, "max_error", table.max_error);
  if (table.batch_invariant) j["batch_invariant"] = true;
  put(j, "error", largest_error(table));
  return j;
}

json choice_of(const HeaderChoice& c, const HeaderTable& table, const std::string& name) {
  json j = {{"type", "choice"}, {"problem", name},         {"compiler", to_text(compiler_id(table.build).family)},
            {"m", c.m},         {"threads", c.threads},    {"config", c.config},
            {"study", c.study}, {"confirmed", c.confirmed}};
  if (c.trial) j["trial"] = *c.trial;
  put(j, "ns_per_call", c.ns_per_call);
  put(j, "gflops", c.gflops);
  put(j, "error", c.error);
  put(j, "ratio", c.ratio);
  put(j, "ratio_lo", c.ratio_lo);
  put(j, "ratio_hi", c.ratio_hi);
  put(j, "regret", c.regret);
  if (!c.ties.empty()) j["ties"] = c.ties;
  put(j, "confidence", c.confidence);
  put(j, "noise_floor", c.noise_floor);
  put(j, "excluded", c.excluded);
  return j;
}

std::string choice_line(const HeaderChoice& c, const HeaderTable& table) {
  std::string line = fmt::format("// m {} threads {}: {}", c.m, c.threads, label(table.configs[c.config]));
  if (!c.trial) return line + fmt::format(" | not measured here; study {}\n", c.study);
  if (c.gflops) line += fmt::format(" | {:.4g} GFLOP/s", *c.gflops);
  if (c.ratio) line += fmt::format(", {:.3f}x {}", *c.ratio, harmless(table.baseline));
  if (c.ratio_lo && c.ratio_hi) line += fmt::format(" [{:.3f}, {:.3f}]", *c.ratio_lo, *c.ratio_hi);
  if (c.error) line += fmt::format(", error {:.2e}", *c.error);
  if (c.regret) line += fmt::format(", regret {:.2f} %", *c.regret * 100);
  line += fmt::format(" | study {} trial {}{}", c.study, *c.trial, c.confirmed ? "" : ", not confirmed");
  if (c.confidence) line += fmt::format(", certified at {:.0f} %", *c.confidence * 100);
  for (std::size_t i = 0; i < c.ties.size(); ++i) line += fmt::format("{}{}", i == 0 ? ", tied with " : " ", c.ties[i]);
  if (c.noise_floor) line += fmt::format(", noise floor {:.2g} %", *c.noise_floor * 100);
  if (c.excluded && *c.excluded > 0) line += fmt::format(", {:.0f} % of the blocks excluded", *c.excluded * 100);
  return line + "\n";
}

// How a mode computes, and where precision is lost on the way.
std::string mode_text(const HeaderTable& table, const Problem& problem) {
  const Interface interface = problem.interface;
  const std::string rounded = interface == Interface::bf16 ? ", C is rounded to bfloat16" : "";
  if (table.mode == ComputeMode::f32) return "f32";
  if (table.mode == ComputeMode::bf16) {
    return interface == Interface::bf16 ? "bf16: A and B as they are, products summed in f32" + rounded
                                        : "bf16: A and B are rounded to bfloat16 (8 significant bits) as they are "
                                          "packed, products summed in f32";
  }
  if (interface == Interface::u8s8) {
    return std::string("u8s8: A and B as they are, sums exact in 32 bits, then scaled in f32") +
           (c_element(problem) == gemwright::element::u8 ? ", C is quantised to 8 bits by c_scale and c_zero" : "");
  }
  return "u8s8: each row of A is quantised to 8 bits by its range in every call, each column of B to 8 bits as it is "
         "packed, sums exact" +
         rounded;
}

std::string error_text(const HeaderTable& table) {
  const auto error = largest_error(table);
  const std::string bound = table.max_error ? fmt::format(", bound {:.3g}", *table.max_error) : ", no bound";
  if (!error) return "not measured" + bound;
  return fmt::format("measured {:.2e} at most (relative Frobenius distance to float64, {} data){}", *error,
                     to_text(table.data), bound);
}

// What a consumer writes.
std::string usage(const HeaderSpec& spec, const std::vector<std::string>& names) {
  const std::string ns = spec.name_space + "::" + names.front();
  const Problem& p = spec.problems.front().problem;
  const bool integers = p.interface == Interface::u8s8;
  std::string out = fmt::format(
      "//   {}::context ctx(2);  // two threads of its own; or the caller's executor; or none\n", spec.name_space);
  if (p.constant_weights) {
    out += fmt::format("//   auto weights = {}::pack_weights(w, ldw{});  // once\n", ns, integers ? ", scales" : "");
  }
  if (integers) {
    out += fmt::format("//   {}::args x;  x.a_scale = scale;  x.a_zero = zero;{}\n", ns,
                       has_op(p, EpilogueOp::requant) ? "  x.c_scale = c_scale;  x.c_zero = c_zero;" : "");
  }
  return out + fmt::format(
                   "//   {}::run(ctx, m, a, lda, {}, c, ldc{});  // picks the config for this m; returns a "
                   "status\n//\n",
                   ns, p.constant_weights ? "weights" : "b, ldb", integers ? ", x" : "");
}

}  // namespace

std::optional<double> largest_error(const HeaderTable& table) {
  std::optional<double> most;
  for (const HeaderChoice& c : table.choices) {
    if (c.error && std::isfinite(*c.error)) most = std::max(most.value_or(0), *c.error);
  }
  return most;
}

std::string provenance_comment(const HeaderSpec& spec, const std::vector<std::string>& names) {
  std::string out =
      fmt::format("// Tuned matrix products, written by gemwright {} on {}: export again rather than edit.\n//\n",
                  harmless(spec.tool_version), harmless(spec.date));
  out += usage(spec, names);
  out += fmt::format("// Device: {} (fingerprint {}). Regret bound of the export: {:.3g} %.\n",
                     harmless(spec.device.name), harmless(spec.device.fingerprint), spec.max_regret * 100);
  for (std::size_t i = 0; i < spec.problems.size(); ++i) {
    const HeaderProblem& p = spec.problems[i];
    std::string modes;
    for (const HeaderTable& t : p.tables) {
      const std::string mode(to_text(t.mode));
      if (modes.find(mode) == std::string::npos) modes += (modes.empty() ? "" : " or ") + mode;
    }
    out += fmt::format("//   {}: {}, computed in {}{}\n", names[i], key(p.problem), modes,
                       has_pair(p.problem) ? "; B is [gate | up] along N, C has N / 2 columns" : "");
  }
  out += "//\n";
  const auto line = [&out](const json& j) { out += kLine + j.dump(-1, ' ', true) + "\n"; };
  line(head(spec));
  for (std::size_t i = 0; i < spec.problems.size(); ++i) {
    const HeaderProblem& p = spec.problems[i];
    line({{"type", "problem"}, {"name", names[i]}, {"key", key(p.problem)}});
    for (const HeaderTable& t : p.tables) {
      line(build_of(t, names[i], p.problem));
      for (const HeaderChoice& c : t.choices) line(choice_of(c, t, names[i]));
    }
  }
  return out;
}

std::string table_comment(const HeaderTable& table, const Problem& problem) {
  std::string out = fmt::format("// Computed in {}.\n// Error {}.\n", mode_text(table, problem), error_text(table));
  out += fmt::format("// Compiled with {}, flags {}, build {}.\n", harmless(table.build.compiler_version),
                     harmless(table.build.flags), harmless(table.build.digest));
  out += fmt::format("// Measured with {} data, weights {}, {}.\n", to_text(table.data), to_text(table.cache),
                     table.baseline.empty() ? "no baseline" : "against " + harmless(table.baseline));
  if (table.batch_invariant) {
    out += "// Batch-invariant: a row of C has the same bits whatever M and the number of threads are.\n";
  }
  for (const HeaderChoice& c : table.choices) out += choice_line(c, table);
  return out;
}

}  // namespace gemwright::tuner
