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
// Where calls are very long, in the default budget: its final has a few rounds, and a follow-up takes as long again.
constexpr double kLongFormatRegret = 0.06;

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

// The studies of one problem that have a result, in this run.
struct ProblemGroup {
  std::vector<PlannedStudy*> studies;
  std::vector<tuner::StudyRecord> records;
  std::vector<tuner::Cell> cells;  // what each has measured, as the export sees it
};

Result<void> add(ProblemGroup& group, const tuner::Store& store, PlannedStudy& study,
                 const tuner::StudyRecord& record) {
  // Two entries of one problem are one study.
  const auto same = [&](const tuner::StudyRecord& r) { return r.id == record.id; };
  if (std::any_of(group.records.begin(), group.records.end(), same)) return {};
  auto cell = tuner::cell_of_study(store, record);
  if (!cell) return tl::unexpected(cell.error());
  group.studies.push_back(&study);
  group.records.push_back(record);
  if (*cell) group.cells.push_back(std::move(**cell));
  return {};
}

// The format that would be shared, were these all studies of the problem.
std::optional<tuner::PackingFormat> format_so_far(const ProblemGroup& group) {
  if (group.cells.empty()) return std::nullopt;
  const auto choice = tuner::choose_dispatch(group.records.front().key.problem, group.cells, kFormatRegret);
  if (!choice || choice->format.panel == 0) return std::nullopt;
  return tuner::PackingFormat{choice->mode, choice->format.panel, choice->format.pair};
}

// What the shared format may cost a cell.
double bearable(const tuner::Cell& cell, const tuner::Budget& budget) {
  const auto faster = [](const auto& x, const auto& y) { return x.ns_per_call < y.ns_per_call; };
  const auto best = std::min_element(cell.candidates.begin(), cell.candidates.end(), faster);
  const bool few_rounds = !budget.seconds && !budget.trials && tuner::is_very_long(best->ns_per_call);
  return few_rounds ? kLongFormatRegret : kFormatRegret;
}

// Follows up the studies whose choice in the shared format is missing or costs more than is bearable.
Result<void> share_one_format(const ProblemGroup& group, const Runner& run) {
  const std::size_t count = group.studies.size();
  if (group.cells.size() != count || count < 2) return {};
  const auto choice = tuner::choose_dispatch(group.records.front().key.problem, group.cells, kFormatRegret);
  if (!choice) return tl::unexpected(choice.error());
  if (choice->format.panel == 0) return {};
  for (std::size_t i = 0; i < count; ++i) {
    PlannedStudy follow_up = *group.studies[i];
    tuner::StudyRequest& r = follow_up.request;
    if (choice->cells[i].regret.value_or(1) <= bearable(group.cells[i], r.attributes.budget)) continue;
    r.fresh = false;
    r.likely_format.reset();
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
    ProblemGroup group;
    bool all_reused = true;
    for (const tuner::Problem problem = studies[index].request.key.problem;
         index < studies.size() && studies[index].request.key.problem == problem; ++index) {
      PlannedStudy& s = studies[index];
      auto good = tuner::known_good_configs(store, s.request.key, s.request.space, kKnownGood);
      if (!good) return tl::unexpected(good.error());
      s.request.known_good = std::move(*good);
      s.request.likely_format = format_so_far(group);
      const auto record = run(s);
      if (!record) return tl::unexpected(record.error());
      all_reused = all_reused && reused;
      if (!*record) continue;
      if (const auto added = add(group, store, s, **record); !added) return added;
    }
    if (all_reused) {
      tell();
      continue;
    }
    --index;  // the title counts studies, not follow-ups
    const auto shared = share_one_format(group, run);
    ++index;
    if (!shared) return shared;
    tell();
  }
  if (empty_handed) return tl::unexpected(*empty_handed);
  return {};
}

}  // namespace gemwright::app
