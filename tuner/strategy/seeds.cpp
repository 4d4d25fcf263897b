#include "tuner/strategy/seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::isa;
using gemwright::loop_order;
using gemwright::prefetch;

constexpr std::int64_t kWhole = kMaxSize;  // canonical writes it as M, N or K

// Up to this many rows the time is that of streaming the weights.
constexpr std::int64_t kStreamRows = 32;
// Below this many multiply-adds the start of a second thread costs more than it gains (128^3 takes 16 us on one Zen 5
// core).
constexpr double kSmallWork = 128.0 * 128 * 128;

// The seeds of one mode. Those of a dot mode carry its name: "bf16-stream-nv2-64".
class SeedList {
 public:
  SeedList(const SpaceInput& in, ComputeMode mode) : in_(in), mode_(mode) {}

  ComputeMode mode() const { return mode_; }
  isa family() const { return widest_family(in_, mode_).value_or(isa::scalar); }
  int pair() const { return has_pair(in_.problem) ? pair_run(in_, mode_) : 0; }
  bool wide() const { return vector_width(family()) == 16; }
  int tallest(int nv) const {
    gemwright::tile t{family(), 1, family() == isa::scalar ? 4 : nv, 1, 1, prefetch::none};
    while (!violated(mode_, t)) ++t.mr;
    return std::max(t.mr - 1, 1);
  }

  // Repaired to the nearest valid config; a seed that another one has become already is left out.
  void add(const std::string& name, const Config& c) {
    const auto valid = repaired(in_, c);
    if (!valid || !seen_.insert(key(*valid)).second) return;
    list_.push_back({is_dot(mode_) ? fmt::format("{}-{}", to_text(mode_), name) : name, *valid});
  }
  // The same, and beside it with B read where it lies when the problem allows: packing per call costs a pass over B.
  void add_both(const std::string& name, Config c) {
    if (may_stay_unpacked(in_.problem, mode_)) {
      Config plain = c;
      plain.format = {0, 0};
      add(name + "-unpacked", plain);
    }
    add(name, c);
  }
  // Behind the first, the most promising one: the same with the halves of a pair one behind the other.
  void add_concatenated() {
    if (list_.empty() || !has_pair(in_.problem)) return;
    Config c = list_.front().config;
    c.format.pair = 0;
    const std::size_t count = list_.size();
    add("concatenated", c);
    if (list_.size() > count) std::rotate(list_.begin() + 1, list_.end() - 1, list_.end());
  }
  bool empty() const { return list_.empty(); }
  std::vector<NamedConfig> take() { return std::move(list_); }

 private:
  const SpaceInput& in_;
  ComputeMode mode_;
  std::set<std::string> seen_;
  std::vector<NamedConfig> list_;
};

bool small(const SpaceInput& in) {
  return static_cast<double>(in.m) * static_cast<double>(in.problem.n) * static_cast<double>(in.problem.k) <=
         kSmallWork;
}

// The fewest tiles of at most `most` rows, and the rows that make them even.
int balanced_rows(std::int64_t m, int most) { return static_cast<int>(ceil_of(m, ceil_of(m, most))); }

// The widths worth a seed: those without a vector beyond N.
std::vector<int> widths(const SpaceInput& in, const SeedList& list, std::initializer_list<int> wanted) {
  std::vector<int> fitting;
  for (int nv : wanted) {
    if ((nv - 1) * vector_width(list.family()) < in.problem.n) fitting.push_back(nv);
  }
  if (fitting.empty()) fitting.push_back(1);
  return fitting;
}

// Whole blocks on one thread, a panel as wide as the tile, a B panel kept while the rows pass, no prefetch; A is read
// where it lies, if the mode can (repaired: else it is packed).
Config base(const SeedList& list, int mr, int nv) {
  Config c;
  c.mode = list.mode();
  const isa family = list.family();
  c.tile = {family, mr, family == isa::scalar ? 4 : nv, 1, 1, prefetch::none};
  c.format.panel = nr(c.tile);
  c.format.pair = list.pair();
  c.blocking = {kWhole, kWhole, kWhole, loop_order::nmk, true, a_packing::none, 1, 1, 1, 0};
  return c;
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

// The grid over M and N whose busiest thread has the fewest tiles; among equals the one with most threads along N,
// where each thread has weights of its own.
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

// Rows whose packed A, all of K, fills half of L2.
void keep_chunk_in_l2(const SpaceInput& in, Config& c) {
  const std::int64_t row = k_words(c.mode, in.problem.k) * a_words(c.mode, c.tile.family) * kWordBytes;
  c.blocking.mc = std::max<std::int64_t>(in.l2_bytes / 2 / row / c.tile.mr, 1) * c.tile.mr;
}

// Panels of few columns, several side by side in a tile and no prefetch: where the hardware follows each stream apart,
// two of them read 1.25 times as fast as one (Zen 3), and there a prefetch by instructions only disturbs it.
void add_side_by_side(const SpaceInput& in, SeedList& out) {
  const int least = out.pair() > 0 ? 2 : 1;  // vectors of a panel: one that holds both halves
  for (int nv : widths(in, out, {2, 4})) {
    if (nv <= least || !may_span(out.mode(), base(out, 1, nv).tile, nv / least)) continue;
    Config c = base(out, balanced_rows(in.m, out.tallest(nv)), nv);
    c.format.panel = least * vector_width(out.family());
    if (in.format && in.format->panel != c.format.panel) continue;
    c.tile.ku = 2;
    share_evenly(in, c);
    out.add(fmt::format("side-by-side-{}", nv / least), c);
  }
}

// Small M with weights from memory: 2 vectors (8x2, 14x2 zmm) were best nearly always, 4 now and then, with a prefetch
// 32 to 192 rows ahead, all of K in one go and the columns shared between the threads. Measured on Zen 5 against
// oneDNN.
void add_stream(const SpaceInput& in, SeedList& out) {
  if (in.m > kStreamRows) return;
  for (std::int64_t rows_ahead : {64, 128, 32}) {
    for (int nv : widths(in, out, {2, 4})) {
      Config c = base(out, balanced_rows(in.m, out.tallest(nv)), nv);
      // A tile of few accumulators waits for its own sums; more of them along K keep the FMA units busy.
      while (c.tile.mr * c.tile.nv * c.tile.ka < 8 && c.tile.ka < 4) c.tile.ka *= 2;
      c.tile.ku = 2;
      prefetch_ahead(c, rows_ahead);
      share_evenly(in, c);
      out.add_both(fmt::format("stream-nv{}-{}", nv, rows_ahead), c);
      if (rows_ahead == 64) add_packed(fmt::format("stream-nv{}-packed", nv), c, out);
      if (rows_ahead == 64 && nv == 2) add_side_by_side(in, out);
    }
  }
}

// Few columns: vectors along K. One load of B serves all rows of a tile; with few of them several sums along K hide the
// latency of the FMA. From L2 on the memory's speed is all that counts.
void add_along(const SpaceInput& in, SeedList& out) {
  if (!may_run_along_k(in, out.mode(), out.family())) return;
  for (const int most : {8, 16, 4}) {
    Config c = base(out, balanced_rows(in.m, most), 1);
    c.tile.along_k = true;
    while (c.tile.mr * c.tile.ka < 8 && c.tile.ka < 4) c.tile.ka *= 2;
    c.tile.ku = std::max(c.tile.ka, 2);
    c.format = {1, 0};
    Config shared = c;
    share_evenly(in, shared);
    if (small(in)) out.add(fmt::format("along-{}", most), c);
    if (!small(in) || most == 8) out.add(fmt::format("along-{}-shared", most), shared);
  }
}

// Columns that a row of tiles computes beyond N.
std::int64_t idle_columns(const SpaceInput& in, const SeedList& list, int nv) {
  const std::int64_t width = std::int64_t{nv} * vector_width(list.family());
  return up_to_multiple(in.problem.n, width) - in.problem.n;
}

// Small cubes from cache: one thread, everything whole, no prefetch. The widths that leave the fewest lanes idle first
// (3 vectors for 48 columns run a third faster than 2); tiles as tall as they can be, and of 8 rows, which M divides by
// more often; short ones with sums along K where M is short.
void add_cube(const SpaceInput& in, SeedList& out) {
  if (!small(in)) return;
  std::vector<int> by_idle = widths(in, out, {2, 4, 3, 1});
  std::stable_sort(by_idle.begin(), by_idle.end(),
                   [&](int x, int y) { return idle_columns(in, out, x) < idle_columns(in, out, y); });
  for (int nv : by_idle) {
    out.add_both(fmt::format("cube-nv{}", nv), base(out, balanced_rows(in.m, out.tallest(nv)), nv));
    out.add_both(fmt::format("cube-8x{}", nv), base(out, std::min(8, out.tallest(nv)), nv));
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

// The same for f32, from where the rows need several blocks: all columns behind a packed block of A that is twice as
// large as L2, since it streams while a panel of B passes from L2. Measured on Zen 5 (L2 of 1 MB) at M from 512 to
// 4096: with smaller blocks C or B are visited more often, and without packing rows that are a power of two apart share
// few sets of L1; 2 to 5 % faster than every other blocking tried.
void add_f32_blocks(const SpaceInput& in, SeedList& out) {
  constexpr std::int64_t kLeastRows = 128, kStepsOfK = 512;
  if (is_dot(out.mode()) || in.m <= kLeastRows) return;
  const std::int64_t words = 2 * in.l2_bytes / kWordBytes;
  for (const bool along_rows : {true, false}) {
    for (int nv : {2, 3}) {
      Config c = base(out, out.tallest(nv), nv);
      prefetch_ahead(c, 64);
      auto& b = c.blocking;
      b.tm = along_rows ? in.threads : 1;
      b.tn = along_rows ? 1 : in.threads;
      b.pack_a = a_packing::job;
      const std::int64_t rows = std::max(words / std::max<std::int64_t>(in.problem.k, 1), kLeastRows);
      b.mc = std::max<std::int64_t>(rows / c.tile.mr, 1) * c.tile.mr;
      b.kc = std::max<std::int64_t>(words / rows / kStepsOfK, 1) * kStepsOfK;
      b.order = loop_order::mkn;
      out.add_both(fmt::format("blocks-{}-nv{}", along_rows ? "rows" : "columns", nv), c);
    }
  }
}

// T. M. Low, F. D. Igual, T. M. Smith, E. S. Quintana-Orti, "Analytical Modeling Is Enough for High-Performance BLIS",
// ACM TOMS 43(2), 2016: a B panel of kc rows shares L1 with the A panel that passes, an A block shares L2 with the B
// panel, a B block shares L3 with the A block. In whole ways of the cache.
void add_model(const SpaceInput& in, SeedList& out) {
  constexpr std::int64_t kWays = 8, kL3Ways = 16;  // where the device does not tell: the commonest
  Config c = base(out, out.tallest(2), 2);
  const std::int64_t width = nr(c.tile), mr = c.tile.mr;
  const std::int64_t way1 = std::max<std::int64_t>(in.l1d_bytes / kWays, 1 << 9);
  const std::int64_t way2 = std::max<std::int64_t>(in.l2_bytes / kWays, 1 << 12);
  const std::int64_t way3 = std::max<std::int64_t>(in.l3_bytes / kL3Ways, way2);
  const std::int64_t ways_of_b = std::max<std::int64_t>((kWays - 1) * width / (width + mr), 1);
  const std::int64_t kc = std::max<std::int64_t>(ways_of_b * way1 / (width * kWordBytes), 8);
  const std::int64_t ways_of_a = kWays - 1 - ceil_of(width * kc * kWordBytes, way2);
  const std::int64_t mc = std::max<std::int64_t>(ways_of_a, 1) * way2 / (kc * kWordBytes);
  const std::int64_t ways_of_block = kL3Ways - 1 - ceil_of(mc * kc * kWordBytes, way3);
  auto& b = c.blocking;
  const std::int64_t group = gemwright::k_group(c.mode);  // up to here kc counted rows of a panel
  b.kc = std::min(kc / 4 * 4 * group, in.problem.k);
  b.mc = std::max<std::int64_t>(mc / mr, 1) * mr;
  b.nc = std::max<std::int64_t>(std::max<std::int64_t>(ways_of_block, 1) * way3 / (k_words(c.mode, b.kc) * kWordBytes),
                                width);
  b.order = loop_order::nkm;
  share_evenly(in, c);
  out.add("model", c);
  c.blocking.pack_a = is_dot(c.mode) ? a_packing::shared : a_packing::job;
  out.add("model-packed", c);
}

// amd/blis addon/aocl_gemm (LPGEMM), zen4, its bf16 and u8s8 products: 6x64 in blocks of 144 x 1024.
void add_lpgemm(const SpaceInput& in, SeedList& out) {
  Config c = base(out, out.wide() ? 6 : 4, out.wide() ? 4 : 2);
  c.blocking.mc = 144;
  c.blocking.nc = 1024;
  c.blocking.kc = c.mode == ComputeMode::bf16 ? 4096 : 2048;
  share_evenly(in, c);
  out.add("aocl", c);
}

// The single-precision blocking of flame/blis config/skx and amd/blis config/zen4 (and zen5), config/haswell for AVX2.
// BLIS keeps vectors along M of a column-major C; row-major, that is the transposed problem: its MC is our nc, its NC
// our mc.
void add_blis(const SpaceInput& in, SeedList& out) {
  if (is_dot(out.mode())) return add_lpgemm(in, out);
  struct Entry {
    const char* name;
    int mr, nv;
    std::int64_t nc, kc, mc;
  };
  const bool wide = out.wide();
  const std::vector<Entry> entries =
      wide ? std::vector<Entry>{{"blis-skx", 12, 2, 480, 384, 3072}, {"blis-zen4", 12, 2, 512, 480, 6144}}
           : std::vector<Entry>{{"blis-haswell", 6, 2, 168, 256, 4080}};
  for (const Entry& e : entries) {
    Config c = base(out, e.mr, e.nv);
    c.blocking.mc = e.mc;
    c.blocking.nc = e.nc;
    c.blocking.kc = e.kc;
    c.blocking.order = loop_order::mkn;
    c.blocking.rows_inside = false;
    c.blocking.pack_a = a_packing::job;
    share_evenly(in, c);
    out.add(e.name, c);
  }
  // amd/blis addon/aocl_gemm (LPGEMM), zen4 single precision: row-major, 6x64, A read where it lies.
  Config c = base(out, wide ? 6 : 4, wide ? 4 : 2);
  c.blocking.mc = 192;
  c.blocking.nc = 8064;
  c.blocking.kc = 512;
  c.blocking.order = loop_order::nkm;
  share_evenly(in, c);
  out.add("aocl", c);
}

// oneDNN src/cpu/x64: brgemm takes as many vectors as fit and the rows with the best product of filled rows and reuse;
// matmul cuts M at 256, K at 1024 (512 where K is not longer) and N into at most 16 chunks.
void add_onednn(const SpaceInput& in, SeedList& out) {
  const int nv = out.wide() ? 4 : 2;
  const int most = out.tallest(nv);
  int rows = 1;
  double best = 0;
  for (int mr = 1; mr <= most; ++mr) {
    const double filled = static_cast<double>(in.m) / static_cast<double>(ceil_of(in.m, mr) * mr);
    const double score = filled * (nv * mr) / ((nv + mr) * static_cast<double>(most));
    if (score > best) rows = mr;
    best = std::max(best, score);
  }
  Config c = base(out, rows, nv);
  c.tile.ku = 4;
  c.blocking.mc = 256;
  c.blocking.kc = in.problem.k > 1024 ? 1024 : 512;
  c.blocking.nc = ceil_of(in.problem.n, 16);
  c.blocking.order = loop_order::mnk;
  share_evenly(in, c);
  out.add("onednn", c);
}

// PyTorch torch/_inductor/codegen/cpp_gemm_template.py and cpp_micro_gemm.py: of its fixed tiles the one that divides
// most of M and N; 0.8 of L1 for a B panel; half of L2 for an A slab over all of K, else for a square block of C and
// its A.
void add_inductor(const SpaceInput& in, SeedList& out) {
  const bool wide = out.wide();
  const std::vector<std::array<int, 2>> tiles = wide ? std::vector<std::array<int, 2>>{{8, 3}, {8, 2}, {16, 1}}
                                                     : std::vector<std::array<int, 2>>{{4, 3}, {4, 2}, {8, 1}};
  const int width = vector_width(out.family());
  std::array<int, 2> tile = tiles.front();
  int most = -1;
  for (const auto& t : tiles) {
    const int divided = (in.m % t[0] == 0) + (in.problem.n % (t[1] * width) == 0);
    if (divided > most) tile = t;
    most = std::max(most, divided);
  }
  Config c = base(out, tile[0], tile[1]);
  const std::int64_t group = gemwright::k_group(c.mode), mr = tile[0], columns = nr(c.tile);
  const std::int64_t k = k_words(c.mode, in.problem.k);
  constexpr std::int64_t kMostCache = std::int64_t{1}
                                      << 30;  // keeps the sizes below meaningful whatever the device says
  const std::int64_t l1 = std::clamp<std::int64_t>(in.l1d_bytes, 1 << 12, kMostCache) * 8 / 10;
  const std::int64_t l2 = std::clamp<std::int64_t>(in.l2_bytes, 1 << 14, kMostCache) / 2;
  auto& b = c.blocking;
  b.kc = std::clamp<std::int64_t>(l1 / (columns * kWordBytes), 4, k);
  const std::int64_t slab = mr * k * kWordBytes;  // one row of tiles over all of K
  if (slab * ceil_of(2 * mr, columns) < l2) {
    b.mc = l2 / slab * mr;
    b.nc = columns;
  } else {
    std::int64_t side = mr;  // the largest side with 4 side^2 + 4 side kc <= l2
    while ((side + mr) * (side + mr + b.kc) * kWordBytes <= l2) side += mr;
    b.mc = side;
    b.nc = up_to_multiple(side, columns);
  }
  b.kc *= group;
  b.order = loop_order::mnk;
  share_evenly(in, c);
  out.add("inductor", c);
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
  add_along(in, list);
  // However small: few rows wait for weights that come from memory.
  const bool streams = in.m <= kStreamRows && in.cache_bytes > static_cast<double>(in.l2_bytes);
  if (streams) add_stream(in, list);
  add_cube(in, list);
  if (!streams) add_stream(in, list);
  add_split_k(in, list);
  add_blocks(in, list);
  add_f32_blocks(in, list);
  add_plain(in, list);
  add_chunks(in, list);
  add_model(in, list);
  add_blis(in, list);
  add_onednn(in, list);
  add_inductor(in, list);
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
