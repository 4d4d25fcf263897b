#include "tuner/header/select.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "tuner/header/compiler.h"
#include "tuner/header/text.h"

namespace gemwright::tuner {
namespace {

// More than this many would bury the message.
constexpr std::size_t kMaxListed = 8;

struct CellKey {
  std::string problem;
  CompilerFamily family;
  int threads;
  std::int64_t m;
  auto tie() const { return std::tie(problem, family, threads, m); }
  bool operator<(const CellKey& o) const { return tie() < o.tie(); }
};

CellKey cell_of(const StudyRecord& s) {
  return {key(s.key.problem), compiler_id(s.key.build).family, s.key.device.threads, s.key.m};
}

std::string cell_text(const StudyRecord& s) {
  return fmt::format("{} with m = {}, {} thread{} and {}", key(s.key.problem), s.key.m, s.key.device.threads,
                     s.key.device.threads == 1 ? "" : "s", to_text(compiler_id(s.key.build).family));
}

std::string listed(const std::set<std::string>& values) {
  std::vector<std::string> shown;
  for (const std::string& v : values) {
    if (shown.size() < kMaxListed) shown.push_back(v);
  }
  const std::size_t more = values.size() - shown.size();
  return fmt::format("{}{}", fmt::join(shown, "; "), more > 0 ? fmt::format("; and {} more", more) : "");
}

std::string conditions(const StudyRecord& s) {
  std::string text = fmt::format("data={} cache={}", to_text(s.key.data), to_text(s.key.cache));
  if (s.key.max_error) text += fmt::format(" max_error={}", *s.key.max_error);
  if (s.key.batch_invariant) text += " batch_invariant";
  return text + fmt::format(" precision={}", precision_text(s.key));
}

bool newer(const StudyRecord& x, const StudyRecord& y) {
  return std::tie(x.updated_at, x.generation, x.id) > std::tie(y.updated_at, y.generation, y.id);
}

// The confirmed studies that may ship; the others are counted by reason.
std::vector<StudyRecord> usable(const std::vector<StudyRecord>& studies, const SelectOptions& o, Selection& out) {
  std::vector<StudyRecord> kept;
  std::set<std::string> stale;
  for (const StudyRecord& s : studies) {
    if (!s.outcome.best_trial || (o.filter && !o.filter(s))) continue;
    if (s.key.build.source_digest == o.source_digest && s.key.space_version == o.space_version) {
      kept.push_back(s);
    } else {
      stale.insert(fmt::format("study {} ({})", s.id, cell_text(s)));
    }
  }
  if (!stale.empty()) {
    out.notes.push_back(fmt::format(
        "left out because the kernels or the search space changed since they were tuned: {}", listed(stale)));
  }
  return kept;
}

Result<void> one_device(const std::vector<StudyRecord>& studies) {
  std::set<std::string> devices;
  for (const StudyRecord& s : studies) {
    devices.insert(fmt::format("{} {} ({})", harmless(s.key.device.kind), harmless(s.key.device.fingerprint),
                               harmless(s.key.device.name)));
  }
  if (devices.size() < 2) return {};
  return fail(
      fmt::format("several devices match, and a header serves one: {}; choose one with --filter", listed(devices)));
}

Result<void> one_condition(const std::map<CellKey, std::vector<StudyRecord>>& cells) {
  for (const auto& [cell, studies] : cells) {
    std::set<std::string> found;
    for (const StudyRecord& s : studies) found.insert(conditions(s));
    if (found.size() < 2) continue;
    return fail(fmt::format("several studies match {}: {}; choose one with --filter", cell_text(studies.front()),
                            listed(found)));
  }
  return {};
}

Result<void> one_build(const std::vector<StudyRecord>& chosen) {
  std::map<std::pair<std::string, CompilerFamily>, std::set<std::string>> builds;
  for (const StudyRecord& s : chosen) {
    const CellKey cell = cell_of(s);
    const Build& b = s.key.build;
    auto& found = builds[{cell.problem, cell.family}];
    found.insert(fmt::format("{} {}, build {}", harmless(b.compiler_version), harmless(b.flags), harmless(b.digest)));
    if (found.size() < 2) continue;
    return fail(
        fmt::format("the newest studies of {} come from several builds: {}; choose one with --filter or tune the "
                    "others again",
                    cell.problem, listed(found)));
  }
  return {};
}

}  // namespace

Result<Selection> select_studies(const std::vector<StudyRecord>& studies, const SelectOptions& options) {
  Selection out;
  const std::vector<StudyRecord> kept = usable(studies, options, out);
  if (kept.empty()) {
    return fail(out.notes.empty() ? "no study with a confirmed winner matches: run gemwright tune first"
                                  : out.notes.front() + ": run gemwright tune again");
  }
  if (auto r = one_device(kept); !r) return tl::unexpected(r.error());
  std::map<CellKey, std::vector<StudyRecord>> cells;
  std::vector<std::string> problems;  // in order of appearance
  for (const StudyRecord& s : kept) {
    const CellKey cell = cell_of(s);
    if (std::find(problems.begin(), problems.end(), cell.problem) == problems.end()) problems.push_back(cell.problem);
    cells[cell].push_back(s);
  }
  if (auto r = one_condition(cells); !r) return tl::unexpected(r.error());
  for (const std::string& problem : problems) {
    for (const auto& [cell, found] : cells) {
      if (cell.problem == problem) out.studies.push_back(*std::min_element(found.begin(), found.end(), newer));
    }
  }
  if (auto r = one_build(out.studies); !r) return tl::unexpected(r.error());
  return out;
}

}  // namespace gemwright::tuner
