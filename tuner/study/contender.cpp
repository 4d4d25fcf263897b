#include "tuner/study/contender.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace gemwright::tuner {

std::map<TrialId, SubjectId> subjects_by_trial(const std::vector<Subject>& subjects) {
  std::map<TrialId, SubjectId> found;
  for (const Subject& s : subjects) {
    if (s.trial) found[*s.trial] = s.id;
  }
  return found;
}

std::vector<Contender*> choose_finalists(const std::vector<std::unique_ptr<Contender>>& field,
                                         const std::vector<EntrantId>& racing, const FinalSize& size,
                                         const FormatWishes& formats) {
  std::vector<Contender*> finalists;
  std::set<PackingFormat> there;
  const auto take = [&](Contender& c) {
    finalists.push_back(&c);
    there.insert(format_of(c.trial.config));
  };
  for (const auto& c : field) {
    if (finalists.size() >= size.finalists) break;
    if (std::find(racing.begin(), racing.end(), c->subject) != racing.end()) take(*c);
  }
  const std::size_t most = finalists.size() + size.more_formats;
  const auto take_formats = [&](auto&& may) {
    for (const auto& c : field) {
      if (finalists.size() < most && !there.contains(format_of(c->trial.config)) && may(*c)) take(*c);
    }
  };
  const auto close = [&](const Contender& c) { return c.cost <= field.front()->cost + std::log(kRaceFactor); };
  take_formats([&](const Contender& c) { return format_of(c.trial.config) == formats.wanted; });
  take_formats([&](const Contender& c) { return format_of(c.trial.config) == formats.likely && close(c); });
  const bool settled = size.more_formats < 2 && formats.likely && there.contains(*formats.likely);
  if (!settled) take_formats(close);
  return finalists;
}

}  // namespace gemwright::tuner
