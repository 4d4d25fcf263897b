// What the store holds about the three subjects of a profile, and counting what it does not hold.
#include "app/model/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "app/model/contents.h"
#include "tuner/insight/traffic.h"
#include "tuner/study/measure_protocol.h"

namespace gemwright::app {

using tuner::fail;
using tuner::Result;
using tuner::StudyRecord;
using tuner::Trial;
using tuner::TrialId;

namespace {

// Everything of the study that subjects are made from.
struct Source {
  const StudyRecord& study;
  StudyContents contents;
  std::vector<tuner::StudyCeiling> ceilings;
  std::vector<tuner::SubjectCounter> counters;
};

Result<Source> source_of(const tuner::Store& store, const StudyRecord& study) {
  auto contents = study_contents(store, study.id);
  if (!contents) return tl::unexpected(contents.error());
  auto ceilings = store.ceilings(study.id);
  if (!ceilings) return tl::unexpected(ceilings.error());
  auto counters = store.counters(study.id);
  if (!counters) return tl::unexpected(counters.error());
  return Source{study, std::move(*contents), std::move(*ceilings), std::move(*counters)};
}

ProfiledSubject subject_from(const Source& s, tuner::SubjectId id) {
  ProfiledSubject out;
  out.subject = id;
  out.figure = best_figure(s.contents, s.study, id, baseline_of(s.contents, s.study));
  for (const tuner::SubjectCounter& c : s.counters) {
    if (c.subject == id) out.counters.push_back(c.counter);
  }
  return out;
}

ProfiledSubject trial_subject(const Source& s, const Trial& trial, std::string role) {
  ProfiledSubject out = subject_from(s, *subject_of(s.contents, trial.id));
  out.role = std::move(role);
  out.name = fmt::format("trial {}", trial.id);
  out.trial = trial;
  out.roofline = roofline_trial(s.study, s.contents, s.ceilings, trial);
  return out;
}

// The winner, or beside the winner the fastest other that was confirmed.
const Trial* rival_of(const Source& s, TrialId trial) {
  std::map<TrialId, double> confirmed;
  for (const tuner::Estimate& e : s.contents.estimates) {
    const auto subject = std::find_if(s.contents.subjects.begin(), s.contents.subjects.end(),
                                      [&](const tuner::Subject& x) { return x.id == e.subject; });
    if (e.phase != tuner::Phase::confirm || subject == s.contents.subjects.end() || !subject->trial) continue;
    confirmed[*subject->trial] = e.gflops;
  }
  const Trial* best = nullptr;
  double gflops = 0;
  for (const Trial& t : s.contents.trials) {
    if (t.id == trial) continue;
    if (t.id == s.study.outcome.best_trial && subject_of(s.contents, t.id)) return &t;
    const auto figure = confirmed.find(t.id);
    if (figure == confirmed.end() || figure->second <= gflops) continue;
    best = &t;
    gflops = figure->second;
  }
  return best;
}

bool to_be_counted(const std::optional<ProfiledSubject>& s, bool again) { return s && (again || s->counters.empty()); }

std::int64_t calls_of_a_block(const StudyRecord& study, const ProfiledSubject& s) {
  auto protocol = tuner::measure_protocol(study.attributes.protocol);
  if (!protocol) protocol = tuner::measure_protocol("normal");
  if (!protocol || !s.figure || !(s.figure->ns_per_call > 0)) return 1;
  return std::max<std::int64_t>(1, std::llround(protocol->block_ns / s.figure->ns_per_call));
}

Result<void> count_one(tuner::Store& store, tuner::Measurer& measurer, const StudyRecord& study,
                       const ProfiledSubject& s, int handle) {
  std::vector<profilers::Counter> all;
  if (s.trial) all = tuner::traffic_of(study.key, s.trial->config);
  const auto observed = measurer.count(handle, calls_of_a_block(study, s));
  if (!observed) return tl::unexpected(observed.error());
  all.insert(all.end(), observed->begin(), observed->end());
  return store.set_counters(s.subject, all);
}

}  // namespace

const profilers::Counter* ProfiledSubject::find(std::string_view provider, std::string_view counter) const {
  const auto it = std::find_if(counters.begin(), counters.end(), [&](const profilers::Counter& c) {
    return c.provider == provider && c.name == counter;
  });
  return it == counters.end() ? nullptr : &*it;
}

Result<Profile> profile_of(const tuner::Store& store, const Operand& operand) {
  const auto chosen = compared_trial(store, operand);
  if (!chosen) return tl::unexpected(chosen.error());
  const auto source = source_of(store, chosen->study);
  if (!source) return tl::unexpected(source.error());
  Profile p;
  p.study = chosen->study;
  const bool winner = chosen->trial.id == p.study.outcome.best_trial;
  p.subject = trial_subject(*source, chosen->trial, winner ? "winner" : "trial");
  if (const Trial* rival = rival_of(*source, chosen->trial.id)) {
    const bool best = rival->id == p.study.outcome.best_trial;
    p.rival = trial_subject(*source, *rival, best ? "winner" : winner ? "runner-up" : "best other");
    const auto compared = compared_trial(store, {OperandKind::trial, "", rival->id, ""});
    if (compared) p.over_rival = tuner::speed_ratio(compared->timed, chosen->timed, true);
  }
  if (const auto baseline = baseline_of(source->contents, p.study)) {
    p.baseline = subject_from(*source, *baseline);
    p.baseline->role = "baseline";
    p.baseline->name = p.study.baseline;
  }
  return p;
}

Result<void> check_same_machine(const StudyRecord& study, const tuner::Device& device, const tuner::Build& build) {
  if (study.key.device.fingerprint != device.fingerprint) {
    return fail(fmt::format("study {} was measured on another device ({}): only there its configs can be counted",
                            study.id, study.key.device.name));
  }
  if (study.key.build.digest != build.digest) {
    return fail(
        fmt::format("study {} is of another build ({}): this gemwright with {} makes other code of its configs, "
                    "so tune again and profile that",
                    study.id, study.key.build.compiler_version, build.compiler_version));
  }
  return {};
}

Result<void> count_subjects(tuner::Store& store, tuner::Measurer& measurer, const Profile& p, bool again) {
  const tuner::StudyKey& k = p.study.key;
  const auto setup = measurer.setup(
      {k.problem, k.m, k.device.threads, k.data, p.study.attributes.seed, k.cache, k.cache_bytes, k.build.compiler});
  if (!setup) return tl::unexpected(setup.error());
  for (const std::optional<ProfiledSubject>& s : {std::optional(p.subject), p.rival}) {
    if (!to_be_counted(s, again)) continue;
    const auto admission = measurer.admit(s->trial->config);
    if (!admission) return tl::unexpected(admission.error());
    if (admission->state != tuner::TrialState::ok) {
      return fail(fmt::format("{} cannot be counted: {}", s->name, admission->reason));
    }
    if (const auto r = count_one(store, measurer, p.study, *s, admission->handle); !r) return r;
    if (const auto r = measurer.drop(admission->handle); !r) return r;
  }
  // A baseline of another version is another subject.
  if (!to_be_counted(p.baseline, again) || setup->baseline != p.baseline->name) return {};
  return count_one(store, measurer, p.study, *p.baseline, setup->baseline_handle);
}

}  // namespace gemwright::app
