// The values that messages carry, as JSON and back. Internal to the protocol: strict like all of it, see protocol.h.
//
// Each reader leaves its complaint in `error` where the JSON is not what it should be; its value means nothing then.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tuner/result.h"
#include "tuner/study/measurer.h"

namespace gemwright::tuner {

constexpr std::int64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();
constexpr int kMaxInt = std::numeric_limits<int>::max();
// Counters in one reply, and ceilings: several times what a machine with every provider has.
constexpr std::size_t kMaxListed = 256;

nlohmann::json to_json(const MeasureSetup& s);
MeasureSetup read_setup(const nlohmann::json& j, std::optional<Error>& error);

nlohmann::json to_json(const SetupReply& r);
SetupReply read_setup_reply(const nlohmann::json& j, std::optional<Error>& error);

nlohmann::json to_json(const Admission& a);
Admission read_admission(const nlohmann::json& j, std::optional<Error>& error);

nlohmann::json to_json(const Block& b);
Block read_block(const nlohmann::json& j, std::optional<Error>& error);

// At most kMaxListed of them are sent. What has no sense, like a count that is not a number, is sent as missing.
nlohmann::json to_json(const std::vector<profilers::Counter>& counters);
std::vector<profilers::Counter> read_counters(const nlohmann::json& j, std::optional<Error>& error);

nlohmann::json to_json(const std::vector<profilers::Ceiling>& ceilings);
std::vector<profilers::Ceiling> read_ceilings(const nlohmann::json& j, std::optional<Error>& error);

nlohmann::json to_json(const Error& e);
Error read_error(const nlohmann::json& j, std::optional<Error>& error);

nlohmann::json to_json(const Device& d);
Device read_device(const nlohmann::json& j, std::optional<Error>& error);

}  // namespace gemwright::tuner
