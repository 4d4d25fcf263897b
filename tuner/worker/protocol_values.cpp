#include "tuner/worker/protocol_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "tuner/baseline/baseline.h"
#include "tuner/problem/input_text.h"
#include "tuner/worker/json_fields.h"

namespace gemwright::tuner {
namespace {

using nlohmann::json;
using profilers::Ceiling;
using profilers::Counter;
using profilers::CounterStatus;

constexpr double kMaxNumber = std::numeric_limits<double>::max();
constexpr double kLeast = std::numeric_limits<double>::denorm_min();  // of what is above 0
constexpr int kMaxThreads = 4096;
// Bytes. A full list stays below the longest line even where every byte of it is escaped.
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxUnit = 32;
constexpr std::size_t kMaxReason = 320;
constexpr std::size_t kCutMark = 3;  // what printable() appends to a text that it cuts
// Longer ones are not sentences; the bound on lines has kept out more.
constexpr std::size_t kMaxErrorMessage = 1u << 20;
constexpr std::string_view kErrorKinds[] = {"failed", "usage", "nothing_valid", "interrupted", "worker_lost"};

template <class T>
void put(json& j, const char* name, const std::optional<T>& value) {
  if (value) j[name] = *value;
}
// JSON has no infinity: what is not finite is absent.
void put_finite(json& j, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) j[name] = *value;
}

// A name of ours: there, short and fit for a terminal.
std::string read_name(JsonFields& f, const char* field, std::size_t longest) {
  std::string name = f.text(field);
  if (name.empty() || printable(name, longest) != name) {
    f.complain(fmt::format("\"{}\" must be 1 to {} printable bytes, not {}", field, longest, quote(name)));
  }
  return name;
}

// One that may be empty where there is a value.
std::string read_reason(JsonFields& f, bool valued) {
  std::string reason = f.text("reason");
  if (!valued && reason.empty()) f.complain("what has no value needs a reason");
  if (printable(reason, kMaxReason) != reason) {
    f.complain(fmt::format("\"reason\" must be at most {} printable bytes, not {}", kMaxReason, quote(reason)));
  }
  return reason;
}

std::string sendable_reason(const std::string& reason, bool valued) {
  if (!valued && reason.empty()) return "no reason is known";
  return printable(reason, kMaxReason - kCutMark);
}

// A slip of one provider must not make the reply unreadable that carries all of them.
Counter sendable(Counter c) {
  if (!has_value(c.status)) {
    c.value.reset();
  } else if (!c.value || !std::isfinite(*c.value) || *c.value < 0) {
    c.status = CounterStatus::failed;
    c.value.reset();
    c.reason = "what was read is not a count";
  }
  c.reason = sendable_reason(c.reason, c.value.has_value());
  return c;
}

Ceiling sendable(Ceiling c) {
  const auto is_measure = [](double x) { return std::isfinite(x) && x > 0; };
  if (c.value && !is_measure(*c.value)) {
    c.value.reset();
    c.reason = "what was measured is not a speed";
  }
  if (c.anchor_ns && !is_measure(*c.anchor_ns)) c.anchor_ns.reset();
  if (!std::isfinite(c.spread) || c.spread < 0) c.spread = 0;
  c.reason = sendable_reason(c.reason, c.value.has_value());
  return c;
}

json to_json(const Counter& c) {
  json j{{"provider", c.provider}, {"name", c.name},    {"unit", c.unit}, {"status", profilers::to_text(c.status)},
         {"calls", c.calls},       {"reason", c.reason}};
  put(j, "value", c.value);
  return j;
}

Counter read_counter(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "counter");
  Counter c;
  c.provider = read_name(f, "provider", kMaxUnit);
  c.name = read_name(f, "name", kMaxName);
  c.unit = read_name(f, "unit", kMaxUnit);
  const std::string status = f.text("status");
  if (const auto known = profilers::parse_counter_status(status)) {
    c.status = *known;
  } else {
    f.complain("unknown status " + quote(status));
  }
  c.value = f.optional_number("value", 0, kMaxNumber);
  if (c.value.has_value() != has_value(c.status)) {
    f.complain(fmt::format("a counter that is {} must {} a value", status, c.value ? "not have" : "have"));
  }
  c.calls = f.integer("calls", 1, kMaxInteger);
  c.reason = read_reason(f, c.value.has_value());
  error = f.complaint();
  return c;
}

json to_json(const Ceiling& c) {
  json j{{"name", c.name}, {"threads", c.threads}, {"unit", c.unit}, {"reason", c.reason}, {"spread", c.spread}};
  put(j, "value", c.value);
  put(j, "anchor_ns", c.anchor_ns);
  return j;
}

Ceiling read_ceiling(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "ceiling");
  Ceiling c;
  c.name = read_name(f, "name", kMaxName);
  c.threads = static_cast<int>(f.integer("threads", 1, kMaxThreads));
  c.unit = read_name(f, "unit", kMaxUnit);
  c.value = f.optional_number("value", kLeast, kMaxNumber);
  c.reason = read_reason(f, c.value.has_value());
  c.spread = f.number("spread", 0, kMaxNumber);
  c.anchor_ns = f.optional_number("anchor_ns", kLeast, kMaxNumber);
  error = f.complaint();
  return c;
}

FurtherBaseline read_further(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "further baseline");
  FurtherBaseline b;
  b.name = f.text("name");
  b.reason = f.text("reason");
  b.handle = static_cast<int>(f.integer("handle", 0, kMaxInt));
  if (b.name.empty() && b.reason.empty()) f.complain("a baseline that is absent needs a reason");
  if (!b.name.empty() && b.handle == 0) f.complain("a baseline that is there needs a handle");
  error = f.complaint();
  return b;
}

std::vector<std::string> read_further_names(JsonFields& f) {
  const json& list = f.value("further");
  if (!list.is_array() || list.size() > kMaxFurtherBaselines) {
    f.complain(fmt::format("\"further\" must be a list of at most {}", kMaxFurtherBaselines));
    return {};
  }
  std::vector<std::string> names;
  for (const json& j : list) {
    const std::string name = j.is_string() ? j.get<std::string>() : "";
    if (const auto known = check_baseline_name(name); !known) f.complain(known.error().message);
    if (std::find(names.begin(), names.end(), name) != names.end()) f.complain(quote(name) + " is there twice");
    names.push_back(name);
  }
  return names;
}

template <class T>
std::vector<T> read_list(const json& j, const char* what, std::size_t most,
                         T (*read)(const json&, std::optional<Error>&), std::optional<Error>& error) {
  if (!j.is_array() || j.size() > most) {
    error = Error{fmt::format("\"{}\" must be a list of at most {}", what, most)};
    return {};
  }
  std::vector<T> list;
  for (const json& one : j) {
    list.push_back(read(one, error));
    if (error) break;
  }
  return list;
}

}  // namespace

json to_json(const MeasureSetup& s) {
  return {{"problem", key(s.problem)},
          {"m", s.m},
          {"threads", s.threads},
          {"data", to_text(s.data)},
          {"seed", s.seed},
          {"cache", to_text(s.cache)},
          {"cache_bytes", s.cache_bytes},
          {"compiler", s.compiler},
          {"further", s.further}};
}

MeasureSetup read_setup(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "setup");
  MeasureSetup s;
  s.problem = f.take(parse_key(f.text("problem")));
  s.m = f.integer("m", 1, kMaxSize);
  s.threads = static_cast<int>(f.integer("threads", 1, kMaxThreads));
  s.data = f.take(parse_data_kind(f.text("data")));
  s.seed = f.unsigned_integer("seed");
  s.cache = f.take(parse_cache_state(f.text("cache")));
  s.cache_bytes = f.number("cache_bytes", 0, 0x1p50);
  s.compiler = f.text("compiler");
  s.further = read_further_names(f);
  error = f.complaint();
  if (const auto fits = check(s.problem, s.m); !error && !fits) error = fits.error();
  return s;
}

json to_json(const SetupReply& r) {
  json further = json::array();
  for (const FurtherBaseline& b : r.further) {
    further.push_back({{"name", b.name}, {"reason", b.reason}, {"handle", b.handle}});
  }
  json j{{"baseline", r.baseline},
         {"baseline_reason", r.baseline_reason},
         {"baseline_handle", r.baseline_handle},
         {"anchor_handle", r.anchor_handle},
         {"further", std::move(further)}};
  put_finite(j, "baseline_ns", r.baseline_ns);
  return j;
}

SetupReply read_setup_reply(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "setup reply");
  SetupReply r;
  r.baseline = f.text("baseline");
  r.baseline_reason = f.text("baseline_reason");
  r.baseline_handle = static_cast<int>(f.integer("baseline_handle", 0, kMaxInt));
  r.anchor_handle = static_cast<int>(f.integer("anchor_handle", 0, kMaxInt));
  r.baseline_ns = f.optional_number("baseline_ns", 0, static_cast<double>(kMaxInteger));
  const json& further = f.value("further");
  error = f.complaint();
  if (!error) r.further = read_list(further, "further", kMaxFurtherBaselines, read_further, error);
  return r;
}

json to_json(const Block& b) {
  json j{{"state", to_text(b.state)}, {"reason", b.reason}, {"ns", b.ns}, {"calls", b.calls}, {"migrated", b.migrated}};
  put(j, "cpu", b.cpu);
  put(j, "involuntary_switches", b.involuntary_switches);
  put(j, "steal_ticks", b.steal_ticks);
  return j;
}

Block read_block(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "block");
  Block b;
  b.state = f.take(parse_trial_state(f.text("state")));
  b.reason = f.text("reason");
  const bool timed = b.state == TrialState::ok;  // then there is a time
  b.ns = f.integer("ns", timed ? 1 : 0, kMaxInteger);
  b.calls = f.integer("calls", timed ? 1 : 0, kMaxInteger);
  b.migrated = f.boolean("migrated");
  if (const auto cpu = f.optional_integer("cpu", 0, kMaxInt)) b.cpu = static_cast<int>(*cpu);
  b.involuntary_switches = f.optional_integer("involuntary_switches", 0, kMaxInteger);
  b.steal_ticks = f.optional_integer("steal_ticks", 0, kMaxInteger);
  if (!timed && b.reason.empty()) f.complain("a state that is not ok needs a reason");
  error = f.complaint();
  return b;
}

json to_json(const Admission& a) {
  json j{{"state", to_text(a.state)}, {"reason", a.reason}, {"handle", a.handle}};
  put_finite(j, "error_fro", a.error_fro);
  put_finite(j, "error_max", a.error_max);
  put(j, "compile_ns", a.compile_ns);
  put(j, "verify_ns", a.verify_ns);
  if (a.block) j["block"] = to_json(*a.block);
  return j;
}

Admission read_admission(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "admission");
  Admission a;
  a.state = f.take(parse_trial_state(f.text("state")));
  a.reason = f.text("reason");
  a.handle = static_cast<int>(f.integer("handle", 0, kMaxInt));
  a.error_fro = f.optional_number("error_fro", 0, kMaxNumber);
  a.error_max = f.optional_number("error_max", 0, kMaxNumber);
  a.compile_ns = f.optional_integer("compile_ns", 0, kMaxInteger);
  a.verify_ns = f.optional_integer("verify_ns", 0, kMaxInteger);
  if (a.state != TrialState::ok && a.reason.empty()) f.complain("a state that is not ok needs a reason");
  const json* const block = f.has("block") ? &f.value("block") : nullptr;
  error = f.complaint();
  if (error || block == nullptr) return a;
  a.block = read_block(*block, error);
  const bool one_call = a.block->state == TrialState::ok && a.block->calls == 1;
  if (!error && !(one_call && a.state == TrialState::ok)) {
    error = Error{"admission: its block has to be one call that succeeded, of a config that was admitted"};
  }
  return a;
}

json to_json(const std::vector<Counter>& counters) {
  json list = json::array();
  for (const Counter& c : counters) {
    if (list.size() < kMaxListed) list.push_back(to_json(sendable(c)));
  }
  return list;
}

std::vector<Counter> read_counters(const json& j, std::optional<Error>& error) {
  auto counters = read_list(j, "counters", kMaxListed, read_counter, error);
  std::set<std::pair<std::string, std::string>> seen;
  for (const Counter& c : counters) {
    if (!error && !seen.emplace(c.provider, c.name).second) {
      error = Error{"the counter " + quote(c.provider + " " + c.name) + " is there twice"};
    }
  }
  return counters;
}

json to_json(const std::vector<Ceiling>& ceilings) {
  json list = json::array();
  for (const Ceiling& c : ceilings) {
    if (list.size() < kMaxListed) list.push_back(to_json(sendable(c)));
  }
  return list;
}

std::vector<Ceiling> read_ceilings(const json& j, std::optional<Error>& error) {
  auto ceilings = read_list(j, "ceilings", kMaxListed, read_ceiling, error);
  std::set<std::pair<std::string, int>> seen;
  for (const Ceiling& c : ceilings) {
    if (!error && !seen.emplace(c.name, c.threads).second) {
      error = Error{fmt::format("the ceiling {} for {} threads is there twice", quote(c.name), c.threads)};
    }
  }
  return ceilings;
}

json to_json(const Error& e) {
  return {{"message", e.message}, {"kind", kErrorKinds[static_cast<std::size_t>(e.kind)]}};
}

Error read_error(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "error");
  Error e;
  e.message = printable(f.text("message"), kMaxErrorMessage);
  const std::string kind = f.text("kind");
  bool known = false;
  for (std::size_t i = 0; i < std::size(kErrorKinds); ++i) {
    if (kind != kErrorKinds[i]) continue;
    e.kind = static_cast<ErrorKind>(i);
    known = true;
  }
  if (!known) f.complain("unknown kind " + quote(kind));
  error = f.complaint();
  return e;
}

json to_json(const Device& d) {
  return {{"fingerprint", d.fingerprint},
          {"kind", d.kind},
          {"name", d.name},
          {"threads", d.threads},
          {"properties", d.properties_json}};
}

Device read_device(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "device");
  Device d;
  d.fingerprint = f.text("fingerprint");
  d.kind = f.text("kind");
  d.name = f.text("name");
  d.threads = static_cast<int>(f.integer("threads", 1, kMaxThreads));
  d.properties_json = f.text("properties");
  error = f.complaint();
  return d;
}

}  // namespace gemwright::tuner
