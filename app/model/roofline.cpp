#include "app/model/roofline.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/model/figure_index.h"
#include "tuner/insight/traffic.h"
#include "tuner/measure/statistics.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {

using nlohmann::json;
using tuner::Result;
using tuner::RooflinePoint;
using tuner::StudyCeiling;
using tuner::StudyRecord;

namespace {

// Of a reason or a name of the database: foreign text on one line.
constexpr std::size_t kMaxSentence = 1024;

std::string roof_text(const std::optional<double>& roof) { return roof ? four_digits(*roof) : "-"; }

json name_or_null(const std::string& name) { return name.empty() ? json(nullptr) : json(name); }

json ceiling_row(const StudyRecord& study, const StudyCeiling& c) {
  json row{{"type", "ceiling"},
           {"study", study.id},
           {"name", c.ceiling.name},
           {"threads", c.ceiling.threads},
           {"unit", c.ceiling.unit},
           {"value", or_null(c.ceiling.value)},
           {"anchor_ns", or_null(c.ceiling.anchor_ns)},
           {"measured_at", c.measured_at}};
  row["spread"] = c.ceiling.value ? json(c.ceiling.spread) : json(nullptr);
  row["reason"] = name_or_null(c.ceiling.reason);
  return row;
}

std::string trials_text(const RooflineStudy& s) {
  std::vector<std::vector<std::string>> rows;
  std::string warnings;
  for (const RooflineTrial& t : s.trials) {
    const RooflinePoint& p = t.point;
    rows.push_back({std::to_string(t.trial.id), std::to_string(p.threads), number_text(p.gflops, 1),
                    p.intensity ? four_digits(*p.intensity) : "-", roof_text(p.compute_roof), roof_text(p.memory_roof),
                    p.binding_roof ? p.binding_name : "-", p.share ? number_text(100 * *p.share, 1) + " %" : "-",
                    std::string(tuner::to_text(t.phase)), tuner::label(t.trial.config)});
    if (const auto warning = tuner::above_roof(p)) warnings += fmt::format("trial {}: {}\n", t.trial.id, *warning);
  }
  return table({{"trial", true},
                {"threads", true},
                {"GFLOP/s", true},
                {"flops/byte*", true},
                {"compute roof", true},
                {"memory roof", true},
                {"bound by"},
                {"of it", true},
                {"phase"},
                {"config"}},
               rows) +
         warnings;
}

std::string ceilings_text(const RooflineStudy& s) {
  if (s.ceilings.empty()) return "no ceilings were measured\n";
  std::vector<std::vector<std::string>> rows;
  for (const StudyCeiling& stored : s.ceilings) {
    const profilers::Ceiling& c = stored.ceiling;
    rows.push_back({c.name, std::to_string(c.threads), roof_text(c.value), c.unit,
                    c.value ? fmt::format("{:.1f} %", 100 * c.spread) : "-", c.reason});
  }
  return table({{"ceiling"}, {"threads", true}, {"value", true}, {"unit"}, {"spread", true}, {""}}, rows);
}

}  // namespace

std::optional<double> anchor_ns(const StudyContents& contents, tuner::Phase phase) {
  const auto anchor = anchor_of(contents);
  std::vector<double> ns;
  for (const tuner::Sample& s : contents.samples) {
    if (s.subject == anchor && s.phase == phase && !s.excluded()) {
      ns.push_back(static_cast<double>(s.ns) / static_cast<double>(s.calls));
    }
  }
  return tuner::median(std::move(ns));
}

std::vector<StudyCeiling> newest_ceilings(const std::vector<StudyCeiling>& all) {
  std::vector<StudyCeiling> out;
  for (const StudyCeiling& c : all) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const StudyCeiling& o) {
      return o.ceiling.name == c.ceiling.name && o.ceiling.threads == c.ceiling.threads;
    });
    if (same == out.end()) {
      out.push_back(c);
    } else if (same->measured_at <= c.measured_at) {
      *same = c;
    }
  }
  return out;
}

RooflineTrial roofline_trial(const StudyRecord& study, const std::vector<StudyCeiling>& ceilings,
                             const tuner::Trial& trial, const tuner::Estimate& figure,
                             std::optional<double> anchor_ns) {
  tuner::RooflineInput in;
  in.flops = tuner::flops(study.key.problem, study.key.m);
  in.config = trial.config;
  in.traffic = tuner::traffic_of(study.key, trial.config);
  in.ceilings = ceilings;
  in.gflops = figure.gflops;
  in.anchor_ns = anchor_ns;
  return RooflineTrial{trial, figure.phase, tuner::roofline_point(in)};
}

std::optional<RooflineTrial> roofline_trial(const StudyRecord& study, const StudyContents& contents,
                                            const std::vector<StudyCeiling>& ceilings, const tuner::Trial& trial) {
  const auto subject = subject_of(contents, trial.id);
  if (!subject) return std::nullopt;
  const auto figure = best_figure(contents, study, *subject, baseline_of(contents, study));
  if (!figure) return std::nullopt;
  return roofline_trial(study, ceilings, trial, *figure, anchor_ns(contents, figure->phase));
}

Result<std::vector<RooflineStudy>> roofline_view(const tuner::Store& store, const Filter& filter) {
  if (const auto r = check_fields(filter, roofline_row({}, {})); !r) return tl::unexpected(r.error());
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  std::vector<RooflineStudy> view;
  for (const StudyRecord& study : *studies) {
    const auto contents = study_contents(store, study.id);
    if (!contents) return tl::unexpected(contents.error());
    const auto ceilings = store.ceilings(study.id);
    if (!ceilings) return tl::unexpected(ceilings.error());
    RooflineStudy out{study, newest_ceilings(*ceilings), {}};
    const FigureIndex index(*contents, study);
    for (const tuner::Trial& t : contents->trials) {
      const auto figure = t.state == tuner::TrialState::ok ? index.figure(t.id) : std::nullopt;
      if (!figure) continue;
      auto trial = roofline_trial(study, *ceilings, t, *figure, index.anchor_ns(figure->phase));
      if (filter.matches(roofline_row(study, trial))) out.trials.push_back(std::move(trial));
    }
    std::stable_sort(out.trials.begin(), out.trials.end(),
                     [](const auto& a, const auto& b) { return a.point.gflops > b.point.gflops; });
    if (!out.trials.empty()) view.push_back(std::move(out));
  }
  return view;
}

json roofline_row(const StudyRecord& study, const RooflineTrial& t) {
  const RooflinePoint& p = t.point;
  json row{{"type", "roofline"},
           {"study", study.id},
           {"id", t.trial.id},
           {"trial", t.trial.id},
           {"name", study.attributes.name},
           {"m", study.key.m},
           {"n", study.key.problem.n},
           {"k", study.key.problem.k},
           {"cache", tuner::to_text(study.key.cache)},
           {"threads", p.threads},
           {"gflops", p.gflops},
           {"phase", tuner::to_text(t.phase)},
           {"flops", p.flops},
           {"bytes", or_null(p.bytes)},
           {"intensity", or_null(p.intensity)},
           {"intensity_status", p.intensity ? json("computed") : json(nullptr)},
           {"compute_roof", or_null(p.compute_roof)},
           {"compute_name", name_or_null(p.compute_name)},
           {"compute_reason", name_or_null(p.compute_reason)},
           {"memory_roof", or_null(p.memory_roof)},
           {"memory_name", name_or_null(p.level)},
           {"binding_roof", or_null(p.binding_roof)},
           {"binding_name", name_or_null(p.binding_name)},
           {"share", or_null(p.share)},
           {"label", tuner::label(t.trial.config)},
           {"config", tuner::to_json(t.trial.config)}};
  const auto warning = tuner::above_roof(p);
  row["warning"] = warning ? json(*warning) : json(nullptr);
  return row;
}

std::vector<json> roofline_rows(const std::vector<RooflineStudy>& view) {
  std::vector<json> rows;
  for (const RooflineStudy& s : view) {
    for (const RooflineTrial& t : s.trials) rows.push_back(roofline_row(s.study, t));
    for (const StudyCeiling& c : s.ceilings) rows.push_back(ceiling_row(s.study, c));
  }
  return rows;
}

std::string roofline_text(const std::vector<RooflineStudy>& view) {
  std::string out;
  for (const RooflineStudy& s : view) {
    const std::string name = s.study.attributes.name.empty() ? tuner::key(s.study.key.problem)
                                                             : tuner::printable(s.study.attributes.name, kMaxSentence);
    out += fmt::format("{}study {}: {} M={} N={} K={}, {}\n\n", out.empty() ? "" : "\n", s.study.id, name,
                       s.study.key.m, s.study.key.problem.n, s.study.key.problem.k, tuner::to_text(s.study.key.cache));
    out += trials_text(s) + "\n" + ceilings_text(s);
  }
  return out + "\n* bytes computed from the shape and the loop nest, through the outermost level that a call reads\n";
}

std::string share_text(const RooflinePoint& p) {
  return p.share ? fmt::format("{} % of {}", number_text(100 * *p.share, 0), p.binding_name) : "-";
}

}  // namespace gemwright::app
