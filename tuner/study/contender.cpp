#include "tuner/study/contender.h"

#include <set>

namespace gemwright::tuner {

std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field, int most,
                                         std::optional<int> wanted_panel) {
  const auto best = static_cast<std::size_t>(most);
  std::vector<Contender*> finalists;
  std::set<int> formats;
  for (const auto& c : field) {
    const int panel = c->trial.config.format.panel;
    const bool wanted = c->cost() <= field.front()->cost() + kRaceLog || panel == wanted_panel;
    const bool other_format = !formats.contains(panel) && wanted && finalists.size() < best + kMoreFormats;
    if (finalists.size() >= best && !other_format) continue;
    finalists.push_back(c.get());
    formats.insert(panel);
  }
  return finalists;
}

}  // namespace gemwright::tuner
