// What to try next. A strategy proposes configs from what was observed so far; it knows nothing of clocks, processes or
// storage, so it can be replayed on recorded or made-up costs.
//
// Use: `observe` everything that an earlier sitting of the study tried, then in turn `propose`, measure, `observe`,
// until `finished`. A config is never proposed twice, and never after it was observed. Every proposal is valid and
// canonical. What was proposed is expected to be observed sometime, whatever became of it; a strategy that needs an
// answer before it can go on proposes nothing meanwhile. The same seed, observations and calls give the same proposals
// on every host.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/result.h"
#include "tuner/space/space.h"
#include "tuner/strategy/seeds.h"
#include "tuner/study/records.h"

namespace gemwright::tuner {

struct Observation {
  Config config;
  std::optional<double>
      cost;  // a logarithm, lower is better: of the time, or of its ratio to the baseline; absent: failed
  TrialState state = TrialState::ok;
};

struct Proposal {
  Config config;
  std::string origin;  // what to record as the trial's origin: "seed:blis-skx", "neighbour", "random", "exhaustive"
};

class Strategy {
 public:
  virtual ~Strategy() = default;

  // At most `count` configs; fewer when the strategy waits for observations or has nothing left.
  virtual std::vector<Proposal> propose(int count) = 0;
  virtual void observe(const Observation& observation) = 0;
  // Nothing will be proposed any more, whatever is observed of what is under way.
  virtual bool finished() const = 0;
};

constexpr std::string_view kDefaultStrategy = "local";
constexpr std::string_view kExhaustiveStrategy = "exhaustive";
std::vector<std::string_view> strategy_names();

// "exhaustive": every config of the space in its canonical order.
// "random": without replacement; the yardstick.
// "local": the seeds, then descent by single steps from the best few, ordered by a surrogate, with random restarts in
// between;
//   finished when the restarts are spent and every neighbour of the best config has been tried.
// `more_seeds` (the best of similar studies) are tried before the built-in ones; those that do not fit are left out.
// `allowed`: "exhaustive" passes over all else without walking it; other strategies propose it all the same.
Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name, const SpaceInput& in, std::uint64_t seed,
                                                const std::vector<NamedConfig>& more_seeds = {},
                                                const ValueFilter& allowed = {});

}  // namespace gemwright::tuner
