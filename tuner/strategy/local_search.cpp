#include "tuner/strategy/local_search.h"

#include <algorithm>
#include <cmath>

namespace gemwright::tuner {
namespace {

// Restarts of one search. A descent alone can end in a poor basin: on one recorded space it was worse than random
// search.
constexpr int kRestarts = 24;
// Random configs beside the descents, one after so many steps: they keep the surrogate from knowing one region only.
constexpr int kProbes = 32;
constexpr int kStepsPerProbe = 3;
// Of so many random configs the most promising one is the restart: the surrogate knows what certainly loses.
constexpr int kRestartDraws = 48;
// Every other restart walks this many random steps away from one of the best configs instead.
constexpr int kWalkSteps = 3;
constexpr std::uint64_t kWalkCentres = 4;  // so many of them
// A descent from a restart is given up after so many proposals in a row that did not improve it.
constexpr int kPatience = 16;
// While the costs that a descent needs are awaited, the neighbours of so many of the best configs fill the batch.
constexpr int kCentres = 4;
// A tile whose library is not compiled yet has to promise this much (in log cost) more: a compilation takes as long as
// many screens.
constexpr double kNewLibrary = 0.02;

}  // namespace

LocalSearch::LocalSearch(const SpaceInput& in, std::uint64_t seed, const std::vector<NamedConfig>& more_seeds)
    : in_(in), random_(seed), surrogate_(in), probes_left_(kProbes), restarts_left_(kRestarts) {
  for (const NamedConfig& s : more_seeds) {
    if (const auto fitting = repaired(in_, s.config)) seeds_.push_back({s.name, *fitting});
  }
  for (NamedConfig& s : tuner::seeds(in_)) seeds_.push_back(std::move(s));
}

std::vector<Proposal> LocalSearch::propose(int count) {
  std::vector<Proposal> proposals;
  while (static_cast<int>(proposals.size()) < count) {
    std::optional<Proposal> next = next_place();
    if (!next) next = next_seed();
    if (!next) next = next_step();
    if (!next) break;
    const std::string name = key(next->config);
    known_.insert(name);
    awaited_.insert(name);
    compiled_.insert(group_of(in_.problem, next->config));
    proposals.push_back(std::move(*next));
  }
  return proposals;
}

// Where the chain runs is worth a try early, and costs no compilation of a product: the first best config with the
// chain at each other place. Seeds have it in registers.
std::optional<Proposal> LocalSearch::next_place() {
  if (!placed_ && !ranking_.empty()) {
    placed_ = true;
    for (int i = 0; i < gemwright::fusion_count; ++i) {
      Config c = measured_.at(ranking_.begin()->second);
      c.blocking.chain_at = static_cast<gemwright::fusion>(i);
      const auto fitting = repaired(in_, c);
      if (fitting && fitting->blocking.chain_at == c.blocking.chain_at) places_.push_back(*fitting);
    }
  }
  while (!places_.empty()) {
    const Config c = places_.front();
    places_.pop_front();
    if (known_.count(key(c)) == 0) {
      return Proposal{c, std::string("seed:chain-at-") + gemwright::fusion_name(c.blocking.chain_at)};
    }
  }
  return std::nullopt;
}

std::optional<Proposal> LocalSearch::next_seed() {
  while (!seeds_.empty()) {
    NamedConfig s = std::move(seeds_.front());
    seeds_.pop_front();
    if (known_.count(key(s.config)) == 0) return Proposal{s.config, "seed:" + s.name};
  }
  return std::nullopt;
}

std::optional<Proposal> LocalSearch::next_probe() {
  // Before the first cost the surrogate knows nothing, and behind the last restart the search ends.
  if (ranking_.empty() || restarts_left_ == 0 || probes_left_ == 0) return std::nullopt;
  if (++since_probe_ <= kStepsPerProbe) return std::nullopt;
  since_probe_ = 0;
  --probes_left_;
  const auto c = random_point();
  return c ? std::optional(Proposal{*c, "random"}) : std::nullopt;
}

// Descends from the best config, then from a restart until that is given up, and so on; when the restarts are spent,
// all neighbours of the best config are tried.
std::optional<Proposal> LocalSearch::next_step() {
  if (auto next = next_probe()) return next;
  if (restarts_left_ == 0 || best_fruitless_ < kPatience) {
    if (auto next = next_neighbour(ranking_, 1)) {
      ++best_fruitless_;
      return next;
    }
  }
  if (fruitless_ < kPatience) {
    if (auto next = next_neighbour(descent_ranking_, 1)) {
      descent_.insert(key(next->config));
      ++fruitless_;
      return next;
    }
  }
  // What is under way may move the best config: neighbours of the others are a better guess meanwhile than a restart.
  if (!awaited_.empty()) return restarts_left_ > 0 ? next_neighbour(ranking_, kCentres) : std::nullopt;
  while (restarts_left_ > 0) {
    if (auto next = next_restart()) return next;
  }
  return next_neighbour(ranking_, 1);
}

std::optional<Proposal> LocalSearch::next_restart() {
  --restarts_left_;
  descent_.clear();
  descent_ranking_.clear();
  fruitless_ = 0;
  const auto c = restart_point();
  // A space so small that all draws are known has been searched.
  if (!c) return std::nullopt;
  descent_.insert(key(*c));
  return Proposal{*c, "random"};
}

std::optional<Config> LocalSearch::random_point() {
  std::optional<Config> best;
  double best_rank = 0;
  for (int draw = 0; draw < kRestartDraws; ++draw) {
    const auto c = random_config(in_, random_);
    if (!c || known_.count(key(*c)) != 0) continue;
    const double r = rank(*c);
    if (!best || r < best_rank) {
      best = c;
      best_rank = r;
    }
  }
  return best;
}

std::optional<Config> LocalSearch::restart_point() {
  if (restarts_left_ % 2 == 0 || ranking_.empty()) return random_point();
  const Config c = walk_from_the_best();
  return known_.count(key(c)) == 0 ? std::optional(c) : random_point();
}

Config LocalSearch::walk_from_the_best() {
  const auto centres = std::min<std::uint64_t>(kWalkCentres, ranking_.size());
  const auto start = std::next(ranking_.begin(), static_cast<std::ptrdiff_t>(random_.below(centres)));
  Config c = measured_.at(start->second);
  for (int step = 0; step < kWalkSteps; ++step) {
    const auto around = neighbours(in_, c);
    if (around.empty()) break;
    c = around[random_.below(around.size())];
  }
  return c;
}

std::optional<Proposal> LocalSearch::next_neighbour(const Ranking& ranking, int centres) {
  const Candidate* best = nullptr;
  double best_rank = 0;
  for (const auto& [cost, centre] : ranking) {
    if (centres-- == 0) break;
    for (const Candidate& n : neighbourhood(centre)) {
      if (known_.count(n.key) != 0) continue;
      const double r = rank(n.config);
      if (best != nullptr && r >= best_rank) continue;
      best = &n;
      best_rank = r;
    }
  }
  if (best == nullptr) return std::nullopt;
  return Proposal{best->config, "neighbour"};
}

const std::vector<LocalSearch::Candidate>& LocalSearch::neighbourhood(const std::string& centre) const {
  const auto [entry, is_new] = neighbourhoods_.try_emplace(centre);
  if (is_new) {
    for (Config& c : neighbours(in_, measured_.at(centre))) {
      std::string name = key(c);
      entry->second.push_back({std::move(c), std::move(name)});
    }
  }
  return entry->second;
}

bool LocalSearch::has_untried_neighbour(const std::string& centre) const {
  const auto& around = neighbourhood(centre);
  return std::any_of(around.begin(), around.end(), [&](const Candidate& n) { return known_.count(n.key) == 0; });
}

double LocalSearch::rank(const Config& c) const {
  return surrogate_.predict(c) + (compiled_.count(group_of(in_.problem, c)) == 0 ? kNewLibrary : 0);
}

void LocalSearch::observe(const Observation& observation) {
  const Config c = canonical(in_, observation.config);
  const std::string name = key(c);
  awaited_.erase(name);
  known_.insert(name);
  if (violated(in_, c)) return;  // of another space: not to be proposed, and nothing to learn from
  const bool untouched = observation.state == TrialState::cancelled || observation.state == TrialState::constraint;
  if (!untouched) compiled_.insert(group_of(in_.problem, c));
  if (!observation.cost || !std::isfinite(*observation.cost)) {
    if (observation.state != TrialState::cancelled) surrogate_.add_failure(c);
    return;
  }
  const double cost = *observation.cost;
  if (const auto before = cost_.find(name); before != cost_.end()) {
    ranking_.erase({before->second, name});
    descent_ranking_.erase({before->second, name});
  }
  measured_.insert_or_assign(name, c);
  cost_[name] = cost;
  if (ranking_.empty() || cost < ranking_.begin()->first) best_fruitless_ = 0;
  ranking_.emplace(cost, name);
  if (descent_.count(name) != 0) {
    if (descent_ranking_.empty() || cost < descent_ranking_.begin()->first) fruitless_ = 0;
    descent_ranking_.emplace(cost, name);
  }
  surrogate_.add(c, cost);
}

bool LocalSearch::finished() const {
  if (!seeds_.empty() || !places_.empty() || restarts_left_ > 0 || !awaited_.empty()) return false;
  if (!ranking_.empty() && has_untried_neighbour(ranking_.begin()->second)) return false;
  const bool descending = fruitless_ < kPatience && !descent_ranking_.empty();
  return !descending || !has_untried_neighbour(descent_ranking_.begin()->second);
}

}  // namespace gemwright::tuner
