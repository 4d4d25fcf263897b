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

double item_work(const SpaceInput& in) {
  return static_cast<double>(in.m) * static_cast<double>(in.problem.n) * static_cast<double>(in.problem.k);
}

bool small(const SpaceInput& in) {
  constexpr double kSmallWork = 128.0 * 128 * 128;  // 16 us on one Zen 5 core
  return item_work(in) <= kSmallWork;
}

int worthwhile_threads(const SpaceInput& in) {
  // Two threads with rows of their own had 0.8 to 1.1 times the speed of one at 32^3, 1.0 to 1.3 times at 48^3, 1.2 to
  // 1.5 times at 96^3 and 1.8 to 1.9 times at 128^3 (Zen 4): half of 48^3 is worth a thread.
  constexpr double kThreadsWork = 48.0 * 48 * 48 / 2;
  const double parts = item_work(in) * static_cast<double>(in.problem.batch) / kThreadsWork;
  return static_cast<int>(std::clamp(parts, 1.0, static_cast<double>(std::max(in.threads, 1))));
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
