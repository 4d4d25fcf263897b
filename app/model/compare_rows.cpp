// Comparisons as text tables and as rows of JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "app/model/compare.h"
#include "app/model/rows.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {

using nlohmann::json;
using profilers::Counter;
using tuner::SlowerCheck;
using tuner::StudyRecord;

namespace {

template <class T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}

// Of a line that names a database.
constexpr std::size_t kMaxPath = 1024;

// Of check_slower, milder first.
constexpr std::array<const char*, 3> kCheckTexts = {"within", "uncertain", "slower"};

const char* basis_name(tuner::Basis b) {
  return b == tuner::Basis::same_rounds ? "same_rounds" : b == tuner::Basis::baseline ? "baseline" : "anchor";
}

// What both sides did with one counter.
struct CounterPair {
  const Counter *a = nullptr, *b = nullptr;

  bool has_values() const {
    return a != nullptr && b != nullptr && a->value && b->value && a->calls > 0 && b->calls > 0;
  }
  double per_call_a() const { return *a->value / static_cast<double>(a->calls); }
  double per_call_b() const { return *b->value / static_cast<double>(b->calls); }
  const Counter& any() const { return a != nullptr ? *a : *b; }
};

// In the order of A; nothing where one of the two was not counted at all.
std::vector<CounterPair> counter_pairs(const TrialComparison& c) {
  if (c.a.counters.empty() || c.b.counters.empty()) return {};
  std::vector<CounterPair> out;
  std::map<std::pair<std::string, std::string>, std::size_t> place;
  for (const Counter& counter : c.a.counters) {
    if (place.emplace(std::pair(counter.provider, counter.name), out.size()).second) out.push_back({&counter, nullptr});
  }
  for (const Counter& counter : c.b.counters) {
    const auto [it, inserted] = place.emplace(std::pair(counter.provider, counter.name), out.size());
    if (inserted) {
      out.push_back({nullptr, &counter});
    } else {
      out[it->second].b = &counter;
    }
  }
  return out;
}

std::string scalar_text(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// Fields of the two configs that differ, in the order of the alphabet.
std::vector<std::array<std::string, 3>> config_changes(const TrialComparison& c) {
  const json a = tuner::to_json(c.a.trial.config), b = tuner::to_json(c.b.trial.config);
  std::vector<std::array<std::string, 3>> out;
  for (const auto& [field, value] : a.items()) {
    if (value != b.at(field)) out.push_back({field, scalar_text(value), scalar_text(b.at(field))});
  }
  return out;
}

std::string figure_ratio(const ComparedTrial& t) {
  return t.figure ? ratio_text(t.figure->ratio, t.figure->ratio_lo, t.figure->ratio_hi) : "-";
}

std::string error_text(const ComparedTrial& t) {
  return t.trial.error_fro ? fmt::format("{:.1e}", *t.trial.error_fro) : "-";
}

std::string over_text(const TrialComparison& c) {
  const std::string &a = c.a.study.baseline, &b = c.b.study.baseline;
  return a == b && !a.empty() ? "over " + a : "over its baseline";
}

std::string counters_table(const TrialComparison& c) {
  const ComparedCounters counters = compared_counters(c);
  std::vector<std::vector<std::string>> rows;
  for (const ComparedCounter& r : counters.rows) {
    rows.push_back({r.name, r.unit, fmt::format("{:.4g}", r.a), fmt::format("{:.4g}", r.b),
                    r.a > 0 ? fmt::format("{:.3f}", r.b / r.a) : "-", r.status});
  }
  if (rows.empty() && counters.missing == 0) return {};
  std::string text = "\n";
  if (!rows.empty()) {
    text += table({{"counter, per call"}, {"unit"}, {"A", true}, {"B", true}, {"B/A", true}, {"status"}}, rows);
  }
  if (counters.missing > 0) {
    text += fmt::format("{} counter{} without a value in A or B\n", counters.missing, counters.missing == 1 ? "" : "s");
  }
  return text;
}

std::string title(const TrialComparison& c) {
  const StudyRecord& s = c.a.study;
  return fmt::format("{} M={}", tuner::key(s.key.problem), s.key.m);
}

json differences_json(const TrialComparison& c) {
  json out = json::array();
  for (const tuner::Difference& d : c.differences) out.push_back({{"what", d.what}, {"a", d.a}, {"b", d.b}});
  return out;
}

json config_json(const TrialComparison& c) {
  const json a = tuner::to_json(c.a.trial.config), b = tuner::to_json(c.b.trial.config);
  json out = json::object();
  for (const auto& [field, value] : a.items()) {
    if (value != b.at(field)) out[field] = {{"a", value}, {"b", b.at(field)}};
  }
  return out;
}

void add_side(json& row, const std::string& side, const ComparedTrial& t) {
  row[side + "_study"] = t.study.id;
  row[side + "_trial"] = t.trial.id;
  row[side + "_state"] = tuner::to_text(t.trial.state);
  row[side + "_label"] = tuner::label(t.trial.config);
  row[side + "_threads"] = t.study.key.device.threads;
  row[side + "_gflops"] = t.figure ? json(t.figure->gflops) : json(nullptr);
  row[side + "_ratio"] = t.figure ? or_null(t.figure->ratio) : json(nullptr);
  row[side + "_error"] = or_null(t.trial.error_fro);
  row[side + "_error_max"] = or_null(t.trial.error_max);
}

void add_check(json& row, std::optional<double> allowed, std::optional<SlowerCheck> check) {
  row["allowed"] = or_null(allowed);
  row["slower_check"] = check ? json(kCheckTexts.at(static_cast<std::size_t>(*check))) : json(nullptr);
  row["slower_than_allowed"] = check ? json(*check == SlowerCheck::slower) : json(nullptr);
}

std::optional<SlowerCheck> check_of(const TrialComparison& c, std::optional<double> allowed) {
  if (!allowed || !c.ratio) return std::nullopt;
  const auto hi = c.ratio->contradicted() ? std::nullopt : c.ratio->hi;
  return tuner::check_slower(c.ratio->ratio, hi, c.noise_floor, *allowed);
}

json comparison_row(const TrialComparison& c, const std::string& kind, const CompareLabels& labels,
                    std::optional<double> allowed) {
  json row{{"type", "compare"},
           {"kind", kind},
           {"a", labels.a},
           {"b", labels.b},
           {"name", c.a.study.attributes.name},
           {"problem", tuner::key(c.a.study.key.problem)},
           {"m", c.a.study.key.m},
           {"separated", c.verdict.separated},
           {"verdict", c.verdict.text},
           {"differences", differences_json(c)},
           {"config", config_json(c)}};
  row["ratio"] = c.ratio ? json(c.ratio->ratio) : json(nullptr);
  row["ratio_lo"] = c.ratio ? or_null(c.ratio->lo) : json(nullptr);
  row["ratio_hi"] = c.ratio ? or_null(c.ratio->hi) : json(nullptr);
  row["ratio_by_anchor"] = c.ratio ? or_null(c.ratio->by_anchor) : json(nullptr);
  row["contradicted"] = c.ratio ? json(c.ratio->contradicted()) : json(nullptr);
  row["basis"] = c.ratio ? json(basis_name(c.ratio->basis)) : json(nullptr);
  row["confirmed"] = c.ratio ? json(c.ratio->confirmed_a && c.ratio->confirmed_b) : json(nullptr);
  row["a_rounds"] = c.ratio ? json(c.ratio->rounds_a) : json(nullptr);
  row["b_rounds"] = c.ratio ? json(c.ratio->rounds_b) : json(nullptr);
  row["noise_floor"] = c.noise_floor > 0 ? json(c.noise_floor) : json(nullptr);
  add_side(row, "a", c.a);
  add_side(row, "b", c.b);
  add_check(row, allowed, check_of(c, allowed));
  return row;
}

json counter_row(const CounterPair& p) {
  const bool values = p.has_values();
  json row{{"type", "compare_counter"},
           {"provider", p.any().provider},
           {"name", p.any().name},
           {"unit", p.any().unit},
           {"a", values ? json(p.per_call_a()) : json(nullptr)},
           {"b", values ? json(p.per_call_b()) : json(nullptr)}};
  row["a_status"] = p.a != nullptr ? json(profilers::to_text(p.a->status)) : json(nullptr);
  row["b_status"] = p.b != nullptr ? json(profilers::to_text(p.b->status)) : json(nullptr);
  return row;
}

// The comparison with the smallest ratio.
const TrialComparison* worst_of(const DatabaseComparison& d) {
  const TrialComparison* worst = nullptr;
  for (const TrialComparison& c : d.studies) {
    if (c.ratio && (worst == nullptr || c.ratio->ratio < worst->ratio->ratio)) worst = &c;
  }
  return worst;
}

std::string short_verdict(const TrialComparison& c) {
  if (!c.ratio) return "not comparable";
  if (c.ratio->contradicted()) return "contradictory";
  if (c.verdict.separated) return c.ratio->ratio > 1 ? "faster" : "slower";
  return c.ratio->lo ? "not separated" : "too few rounds";
}

std::string differences_text(const TrialComparison& c) {
  std::string text;
  for (const tuner::Difference& d : c.differences) text += (text.empty() ? "" : ", ") + d.what;
  if (c.ratio && c.ratio->basis == tuner::Basis::anchor) text += text.empty() ? "by the anchor" : "; by the anchor";
  return text;
}

std::string counts_text(const char* side, const tuner::MatchCounts& n) {
  std::string text;
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(n.unmatched, "without counterpart");
  add(n.superseded, "superseded by a newer one");
  add(n.unfinished, "without a confirmed winner");
  return text.empty() ? text : fmt::format("not compared of {}: {}\n", side, text);
}

json counts_json(const tuner::MatchCounts& n) {
  return {{"unmatched", n.unmatched}, {"superseded", n.superseded}, {"unfinished", n.unfinished}};
}

}  // namespace

ComparedCounters compared_counters(const TrialComparison& c) {
  ComparedCounters out;
  for (const CounterPair& p : counter_pairs(c)) {
    if (!p.has_values()) {
      ++out.missing;
      continue;
    }
    std::string status(profilers::to_text(p.a->status));
    if (p.b->status != p.a->status) status += fmt::format(" / {}", profilers::to_text(p.b->status));
    out.rows.push_back({p.a->provider + ": " + p.a->name, p.a->unit, status, p.per_call_a(), p.per_call_b()});
  }
  return out;
}

std::vector<ComparedRow> compared_rows(const TrialComparison& c) {
  std::vector<ComparedRow> rows;
  rows.push_back({"study", std::to_string(c.a.study.id), std::to_string(c.b.study.id)});
  rows.push_back({"trial", std::to_string(c.a.trial.id), std::to_string(c.b.trial.id)});
  if (c.a.trial.state != tuner::TrialState::ok || c.b.trial.state != tuner::TrialState::ok) {
    rows.push_back(
        {"state", std::string(tuner::to_text(c.a.trial.state)), std::string(tuner::to_text(c.b.trial.state))});
  }
  const auto gflops = [](const ComparedTrial& t) { return t.figure ? number_text(t.figure->gflops, 1) : "-"; };
  rows.push_back({"GFLOP/s", gflops(c.a), gflops(c.b)});
  rows.push_back({over_text(c), figure_ratio(c.a), figure_ratio(c.b)});
  rows.push_back({"error", error_text(c.a), error_text(c.b)});
  for (const tuner::Difference& d : c.differences) rows.push_back({d.what, d.a, d.b});
  rows.push_back({"config", tuner::label(c.a.trial.config), tuner::label(c.b.trial.config)});
  for (const auto& [field, a, b] : config_changes(c)) rows.push_back({field, a, b, true});
  return rows;
}

std::string comparison_text(const TrialComparison& c, const CompareLabels& labels) {
  std::vector<std::vector<std::string>> rows{{"named", labels.a, labels.b}};
  for (const ComparedRow& r : compared_rows(c)) rows.push_back({(r.config ? "  " : "") + r.what, r.a, r.b});
  std::string text = fmt::format("{}\n{}", c.verdict.text, title(c));
  if (c.ratio) text += fmt::format("; {}", tuner::basis_text(*c.ratio, tuner::printable(c.a.study.baseline)));
  return text + "\n\n" + table({{""}, {"A"}, {"B"}}, rows) + counters_table(c);
}

std::string comparison_text(const DatabaseComparison& d, const CompareLabels& labels) {
  std::vector<std::vector<std::string>> rows;
  for (const TrialComparison& c : d.studies) {
    const StudyRecord &a = c.a.study, &b = c.b.study;
    const auto ratio = c.ratio ? ratio_text(c.ratio->ratio, c.ratio->lo, c.ratio->hi) : "-";
    rows.push_back(
        {a.attributes.name, std::to_string(a.key.m), std::to_string(a.key.problem.n), std::to_string(a.key.problem.k),
         tuner::epilogue_text(a.key.problem.chain), std::to_string(a.key.device.threads),
         std::string(tuner::to_text(a.key.cache)), a.key.build.compiler, std::to_string(a.id), std::to_string(b.id),
         c.a.figure ? number_text(c.a.figure->gflops, 1) : "-", c.b.figure ? number_text(c.b.figure->gflops, 1) : "-",
         ratio, short_verdict(c), differences_text(c)});
  }
  std::string text =
      fmt::format("A {}\nB {}\n\n", tuner::printable(labels.a, kMaxPath), tuner::printable(labels.b, kMaxPath));
  text += table({{"name"},
                 {"M", true},
                 {"N", true},
                 {"K", true},
                 {"chain"},
                 {"threads", true},
                 {"cache"},
                 {"compiler"},
                 {"A study", true},
                 {"B study", true},
                 {"A GFLOP/s", true},
                 {"B GFLOP/s", true},
                 {"B/A [95 %]"},
                 {"B is"},
                 {"differs in"}},
                rows);
  if (d.mean) {
    text += fmt::format("\ngeometric mean of {} {}: {}\n", d.mean->studies, d.mean->studies == 1 ? "study" : "studies",
                        d.verdict.text);
  }
  if (const TrialComparison* worst = worst_of(d)) {
    text +=
        fmt::format("worst: study {} of A, {} of B: {}\n", worst->a.study.id, worst->b.study.id, worst->verdict.text);
  }
  return text + counts_text("A", d.a) + counts_text("B", d.b);
}

std::vector<json> comparison_rows(const TrialComparison& c, const CompareLabels& labels,
                                  std::optional<double> allowed) {
  std::vector<json> rows{comparison_row(c, "trial", labels, allowed)};
  for (const CounterPair& p : counter_pairs(c)) rows.push_back(counter_row(p));
  rows.front()["version"] = kJsonVersion;
  return rows;
}

std::vector<json> comparison_rows(const DatabaseComparison& d, const CompareLabels& labels,
                                  std::optional<double> allowed) {
  std::vector<json> rows;
  std::optional<SlowerCheck> check;
  if (allowed && d.mean) check = tuner::check_slower(d.mean->ratio, d.mean->hi, 0, *allowed);
  for (const TrialComparison& c : d.studies) {
    rows.push_back(comparison_row(c, "study", labels, allowed));
    if (const auto of_study = check_of(c, allowed)) check = std::max(check.value_or(*of_study), *of_study);
  }
  json all{{"type", "compare"},
           {"version", kJsonVersion},
           {"kind", "database"},
           {"a", labels.a},
           {"b", labels.b},
           {"matched", d.studies.size()},
           {"studies", d.mean ? d.mean->studies : 0},
           {"separated", d.verdict.separated},
           {"verdict", d.verdict.text},
           {"a_left", counts_json(d.a)},
           {"b_left", counts_json(d.b)}};
  all["ratio"] = d.mean ? json(d.mean->ratio) : json(nullptr);
  all["ratio_lo"] = d.mean ? or_null(d.mean->lo) : json(nullptr);
  all["ratio_hi"] = d.mean ? or_null(d.mean->hi) : json(nullptr);
  const TrialComparison* const worst = worst_of(d);
  all["worst"] = worst != nullptr ? json(worst->ratio->ratio) : json(nullptr);
  all["worst_a_study"] = worst != nullptr ? json(worst->a.study.id) : json(nullptr);
  all["worst_b_study"] = worst != nullptr ? json(worst->b.study.id) : json(nullptr);
  add_check(all, allowed, check);
  rows.insert(rows.begin(), std::move(all));
  return rows;
}

}  // namespace gemwright::app
