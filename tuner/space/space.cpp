#include "tuner/space/space.h"

#include <fmt/format.h>

#include <algorithm>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;

bool multiple_or_whole(std::int64_t block, std::int64_t unit, std::int64_t whole) {
  return block >= whole || block % unit == 0;
}

bool numbers_mean_something(const SpaceInput&, const Config& c) { return has_meaning(c); }

bool family_is_there(const SpaceInput& in, const Config& c) {
  return std::find(in.families.begin(), in.families.end(), c.tile.family) != in.families.end();
}

bool tile_is_offered(const SpaceInput&, const Config& c) { return !violated(c.mode, c.tile); }

bool tile_is_not_too_tall(const SpaceInput& in, const Config& c) { return c.tile.mr <= in.m; }

bool tile_is_not_too_wide(const SpaceInput& in, const Config& c) {
  return c.tile.nv == min_vectors(c.tile.family) || (c.tile.nv - 1) * vector_width(c.tile.family) < in.problem.n;
}

bool unroll_fits_k(const SpaceInput& in, const Config& c) { return std::max(c.tile.ku, c.tile.ka) <= in.problem.k; }

bool weights_are_packed(const SpaceInput& in, const Config& c) {
  return c.format.panel > 0 || may_stay_unpacked(in.problem);
}

bool panel_holds_whole_tiles(const SpaceInput&, const Config& c) { return c.format.panel % nr(c.tile) == 0; }

bool panel_is_the_shared_one(const SpaceInput& in, const Config& c) { return !in.panel || c.format.panel == *in.panel; }

bool panel_is_not_too_wide(const SpaceInput& in, const Config& c) {
  return c.format.panel <= kMaxPanel && c.format.panel <= up_to_multiple(in.problem.n, nr(c.tile));
}

bool grid_fits_threads(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  return std::int64_t{b.tm} * b.tn * b.tk <= in.threads;
}

bool grid_rows_have_work(const SpaceInput& in, const Config& c) {
  const auto& b = c.blocking;
  if (b.tk == 1) return b.tm <= ceil_of(in.m, c.tile.mr) * in.problem.batch;
  return b.tm <= ceil_of(std::min(b.mc, in.m), c.tile.mr);
}

bool grid_columns_have_work(const SpaceInput& in, const Config& c) {
  return c.blocking.tn <= geometry(in, c).column_units;
}

bool split_k_is_deep(const SpaceInput& in, const Config& c) {
  return c.blocking.tk == 1 || (in.problem.k >= kMinSplitK && in.problem.k / c.blocking.tk >= kMinSplitDepth);
}

bool split_k_scratch_is_bounded(const SpaceInput& in, const Config& c) {
  if (c.blocking.tk == 1) return true;
  const std::int64_t most_rows = kMaxSplitBytes / kFloatBytes / (c.blocking.tk - 1) / in.problem.n;
  return std::min(c.blocking.mc, in.m) <= most_rows;
}

bool kc_is_unrolled(const SpaceInput& in, const Config& c) {
  return multiple_or_whole(c.blocking.kc, 4 * std::max(c.tile.ku, c.tile.ka), in.problem.k);
}

bool mc_holds_whole_tiles(const SpaceInput& in, const Config& c) {
  return multiple_or_whole(c.blocking.mc, c.tile.mr, in.m);
}

bool nc_holds_whole_units(const SpaceInput& in, const Config& c) {
  return multiple_or_whole(c.blocking.nc, c.format.panel > 0 ? c.format.panel : nr(c.tile), in.problem.n);
}

bool packed_a_is_bounded(const SpaceInput& in, const Config& c) {
  if (!c.blocking.pack_a) return true;
  const std::int64_t rows = up_to_multiple(std::min(c.blocking.mc, in.m), c.tile.mr);
  return rows <= kMaxPackedABytes / kFloatBytes / std::min(c.blocking.kc, in.problem.k);
}

bool distance_goes_with_hint(const SpaceInput&, const Config& c) {
  return (c.tile.hint == prefetch::none) == (c.blocking.prefetch_rows == 0);
}

bool distance_is_listed(const SpaceInput&, const Config& c) {
  return c.tile.hint == prefetch::none ||
         std::find(kPrefetchRows.begin(), kPrefetchRows.end(), c.blocking.prefetch_rows) != kPrefetchRows.end();
}

bool distance_stays_in_b(const SpaceInput& in, const Config& c) {
  return c.format.panel > 0 || c.tile.hint == prefetch::none || c.blocking.prefetch_rows < in.problem.k;
}

bool bits_do_not_depend_on_m(const SpaceInput& in, const Config& c) {
  return !in.batch_invariant || (c.tile.ka == 1 && c.blocking.tk == 1);
}

std::vector<Parameter> make_parameters() {
  return {
      {Param::isa, "isa", "wider vectors do more work an instruction, narrower ones waste less at the edges", true},
      {Param::nv, "nv", "more vectors of C in a row reuse each broadcast of A more often", true},
      {Param::mr, "mr", "more rows reuse each load of B more often; rows that divide M leave no remainder", true},
      {Param::ka, "ka", "independent sums along K hide the latency of the FMA where the tile is small", true},
      {Param::ku, "ku", "unrolling K saves loop overhead and costs code size", true},
      {Param::panel, "panel", "width of a packed B panel: how far the next row of B lies and what a prefetch brings",
       false},
      {Param::tm, "tm", "threads along M share B", false},
      {Param::tn, "tn", "threads along N share A and never touch the same weights", false},
      {Param::tk, "tk", "threads along K occupy cores where M and N are small, for a second phase that adds up", false},
      {Param::kc, "kc", "depth of a block: a B panel of kc rows is to stay in L1, at the cost of visiting C again",
       false},
      {Param::mc, "mc", "rows of a block: mc x kc of A are to stay in L2", false},
      {Param::nc, "nc", "columns of a block: nc x kc of B are to stay in L3", false},
      {Param::order, "order", "order of the loops over blocks: what is reused from which cache level", false},
      {Param::rows_inside, "rows_inside", "whether a B panel or an A panel stays in L1 inside a block", false},
      {Param::pack_a, "pack_a", "a contiguous copy of A avoids cache conflicts of large strides and costs the copy",
       false},
      {Param::hint, "hint", "cache level that the software prefetch of B aims at", true},
      {Param::prefetch_rows, "prefetch_rows", "how far ahead B is fetched: worth 1.7x at M = 8 with cold weights",
       false},
  };
}

std::vector<Constraint> make_constraints() {
  return {
      {"positive", "sizes of blocks and the thread grid are at least 1", numbers_mean_something},
      {"family", "this device cannot run the instruction family of the tile", family_is_there},
      {"tile", "the kernel library does not offer this tile", tile_is_offered},
      {"rows", "a tile with more rows than M computes nothing in the others", tile_is_not_too_tall},
      {"vectors", "a tile whose last vector lies beyond N computes nothing in it", tile_is_not_too_wide},
      {"unroll", "K is shorter than the unroll, so its loop would never be entered", unroll_fits_k},
      {"packed", "B must be packed: it is constant or column-major, and a plain B is read row by row",
       weights_are_packed},
      {"panel-tiles", "a panel of packed B must be a whole number of tiles wide", panel_holds_whole_tiles},
      {"panel-width", "a panel is at most 128 columns wide and not wider than N needs", panel_is_not_too_wide},
      {"one-format", "the weights are packed in another format, which all M share", panel_is_the_shared_one},
      {"grid-threads", "the thread grid needs more threads than are offered", grid_fits_threads},
      {"grid-rows", "some threads along M would have no tile to compute", grid_rows_have_work},
      {"grid-columns", "some threads along N would have no panel to compute", grid_columns_have_work},
      {"split-k", "slices of K pay only from K = 1024 on and at least 512 deep", split_k_is_deep},
      {"split-k-scratch", "the partial sums of the slices of K exceed 64 MiB", split_k_scratch_is_bounded},
      {"kc", "kc must be a multiple of four unrolled steps, or all of K", kc_is_unrolled},
      {"mc", "mc must be a multiple of the tile's rows, or all of M", mc_holds_whole_tiles},
      {"nc", "nc must be a multiple of the panel (of NR where B is not packed), or all of N", nc_holds_whole_units},
      {"packed-a", "a packed block of A exceeds 16 MiB a thread", packed_a_is_bounded},
      {"hint", "a prefetch distance belongs to a tile with a prefetch hint, and the other way round",
       distance_goes_with_hint},
      {"distance", "prefetch distances are 8, 16, 32, 64, 96, 128 or 192 rows", distance_is_listed},
      {"distance-k", "the prefetch distance reaches beyond the last row of an unpacked B", distance_stays_in_b},
      {"batch-invariant", "second accumulators along K and slices of K are not batch-invariant",
       bits_do_not_depend_on_m},
  };
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> list = make_parameters();
  return list;
}

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

std::int64_t value(const Config& c, Param p) {
  const auto& t = c.tile;
  const auto& b = c.blocking;
  switch (p) {
    case Param::isa:
      return static_cast<std::int64_t>(t.family);
    case Param::nv:
      return t.nv;
    case Param::mr:
      return t.mr;
    case Param::ka:
      return t.ka;
    case Param::ku:
      return t.ku;
    case Param::panel:
      return c.format.panel;
    case Param::tm:
      return b.tm;
    case Param::tn:
      return b.tn;
    case Param::tk:
      return b.tk;
    case Param::kc:
      return b.kc;
    case Param::mc:
      return b.mc;
    case Param::nc:
      return b.nc;
    case Param::order:
      return static_cast<std::int64_t>(b.order);
    case Param::rows_inside:
      return b.rows_inside ? 1 : 0;
    case Param::pack_a:
      return b.pack_a ? 1 : 0;
    case Param::hint:
      return static_cast<std::int64_t>(t.hint);
    case Param::prefetch_rows:
      return b.prefetch_rows;
  }
  return 0;
}

void set_value(Config& c, Param p, std::int64_t v) {
  auto& t = c.tile;
  auto& b = c.blocking;
  const int i = static_cast<int>(v);
  switch (p) {
    case Param::isa:
      t.family = static_cast<isa>(i);
      break;
    case Param::nv:
      t.nv = i;
      break;
    case Param::mr:
      t.mr = i;
      break;
    case Param::ka:
      t.ka = i;
      break;
    case Param::ku:
      t.ku = i;
      break;
    case Param::panel:
      c.format.panel = i;
      break;
    case Param::tm:
      b.tm = i;
      break;
    case Param::tn:
      b.tn = i;
      break;
    case Param::tk:
      b.tk = i;
      break;
    case Param::kc:
      b.kc = v;
      break;
    case Param::mc:
      b.mc = v;
      break;
    case Param::nc:
      b.nc = v;
      break;
    case Param::order:
      b.order = static_cast<loop_order>(i);
      break;
    case Param::rows_inside:
      b.rows_inside = v != 0;
      break;
    case Param::pack_a:
      b.pack_a = v != 0;
      break;
    case Param::hint:
      t.hint = static_cast<prefetch>(i);
      break;
    case Param::prefetch_rows:
      b.prefetch_rows = v;
      break;
  }
}

std::string value_text(Param p, std::int64_t v) {
  Config c;
  set_value(c, p, v);
  switch (p) {
    case Param::isa:
      return gemwright::isa_name(c.tile.family);
    case Param::order:
      return gemwright::loop_order_name(c.blocking.order);
    case Param::hint:
      return gemwright::prefetch_name(c.tile.hint);
    case Param::rows_inside:
    case Param::pack_a:
      return v != 0 ? "true" : "false";
    default:
      return fmt::to_string(v);
  }
}

}  // namespace gemwright::tuner
