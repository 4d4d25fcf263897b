#include "tuner/measure/rounds.h"

#include <algorithm>

namespace gemwright::tuner {
namespace {

// One value, and whether somebody disturbed what it was made of.
struct Value {
  double value = 0;
  bool disturbed = false;
};

// Of the entrant's blocks in a round one counts: where it ran twice the first in even rounds and the second in odd
// ones, or the undisturbed one of the two. A mean of both would be another distribution than the other side's single
// block: under skewed noise their medians differ though both are the same program.
std::optional<Value> of_round(std::int64_t number, const std::vector<Heat>& round, EntrantId x) {
  std::vector<const Heat*> mine;
  for (const Heat& h : round) {
    if (h.entrant == x) mine.push_back(&h);
  }
  if (mine.empty()) return std::nullopt;
  const Heat* chosen = mine[static_cast<std::size_t>(number) % mine.size()];
  for (const Heat* h : mine) {
    if (chosen->disturbed && !h->disturbed) chosen = h;
  }
  return Value{chosen->log_ns, chosen->disturbed};
}

// A median of fewer undisturbed values is no better than one that takes the disturbed ones in.
constexpr std::size_t kMinForMedian = 2;

// The undisturbed values, or all of them where fewer than `needed` are undisturbed.
std::vector<double> usable(const std::vector<Value>& values, std::size_t needed) {
  std::vector<double> clean, all;
  for (const Value& v : values) {
    all.push_back(v.value);
    if (!v.disturbed) clean.push_back(v.value);
  }
  return clean.size() >= std::min(needed, all.size()) ? clean : all;
}

std::vector<Value> pairs(const std::map<std::int64_t, std::vector<Heat>>& rounds, EntrantId x, EntrantId y) {
  std::vector<Value> out;
  for (const auto& [number, heats] : rounds) {
    const auto mine = of_round(number, heats, x), other = of_round(number, heats, y);
    if (mine && other) out.push_back({other->value - mine->value, mine->disturbed || other->disturbed});
  }
  return out;
}

}  // namespace

std::vector<double> RoundLog::leads(EntrantId x, EntrantId y) const { return usable(pairs(rounds_, x, y), kMinPairs); }

std::size_t RoundLog::clean_pairs(EntrantId x, EntrantId y) const {
  const auto all = pairs(rounds_, x, y);
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const Value& v) { return !v.disturbed; }));
}

std::vector<double> RoundLog::twins(EntrantId x) const {
  std::vector<Value> out;
  for (const auto& [number, heats] : rounds_) {
    std::vector<const Heat*> mine;
    for (const Heat& h : heats) {
      if (h.entrant == x) mine.push_back(&h);
    }
    if (mine.size() < 2) continue;
    const double difference = mine[1]->log_ns - mine[0]->log_ns;
    out.push_back({number % 2 == 0 ? difference : -difference, mine[0]->disturbed || mine[1]->disturbed});
  }
  return usable(out, kMinPairs);
}

std::optional<double> RoundLog::cost(EntrantId x, EntrantId reference) const {
  const auto lead = median(usable(pairs(rounds_, x, reference), kMinForMedian));
  return lead ? std::optional(-*lead) : std::nullopt;
}

std::optional<double> RoundLog::centred(EntrantId x, const std::vector<EntrantId>& field) const {
  std::vector<Value> out;
  for (const auto& [number, heats] : rounds_) {
    const auto mine = of_round(number, heats, x);
    double sum = 0;
    bool disturbed = false;
    std::size_t met = 0;
    for (const EntrantId other : field) {
      const auto value = of_round(number, heats, other);
      if (!value) continue;
      sum += value->value;
      disturbed = disturbed || value->disturbed;
      ++met;
    }
    // A round that misses a member of the field has another centre.
    if (mine && met == field.size() && met > 0)
      out.push_back({mine->value - sum / static_cast<double>(met), disturbed});
  }
  return median(usable(out, kMinForMedian));
}

std::vector<double> RoundLog::times(EntrantId x) const {
  std::vector<Value> out;
  for (const auto& [number, heats] : rounds_) {
    for (const Heat& h : heats) {
      if (h.entrant == x) out.push_back({h.log_ns, h.disturbed});
    }
  }
  return usable(out, kMinForMedian);
}

std::optional<double> RoundLog::log_ns(EntrantId x) const { return median(times(x)); }

std::size_t RoundLog::blocks(EntrantId x) const {
  std::size_t count = 0;
  for (const auto& [number, heats] : rounds_) {
    count += static_cast<std::size_t>(
        std::count_if(heats.begin(), heats.end(), [x](const Heat& h) { return h.entrant == x; }));
  }
  return count;
}

void RoundLog::mark_slow(EntrantId reference, double log_ns) {
  for (auto& [number, heats] : rounds_) {
    const auto is_reference = [&](const Heat& h) { return h.entrant == reference; };
    const auto calm = [&](const Heat& h) { return is_reference(h) && h.log_ns <= log_ns; };
    if (std::none_of(heats.begin(), heats.end(), is_reference) || std::any_of(heats.begin(), heats.end(), calm))
      continue;
    for (Heat& h : heats) h.disturbed = true;
  }
}

}  // namespace gemwright::tuner
