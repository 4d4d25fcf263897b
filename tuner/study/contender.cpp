#include "tuner/study/contender.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace gemwright::tuner {

std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field,
                                         const std::vector<EntrantId>& racing, std::size_t most,
                                         const std::optional<PackingFormat>& wanted) {
  std::vector<Contender*> finalists;
  std::set<PackingFormat> formats;
  const auto take = [&](Contender& c) {
    finalists.push_back(&c);
    formats.insert(format_of(c.trial.config));
  };
  for (const auto& c : field) {
    if (finalists.size() >= most) break;
    if (std::find(racing.begin(), racing.end(), c->subject) != racing.end()) take(*c);
  }
  for (const auto& c : field) {
    if (finalists.size() >= most + kMoreFormats) break;
    const PackingFormat format = format_of(c->trial.config);
    const bool close = c->cost <= field.front()->cost + std::log(kRaceFactor);
    if (!formats.contains(format) && (close || format == wanted)) take(*c);
  }
  return finalists;
}

}  // namespace gemwright::tuner
