// One counter of one pass over a subject, and how far its figure can be trusted.
//
// Idea: a ladder of providers. Counted by hardware where the kernel lets us (perf), counted by the operating system
// (software, rusage, steal), computed from the loop nest (traffic). What a rung cannot give is a row too, with its
// reason: a missing counter is never a number.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gemwright::profilers {

enum class CounterStatus {
  counted,      // counted through the whole pass
  scaled,       // counted for a part of it and extrapolated; the reason says which part
  simulated,    // by an emulator
  computed,     // from the shape and the config, nothing was observed
  unsupported,  // this machine has no such counter
  denied,       // it has, but this user may not read it
  not_counted,  // it never ran during the pass
  failed,       // reading it went wrong
};

// Whether a counter of this status carries a value.
constexpr bool has_value(CounterStatus s) {
  return s == CounterStatus::counted || s == CounterStatus::scaled || s == CounterStatus::simulated ||
         s == CounterStatus::computed;
}
std::string_view to_text(CounterStatus s);
std::optional<CounterStatus> parse_counter_status(std::string_view text);

struct Counter {
  std::string provider;  // "perf", "software", "rusage", "steal", "traffic"
  std::string name;      // "instructions", "l1d.fills.dram"; unique within its provider
  std::string unit;      // "events", "bytes", "ns", "ticks"
  CounterStatus status = CounterStatus::failed;
  std::optional<double> value;  // over all `calls`; there exactly when has_value(status)
  std::int64_t calls = 1;       // of the subject, during the pass
  std::string reason;           // why there is no value; beside a value, what to know about it

  bool operator==(const Counter&) const = default;
};

// What a pass runs: `calls` calls of a subject, repeatable. False: a call failed, and the counters of the pass with it.
struct Workload {
  std::function<bool()> run;
  std::int64_t calls = 1;
  bool lasting = false;  // so long that what providers do beside it is lost in it
};

class CounterProvider {
 public:
  virtual ~CounterProvider() = default;
  // Every counter of this provider, in a fixed order, whatever its status. May run the workload several times: one pass
  // for each group of counters that the hardware counts at once.
  virtual std::vector<Counter> count(const Workload& work) = 0;
  // Whether others may count the same pass around it.
  virtual bool shares_a_pass(const Workload&) const { return false; }
  // Whether it may run the workload again: it is within all others then, and they count anew where it did. One of a
  // ladder at most.
  virtual bool repeats() const { return false; }
};

}  // namespace gemwright::profilers
