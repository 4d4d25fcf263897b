// What fixes one way to run a GEMM: the tile (compiled in), the packing format (what pack_weights writes) and the
// blocking (arguments of the loop nest). Plain values: the tuner searches them, the exported header carries them as
// constants.
//
// C[M,N] = epilogue(A[M,K] * B[K,N] + beta * C). Sizes count elements. A zero means "not set" nowhere here: every field
// of a valid configuration is meaningful, and `check` names the one that is not.
#pragma once

#include <cstdint>

// It changes the bits of results, and what becomes of NaN and infinity.
#if defined(__FAST_MATH__) && !defined(GEMWRIGHT_ALLOW_FAST_MATH)
#error "gemwright is not made for -ffast-math; define GEMWRIGHT_ALLOW_FAST_MATH to build all the same"
#endif

namespace gemwright {
inline namespace gemwright_abi {

// Instruction family of a tile. The order is that of preference; a new family is added here, in isa_name, in cpu.h and
// in gemm.h or dot.h. The first isa_count have f32 tiles, the others dot products of short elements alone.
enum class isa : std::uint8_t { scalar, avx2, avx512f, avx_vnni, avx512_vnni, avx512_bf16 };
constexpr int isa_count = 3;
constexpr int family_count = 6;

constexpr const char* isa_name(isa i) {
  return i == isa::scalar        ? "scalar"
         : i == isa::avx2        ? "avx2"
         : i == isa::avx512f     ? "avx512f"
         : i == isa::avx_vnni    ? "avx_vnni"
         : i == isa::avx512_vnni ? "avx512_vnni"
                                 : "avx512_bf16";
}

constexpr int vector_width(isa family) {
  const bool narrow = family == isa::avx2 || family == isa::avx_vnni;
  return family == isa::scalar ? 1 : narrow ? 8 : 16;
}

// Cache level that the software prefetch of B aims at.
enum class prefetch : std::uint8_t { none, t0, t1, t2, nta };
constexpr int prefetch_count = 5;

constexpr const char* prefetch_name(prefetch p) {
  return p == prefetch::none ? "none"
         : p == prefetch::t0 ? "t0"
         : p == prefetch::t1 ? "t1"
         : p == prefetch::t2 ? "t2"
                             : "nta";
}

// What is fixed when compiled. The tile is mr rows x nv vectors of C held in registers; or, with along_k, mr rows x nv
// columns, each element a vector that runs along K and is summed at the end (f32 alone: row-major A as it lies, panels
// of one column). A tile may span several panels of B: they are read side by side, and a CPU whose prefetcher follows
// each stream apart brings them faster from memory than one (measured on Zen 3: 1.25 times with two).
struct tile {
  isa family;
  int mr;         // rows of C
  int nv;         // vectors of C in a row, of NR columns (columns_of); with along_k: columns
  int ku;         // steps of K unrolled
  int ka;         // independent accumulators along K, summed at the end; more than one changes the reduction class
  prefetch hint;  // prefetch of B inside the loop over K; its distance is blocking::prefetch_rows
  bool along_k = false;
  int panels = 1;  // spanned by its columns, evenly; with one, a panel may hold several tiles
};

constexpr bool operator==(const tile& x, const tile& y) {
  return x.family == y.family && x.mr == y.mr && x.nv == y.nv && x.ku == y.ku && x.ka == y.ka && x.hint == y.hint &&
         x.along_k == y.along_k && x.panels == y.panels;
}

constexpr int columns_of(const tile& t) { return t.along_k ? t.nv : t.nv * vector_width(t.family); }

// What pack_weights writes: panels of `panel` columns, each [K][panel], zero-padded to whole panels. Panel 0: B stays
// as it is (row-major only). For pairs of products (epilogue.h) `pair` columns of the gate and as many of the other
// half take turns, so that a tile holds both and combines them in registers; panels hold whole turns. Pair 0: columns
// keep their order.
struct packing {
  int panel;
  int pair = 0;
};

// Whether tiles and panels divide each other as the tile was compiled for.
constexpr bool fits_panels(const tile& t, packing format) {
  if (t.along_k) return format.panel == 1;
  if (t.panels == 1) return format.panel >= 0 && format.panel % columns_of(t) == 0;
  return t.panels > 1 && format.panel > 0 && std::int64_t{format.panel} * t.panels == columns_of(t);
}
// Columns of B are cut into such units, among threads and blocks: whole panels and whole tiles.
constexpr int column_unit(const tile& t, packing format) {
  return format.panel > columns_of(t) ? format.panel : columns_of(t);
}

constexpr bool operator==(packing x, packing y) { return x.panel == y.panel && x.pair == y.pair; }

// Order of the three loops over cache blocks, outermost first. K outside M and N means that C is visited K / kc times.
enum class loop_order : std::uint8_t { mnk, mkn, nmk, nkm, kmn, knm };
constexpr int loop_order_count = 6;

constexpr const char* loop_order_name(loop_order o) {
  return o == loop_order::mnk   ? "mnk"
         : o == loop_order::mkn ? "mkn"
         : o == loop_order::nmk ? "nmk"
         : o == loop_order::nkm ? "nkm"
         : o == loop_order::kmn ? "kmn"
                                : "knm";
}

// Where the epilogue chain runs: in the tile's registers before they are stored; or on C, as soon as a tile of it
// stands (it is in the first-level cache then), as soon as a block of mc x nc stands, or as a pass of its own when all
// of C does. Every place gives the same bits.
enum class fusion : std::uint8_t { registers, tile, block, pass };
constexpr int fusion_count = 4;

constexpr const char* fusion_name(fusion f) {
  return f == fusion::registers ? "registers" : f == fusion::tile ? "tile" : f == fusion::block ? "block" : "pass";
}

// What happens to A before tiles read it. `none`: nothing, they read it where it lies (a dot mode: row-major A of the
// mode's own elements, in a family that does not widen them). `job`: each job copies the rows that it needs into row
// panels. `shared`: the jobs of a dot mode do so together and wait for each other.
enum class a_packing : std::uint8_t { none, job, shared };
constexpr int a_packing_count = 3;

constexpr const char* a_packing_name(a_packing p) {
  return p == a_packing::none ? "none" : p == a_packing::job ? "job" : "shared";
}

// What the loop nest is told at run time.
struct blocking {
  std::int64_t mc, nc, kc;  // cache block; larger than the problem means "whole"
  loop_order order;
  bool rows_inside;  // inside a block: true keeps a B panel while the rows pass, false an A panel while columns pass
  a_packing pack_a;  // f32: of each mc x kc block; dot modes: of mc rows, all of K
  int tm, tn, tk;    // thread grid: slices of M, N and K; the config uses tm * tn * tk threads
  std::int64_t prefetch_rows;  // how many rows of a B panel ahead the prefetch reads, or next_panel_rows (ahead.h);
                               // unused with prefetch::none
  fusion chain_at = fusion::registers;
};

constexpr bool operator==(const blocking& x, const blocking& y) {
  return x.mc == y.mc && x.nc == y.nc && x.kc == y.kc && x.order == y.order && x.rows_inside == y.rows_inside &&
         x.pack_a == y.pack_a && x.tm == y.tm && x.tn == y.tn && x.tk == y.tk && x.prefetch_rows == y.prefetch_rows &&
         x.chain_at == y.chain_at;
}

// Sizes and leading dimensions so large that an address computation could overflow are refused.
constexpr std::int64_t max_extent = std::int64_t{1} << 40;
// Threads of a grid: more than any machine has, so that tm * tn * tk cannot overflow.
constexpr int max_grid_jobs = 4096;

// How an operand lies in memory. Row-major A is M x K with leading dimension lda >= K; column-major A is its transpose.
enum class layout : std::uint8_t { row_major, col_major };

enum class status : std::uint8_t {
  ok,
  bad_size,     // a negative size, or one that overflows an address
  bad_stride,   // a leading dimension smaller than a row (or column)
  bad_pointer,  // a null operand that would be read or written, or one that the chain does not read
  bad_config,   // the configuration does not fit this problem, its packing format or this context
  bad_weights,  // packed weights of another shape or format
  no_memory,    // packing could not get memory
  bad_scalar,   // missing, not read by the chain, no scale or zero point, or clamp bounds that are not lo <= hi
};

constexpr const char* status_text(status s) {
  return s == status::ok            ? "ok"
         : s == status::bad_size    ? "a size is negative or too large"
         : s == status::bad_stride  ? "a leading dimension is smaller than a row"
         : s == status::bad_pointer ? "an operand is a null pointer, or one that the chain does not read"
         : s == status::bad_config  ? "the configuration does not fit the problem or the context"
         : s == status::bad_weights ? "the packed weights have another shape or format"
         : s == status::no_memory   ? "out of memory"
                                    : "a scalar is missing, out of range or not read by the chain";
}

}  // namespace gemwright_abi
}  // namespace gemwright
