#include "tuner/worker/protocol.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tuner/problem/input_text.h"
#include "tuner/worker/json_fields.h"
#include "tuner/worker/protocol_values.h"

namespace gemwright::tuner {
namespace {

using nlohmann::json;

constexpr double kMaxDeadline = 7 * 86400.0;  // a week: more is a typing error

template <class... F>
struct overload : F... {
  using F::operator()...;
};
template <class... F>
overload(F...) -> overload<F...>;

std::string line_of(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace) + '\n'; }

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
  r.bare = f.boolean("bare");
  r.timed = f.boolean("timed");
  return r;
}

void read_body(JsonFields& f, const std::string& type, Request& r) {
  if (type == "setup") {
    r.body = SetupRequest{nested(f, "setup", read_setup)};
  } else if (type == "prefetch") {
    r.body = PrefetchRequest{read_configs(f)};
  } else if (type == "admit") {
    r.body = AdmitRequest{f.take(config_from_json(f.value("config"))), f.boolean("verify"), f.boolean("bare"),
                          f.boolean("timed")};
  } else if (type == "admit_header") {
    r.body = read_header_request(f);
  } else if (type == "load") {
    r.body = read_load(f);
  } else if (type == "block") {
    r.body = BlockRequest{read_handle(f), f.integer("calls", 1, kMaxInteger)};
  } else if (type == "count") {
    r.body = CountRequest{read_handle(f), f.integer("calls", 1, kMaxInteger)};
  } else if (type == "ceilings") {
    r.body = CeilingsRequest{};
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
            return {{"type", "admit"},
                    {"config", to_json(x.config)},
                    {"verify", x.verify},
                    {"bare", x.bare},
                    {"timed", x.timed}};
          },
          [](const AdmitHeaderRequest& x) -> json {
            return {{"type", "admit_header"}, {"text", x.text}, {"namespace", x.run_namespace}, {"verify", x.verify}};
          },
          [](const LoadRequest& x) -> json {
            json j{
                {"type", "load"}, {"library", x.library}, {"verify", x.verify}, {"bare", x.bare}, {"timed", x.timed}};
            if (x.config) j["config"] = to_json(*x.config);
            return j;
          },
          [](const BlockRequest& x) -> json {
            return {{"type", "block"}, {"handle", x.handle}, {"calls", x.calls}};
          },
          [](const CountRequest& x) -> json {
            return {{"type", "count"}, {"handle", x.handle}, {"calls", x.calls}};
          },
          [](const CeilingsRequest&) -> json {
            return {{"type", "ceilings"}};
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
  json j{{"type", "reply"}, {"id", r.id}, {"lost", r.lost}, {"killed", r.killed}};
  std::visit(overload{[](const Done&) {}, [&](const SetupReply& x) { j["setup"] = to_json(x); },
                      [&](const Admission& x) { j["admission"] = to_json(x); },
                      [&](const Block& x) { j["block"] = to_json(x); },
                      [&](const std::vector<profilers::Counter>& x) { j["counters"] = to_json(x); },
                      [&](const std::vector<profilers::Ceiling>& x) { j["ceilings"] = to_json(x); },
                      [&](const Error& x) { j["error"] = to_json(x); }},
             r.body);
  return j;
}

Reply read_reply(JsonFields& f) {
  Reply r;
  r.id = f.integer("id", 0, kMaxInteger);
  r.lost = f.boolean("lost");
  r.killed = f.boolean("killed");
  if (r.killed && !r.lost) f.complain("what was killed is lost");
  if (f.has("setup")) {
    r.body = nested(f, "setup", read_setup_reply);
  } else if (f.has("admission")) {
    r.body = nested(f, "admission", read_admission);
  } else if (f.has("block")) {
    r.body = nested(f, "block", read_block);
  } else if (f.has("counters")) {
    r.body = nested(f, "counters", read_counters);
  } else if (f.has("ceilings")) {
    r.body = nested(f, "ceilings", read_ceilings);
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
                                       json j{{"type", "waiting"}, {"for", w.study}};
                                       if (w.pid) j["pid"] = *w.pid;
                                       if (w.uid) j["uid"] = *w.uid;
                                       return j;
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
    if (f.has("pid")) w.pid = static_cast<int>(f.integer("pid", 1, kMaxInt));
    if (f.has("uid")) w.uid = static_cast<unsigned>(f.integer("uid", 0, std::numeric_limits<unsigned>::max()));
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
