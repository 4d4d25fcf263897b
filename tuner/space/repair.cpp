// Bends a config that was changed in one place, or written down as an idea, into the nearest valid one.
#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "tuner/space/dot_walk.h"
#include "tuner/space/limits.h"
#include "tuner/space/space.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::prefetch;

void repair_direction(const SpaceInput& in, ComputeMode mode, gemwright::tile& t) {
  const bool may = may_run_along_k(in, mode, t.family);
  if (!may || along_k_is_settled(in)) t.along_k = may;
  if (t.along_k) t.hint = prefetch::none;
}

void repair_tile(const SpaceInput& in, ComputeMode mode, gemwright::tile& t) {
  t.panels = 1;  // settled with the panel
  repair_direction(in, mode, t);
  t.nv = std::clamp(t.nv, min_vectors(t.family), max_vectors(t.family));
  while (too_wide(in.problem, mode, t)) --t.nv;
  if (t.along_k && t.nv > 1) {
    t.ku = std::min(t.ku, 2);
    t.ka = std::min(t.ka, 2);
  }
  t.mr = static_cast<int>(std::clamp<std::int64_t>(t.mr, 1, in.m));
  if (in.batch_invariant) t.ka = 1;
  const std::int64_t steps = k_steps(mode, t, in.problem.k);
  while (t.ka > 1 && (violated(mode, t) || t.ka > steps)) t.ka /= 2;
  // Some tiles fit the registers only as long as K is not unrolled.
  while (t.ku > 1 && (is_dot(mode) || t.along_k) && violated(mode, t)) t.ku /= 2;
  while (t.mr > 1 && violated(mode, t)) --t.mr;
  t.ku = std::max(t.ku, t.ka);
  while (t.ku > 1 && t.ku > steps) t.ku /= 2;
}

void repair_packing_of_a(const SpaceInput& in, Config& c) {
  auto& pack_a = c.blocking.pack_a;
  if (c.tile.along_k) pack_a = a_packing::none;
  if (!is_dot(c.mode) && pack_a == a_packing::shared) pack_a = a_packing::job;
  const bool in_place = reads_a_in_place(in.problem, c.mode, c.tile.family) && !rows_of_a_conflict(in.problem, c);
  if (pack_a == a_packing::none && !in_place) pack_a = a_packing::job;
}

// The tile spans the panels as it is, or shorter and less unrolled; false where it is no wider than they are.
bool spans_panels(const SpaceInput& in, Config& c) {
  gemwright::tile& t = c.tile;
  t.panels = 1;
  if (!may_span(in.problem, c.mode)) return false;
  settle_panels(c);
  if (t.panels == 1) return false;
  t.ka = std::min(t.ka, 2);
  t.ku = std::min(t.ku, 2);
  if (t.ka == 1 && violated(c.mode, t)) t.ku = 1;
  while (t.mr > 1 && violated(c.mode, t)) --t.mr;
  return true;
}

void repair_panel(const SpaceInput& in, Config& c) {
  if (in.format) {
    c.format = *in.format;
    const auto fits = [&] {
      const bool halves = c.format.pair == 0 || !is_dot(c.mode) || gemwright::tile_holds_pairs(c.tile, c.format);
      return halves && (spans_panels(in, c) || gemwright::fits_panels(c.tile, c.format));
    };
    while (!fits() && c.tile.nv > min_vectors(c.tile.family)) --c.tile.nv;
    return;
  }
  c.tile.panels = 1;
  if (c.tile.along_k) {
    c.format = {1, 0};
    return;
  }
  if (c.format.panel <= 0 && may_stay_unpacked(in.problem, c.mode)) {
    c.format = {0, 0};
    return;
  }
  if (!has_pair(in.problem)) c.format.pair = 0;
  // Turns are for tiles that hold both halves.
  if (c.format.pair > 0 && is_dot(c.mode)) {
    c.format.pair = pair_run(in, c.mode);
    if (c.tile.nv % 2 != 0) c.tile.nv = c.tile.nv + 1 <= max_vectors(c.tile.family) ? c.tile.nv + 1 : c.tile.nv - 1;
    while (c.tile.mr > 1 && violated(c.mode, c.tile)) --c.tile.mr;
  }
  if (!is_dot(c.mode) && std::lcm(nr(c.tile), std::max(2 * c.format.pair, 1)) > kMaxPanel) c.format.pair = 0;
  if (c.format.panel % std::max(2 * c.format.pair, 1) == 0 && spans_panels(in, c)) return;
  const int width = std::lcm(nr(c.tile), std::max(2 * c.format.pair, 1));
  const int widest =
      static_cast<int>(std::min<std::int64_t>(kMaxPanel / width * width, up_to_multiple(in.problem.n, width)));
  const int nearest = (std::max(c.format.panel, 0) + width / 2) / width * width;
  c.format.panel = std::clamp(nearest, width, std::max(widest, width));
  c.tile.panels = 1;
}

// Fewer rows a chunk of a dot mode, or no slices of K and of rows where one tile's are too many.
void bound_slices(const SpaceInput& in, Config& c) {
  auto& b = c.blocking;
  if (slice_bytes(in, c) <= kMaxSplitBytes) return;
  if (most_waiting_rows(in, c) == 0) b.tm = b.tk = 1;
  b.mc = std::max<std::int64_t>(std::min(b.mc, most_waiting_rows(in, c)), c.tile.mr);
}

// K gives its threads back first, then M: columns are the cheapest thing to share.
void repair_grid(const SpaceInput& in, Config& c) {
  auto& b = c.blocking;
  const std::int64_t units = geometry(in, c).column_units;
  b.tn = static_cast<int>(std::min<std::int64_t>({b.tn, units, in.threads}));
  if (in.batch_invariant || in.problem.k < kMinSplitK) b.tk = 1;
  b.tk = static_cast<int>(std::clamp<std::int64_t>(std::min<std::int64_t>(b.tk, in.problem.k / kMinSplitDepth), 1,
                                                   std::max(in.threads / b.tn, 1)));
  if (is_dot(c.mode)) {
    const std::int64_t tiles = ceil_of(in.m, c.tile.mr) * in.problem.batch;
    b.tm = static_cast<int>(std::min<std::int64_t>({b.tm, tiles, in.threads / (b.tn * b.tk)}));
    bound_slices(in, c);
    return;
  }
  if (b.tk > 1) {
    const std::int64_t most_rows = kMaxSplitBytes / kWordBytes / (b.tk - 1) / in.problem.n;
    if (most_rows < c.tile.mr) b.tk = 1;
    if (most_rows < std::min(b.mc, in.m)) b.mc = std::max<std::int64_t>(most_rows / c.tile.mr, 1) * c.tile.mr;
  }
  const std::int64_t tiles =
      b.tk > 1 ? ceil_of(std::min(b.mc, in.m), c.tile.mr) : ceil_of(in.m, c.tile.mr) * in.problem.batch;
  b.tm = static_cast<int>(std::min<std::int64_t>({b.tm, tiles, in.threads / (b.tn * b.tk)}));
}

std::int64_t repaired_block(std::int64_t block, std::int64_t unit, std::int64_t whole) {
  block = std::clamp<std::int64_t>(block, 1, whole);
  return block == whole ? whole : std::min(up_to_multiple(block, unit), whole);
}

// Scratch memory of a chunk of rows: packed A over all of K, and the sums between two blocks of K.
void bound_scratch(const SpaceInput& in, Config& c) {
  auto& b = c.blocking;
  b.mc = std::min(b.mc, most_chunk_rows(in, c));
  if (partial_bytes(in, c) <= kMaxPartialBytes) return;
  const std::int64_t unit = gemwright::column_unit(c.tile, c.format), rows = up_to_multiple(b.mc, c.tile.mr);
  b.nc = std::max(kMaxPartialBytes / kWordBytes / rows / unit, std::int64_t{1}) * unit;
  const std::int64_t most_rows = kMaxPartialBytes / kWordBytes / b.nc;
  b.mc = std::min(b.mc, std::max(most_rows / c.tile.mr, std::int64_t{1}) * c.tile.mr);
}

void repair_blocks(const SpaceInput& in, Config& c) {
  auto& b = c.blocking;
  b.kc = repaired_block(b.kc, depth_unit(c), in.problem.k);
  if (in.batch_invariant && c.tile.along_k) b.kc = in.problem.k;
  b.mc = repaired_block(b.mc, c.tile.mr, in.m);
  b.nc = repaired_block(b.nc, gemwright::column_unit(c.tile, c.format), in.problem.n);
  if (!is_dot(c.mode)) return;
  b.order = gemwright::loop_order::mnk;
  bound_scratch(in, c);
}

void repair_prefetch(const SpaceInput& in, Config& c) {
  auto& distance = c.blocking.prefetch_rows;
  if (c.tile.hint == prefetch::none) {
    distance = 0;
    return;
  }
  const auto possible = [&](std::int64_t rows) { return is_prefetch_distance(rows, in.problem.k, c.format.panel > 0); };
  if (!possible(kPrefetchRows.front())) {
    c.tile.hint = prefetch::none;
    distance = 0;
    return;
  }
  std::int64_t best = kPrefetchRows.front();
  for (std::int64_t rows : kPrefetchRows) {
    if (!possible(rows)) break;
    if (std::llabs(rows - distance) < std::llabs(best - distance)) best = rows;
  }
  distance = best;
}

}  // namespace

std::optional<Config> repaired(const SpaceInput& in, Config c) {
  if (!has_meaning(c)) return std::nullopt;
  if (in.batch_invariant) c.tile.family = widest_family(in, c.mode).value_or(c.tile.family);
  repair_tile(in, c.mode, c.tile);
  repair_packing_of_a(in, c);
  repair_panel(in, c);
  repair_grid(in, c);
  repair_blocks(in, c);
  repair_prefetch(in, c);
  if (const int sums = sums_in_memory(in.problem, c); sums > 0 && c.blocking.tk == 1) {
    const std::int64_t most = kMaxSplitBytes / kWordBytes / sums / in.problem.n / c.tile.mr * c.tile.mr;
    c.blocking.mc = std::min(c.blocking.mc, std::max<std::int64_t>(most, c.tile.mr));
    c.blocking.tm =
        static_cast<int>(std::min<std::int64_t>(c.blocking.tm, ceil_of(std::min(c.blocking.mc, in.m), c.tile.mr)));
  }
  Config result = canonical(in, c);
  // Only now is it known whether a block of A is all of it.
  if (!is_dot(c.mode) && c.blocking.pack_a != a_packing::none && violated(in, result)) {
    c.blocking.pack_a = a_packing::none;
    result = canonical(in, c);
  }
  if (violated(in, result)) return std::nullopt;
  return result;
}

}  // namespace gemwright::tuner
