#include "tuner/worker/protocol.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tuner/problem/input_text.h"
#include "tuner/worker/json_fields.h"

namespace gemwright::tuner {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();
constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr double kMaxNumber = std::numeric_limits<double>::max();
constexpr double kMaxDeadline = 7 * 86400.0;  // a week: more is a typing error
constexpr int kMaxThreads = 4096;

template <class... F>
struct overload : F... {
  using F::operator()...;
};
template <class... F>
overload(F...) -> overload<F...>;

std::string line_of(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace) + '\n'; }

template <class T>
void put(json& j, const char* name, const std::optional<T>& value) {
  if (value) j[name] = *value;
}
// JSON has no infinity: what is not finite is absent.
void put_finite(json& j, const char* name, const std::optional<double>& value) {
  if (value && std::isfinite(*value)) j[name] = *value;
}

json to_json(const MeasureSetup& s) {
  return {{"problem", key(s.problem)},
          {"m", s.m},
          {"threads", s.threads},
          {"data", to_text(s.data)},
          {"seed", s.seed},
          {"cache", to_text(s.cache)},
          {"cache_bytes", s.cache_bytes},
          {"compiler", s.compiler}};
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
  error = f.complaint();
  if (const auto fits = check(s.problem, s.m); !error && !fits) error = fits.error();
  return s;
}

json to_json(const SetupReply& r) {
  return {{"baseline", r.baseline},
          {"baseline_reason", r.baseline_reason},
          {"baseline_handle", r.baseline_handle},
          {"anchor_handle", r.anchor_handle}};
}

SetupReply read_setup_reply(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "setup reply");
  SetupReply r;
  r.baseline = f.text("baseline");
  r.baseline_reason = f.text("baseline_reason");
  r.baseline_handle = static_cast<int>(f.integer("baseline_handle", 0, kMaxInt));
  r.anchor_handle = static_cast<int>(f.integer("anchor_handle", 0, kMaxInt));
  error = f.complaint();
  return r;
}

json to_json(const Admission& a) {
  json j{{"state", to_text(a.state)}, {"reason", a.reason}, {"handle", a.handle}};
  put_finite(j, "error_fro", a.error_fro);
  put_finite(j, "error_max", a.error_max);
  put(j, "compile_ns", a.compile_ns);
  put(j, "verify_ns", a.verify_ns);
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
  error = f.complaint();
  return a;
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

constexpr std::string_view kErrorKinds[] = {"failed", "usage", "nothing_valid", "interrupted"};

Error read_error(const json& j, std::optional<Error>& error) {
  JsonFields f(j, "error");
  Error e;
  e.message = printable(f.text("message"), kMaxMessageLine);
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

// Reads what one field holds; its complaint becomes that of the message.
template <class T>
T nested(JsonFields& f, const char* name, T (*read)(const json&, std::optional<Error>&)) {
  std::optional<Error> error;
  T value = read(f.value(name), error);
  if (error) f.complain(error->message);
  return value;
}

std::vector<Config> read_configs(JsonFields& f) {
  const json& list = f.value("configs");
  if (!list.is_array() || list.size() > kMaxPrefetch) {
    f.complain(fmt::format("\"configs\" must be a list of at most {}", kMaxPrefetch));
    return {};
  }
  std::vector<Config> configs;
  for (const json& j : list) configs.push_back(f.take(config_from_json(j)));
  return configs;
}

int read_handle(JsonFields& f) { return static_cast<int>(f.integer("handle", 1, kMaxInt)); }

AdmitHeaderRequest read_header_request(JsonFields& f) {
  AdmitHeaderRequest r;
  r.text = f.text("text");
  r.run_namespace = f.text("namespace");
  r.verify = f.boolean("verify");
  return r;
}

LoadRequest read_load(JsonFields& f) {
  LoadRequest r;
  if (f.has("config")) r.config = f.take(config_from_json(f.value("config")));
  r.library = f.text("library");
  r.verify = f.boolean("verify");
  return r;
}

void read_body(JsonFields& f, const std::string& type, Request& r) {
  if (type == "setup") {
    r.body = SetupRequest{nested(f, "setup", read_setup)};
  } else if (type == "prefetch") {
    r.body = PrefetchRequest{read_configs(f)};
  } else if (type == "admit") {
    r.body = AdmitRequest{f.take(config_from_json(f.value("config"))), f.boolean("verify")};
  } else if (type == "admit_header") {
    r.body = read_header_request(f);
  } else if (type == "load") {
    r.body = read_load(f);
  } else if (type == "block") {
    r.body = BlockRequest{read_handle(f), f.integer("calls", 1, kMaxInteger)};
  } else if (type == "drop") {
    r.body = DropRequest{read_handle(f)};
  } else if (type == "quit") {
    r.body = QuitRequest{};
  } else {
    f.complain("unknown type " + quote(type));
  }
}

json body_json(const Request& r) {
  return std::visit(
      overload{
          [](const SetupRequest& x) -> json {
            return {{"type", "setup"}, {"setup", to_json(x.setup)}};
          },
          [](const PrefetchRequest& x) -> json {
            json configs = json::array();
            for (const Config& c : x.configs) configs.push_back(to_json(c));
            return {{"type", "prefetch"}, {"configs", std::move(configs)}};
          },
          [](const AdmitRequest& x) -> json {
            return {{"type", "admit"}, {"config", to_json(x.config)}, {"verify", x.verify}};
          },
          [](const AdmitHeaderRequest& x) -> json {
            return {{"type", "admit_header"}, {"text", x.text}, {"namespace", x.run_namespace}, {"verify", x.verify}};
          },
          [](const LoadRequest& x) -> json {
            json j{{"type", "load"}, {"library", x.library}, {"verify", x.verify}};
            if (x.config) j["config"] = to_json(*x.config);
            return j;
          },
          [](const BlockRequest& x) -> json {
            return {{"type", "block"}, {"handle", x.handle}, {"calls", x.calls}};
          },
          [](const DropRequest& x) -> json {
            return {{"type", "drop"}, {"handle", x.handle}};
          },
          [](const QuitRequest&) -> json {
            return {{"type", "quit"}};
          }},
      r.body);
}

json reply_json(const Reply& r) {
  json j{{"type", "reply"}, {"id", r.id}, {"lost", r.lost}};
  std::visit(overload{[](const Done&) {}, [&](const SetupReply& x) { j["setup"] = to_json(x); },
                      [&](const Admission& x) { j["admission"] = to_json(x); },
                      [&](const Block& x) { j["block"] = to_json(x); },
                      [&](const Error& x) {
                        j["error"] = {{"message", x.message}, {"kind", kErrorKinds[static_cast<std::size_t>(x.kind)]}};
                      }},
             r.body);
  return j;
}

Reply read_reply(JsonFields& f) {
  Reply r;
  r.id = f.integer("id", 0, kMaxInteger);
  r.lost = f.boolean("lost");
  if (f.has("setup")) {
    r.body = nested(f, "setup", read_setup_reply);
  } else if (f.has("admission")) {
    r.body = nested(f, "admission", read_admission);
  } else if (f.has("block")) {
    r.body = nested(f, "block", read_block);
  } else if (f.has("error")) {
    r.body = nested(f, "error", read_error);
  }
  return r;
}

Hello read_hello(JsonFields& f) {
  Hello h;
  // Another version may say anything beside it, so the version is judged before all else.
  const std::int64_t version = f.integer("version", 0, kMaxInt);
  if (version != kProtocolVersion) {
    f.complain(
        fmt::format("the worker speaks protocol version {} and this program version {}: install the same gemwright on "
                    "both sides",
                    version, kProtocolVersion));
  }
  h.tool = printable(f.text("tool"));
  if (f.has("device")) h.device = nested(f, "device", read_device);
  return h;
}

}  // namespace

std::string to_line(const Request& r) {
  json j = body_json(r);
  j["id"] = r.id;
  j["deadline_s"] = r.deadline_s;
  return line_of(j);
}

std::string to_line(const Message& m) {
  return line_of(std::visit(overload{[](const Hello& h) -> json {
                                       json j{{"type", "hello"}, {"version", kProtocolVersion}, {"tool", h.tool}};
                                       if (h.device) j["device"] = to_json(*h.device);
                                       return j;
                                     },
                                     [](const Waiting& w) -> json {
                                       return {{"type", "waiting"}, {"pid", w.pid}, {"for", w.study}};
                                     },
                                     [](const Alive&) -> json {
                                       return {{"type", "alive"}};
                                     },
                                     [](const Reply& r) { return reply_json(r); }},
                            m));
}

Result<Request> parse_request(std::string_view line) {
  const auto parsed = parse_json_line(line);
  if (!parsed) return tl::unexpected(parsed.error());
  JsonFields f(*parsed, "request");
  Request r;
  const std::string type = f.text("type");
  r.id = f.integer("id", 0, kMaxInteger);
  r.deadline_s = f.number("deadline_s", 0, kMaxDeadline);
  read_body(f, type, r);
  if (auto error = f.complaint()) return tl::unexpected(std::move(*error));
  return r;
}

Result<Message> parse_message(std::string_view line) {
  const auto parsed = parse_json_line(line);
  if (!parsed) return tl::unexpected(parsed.error());
  JsonFields f(*parsed, "message");
  Message m;
  const std::string type = f.text("type");
  if (type == "hello") {
    m = read_hello(f);
  } else if (type == "waiting") {
    Waiting w;
    w.pid = static_cast<int>(f.integer("pid", 0, kMaxInt));
    w.study = printable(f.text("for"), 200);
    m = w;
  } else if (type == "alive") {
    m = Alive{};
  } else if (type == "reply") {
    m = read_reply(f);
  } else {
    f.complain("unknown type " + quote(type));
  }
  if (auto error = f.complaint()) return tl::unexpected(std::move(*error));
  return m;
}

}  // namespace gemwright::tuner
