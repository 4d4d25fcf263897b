#include "tuner/strategy/strategy.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "tuner/strategy/local_search.h"

namespace gemwright::tuner {
namespace {

// Walks the enumeration past what is known; always holds the config it will propose next, so that it knows when it is
// done.
class Remaining {
 public:
  explicit Remaining(const SpaceInput& in, ValueFilter allowed = {}) : all_(in, kParamCount, std::move(allowed)) {}

  // The next config outside `known`, or nothing when there is none; it stays until `known` holds it.
  const std::optional<Config>& next(const std::set<std::string>& known) {
    while (!started_ || (next_ && known.count(key(*next_)) != 0)) {
      started_ = true;
      next_ = all_.next();
    }
    return next_;
  }

 private:
  Enumeration all_;
  std::optional<Config> next_;
  bool started_ = false;
};

class Exhaustive : public Strategy {
 public:
  Exhaustive(const SpaceInput& in, ValueFilter allowed) : in_(in), remaining_(in, std::move(allowed)) {}

  std::vector<Proposal> propose(int count) override {
    std::vector<Proposal> proposals;
    while (static_cast<int>(proposals.size()) < count) {
      const auto& next = remaining_.next(known_);
      if (!next) break;
      known_.insert(key(*next));
      proposals.push_back({*next, "exhaustive"});
    }
    return proposals;
  }
  void observe(const Observation& o) override { known_.insert(key(canonical(in_, o.config))); }
  bool finished() const override { return !remaining_.next(known_); }

 private:
  SpaceInput in_;
  std::set<std::string> known_;
  mutable Remaining remaining_;  // looking ahead changes nothing that a caller can see
};

class RandomSearch : public Strategy {
 public:
  RandomSearch(const SpaceInput& in, std::uint64_t seed) : in_(in), random_(seed), remaining_(in) {}

  std::vector<Proposal> propose(int count) override {
    std::vector<Proposal> proposals;
    while (static_cast<int>(proposals.size()) < count) {
      const auto next = draw();
      if (!next) break;
      known_.insert(key(*next));
      proposals.push_back({*next, "random"});
    }
    return proposals;
  }
  void observe(const Observation& o) override { known_.insert(key(canonical(in_, o.config))); }
  bool finished() const override { return !remaining_.next(known_); }

 private:
  // When nearly all of a small space is known, draws hit known configs only: the rest is taken in order.
  std::optional<Config> draw() {
    constexpr int kDraws = 100;
    for (int i = 0; i < kDraws; ++i) {
      const auto c = random_config(in_, random_);
      if (c && known_.count(key(*c)) == 0) return c;
    }
    return remaining_.next(known_);
  }

  SpaceInput in_;
  Random random_;
  std::set<std::string> known_;
  mutable Remaining remaining_;
};

}  // namespace

std::vector<std::string_view> strategy_names() { return {"local", "random", "exhaustive"}; }

Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name, const SpaceInput& in, std::uint64_t seed,
                                                const std::vector<NamedConfig>& more_seeds,
                                                const ValueFilter& allowed) {
  if (name == "local") return std::make_unique<LocalSearch>(in, seed, more_seeds);
  if (name == "random") return std::make_unique<RandomSearch>(in, seed);
  if (name == kExhaustiveStrategy) return std::make_unique<Exhaustive>(in, allowed);
  return fail(fmt::format("unknown strategy \"{}\"; known are {}", name, fmt::join(strategy_names(), ", ")),
              ErrorKind::usage);
}

}  // namespace gemwright::tuner
