#include "app/model/tuning.h"

#include <optional>
#include <set>

#include <fmt/format.h>

namespace gemwright::app {

using tuner::Error;
using tuner::ErrorKind;
using tuner::Result;

namespace {

// Winners of other studies tried first in each: more cost time that the search needs.
constexpr std::size_t kKnownGood = 6;

}  // namespace

std::string title(const PlannedStudy& s) {
  const tuner::StudyKey& k = s.request.key;
  const std::string name = s.entry.name.empty() ? "gemm" : s.entry.name;
  return fmt::format("{} M={} N={} K={}, {} thread{}, {}", name, k.m, k.problem.n, k.problem.k, k.device.threads,
                     k.device.threads == 1 ? "" : "s", tuner::to_text(k.cache));
}

std::vector<std::string> notes(const std::vector<PlannedStudy>& studies) {
  std::vector<std::string> out;
  std::set<std::string> seen;
  for (const PlannedStudy& s : studies) {
    if (s.entry.note.empty()) continue;
    const std::string text = s.entry.name.empty() ? s.entry.note : s.entry.name + ": " + s.entry.note;
    if (seen.insert(text).second) out.push_back(text);
  }
  return out;
}

Result<void> run_studies(tuner::Store& store, tuner::Measurer& measurer, std::vector<PlannedStudy>& studies,
                         const TuningHooks& hooks) {
  std::optional<Error> empty_handed;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    PlannedStudy& s = studies[i];
    auto good = tuner::known_good_configs(store, s.request.key, s.request.space, kKnownGood);
    if (!good) return tl::unexpected(good.error());
    s.request.known_good = std::move(*good);
    if (hooks.begin) hooks.begin(s, i, studies.size());
    const auto result = tuner::run_study(store, measurer, s.request, {hooks.now, hooks.progress, hooks.stop});
    if (!result) {
      if (result.error().kind != ErrorKind::nothing_valid) return tl::unexpected(result.error());
      if (hooks.failed) hooks.failed(s, result.error());
      empty_handed = result.error();
      continue;
    }
    const auto figures = study_figures(store, result->record);
    if (!figures) return tl::unexpected(figures.error());
    if (hooks.done) hooks.done(*figures, result->reused);
  }
  if (empty_handed) return tl::unexpected(*empty_handed);
  return {};
}

}  // namespace gemwright::app
