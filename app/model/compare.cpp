#include "app/model/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/model/contents.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {

using tuner::ErrorKind;
using tuner::fail;
using tuner::Result;
using tuner::Sample;
using tuner::SlowerCheck;
using tuner::StudyRecord;
using tuner::SubjectId;
using tuner::Trial;

namespace {

std::string_view kind_text(OperandKind k) {
  return k == OperandKind::trial ? "trial" : k == OperandKind::study ? "study" : "database";
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "trial:17" or "study:3"; nothing where the text begins with neither word.
std::optional<Result<Operand>> row_operand(std::string_view text) {
  Operand o;
  std::string_view number = text;
  if (consume(number, "study:")) {
    o.kind = OperandKind::study;
  } else if (!consume(number, "trial:")) {
    return std::nullopt;
  }
  const auto id = tuner::parse_count(number);
  if (!id || *id < 1) {
    return fail(
        fmt::format("{} is no number of a {}: write {}:17", tuner::quote(number), kind_text(o.kind), kind_text(o.kind)),
        ErrorKind::usage);
  }
  o.id = *id;
  return o;
}

std::vector<Sample> blocks_of(const StudyContents& contents, std::optional<SubjectId> subject) {
  std::vector<Sample> out;
  if (!subject) return out;
  std::copy_if(contents.samples.begin(), contents.samples.end(), std::back_inserter(out),
               [&](const Sample& s) { return s.subject == *subject; });
  return out;
}

Result<ComparedTrial> compared(const tuner::Store& store, const StudyRecord& study, tuner::TrialId id) {
  const auto contents = study_contents(store, study.id);
  if (!contents) return tl::unexpected(contents.error());
  const auto trial =
      std::find_if(contents->trials.begin(), contents->trials.end(), [&](const Trial& t) { return t.id == id; });
  if (trial == contents->trials.end()) return fail(fmt::format("study {} has no trial {}", study.id, id));
  ComparedTrial c;
  c.study = study;
  c.trial = *trial;
  const auto subject = subject_of(*contents, id);
  c.timed.blocks = blocks_of(*contents, subject);
  if (c.timed.blocks.empty()) {
    const std::string reason = trial->reason.empty() ? "" : fmt::format(" ({})", trial->reason);
    return fail(fmt::format("trial {} was never timed: its state is {}{}", id, tuner::to_text(trial->state), reason));
  }
  const auto baseline = baseline_of(*contents, study);
  c.timed.baseline = blocks_of(*contents, baseline);
  c.timed.baseline_name = study.baseline;
  c.timed.anchor = blocks_of(*contents, anchor_of(*contents));
  c.figure = best_figure(*contents, study, *subject, baseline);
  const auto counters = store.counters(study.id);
  if (!counters) return tl::unexpected(counters.error());
  for (const tuner::SubjectCounter& counter : *counters) {
    if (counter.subject == *subject) c.counters.push_back(counter.counter);
  }
  return c;
}

Result<ComparedTrial> find_trial(const tuner::Store& store, const std::vector<StudyRecord>& studies, std::int64_t id) {
  for (const StudyRecord& s : studies) {
    const auto trials = store.trials(s.id);
    if (!trials) return tl::unexpected(trials.error());
    const auto is_it = [&](const Trial& t) { return t.id == id; };
    if (std::any_of(trials->begin(), trials->end(), is_it)) return compared(store, s, id);
  }
  return fail(fmt::format("there is no trial {}: see 'gemwright show trials'", id));
}

std::string percent_text(double fraction) { return fmt::format("{:g} %", 100 * fraction); }

// What is contradicted cannot be certain.
std::optional<double> upper_end(const tuner::SpeedRatio& r) { return r.contradicted() ? std::nullopt : r.hi; }

// One sentence about a ratio that is beyond the limit.
std::optional<SlowerFinding> finding(const std::string& subject, double ratio, std::optional<double> hi,
                                     double noise_floor, const std::string& verdict, double allowed) {
  const SlowerCheck check = tuner::check_slower(ratio, hi, noise_floor, allowed);
  if (check == SlowerCheck::within) return std::nullopt;
  if (check == SlowerCheck::slower) {
    return SlowerFinding{true,
                         fmt::format("{}slower than the {} allowed: {}", subject, percent_text(allowed), verdict)};
  }
  return SlowerFinding{false, fmt::format("{}perhaps slower than the {} allowed, without certainty: {}", subject,
                                          percent_text(allowed), verdict)};
}

std::string study_name(const TrialComparison& c) {
  const StudyRecord &a = c.a.study, &b = c.b.study;
  const std::string name = a.attributes.name.empty() ? tuner::key(a.key.problem) : a.attributes.name;
  return fmt::format("{} M={} (study {} of A, {} of B): ", name, a.key.m, a.id, b.id);
}

}  // namespace

Result<Operand> parse_operand(std::string_view text) {
  const auto given = [&](Operand o) {
    o.text = std::string(text);
    return o;
  };
  if (text.empty()) return fail("A and B must not be empty: name a trial, a study or a database", ErrorKind::usage);
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    const auto id = tuner::parse_count(text);
    if (!id || *id < 1) return fail(fmt::format("{} is no number of a trial", tuner::quote(text)), ErrorKind::usage);
    return given({OperandKind::trial, "", *id, ""});
  }
  if (const auto row = row_operand(text)) return row->map(given);
  if (const auto hash = text.rfind('#'); hash != std::string_view::npos) {
    if (const auto row = row_operand(text.substr(hash + 1))) {
      if (hash == 0) return fail(fmt::format("{} names no file before the #", tuner::quote(text)), ErrorKind::usage);
      return row->map([&](Operand o) {
        o.file = std::string(text.substr(0, hash));
        return given(o);
      });
    }
  }
  return given({OperandKind::database, std::string(text), 0, ""});
}

Result<void> check_operands(const Operand& a, const Operand& b) {
  if (a.kind == b.kind) return {};
  return fail(fmt::format("A is a {} and B a {}: compare two trials, two studies or two databases", kind_text(a.kind),
                          kind_text(b.kind)),
              ErrorKind::usage);
}

Result<double> parse_allowance(std::string_view text) {
  std::string_view digits = text;
  if (!digits.empty() && digits.back() == '%') digits.remove_suffix(1);
  const auto number = tuner::parse_number(digits);
  if (!number || *number >= 100) {
    return fail(
        fmt::format("--fail-if-slower {}: write a percentage from 0 to below 100, such as 3%", tuner::quote(text)),
        ErrorKind::usage);
  }
  return *number / 100;
}

Result<ComparedTrial> compared_trial(const tuner::Store& store, const Operand& operand) {
  const auto studies = store.studies();
  if (!studies) return tl::unexpected(studies.error());
  if (operand.kind == OperandKind::trial) return find_trial(store, *studies, operand.id);
  for (const StudyRecord& s : *studies) {
    if (s.id != operand.id) continue;
    if (s.outcome.best_trial) return compared(store, s, *s.outcome.best_trial);
    return fail(fmt::format("study {} has no confirmed winner: its state is {}", s.id, tuner::to_text(s.state)));
  }
  return fail(fmt::format("there is no study {}: see 'gemwright show studies'", operand.id));
}

Result<TrialComparison> compare(ComparedTrial a, ComparedTrial b, bool same_database) {
  if (same_database && a.trial.id == b.trial.id) {
    return fail(fmt::format("A and B are the same trial {}", a.trial.id), ErrorKind::usage);
  }
  if (const auto why = tuner::incomparable(a.study.key, b.study.key)) return fail(*why, ErrorKind::usage);
  TrialComparison c;
  c.differences = tuner::differences(a.study, b.study);
  c.noise_floor = std::max(a.study.outcome.noise_floor.value_or(0), b.study.outcome.noise_floor.value_or(0));
  c.ratio = tuner::speed_ratio(a.timed, b.timed, same_database && a.study.id == b.study.id);
  c.verdict = c.ratio
                  ? tuner::verdict(*c.ratio, c.noise_floor)
                  : tuner::Verdict{false, "not comparable: neither rounds, nor a baseline, nor an anchor in common"};
  if (c.ratio && c.ratio->contradicted() && a.figure && b.figure) {
    c.verdict.text += fmt::format(" (A runs at {:.1f} GFLOP/s, B at {:.1f})", a.figure->gflops, b.figure->gflops);
  }
  c.a = std::move(a);
  c.b = std::move(b);
  c.a.timed = c.b.timed = {};  // many of these are kept side by side
  return c;
}

Result<DatabaseComparison> compare_databases(const tuner::Store& a, const tuner::Store& b, const Filter& filter) {
  const auto in_a = chosen_studies(a, filter), in_b = chosen_studies(b, filter);
  if (!in_a) return tl::unexpected(in_a.error());
  if (!in_b) return tl::unexpected(in_b.error());
  const tuner::StudyMatches matches = tuner::match_studies(*in_a, *in_b);
  if (matches.matched.empty()) {
    return fail(
        fmt::format("none of the {} finished studies of A matches one of the {} of B in problem, M, threads, "
                    "cache state, data, modes and compiler",
                    matches.a.unmatched, matches.b.unmatched));
  }
  DatabaseComparison out;
  out.a = matches.a;
  out.b = matches.b;
  std::vector<tuner::SpeedRatio> ratios;
  for (const tuner::StudyMatch& m : matches.matched) {
    const StudyRecord &study_a = (*in_a)[m.a], &study_b = (*in_b)[m.b];
    auto winner_a = compared(a, study_a, *study_a.outcome.best_trial);
    auto winner_b = compared(b, study_b, *study_b.outcome.best_trial);
    if (!winner_a) return tl::unexpected(winner_a.error());
    if (!winner_b) return tl::unexpected(winner_b.error());
    auto c = compare(std::move(*winner_a), std::move(*winner_b), false);
    if (!c) return tl::unexpected(c.error());
    if (c->ratio && !c->ratio->contradicted()) ratios.push_back(*c->ratio);
    out.studies.push_back(std::move(*c));
  }
  out.mean = tuner::mean_ratio(ratios);
  if (out.mean) {
    tuner::SpeedRatio as_ratio;
    as_ratio.ratio = out.mean->ratio;
    as_ratio.lo = out.mean->lo;
    as_ratio.hi = out.mean->hi;
    as_ratio.basis = ratios.front().basis;
    out.verdict = tuner::verdict(as_ratio, 0);
  }
  return out;
}

std::vector<SlowerFinding> slower_findings(const TrialComparison& c, double allowed) {
  if (!c.ratio) return {};
  const auto f = finding("B is ", c.ratio->ratio, upper_end(*c.ratio), c.noise_floor, c.verdict.text, allowed);
  return f ? std::vector{*f} : std::vector<SlowerFinding>{};
}

std::vector<SlowerFinding> slower_findings(const DatabaseComparison& d, double allowed) {
  std::vector<SlowerFinding> out;
  if (d.a.unmatched > 0) {
    // A study that B tried and did not finish is a loss; one that B never had may be none.
    const bool lost = d.b.unfinished > 0;
    out.push_back({lost, fmt::format("{} of A's studies {} no counterpart with a confirmed winner in B{}",
                                     d.a.unmatched, d.a.unmatched == 1 ? "has" : "have",
                                     lost ? fmt::format(", which has {} without one", d.b.unfinished) : "")});
  }
  if (d.mean) {
    const std::string subject =
        fmt::format("geometric mean of {} {}: B is ", d.mean->studies, d.mean->studies == 1 ? "study" : "studies");
    if (const auto f = finding(subject, d.mean->ratio, d.mean->hi, 0, d.verdict.text, allowed)) out.push_back(*f);
  }
  for (const TrialComparison& c : d.studies) {
    if (!c.ratio) continue;
    const std::string subject = study_name(c) + "B is ";
    if (const auto f = finding(subject, c.ratio->ratio, upper_end(*c.ratio), c.noise_floor, c.verdict.text, allowed)) {
      out.push_back(*f);
    }
  }
  return out;
}

}  // namespace gemwright::app
