#include "tuner/study/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace gemwright::tuner {
namespace {

// Both also refuse NaN.
bool positive(double x) { return std::isfinite(x) && x > 0; }
bool not_negative(double x) { return std::isfinite(x) && x >= 0; }

bool negative(const std::optional<std::int64_t>& x) { return x && *x < 0; }

Result<void> check(const Device& device) {
  if (device.fingerprint.empty()) return fail("the device has no fingerprint");
  if (device.kind.empty()) return fail("the device has no kind, such as cpu");
  if (device.threads < 1) return fail(fmt::format("{} threads offered: at least one is needed", device.threads));
  const std::string& json = device.properties_json;
  if (json.size() > kMaxPropertiesBytes || json.find_first_not_of(" \t\r\n") == std::string::npos ||
      json[json.find_first_not_of(" \t\r\n")] != '{' || !nlohmann::json::accept(json)) {
    return fail("the properties of the device are not a JSON object of reasonable size");
  }
  return {};
}

Result<void> check_modes(const std::vector<ComputeMode>& modes) {
  if (modes.empty()) return fail("a study needs at least one compute mode");
  for (auto mode = modes.begin(); mode != modes.end(); ++mode) {
    if (std::find(modes.begin(), mode, *mode) != mode) {
      return fail(fmt::format("compute mode {} is named twice", to_text(*mode)));
    }
  }
  return {};
}

}  // namespace

Result<void> check(const StudyKey& key) {
  if (auto problem = check(key.problem, key.m); !problem) return problem;
  if (auto device = check(key.device); !device) return device;
  if (key.build.digest.empty()) return fail("the build has no digest");
  if (key.space_version < 1) return fail(fmt::format("space version {}: versions count from 1", key.space_version));
  if (key.max_error && !positive(*key.max_error)) {
    return fail(fmt::format("an error bound of {}: it must be above 0", *key.max_error));
  }
  if (!not_negative(key.cache_bytes)) {
    return fail(fmt::format("{} bytes of cache traffic: the figure must be finite and not negative", key.cache_bytes));
  }
  return check_modes(key.modes);
}

Result<void> check(const StudyAttributes& attributes) {
  if (!positive(attributes.weight)) return fail(fmt::format("a weight of {}: it must be above 0", attributes.weight));
  if (attributes.budget.seconds && !positive(*attributes.budget.seconds)) {
    return fail(fmt::format("a budget of {} seconds: it must be above 0", *attributes.budget.seconds));
  }
  if (attributes.budget.trials && *attributes.budget.trials < 1) {
    return fail(fmt::format("a budget of {} trials: it must be above 0", *attributes.budget.trials));
  }
  return {};
}

Result<void> check(const Trial& trial) {
  for (const std::optional<double>& error : {trial.error_fro, trial.error_max}) {
    if (error && !not_negative(*error)) {
      return fail(
          fmt::format("an error of {} for trial {}: an error is finite and not negative, or absent", *error, trial.id));
    }
  }
  if (negative(trial.compile_ns) || negative(trial.verify_ns)) {
    return fail(fmt::format("a negative compile or verify time for trial {}", trial.id));
  }
  return {};
}

Result<void> check(const Subject& subject) {
  if ((subject.kind == SubjectKind::trial) != subject.trial.has_value()) {
    return fail(fmt::format("a subject of kind {} {}", to_text(subject.kind),
                            subject.trial ? "cannot name a trial" : "must name its trial"));
  }
  if (subject.kind != SubjectKind::trial && subject.name.empty()) {
    return fail(fmt::format("a subject of kind {} needs a name", to_text(subject.kind)));
  }
  return {};
}

Result<void> check(const Sample& sample) {
  const auto refuse = [&](const char* why) {
    return fail(fmt::format("a sample of subject {} in round {}: {}", sample.subject, sample.round, why));
  };
  if (sample.round < 0 || sample.position < 0) return refuse("rounds and positions count from 0");
  if (sample.calls < 1) return refuse("a block has at least one call");
  if (sample.ns < 0) return refuse("its time is negative");
  if (sample.cpu && *sample.cpu < 0) return refuse("its CPU number is negative");
  if (negative(sample.involuntary_switches) || negative(sample.steal_ticks)) return refuse("a count is negative");
  return {};
}

Result<void> check(const Estimate& estimate) {
  const auto refuse = [&](const char* why) {
    return fail(fmt::format("an estimate of subject {}: {}", estimate.subject, why));
  };
  if (estimate.method.empty()) return refuse("it names no method");
  if (estimate.samples < 1 || estimate.excluded < 0) return refuse("it needs at least one sample");
  if (!positive(estimate.ns_per_call)) return refuse("its time for a call must be above 0");
  if (!not_negative(estimate.gflops)) return refuse("its GFLOP/s must be finite and not negative");
  if (estimate.ratio_lo.has_value() != estimate.ratio_hi.has_value()) return refuse("its interval has one end only");
  if (estimate.ratio_lo && !estimate.ratio) return refuse("it has an interval but no ratio");
  for (const std::optional<double>& ratio : {estimate.ratio, estimate.ratio_lo, estimate.ratio_hi}) {
    if (ratio && !positive(*ratio)) return refuse("a ratio must be above 0");
  }
  if (estimate.ratio_lo && *estimate.ratio_lo > *estimate.ratio_hi) return refuse("its interval is upside down");
  return {};
}

Result<void> check_spent(double spent_seconds) {
  if (!not_negative(spent_seconds)) {
    return fail(fmt::format("{} seconds spent: the figure must be finite and not negative", spent_seconds));
  }
  return {};
}

Result<void> check_baseline(const std::string& name, const std::string& reason_if_absent) {
  if (name.empty() && reason_if_absent.empty()) return fail("an absent baseline needs its reason");
  return {};
}

}  // namespace gemwright::tuner
