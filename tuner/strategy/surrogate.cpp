#include "tuner/strategy/surrogate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

using gemwright::a_packing;
using gemwright::isa;
using gemwright::prefetch;

constexpr double kPhaseCycles = 4000;  // starting and joining a second thread, about a microsecond

double real(std::int64_t x) { return static_cast<double>(x); }

// Of the prefetch, in rows; the next panel is a step beyond the farthest.
std::int64_t distance(const Config& c) { return std::min<std::int64_t>(c.blocking.prefetch_rows, 256); }

// What one thread does in a call, the busiest one; depth in words of a panel.
struct Work {
  double rows, columns, depth;
};

Work busiest_thread(const SpaceInput& in, const Config& c, const Geometry& g) {
  const auto& b = c.blocking;
  const double tiles = real(ceil_of(g.row_tiles * in.problem.batch, b.tm));
  const double rows_of_tile = real(in.m) / real(g.row_tiles);  // rows are spread evenly over the tiles
  // Vectors that the last tile lacks are not computed (of pairs they are, a little more than this).
  const auto all = up_to_multiple(in.problem.n, c.tile.along_k ? 1 : std::int64_t{vector_width(c.tile.family)});
  const auto columns = std::min(ceil_of(g.column_units, b.tn) * g.column_unit, all);
  return {tiles * rows_of_tile, real(columns), real(k_words(c.mode, g.slice_depth))};
}

double arithmetic_cycles(const Config& c, const Work& w) {
  constexpr double kPeakAccumulators = 20;  // fewer do not hide the latency of the FMA: 16 reach 79 % on Zen 5
  constexpr double kFmaPerCycle = 2;
  const double accumulators = c.tile.mr * c.tile.nv;
  const double latency = std::min(1.0, accumulators * c.tile.ka / kPeakAccumulators);
  const double loads = std::min(1.0, accumulators / (c.tile.mr + c.tile.nv));  // two loads a cycle
  // Families without the dot product widen the elements and multiply each by itself, or two by two.
  const double products = a_words(c.mode, c.tile.family);
  return products * w.rows * w.columns * w.depth / vector_width(c.tile.family) / kFmaPerCycle /
         std::min(latency, loads);
}

double weight_cycles(const SpaceInput& in, const Config& c, const Geometry& g, const Work& w) {
  constexpr double kMemoryBytes = 10, kCacheBytes = 24;  // a cycle
  const double bytes = w.columns * w.depth * kWordBytes;
  const double all = real(in.problem.n) * real(k_words(c.mode, in.problem.k)) * kWordBytes;
  const bool cold = in.cache_bytes > 0 || all > real(in.l3_bytes);
  // Where the columns pass inside, the block of B is read again for every row tile, from the level it fits.
  const double deep = std::min(real(k_words(c.mode, c.blocking.kc)), w.depth);
  const double block = std::min(real(c.blocking.nc), w.columns) * deep * kWordBytes;
  const bool again = !c.blocking.rows_inside && block > real(in.l2_bytes);
  const double repeats = real(g.row_blocks) * (again ? real(g.block_row_tiles) : 1);
  return bytes / (cold ? kMemoryBytes : kCacheBytes) + bytes * (repeats - 1) / kCacheBytes;
}

// Copies of A and B that a call makes.
double packing_cycles(const SpaceInput& in, const Config& c, const Geometry& g, const Work& w) {
  constexpr double kPackBytes = 8;  // a cycle
  const a_packing pack_a = c.blocking.pack_a;
  double cycles = 0;
  if (is_dot(c.mode)) {
    // Read, converted and written; to quantise f32 or bf16 it is read twice. Every thread along N packs the same rows
    // unless they share the work.
    const bool quantised = c.mode == ComputeMode::u8s8 && in.problem.interface != Interface::u8s8;
    const double element = real(gemwright::element_size(a_element(in.problem.interface))) * (quantised ? 2 : 1);
    const double bytes = w.rows * (real(in.problem.k) * element + real(k_words(c.mode, in.problem.k)) * kWordBytes);
    if (pack_a != a_packing::none)
      cycles += bytes / kPackBytes / (pack_a == a_packing::shared ? c.blocking.tn * c.blocking.tk : 1);
    if (!in.problem.constant_weights) cycles += w.columns / c.blocking.tm * real(in.problem.k);  // one by one
    if (pack_a == a_packing::shared) cycles += real(g.row_blocks) * kPhaseCycles;
    return cycles;
  }
  if (pack_a != a_packing::none) cycles += w.rows * w.depth * 2 * kWordBytes / kPackBytes;
  if (c.format.panel > 0 && !in.problem.constant_weights) cycles += w.columns * w.depth * 2 * kWordBytes / kPackBytes;
  return cycles;
}

}  // namespace

double analytic_log_cost(const SpaceInput& in, const Config& c) {
  constexpr double kStoreBytes = 32;  // a cycle
  const Geometry g = geometry(in, c);
  const Work w = busiest_thread(in, c, g);
  const double arithmetic = arithmetic_cycles(c, w);
  const double weights = weight_cycles(in, c, g, w);
  // Without prefetch the two add up; a distance of some 64 rows hides the shorter one behind the longer.
  const double hidden = c.tile.hint == prefetch::none ? 0.2 : std::min(0.9, 0.3 + real(distance(c)) / 100);
  double cycles = std::max(arithmetic, weights) + (1 - hidden) * std::min(arithmetic, weights);
  cycles += w.rows * w.columns * 2 * kWordBytes * real(g.depth_blocks) / kStoreBytes;
  cycles += packing_cycles(in, c, g, w);
  constexpr double kSumCycles = 3;  // the lanes of one vector
  if (c.tile.along_k) cycles += w.rows * w.columns * real(g.depth_blocks) * kSumCycles;
  if (threads_used(c.blocking) > 1) cycles += kPhaseCycles;
  if (c.blocking.tk > 1 || sums_wait(in.problem, c)) {
    const std::int64_t of_items = ceil_of(in.m, std::min(c.blocking.mc, in.m)) * in.problem.batch;
    const double phases = real(is_dot(c.mode) ? g.row_blocks : of_items);
    cycles += phases * kPhaseCycles + w.rows * w.columns * 2 * kWordBytes * c.blocking.tk / kStoreBytes;
  }
  return std::log(cycles);
}

Surrogate::Surrogate(SpaceInput in) : in_(std::move(in)) {}

// One step of a ladder is a distance of about 1, a different choice without order about the same.
Surrogate::Features Surrogate::features(const Config& c) {
  const auto& t = c.tile;
  const auto& b = c.blocking;
  const auto log = [](std::int64_t x) { return std::log2(real(x)); };
  const auto nest = static_cast<int>(b.order);  // mnk mkn nmk nkm kmn knm
  const bool m_before_n = nest == 0 || nest == 1 || nest == 4;
  const double k_place = nest == 0 || nest == 2 ? 2 : nest == 1 || nest == 3 ? 1 : 0;
  return {3.0 * static_cast<int>(c.mode),
          2.0 * static_cast<int>(t.family),
          1.5 * log(t.mr),
          1.0 * t.nv,
          log(t.ka),
          0.5 * log(t.ku),
          0.5 * log(std::max(c.format.panel, 4)),
          log(b.tm),
          log(b.tn),
          log(b.tk),
          0.5 * log(b.kc),
          0.5 * log(b.mc),
          0.5 * log(b.nc),
          m_before_n ? 0.5 : 0.0,
          0.5 * k_place,
          b.rows_inside ? 1.0 : 0.0,
          1.0 * static_cast<int>(b.pack_a),
          t.hint == prefetch::none ? 0.0 : 2.0,
          0.7 * static_cast<int>(b.chain_at),
          c.format.pair > 0 ? 1.5 : 0.0,
          t.along_k ? 2.0 : 0.0,
          0.7 * log(distance(c) + 8) + 0.2 * static_cast<int>(t.hint)};
}

void Surrogate::add_excess(const Config& c, double excess) {
  const auto [entry, is_new] = index_.try_emplace(key(c), points_.size());
  if (is_new) points_.push_back({features(c), 0});
  Point& point = points_[entry->second];
  sum_ += excess - point.excess;
  point.excess = excess;
}

void Surrogate::add(const Config& c, double cost) {
  worst_cost_ = measured_ ? std::max(worst_cost_, cost) : cost;
  measured_ = true;
  add_excess(c, cost - analytic_log_cost(in_, c));
}

void Surrogate::add_failure(const Config& c) {
  if (measured_) add_excess(c, worst_cost_ - analytic_log_cost(in_, c));
}

double Surrogate::predict(const Config& c) const {
  const double prior = analytic_log_cost(in_, c);
  if (points_.empty()) return prior;
  constexpr std::size_t kNearest = 6;
  constexpr double kSame = 0.25;  // squared distance below which neighbours weigh alike
  constexpr double kFar = 9;      // squared distance of the average observation, which speaks where nothing is near
  const Features f = features(c);
  std::vector<std::pair<double, double>> near;  // squared distance, excess
  near.reserve(points_.size());
  for (const Point& p : points_) {
    double d = 0;
    for (int i = 0; i < kFeatures; ++i) d += (p.features[i] - f[i]) * (p.features[i] - f[i]);
    near.emplace_back(d, p.excess);
  }
  const std::size_t count = std::min(kNearest, near.size());
  std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(count), near.end());
  double weights = 1 / kFar;
  double sum = sum_ / real(static_cast<std::int64_t>(points_.size())) / kFar;
  for (std::size_t i = 0; i < count; ++i) {
    const double weight = 1 / (near[i].first + kSame);
    weights += weight;
    sum += weight * near[i].second;
  }
  return prior + sum / weights;
}

}  // namespace gemwright::tuner
