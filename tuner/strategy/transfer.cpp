#include "tuner/strategy/transfer.h"

#include <algorithm>

#include "tuner/strategy/seed_list.h"

namespace gemwright::tuner {

std::optional<Config> transferred(const ConfigOrigin& from, Config c, const SpaceInput& in) {
  auto& b = c.blocking;
  if (b.mc >= from.m) b.mc = kWholeBlock;
  if (b.nc >= from.n) b.nc = kWholeBlock;
  if (b.kc >= from.k) b.kc = kWholeBlock;
  const bool all_threads = threads_used(b) >= from.threads, one_tile = c.tile.mr >= from.m && in.m > from.m;
  // As tall as the registers allow, and then even.
  constexpr std::int64_t kRegisters = 32;  // no family has more
  if (one_tile) c.tile.mr = static_cast<int>(std::min(in.m, kRegisters));
  std::optional<Config> out = repaired(in, c);
  if (out && one_tile) {
    out->tile.mr = balanced_rows(in.m, out->tile.mr);
    out = repaired(in, *out);
  }
  if (out && all_threads && threads_used(out->blocking) < in.threads && out->blocking.tk == 1) {
    share_evenly(in, *out);
    out = repaired(in, *out);
  }
  return out;
}

}  // namespace gemwright::tuner
