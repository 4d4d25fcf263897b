#include "tuner/strategy/seed_list.h"

#include <fmt/format.h>

#include <algorithm>

namespace gemwright::tuner {

int SeedList::tallest(gemwright::isa family, int nv) const {
  gemwright::tile t{family, 1, family == gemwright::isa::scalar ? 4 : nv, 1, 1, gemwright::prefetch::none};
  while (!violated(mode_, t)) ++t.mr;
  return std::max(t.mr - 1, 1);
}

void SeedList::add(const std::string& name, const Config& c) {
  const auto valid = repaired(in_, c);
  if (!valid || !seen_.insert(key(*valid)).second) return;
  list_.push_back({is_dot(mode_) ? fmt::format("{}-{}", to_text(mode_), name) : name, *valid});
}

void SeedList::add_both(const std::string& name, Config c) {
  if (may_stay_unpacked(in_.problem, mode_)) {
    Config plain = c;
    plain.format = {0, 0};
    add(name + "-unpacked", plain);
  }
  add(name, c);
}

void SeedList::add_concatenated() {
  if (list_.empty() || !has_pair(in_.problem)) return;
  Config c = list_.front().config;
  c.format.pair = 0;
  const std::size_t count = list_.size();
  add("concatenated", c);
  if (list_.size() > count) std::rotate(list_.begin() + 1, list_.end() - 1, list_.end());
}

Config base(const SeedList& list, int mr, int nv) {
  Config c;
  c.mode = list.mode();
  const gemwright::isa family = list.family();
  c.tile = {family, mr, family == gemwright::isa::scalar ? 4 : nv, 1, 1, gemwright::prefetch::none};
  c.format.panel = nr(c.tile);
  c.format.pair = list.pair();
  c.blocking = {
      kWholeBlock, kWholeBlock, kWholeBlock, gemwright::loop_order::nmk, true, gemwright::a_packing::none, 1, 1, 1, 0};
  return c;
}

int balanced_rows(std::int64_t m, int most) { return static_cast<int>(ceil_of(m, ceil_of(m, most))); }

void share_evenly(const SpaceInput& in, Config& c) {
  const std::int64_t tiles = ceil_of(in.m, c.tile.mr) * in.problem.batch;
  const std::int64_t units = ceil_of(in.problem.n, gemwright::column_unit(c.tile, c.format));
  std::int64_t least = 0;
  for (int tm = 1; tm <= in.threads; ++tm) {
    const auto tn = std::min<std::int64_t>(in.threads / tm, units);
    const std::int64_t busiest = ceil_of(tiles, tm) * ceil_of(units, tn);
    if (tm > 1 && busiest >= least) continue;
    least = busiest;
    c.blocking.tm = tm;
    c.blocking.tn = static_cast<int>(tn);
  }
}

}  // namespace gemwright::tuner
