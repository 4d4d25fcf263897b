#include "profilers/counters/traffic_model.h"

#include <gemwright/loop_nest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "profilers/counters/traffic_nest.h"

namespace gemwright::profilers {
namespace {

using gemwright::a_packing;

constexpr double kAccumulatorBytes = 4;  // of a dot mode: f32 or s32

// What misses a cache: the state behind it. Before the first cache everything does.
struct Behind {
  // Whether an operand is lost between two iterations of a loop over the dimension that it does not depend on.
  std::array<std::array<bool, kLoops>, kOperands> lost{};
  bool call = true;                                    // all that a call touches, from one call to the next
  std::array<bool, kOperands> gone{true, true, true};  // an operand, from one call to the next, were it the same
  bool weights = true;                                 // B as it is
  bool packed_a = true;                                // from writing a packed block of A to its last use
  bool rows_of_a = true;                               // dot: from one pass over the rows of a tile to the next
  bool reduced_row = true;                             // from one row of C to the next, while partial results are added
  bool shared = false;                                 // by all threads
  bool innermost = true;                               // registers alone
  bool partials = true;                                // dot: slices of K, from their sums to where these are added

  bool loses(int operand, int loop) const {
    return lost[static_cast<std::size_t>(operand)][static_cast<std::size_t>(loop)];
  }
};

Behind registers() {
  Behind b;
  for (auto& operand : b.lost) operand.fill(true);
  return b;
}

// The jobs of a dot nest pack A together, for each other.
bool jobs_share_a(const TrafficInput& in) {
  const gemwright::blocking& g = in.blocking;
  return g.pack_a == a_packing::shared && (g.tn > 1 || g.tk > 1);
}

// What lives as B does, a column.
int column_bytes(const TrafficInput& in) { return in.chain_column_bytes + (in.dot ? in.b_column_bytes : 0); }

// Of an element of B as it was handed in.
int source_bytes_of_b(const TrafficInput& in) { return in.dot ? in.b_source_bytes : in.b_bytes; }

struct Sizes {
  const TrafficInput& in;
  const Nest& nest;
  bool shared;  // of all jobs together; otherwise of the largest

  double jobs() const { return shared ? static_cast<double>(gemwright::grid_jobs(in.blocking)) : 1; }

  double packed_a() const {
    if (in.dot) return in.a_bytes * chunk_of_a();
    const Extent& block = nest.loops[kInnerBlocks].body;
    return nest.packs_a ? in.a_bytes * block.m * block.k * jobs() : 0;
  }

  // Dot: elements of A that are packed at once.
  double chunk_of_a() const {
    if (!nest.packs_a) return 0;
    const double copies = !shared ? 1 : in.blocking.tm * (jobs_share_a(in) ? 1 : in.blocking.tn);
    return std::min(nest.loops[kInnerBlocks].body.m * copies, nest.rows_of_all * copies) * static_cast<double>(in.k);
  }

  // Dot: accumulators that wait for the next block of K.
  double waiting() const {
    if (in.blocking.tk > 1) return 0;  // they are among the partials
    const Extent& block = nest.loops[kInnerBlocks].body;
    return nest.loops[kInnerBlocks].several ? kAccumulatorBytes * block.m * block.n * jobs() : 0;
  }

  double of(int operand, Extent e, double items) const {
    if (operand == kOperandA) return in.a_bytes * e.m * e.k;
    if (operand == kOperandB) return in.b_bytes * items * e.k * e.n + column_bytes(in) * e.n;
    // Accumulators lie where C will.
    const double c = in.dot && nest.loops[kInnerBlocks].several ? std::max(in.c_bytes, kAccumulatorBytes) : in.c_bytes;
    return (c + in.chain_element_bytes) * e.m * e.n;
  }

  // What one iteration of a loop touches of an operand.
  double touched(int operand, int loop) const {
    const gemwright::blocking& g = in.blocking;
    Extent e = nest.loops[static_cast<std::size_t>(loop)].body;
    if (!shared) return of(operand, e, 1);
    e = {std::min(e.m * g.tm, nest.rows_of_all), std::min(e.n * g.tn, static_cast<double>(in.n)),
         std::min(e.k * g.tk, static_cast<double>(in.k))};
    return of(operand, e, g.tk == 1 ? static_cast<double>(std::min<std::int64_t>(in.batch, g.tm)) : 1);
  }

  // What two iterations touch of an operand that changes between them, from one place of the first to the same place of
  // the second. The K loop goes through A and B in step: what it leaves in the first it has read in the second, once
  // together. So do loops that the operand depends on, but for the iteration at that place; through others the whole
  // operand passes each time. C is stored at the end of a tile and loaded at the beginning of the next.
  double passed(int operand, int loop) const {
    double sum = touched(operand, kInnerTiles) * (operand == kOperandC ? 2 : 1);
    for (int i = 1; i <= loop; ++i) {
      const Loop& inside = nest.loops[static_cast<std::size_t>(i - 1)];
      if (!inside.several) continue;
      const double now = touched(operand, i);
      sum = inside.dimension == kFree[operand] ? 2 * now : now - touched(operand, i - 1) + sum;
    }
    return sum;
  }

  // What lies between two uses of an operand, in consecutive iterations of a loop that it does not depend on.
  double between(int operand, int loop) const {
    double sum = 0;
    if (!in.dot && loop >= kInnerBlocks) sum = packed_a();
    if (in.dot && loop >= kOuterBlocks) sum = in.a_source_bytes * chunk_of_a() + waiting();
    for (int o = 0; o < kOperands; ++o) sum += o == operand ? touched(o, loop) : passed(o, loop);
    // Never more than there is.
    return std::min(sum + (loop == kChunks ? partials() : 0), call());
  }

  double partials() const {
    if (!shared || in.blocking.tk == 1) return 0;
    const double n = static_cast<double>(in.n);
    if (!in.dot) return in.c_bytes * (in.blocking.tk - 1) * nest.chunk_rows * n;
    // A chunk is mc rows for each slice of M.
    const double rows = static_cast<double>(round_up(std::min(in.blocking.mc, in.m), in.tile.mr)) * in.blocking.tm;
    return kAccumulatorBytes * in.blocking.tk * std::min(rows, nest.rows_of_all) * n;
  }

  double call() const {
    Extent e = nest.loops[kChunks].body;
    if (shared) e = {0, static_cast<double>(in.n), static_cast<double>(in.k)};
    e.m = shared ? nest.rows_of_all : nest.job_rows;
    const double items = shared ? static_cast<double>(in.batch) : nest.job_items;
    double sum = packed_a() + partials() + (in.dot ? waiting() : 0);
    for (int o = 0; o < kOperands; ++o) sum += of(o, e, items);
    if (in.dot) sum += (in.a_source_bytes - in.a_bytes) * e.m * e.k;
    if (nest.packs_b) sum += source_bytes_of_b(in) * items * e.k * e.n;
    return sum;
  }
};

// Whether the next call begins with what this one ended with: the outermost loop does not touch other parts of the
// operand, and the cache keeps it from one iteration to the next.
bool stays(const Sizes& sizes, const Behind& b, int operand) {
  const TrafficInput& in = sizes.in;
  if (in.blocking.tk > 1 || (sizes.shared ? in.batch > 1 : sizes.nest.job_items > 1)) return false;
  for (int loop = kLoops - 1; loop >= 0; --loop) {
    const Loop& l = sizes.nest.loops[static_cast<std::size_t>(loop)];
    if (l.several) return l.dimension == kFree[operand] && !b.loses(operand, loop);
  }
  return false;
}

// Dot: whether a packed chunk of A leaves the cache before its last use.
bool loses_chunk(const Sizes& sizes, const Behind& b, double cache_bytes) {
  const int tile_loop = sizes.in.blocking.rows_inside ? kOuterTiles : kInnerTiles;
  const double written = sizes.packed_a() + sizes.in.a_source_bytes * sizes.chunk_of_a();
  return written > cache_bytes || b.loses(kOperandA, tile_loop) || b.loses(kOperandA, sizes.nest.reuse[kOperandA]);
}

Behind behind(const Behind& before, const TrafficInput& in, const Nest& nest, double cache_bytes, bool shared) {
  const Sizes sizes{in, nest, shared};
  const gemwright::blocking& g = in.blocking;
  Behind b = before;
  b.shared = shared;
  b.innermost = false;
  b.partials = before.partials && Sizes{in, nest, true}.partials() > cache_bytes;
  for (int o = 0; o < kOperands; ++o) {
    for (int loop = 0; loop < kLoops; ++loop) {
      bool& lost = b.lost[static_cast<std::size_t>(o)][static_cast<std::size_t>(loop)];
      lost = lost && nest.loops[static_cast<std::size_t>(loop)].several && sizes.between(o, loop) > cache_bytes;
    }
  }
  if (in.dot && g.rows_inside && !nest.loops[kInnerBlocks].several && nest.loops[kOuterTiles].several) {
    // With one block of K all rows pass for each column of tiles, and so they do for the first of the next block.
    auto& lost = b.lost[kOperandA];
    lost[static_cast<std::size_t>(nest.reuse[kOperandA])] &= lost[kOuterTiles];
  }
  b.call = before.call && sizes.call() > cache_bytes;
  // A thread sees its own columns and its own part of K of the other weights.
  const double parts = shared ? 1 : nest.columns.apart.slices * g.tk;
  for (int o = 0; o < kOperands; ++o) {
    bool& gone = b.gone[static_cast<std::size_t>(o)];
    gone = gone && b.call && !stays(sizes, b, o);
  }
  b.weights =
      (nest.packs_b ? b.call : b.gone[kOperandB]) || (before.weights && in.weights_between / parts > cache_bytes);
  // With the rows inside, a packed block is used again for each column of tiles; otherwise its last rows wait for all
  // others.
  const double waits = sizes.packed_a() + sizes.between(kOperandA, g.rows_inside ? kOuterTiles : kInnerBlocks);
  b.packed_a = before.packed_a && (in.dot ? loses_chunk(sizes, b, cache_bytes) : waits > cache_bytes);
  b.rows_of_a =
      before.rows_of_a && static_cast<double>(in.tile.mr) * in.a_source_bytes * static_cast<double>(in.k) > cache_bytes;
  const double row = static_cast<double>(in.n) * ((g.tk + 1.0) * in.c_bytes + in.chain_column_bytes);
  b.reduced_row = before.reduced_row && row > cache_bytes;
  return b;
}

double fetches(const Repeats& r, const Behind& b, int operand, int tile_loop, int block_loop, bool between_calls) {
  if (b.loses(operand, tile_loop)) return r.tiles;
  if (b.loses(operand, block_loop)) return r.blocks;
  if (b.loses(operand, kChunks)) return r.chunks;
  return between_calls ? r.slices : 0;
}

// A of a dot nest: the caller's rows, and what is made of them.
double bytes_of_dot_a(const TrafficInput& in, const Nest& nest, const Behind& b) {
  const double elements = nest.rows_of_all * static_cast<double>(in.k);
  const int tile_loop = in.blocking.rows_inside ? kOuterTiles : kInnerTiles;
  const bool together = jobs_share_a(in);
  const Repeats& own = nest.columns.apart;
  const double packs = together ? 1 : own.slices;
  double bytes = 0;
  if (b.call) bytes += in.a_source_bytes * elements * (b.shared ? 1 : packs) * (b.rows_of_a ? in.a_passes : 1);
  const bool passes_on = together && !b.shared;  // to other threads' caches
  if (!b.packed_a && !passes_on) return bytes;
  const double reads = b.loses(kOperandA, tile_loop)               ? own.tiles
                       : b.loses(kOperandA, nest.reuse[kOperandA]) ? own.blocks
                                                                   : own.slices;
  return bytes + in.a_bytes * elements * (packs + reads);
}

double bytes_of_a(const TrafficInput& in, const Nest& nest, const Behind& b) {
  if (in.dot && nest.packs_a) return bytes_of_dot_a(in, nest, b);
  const double once = in.a_bytes * nest.rows_of_all * static_cast<double>(in.k);
  const int tile_loop = in.blocking.rows_inside ? kOuterTiles : kInnerTiles;
  const Repeats& r = b.shared ? nest.columns.shared : nest.columns.apart;
  if (!nest.packs_a) return once * fetches(r, b, kOperandA, tile_loop, nest.reuse[kOperandA], b.gone[kOperandA]);
  const auto packed = [&](const Repeats& of) { return nest.packs_a_again ? of.blocks : of.slices; };
  const bool block_misses = b.loses(kOperandA, nest.reuse[kOperandA]);
  double times = block_misses ? packed(r) : b.call ? r.slices : 0;
  if (b.packed_a) {
    // Each job has a copy of its own.
    const Repeats& own = nest.columns.apart;
    times += packed(own) + (b.loses(kOperandA, tile_loop) ? own.tiles : own.blocks);
  }
  return once * times;
}

// B, and the chain's operands along N, which live as B does.
double bytes_of_b(const TrafficInput& in, const Nest& nest, const Behind& b) {
  const double n = static_cast<double>(in.n), k = static_cast<double>(in.k), batch = static_cast<double>(in.batch);
  const double once = in.b_bytes * n * k;
  const int tile_loop = in.blocking.rows_inside ? kInnerTiles : kOuterTiles;
  const Repeats& r = b.shared ? nest.rows.shared : nest.rows.apart;
  const double unchanged =
      fetches(r, b, kOperandB, tile_loop, nest.reuse[kOperandB], nest.packs_b ? b.call : b.gone[kOperandB]);
  double bytes = 0;
  if (in.blocking.tk == 1 || in.dot) {
    bytes += column_bytes(in) * n * unchanged;
  } else {
    const double passes = b.shared ? 1 : nest.reducers;
    bytes += in.chain_column_bytes * n * (b.reduced_row ? nest.rows_of_all : b.call ? passes : 0);
  }
  if (!nest.packs_b) return bytes + once * fetches(r, b, kOperandB, tile_loop, nest.reuse[kOperandB], b.weights);
  // The panels that one job packs are read by others.
  const bool passes_on = !b.shared && gemwright::grid_jobs(in.blocking) > 1;
  if (b.weights) bytes += source_bytes_of_b(in) * n * k * batch;
  if (b.call || passes_on) {
    bytes += in.b_bytes * static_cast<double>(round_up(in.n, in.format.panel)) * k * batch;
  }
  return bytes + once * (passes_on ? std::max(unchanged, r.slices) : unchanged);
}

double bytes_of_c(const TrafficInput& in, const Nest& nest, const Behind& b) {
  const double elements = nest.rows_of_all * static_cast<double>(in.n);
  const double beta = in.beta ? 1 : 0, slices = in.blocking.tk;
  const bool again = b.loses(kOperandC, nest.reuse[kOperandC]);
  double visits = b.gone[kOperandC] ? 1 + beta : 0;  // stores and loads
  if (in.dot) {
    // Slices of K are written by one thread and read by another, which keeps their sum in memory too.
    const bool passed_on = slices > 1 && (!b.shared || b.partials);
    double times = again ? nest.k_blocks - 1 : 0;
    if (passed_on) times = (again ? nest.k_blocks : slices) + (b.innermost ? slices - 1 : 0);
    const double waiting = kAccumulatorBytes * 2 * std::max(times, 0.0);
    return elements * (in.c_bytes * visits + waiting + (b.call ? in.chain_element_bytes : 0));
  }
  if (slices == 1) {
    if (again) visits = 2 * nest.k_blocks - 1 + beta;
  } else if (!b.shared || b.loses(kOperandC, kChunks)) {
    // Each slice writes, the second phase reads all and writes C.
    visits = (again ? 2 * nest.k_blocks - slices : slices) + beta + slices + 1;
  }
  return elements * (in.c_bytes * visits + (b.call ? in.chain_element_bytes : 0));
}

double bytes_through(const TrafficInput& in, const Nest& nest, const Behind& b) {
  return bytes_of_a(in, nest, b) + bytes_of_b(in, nest, b) + bytes_of_c(in, nest, b);
}

double min_bytes(const TrafficInput& in) {
  const double m = static_cast<double>(in.m), n = static_cast<double>(in.n), k = static_cast<double>(in.k);
  const int a = in.dot ? in.a_source_bytes : in.a_bytes, b = source_bytes_of_b(in);
  return static_cast<double>(in.batch) *
             (a * m * k + b * k * n + m * n * (in.c_bytes * (in.beta ? 2 : 1) + in.chain_element_bytes)) +
         in.chain_column_bytes * n;
}

// Why this is no call at all, or an empty text.
std::string misfit(const TrafficInput& in) {
  const gemwright::blocking& g = in.blocking;
  const auto within = [](std::int64_t v, std::int64_t low, std::int64_t high) { return v >= low && v <= high; };
  const auto size = [&](std::int64_t v) { return within(v, 0, gemwright::max_extent); };
  if (!size(in.m) || !size(in.n) || !size(in.k) || !size(in.batch) ||
      !size(gemwright::bounded_product(in.m, in.batch))) {
    return "a size is negative or too large";
  }
  const int families = in.dot ? gemwright::family_count : gemwright::isa_count;
  if (static_cast<int>(in.tile.family) >= families || !within(in.tile.mr, 1, 1024) || !within(in.tile.nv, 1, 1024)) {
    return "the tile is not one of the kernel library's";
  }
  if (!gemwright::fits_panels(in.tile, in.format)) {
    return "the packing panel does not hold whole tiles, nor a tile the panels that it spans";
  }
  if (!gemwright::fits_along_k(in.tile, in.format, g, gemwright::layout::row_major)) {
    return "vectors run along K in panels of one column";
  }
  const auto block = [&](std::int64_t v) { return within(v, 1, gemwright::max_extent); };
  if (!block(g.mc) || !block(g.nc) || !block(g.kc) || static_cast<int>(g.order) >= gemwright::loop_order_count) {
    return "the blocking does not make sense";
  }
  if (in.dot && g.tk > 1 && g.pack_a == a_packing::job) return "slices of K share what is packed of A";
  if (in.dot && (g.order != gemwright::loop_order::mnk || in.format.panel == 0)) {
    return "the blocking is none of a dot mode";
  }
  if (g.pack_a > a_packing::shared || (!in.dot && g.pack_a == a_packing::shared)) return "A cannot be packed like that";
  const auto threads = [&](int v) { return within(v, 1, gemwright::max_grid_jobs); };
  if (!threads(g.tm) || !threads(g.tn) || !threads(g.tk) || gemwright::grid_jobs(g) > gemwright::max_grid_jobs) {
    return "the thread grid is empty or too large";
  }
  constexpr int kMostBytes = 64;  // a residual, two scales and a wide type together are far less
  if (!within(in.a_bytes, 1, kMostBytes) || !within(in.b_bytes, 1, kMostBytes) ||
      !(in.c_bytes > 0 && in.c_bytes <= kMostBytes) || !within(in.a_source_bytes, 1, kMostBytes) ||
      !within(in.b_source_bytes, 1, kMostBytes) || !within(in.a_passes, 1, 2) ||
      !within(in.b_column_bytes, 0, kMostBytes) || !within(in.chain_column_bytes, 0, kMostBytes) ||
      !within(in.chain_element_bytes, 0, kMostBytes)) {
    return "the size of an element is out of range";
  }
  return std::isfinite(in.weights_between) && in.weights_between >= 0 ? "" : "the bytes between weights are no size";
}

Counter counter(std::string name, std::string unit, double value) {
  return {.provider = "traffic",
          .name = std::move(name),
          .unit = std::move(unit),
          .status = CounterStatus::computed,
          .value = value,
          .calls = 1,
          .reason = {}};
}

}  // namespace

std::vector<Counter> model_traffic(const TrafficInput& in) {
  std::vector<Counter> out{counter("flops", "flops", 0),      counter("bytes.min", "bytes", 0),
                           counter("traffic.l1", "bytes", 0), counter("traffic.l2", "bytes", 0),
                           counter("traffic.l3", "bytes", 0), counter("traffic.dram", "bytes", 0)};
  const auto miss = [](Counter& c, CounterStatus status, std::string reason) {
    c.status = status;
    c.value.reset();
    c.reason = std::move(reason);
  };
  if (const std::string reason = misfit(in); !reason.empty()) {
    for (Counter& c : out) miss(c, CounterStatus::failed, reason);
    return out;
  }
  struct Cache {
    const char* name;
    std::optional<std::int64_t> bytes;
    bool shared;
  };
  const Cache caches[] = {{"L1d", in.l1d_bytes, false}, {"L2", in.l2_bytes, false}, {"L3", in.l3_bytes, true}};
  const bool empty = in.m == 0 || in.n == 0 || in.batch == 0;
  const Nest nest = empty ? Nest{} : nest_of(in);
  Behind level = registers();
  if (!empty) {
    out[0].value = 2 * nest.rows_of_all * static_cast<double>(in.n) * static_cast<double>(in.k);
    out[1].value = min_bytes(in);
    out[2].value = bytes_through(in, nest, level);
  }
  for (std::size_t i = 0; i < std::size(caches); ++i) {
    if (caches[i].bytes.value_or(0) <= 0) {
      miss(out[3 + i], CounterStatus::unsupported, std::string("the size of ") + caches[i].name + " is not known");
    } else if (!empty) {
      level = behind(level, in, nest, static_cast<double>(*caches[i].bytes), caches[i].shared);
      out[3 + i].value = bytes_through(in, nest, level);
    }
  }
  return out;
}

}  // namespace gemwright::profilers
