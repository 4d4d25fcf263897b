#include "app/model/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "tuner/header/export.h"
#include "tuner/study/budget.h"

namespace gemwright::app {

using tuner::Error;
using tuner::ErrorKind;
using tuner::Result;

namespace {

// Winners of other studies tried first in each: more cost time that the search needs.
constexpr std::size_t kKnownGood = 6;

// What the shared packing format may cost a study before it is followed up: about the noise of a confirmed figure here.
constexpr double kFormatRegret = 0.02;

}  // namespace

std::string title(const PlannedStudy& s) {
  const tuner::StudyKey& k = s.request.key;
  const std::string name = s.entry.name.empty() ? "gemm" : s.entry.name;
  return fmt::format("{} M={} N={} K={}, {}, {} thread{}, {}", name, k.m, k.problem.n, k.problem.k,
                     tuner::precision_text(k), k.device.threads, k.device.threads == 1 ? "" : "s",
                     tuner::to_text(k.cache));
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

namespace {

using Runner = std::function<Result<std::optional<tuner::StudyRecord>>(PlannedStudy&)>;

// What the studies of one problem have measured, as the export sees it.
Result<std::vector<tuner::Cell>> cells_of(const tuner::Store& store, const std::vector<tuner::StudyRecord>& records) {
  std::vector<tuner::Cell> cells;
  for (const tuner::StudyRecord& r : records) {
    auto cell = tuner::cell_of_study(store, r);
    if (!cell) return tl::unexpected(cell.error());
    if (*cell) cells.push_back(std::move(**cell));
  }
  return cells;
}

// Follows up the studies whose choice in the shared format is missing or costs more than kFormatRegret.
Result<void> share_one_format(const tuner::Store& store, const std::vector<PlannedStudy*>& studies,
                              const std::vector<tuner::StudyRecord>& records, const Runner& run) {
  const auto cells = cells_of(store, records);
  if (!cells) return tl::unexpected(cells.error());
  if (cells->size() != studies.size() || studies.size() < 2) return {};
  const auto choice = tuner::choose_dispatch(studies.front()->request.key.problem, *cells, kFormatRegret);
  if (!choice) return tl::unexpected(choice.error());
  if (choice->format.panel == 0) return {};
  for (std::size_t i = 0; i < studies.size(); ++i) {
    if (choice->cells[i].regret.value_or(1) <= kFormatRegret) continue;
    PlannedStudy follow_up = *studies[i];
    tuner::StudyRequest& r = follow_up.request;
    r.fresh = false;
    r.space.modes = {choice->mode};
    r.space.format = choice->format;
    const tuner::Budget& b = r.attributes.budget;
    r.follow_up = b.trials ? tuner::Budget{{}, std::max<std::int64_t>(*b.trials / 2, 1)}
                           : tuner::Budget{tuner::seconds_of(b) / 2, {}};
    r.known_good.clear();
    for (const tuner::Config& c : choice->configs) {
      if (const auto fits = tuner::repaired(r.space, c)) r.known_good.push_back(*fits);
    }
    const auto done = run(follow_up);
    if (!done) return tl::unexpected(done.error());
  }
  return {};
}

}  // namespace

Result<void> run_studies(tuner::Store& store, tuner::Measurer& measurer, std::vector<PlannedStudy>& studies,
                         const TuningHooks& hooks) {
  std::optional<Error> empty_handed;
  bool reused = false;
  std::vector<std::pair<StudyFigures, bool>> finished;  // of the problem at hand; told when its format is settled
  std::size_t index = 0;
  const auto tell = [&] {
    for (const auto& [figures, known] : finished) {
      if (hooks.done) hooks.done(figures, known);
    }
    finished.clear();
  };
  // Nothing where no config was valid: the next study goes on.
  const Runner run = [&](PlannedStudy& s) -> Result<std::optional<tuner::StudyRecord>> {
    if (hooks.begin) hooks.begin(s, index, studies.size());
    const auto result =
        tuner::run_study(store, measurer, s.request, {hooks.now, hooks.progress, hooks.stop, hooks.sleep});
    if (!result) {
      if (result.error().kind != ErrorKind::nothing_valid) return tl::unexpected(result.error());
      if (hooks.failed) hooks.failed(s, result.error());
      empty_handed = result.error();
      return std::nullopt;
    }
    reused = result->reused;
    const auto figures = study_figures(store, result->record);
    if (!figures) return tl::unexpected(figures.error());
    const auto same = [&](const auto& d) { return d.first.study.id == figures->study.id; };
    std::erase_if(finished, same);  // a follow-up replaces what its study found before
    finished.emplace_back(*figures, result->reused);
    return result->record;
  };
  while (index < studies.size()) {
    // The studies of one problem stand together.
    std::vector<PlannedStudy*> group;
    std::vector<tuner::StudyRecord> records;
    bool all_reused = true;
    for (const tuner::Problem problem = studies[index].request.key.problem;
         index < studies.size() && studies[index].request.key.problem == problem; ++index) {
      PlannedStudy& s = studies[index];
      auto good = tuner::known_good_configs(store, s.request.key, s.request.space, kKnownGood);
      if (!good) return tl::unexpected(good.error());
      s.request.known_good = std::move(*good);
      const auto record = run(s);
      if (!record) return tl::unexpected(record.error());
      all_reused = all_reused && reused;
      if (!*record) continue;
      // Two entries of one problem are one study.
      const auto same = [&](const tuner::StudyRecord& r) { return r.id == (*record)->id; };
      if (std::any_of(records.begin(), records.end(), same)) continue;
      group.push_back(&s);
      records.push_back(**record);
    }
    if (all_reused) {
      tell();
      continue;
    }
    --index;  // the title counts studies, not follow-ups
    const auto shared = share_one_format(store, group, records, run);
    ++index;
    if (!shared) return shared;
    tell();
  }
  if (empty_handed) return tl::unexpected(*empty_handed);
  return {};
}

}  // namespace gemwright::app
