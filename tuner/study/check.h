// What every store refuses before it writes, and a reader of stored rows before it believes them: values that cannot
// have been measured or that have no meaning. One place, so that all stores refuse the same with the same sentence. A
// schema's own constraints are a second fence, not this one.
#pragma once

#include "tuner/result.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

// Larger property texts are not descriptions of a device; the bound keeps hostile ones out of the JSON reader.
constexpr std::size_t kMaxPropertiesBytes = 1u << 20;
// Names of counters, units and ceilings are a few words.
constexpr std::size_t kMaxNameBytes = 200;
// "mr=8" is what people write; the bound keeps a hostile argument out of every reader.
constexpr std::size_t kMaxArgumentBytes = 4096;

Result<void> check(const StudyKey& key);
Result<void> check(const StudyAttributes& attributes);
Result<void> check(const Trial& trial);  // state, reason, errors and times; not the config
Result<void> check(const Subject& subject);
Result<void> check(const Sample& sample);
Result<void> check(const Estimate& estimate);
Result<void> check(const StudyOutcome& outcome);  // its figures; not whether its trials exist
Result<void> check(const profilers::Ceiling& ceiling);
Result<void> check(const profilers::Counter& counter);
Result<void> check(const std::vector<profilers::Counter>& counters);  // each, and that none is named twice
Result<void> check(const StudyEvent& event);                          // kind, argument and round
Result<void> check(const Runner& runner);
Result<void> check_spent(double spent_seconds);
Result<void> check_failure(StudyState state, const std::optional<std::string>& failure);
Result<void> check_baseline(const std::string& name, const std::string& reason_if_absent);  // one is given

}  // namespace gemwright::tuner
