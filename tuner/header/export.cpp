#include "tuner/header/export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tuner/header/compiler.h"
#include "tuner/header/select.h"
#include "tuner/header/text.h"
#include "tuner/space/space.h"
#include "tuner/study/estimate.h"
#include "tuner/toolchain/kernel_source.h"

namespace gemwright::tuner {
namespace {

// A study with all that is needed of it.
struct Material {
  StudyRecord study;
  Cell cell;
  std::map<TrialId, Trial> trials;
  std::map<TrialId, Estimate> estimates;  // the best of each trial
};

bool usable(const Estimate& e) { return std::isfinite(e.ns_per_call) && e.ns_per_call > 0; }

std::map<TrialId, Estimate> best_estimates(const std::vector<Subject>& subjects,
                                           const std::vector<Estimate>& estimates) {
  std::map<SubjectId, TrialId> trial_of;
  for (const Subject& s : subjects) {
    if (s.kind == SubjectKind::trial && s.trial) trial_of[s.id] = *s.trial;
  }
  std::map<TrialId, Estimate> best;
  for (const Estimate& e : estimates) {
    const auto trial = trial_of.find(e.subject);
    if (trial == trial_of.end() || !usable(e)) continue;
    const auto [at, fresh] = best.try_emplace(trial->second, e);
    if (!fresh && e.phase > at->second.phase) at->second = e;  // screen < race < confirm
  }
  return best;
}

// What a store holds of a study.
struct Rows {
  std::vector<Trial> trials;
  std::vector<Subject> subjects;
  std::vector<Estimate> estimates;
  std::vector<Sample> samples;
};

Result<Rows> rows_of(const Store& store, StudyId study) {
  auto trials = store.trials(study);
  if (!trials) return tl::unexpected(trials.error());
  auto subjects = store.subjects(study);
  if (!subjects) return tl::unexpected(subjects.error());
  auto estimates = store.estimates(study);
  if (!estimates) return tl::unexpected(estimates.error());
  auto samples = store.samples(study);
  if (!samples) return tl::unexpected(samples.error());
  return Rows{std::move(*trials), std::move(*subjects), std::move(*estimates), std::move(*samples)};
}

Result<Material> read(const Store& store, const StudyRecord& study) {
  const auto rows = rows_of(store, study.id);
  if (!rows) return tl::unexpected(rows.error());
  auto cell = cell_of_study(study, rows->trials, rows->subjects, rows->estimates, rows->samples);
  if (!cell)
    return fail(fmt::format("study {} has a winner but no estimate of a valid trial: tune it again", study.id));
  Material m{study, std::move(*cell), {}, best_estimates(rows->subjects, rows->estimates)};
  for (const Trial& t : rows->trials) m.trials[t.id] = t;
  return m;
}

// What stands in every round of a study: the baseline, where there is one.
std::optional<SubjectId> reference_of(const std::vector<Subject>& subjects) {
  std::optional<SubjectId> found;
  for (const Subject& s : subjects) {
    if (s.kind == SubjectKind::baseline) return s.id;
    if (s.kind == SubjectKind::anchor) found = s.id;
  }
  return found;
}

// Times of the trials that are comparable with the winner's.
class Times {
 public:
  Times(const StudyRecord& study, const std::vector<Subject>& subjects, const std::map<TrialId, Estimate>& best,
        const std::vector<Sample>& samples) {
    if (!study.outcome.best_trial) return;
    const auto winner = best.find(*study.outcome.best_trial);
    if (winner == best.end()) return;
    costs_.emplace(samples, winner->second.subject, reference_of(subjects));
    winner_ns_ = winner->second.ns_per_call;
  }
  double ns(const Estimate& e) const {
    const auto cost = costs_ ? costs_->of(e.subject) : std::nullopt;
    return cost ? winner_ns_ * std::exp(*cost) : e.ns_per_call;
  }

 private:
  std::optional<PairedCosts> costs_;
  double winner_ns_ = 0;
};

// Whether this study saw the mode exceed its bound and never keep it: no table that serves this M may use it.
bool exceeds_bound(const StudyRecord& study, const std::vector<Trial>& trials, ComputeMode mode) {
  const auto bound = study.key.max_error;
  if (!bound) return false;
  bool over = false;
  for (const Trial& t : trials) {
    if (t.config.mode != mode || !t.error_fro) continue;
    if (*t.error_fro <= *bound) return false;
    over = true;
  }
  return over;
}

HeaderChoice choice_of(const Material& m, const ServedCell& served) {
  HeaderChoice c;
  c.m = m.cell.m;
  c.threads = m.cell.threads;
  c.config = served.config;
  c.study = m.study.id;
  c.trial = served.trial;
  c.confirmed = served.confirmed;
  c.regret = served.regret;
  if (!served.trial) return c;
  if (const auto t = m.trials.find(*served.trial); t != m.trials.end()) c.error = t->second.error_fro;
  if (const auto e = m.estimates.find(*served.trial); e != m.estimates.end()) {
    c.ns_per_call = e->second.ns_per_call;
    c.gflops = e->second.gflops;
    c.ratio = e->second.ratio;
    c.ratio_lo = e->second.ratio_lo;
    c.ratio_hi = e->second.ratio_hi;
  }
  const StudyOutcome& outcome = m.study.outcome;
  if (outcome.best_trial == served.trial) {
    c.ties = outcome.ties;
    c.confidence = outcome.confidence;
  }
  c.noise_floor = outcome.noise_floor;
  if (outcome.tally.blocks > 0) {
    c.excluded = static_cast<double>(outcome.tally.excluded()) / static_cast<double>(outcome.tally.blocks);
  }
  return c;
}

Result<HeaderTable> table_of(const std::vector<Material>& all, double max_regret) {
  const StudyRecord& first = all.front().study;
  std::vector<Cell> cells;
  for (const Material& m : all) cells.push_back(m.cell);
  const auto d = choose_dispatch(first.key.problem, cells, max_regret);
  if (!d) return tl::unexpected(d.error());
  HeaderTable t;
  t.build = first.key.build;
  t.mode = d->mode;
  t.format = d->format;
  t.configs = d->configs;
  t.groups = d->groups;
  t.baseline = first.baseline;
  t.cache = first.key.cache;
  t.data = first.key.data;
  t.max_error = first.key.max_error;
  t.batch_invariant =
      std::all_of(all.begin(), all.end(), [](const Material& m) { return m.study.key.batch_invariant; });
  for (const Material& m : all) {
    const auto& bound = m.study.key.max_error;
    t.max_error = t.max_error && bound ? std::optional(std::max(*t.max_error, *bound)) : std::nullopt;
  }
  for (std::size_t i = 0; i < all.size(); ++i) t.choices.push_back(choice_of(all[i], d->cells[i]));
  return t;
}

// Choices that are surely slower than the baseline, or whose regret is larger than asked for or unknown.
void note_misses(const HeaderProblem& p, double max_regret, std::vector<std::string>& notes) {
  for (const HeaderTable& t : p.tables) {
    for (const HeaderChoice& c : t.choices) {
      if (c.ratio_hi && *c.ratio_hi < 1) {
        notes.push_back(fmt::format("{}: m = {} with {} thread{} runs at {:.3f} [{:.3f}, {:.3f}] of the speed of {}",
                                    key(p.problem), c.m, c.threads, c.threads == 1 ? "" : "s", *c.ratio, *c.ratio_lo,
                                    *c.ratio_hi, harmless(t.baseline)));
      }
      if (c.regret && *c.regret <= max_regret + 1e-9) continue;
      const std::string how = c.regret ? fmt::format("has a regret of {:.1f} %", *c.regret * 100)
                                       : "runs a config that was not measured there";
      notes.push_back(fmt::format("{}: m = {} with {} thread{} {} because one packing format serves all M",
                                  key(p.problem), c.m, c.threads, c.threads == 1 ? "" : "s", how));
    }
  }
}

}  // namespace

std::optional<Cell> cell_of_study(const StudyRecord& study, const std::vector<Trial>& trials,
                                  const std::vector<Subject>& subjects, const std::vector<Estimate>& estimates,
                                  const std::vector<Sample>& samples) {
  const std::map<TrialId, Estimate> best = best_estimates(subjects, estimates);
  const Times times(study, subjects, best, samples);
  const double floor = study.outcome.noise_floor.value_or(0);
  Cell cell{study.key.m, study.key.device.threads, study.attributes.weight, floor, {}, study.key.modes};
  std::erase_if(cell.modes, [&](ComputeMode m) { return exceeds_bound(study, trials, m); });
  for (const Trial& t : trials) {
    const auto e = best.find(t.id);
    // A pruned trial was verified and timed, then given up: its figure counts.
    const bool valid = t.state == TrialState::ok || t.state == TrialState::pruned;
    if (e == best.end() || !valid) continue;
    cell.candidates.push_back({t.id, t.config, times.ns(e->second), e->second.phase == Phase::confirm});
  }
  return cell.candidates.empty() ? std::nullopt : std::optional(std::move(cell));
}

Result<std::optional<Cell>> cell_of_study(const Store& store, const StudyRecord& study) {
  const auto rows = rows_of(store, study.id);
  if (!rows) return tl::unexpected(rows.error());
  return cell_of_study(study, rows->trials, rows->subjects, rows->estimates, rows->samples);
}

Result<ExportPlan> plan_export(const Store& store, const ExportRequest& request) {
  if (auto ns = parse_namespace(request.name_space); !ns) return tl::unexpected(ns.error());
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  auto selection = select_studies(*studies, {source_digest(), kSpaceVersion, request.filter});
  if (!selection) return tl::unexpected(selection.error());

  ExportPlan plan;
  plan.notes = std::move(selection->notes);
  plan.spec = {request.style,
               request.name_space,
               request.tool_version,
               request.date,
               selection->studies.front().key.device,
               request.max_regret,
               {}};
  // Studies of one problem stand together, and in them those of one compiler family.
  for (auto s = selection->studies.begin(); s != selection->studies.end();) {
    const Problem problem = s->key.problem;
    const CompilerFamily family = compiler_id(s->key.build).family;
    std::vector<Material> all;
    const std::string name = s->attributes.name;
    for (; s != selection->studies.end() && s->key.problem == problem && compiler_id(s->key.build).family == family;
         ++s) {
      auto m = read(store, *s);
      if (!m) return tl::unexpected(m.error());
      all.push_back(std::move(*m));
    }
    auto table = table_of(all, request.max_regret);
    if (!table) return tl::unexpected(table.error());
    auto& problems = plan.spec.problems;
    if (problems.empty() || !(problems.back().problem == problem)) problems.push_back({name, problem, {}});
    problems.back().tables.push_back(std::move(*table));
  }
  std::set<TrialId> shipped;
  for (const HeaderProblem& p : plan.spec.problems) {
    note_misses(p, request.max_regret, plan.notes);
    for (const HeaderTable& t : p.tables) {
      for (const HeaderChoice& c : t.choices) {
        if (c.trial) shipped.insert(*c.trial);
      }
    }
  }
  plan.trials.assign(shipped.begin(), shipped.end());
  return plan;
}

}  // namespace gemwright::tuner
