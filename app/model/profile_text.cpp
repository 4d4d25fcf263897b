// A profile in words, as a text and as rows of JSON.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "app/model/profile.h"
#include "tuner/problem/input_text.h"

namespace gemwright::app {

using nlohmann::json;
using profilers::Counter;
using tuner::StudyRecord;

namespace {

// Figures that differ by less are not worth a sentence.
constexpr double kAlike = 1.05;
// Of a verdict or a name of the database: foreign text on one line.
constexpr std::size_t kMaxSentence = 1024;

// What a counter counts, in words: "moves 1.8x fewer bytes between L2 and L1".
struct Wording {
  std::string_view provider, counter, verb, noun;
};
constexpr std::array<Wording, 18> kWordings{
    {{"traffic", "traffic.l1", "moves", "bytes between L1 and the registers"},
     {"traffic", "traffic.l2", "moves", "bytes between L2 and L1"},
     {"traffic", "traffic.l3", "moves", "bytes between L3 and L2"},
     {"traffic", "traffic.dram", "moves", "bytes between DRAM and L3"},
     {"perf", "instructions", "executes", "instructions"},
     {"perf", "cycles", "takes", "core cycles"},
     {"perf", "fp.flops", "computes", "floating-point operations"},
     {"perf", "l1d.fills", "fills", "lines into L1D"},
     {"perf", "l1d.fills.l2", "fills", "lines into L1D from L2"},
     {"perf", "l1d.fills.l3", "fills", "lines into L1D from L3"},
     {"perf", "l1d.fills.dram", "fills", "lines into L1D from DRAM"},
     {"perf", "l1d.replacements", "replaces", "lines of L1D"},
     {"perf", "l2.fills", "fills", "lines into L2"},
     {"perf", "dtlb.walks", "makes", "page walks"},
     {"perf", "branch.misses", "mispredicts", "branches"},
     {"perf", "slots.backend", "loses", "dispatch slots to a stalled back end"},
     {"perf", "slots.frontend", "loses", "dispatch slots for want of instructions"},
     {"perf", "stall.load", "waits", "cycles for a load to retire"}}};

std::optional<double> per_call(const Counter* c) {
  if (c == nullptr || !c->value || c->calls < 1) return std::nullopt;
  return *c->value / static_cast<double>(c->calls);
}

std::string status_text(const Counter& a, const Counter& b) {
  const std::string text(profilers::to_text(a.status));
  return a.status == b.status ? text : fmt::format("{} / {}", text, profilers::to_text(b.status));
}

bool alike(double a, double b) { return std::max(a, b) <= kAlike * std::min(a, b); }

std::string called(const ProfiledSubject& s) {
  return s.trial ? fmt::format("the {}", s.role) : tuner::printable(s.name);
}

// Nothing where a figure is missing or they are alike.
std::optional<std::string> counter_finding(const Wording& w, const ProfiledSubject& s, const ProfiledSubject& other) {
  const Counter *x = s.find(w.provider, w.counter), *y = other.find(w.provider, w.counter);
  const auto a = per_call(x), b = per_call(y);
  if (!a || !b || alike(*a, *b)) return std::nullopt;
  const std::string status = status_text(*x, *y);
  if (*a == 0) return fmt::format("{} no {}, {} {} ({})", w.verb, w.noun, called(other), four_digits(*b), status);
  if (*b == 0) return fmt::format("{} {} {}, {} none ({})", w.verb, four_digits(*a), w.noun, called(other), status);
  return fmt::format("{} {:.3g}x {} {} than {} ({})", w.verb, std::max(*a, *b) / std::min(*a, *b),
                     *a < *b ? "fewer" : "more", w.noun, called(other), status);
}

std::optional<double> per_cycle(const ProfiledSubject& s) {
  const auto instructions = per_call(s.find("perf", "instructions")), cycles = per_call(s.find("perf", "cycles"));
  if (!instructions || !cycles || !(*cycles > 0)) return std::nullopt;
  return *instructions / *cycles;
}

void add_counter_findings(const ProfiledSubject& s, const ProfiledSubject& other, std::vector<std::string>& out) {
  for (const Wording& w : kWordings) {
    if (auto finding = counter_finding(w, s, other)) out.push_back(std::move(*finding));
  }
  const auto a = per_cycle(s), b = per_cycle(other);
  if (!a || !b || alike(*a, *b)) return;
  out.push_back(fmt::format("executes {:.2f} instructions a cycle, {} {:.2f} ({})", *a, called(other), *b,
                            status_text(*s.find("perf", "instructions"), *other.find("perf", "instructions"))));
}

// The study did not tell them apart, with all its comparisons taken together.
bool tied(const Profile& p) {
  const tuner::StudyOutcome& o = p.study.outcome;
  const auto among = [&](tuner::TrialId t) { return std::find(o.ties.begin(), o.ties.end(), t) != o.ties.end(); };
  return (p.subject.trial->id == o.best_trial && among(p.rival->trial->id)) ||
         (p.rival->trial->id == o.best_trial && among(p.subject.trial->id));
}

std::string speed_finding(const Profile& p) {
  const tuner::SpeedRatio& r = *p.over_rival;
  const double floor = p.study.outcome.noise_floor.value_or(0);
  if (!r.lo || !r.hi) {
    return fmt::format("too few rounds timed both to tell its speed from that of {} with certainty", called(*p.rival));
  }
  if (tied(p) || !tuner::verdict(r, floor).separated) {
    return fmt::format("its speed is not separated from that of {}: what follows need not matter", called(*p.rival));
  }
  const auto percent = [](double fraction) { return 100 * fraction; };
  if (r.ratio > 1) {
    return fmt::format("{:.1f} % faster than {} (95 % interval {:.1f} to {:.1f} %)", percent(r.ratio - 1),
                       called(*p.rival), percent(*r.lo - 1), percent(*r.hi - 1));
  }
  return fmt::format("{:.1f} % slower than {} (95 % interval {:.1f} to {:.1f} %)", percent(1 - r.ratio),
                     called(*p.rival), percent(1 - *r.hi), percent(1 - *r.lo));
}

std::optional<std::string> roofline_finding(const Profile& p) {
  if (!p.subject.roofline || !p.subject.roofline->point.share) return std::nullopt;
  const tuner::RooflinePoint& point = p.subject.roofline->point;
  std::string text =
      fmt::format("its lower roof is {} with {} GFLOP/s", point.binding_name, four_digits(*point.binding_roof));
  if (point.binding_name == point.level) {
    text += fmt::format(", at {} flops a byte (computed)", four_digits(*point.intensity));
  }
  text += fmt::format("; it reaches {} % of that", number_text(100 * *point.share, 0));
  if (p.rival && p.rival->roofline && p.rival->roofline->point.share) {
    text += fmt::format(", {} {}", called(*p.rival), share_text(p.rival->roofline->point));
  }
  return text;
}

std::vector<const ProfiledSubject*> subjects_of(const Profile& p) {
  std::vector<const ProfiledSubject*> out{&p.subject};
  if (p.rival) out.push_back(&*p.rival);
  if (p.baseline) out.push_back(&*p.baseline);
  return out;
}

std::vector<CounterLine> lines_of(const Profile& p) {
  std::vector<CounterLine> out;
  for (const ProfiledSubject* s : subjects_of(p)) {
    for (const Counter& c : s->counters) {
      out.push_back({p.study.id, s->trial ? std::optional(s->trial->id) : std::nullopt, s->name, c});
    }
  }
  return out;
}

// Speed of the subject over this one.
std::string over_text(const Profile& p, const ProfiledSubject& s) {
  if (&s == &p.subject) return "-";
  if (s.trial) return p.over_rival ? ratio_text(p.over_rival->ratio, p.over_rival->lo, p.over_rival->hi) : "-";
  const auto& f = p.subject.figure;
  return f ? ratio_text(f->ratio, f->ratio_lo, f->ratio_hi) : "-";
}

std::string figures_table(const Profile& p) {
  std::vector<std::vector<std::string>> rows;
  for (const ProfiledSubject* s : subjects_of(p)) {
    const bool roof = s->roofline.has_value();
    rows.push_back({s->role, s->name, s->figure ? number_text(s->figure->gflops, 1) : "-", over_text(p, *s),
                    s->figure ? std::string(tuner::to_text(s->figure->phase)) : "-",
                    roof ? share_text(s->roofline->point) : "-", s->trial ? tuner::label(s->trial->config) : "-"});
  }
  return table({{""},
                {"subject"},
                {"GFLOP/s", true},
                {p.subject.role + " over it [95 %]"},
                {"phase"},
                {"of its roof"},
                {"config"}},
               rows);
}

json config_differences(const Profile& p) {
  json out = json::object();
  if (!p.rival) return out;
  const json a = tuner::to_json(p.subject.trial->config), b = tuner::to_json(p.rival->trial->config);
  for (const auto& [field, value] : a.items()) {
    if (value != b.at(field)) out[field] = {{"subject", value}, {"rival", b.at(field)}};
  }
  return out;
}

std::string differences_text(const Profile& p) {
  if (!p.rival) return {};
  const auto scalar = [](const json& v) { return v.is_string() ? v.get<std::string>() : v.dump(); };
  const json differences = config_differences(p);
  std::vector<std::string> parts;
  for (const auto& [field, values] : differences.items()) {
    parts.push_back(fmt::format("{} {} ({})", field, scalar(values["subject"]), scalar(values["rival"])));
  }
  return fmt::format("\nconfig ({} in brackets): {}\n", p.rival->role,
                     parts.empty() ? "no field differs" : fmt::format("{}", fmt::join(parts, ", ")));
}

// Those counters that somebody has a value of, in the order in which they were counted.
std::string counters_text(const Profile& p) {
  const auto subjects = subjects_of(p);
  std::vector<std::pair<std::string, std::string>> order;
  for (const CounterLine& l : lines_of(p)) {
    const std::pair name(l.counter.provider, l.counter.name);
    if (l.per_call() && std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
  }
  if (order.empty()) return {};
  std::vector<Column> columns{{"counter, per call"}, {"unit"}};
  for (const ProfiledSubject* s : subjects) columns.push_back({s->role, true});
  columns.push_back({"status"});
  std::vector<std::vector<std::string>> rows;
  for (const auto& [provider, name] : order) {
    std::vector<std::string> row{fmt::format("{}: {}", provider, name), ""}, statuses;
    for (const ProfiledSubject* s : subjects) {
      const Counter* const c = s->find(provider, name);
      const auto value = per_call(c);
      row.push_back(value ? four_digits(*value) : "-");
      if (!value) continue;
      row[1] = c->unit;
      const std::string status(profilers::to_text(c->status));
      if (std::find(statuses.begin(), statuses.end(), status) == statuses.end()) statuses.push_back(status);
    }
    row.push_back(fmt::format("{}", fmt::join(statuses, " / ")));
    rows.push_back(std::move(row));
  }
  return fmt::format("\n{}", table(columns, rows));
}

std::string list_text(const std::string& title, const std::vector<std::string>& sentences) {
  if (sentences.empty()) return {};
  std::string out = fmt::format("\n{}\n", title);
  for (const std::string& s : sentences) out += fmt::format("  {}\n", tuner::printable(s, kMaxSentence));
  return out;
}

}  // namespace

std::vector<std::string> profile_findings(const Profile& p) {
  std::vector<std::string> out;
  if (p.over_rival) out.push_back(speed_finding(p));
  if (p.rival) add_counter_findings(p.subject, *p.rival, out);
  if (p.baseline) add_counter_findings(p.subject, *p.baseline, out);
  if (auto finding = roofline_finding(p)) out.push_back(std::move(*finding));
  if (p.subject.roofline) {
    if (auto warning = tuner::above_roof(p.subject.roofline->point)) out.push_back(std::move(*warning));
  }
  return out;
}

std::vector<std::string> profile_gaps(const Profile& p) {
  std::vector<std::string> out;
  if (!p.rival) out.push_back("no other trial of this study was confirmed");
  if (!p.baseline) {
    const std::string& why = p.study.baseline_reason;
    out.push_back(why.empty() ? "no baseline" : fmt::format("no baseline: {}", why));
  }
  for (const ProfiledSubject* s : subjects_of(p)) {
    if (s->counters.empty()) out.push_back(fmt::format("{} has no counters: --again counts them", called(*s)));
  }
  if (p.baseline)
    out.push_back(fmt::format("the traffic of {} is not computed: its loop nest is not known", p.baseline->name));
  if (!p.subject.roofline || !p.subject.roofline->point.binding_roof) {
    out.push_back("no roof: the study has no ceilings that fit this config");
  }
  for (std::string& sentence : missing_counters(lines_of(p))) out.push_back(std::move(sentence));
  return out;
}

std::string profile_text(const Profile& p) {
  const StudyRecord& s = p.study;
  const std::string name =
      s.attributes.name.empty() ? tuner::key(s.key.problem) : tuner::printable(s.attributes.name, kMaxSentence);
  const int threads = s.key.device.threads;
  std::string text = fmt::format("study {}: {} M={} N={} K={}, {} thread{}, {}\n{}\n\n", s.id, name, s.key.m,
                                 s.key.problem.n, s.key.problem.k, threads, threads == 1 ? "" : "s",
                                 tuner::to_text(s.key.cache), tuner::printable(s.outcome.verdict, kMaxSentence));
  text += figures_table(p) + differences_text(p) + counters_text(p);
  return text + list_text("why", profile_findings(p)) + list_text("missing", profile_gaps(p));
}

std::vector<json> profile_rows(const Profile& p) {
  json row{{"type", "profile"},
           {"study", p.study.id},
           {"trial", p.subject.trial->id},
           {"role", p.subject.role},
           {"label", tuner::label(p.subject.trial->config)},
           {"config", config_differences(p)},
           {"why", profile_findings(p)},
           {"missing", profile_gaps(p)}};
  row["gflops"] = p.subject.figure ? json(p.subject.figure->gflops) : json(nullptr);
  row["rival"] = p.rival ? json(p.rival->trial->id) : json(nullptr);
  row["rival_gflops"] = p.rival && p.rival->figure ? json(p.rival->figure->gflops) : json(nullptr);
  row["over_rival"] = p.over_rival ? json(p.over_rival->ratio) : json(nullptr);
  row["over_rival_lo"] = p.over_rival ? or_null(p.over_rival->lo) : json(nullptr);
  row["over_rival_hi"] = p.over_rival ? or_null(p.over_rival->hi) : json(nullptr);
  row["baseline"] = p.baseline ? json(p.baseline->name) : json(nullptr);
  row["baseline_gflops"] = p.baseline && p.baseline->figure ? json(p.baseline->figure->gflops) : json(nullptr);
  row["ratio"] = p.subject.figure ? or_null(p.subject.figure->ratio) : json(nullptr);
  row["ratio_lo"] = p.subject.figure ? or_null(p.subject.figure->ratio_lo) : json(nullptr);
  row["ratio_hi"] = p.subject.figure ? or_null(p.subject.figure->ratio_hi) : json(nullptr);
  std::vector<json> rows{std::move(row)};
  for (const ProfiledSubject* s : subjects_of(p)) {
    if (s->roofline) rows.push_back(roofline_row(p.study, *s->roofline));
  }
  for (const CounterLine& l : lines_of(p)) rows.push_back(counter_row(l));
  return rows;
}

json hot_loop_row(const tuner::Trial& trial, const tuner::HotLoop& loop, const std::string& compiler) {
  json lines = json::array();
  for (const tuner::AnnotatedLine& l : loop.lines) lines.push_back({{"text", l.text}, {"note", l.note}});
  return {{"type", "hot_loop"},
          {"trial", trial.id},
          {"tile", tuner::tile_name(trial.config.tile)},
          {"compiler", compiler},
          {"function", loop.function},
          {"instructions", loop.instructions},
          {"multiply_adds", loop.multiply_adds},
          {"dot_products", loop.dot_products},
          {"loads", loop.loads},
          {"broadcasts", loop.broadcasts},
          {"embedded_broadcasts", loop.embedded_broadcasts},
          {"stores", loop.stores},
          {"prefetches", loop.prefetches},
          {"spills", loop.spills},
          {"address_reloads", loop.address_reloads},
          {"vector_registers", loop.vector_registers},
          {"multiply_adds_per_load", or_null(loop.multiply_adds_per_load())},
          {"lines", lines}};
}

}  // namespace gemwright::app
