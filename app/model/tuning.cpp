#include "app/model/tuning.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "tuner/header/export.h"
#include "tuner/strategy/transfer.h"
#include "tuner/study/budget.h"

namespace gemwright::app {

using tuner::Error;
using tuner::ErrorKind;
using tuner::Result;

namespace {

// A follow-up gets a fourth of the study's budget: the best of the format that was found before comes back by itself.
constexpr int kFollowUpPart = 4;

// Winners of other studies tried first in each: more cost time that the search needs.
constexpr std::size_t kKnownGood = 6;

// What the shared packing format may cost a study before it is followed up: about the noise of a confirmed figure here.
constexpr double kFormatRegret = 0.02;
// Where calls are very long, in the default budget: a follow-up takes half a minute, and what it would repair is the
// difference of two medians of six blocks, each off by some per cent on a noisy host.
constexpr double kLongFormatRegret = 0.1;

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

// The two cells that are nearest, by threads and then by M: a config for another size wastes a long call.
std::vector<std::size_t> neighbours_of(const ProblemGroup& group, std::size_t cell) {
  constexpr std::size_t kNeighbours = 2;
  const tuner::Cell& mine = group.cells[cell];
  const auto away = [&](std::size_t i) {
    const tuner::Cell& other = group.cells[i];
    return std::pair(std::abs(other.threads - mine.threads),
                     std::abs(std::log(static_cast<double>(other.m) / static_cast<double>(mine.m))));
  };
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < group.cells.size(); ++i) {
    if (i != cell) others.push_back(i);
  }
  std::stable_sort(others.begin(), others.end(), [&](std::size_t x, std::size_t y) { return away(x) < away(y); });
  return {others.begin(), others.begin() + static_cast<std::ptrdiff_t>(std::min(others.size(), kNeighbours))};
}

// What the config of a cell was written for: the largest M that it serves.
tuner::SpaceInput written_for(const ProblemGroup& group, const tuner::Dispatch& choice, std::size_t cell) {
  tuner::SpaceInput in = group.studies[cell]->request.space;
  for (std::size_t i = 0; i < group.cells.size(); ++i) {
    const bool same = choice.cells[i].config == choice.cells[cell].config && group.cells[i].threads == in.threads;
    if (same) in.m = std::max(in.m, group.cells[i].m);
  }
  return in;
}

// The study of a cell once more, in the format of `choice` alone, with what serves its neighbours first.
PlannedStudy follow_up_of(const ProblemGroup& group, const tuner::Dispatch& choice, std::size_t cell) {
  PlannedStudy out = *group.studies[cell];
  tuner::StudyRequest& r = out.request;
  r.fresh = false;
  r.likely_format.reset();
  r.space.modes = {choice.mode};
  r.space.format = choice.format;
  const tuner::Budget& b = r.attributes.budget;
  r.follow_up = b.trials ? tuner::Budget{{}, std::max<std::int64_t>(*b.trials / kFollowUpPart, 1)}
                         : tuner::Budget{tuner::seconds_of(b) / kFollowUpPart, {}};
  r.known_good.clear();
  for (const std::size_t i : neighbours_of(group, cell)) {
    const auto fits =
        tuner::transferred(written_for(group, choice, i), choice.configs[choice.cells[i].config], r.space);
    const bool is_new = fits && std::find(r.known_good.begin(), r.known_good.end(), *fits) == r.known_good.end();
    if (is_new) r.known_good.push_back(*fits);
  }
  return out;
}

class Sitting {
 public:
  Sitting(tuner::Store& store, tuner::Measurer& measurer, std::vector<PlannedStudy>& studies, const TuningHooks& hooks)
      : store_(store), measurer_(measurer), studies_(studies), hooks_(hooks) {}

  Result<void> run() {
    while (next_ < studies_.size()) {
      if (const auto r = run_problem(); !r) return r;
      tell();
    }
    if (empty_handed_) return tl::unexpected(*empty_handed_);
    return {};
  }

 private:
  Result<void> run_problem();
  Result<void> share_one_format(const ProblemGroup& group);
  // Nothing where no config was valid: the next study goes on. `index` is for the title.
  Result<std::optional<tuner::StudyResult>> run_one(PlannedStudy& study, std::size_t index);
  void tell();

  tuner::Store& store_;
  tuner::Measurer& measurer_;
  std::vector<PlannedStudy>& studies_;
  const TuningHooks& hooks_;
  std::size_t next_ = 0;
  std::vector<std::pair<StudyFigures, bool>> finished_;  // of the problem at hand; told when its format is settled
  std::optional<Error> empty_handed_;
};

// The studies of one problem stand together.
Result<void> Sitting::run_problem() {
  ProblemGroup group;
  bool all_reused = true;
  const tuner::Problem problem = studies_[next_].request.key.problem;
  for (; next_ < studies_.size() && studies_[next_].request.key.problem == problem; ++next_) {
    PlannedStudy& s = studies_[next_];
    auto good = tuner::known_good_configs(store_, s.request.key, s.request.space, kKnownGood);
    if (!good) return tl::unexpected(good.error());
    s.request.known_good = std::move(*good);
    s.request.likely_format = format_so_far(group);
    const auto result = run_one(s, next_);
    if (!result) return tl::unexpected(result.error());
    all_reused = all_reused && (!*result || (*result)->reused);
    if (!*result) continue;
    if (const auto added = add(group, store_, s, (*result)->record); !added) return added;
  }
  return all_reused ? Result<void>{} : share_one_format(group);
}

// Follows up the studies whose choice in the shared format is missing or costs more than is bearable.
Result<void> Sitting::share_one_format(const ProblemGroup& group) {
  const std::size_t count = group.studies.size();
  if (group.cells.size() != count || count < 2) return {};
  const auto choice = tuner::choose_dispatch(group.records.front().key.problem, group.cells, kFormatRegret);
  if (!choice) return tl::unexpected(choice.error());
  if (choice->format.panel == 0) return {};
  for (std::size_t i = 0; i < count; ++i) {
    const double most = bearable(group.cells[i], group.studies[i]->request.attributes.budget);
    if (choice->cells[i].regret.value_or(1) <= most) continue;
    PlannedStudy follow_up = follow_up_of(group, *choice, i);
    const auto done = run_one(follow_up, next_ - 1);  // the title counts studies, not follow-ups
    if (!done) return tl::unexpected(done.error());
  }
  return {};
}

Result<std::optional<tuner::StudyResult>> Sitting::run_one(PlannedStudy& study, std::size_t index) {
  if (hooks_.begin) hooks_.begin(study, index, studies_.size());
  const auto result =
      tuner::run_study(store_, measurer_, study.request, {hooks_.now, hooks_.progress, hooks_.stop, hooks_.sleep});
  if (!result) {
    if (result.error().kind != ErrorKind::nothing_valid) return tl::unexpected(result.error());
    if (hooks_.failed) hooks_.failed(study, result.error());
    empty_handed_ = result.error();
    return std::nullopt;
  }
  const auto figures = study_figures(store_, result->record);
  if (!figures) return tl::unexpected(figures.error());
  const auto same = [&](const auto& f) { return f.first.study.id == figures->study.id; };
  std::erase_if(finished_, same);  // a follow-up replaces what its study found before
  finished_.emplace_back(*figures, result->reused);
  return *result;
}

void Sitting::tell() {
  for (const auto& [figures, known] : finished_) {
    if (hooks_.done) hooks_.done(figures, known);
  }
  finished_.clear();
}

}  // namespace

Result<void> run_studies(tuner::Store& store, tuner::Measurer& measurer, std::vector<PlannedStudy>& studies,
                         const TuningHooks& hooks) {
  return Sitting(store, measurer, studies, hooks).run();
}

}  // namespace gemwright::app
