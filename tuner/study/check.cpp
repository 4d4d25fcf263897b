#include "tuner/study/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "tuner/problem/input_text.h"

namespace gemwright::tuner {
namespace {

// Both also refuse NaN.
bool positive(double x) { return std::isfinite(x) && x > 0; }
bool not_negative(double x) { return std::isfinite(x) && x >= 0; }

bool negative(const std::optional<std::int64_t>& x) { return x && *x < 0; }

// One line without control characters, of at most `limit` bytes.
bool plain(const std::string& text, std::size_t limit) {
  return text.size() <= limit && printable(text, limit) == text;
}
bool is_name(const std::string& text) { return !text.empty() && plain(text, kMaxNameBytes); }

// The schema of the database knows the same ones.
constexpr std::array<std::string_view, 8> kProviders = {"perf",      "software", "rusage", "steal",
                                                        "callgrind", "traffic",  "cupti",  "nvml"};

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

Result<void> check(const BlockTally& tally) {
  if (tally.blocks < 0 || tally.steal < 0 || tally.context_switch < 0 || tally.migration < 0) {
    return fail("the tally of the blocks of a confirmation has a negative count");
  }
  // By subtraction, which cannot overflow.
  std::int64_t left = tally.blocks;
  for (const std::int64_t part : {tally.steal, tally.context_switch, tally.migration}) {
    if (part > left) return fail("the tally of a confirmation excludes more blocks than there were");
    left -= part;
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
  if (trial.reduction_class && trial.reduction_class->empty()) {
    return fail(fmt::format("an empty reduction class for trial {}", trial.id));
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
  for (const std::optional<double>& ns : {estimate.min_ns, estimate.p10_ns}) {
    if (ns && !positive(*ns)) return refuse("its fastest times of a call must be above 0");
  }
  if (estimate.min_ns && estimate.p10_ns && *estimate.min_ns > *estimate.p10_ns) {
    return refuse("its fastest time is above its 10th percentile");
  }
  if (!not_negative(estimate.gflops)) return refuse("its GFLOP/s must be finite and not negative");
  if (estimate.ratio_lo.has_value() != estimate.ratio_hi.has_value()) return refuse("its interval has one end only");
  if (estimate.ratio_lo && !estimate.ratio) return refuse("it has an interval but no ratio");
  for (const std::optional<double>& ratio : {estimate.ratio, estimate.ratio_lo, estimate.ratio_hi}) {
    if (ratio && !positive(*ratio)) return refuse("a ratio must be above 0");
  }
  if (estimate.ratio_lo && *estimate.ratio_lo > *estimate.ratio_hi) return refuse("its interval is upside down");
  return {};
}

Result<void> check(const StudyOutcome& o) {
  if (o.confidence && !(*o.confidence > 0 && *o.confidence < 1)) {  // also refuses NaN
    return fail(fmt::format("a confidence of {}: it lies between 0 and 1", *o.confidence));
  }
  if ((o.confidence || o.lead) && !o.best_trial) {
    return fail("an outcome without a best trial has no lead and no confidence");
  }
  if (o.confidence && !o.lead) return fail("an outcome has a confidence but no lead to be confident of");
  if (o.confidence && !o.ties.empty()) return fail("an outcome is certified and has ties: it can be one of the two");
  if (o.lead_lo.has_value() != o.lead_hi.has_value()) return fail("the interval of a lead has one end only");
  if (o.lead_lo && !o.lead) return fail("an outcome has the interval of a lead but no lead");
  for (const std::optional<double>& ratio : {o.lead, o.lead_lo, o.lead_hi}) {
    if (ratio && !positive(*ratio)) return fail(fmt::format("a lead of {}: the ratio must be above 0", *ratio));
  }
  if (o.lead_lo && *o.lead_lo > *o.lead_hi) return fail("the interval of a lead is upside down");
  if (o.noise_floor && !not_negative(*o.noise_floor)) {
    return fail(fmt::format("a noise floor of {}: it must be finite and not negative", *o.noise_floor));
  }
  return check(o.tally);
}

Result<void> check(const profilers::Ceiling& ceiling) {
  if (!is_name(ceiling.name)) return fail("a ceiling without a name of one line");
  const auto refuse = [&](const char* why) { return fail(fmt::format("the ceiling {}: {}", ceiling.name, why)); };
  if (!is_name(ceiling.unit)) return refuse("it needs a unit");
  if (ceiling.threads < 1) return refuse("it needs at least one thread");
  if (ceiling.value && !positive(*ceiling.value)) return refuse("its value must be above 0 and finite");
  if (ceiling.value.has_value() != ceiling.reason.empty()) {
    return refuse(ceiling.value ? "it has both a value and a reason for having none"
                                : "without a value it needs a reason");
  }
  if (!not_negative(ceiling.spread)) return refuse("its spread must be finite and not negative");
  if (ceiling.anchor_ns && !positive(*ceiling.anchor_ns)) return refuse("the time of its anchor must be above 0");
  return {};
}

Result<void> check(const profilers::Counter& counter) {
  if (!is_name(counter.name)) return fail("a counter without a name of one line");
  const auto refuse = [&](const std::string& why) {
    return fail(fmt::format("the counter {}: {}", counter.name, why));
  };
  if (std::find(kProviders.begin(), kProviders.end(), counter.provider) == kProviders.end()) {
    return refuse(
        fmt::format("there is no provider {}; there are {}", quote(counter.provider), fmt::join(kProviders, ", ")));
  }
  if (!is_name(counter.unit)) return refuse("it needs a unit");
  if (counter.calls < 1) return refuse("it covers at least one call");
  if (counter.value && !not_negative(*counter.value)) return refuse("its value must be finite and not negative");
  if (counter.value.has_value() != profilers::has_value(counter.status)) {
    return refuse(fmt::format("its status is {} and it {}", to_text(counter.status),
                              counter.value ? "has a value" : "has no value"));
  }
  if (!counter.value && counter.reason.empty()) return refuse("without a value it needs a reason");
  return {};
}

Result<void> check(const std::vector<profilers::Counter>& counters) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const profilers::Counter& counter : counters) {
    if (auto r = check(counter); !r) return r;
    if (!seen.emplace(counter.provider, counter.name).second) {
      return fail(fmt::format("the counter {} of {} is given twice", counter.name, counter.provider));
    }
  }
  return {};
}

Result<void> check(const StudyEvent& event) {
  if (!plain(event.argument, kMaxArgumentBytes)) {
    return fail(fmt::format("the argument of {} is longer than {} bytes or no plain line of text", to_text(event.kind),
                            kMaxArgumentBytes));
  }
  const bool takes_none =
      event.kind == EventKind::pause || event.kind == EventKind::resume || event.kind == EventKind::stop;
  if (takes_none != event.argument.empty()) {
    return fail(fmt::format("{} {}", to_text(event.kind), takes_none ? "takes no argument" : "needs an argument"));
  }
  if (negative(event.applied_round)) return fail("rounds count from 0");
  return {};
}

Result<void> check(const Runner& runner) {
  if (runner.pid < 1) return fail(fmt::format("a process of number {}: numbers count from 1", runner.pid));
  return {};
}

Result<void> check_failure(StudyState state, const std::optional<std::string>& failure) {
  const bool failed = state == StudyState::failed;
  if (failed != failure.has_value()) return fail("a study says why it failed, and only then");
  if (failure && failure->empty()) return fail("the reason why a study failed is empty");
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
