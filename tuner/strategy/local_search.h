// The default strategy; see make_strategy in strategy.h.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "tuner/space/tile_group.h"
#include "tuner/strategy/strategy.h"
#include "tuner/strategy/surrogate.h"

namespace gemwright::tuner {

class LocalSearch : public Strategy {
 public:
  LocalSearch(const SpaceInput& in, std::uint64_t seed, const std::vector<NamedConfig>& more_seeds);

  std::vector<Proposal> propose(int count) override;
  void observe(const Observation& observation) override;
  bool finished() const override;

 private:
  struct Candidate {
    Config config;
    std::string key;
  };

  std::optional<Proposal> next_place();
  std::optional<Proposal> next_seed();
  std::optional<Proposal> next_probe();
  std::optional<Proposal> next_restart();
  // The most promising untried neighbour of the best `centres` configs of a ranking.
  using Ranking = std::set<std::pair<double, std::string>>;  // (cost, key), best first
  std::optional<Proposal> next_neighbour(const Ranking& ranking, int centres);
  std::optional<Proposal> next_step();
  // The most promising of some random untried configs.
  std::optional<Config> random_point();
  std::optional<Config> restart_point();
  Config walk_from_the_best();

  // Neighbours of a config by key, computed once.
  const std::vector<Candidate>& neighbourhood(const std::string& key) const;
  bool has_untried_neighbour(const std::string& key) const;
  double rank(const Config& c) const;

  SpaceInput in_;
  Random random_;
  Surrogate surrogate_;
  std::deque<NamedConfig> seeds_;
  std::deque<Config> places_;  // the first best config with its chain elsewhere
  bool placed_ = false;
  std::set<std::string> known_;             // proposed or observed
  std::set<std::string> awaited_;           // proposed, not observed yet
  std::set<TileGroup> compiled_;            // what known configs needed
  std::map<std::string, Config> measured_;  // by key
  std::map<std::string, double> cost_;      // by key, of the measured ones
  Ranking ranking_;                         // of all measured configs
  mutable std::map<std::string, std::vector<Candidate>> neighbourhoods_;
  int probes_left_;
  int since_probe_ = 0;
  int restarts_left_;

  int best_fruitless_ = 0;  // neighbours of the best config proposed since it was found

  // The descent from the latest restart: what it proposed, what came of it, and for how long nothing did.
  std::set<std::string> descent_;
  Ranking descent_ranking_;
  int fruitless_ = 0;
};

}  // namespace gemwright::tuner
