#include "tuner/insight/rank_flip.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace gemwright::tuner {
namespace {

// A config in both studies: logarithms of its speeds, and what noise may do to them.
struct Both {
  const RankedConfig *hot = nullptr, *other = nullptr;
  double log_hot = 0, log_other = 0;
  double noise_hot = 0, noise_other = 0;
  std::size_t rank_hot = 0, rank_other = 0;
};

bool has_speed(const RankedConfig& c) { return std::isfinite(c.speed) && c.speed > 0; }

std::int64_t most_blocks(const RankedStudy& s) {
  std::int64_t most = 1;
  for (const RankedConfig& c : s.configs) most = std::max(most, c.blocks);
  return most;
}

double noise_of(const RankedConfig& c, const RankedStudy& s, std::int64_t most) {
  const double floor = std::log1p(std::max(s.noise_floor.value_or(kDefaultNoiseFloor), 0.0));
  return floor * std::sqrt(static_cast<double>(most) / static_cast<double>(std::max<std::int64_t>(c.blocks, 1)));
}

std::vector<Both> in_both(const RankedStudy& hot, const RankedStudy& other) {
  std::map<std::string, const RankedConfig*> by_key;
  for (const RankedConfig& c : other.configs) {
    if (has_speed(c)) by_key.emplace(c.key, &c);
  }
  const std::int64_t most_hot = most_blocks(hot), most_other = most_blocks(other);
  std::vector<Both> out;
  for (const RankedConfig& c : hot.configs) {
    const auto it = by_key.find(c.key);
    if (!has_speed(c) || it == by_key.end() || it->second == nullptr) continue;
    const RankedConfig& there = *it->second;
    out.push_back({&c, &there, std::log(c.speed), std::log(there.speed), noise_of(c, hot, most_hot),
                   noise_of(there, other, most_other), 0, 0});
    it->second = nullptr;  // each config once, whatever a database holds
  }
  return out;
}

void rank(std::vector<Both>& configs, double Both::*speed, std::size_t Both::*place) {
  std::vector<std::size_t> order(configs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return configs[i].*speed > configs[j].*speed; });
  for (std::size_t i = 0; i < order.size(); ++i) configs[order[i]].*place = i + 1;
}

// Larger first; what is equal in the order of the trials, so that the answer is always the same one.
bool before(const RankFlip& a, const RankFlip& b) {
  return std::tuple(-a.size(), a.x_hot, a.y_hot) < std::tuple(-b.size(), b.x_hot, b.y_hot);
}

// Bounds memory: some hundred configs have that many pairs.
void keep_largest(std::vector<RankFlip>& flips) {
  if (flips.size() > kMaxFlips) {
    std::nth_element(flips.begin(), flips.begin() + static_cast<std::ptrdiff_t>(kMaxFlips), flips.end(), before);
    flips.resize(kMaxFlips);
  }
}

}  // namespace

RankFlips rank_flips(const RankedStudy& hot, const RankedStudy& other) {
  std::vector<Both> configs = in_both(hot, other);
  rank(configs, &Both::log_hot, &Both::rank_hot);
  rank(configs, &Both::log_other, &Both::rank_other);
  std::sort(configs.begin(), configs.end(), [](const Both& a, const Both& b) { return a.rank_hot < b.rank_hot; });
  RankFlips out;
  out.common = configs.size();
  for (std::size_t i = 0; i < configs.size(); ++i) {
    for (std::size_t j = i + 1; j < configs.size(); ++j) {  // x is the faster one when hot
      const Both &x = configs[i], &y = configs[j];
      const double gain_hot = x.log_hot - y.log_hot, gain_other = x.log_other - y.log_other;
      if (gain_hot <= std::max(x.noise_hot, y.noise_hot)) continue;
      if (-gain_other <= std::max(x.noise_other, y.noise_other)) continue;
      ++out.count;
      out.flips.push_back({hot.study, other.study, x.hot->trial, y.hot->trial, x.other->trial, y.other->trial,
                           x.hot->label, y.hot->label, std::exp(gain_hot), std::exp(gain_other), x.rank_hot, y.rank_hot,
                           x.rank_other, y.rank_other});
      if (out.flips.size() >= 2 * kMaxFlips) keep_largest(out.flips);
    }
  }
  keep_largest(out.flips);
  std::sort(out.flips.begin(), out.flips.end(), before);
  return out;
}

std::vector<std::pair<std::size_t, std::size_t>> cache_state_pairs(const std::vector<StudyRecord>& studies) {
  std::map<std::string, std::size_t> newest;
  for (std::size_t i = 0; i < studies.size(); ++i) {
    if (studies[i].state != StudyState::finished) continue;
    const auto [it, inserted] = newest.emplace(key(studies[i].key), i);
    if (!inserted && studies[i].generation > studies[it->second].generation) it->second = i;
  }
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (const auto& [text, i] : newest) {
    if (studies[i].key.cache == CacheState::hot) continue;
    StudyKey as_hot = studies[i].key;
    as_hot.cache = CacheState::hot;
    const auto hot = newest.find(key(as_hot));
    if (hot != newest.end()) out.emplace_back(hot->second, i);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace gemwright::tuner
