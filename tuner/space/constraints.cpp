// What makes a config valid: the constraints of the space, each with its reason.
#include <algorithm>
#include <numeric>

#include "tuner/space/dot_walk.h"
#include "tuner/space/limits.h"
#include "tuner/space/space.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::prefetch;

bool multiple_or_whole(std::int64_t block, std::int64_t unit, std::int64_t whole) {
  return block >= whole || block % unit == 0;
}

bool numbers_mean_something(const SpaceInput&, const Config& c) { return has_meaning(c); }

bool family_is_there(const SpaceInput& in, const Config& c) {
  return std::find(in.families.begin(), in.families.end(), c.tile.family) != in.families.end();
}

bool mode_is_admitted(const SpaceInput& in, const Config& c) {
  const auto interface = modes_behind(in.problem.interface);
  const auto in_list = [&](const auto& list) { return std::find(list.begin(), list.end(), c.mode) != list.end(); };
  return in_list(in.modes) && in_list(interface);
}

bool sums_fit(const SpaceInput& in, const Config& c) { return fits_depth(c.mode, in.problem.k); }

bool tile_is_offered(const SpaceInput&, const Config& c) { return !violated(c.mode, c.tile); }

bool tile_is_not_too_tall(const SpaceInput& in, const Config& c) { return c.tile.mr <= in.m; }

bool tile_is_not_too_wide(const SpaceInput& in, const Config& c) { return !too_wide(in.problem, c.mode, c.tile); }

bool unroll_fits_k(const SpaceInput& in, const Config& c) {
  return std::max(c.tile.ku, c.tile.ka) <= k_steps(c.mode, c.tile, in.problem.k);
}

bool runs_along_k_as_it_can(const SpaceInput& in, const Config& c) {
  return !c.tile.along_k || (may_run_along_k(in, c.mode, c.tile.family) &&
                             gemwright::fits_along_k(c.tile, c.format, c.blocking, in.problem.a_layout));
}

bool weights_are_packed(const SpaceInput& in, const Config& c) {
  return c.format.panel > 0 || may_stay_unpacked(in.problem, c.mode);
}

bool panels_fit_tiles(const SpaceInput& in, const Config& c) {
  return gemwright::fits_panels(c.tile, c.format) && (c.tile.panels == 1 || may_span(in.problem, c.mode));
}

bool format_is_the_shared_one(const SpaceInput& in, const Config& c) { return !in.format || c.format == *in.format; }

bool pair_is_one(const SpaceInput& in, const Config& c) {
  if (!has_pair(in.problem)) return c.format.pair == 0;
  if (c.format.pair == 0) return true;
  return gemwright::packs_pairs(c.format, in.problem.n) && (!is_dot(c.mode) || holds_pairs(in.problem, c));
}

bool chain_has_that_place(const SpaceInput& in, const Config& c) {
  using gemwright::fusion;
  if (c.blocking.chain_at == fusion::registers) return true;
  if (!may_choose_fusion(in.problem, c)) return false;
  return !has_pair(in.problem) || c.blocking.chain_at == fusion::pass;
}

bool panel_is_not_too_wide(const SpaceInput& in, const Config& c) {
  const int unit = std::lcm(nr(c.tile), std::max(2 * c.format.pair, 1));
  return c.format.panel <= kMaxPanel && c.format.panel <= up_to_multiple(in.problem.n, unit);
}

bool grid_fits_threads(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  return std::int64_t{b.tm} * b.tn * b.tk <= in.threads;
}

bool grid_rows_have_work(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  if (sums_in_memory(in.problem, c) == 0) return b.tm <= ceil_of(in.m, c.tile.mr) * in.problem.batch;
  return b.tm <= ceil_of(std::min(b.mc, in.m), c.tile.mr);
}

bool grid_columns_have_work(const SpaceInput& in, const Config& c) {
  return c.blocking.tn <= geometry(in, c).column_units;
}

bool split_k_is_deep(const SpaceInput& in, const Config& c) {
  return c.blocking.tk == 1 || (in.problem.k >= kMinSplitK && in.problem.k / c.blocking.tk >= kMinSplitDepth);
}

bool split_k_scratch_is_bounded(const SpaceInput& in, const Config& c) {
  if (is_dot(c.mode)) return slice_bytes(in, c) <= kMaxSplitBytes;
  const int sums = sums_in_memory(in.problem, c);
  if (sums == 0) return true;
  const std::int64_t most_rows = kMaxSplitBytes / kWordBytes / sums / in.problem.n;
  return std::min(c.blocking.mc, in.m) <= most_rows;
}

bool kc_is_unrolled(const SpaceInput& in, const Config& c) {
  return multiple_or_whole(c.blocking.kc, depth_unit(c), in.problem.k);
}

bool mc_holds_whole_tiles(const SpaceInput& in, const Config& c) {
  // A chunk of a dot mode could hold rows of several items, which share no weights.
  if (is_dot(c.mode) && in.problem.batch > 1 && c.blocking.mc > in.m) return false;
  return multiple_or_whole(c.blocking.mc, c.tile.mr, in.m);
}

bool nc_holds_whole_units(const SpaceInput& in, const Config& c) {
  return multiple_or_whole(c.blocking.nc, gemwright::column_unit(c.tile, c.format), in.problem.n);
}

bool nest_is_the_one_of_dots(const SpaceInput& in, const Config& c) {
  if (!is_dot(c.mode)) return true;
  const auto& b = c.blocking;
  return b.order == gemwright::loop_order::mnk && (b.pack_a != a_packing::job || !sums_wait(in.problem, c));
}

bool partial_sums_are_bounded(const SpaceInput& in, const Config& c) {
  if (!is_dot(c.mode)) return true;
  return partial_bytes(in, c) <= kMaxPartialBytes;
}

bool a_is_packed_as_it_can_be(const SpaceInput& in, const Config& c) { return packs_a_as_it_can(in.problem, c); }

bool rows_in_place_stay_in_l1(const SpaceInput& in, const Config& c) {
  return c.blocking.pack_a != gemwright::a_packing::none || !rows_of_a_conflict(in.problem, c);
}

bool packed_a_is_bounded(const SpaceInput& in, const Config& c) {
  if (c.blocking.pack_a == a_packing::none) return true;
  if (is_dot(c.mode)) return std::min(c.blocking.mc, in.m) <= most_chunk_rows(in, c);
  const std::int64_t rows = up_to_multiple(std::min(c.blocking.mc, in.m), c.tile.mr);
  return rows <= kMaxPackedABytes / kWordBytes / std::min(c.blocking.kc, in.problem.k);
}

bool distance_goes_with_hint(const SpaceInput&, const Config& c) {
  return (c.tile.hint == prefetch::none) == (c.blocking.prefetch_rows == 0);
}

bool distance_is_listed(const SpaceInput&, const Config& c) {
  return c.tile.hint == prefetch::none ||
         std::find(kPrefetchRows.begin(), kPrefetchRows.end(), c.blocking.prefetch_rows) != kPrefetchRows.end();
}

bool distance_stays_in_b(const SpaceInput& in, const Config& c) {
  return c.tile.hint == prefetch::none ||
         is_prefetch_distance(c.blocking.prefetch_rows, in.problem.k, c.format.panel > 0);
}

bool bits_do_not_depend_on_m(const SpaceInput& in, const Config& c) {
  if (!in.batch_invariant) return true;
  // Sums of vectors along K are made of each block of it.
  const bool same_sums = c.tile.along_k == may_run_along_k(in, c.mode, c.tile.family) &&
                         (!c.tile.along_k || c.blocking.kc >= in.problem.k);
  return same_sums && c.tile.ka == 1 && c.blocking.tk == 1 && c.tile.family == widest_family(in, c.mode);
}

std::vector<Constraint> make_constraints() {
  return {
      {"positive", "sizes of blocks and the thread grid are at least 1", numbers_mean_something},
      {"mode", "the study does not admit this compute mode, or it takes other elements than the interface hands in",
       mode_is_admitted},
      {"mode-depth", "K is longer than the 65793 products of u8 and s8 that an s32 sum holds", sums_fit},
      {"family", "this device cannot run the instruction family of the tile", family_is_there},
      {"tile", "the kernel library does not offer this tile", tile_is_offered},
      {"rows", "a tile with more rows than M computes nothing in the others", tile_is_not_too_tall},
      {"vectors", "a tile whose last vector, or column along K, lies beyond N computes nothing in it",
       tile_is_not_too_wide},
      {"unroll", "K is shorter than the unroll, so its loop would never be entered", unroll_fits_k},
      {"along-k",
       "vectors run along K in f32 tiles for at most 64 columns (4 where results are batch-invariant) that do not fill "
       "all vectors, with panels of one column and a row-major A that is read where it lies",
       runs_along_k_as_it_can},
      {"packed", "B must be packed: it is constant, column-major or for a dot mode; a plain B is read row by row",
       weights_are_packed},
      {"panel-tiles",
       "a panel of packed B must be a whole number of tiles wide, or a tile one of panels; "
       "tiles of a pair of products in a dot mode span one",
       panels_fit_tiles},
      {"panel-width", "a panel is at most 128 columns wide and not wider than N needs", panel_is_not_too_wide},
      {"pair",
       "columns take turns in panels of whole turns, for a pair of products only; a tile of a dot mode must hold both",
       pair_is_one},
      {"one-format", "the weights are packed in another format, which all M share", format_is_the_shared_one},
      {"grid-threads", "the thread grid needs more threads than are offered", grid_fits_threads},
      {"grid-rows", "some threads along M would have no tile to compute", grid_rows_have_work},
      {"grid-columns", "some threads along N would have no panel or tile to compute", grid_columns_have_work},
      {"split-k", "slices of K pay only from K = 1024 on and at least 512 deep", split_k_is_deep},
      {"split-k-scratch",
       "the partial sums of the slices of K, or of a pair that does not meet in registers, exceed 64 MiB",
       split_k_scratch_is_bounded},
      {"fusion",
       "there is no chain to run elsewhere, or it runs as slices of K are added, before C becomes bf16, or on a pair's "
       "sums",
       chain_has_that_place},
      {"kc", "kc must be a multiple of four unrolled steps, or all of K", kc_is_unrolled},
      {"mc", "mc must be a multiple of the tile's rows, or all of M", mc_holds_whole_tiles},
      {"nc", "nc must be a multiple of the panel (of NR where B is not packed or NR is wider), or all of N",
       nc_holds_whole_units},
      {"a-in-place",
       "a dot tile reads A where it lies only if that is row-major and of the mode's own elements, unwidened; and only "
       "the jobs of a dot mode pack A together",
       a_is_packed_as_it_can_be},
      {"a-conflicts",
       "more than 8 rows of A that lie 4096 bytes apart are not read in place: one set of L1 holds them all",
       rows_in_place_stay_in_l1},
      {"packed-a", "a packed block of A exceeds 16 MiB a thread", packed_a_is_bounded},
      {"dot-nest",
       "a dot mode nests its blocks as mnk; where sums wait for a further phase, those of slices of K or of a pair, "
       "its jobs pack A together or read it in place",
       nest_is_the_one_of_dots},
      {"partial-sums", "the sums that wait for the next block of K exceed 16 MiB a thread", partial_sums_are_bounded},
      {"hint", "a prefetch distance belongs to a tile with a prefetch hint, and the other way round",
       distance_goes_with_hint},
      {"distance", "prefetch distances are 8, 16, 32, 64, 96, 128 or 192 rows (groups of a dot mode) or the next panel",
       distance_is_listed},
      {"distance-k",
       "the prefetch distance reaches beyond the last row of an unpacked B, which has no next panel either",
       distance_stays_in_b},
      {"batch-invariant",
       "second accumulators along K, slices of K, narrower families, and vectors along K where others could do, or the "
       "other way round, give other bits: not batch-invariant",
       bits_do_not_depend_on_m},
  };
}

}  // namespace

const std::vector<Constraint>& constraints() {
  static const std::vector<Constraint> list = make_constraints();
  return list;
}

std::optional<std::string> violated(const SpaceInput& in, const Config& c) {
  for (const Constraint& constraint : constraints()) {
    if (constraint.holds(in, c)) continue;
    if (constraint.name == "tile") return violated(c.mode, c.tile);  // says which of the library's limits it is
    return std::string(constraint.reason);
  }
  return std::nullopt;
}

}  // namespace gemwright::tuner
