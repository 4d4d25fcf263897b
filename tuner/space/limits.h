// Limits that the constraints, the repair and the enumeration of the space share; each with its reason.
#pragma once

#include <gemwright/ahead.h>
#include <gemwright/loop_nest.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "tuner/space/space.h"

namespace gemwright::tuner {

// Distances in rows of a panel, and the next panel. On a Zen 5 server the best ones lie between 32 and 192, and a
// farther one was better at every step tried up to 64; towards L2 on a Zen 4 64 and 128 were alike, 32 was a
// seventh slower.
constexpr std::array<std::int64_t, 8> kPrefetchRows = {8, 16, 32, 64, 96, 128, 192, gemwright::next_panel_rows};
// B as it lies has no panels, and a prefetch of its rows ends before the last one.
constexpr bool is_prefetch_distance(std::int64_t rows, std::int64_t k, bool packed) {
  return packed || (rows < k && rows < gemwright::next_panel_rows);
}

// Slices of K shorter than this cost more in the second phase (write, barrier, add) than they gain.
constexpr std::int64_t kMinSplitDepth = 512;
constexpr std::int64_t kMinSplitK = 1024;
// Partial sums beyond this leave every L3 and wait for memory twice.
constexpr std::int64_t kMaxSplitBytes = std::int64_t{64} << 20;
// Four times the largest private L2 in use: a packed block of A beyond this is read from memory, which needs no
// packing.
constexpr std::int64_t kMaxPackedABytes = std::int64_t{16} << 20;
// Accumulators of a dot tile that wait between two blocks of K are to stay in a cache just so.
constexpr std::int64_t kMaxPartialBytes = kMaxPackedABytes;
// A word of a packed panel, and an accumulator: one float, or one group of shorter elements along K.
constexpr std::int64_t kWordBytes = 4;

constexpr std::int64_t ceil_of(std::int64_t x, std::int64_t y) { return (x + y - 1) / y; }
constexpr std::int64_t up_to_multiple(std::int64_t x, std::int64_t y) { return ceil_of(x, y) * y; }

// Extent of the blocks that the loop nest makes of `total` when told `most`: even ones, in whole units.
constexpr std::int64_t even_extent(std::int64_t total, std::int64_t most, std::int64_t unit) {
  const std::int64_t blocks = ceil_of(total, most > unit ? most : unit);
  return up_to_multiple(ceil_of(total, blocks), unit);
}

constexpr bool is_dot(ComputeMode mode) { return mode != ComputeMode::f32; }
// Whether the accumulators of the mode hold the sums of so many products.
constexpr bool fits_depth(ComputeMode mode, std::int64_t k) {
  return mode != ComputeMode::u8s8 || k <= gemwright::max_u8s8_depth;
}
// Words along K.
constexpr std::int64_t k_words(ComputeMode mode, std::int64_t k) { return ceil_of(k, gemwright::k_group(mode)); }
// Elements along K that one step of a tile multiplies, and whole steps in K, at least one.
constexpr int step_depth(ComputeMode mode, const gemwright::tile& t) {
  return t.along_k ? gemwright::vector_width(t.family) : gemwright::k_group(mode);
}
constexpr std::int64_t k_steps(ComputeMode mode, const gemwright::tile& t, std::int64_t k) {
  return t.along_k ? std::max<std::int64_t>(k / step_depth(mode, t), 1) : k_words(mode, k);
}
// Words of packed A for one group of K and one row: two where the family widens the elements first.
constexpr int a_words(ComputeMode mode, gemwright::isa family) {
  using gemwright::isa;
  if (mode == ComputeMode::bf16) return family == isa::avx512_bf16 ? 1 : 2;
  return mode == ComputeMode::u8s8 && family == isa::avx2 ? 2 : 1;
}

// Whether tiles read A where it lies, as the kernels' function of this name has it: a group of K is then a word of a
// row. f32 tiles always do.
inline bool reads_a_in_place(const Problem& p, ComputeMode mode, gemwright::isa family) {
  if (!is_dot(mode)) return true;
  const auto of_mode = mode == ComputeMode::bf16 ? gemwright::element::bf16 : gemwright::element::u8;
  return a_words(mode, family) == 1 && a_element(p.interface) == of_mode && p.a_layout == gemwright::layout::row_major;
}

// Rows of A that lie a multiple of 4096 bytes apart fall into one set of a first-level cache of 64 sets of 64 bytes, of
// which today's have 8 or 12 ways: a taller tile that reads them in place may push out its own rows. On Zen 5, 13 rows
// of 4096 bytes ran at the speed of packed ones or at two thirds of it, as it happened.
constexpr int kConflictingRows = 8;
inline bool rows_of_a_conflict(const Problem& p, const Config& c) {
  const std::int64_t row_bytes = p.k * element_size(a_element(p.interface));
  return is_dot(c.mode) && row_bytes % 4096 == 0 && c.tile.mr > kConflictingRows;
}

inline bool packs_a_as_it_can(const Problem& p, const Config& c) {
  using gemwright::a_packing;
  if (c.blocking.pack_a == a_packing::none) return reads_a_in_place(p, c.mode, c.tile.family);
  return c.blocking.pack_a == a_packing::job || (c.blocking.pack_a == a_packing::shared && is_dot(c.mode));
}

// Dot tiles take panels alone: a group of K is one word there.
inline bool may_stay_unpacked(const Problem& p, ComputeMode mode) {
  return !is_dot(mode) && !p.constant_weights && p.b_layout == gemwright::layout::row_major;
}

// Up to so many columns, unless they fill all vectors, tiles along K are the faster ones by the lanes that others leave
// empty, but for a short K: 64x10x4096 1.7 times, 100x12x1000 1.4, 20x20x500 1.4, 64x35x1024 1.2, 64x50x512 1.2 (Zen 4,
// f32, operands hot, one process). With more of them few are empty.
constexpr std::int64_t kMostColumnsAlongK = 64;
// So few columns leave at least half of the lanes empty: there a study of one reduction class has tiles along K alone.
constexpr std::int64_t kFewColumns = 4;
// Whether vectors of this mode and family can run along K.
inline bool may_run_along_k(const SpaceInput& in, ComputeMode mode, gemwright::isa family) {
  const Problem& p = in.problem;
  return !is_dot(mode) && family != gemwright::isa::scalar && p.n % vector_width(family) != 0 &&
         p.n <= (in.batch_invariant ? kFewColumns : kMostColumnsAlongK) && !has_pair(p) &&
         p.a_layout == gemwright::layout::row_major && (!in.format || *in.format == gemwright::packing{1});
}
// Whether they have to where they can: the packing format is that of such tiles alone, or one reduction class is
// wanted.
inline bool along_k_is_settled(const SpaceInput& in) { return in.format || in.batch_invariant; }

// Whether the chain of a config has places to run in: slices of K are added up first, and a C of bf16 or u8 would be
// rounded before the chain, but for that of a pair, which is made from the sums wherever they are combined.
inline bool may_choose_fusion(const Problem& p, const Config& c) {
  if (p.chain.empty() || c.blocking.tk > 1) return false;
  return !is_dot(c.mode) || has_pair(p) || c_element(p) == gemwright::element::f32;
}
// Whether both halves of a pair meet in the tile, so that its registers can be a place.
inline bool holds_pairs(const Problem& p, const Config& c) {
  return gemwright::tile_holds_pairs(c.tile, c.format) && (is_dot(c.mode) || c.blocking.kc >= p.k);
}

// Whether the numbers mean anything at all, so that geometry can divide by them.
inline bool has_meaning(const Config& c) {
  const auto& b = c.blocking;
  return c.tile.mr >= 1 && c.tile.nv >= 1 && c.format.panel >= 0 && c.format.pair >= 0 && b.mc >= 1 && b.nc >= 1 &&
         b.kc >= 1 && b.tm >= 1 && b.tn >= 1 && b.tk >= 1 && b.tm <= kMaxGridThreads && b.tn <= kMaxGridThreads &&
         b.tk <= kMaxGridThreads;
}

// The kernel library's tiles, as limits.
constexpr int min_vectors(gemwright::isa family) { return family == gemwright::isa::scalar ? 4 : 1; }
inline int max_vectors(gemwright::isa family) { return vector_width(family) == 16 ? 5 : 4; }
// Whether tiles can span panels. Those of a dot mode and a pair of products cannot.
inline bool may_span(const Problem& p, ComputeMode mode) { return !is_dot(mode) || !has_pair(p); }
// Whether this one can span so many.
inline bool may_span(const Problem& p, ComputeMode mode, gemwright::tile t, int panels) {
  t.panels = panels;
  return may_span(p, mode) && !violated(mode, t);
}
// Whether the last vector of a tile lies beyond N. The narrowest tiles are not too wide, and neither are those of a dot
// mode that can hold both halves of a pair, however narrow they are.
inline bool too_wide(const Problem& p, ComputeMode mode, const gemwright::tile& t) {
  if (t.along_k) return t.nv > p.n;
  const int least = has_pair(p) && is_dot(mode) ? std::max(min_vectors(t.family), 2) : min_vectors(t.family);
  return t.nv > least && std::int64_t{t.nv - 1} * vector_width(t.family) >= p.n;
}
// Whether the sums of whole rows of a dot mode wait in memory for a further phase of all jobs: those of slices of K,
// and those of a pair that does not meet in registers.
inline bool sums_wait(const Problem& p, const Config& c) {
  if (!is_dot(c.mode)) return false;
  const bool registers = c.blocking.chain_at == gemwright::fusion::registers && holds_pairs(p, c);
  return c.blocking.tk > 1 || (has_pair(p) && !registers);
}
// f32: sums of the whole product that a chunk of mc rows keeps in scratch memory: of slices of K all but the first, of
// a pair that does not meet in registers all. Such a chunk is a phase of all threads, of one item. Those of a dot mode
// are slice_bytes.
inline int sums_in_memory(const Problem& p, const Config& c) {
  if (is_dot(c.mode)) return 0;
  const auto& b = c.blocking;
  const bool registers = b.tk == 1 && b.chain_at == gemwright::fusion::registers && holds_pairs(p, c);
  return has_pair(p) && !registers ? b.tk : b.tk - 1;
}
// A block of K is a multiple of so many elements, or all of K.
inline std::int64_t depth_unit(const Config& c) {
  return std::int64_t{4} * (c.tile.ku > c.tile.ka ? c.tile.ku : c.tile.ka) * step_depth(c.mode, c.tile);
}

// The first order, in the order of the enumeration, that nests the loops with more than one block in the same way.
gemwright::loop_order canonical_order(gemwright::loop_order order, const Geometry& g);

}  // namespace gemwright::tuner
