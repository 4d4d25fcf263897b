#include "app/model/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gemwright::app {

using nlohmann::json;
using tuner::Estimate;
using tuner::StudyRecord;
using tuner::Trial;

namespace {

// An interval whose ends differ by more than this factor says that one side was disturbed, not how fast it is.
constexpr double kUnsteady = 2;

// Columns of a terminal cell: UTF-8 continuation bytes take none.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Text from a database may hold control characters; none of them reaches a terminal.
std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
  return text;
}

// A study whose process is gone ended without saying so.
tuner::StudyState state_of(const StudyFigures& f) {
  return f.abandoned() ? tuner::StudyState::interrupted : f.study.state;
}

void add_outcome(json& row, const StudyRecord& s) {
  const tuner::StudyOutcome& o = s.outcome;
  row["best_trial"] = o.best_trial ? json(*o.best_trial) : json(nullptr);
  row["certified"] = o.best_trial ? json(o.certified()) : json(nullptr);
  row["ties"] = o.best_trial ? json(o.ties) : json(nullptr);
  row["confidence"] = or_null(o.confidence);
  row["lead"] = or_null(o.lead);
  row["lead_lo"] = or_null(o.lead_lo);
  row["lead_hi"] = or_null(o.lead_hi);
  row["noise_floor"] = or_null(o.noise_floor);
  const tuner::BlockTally& t = o.tally;
  const auto share = [&](std::int64_t n) {
    return t.blocks > 0 ? json(static_cast<double>(n) / static_cast<double>(t.blocks)) : json(nullptr);
  };
  row["blocks"] = t.blocks > 0 ? json(t.blocks) : json(nullptr);  // 0: nothing was tallied
  row["excluded"] = share(t.excluded());
  row["excluded_steal"] = share(t.steal);
  row["excluded_context_switch"] = share(t.context_switch);
  row["excluded_migration"] = share(t.migration);
}

}  // namespace

json or_null(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

json study_row(const StudyFigures& f) {
  const StudyRecord& s = f.study;
  json row{{"type", "study"},
           {"id", s.id},
           {"study", s.id},
           {"generation", s.generation},
           {"name", s.attributes.name},
           {"suite", s.attributes.suite},
           {"problem", tuner::key(s.key.problem)},
           {"m", s.key.m},
           {"n", s.key.problem.n},
           {"k", s.key.problem.k},
           {"batch", s.key.problem.batch},
           {"layout", tuner::layout_text(s.key.problem)},
           {"weights", tuner::weights_text(s.key.problem)},
           {"beta", s.key.problem.beta},
           {"precision", tuner::precision_text(s.key)},
           {"interface", tuner::to_text(s.key.problem.interface)},
           {"batch_invariant", s.key.batch_invariant},
           {"epilogue", tuner::epilogue_text(s.key.problem.chain)},
           {"device", s.key.device.fingerprint},
           {"device_name", s.key.device.name},
           {"threads", s.key.device.threads},
           {"compiler", s.key.build.compiler},
           {"cache", tuner::to_text(s.key.cache)},
           {"data", tuner::to_text(s.key.data)},
           {"state", tuner::to_text(state_of(f))},
           {"trials", s.trials},
           {"strategy", s.attributes.strategy},
           {"spent_s", s.spent_seconds},
           {"created_at", s.created_at},
           {"verdict", s.outcome.verdict}};
  row["runner_alive"] = f.runner_alive ? json(*f.runner_alive) : json(nullptr);
  row["paused"] = f.paused;
  add_outcome(row, s);
  row["baseline"] = s.baseline.empty() ? json(nullptr) : json(s.baseline);
  row["baseline_reason"] = s.baseline.empty() ? json(s.baseline_reason) : json(nullptr);
  row["failure"] = s.failure ? json(*s.failure) : json(nullptr);
  row["gflops"] = f.best ? json(f.best->gflops) : json(nullptr);
  row["baseline_gflops"] = f.baseline ? json(f.baseline->gflops) : json(nullptr);
  row["ratio"] = f.best ? or_null(f.best->ratio) : json(nullptr);
  row["ratio_lo"] = f.best ? or_null(f.best->ratio_lo) : json(nullptr);
  row["ratio_hi"] = f.best ? or_null(f.best->ratio_hi) : json(nullptr);
  row["error"] = f.trial ? or_null(f.trial->error_fro) : json(nullptr);
  row["max_error"] = or_null(s.key.max_error);
  row["mode"] = f.trial ? json(tuner::to_text(f.trial->config.mode)) : json(nullptr);
  row["config"] = f.trial ? tuner::to_json(f.trial->config) : json(nullptr);
  return row;
}

json trial_row(const StudyFigures& f, const Trial& t, const std::optional<Estimate>& e) {
  json row{{"type", "trial"},
           {"id", t.id},
           {"trial", t.id},
           {"study", t.study},
           {"seq", t.seq},
           {"state", tuner::to_text(t.state)},
           {"origin", t.origin},
           {"m", f.study.key.m},
           {"n", f.study.key.problem.n},
           {"k", f.study.key.problem.k},
           {"threads", f.study.key.device.threads},
           {"name", f.study.attributes.name},
           {"mode", tuner::to_text(t.config.mode)},
           {"config", tuner::to_json(t.config)},
           {"label", tuner::label(t.config)}};
  row["reason"] = t.reason.empty() ? json(nullptr) : json(t.reason);
  row["reduction_class"] = t.reduction_class ? json(*t.reduction_class) : json(nullptr);
  row["error"] = or_null(t.error_fro);
  row["error_max"] = or_null(t.error_max);
  row["gflops"] = e ? json(e->gflops) : json(nullptr);
  row["phase"] = e ? json(tuner::to_text(e->phase)) : json(nullptr);
  row["ratio"] = e ? or_null(e->ratio) : json(nullptr);
  row["ratio_lo"] = e ? or_null(e->ratio_lo) : json(nullptr);
  row["ratio_hi"] = e ? or_null(e->ratio_hi) : json(nullptr);
  row["ns_per_call"] = e ? json(e->ns_per_call) : json(nullptr);
  row["min_ns"] = e ? or_null(e->min_ns) : json(nullptr);
  row["p10_ns"] = e ? or_null(e->p10_ns) : json(nullptr);
  row["samples"] = e ? json(e->samples) : json(nullptr);
  row["excluded"] = e ? json(e->excluded) : json(nullptr);
  return row;
}

json any_study_row() {
  StudyFigures f;
  f.trial.emplace();
  return study_row(f);
}

json any_trial_row() { return trial_row({}, {}, {}); }

std::string json_line(const json& row) { return row.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

std::string table(const std::vector<Column>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const Column& c : columns) widths.push_back(width(c.title));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string out;
  const auto line = [&](const auto& cell) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string value = printable(cell(i));
      const std::string pad(widths[i] - width(value), ' ');
      if (i > 0) text += "  ";
      text += columns[i].numeric ? pad + value : value + pad;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + "\n";
  };
  line([&](std::size_t i) { return columns[i].title; });
  for (const auto& row : rows) line([&](std::size_t i) { return row[i]; });
  return out;
}

std::string number_text(std::optional<double> value, int decimals) {
  if (!value) return "-";
  // A small figure keeps two digits: it is not zero.
  if (*value != 0 && std::abs(*value) < 1) return fmt::format("{:.2g}", *value);
  return fmt::format("{:.{}f}", *value, decimals);
}

std::string four_digits(double value) { return fmt::format("{:.4g}", value); }

std::string ratio_text(std::optional<double> ratio, std::optional<double> lo, std::optional<double> hi) {
  if (!ratio) return "-";
  if (!lo || !hi) return fmt::format("{:.3f}", *ratio);
  return fmt::format("{:.3f} [{:.3f}, {:.3f}]{}", *ratio, *lo, *hi, *hi > kUnsteady * *lo ? " unsteady" : "");
}

std::string studies_table(const std::vector<StudyFigures>& studies) {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows(studies.size());
  // A column that says in all rows what is usual is left out.
  const auto column = [&](const char* title, bool numeric, auto text, std::string_view usual = {}) {
    std::vector<std::string> cells;
    for (const StudyFigures& f : studies) cells.emplace_back(text(f, f.study.key));
    const auto is_usual = [&](const std::string& cell) { return cell == usual; };
    if (!usual.empty() && std::all_of(cells.begin(), cells.end(), is_usual)) return;
    columns.push_back({title, numeric});
    for (std::size_t i = 0; i < cells.size(); ++i) rows[i].push_back(std::move(cells[i]));
  };
  using F = StudyFigures;
  using K = tuner::StudyKey;
  column("id", true, [](const F& f, const K&) { return std::to_string(f.study.id); });
  column("name", false, [](const F& f, const K&) { return f.study.attributes.name; });
  column("M", true, [](const F&, const K& k) { return std::to_string(k.m); });
  column("N", true, [](const F&, const K& k) { return std::to_string(k.problem.n); });
  column("K", true, [](const F&, const K& k) { return std::to_string(k.problem.k); });
  column(
      "batch", true, [](const F&, const K& k) { return std::to_string(k.problem.batch); }, "1");
  column(
      "layout", false, [](const F&, const K& k) { return tuner::layout_text(k.problem); }, "nn");
  column(
      "weights", false, [](const F&, const K& k) { return tuner::weights_text(k.problem); }, "constant");
  column(
      "beta", true, [](const F&, const K& k) { return std::to_string(k.problem.beta); }, "0");
  column("chain", false, [](const F&, const K& k) { return tuner::epilogue_text(k.problem.chain); });
  column(
      "interface", false, [](const F&, const K& k) { return std::string(tuner::to_text(k.problem.interface)); }, "f32");
  column("mode", false,
         [](const F& f, const K&) { return std::string(f.trial ? tuner::to_text(f.trial->config.mode) : "-"); });
  column("threads", true, [](const F&, const K& k) { return std::to_string(k.device.threads); });
  column("cache", false, [](const F&, const K& k) { return tuner::to_text(k.cache); });
  column(
      "data", false, [](const F&, const K& k) { return tuner::to_text(k.data); }, "normal");
  column(
      "compiler", false, [](const F&, const K& k) { return k.build.compiler; }, "g++");
  column(
      "bound", true, [](const F&, const K& k) { return k.max_error ? four_digits(*k.max_error) : "-"; }, "-");
  column("state", false, [](const F& f, const K&) {
    return f.abandoned() ? "abandoned" : f.paused ? "paused" : tuner::to_text(f.study.state);
  });
  column("trials", true, [](const F& f, const K&) { return std::to_string(f.study.trials); });
  column("GFLOP/s", true, [](const F& f, const K&) { return f.best ? number_text(f.best->gflops, 1) : "-"; });
  column("baseline", true, [](const F& f, const K&) { return f.baseline ? number_text(f.baseline->gflops, 1) : "-"; });
  column("ratio [95 %]", false, [](const F& f, const K&) {
    return f.best ? ratio_text(f.best->ratio, f.best->ratio_lo, f.best->ratio_hi) : "-";
  });
  column("verdict", false,
         [](const F& f, const K&) { return f.study.failure ? printable(*f.study.failure) : f.study.outcome.verdict; });
  return table(columns, rows);
}

std::string trials_table(const std::vector<json>& rows) {
  std::vector<std::vector<std::string>> cells;
  const auto number = [](const json& v) { return v.is_null() ? std::optional<double>{} : v.get<double>(); };
  for (const json& r : rows) {
    const auto error = number(r["error"]);
    cells.push_back({std::to_string(r["id"].get<std::int64_t>()), std::to_string(r["study"].get<std::int64_t>()),
                     std::to_string(r["m"].get<std::int64_t>()), r["state"].get<std::string>(),
                     number_text(number(r["gflops"]), 1),
                     ratio_text(number(r["ratio"]), number(r["ratio_lo"]), number(r["ratio_hi"])),
                     r["phase"].is_null() ? "-" : r["phase"].get<std::string>(),
                     error ? fmt::format("{:.1e}", *error) : "-", r["origin"].get<std::string>(),
                     r["label"].get<std::string>(), r["reason"].is_null() ? "" : r["reason"].get<std::string>()});
  }
  return table({{"id", true},
                {"study", true},
                {"M", true},
                {"state"},
                {"GFLOP/s", true},
                {"ratio [95 %]"},
                {"phase"},
                {"error", true},
                {"origin"},
                {"config"},
                {"reason"}},
               cells);
}

}  // namespace gemwright::app
