#include "app/model/steer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "app/model/figures.h"
#include "tuner/problem/input_text.h"
#include "tuner/study/steer.h"

namespace gemwright::app {

using tuner::ErrorKind;
using tuner::EventKind;
using tuner::fail;
using tuner::Result;
using tuner::StudyState;

bool paused(const std::vector<tuner::StudyEvent>& events) {
  tuner::Steering steering;
  for (const tuner::StudyEvent& e : events) steering.apply(e);
  return steering.paused();
}

std::string restrictions_text(const std::vector<tuner::StudyEvent>& events) {
  tuner::Steering steering;
  for (const tuner::StudyEvent& e : events) steering.apply(e);
  std::vector<std::string> all;
  for (const std::string& pin : steering.pins()) all.push_back(pin + " only");
  for (const std::string& veto : steering.vetoes()) all.push_back("not " + veto);
  return fmt::format("{}", fmt::join(all, ", "));
}

namespace {

// What the plan depends on.
struct Subject {
  StudyFigures figures;
  bool paused = false, starting = false;
  std::vector<tuner::StudyEvent> events;

  bool running() const { return figures.runner_alive == true; }
  std::string state() const {
    return figures.abandoned() ? "abandoned" : std::string(tuner::to_text(figures.study.state));
  }
};

Result<Subject> find_study(const tuner::Store& store, tuner::StudyId id) {
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  for (const tuner::StudyRecord& s : *studies) {
    if (s.id != id) continue;
    auto figures = study_figures(store, s);
    if (!figures) return tl::unexpected(figures.error());
    auto events = store.events(id);
    if (!events) return tl::unexpected(events.error());
    const bool is_paused = paused(*events);
    return Subject{std::move(*figures), is_paused, false, std::move(*events)};
  }
  return fail(fmt::format("there is no study {}: see 'gemwright show studies'", id));
}

Result<void> check_state(const Subject& s, EventKind kind) {
  const tuner::StudyId id = s.figures.study.id;
  if (s.starting) return {};
  if (kind == EventKind::pause && !s.running()) {
    return fail(fmt::format("study {} is not running (its state is {}): there is nothing to pause", id, s.state()));
  }
  if (kind == EventKind::stop && s.figures.study.state == StudyState::finished) {
    return fail(fmt::format("study {} is finished: there is nothing to stop", id));
  }
  return {};
}

Result<void> check_trial(const tuner::Store& store, const SteerRequest& r) {
  const auto trials = store.trials(r.study);
  if (!trials) return tl::unexpected(trials.error());
  const auto id = tuner::parse_count(r.argument);
  if (std::any_of(trials->begin(), trials->end(), [&](const tuner::Trial& t) { return t.id == id; })) return {};
  return fail(fmt::format("study {} has no trial {}: see 'gemwright show trials --filter study={}'", r.study,
                          r.argument, r.study));
}

// A study with a time for budget can be given more time only, one with a number of configs more of these.
Result<void> check_extension(const tuner::StudyRecord& study, const std::string& argument) {
  const auto more = tuner::parse_budget(argument);
  if (!more) return tl::unexpected(more.error());
  if (study.attributes.budget.trials.has_value() == more->trials.has_value()) return {};
  if (more->trials) {
    return fail(fmt::format("the budget of study {} is a time: extend it by a time, as 30s", study.id),
                ErrorKind::usage);
  }
  return fail(fmt::format("the budget of study {} is a number of configs: extend it by a number, as 100", study.id),
              ErrorKind::usage);
}

// Whether the study then tries what is pinned alone: a veto of it takes the pin back.
bool takes_pin_back(const Subject& s, const SteerRequest& r) {
  tuner::Steering before;
  for (const tuner::StudyEvent& e : s.events) before.apply(e);
  tuner::Steering after = before;
  tuner::StudyEvent veto;
  veto.kind = r.kind;
  veto.argument = r.argument;
  after.apply(veto);
  return r.kind == EventKind::veto && after.pins().size() < before.pins().size();
}

std::string effect(const Subject& s, const SteerRequest& r) {
  switch (r.kind) {
    case EventKind::pause:
      return fmt::format("study {} pauses until 'gemwright steer {} resume'", r.study, r.study);
    case EventKind::resume:
      return fmt::format("study {} goes on", r.study);
    case EventKind::stop:
      return fmt::format("study {} ends its search and confirms what it found", r.study);
    case EventKind::again:
      return fmt::format("trial {} of study {} is timed once more", r.argument, r.study);
    case EventKind::pin:
      return fmt::format("study {} tries only configs with {}", r.study, r.argument);
    case EventKind::veto:
      if (takes_pin_back(s, r)) {
        return fmt::format("study {} is free of the pin {} again: veto it once more to try none of these", r.study,
                           r.argument);
      }
      return fmt::format("study {} tries no configs with {}", r.study, r.argument);
    case EventKind::extend:
      break;
  }
  return fmt::format("study {} gets {} more", r.study,
                     tuner::parse_count(r.argument) ? r.argument + " configs" : r.argument);
}

std::string when(const Subject& s, EventKind kind) {
  if (s.running()) return "this takes effect between two blocks";
  if (s.starting) return "this takes effect as soon as it has started";
  const bool wakes = kind == EventKind::extend || kind == EventKind::again;
  if (s.figures.study.state == StudyState::finished && !wakes) {
    return fmt::format(
        "this takes effect when the study runs next: after 'gemwright steer {} extend', with the same tune command",
        s.figures.study.id);
  }
  return "this takes effect when the study runs next: with the same tune command";
}

}  // namespace

Result<SteerRequest> parse_steer(std::string_view study, std::string_view action, std::string_view argument) {
  const auto id = tuner::parse_count(study);
  if (!id || *id < 1) {
    return fail(fmt::format("steer {}: name a study by its number, see 'gemwright show studies'", tuner::quote(study)),
                ErrorKind::usage);
  }
  const auto kind = tuner::parse_event_kind(action);
  if (!kind) {
    return fail(fmt::format("steer {}: choose pause, resume, stop, again TRIAL, pin P=V, veto P=V or extend BUDGET",
                            tuner::quote(action)),
                ErrorKind::usage);
  }
  if (const auto r = tuner::check_event(*kind, argument); !r)
    return fail("steer: " + r.error().message, ErrorKind::usage);
  return SteerRequest{*id, *kind, std::string(argument)};
}

Result<void> check_shown(const tuner::Store& store, const ShownStudy& study, const std::string& database) {
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  const bool there = std::any_of(studies->begin(), studies->end(), [&](const tuner::StudyRecord& s) {
    return s.id == study.id && s.created_at == study.created_at.value_or(s.created_at);
  });
  if (there) return {};
  return fail(fmt::format("study {} that was shown is not in {} any more", study.id, database));
}

Result<SteerPlan> plan_steer(const tuner::Store& store, const SteerRequest& r, bool starting) {
  auto study = find_study(store, r.study);
  if (!study) return tl::unexpected(study.error());
  study->starting = starting;
  if (const auto ok = check_state(*study, r.kind); !ok) return tl::unexpected(ok.error());
  if (r.kind == EventKind::again) {
    if (const auto ok = check_trial(store, r); !ok) return tl::unexpected(ok.error());
  }
  if (r.kind == EventKind::extend) {
    if (const auto ok = check_extension(study->figures.study, r.argument); !ok) return tl::unexpected(ok.error());
  }
  if (r.kind == EventKind::pause && study->paused)
    return SteerPlan{false, fmt::format("study {} is paused already", r.study)};
  if (r.kind == EventKind::resume && !study->paused)
    return SteerPlan{false, fmt::format("study {} is not paused", r.study)};
  return SteerPlan{true, fmt::format("{}; {}", effect(*study, r), when(*study, r.kind))};
}

}  // namespace gemwright::app
