#include <algorithm>
#include <cmath>
#include <set>

#include "tuner/strategy/transfer.h"
#include "tuner/study/engine.h"

namespace gemwright::tuner {
namespace {

constexpr double kFarthest = 2;  // octaves of M: beyond, other limits bind

}  // namespace

Result<std::vector<Config>> known_good_configs(const Store& store, const StudyKey& key_, const SpaceInput& space,
                                               std::size_t most) {
  const auto all = store.studies();
  if (!all) return tl::unexpected(all.error());
  std::vector<std::pair<double, const StudyRecord*>> near;
  for (const StudyRecord& s : *all) {
    if (!s.outcome.best_trial || s.key.build.compiler != key_.build.compiler) continue;
    if (s.key.device.fingerprint != key_.device.fingerprint || s.key.problem.chain != key_.problem.chain) continue;
    const auto apart = [](auto x, auto y) {
      return std::abs(std::log2(static_cast<double>(x) / static_cast<double>(y)));
    };
    // M decides the tile more than N and K do; another thread count changes the grid only.
    const double distance = 2 * apart(s.key.m, key_.m) + apart(s.key.problem.n, key_.problem.n) +
                            apart(s.key.problem.k, key_.problem.k) + apart(s.key.device.threads, key_.device.threads) +
                            (s.key.problem == key_.problem ? 0.0 : 1.0);
    if (apart(s.key.m, key_.m) <= kFarthest) near.emplace_back(distance, &s);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
  std::vector<Config> out;
  std::set<std::string> seen;
  for (const auto& [distance, s] : near) {
    if (out.size() >= most) break;
    const auto trials = store.trials(s->id);
    if (!trials) return tl::unexpected(trials.error());
    for (const Trial& t : *trials) {
      if (t.id != *s->outcome.best_trial) continue;
      if (std::find(space.modes.begin(), space.modes.end(), t.config.mode) == space.modes.end()) continue;
      SpaceInput there = space;
      there.problem = s->key.problem;
      there.m = s->key.m;
      there.threads = s->key.device.threads;
      const auto c = transferred(there, t.config, space);
      if (c && seen.insert(key(*c)).second) out.push_back(*c);
    }
  }
  return out;
}

}  // namespace gemwright::tuner
