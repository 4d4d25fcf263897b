#include "tuner/strategy/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "tuner/strategy/seed_list.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;

// Up to this many rows the time is that of streaming the weights.
constexpr std::int64_t kStreamRows = 32;
// From this many on they keep the FMA units of 16 floats busy meanwhile.
constexpr std::int64_t kBusyRows = 7;
// Whether a call finds its weights behind L2.
bool from_memory(const SpaceInput& in) { return in.cache_bytes > static_cast<double>(in.l2_bytes); }

// The widths worth a seed: those without a vector beyond N.
std::vector<int> widths(const SpaceInput& in, const SeedList& list, std::initializer_list<int> wanted) {
  std::vector<int> fitting;
  for (int nv : wanted) {
    if ((nv - 1) * vector_width(list.family()) < in.problem.n) fitting.push_back(nv);
  }
  if (fitting.empty()) fitting.push_back(1);
  return fitting;
}

void prefetch_ahead(Config& c, std::int64_t rows) {
  c.tile.hint = prefetch::t0;
  c.blocking.prefetch_rows = rows;
}

// The same with A packed, where a dot mode could read it as it lies: rows that are a power of two apart share few sets
// of L1.
void add_packed(const std::string& name, Config c, SeedList& out) {
  if (!is_dot(c.mode)) return;
  c.blocking.pack_a = a_packing::job;
  out.add(name, c);
}

// Rows whose packed A, all of K, fills half of L2.
void keep_chunk_in_l2(const SpaceInput& in, Config& c) {
  const std::int64_t row = k_words(c.mode, in.problem.k) * a_words(c.mode, c.tile.family) * kWordBytes;
  c.blocking.mc = std::max<std::int64_t>(in.l2_bytes / 2 / row / c.tile.mr, 1) * c.tile.mr;
}

// Panels of few columns, several side by side in a tile: where the hardware follows each stream apart, two of them read
// 1.25 times as fast as one (Zen 3), and there a prefetch far ahead only disturbs it. A short one, of some 512 bytes,
// gains 1 to 7 % where each panel is read once, and nothing where several tiles pass over it. In f32 with vectors of 8
// floats three are faster still where there are rows to keep the FMA units busy: 1.13 to 1.38 times as fast as one
// stream with a prefetch, two 1.08 to 1.24, four 0.97 to 1.07 (Zen 3, M from 4 to 32, cold). One row takes four, in all
// modes. `pair` as in packing.
void add_panels(const SpaceInput& in, SeedList& out, const std::string& name, int nv, int panels, int pair) {
  if (panels < 2 || nv % panels != 0) return;
  if (!may_span(in.problem, out.mode(), base(out, 1, nv).tile, panels)) return;
  Config c = base(out, balanced_rows(in.m, out.tallest(nv)), nv);
  c.format = {nv / panels * vector_width(out.family()), pair};
  if (in.format && *in.format != c.format) return;
  c.tile.ku = 2;
  if (!out.wide() && in.m <= c.tile.mr) prefetch_ahead(c, 16);
  settle_panels(c);
  if (violated(out.mode(), c.tile)) c.tile.ku = 1;  // no register left for a second step
  share_evenly(in, c);
  out.add(fmt::format("{}-{}x{}", name, nv, panels), c);
}

void add_side_by_side(const SpaceInput& in, SeedList& out) {
  const int least = out.pair() > 0 ? 2 : 1;  // vectors of a panel: one that holds both halves
  const bool three = !out.wide() && !is_dot(out.mode()) && in.m > 2;
  for (int nv : three ? widths(in, out, {3, 2, 4}) : widths(in, out, {2, 4})) {
    add_panels(in, out, "side-by-side", nv, std::min(nv / least, most_panels(out.mode())), out.pair());
  }
  // Of a pair: joining the halves behind the product takes less than the streams that panels of both give up (1.2 times
  // as fast at M = 1, 1.3 at 4, 1.1 at 8: 28672 x 4096, f32, Zen 3).
  if (out.pair() > 0 && !out.wide()) add_panels(in, out, "apart", three ? 3 : 4, three ? 3 : 4, 0);
}

// A way of streaming B: whereto it is prefetched, and how far ahead.
struct Stream {
  std::string_view name;
  prefetch hint;
  std::int64_t rows;
};

// In the order of trying. With vectors of 16 floats up to six rows wait for memory alone, and a prefetch takes its
// time: without any they read at 0.86 to 1.03 of the rate of a bare reading loop, with one at 0.6 to 0.95 (Zen 4, 4096
// x 1024 and 4096 x 2048, all modes, cold, one thread, widths as below). With more rows a prefetch towards L2 is 1.1
// to 1.45 times as fast as none, and for the next panel see ahead.h. Zen 5 was best at 32 to 192 rows towards L1 before
// the others were tried; the search steps there from 64. With 8 floats see add_panels.
std::vector<Stream> streams(const SpaceInput& in, bool wide) {
  const Stream near{"32", prefetch::t0, 32}, l1{"64", prefetch::t0, 64}, far{"128", prefetch::t0, 128},
      l2{"l2", prefetch::t1, 64}, panel{"panel", prefetch::t1, gemwright::next_panel_rows},
      bare{"bare", prefetch::none, 0};
  if (!wide) return {l1, far, near, panel, l2};
  if (in.m < kBusyRows) return {bare, l1, l2};
  return {l2, panel, l1, bare};
}

// A panel is to stay in L2 while the tiles of rows pass over it and bring the next one.
bool may_bring_panel(const SpaceInput& in, const Config& c) {
  return in.m > c.tile.mr && k_words(c.mode, in.problem.k) * c.format.panel * kWordBytes <= in.l2_bytes;
}

// The widths in the order of trying. With few rows a wide tile has the fewest instructions beside its loads, so that
// the core sees farther ahead: of 3 to 6 rows 4 vectors read at 0.98 to 1.2 times the rate of 2; of 1 or 2 rows 2
// vectors at 1.0 to 1.06 times the rate of 4 (Zen 4, as above).
std::vector<int> stream_widths(const SpaceInput& in, const SeedList& list) {
  const bool few = list.wide() && in.m > 2 && in.m < kBusyRows;
  return few ? widths(in, list, {4, 2}) : widths(in, list, {2, 4});
}

// Small M with weights from memory: all of K in one go and the columns shared between the threads. Measured on Zen 5
// and Zen 4 against oneDNN.
void add_stream(const SpaceInput& in, SeedList& out) {
  if (in.m > kStreamRows) return;
  const std::vector<Stream> ways = streams(in, out.wide());
  for (const Stream& way : ways) {
    const bool first = way.name == ways.front().name;
    for (int nv : stream_widths(in, out)) {
      Config c = base(out, balanced_rows(in.m, out.tallest(nv)), nv);
      if (way.rows == gemwright::next_panel_rows && !may_bring_panel(in, c)) continue;
      // A tile of few accumulators waits for its own sums; more of them along K keep the FMA units busy, unless it
      // waits for memory (see streams): there they cost 3 to 10 % of the reading rate in the dot modes (Zen 4, M = 1).
      const bool waits = out.wide() && from_memory(in) && way.hint == prefetch::none;
      while (!waits && c.tile.mr * c.tile.nv * c.tile.ka < 8 && c.tile.ka < 4) c.tile.ka *= 2;
      c.tile.ku = 2;
      c.tile.hint = way.hint;
      c.blocking.prefetch_rows = way.rows;
      share_evenly(in, c);
      out.add_both(fmt::format("stream-nv{}-{}", nv, way.name), c);
      if (first) add_packed(fmt::format("stream-nv{}-packed", nv), c, out);
      if (first && nv == 2 && !out.wide()) add_side_by_side(in, out);
    }
  }
  if (out.wide()) add_side_by_side(in, out);  // never faster there than wide panels of one stream
}

// Columns that the last tile of a row of tiles lacks.
std::int64_t lacking_columns(const SpaceInput& in, const SeedList& list, int nv) {
  const std::int64_t width = std::int64_t{nv} * vector_width(list.family());
  return up_to_multiple(in.problem.n, width) - in.problem.n;
}

// Columns that three vectors of 8 floats hold, and one of 16 does not: where the long ones take two cycles (Zen 4), the
// lanes that they leave idle take as long as the others; 24^3 in 252 ns, 350 with the long ones. For 40 columns they
// were slower: in tiles of one vector 1.97 us for 40^3, 1.64 with the long ones; of five they were not in the final.
void add_short_vectors(const SpaceInput& in, SeedList& out) {
  constexpr int kVectors = 3;
  const bool offered = std::count(in.families.begin(), in.families.end(), isa::avx2) > 0;
  if (is_dot(out.mode()) || !out.wide() || !offered || in.batch_invariant) return;
  if (in.problem.n <= vector_width(out.family()) || in.problem.n > kVectors * vector_width(isa::avx2)) return;
  Config c = base(out, balanced_rows(in.m, out.tallest(isa::avx2, kVectors)), kVectors);
  c.tile.family = isa::avx2;
  c.tile.ku = 4;
  c.format.panel = nr(c.tile);
  c.blocking.rows_inside = false;
  if (worth_sharing(in)) {
    Config shared = c;
    shared.blocking.tm = worthwhile_threads(in);
    out.add_both("short-vectors-shared", shared);
  }
  if (small(in) || !worth_sharing(in)) out.add_both("short-vectors", c);
}

// Everything whole, no prefetch. Of 8 floats a vector: unrolled further, a tile of A behind all columns (on Zen 3 at 64
// and 128 2 to 3 % faster than the other order, 4 % than unrolled by 2).
Config cube(const SeedList& list, int mr, int nv) {
  Config c = base(list, mr, nv);
  if (!list.wide()) {
    c.tile.ku = 4;
    c.blocking.rows_inside = false;
  }
  return c;
}

// With rows of its own for each thread, where there are enough of them.
void add_shared_cube(const SpaceInput& in, SeedList& out, int nv) {
  if (!worth_sharing(in)) return;
  SpaceInput offered = in;
  offered.threads = worthwhile_threads(in);
  const std::int64_t mine = ceil_of(in.m * in.problem.batch, offered.threads);
  Config c = cube(out, balanced_rows(std::min(mine, in.m), out.tallest(nv)), nv);
  share_evenly(offered, c);
  if (ceil_of(in.m, c.tile.mr) * in.problem.batch >= offered.threads) {
    c.blocking.tm = offered.threads;
    c.blocking.tn = 1;
  }
  out.add_both(fmt::format("cube-nv{}-shared", nv), c);
}

// Small cubes from cache. The widths whose last tile lacks the fewest columns first (3 vectors for 48 columns are 1.03
// times as fast as 2 with a last tile of one); tiles as tall as they can be, and of 8 rows, which M divides by more
// often; short ones with sums along K where M is short.
void add_cube(const SpaceInput& in, SeedList& out) {
  if (!small(in)) return;
  std::vector<int> by_lack = out.wide() ? widths(in, out, {2, 4, 3, 1}) : widths(in, out, {2, 3, 1});
  std::stable_sort(by_lack.begin(), by_lack.end(),
                   [&](int x, int y) { return lacking_columns(in, out, x) < lacking_columns(in, out, y); });
  for (int nv : by_lack) {
    add_shared_cube(in, out, nv);
    for (const bool tallest : {true, false}) {
      const Config c = cube(out, tallest ? balanced_rows(in.m, out.tallest(nv)) : std::min(8, out.tallest(nv)), nv);
      out.add_both(tallest ? fmt::format("cube-nv{}", nv) : fmt::format("cube-8x{}", nv), c);
    }
    if (nv == by_lack.front()) add_short_vectors(in, out);
  }
  for (auto [mr, nv, ka] : {std::array{8, 1, 2}, std::array{4, 2, 2}, std::array{4, 1, 4}}) {
    Config c = base(out, mr, nv);
    c.tile.ka = c.tile.ku = ka;
    out.add_both(fmt::format("cube-{}x{}-ka{}", mr, nv, ka), c);
  }
}

// Panel by panel, tile by tile, no blocks at all: with packed weights this reached the peak from M = 32 to 128 on
// Zen 5. The tiles are those with at least 20 accumulators, which is what it takes to hide the latency of the FMA
// there.
void add_plain(const SpaceInput& in, SeedList& out) {
  for (int nv : widths(in, out, {2, 4, 3})) {
    Config c = base(out, balanced_rows(in.m, out.tallest(nv)), nv);
    prefetch_ahead(c, 64);
    share_evenly(in, c);
    if (is_dot(c.mode)) keep_chunk_in_l2(in, c);
    out.add_both(fmt::format("plain-nv{}", nv), c);
    add_packed(fmt::format("plain-nv{}-packed", nv), c, out);
  }
}

// A dot mode packs all of K of a chunk of rows before it multiplies them: the chunk stays in half of L2, each job packs
// it for itself or all together, and a tile of A passes over all columns or a panel of B over all rows.
void add_chunks(const SpaceInput& in, SeedList& out) {
  if (!is_dot(out.mode()) || in.m <= kStreamRows) return;
  Config c = base(out, balanced_rows(in.m, out.tallest(2)), 2);
  prefetch_ahead(c, 64);
  share_evenly(in, c);
  keep_chunk_in_l2(in, c);
  c.blocking.rows_inside = false;
  add_packed("chunk-columns", c, out);
  c.blocking.rows_inside = true;
  // All threads on the columns, so that each reads its own weights only and a chunk is packed once.
  c.blocking.tm = 1;
  c.blocking.tn = in.threads;
  c.blocking.pack_a = a_packing::shared;
  out.add("chunk-together", c);
}

// More rows than stream by: blocks of A that stay in L2 while panels of B, which each job reads from memory once, pass
// over all of their rows. Where K is too long for that it is cut, and the sums that wait are kept to two panels, so
// that they stay near too; chunks over all of a long K have B pass again for each of them. With the threads along M
// both read the same panels at a time.
void add_blocks(const SpaceInput& in, SeedList& out) {
  if (!is_dot(out.mode()) || in.m <= kStreamRows) return;
  constexpr std::int64_t kMostRows = 128, kColumns = 256;
  const std::int64_t row = k_words(out.mode(), in.problem.k) * a_words(out.mode(), out.family()) * kWordBytes;
  for (const bool along_rows : {true, false}) {
    const int tm = along_rows ? in.threads : 1, tn = along_rows ? 1 : in.threads;
    const std::int64_t share = ceil_of(in.m * in.problem.batch, tm), rows = std::min({share, kMostRows, in.m});
    Config c = base(out, balanced_rows(rows, out.tallest(2)), 2);
    prefetch_ahead(c, 64);
    auto& b = c.blocking;
    b.tm = tm;
    b.tn = tn;
    b.pack_a = a_packing::job;
    b.mc = rows;
    b.nc = kColumns;
    if (rows * row > in.l2_bytes) {
      b.kc = std::max<std::int64_t>(in.problem.k * in.l2_bytes / 2 / (rows * row) / 512, 1) * 512;
      b.nc = 2 * std::int64_t{c.format.panel};
    }
    out.add(along_rows ? "blocks-rows" : "blocks-columns", c);
  }
}

// A tile of f32 for many rows. Of 8 floats a vector, unrolled further and without prefetch: it leaves the fewest
// instructions beside the multiply-adds (6x2 on Zen 3: 98 % of the peak from the first-level cache).
Config tall_tile(const SeedList& list, int nv) {
  Config c = base(list, list.tallest(nv), nv);
  if (list.wide()) {
    prefetch_ahead(c, 64);
  } else {
    c.tile.ku = 4;
  }
  return c;
}

// Few columns behind many rows, f32: B is at most twice L2, so a tile of A, read where it lies, passes over all of it;
// packing A would cost as much as a quarter of the product. On Zen 3 1.15 to 1.2 of oneDNN at 3136x64x576, where other
// orders and packed A have 0.85 to 1.11.
void add_narrow(const SpaceInput& in, SeedList& out) {
  if (is_dot(out.mode()) || in.m <= kStreamRows) return;
  constexpr std::int64_t kFew = 256;
  if (in.problem.n > kFew || in.problem.k > 2 * in.l2_bytes / kWordBytes / in.problem.n) return;
  for (int nv : out.wide() ? widths(in, out, {2, 4}) : widths(in, out, {2})) {
    Config c = tall_tile(out, nv);
    c.tile.hint = prefetch::none;
    c.blocking.rows_inside = false;
    c.blocking.tm = in.threads;
    // Rows that lie a multiple of 4 KiB apart meet in one set of L1, which has 8 ways, and one vector is too little
    // work to hide that: 64x10x4096 on Zen 4 in tiles of 6 and 8 rows 60 GFLOP/s, of 13 42, of 16 31.
    constexpr int kWays = 8;
    if (nv == 1 && c.tile.mr > kWays) {
      Config low = c;
      low.tile.mr = balanced_rows(in.m, kWays);
      out.add("narrow-low", low);
    }
    out.add(fmt::format("narrow-nv{}", nv), c);
  }
  add_short_vectors(in, out);
}

// Many rows of f32, of narrow vectors, over weights that L3 holds beside all else: a tile of A stays in L1 and passes
// over all columns, which stream from L3; packed rows fill half of L2. On Zen 3 (L3 of 32 MB) its speed was 0.98
// to 1.12 of that of a panel of B that passes over all rows, with M from 64 to 2048 and B up to 4 MB, on one and two
// threads, and half of it with a B of 16 MB.
void add_near(const SpaceInput& in, SeedList& out) {
  const double b_bytes = static_cast<double>(in.problem.n) * static_cast<double>(in.problem.k) * kWordBytes;
  if (is_dot(out.mode()) || out.wide() || in.m <= kStreamRows) return;
  if (b_bytes > static_cast<double>(in.l3_bytes) / 8) return;
  Config c = tall_tile(out, 2);
  c.blocking.rows_inside = false;
  c.blocking.tm = in.threads;
  c.blocking.pack_a = a_packing::job;
  keep_chunk_in_l2(in, c);
  out.add("near-nv2", c);
}

// As add_blocks, for f32, from where the rows need several blocks: all columns behind a packed block of A that is
// larger than L2, since it streams while a panel of B passes from L2. Measured on Zen 5 (L2 of 1 MB) at M from 512 to
// 4096: with blocks smaller than twice L2 C or B are visited more often, and without packing rows that are a power of
// two apart share few sets of L1; 2 to 5 % faster than every other blocking tried. On Zen 3 (L2 of 512 KB, L3 of 32 MB)
// 4 MB were as good or better than all else at M from 128 to 2048. K is cut only where kLeastRows over
// all of it are more than the block: a second pass over C for a third of K = 768 cost 2 to 5 % there.
void add_f32_blocks(const SpaceInput& in, SeedList& out) {
  constexpr std::int64_t kLeastRows = 128, kStepsOfK = 512;
  if (is_dot(out.mode()) || in.m <= (out.wide() ? kLeastRows : kStreamRows)) return;
  const std::int64_t l2 = std::clamp<std::int64_t>(in.l2_bytes, 0, std::int64_t{1} << 30);  // whatever the device says
  const std::int64_t words = (out.wide() ? 2 * l2 : std::clamp(in.l3_bytes / 8, 2 * l2, 8 * l2)) / kWordBytes;
  for (const bool along_rows : {true, false}) {
    for (int nv : {2, 3}) {
      Config c = tall_tile(out, nv);
      auto& b = c.blocking;
      b.tm = along_rows ? in.threads : 1;
      b.tn = along_rows ? 1 : in.threads;
      b.pack_a = a_packing::job;
      const std::int64_t rows = std::max(words / std::max<std::int64_t>(in.problem.k, 1), kLeastRows);
      b.mc = std::max<std::int64_t>(rows / c.tile.mr, 1) * c.tile.mr;
      if (rows * in.problem.k > words) b.kc = std::max<std::int64_t>(words / rows / kStepsOfK, 1) * kStepsOfK;
      b.order = loop_order::mkn;
      out.add_both(fmt::format("blocks-{}-nv{}", along_rows ? "rows" : "columns", nv), c);
    }
  }
}

// Many rows, vectors of 16 floats: short tiles of 4 vectors without prefetch read A where it lies, even with rows a
// power of two apart, and pass over all columns of a part of B, or a panel of B over all rows of a part of A, that L3
// holds beside all else. On Zen 4 (M from 64 to 2048, all modes, one thread, interleaved) one of the two was within 3 %
// of the best of 56 configs nearly always. The better one had 1.04 to 1.2 times the speed of tall tiles of 2 vectors
// with packed A in u8s8, 1.01 to 1.09 times in bf16 and 0.99 to 1.07 times in f32.
void add_flat(const SpaceInput& in, SeedList& out, bool over_columns) {
  constexpr int kVectors = 4;
  if (!out.wide() || in.m <= kStreamRows || widths(in, out, {kVectors}).front() != kVectors) return;
  if (is_dot(out.mode()) && !reads_a_in_place(in.problem, out.mode(), out.family())) return;
  Config c = base(out, balanced_rows(in.m, out.tallest(kVectors)), kVectors);
  if (in.format && *in.format != c.format) return;
  share_evenly(in, c);
  // With so short a K C is most of what moves. Rows of their own for two threads on Zen 4, 2048 x 512, interleaved:
  // bf16 1.10 times as fast at K = 13, 1.04 at 32 and 64, 1.03 at 128, 1.02 at 256; f32 1.02 at 13 and 1.06 at 64.
  constexpr std::int64_t kShortK = 64;
  if (in.problem.k <= kShortK && in.m >= in.threads * std::int64_t{c.tile.mr}) {
    c.blocking.tm = in.threads;
    c.blocking.tn = 1;
  }
  c.blocking.rows_inside = !over_columns;
  // The lines, each all of K, that fill an eighth of L3, or half of it for all threads, in whole units.
  const std::int64_t share = in.l3_bytes / std::max(8, 2 * in.threads);
  const auto part = [&](std::int64_t words, std::int64_t unit) {
    return std::max<std::int64_t>(share / (std::max<std::int64_t>(words, 1) * kWordBytes) / unit, 1) * unit;
  };
  const std::int64_t words = k_words(c.mode, in.problem.k);
  if (over_columns) c.blocking.nc = part(words, gemwright::column_unit(c.tile, c.format));
  if (!over_columns) c.blocking.mc = part(words * a_words(c.mode, c.tile.family), c.tile.mr);
  out.add_both(over_columns ? "flat-columns" : "flat-rows", c);
}

// A long K over a small C leaves threads idle unless K is cut (oneDNN does so from K = 20000 on where M and N are at
// most 512).
void add_split_k(const SpaceInput& in, SeedList& out) {
  if (in.threads < 2 || in.problem.k < kMinSplitK || in.problem.k < 2 * in.problem.n) return;
  for (int nv : widths(in, out, {2, 4})) {
    Config c = base(out, balanced_rows(in.m, out.tallest(nv)), nv);
    prefetch_ahead(c, 64);
    c.blocking.tk = in.threads;
    out.add(fmt::format("split-k-nv{}", nv), c);
  }
}

std::vector<NamedConfig> seeds_of(const SpaceInput& in, ComputeMode mode) {
  SeedList list(in, mode);
  if (along_k_pays(in, list)) add_along(in, list);
  // However small: few rows wait for weights that come from memory.
  const bool streams = in.m <= kStreamRows && from_memory(in);
  if (streams) add_stream(in, list);
  add_cube(in, list);
  if (!streams) add_stream(in, list);
  add_split_k(in, list);
  add_flat(in, list, true);
  add_blocks(in, list);
  add_narrow(in, list);
  add_near(in, list);
  add_f32_blocks(in, list);
  add_flat(in, list, false);
  add_plain(in, list);
  add_chunks(in, list);
  add_published(in, list);
  add_along(in, list);  // where it was not first
  list.add_concatenated();
  if (list.empty()) {
    SpaceInput alone = in;
    alone.modes = {mode};
    if (const auto first = Enumeration(alone).next()) list.add("first", *first);
  }
  return list.take();
}

}  // namespace

std::vector<NamedConfig> seeds(const SpaceInput& in) {
  std::vector<std::vector<NamedConfig>> lists;
  for (const ComputeMode mode : usable_modes(in)) lists.push_back(seeds_of(in, mode));
  std::reverse(lists.begin(), lists.end());  // the cheapest mode first: it is the most promising one
  std::vector<NamedConfig> all;
  std::size_t longest = 0;
  for (const auto& list : lists) longest = std::max(longest, list.size());
  for (std::size_t i = 0; i < longest; ++i) {
    for (auto& list : lists) {
      if (i < list.size()) all.push_back(std::move(list[i]));
    }
  }
  return all;
}

}  // namespace gemwright::tuner
