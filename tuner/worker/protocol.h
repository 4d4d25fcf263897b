// What the two sides of a worker say to each other: JSON, one object a line, on the worker's standard input and output.
//
// The worker begins with a hello. Then the client sends requests, one at a time, each with an id; the worker answers
// each with one reply of that id, and may send events before it. The same messages travel between the guard and its
// child.
//
// Both directions are read strictly, because the other side may be another version, another machine or gone wrong:
// lines, nesting and numbers are bounded, every key must be there once, none may be unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tuner/result.h"
#include "tuner/study/measurer.h"

namespace gemwright::tuner {

constexpr int kProtocolVersion = 4;
constexpr std::size_t kMaxRequestLine = 64u << 20;  // an exported header as text
constexpr std::size_t kMaxMessageLine = 1u << 20;
constexpr std::size_t kMaxPrefetch = 4096;  // configs in one request

// Requests. `deadline_s` bounds what the child does for it; compiling and waiting for the machine do not count.
struct SetupRequest {
  MeasureSetup setup;
};
struct PrefetchRequest {
  std::vector<Config> configs;
};
// `bare`: Measurer::admit_bare. `timed`: Measurer::admit_timed.
struct AdmitRequest {
  Config config;
  bool verify = true;
  bool bare = false;
  bool timed = false;
};
struct AdmitHeaderRequest {
  std::string text, run_namespace;
  bool verify = true;
};
// From the guard to its child only: a library that it compiled, for a config or, without one, of an exported header.
struct LoadRequest {
  std::optional<Config> config;
  std::string library;
  bool verify = true;
  bool bare = false;
  bool timed = false;
};
struct BlockRequest {
  int handle = 0;
  std::int64_t calls = 0;
};
struct CountRequest {
  int handle = 0;
  std::int64_t calls = 0;
};
struct CeilingsRequest {};
struct DropRequest {
  int handle = 0;
};
struct QuitRequest {};

struct Request {
  std::int64_t id = 0;
  double deadline_s = 0;
  std::variant<SetupRequest, PrefetchRequest, AdmitRequest, AdmitHeaderRequest, LoadRequest, BlockRequest, CountRequest,
               CeilingsRequest, DropRequest, QuitRequest>
      body;
};

// The first message. A version that differs ends the conversation.
struct Hello {
  std::string tool;              // version of the worker's program
  std::optional<Device> device;  // that it measures on
};
// Another measurer has the machine; sent again and again while that lasts.
struct Waiting {
  std::optional<int> pid;
  std::optional<unsigned> uid;  // where it is another user's
  std::string study;            // empty where it is not known
};
// Still compiling.
struct Alive {};
struct Done {};

struct Reply {
  std::int64_t id = 0;
  // The child was lost: its setup and its handles are gone. A new one starts with the next setup.
  bool lost = false;
  // A block, a count or ceilings that the child was lost to are answered by a Block in the state that this gives.
  std::variant<Done, SetupReply, Admission, Block, std::vector<profilers::Counter>, std::vector<profilers::Ceiling>,
               Error>
      body;
  // It was lost to SIGKILL: by somebody's hand, or because memory ran out.
  bool killed = false;
};

using Message = std::variant<Hello, Waiting, Alive, Reply>;

// One line, with its line feed.
std::string to_line(const Request& r);
std::string to_line(const Message& m);
Result<Request> parse_request(std::string_view line);
Result<Message> parse_message(std::string_view line);

}  // namespace gemwright::tuner
