#include "tuner/study/contender.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace gemwright::tuner {

std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field,
                                         const std::vector<EntrantId>& racing, std::size_t most,
                                         std::optional<int> wanted_panel) {
  std::vector<Contender*> finalists;
  std::set<int> formats;
  const auto take = [&](Contender& c) {
    finalists.push_back(&c);
    formats.insert(c.trial.config.format.panel);
  };
  for (const auto& c : field) {
    if (finalists.size() >= most) break;
    if (std::find(racing.begin(), racing.end(), c->subject) != racing.end()) take(*c);
  }
  for (const auto& c : field) {
    if (finalists.size() >= most + kMoreFormats) break;
    const int panel = c->trial.config.format.panel;
    const bool close = c->cost <= field.front()->cost + std::log(kRaceFactor);
    if (!formats.contains(panel) && (close || panel == wanted_panel)) take(*c);
  }
  return finalists;
}

}  // namespace gemwright::tuner
