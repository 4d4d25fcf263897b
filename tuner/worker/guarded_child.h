// The guard's view of its child: one request at a time, with a deadline. Whatever goes wrong comes back as the state
// that the candidate's trial gets.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tuner/toolchain/process.h"
#include "tuner/worker/channel.h"
#include "tuner/worker/protocol.h"

namespace gemwright::tuner {

class GuardedChild {
 public:
  // The child is gone: it crashed, took too long or did not keep to the protocol.
  struct Loss {
    TrialState state = TrialState::crashed;
    std::string reason;
    bool killed = false;  // by SIGKILL, which was not ours
  };
  // Nobody wants the answer any more; the child was ended.
  struct Abandoned {};

  explicit GuardedChild(std::vector<std::string> argv) : argv_(std::move(argv)) {}

  bool running() const { return process_.has_value(); }
  Result<void> start();
  // Whether it ended by itself since the last answer: nothing that is asked now is to blame.
  std::optional<Loss> ended_between();
  // `abandoned` is asked whenever `watch` is readable.
  std::variant<Reply, Loss, Abandoned> request(const Request& r, int watch, const std::function<bool()>& abandoned);
  void end();

 private:
  Loss lose(TrialState state, std::string reason);
  Loss lose_to_end();

  std::vector<std::string> argv_;
  std::optional<Process> process_;
  std::optional<LineReader> lines_;
};

}  // namespace gemwright::tuner
