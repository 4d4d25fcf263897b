#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tuner/strategy/seed_list.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::loop_order;

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

}  // namespace

void add_published(const SpaceInput& in, SeedList& out) {
  add_model(in, out);
  add_blis(in, out);
  add_onednn(in, out);
  add_inductor(in, out);
}

}  // namespace gemwright::tuner
