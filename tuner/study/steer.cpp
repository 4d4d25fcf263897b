#include "tuner/study/steer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "tuner/problem/input_text.h"
#include "tuner/study/budget.h"

namespace gemwright::tuner {
namespace {

// Enumerations have fewer values than this; larger values are plain numbers.
constexpr std::int64_t kNamedValues = 64;

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> value_named(Param param, std::string_view text) {
  for (std::int64_t v = 0; v < kNamedValues; ++v) {
    if (value_text(param, v) == text) return v;
  }
  const auto number = whole(text);
  return number && *number >= 0 && value_text(param, *number) == text ? number : std::nullopt;
}

// Whether some tile or blocking of a mode can have the value.
bool possible_in(ComputeMode mode, Param param, std::int64_t v) {
  for (int family = 0; family < gemwright::family_count; ++family) {
    for (const int unroll : {1, 2, 4, 8}) {
      Config c;
      c.mode = mode;
      c.tile = {static_cast<gemwright::isa>(family), 1, 1, unroll, 1, gemwright::prefetch::none};
      c.format.panel = nr(c.tile);
      c.blocking = {1, 1, 1, gemwright::loop_order::mnk, false, gemwright::a_packing::none, 1, 1, 1, 0};
      set_value(c, param, v);
      if (value(c, param) == v && config_from_json(to_json(c))) return true;
    }
  }
  return false;
}

bool possible(Param param, std::int64_t v) {
  for (int mode = 0; mode < gemwright::compute_mode_count; ++mode) {
    if (possible_in(static_cast<ComputeMode>(mode), param, v)) return true;
  }
  return false;
}

}  // namespace

std::optional<Steering::Choice> Steering::parse_choice(std::string_view argument) {
  const std::size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  for (const Parameter& p : parameters()) {
    if (p.name != argument.substr(0, equals)) continue;
    const auto v = value_named(p.id, argument.substr(equals + 1));
    return v && possible(p.id, *v) ? std::optional(Choice{p.id, *v}) : std::nullopt;
  }
  return std::nullopt;
}

Result<void> check_event(EventKind kind, std::string_view argument) {
  const std::string shown = printable(argument, 80);
  if (kind == EventKind::again) {
    const auto trial = whole(argument);
    if (!trial || *trial < 1) return fail(fmt::format("again {}: name a trial by its number", shown), ErrorKind::usage);
  } else if (kind == EventKind::extend) {
    if (const auto budget = parse_budget(argument); !budget) return tl::unexpected(budget.error());
  } else if (kind == EventKind::pin || kind == EventKind::veto) {
    if (!Steering::is_choice(argument)) {
      std::string names;
      for (const Parameter& p : parameters()) names += fmt::format("{}{}", names.empty() ? "" : ", ", p.name);
      return fail(
          fmt::format(
              "{} '{}': write PARAMETER=VALUE, as mr=8, with a value that a kernel can have; the parameters are "
              "{}",
              to_text(kind), shown, names),
          ErrorKind::usage);
    }
  } else if (!argument.empty()) {
    return fail(fmt::format("{} takes no argument", to_text(kind)), ErrorKind::usage);
  }
  return {};
}

std::vector<std::string> Steering::texts(const std::vector<Choice>& choices) {
  std::vector<std::string> out;
  for (const Choice& c : choices) {
    for (const Parameter& p : parameters()) {
      if (p.id == c.param) out.push_back(fmt::format("{}={}", p.name, value_text(c.param, c.value)));
    }
  }
  return out;
}

void Steering::apply(const StudyEvent& event) {
  switch (event.kind) {
    case EventKind::pause:
      paused_ = true;
      break;
    case EventKind::resume:
      paused_ = false;
      break;
    case EventKind::stop:
      // One that took effect in an earlier sitting ended that sitting's search.
      stopped_ = stopped_ || !event.applied_round;
      paused_ = false;
      break;
    case EventKind::again:
      if (const auto trial = whole(event.argument); trial && !event.applied_round) again_.push_back(*trial);
      break;
    case EventKind::pin:
      if (const auto choice = parse_choice(event.argument)) {
        std::erase_if(pins_, [&](const Choice& c) { return c.param == choice->param; });
        std::erase(vetoes_, *choice);
        pins_.push_back(*choice);
      }
      break;
    case EventKind::veto:
      if (const auto choice = parse_choice(event.argument)) {
        if (std::erase(pins_, *choice) == 0) vetoes_.push_back(*choice);
      }
      break;
    case EventKind::extend:
      if (const auto budget = parse_budget(event.argument)) extensions_.push_back(*budget);
      break;
  }
}

Budget Steering::extended(Budget budget) const {
  for (const Budget& more : extensions_) {
    if (more.trials && budget.trials) *budget.trials += *more.trials;
    if (more.seconds && !budget.trials) budget.seconds = seconds_of(budget) + *more.seconds;
  }
  return budget;
}

bool Steering::admits(const Config& config) const {
  const auto has = [&](const Choice& c) { return value(config, c.param) == c.value; };
  return std::all_of(pins_.begin(), pins_.end(), has) && std::none_of(vetoes_.begin(), vetoes_.end(), has);
}

bool Steering::allows(Param param, std::int64_t value) const {
  const auto other = [&](const Choice& c) { return c.param == param && c.value != value; };
  return std::none_of(pins_.begin(), pins_.end(), other) &&
         std::find(vetoes_.begin(), vetoes_.end(), Choice{param, value}) == vetoes_.end();
}

std::optional<Config> Steering::steered(const SpaceInput& space, const Config& config) const {
  if (admits(config)) return config;
  Config changed = config;
  for (const Choice& pin : pins_) set_value(changed, pin.param, pin.value);
  // A pinned mode may need another family than the config has; the widest one, unless that is pinned too.
  const auto is_family = [](const Choice& c) { return c.param == Param::isa; };
  if (changed.mode != config.mode && std::none_of(pins_.begin(), pins_.end(), is_family)) {
    changed.tile.family = widest_family(space, changed.mode).value_or(changed.tile.family);
  }
  const auto valid = repaired(space, changed);
  return valid && admits(*valid) ? valid : std::nullopt;
}

}  // namespace gemwright::tuner
