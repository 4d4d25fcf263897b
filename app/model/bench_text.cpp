// A bench as JSON and as text.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "app/model/bench.h"
#include "tuner/baseline/baseline.h"
#include "tuner/measure/statistics.h"

namespace gemwright::app {
namespace {

using nlohmann::json;

constexpr const char* kBestBaseline = "best";

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

// A name that is short enough for a table: of a library its file.
std::string short_name(const std::string& asked) {
  if (!tuner::names_a_file(asked)) return asked;
  const std::size_t begin = asked.find_last_of("/:");
  return asked.substr(begin + 1);
}

json common_json(const BenchRow& r) {
  const tuner::StudyKey& k = r.study.request.key;
  json row{{"type", "bench"},
           {"name", text_or_null(r.study.entry.name)},
           {"problem", tuner::key(k.problem)},
           {"m", k.m},
           {"n", k.problem.n},
           {"k", k.problem.k},
           {"precision", tuner::precision_text(k)},
           {"threads", k.device.threads},
           {"device", k.device.name},
           {"cache", tuner::to_text(k.cache)},
           {"gflops", or_null(r.gflops)},
           {"gbytes_per_s", or_null(r.gbytes_per_s)},
           {"ceiling", text_or_null(r.ceiling)},
           {"ceiling_gflops", or_null(r.ceiling_gflops)},
           {"ceiling_share", or_null(r.share)},
           {"error", or_null(r.error)},
           {"failure", text_or_null(r.failure)}};
  if (r.best_gflops) {
    row["best_gflops"] = *r.best_gflops;
    row["over_best"] = or_null(r.over_best);
    row["over_best_lo"] = or_null(r.over_best_lo);
    row["over_best_hi"] = or_null(r.over_best_hi);
  }
  return row;
}

std::vector<Column> columns_of(const BenchRow& row, bool best) {
  std::vector<Column> columns{{"name"},       {"M", true},       {"N", true},      {"K", true},
                              {"precision"},  {"threads", true}, {"cache"},        {"GFLOP/s", true},
                              {"GB/s", true}, {"ceiling"},       {"% of it", true}};
  for (const BenchRival& r : row.rivals) {
    columns.insert(columns.end(), {{short_name(r.asked), true}, {"ratio [95 %]"}});
  }
  columns.push_back({"error", true});
  if (best) columns.insert(columns.end(), {{"best of M*", true}, {"header over it [95 %]"}});
  columns.push_back({""});
  return columns;
}

std::vector<std::string> cells_of(const BenchRow& r, bool best) {
  const tuner::StudyKey& k = r.study.request.key;
  std::vector<std::string> line{r.study.entry.name,
                                std::to_string(k.m),
                                std::to_string(k.problem.n),
                                std::to_string(k.problem.k),
                                tuner::precision_text(k),
                                std::to_string(k.device.threads),
                                std::string(tuner::to_text(k.cache)),
                                number_text(r.gflops, 1),
                                number_text(r.gbytes_per_s, 1),
                                r.ceiling.empty() ? "-" : r.ceiling,
                                r.share ? fmt::format("{:.0f}", 100 * *r.share) : "-"};
  for (const BenchRival& b : r.rivals) {
    line.push_back(number_text(b.gflops, 1));
    line.push_back(ratio_text(b.ratio, b.ratio_lo, b.ratio_hi));
  }
  line.push_back(r.error ? fmt::format("{:.1e}", *r.error) : "-");
  if (best) {
    line.push_back(number_text(r.best_gflops, 1));
    line.push_back(ratio_text(r.over_best, r.over_best_lo, r.over_best_hi));
  }
  line.push_back(r.failure);
  return line;
}

// Why baselines are absent, each reason once.
std::string absences(const std::vector<BenchRow>& rows) {
  std::map<std::pair<std::string, std::string>, int> seen;
  for (const BenchRow& row : rows) {
    for (const BenchRival& r : row.rivals) {
      if (r.name.empty()) ++seen[{short_name(r.asked), r.reason}];
    }
  }
  std::string text;
  for (const auto& [what, count] : seen) {
    text += fmt::format("{} is absent in {} row{}: {}\n", what.first, count, count == 1 ? "" : "s", what.second);
  }
  return text;
}

// Which summary a ratio belongs to. The place of the baseline in the user's list orders them, the best before all.
struct Group {
  int threads = 1;
  std::size_t place = 0;
  std::string against, precision;

  auto order() const { return std::tie(threads, place, precision); }
  bool operator<(const Group& o) const { return order() < o.order(); }
};

}  // namespace

std::vector<json> bench_json(const BenchRow& row) {
  const BenchRival* const fastest = row.fastest();
  std::vector<json> lines;
  for (const BenchRival& r : row.rivals) {
    json line = common_json(row);
    line["asked"] = r.asked;
    line["against"] = text_or_null(r.name);
    line["absent"] = text_or_null(r.reason);
    line["baseline_gflops"] = or_null(r.gflops);
    line["ratio"] = or_null(r.ratio);
    line["ratio_lo"] = or_null(r.ratio_lo);
    line["ratio_hi"] = or_null(r.ratio_hi);
    line["best_baseline"] = &r == fastest;
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string bench_table(const std::vector<BenchRow>& rows) {
  if (rows.empty()) return "";
  const bool best = std::any_of(rows.begin(), rows.end(), [](const BenchRow& r) { return r.best_gflops.has_value(); });
  std::vector<std::vector<std::string>> cells;
  for (const BenchRow& r : rows) cells.push_back(cells_of(r, best));
  std::string text = table(columns_of(rows.front(), best), cells) + absences(rows);
  if (best) text += "* the winner of that M alone, run from the tuner's own library: not what is shipped\n";
  return text;
}

std::vector<BenchSummary> bench_summaries(const std::vector<BenchRow>& rows) {
  std::map<Group, std::vector<double>> groups;
  std::set<std::string> precisions;
  for (const BenchRow& r : rows) precisions.insert(tuner::precision_text(r.study.request.key));
  const auto add = [&](const BenchRow& row, std::size_t place, const std::string& against, double ratio) {
    const tuner::StudyKey& k = row.study.request.key;
    groups[{k.device.threads, place, against, ""}].push_back(ratio);
    if (precisions.size() > 1) groups[{k.device.threads, place, against, tuner::precision_text(k)}].push_back(ratio);
  };
  for (const BenchRow& row : rows) {
    const bool several = row.rivals.size() > 1;
    for (std::size_t i = 0; i < row.rivals.size(); ++i) {
      if (row.rivals[i].ratio) add(row, 1 + i, row.rivals[i].asked, *row.rivals[i].ratio);
    }
    const BenchRival* const fastest = row.fastest();
    if (several && fastest != nullptr) add(row, 0, kBestBaseline, *fastest->ratio);
  }
  std::vector<BenchSummary> out;
  for (const auto& [group, ratios] : groups) {
    const auto slower = std::count_if(ratios.begin(), ratios.end(), [](double x) { return x < 1; });
    out.push_back({group.threads, group.precision, group.against, ratios.size(), tuner::geomean(ratios).value_or(0),
                   *std::min_element(ratios.begin(), ratios.end()), *std::max_element(ratios.begin(), ratios.end()),
                   static_cast<double>(slower) / static_cast<double>(ratios.size())});
  }
  return out;
}

json summary_json(const BenchSummary& s) {
  return {{"type", "bench_summary"}, {"threads", s.threads}, {"precision", text_or_null(s.precision)},
          {"against", s.against},    {"rows", s.rows},       {"geomean", s.geomean},
          {"worst", s.worst},        {"best", s.best},       {"slower", s.slower}};
}

std::string summary_text(const BenchSummary& s) {
  const std::string against = s.against == kBestBaseline ? "the best baseline" : short_name(s.against);
  return fmt::format(
      "{} thread{}, {}, over {}: geomean {:.3f} over {} row{}, worst {:.3f}, best {:.3f}, slower than it: {:.0f} %\n",
      s.threads, s.threads == 1 ? "" : "s", s.precision.empty() ? "all" : s.precision, against, s.geomean, s.rows,
      s.rows == 1 ? "" : "s", s.worst, s.best, 100 * s.slower);
}

}  // namespace gemwright::app
