// Which studies measured the same, and in what two of them differ.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "tuner/insight/compare.h"

namespace gemwright::tuner {
namespace {

std::string modes_text(const StudyKey& k) {
  std::set<std::string_view> modes;
  for (const ComputeMode m : k.modes) modes.insert(to_text(m));
  return fmt::format("{}", fmt::join(modes, ","));
}

// What two studies share that are matched.
std::string identity(const StudyKey& k) {
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", key(k.problem), k.m, k.device.threads, to_text(k.cache),
                     to_text(k.data), modes_text(k), k.build.compiler);
}

std::string bound_text(const StudyKey& k) { return k.max_error ? fmt::format("{:.1e}", *k.max_error) : "none"; }

// And what the best counterpart shares beyond.
std::string close_identity(const StudyKey& k) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", k.max_error.value_or(-1), k.batch_invariant, k.device.kind,
                     k.device.fingerprint, identity(k));
}

using Index = std::map<std::string, std::size_t>;
using IdentityOf = std::string (*)(const StudyKey&);

// The newest one of each identity among `candidates`.
Index newest(const std::vector<StudyRecord>& studies, const std::vector<std::size_t>& candidates,
             IdentityOf identity_of) {
  Index out;
  const auto age = [&](std::size_t i) { return std::pair(studies[i].created_at, studies[i].id); };
  for (const std::size_t i : candidates) {
    const auto [it, inserted] = out.emplace(identity_of(studies[i].key), i);
    if (!inserted && age(i) > age(it->second)) it->second = i;
  }
  return out;
}

// One database while its studies find their counterparts.
class Side {
 public:
  explicit Side(const std::vector<StudyRecord>& studies) : studies_(studies) {
    std::vector<std::size_t> finished;
    for (std::size_t i = 0; i < studies.size(); ++i) {
      // Also one that goes on just now, or whose extension found nothing: what was confirmed stands.
      if (studies[i].outcome.best_trial) finished.push_back(i);
    }
    counts_.unfinished = static_cast<std::int64_t>(studies.size() - finished.size());
    for (const auto& [text, i] : newest(studies, finished, close_identity)) open_.push_back(i);
    std::sort(open_.begin(), open_.end());
    counts_.superseded = static_cast<std::int64_t>(finished.size() - open_.size());
  }

  Index index(IdentityOf identity_of) const { return newest(studies_, open_, identity_of); }
  void take(std::size_t i) { std::erase(open_, i); }
  MatchCounts counts() const {
    MatchCounts c = counts_;
    c.unmatched = static_cast<std::int64_t>(open_.size());
    return c;
  }

 private:
  const std::vector<StudyRecord>& studies_;
  std::vector<std::size_t> open_;  // without counterpart so far
  MatchCounts counts_;
};

void note(std::vector<Difference>& out, const std::string& what, const std::string& a, const std::string& b) {
  if (a != b) out.push_back({what, a.empty() ? "none" : a, b.empty() ? "none" : b});
}

std::string cache_text(const StudyKey& k) {
  if (k.cache == CacheState::hot) return "hot";
  return fmt::format("{} ({:.0f} MB)", to_text(k.cache), k.cache_bytes / 1e6);
}

std::string short_digest(const std::string& digest) { return digest.substr(0, 12); }

}  // namespace

StudyMatches match_studies(const std::vector<StudyRecord>& a, const std::vector<StudyRecord>& b) {
  Side side_a(a), side_b(b);
  StudyMatches out;
  for (const IdentityOf identity_of : {close_identity, identity}) {
    const Index in_a = side_a.index(identity_of), in_b = side_b.index(identity_of);
    for (const auto& [text, i] : in_a) {
      const auto it = in_b.find(text);
      if (it == in_b.end()) continue;
      out.matched.push_back({i, it->second});
      side_a.take(i);
      side_b.take(it->second);
    }
  }
  std::sort(out.matched.begin(), out.matched.end(), [](const auto& x, const auto& y) { return x.a < y.a; });
  out.a = side_a.counts();
  out.b = side_b.counts();
  return out;
}

std::vector<Difference> differences(const StudyRecord& a, const StudyRecord& b) {
  const StudyKey &x = a.key, &y = b.key;
  std::vector<Difference> out;
  note(out, "threads", std::to_string(x.device.threads), std::to_string(y.device.threads));
  note(out, "cache state", cache_text(x), cache_text(y));
  if (x.device.fingerprint != y.device.fingerprint || x.device.kind != y.device.kind) {
    const auto text = [](const Device& d) { return fmt::format("{} ({})", d.name, short_digest(d.fingerprint)); };
    out.push_back({"device", text(x.device), text(y.device)});
  }
  note(out, "baseline", a.baseline, b.baseline);
  note(out, "data", std::string(to_text(x.data)), std::string(to_text(y.data)));
  note(out, "compiler", x.build.compiler_version, y.build.compiler_version);
  note(out, "compiler flags", x.build.flags, y.build.flags);
  note(out, "kernel sources", short_digest(x.build.source_digest), short_digest(y.build.source_digest));
  note(out, "compute modes", modes_text(x), modes_text(y));
  note(out, "error bound", bound_text(x), bound_text(y));
  note(out, "batch-invariance", x.batch_invariant ? "yes" : "no", y.batch_invariant ? "yes" : "no");
  note(out, "space version", std::to_string(x.space_version), std::to_string(y.space_version));
  return out;
}

std::optional<std::string> incomparable(const StudyKey& a, const StudyKey& b) {
  if (!(a.problem == b.problem)) {
    return fmt::format("A and B are different problems: {} and {}", key(a.problem), key(b.problem));
  }
  if (a.m != b.m) return fmt::format("A and B have different M: {} and {}", a.m, b.m);
  return std::nullopt;
}

}  // namespace gemwright::tuner
