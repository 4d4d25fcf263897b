// The tree of configs: which values the next parameter can take, and the walks over it.
#include <algorithm>
#include <utility>

#include "tuner/space/dot_walk.h"
#include "tuner/space/limits.h"
#include "tuner/space/space.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;
using Values = std::vector<std::int64_t>;

Values sorted_unique(Values v) {
  std::sort(v.begin(), v.end());
  v.erase(std::unique(v.begin(), v.end()), v.end());
  return v;
}

Values mode_values(const SpaceInput& in) {
  Values v;
  for (const ComputeMode mode : usable_modes(in)) v.push_back(static_cast<std::int64_t>(mode));
  return sorted_unique(std::move(v));
}

// Whether a dot mode has an instruction of its own in this family; else its elements are widened.
bool has_instruction(isa family) {
  return family == isa::avx512_bf16 || family == isa::avx512_vnni || family == isa::avx_vnni;
}

// Scalar code never wins where there are vectors, nor a family that widens its elements where another multiplies them
// as they are: both are enumerated only on a device without better ones.
Values family_values(const SpaceInput& in, ComputeMode mode) {
  const auto widest = widest_family(in, mode);
  if (!widest) return {};
  if (in.batch_invariant) return {static_cast<std::int64_t>(*widest)};
  Values v;
  for (isa family : in.families) {
    if (!gemwright::computes(family, mode)) continue;
    if (family == isa::scalar && *widest != isa::scalar) continue;
    if (is_dot(mode) && has_instruction(*widest) && !has_instruction(family)) continue;
    v.push_back(static_cast<std::int64_t>(family));
  }
  return sorted_unique(std::move(v));
}

Values along_values(const SpaceInput& in, const Config& c) {
  if (!may_run_along_k(in, c.mode, c.tile.family)) return {0};
  return along_k_is_settled(in) ? Values{1} : Values{0, 1};
}

Values vector_values(const SpaceInput& in, const Config& c) {
  Values v;
  for (int nv = min_vectors(c.tile.family); nv <= max_vectors(c.tile.family); ++nv) {
    gemwright::tile t = c.tile;
    t.nv = nv;
    if (too_wide(in.problem, c.mode, t)) break;
    // Halves that take turns must meet in the tiles of a dot mode.
    const bool apart = in.format && in.format->pair > 0 && is_dot(c.mode) && !tile_holds_pairs(t, *in.format);
    if (!apart) v.push_back(nv);
    if (c.tile.family == isa::scalar) break;  // scalar tiles have one width
  }
  return v;
}

// What is chosen later may hold anything yet: here and below it is what any tile can have.
Values row_values(const SpaceInput& in, Config c) {
  c.tile.ku = c.tile.ka = c.tile.panels = 1;
  c.tile.hint = prefetch::none;
  Values v;
  for (c.tile.mr = 1; c.tile.mr <= in.m && !violated(c.mode, c.tile); ++c.tile.mr) {
    // The loop nest of the dot modes spreads all rows evenly over the tiles, whatever the blocks.
    const bool even = ceil_of(in.m, ceil_of(in.m, c.tile.mr)) == c.tile.mr;
    if (even || !is_dot(c.mode)) v.push_back(c.tile.mr);
  }
  return v;
}

Values accumulator_values(const SpaceInput& in, Config c) {
  c.tile.ku = c.tile.panels = 1;
  c.tile.hint = prefetch::none;
  Values v;
  for (int ka : {1, 2, 4}) {
    c.tile.ka = ka;
    if (ka <= k_steps(c.mode, c.tile, in.problem.k) && !violated(c.mode, c.tile) && (ka == 1 || !in.batch_invariant))
      v.push_back(ka);
  }
  return v;
}

Values unroll_values(const SpaceInput& in, Config c) {
  c.tile.panels = 1;
  c.tile.hint = prefetch::none;
  Values v;
  for (int ku : {1, 2, 4}) {
    c.tile.ku = ku;
    if (ku >= c.tile.ka && ku <= k_steps(c.mode, c.tile, in.problem.k) && !violated(c.mode, c.tile)) v.push_back(ku);
  }
  return v;
}

Values panel_values(const SpaceInput& in, const Config& c) {
  if (c.tile.along_k) return {1};
  const int width = nr(c.tile);
  Values v;
  if (may_stay_unpacked(in.problem, c.mode) && !in.format) v.push_back(0);
  const auto add = [&](int panel) {
    if (in.format && panel != in.format->panel) return;
    if (panel <= kMaxPanel && panel <= up_to_multiple(in.problem.n, width)) v.push_back(panel);
  };
  for (int panels : {5, 4, 3, 2}) {
    if (may_span(in.problem, c.mode, c.tile, panels)) add(width / panels);
  }
  for (int tiles : {1, 2, 3, 4, 6, 8}) add(tiles * width);
  return v;
}

// One behind the other, or turns of a vector where the panel holds whole ones, and in a dot mode the tile too.
Values pair_values(const SpaceInput& in, const Config& c) {
  if (!has_pair(in.problem)) return {0};
  if (in.format) return {in.format->pair};
  const int run = pair_run(in, c.mode);
  const int whole = is_dot(c.mode) ? nr(c.tile) : c.format.panel;
  Values v{0};
  if (whole > 0 && whole % (2 * run) == 0) v.push_back(run);
  return v;
}

Values fusion_values(const SpaceInput& in, const Config& c) {
  using gemwright::fusion;
  Values v{static_cast<std::int64_t>(fusion::registers)};
  if (!may_choose_fusion(in.problem, c)) return v;
  for (const fusion place : {fusion::tile, fusion::block, fusion::pass}) {
    const bool there = !has_pair(in.problem) || (place == fusion::pass && holds_pairs(in.problem, c));
    if (there) v.push_back(static_cast<std::int64_t>(place));
  }
  return v;
}

// Divisors of the threads offered, and powers of two: the ways to cut that leave no thread with much more than another.
Values grid_values(std::int64_t threads, std::int64_t most) {
  Values v;
  for (std::int64_t t = 1; t <= std::min(threads, most); ++t) {
    if (threads % t == 0 || (t & (t - 1)) == 0) v.push_back(t);
  }
  return v;
}

Values grid_k_values(const SpaceInput& in, const Config& c) {
  const int left = in.threads / (c.blocking.tm * c.blocking.tn);
  const bool may_split = in.problem.k >= kMinSplitK && !in.batch_invariant;
  Values v;
  for (std::int64_t t : grid_values(in.threads, may_split ? in.problem.k / kMinSplitDepth : 1)) {
    if (t <= left) v.push_back(t);
  }
  return v;
}

Values row_grid_values(const SpaceInput& in, const Config& c) {
  return grid_values(in.threads, ceil_of(in.m, c.tile.mr) * in.problem.batch);
}

Values column_grid_values(const SpaceInput& in, const Config& c) {
  Values v;
  for (std::int64_t t : grid_values(in.threads, ceil_of(in.problem.n, gemwright::column_unit(c.tile, c.format)))) {
    if (t * c.blocking.tm <= in.threads) v.push_back(t);
  }
  return v;
}

// Depths that blocked GEMMs use (BLIS 256 .. 512, oneDNN 512 and 1024, shallow ones for wide panels), in rows of a
// panel, and even parts of K.
Values kc_values(const SpaceInput& in, const Config& c) {
  const std::int64_t k = in.problem.k, depth = ceil_of(k, c.blocking.tk), group = gemwright::k_group(c.mode);
  const std::int64_t unit = depth_unit(c);
  constexpr std::int64_t kShallowest = 128;  // below, reading and writing C costs as much as the block computes
  if (in.batch_invariant && c.tile.along_k) return {k};
  Values v;
  for (std::int64_t rows : {128, 192, 256, 384, 512, 768, 1024, 2048, 4096}) {
    if (rows * group < depth) v.push_back(rows * group);
  }
  for (std::int64_t parts : {2, 3, 4}) {
    const std::int64_t kc = up_to_multiple(ceil_of(depth, parts), unit);
    if (kc >= kShallowest * group && kc < depth) v.push_back(kc);
  }
  v.push_back(k);
  return sorted_unique(std::move(v));
}

// unit, 2 unit, 4 unit ... and a third of the whole; then the whole.
Values block_ladder(std::int64_t unit, std::int64_t slice, std::int64_t whole) {
  Values v;
  for (std::int64_t block = unit; block < slice; block *= 2) v.push_back(block);
  const std::int64_t third = up_to_multiple(ceil_of(slice, 3), unit);
  if (third < slice) v.push_back(third);
  v.push_back(whole);
  return sorted_unique(std::move(v));
}

// All that fit the mode; some of them not the blocks.
Values packings_of_a(const SpaceInput& in, const Config& c) {
  if (c.tile.along_k) return {static_cast<std::int64_t>(a_packing::none)};
  Values v;
  const bool in_place = reads_a_in_place(in.problem, c.mode, c.tile.family) && !rows_of_a_conflict(in.problem, c);
  if (in_place) v.push_back(static_cast<std::int64_t>(a_packing::none));
  if (!sums_wait(in.problem, c)) v.push_back(static_cast<std::int64_t>(a_packing::job));
  // Whether the sums of a pair wait is known when the chain has its place.
  const bool may_wait = c.blocking.tn * c.blocking.tk > 1 || has_pair(in.problem);
  if (is_dot(c.mode) && may_wait) v.push_back(static_cast<std::int64_t>(a_packing::shared));
  return v;
}

// Where sums wait every block of rows is two phases or three of all threads: few large ones.
constexpr std::int64_t kMostPhases = 16;

// Chunks of rows of a dot mode, as they are made with each way of packing A.
Values chunk_values(const SpaceInput& in, Config c) {
  auto& b = c.blocking;
  b.mc = b.nc = kMaxSize;
  Values v;
  const std::int64_t most = most_waiting_rows(in, c);
  if (most == 0) return v;
  for (const std::int64_t wanted : block_ladder(c.tile.mr, dot_geometry_of(in, c).slice_rows, in.m)) {
    const std::int64_t mc = b.mc = std::min(wanted, most);
    // Unless there is no larger one.
    if (sums_wait(in.problem, c) && mc < most && dot_geometry_of(in, c).row_blocks > kMostPhases) continue;
    for (const std::int64_t packing : packings_of_a(in, c)) {
      set_value(c, Param::pack_a, packing);
      b.mc = std::min(mc, most_chunk_rows(in, c));
      v.push_back(chunk_rows(in, c));
    }
  }
  return sorted_unique(std::move(v));
}

Values mc_values(const SpaceInput& in, Config c) {
  if (is_dot(c.mode)) return chunk_values(in, c);
  auto& b = c.blocking;
  b.mc = b.nc = kMaxSize;
  const std::int64_t mr = c.tile.mr;
  Values v;
  for (std::int64_t mc : block_ladder(mr, b.tk > 1 ? in.m : geometry(in, c).slice_rows, in.m)) {
    if (b.tk > 1) {
      b.mc = mc;
      const bool small = mc < in.m / kMostPhases;
      const std::int64_t most_rows = kMaxSplitBytes / kWordBytes / (b.tk - 1) / in.problem.n;
      if (small || mc > most_rows || ceil_of(mc, mr) < b.tm) continue;
    }
    v.push_back(b.tm == 1 && b.tk == 1 && mc < in.m ? even_extent(in.m, mc, mr) : mc);
  }
  return sorted_unique(std::move(v));
}

Values dot_nc_values(const SpaceInput& in, Config c) {
  auto& nc = c.blocking.nc;
  Values v;
  const std::int64_t unit = gemwright::column_unit(c.tile, c.format);
  for (std::int64_t block : block_ladder(unit, ceil_of(ceil_of(in.problem.n, unit), c.blocking.tn) * unit, kMaxSize)) {
    nc = block;
    nc = block_columns(in, c);
    if (partial_bytes(in, c) <= kMaxPartialBytes) v.push_back(nc);
  }
  return sorted_unique(std::move(v));
}

Values nc_values(const SpaceInput& in, Config c) {
  if (is_dot(c.mode)) return dot_nc_values(in, c);
  c.blocking.nc = kMaxSize;
  const Geometry g = geometry(in, c);
  Values v;
  for (std::int64_t nc : block_ladder(g.column_unit, g.slice_columns, in.problem.n)) {
    const bool whole = nc == in.problem.n;
    v.push_back(c.blocking.tn == 1 && !whole ? even_extent(in.problem.n, nc, g.column_unit) : nc);
  }
  return sorted_unique(std::move(v));
}

Values order_values(const SpaceInput& in, const Config& c) {
  if (is_dot(c.mode)) return {static_cast<std::int64_t>(loop_order::mnk)};
  const Geometry g = geometry(in, c);
  Values v;
  for (int o = 0; o < gemwright::loop_order_count; ++o) {
    const auto order = static_cast<loop_order>(o);
    if (canonical_order(order, g) == order) v.push_back(o);
  }
  return v;
}

Values rows_inside_values(const SpaceInput& in, Config c) {
  for (const std::int64_t packing : packings_of_a(in, c)) {  // the chunks of a dot mode depend on it
    set_value(c, Param::pack_a, packing);
    const Geometry g = geometry(in, c);
    if (g.block_row_tiles > 1 && g.block_column_tiles > 1) return {0, 1};
  }
  return {1};
}

Values distance_values(const SpaceInput& in, const Config& c) {
  if (c.tile.hint == prefetch::none) return {0};
  Values v;
  for (std::int64_t rows : kPrefetchRows) {
    if (is_prefetch_distance(rows, in.problem.k, c.format.panel > 0)) v.push_back(rows);
  }
  return v;
}

// Steps without a config after which a filter is taken to leave none: about a second.
constexpr std::int64_t kMostPassedOver = 1 << 23;

bool is_point(const SpaceInput& in, const Config& c) { return canonical(in, c) == c && !violated(in, c); }

}  // namespace

std::vector<std::int64_t> values(const SpaceInput& in, const Config& c, Param p) {
  switch (p) {
    case Param::mode:
      return mode_values(in);
    case Param::isa:
      return family_values(in, c.mode);
    case Param::along:
      return along_values(in, c);
    case Param::nv:
      return vector_values(in, c);
    case Param::mr:
      return row_values(in, c);
    case Param::ka:
      return accumulator_values(in, c);
    case Param::ku:
      return unroll_values(in, c);
    case Param::panel:
      return panel_values(in, c);
    case Param::pair:
      return pair_values(in, c);
    case Param::tm:
      return row_grid_values(in, c);
    case Param::tn:
      return column_grid_values(in, c);
    case Param::tk:
      return grid_k_values(in, c);
    case Param::kc:
      return kc_values(in, c);
    case Param::mc:
      return mc_values(in, c);
    case Param::nc:
      return nc_values(in, c);
    case Param::order:
      return order_values(in, c);
    case Param::rows_inside:
      return rows_inside_values(in, c);
    case Param::pack_a:
      return packings_of_a(in, c);
    case Param::fusion:
      return fusion_values(in, c);
    case Param::hint:
      return c.tile.along_k ? Values{0} : Values{0, 1, 2, 3, 4};
    case Param::prefetch_rows:
      return distance_values(in, c);
  }
  return {};
}

Enumeration::Enumeration(SpaceInput in, int depth, ValueFilter allowed)
    : in_(std::move(in)), allowed_(std::move(allowed)), choices_(depth), at_(depth) {}

bool Enumeration::enter(int depth) {
  const auto p = static_cast<Param>(depth);
  Values& choices = choices_[depth];
  choices = values(in_, config_, p);
  at_[depth] = 0;
  if (settle(depth)) return true;
  // Other values of these may be right as well, but the walk cannot know them.
  const bool open = p == Param::kc || p == Param::mc || p == Param::nc || p == Param::prefetch_rows;
  if (!open || choices.empty()) return false;
  choices.erase(choices.begin() + 1, choices.end());
  at_[depth] = 0;
  set_value(config_, p, choices[0]);
  return true;
}

bool Enumeration::settle(int depth) {
  const auto p = static_cast<Param>(depth);
  const Values& choices = choices_[depth];
  std::size_t& at = at_[depth];
  while (at < choices.size() && allowed_ && !allowed_(p, choices[at])) ++at;
  if (at >= choices.size()) return false;
  set_value(config_, p, choices[at]);
  return true;
}

int Enumeration::advance(int depth) {
  for (; depth >= 0; --depth) {
    ++at_[depth];
    if (settle(depth)) break;
  }
  return depth;
}

bool Enumeration::step() {
  const int last = static_cast<int>(choices_.size()) - 1;
  int depth = started_ ? advance(last) : enter(0) ? 0 : -1;
  started_ = true;
  while (depth >= 0 && depth < last) {
    if (allowed_ && ++passed_over_ > kMostPassedOver) return false;
    depth = enter(depth + 1) ? depth + 1 : advance(depth);
  }
  return depth >= 0;
}

std::optional<Config> Enumeration::next() {
  passed_over_ = 0;
  while (!ended_ && step()) {
    if (is_point(in_, config_)) return config_;
  }
  ended_ = true;
  return std::nullopt;
}

void for_each(const SpaceInput& in, const std::function<bool(const Config&)>& visit) {
  Enumeration all(in);
  while (const auto c = all.next()) {
    if (!visit(*c)) return;
  }
}

std::uint64_t size(const SpaceInput& in, std::uint64_t limit) {
  // What stands behind pack_a, the prefetch, depends on the format alone: it is counted once a config instead of
  // walked.
  Enumeration prefixes(in, static_cast<int>(Param::hint));
  std::uint64_t count = 0;
  while (count < limit) {
    const auto c = prefixes.next();
    if (!c) return count;
    for (std::int64_t hint : values(in, *c, Param::hint)) {
      Config with_hint = *c;
      set_value(with_hint, Param::hint, hint);
      count += values(in, with_hint, Param::prefetch_rows).size();
    }
  }
  return limit;
}

std::optional<Config> random_config(const SpaceInput& in, Random& random) {
  // Dead ends: slices of K with a huge N, and tiles that the shared format does not fit.
  constexpr int kTries = 64;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    Config c;
    bool complete = true;
    for (int p = 0; p < kParamCount && complete; ++p) {
      const auto choices = values(in, c, static_cast<Param>(p));
      complete = !choices.empty();
      if (!complete) break;
      // The last is drawn three times in four: a narrower family wins at odd edges only, the cheapest mode has most to
      // gain, and few columns leave most lanes of a vector idle.
      const auto param = static_cast<Param>(p);
      const bool may_be_last =
          param == Param::mode || param == Param::isa || (param == Param::along && in.problem.n <= kFewColumns);
      const bool last = may_be_last && choices.size() > 1 && random.below(4) != 0;
      set_value(c, static_cast<Param>(p), last ? choices.back() : choices[random.below(choices.size())]);
    }
    if (!complete) continue;
    c = canonical(in, c);
    if (!violated(in, c)) return c;
  }
  return Enumeration(in).next();
}

}  // namespace gemwright::tuner
