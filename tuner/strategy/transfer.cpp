#include "tuner/strategy/transfer.h"

#include <algorithm>

#include "tuner/strategy/seed_list.h"

namespace gemwright::tuner {
namespace {

// One tile of rows for more of them: as tall as the registers allow, and then even. Sums along K, which hide the
// latency of short tiles, stay only where that is still one.
void grow(ComputeMode mode, std::int64_t m, gemwright::tile& t) {
  constexpr int kAccumulators = 8;  // as the seeds for few rows have
  const int most_along = t.ka;
  const auto taller = [&] {
    gemwright::tile x = t;
    ++x.mr;
    return x;
  };
  t.ka = 1;
  while (t.mr < m && !violated(mode, taller())) ++t.mr;
  t.mr = balanced_rows(m, t.mr);
  for (gemwright::tile x = t; x.ka < most_along && t.mr * t.nv * t.ka < kAccumulators;) {
    x.ka *= 2;
    if (violated(mode, x)) return;
    t = x;
  }
}

std::optional<Config> on_grid(const SpaceInput& in, Config c, int tm, int tn) {
  c.blocking.tm = tm;
  c.blocking.tn = tn;
  return repaired(in, c);
}

// On rows alone or on columns alone, as before, where there are enough of them; else as evenly as can be. `valid` is c
// repaired; c itself still says which blocks are whole.
std::optional<Config> on_all_threads(const SpaceInput& in, const Config& c, Config valid) {
  const auto& b = c.blocking;
  if ((b.tm > 1) != (b.tn > 1)) {
    const auto same_kind = on_grid(in, c, b.tm > 1 ? in.threads : 1, b.tn > 1 ? in.threads : 1);
    if (same_kind && threads_used(same_kind->blocking) == in.threads) return same_kind;
  }
  share_evenly(in, valid);
  return on_grid(in, c, valid.blocking.tm, valid.blocking.tn);
}

}  // namespace

std::optional<Config> transferred(const SpaceInput& from, Config c, const SpaceInput& in) {
  const Geometry there = geometry(from, c);
  auto& b = c.blocking;
  if (there.row_blocks == 1) b.mc = kWholeBlock;
  if (there.column_blocks == 1) b.nc = kWholeBlock;
  if (there.depth_blocks == 1) b.kc = kWholeBlock;
  if (there.row_tiles == 1 && in.m > from.m) grow(c.mode, in.m, c.tile);
  const std::optional<Config> valid = repaired(in, c);
  // One thread of one was no choice.
  const bool all_threads = threads_used(b) >= from.threads && (from.threads > 1 || worth_sharing(in));
  const bool more_wanted = valid && all_threads && b.tk == 1 && threads_used(valid->blocking) < in.threads;
  return more_wanted ? on_all_threads(in, c, *valid) : valid;
}

}  // namespace gemwright::tuner
