#include "tuner/space/space.h"

#include <fmt/format.h>

#include <algorithm>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;

std::vector<Parameter> make_parameters() {
  return {
      {Param::mode, "mode", "shorter elements move fewer bytes and multiply faster, and make a larger error", true},
      {Param::isa, "isa", "wider vectors do more work an instruction, narrower ones waste less at the edges", true},
      {Param::along, "along",
       "what vectors run along: columns of C (n), or K where columns would leave lanes empty (k)", true},
      {Param::nv, "nv", "more vectors of C in a row (along K: columns) reuse each load of A more often", true},
      {Param::mr, "mr", "more rows reuse each load of B more often; rows that divide M leave no remainder", true},
      {Param::ka, "ka", "independent sums along K hide the latency of the FMA where the tile is small", true},
      {Param::ku, "ku", "unrolling K saves loop overhead and costs code size", true},
      {Param::panel, "panel",
       "width of a packed B panel: how far the next row of B lies; tiles that span several read as many streams",
       false},
      {Param::pair, "pair",
       "columns of gate and up that take turns, so that a tile holds both; 0 is one behind the other", false},
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
      {Param::fusion, "fusion",
       "where the chain runs: registers save a pass over C, a pass of its own has simpler loops", false},
      {Param::hint, "hint", "cache level that the software prefetch of B aims at", true},
      {Param::prefetch_rows, "prefetch_rows",
       "how far ahead B is fetched: hides the latency of weights that come from memory", false},
  };
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> list = make_parameters();
  return list;
}

std::vector<ComputeMode> usable_modes(const SpaceInput& in) {
  std::vector<ComputeMode> usable;
  for (const ComputeMode mode : modes_behind(in.problem.interface)) {  // the most exact first
    const bool admitted = std::find(in.modes.begin(), in.modes.end(), mode) != in.modes.end();
    if (admitted && fits_depth(mode, in.problem.k) && widest_family(in, mode)) usable.push_back(mode);
  }
  return usable;
}

std::optional<isa> widest_family(const SpaceInput& in, ComputeMode mode) {
  std::optional<isa> widest;
  for (const isa family : in.families) {
    if (gemwright::computes(family, mode) && (!widest || family > *widest)) widest = family;
  }
  return widest;
}

int pair_run(const SpaceInput& in, ComputeMode mode) {
  return gemwright::vector_width(widest_family(in, mode).value_or(isa::scalar));
}

std::int64_t value(const Config& c, Param p) {
  const auto& t = c.tile;
  const auto& b = c.blocking;
  switch (p) {
    case Param::mode:
      return static_cast<std::int64_t>(c.mode);
    case Param::isa:
      return static_cast<std::int64_t>(t.family);
    case Param::along:
      return t.along_k ? 1 : 0;
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
    case Param::pair:
      return c.format.pair;
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
      return static_cast<std::int64_t>(b.pack_a);
    case Param::fusion:
      return static_cast<std::int64_t>(b.chain_at);
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
    case Param::mode:
      c.mode = static_cast<ComputeMode>(i);
      break;
    case Param::isa:
      t.family = static_cast<isa>(i);
      break;
    case Param::along:
      t.along_k = v != 0;
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
      settle_panels(c);
      break;
    case Param::pair:
      c.format.pair = i;
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
      b.pack_a = static_cast<gemwright::a_packing>(i);
      break;
    case Param::fusion:
      b.chain_at = static_cast<gemwright::fusion>(i);
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
    case Param::mode:
      return std::string(to_text(c.mode));
    case Param::isa:
      return gemwright::isa_name(c.tile.family);
    case Param::along:
      return along_name(v != 0);
    case Param::order:
      return gemwright::loop_order_name(c.blocking.order);
    case Param::fusion:
      return gemwright::fusion_name(c.blocking.chain_at);
    case Param::hint:
      return gemwright::prefetch_name(c.tile.hint);
    case Param::pack_a:
      return gemwright::a_packing_name(c.blocking.pack_a);
    case Param::rows_inside:
      return v != 0 ? "true" : "false";
    case Param::prefetch_rows:
      return v == gemwright::next_panel_rows ? "panel" : fmt::to_string(v);
    default:
      return fmt::to_string(v);
  }
}

}  // namespace gemwright::tuner
