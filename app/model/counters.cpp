#include "app/model/counters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "app/model/rows.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {

using nlohmann::json;
using tuner::Result;
using tuner::Subject;

namespace {

// From so many on, counters of one provider that are missing for one reason are told in one line.
constexpr std::size_t kFolded = 3;
// Of a reason: foreign text on one line.
constexpr std::size_t kMaxSentence = 1024;

// Missing counters that have provider and reason in common.
struct MissingGroup {
  std::string provider, reason;
  std::set<std::string> names;
  std::set<std::pair<tuner::StudyId, std::string>> subjects;
};

std::vector<MissingGroup> missing_groups(const std::vector<CounterLine>& lines) {
  std::vector<MissingGroup> out;
  for (const CounterLine& l : lines) {
    const profilers::Counter& c = l.counter;
    if (c.value) continue;
    auto group = std::find_if(out.begin(), out.end(),
                              [&](const MissingGroup& g) { return g.provider == c.provider && g.reason == c.reason; });
    if (group == out.end()) group = out.insert(out.end(), {c.provider, c.reason, {}, {}});
    group->names.insert(c.name);
    group->subjects.emplace(l.study, l.subject);
  }
  return out;
}

std::string sentence(const MissingGroup& g, std::size_t subjects) {
  std::string of;
  if (g.subjects.size() < subjects) {
    std::vector<std::string> names;
    for (const auto& [study, name] : g.subjects) names.push_back(name);
    of = fmt::format(" of {}", fmt::join(names, ", "));
  }
  const std::string what = g.names.size() == 1 ? *g.names.begin() + " is" : fmt::format("{} counters", g.names.size());
  return fmt::format("{}: {} missing{}: {}", g.provider, what, of, g.reason);
}

std::size_t count_subjects(const std::vector<CounterLine>& lines) {
  std::set<std::pair<tuner::StudyId, std::string>> subjects;
  for (const CounterLine& l : lines) subjects.emplace(l.study, l.subject);
  return subjects.size();
}

Result<void> add_lines(const tuner::Store& store, tuner::StudyId study, std::vector<CounterLine>& out) {
  auto counters = store.counters(study);
  if (!counters) return tl::unexpected(counters.error());
  if (counters->empty()) return {};
  const std::size_t before = out.size();
  const auto subjects = store.subjects(study);
  if (!subjects) return tl::unexpected(subjects.error());
  std::map<tuner::SubjectId, const Subject*> by_id;
  for (const Subject& s : *subjects) by_id[s.id] = &s;
  for (tuner::SubjectCounter& c : *counters) {
    const auto subject = by_id.find(c.subject);
    if (subject == by_id.end()) continue;
    const Subject& s = *subject->second;
    out.push_back({study, s.trial, s.trial ? fmt::format("trial {}", *s.trial) : s.name, std::move(c.counter)});
  }
  // Trials first.
  std::stable_partition(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                        [](const CounterLine& l) { return l.trial.has_value(); });
  return {};
}

}  // namespace

std::optional<double> CounterLine::per_call() const {
  if (!counter.value || counter.calls < 1) return std::nullopt;
  return *counter.value / static_cast<double>(counter.calls);
}

Result<std::vector<CounterLine>> counter_lines(const tuner::Store& store, const Filter& filter) {
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  std::vector<CounterLine> out;
  for (const tuner::StudyRecord& s : *studies) {
    if (const auto r = add_lines(store, s.id, out); !r) return tl::unexpected(r.error());
  }
  if (const auto r = check_fields(filter, counter_row({})); !r) return tl::unexpected(r.error());
  std::erase_if(out, [&](const CounterLine& l) { return !filter.matches(counter_row(l)); });
  return out;
}

json counter_row(const CounterLine& l) {
  const profilers::Counter& c = l.counter;
  json row{{"type", "counter"},
           {"study", l.study},
           {"subject", l.subject},
           {"provider", c.provider},
           {"name", c.name},
           {"unit", c.unit},
           {"status", profilers::to_text(c.status)},
           {"value", or_null(l.per_call())},
           {"calls", c.calls}};
  row["trial"] = l.trial ? json(*l.trial) : json(nullptr);
  row["reason"] = c.reason.empty() ? json(nullptr) : json(c.reason);
  return row;
}

std::string counters_table(const std::vector<CounterLine>& lines) {
  const std::size_t subjects = count_subjects(lines);
  std::vector<std::string> folded;
  std::set<std::pair<std::string, std::string>> told;
  for (const MissingGroup& g : missing_groups(lines)) {
    if (g.names.size() < kFolded) continue;
    folded.push_back(sentence(g, subjects));
    told.emplace(g.provider, g.reason);
  }
  std::vector<std::vector<std::string>> rows;
  for (const CounterLine& l : lines) {
    const profilers::Counter& c = l.counter;
    if (!c.value && told.contains({c.provider, c.reason})) continue;
    const auto value = l.per_call();
    rows.push_back({std::to_string(l.study), l.subject, c.provider, c.name, value ? four_digits(*value) : "-", c.unit,
                    std::string(profilers::to_text(c.status)), c.reason});
  }
  std::string text;
  if (!rows.empty()) {
    text = table(
        {{"study", true}, {"subject"}, {"provider"}, {"counter"}, {"per call", true}, {"unit"}, {"status"}, {"reason"}},
        rows);
  }
  if (!rows.empty() && !folded.empty()) text += "\n";
  for (const std::string& line : folded) text += tuner::printable(line, kMaxSentence) + "\n";
  return text;
}

std::vector<std::string> missing_counters(const std::vector<CounterLine>& lines) {
  const std::size_t subjects = count_subjects(lines);
  std::vector<std::string> out;
  for (const MissingGroup& g : missing_groups(lines)) out.push_back(sentence(g, subjects));
  return out;
}

}  // namespace gemwright::app
