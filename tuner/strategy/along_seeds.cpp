// Where vectors along N would leave lanes empty: vectors along K.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tuner/strategy/seed_list.h"

namespace gemwright::tuner {
namespace {

// Threads get rows of their own where there are enough: A is the larger operand.
void share_rows(const SpaceInput& in, Config& c) {
  share_evenly(in, c);
  if (ceil_of(in.m, c.tile.mr) * in.problem.batch < in.threads) return;
  c.blocking.tm = in.threads;
  c.blocking.tn = 1;
}

// On all threads and on one, as far as either may be best.
void add_for_threads(const SpaceInput& in, SeedList& out, const std::string& name, const Config& c) {
  Config shared = c;
  share_rows(in, shared);
  if (worth_sharing(in) || !small(in)) out.add(name + "-shared", shared);
  if (small(in)) out.add(name, c);
}

Config along(const SeedList& list, int rows, int columns) {
  Config c = base(list, rows, columns);
  c.tile.along_k = true;
  c.format = {1, 0};
  return c;
}

// Several sums along K hide the latency of the FMA where a tile has few of them.
void hide_latency(gemwright::tile& t) {
  constexpr int kAccumulators = 8;
  const int most = t.nv == 1 ? 4 : 2;  // as tiles have them
  while (t.mr * t.nv * t.ka < kAccumulators && t.ka < most) t.ka *= 2;
  t.ku = t.ka;
}

// Columns of a tile in the order of trying: the fewest that its last neighbour lacks first. A vector of each row is
// multiplied with one of each column, so a tile is best square; 32 registers hold 6 x 4 or 5 x 5, 16 of them 4 x 3.
std::vector<int> column_counts(const SpaceInput& in, const SeedList& list) {
  std::vector<int> counts = list.wide() ? std::vector{4, 5} : std::vector{3, 2};
  for (int& count : counts) count = balanced_rows(in.problem.n, count);
  const auto lacking = [&](int count) { return up_to_multiple(in.problem.n, count) - in.problem.n; };
  std::stable_sort(counts.begin(), counts.end(), [&](int x, int y) { return lacking(x) < lacking(y); });
  return counts;
}

// With as many rows as the registers hold.
void add_several_columns(const SpaceInput& in, SeedList& out, int columns) {
  Config c = along(out, 1, columns);
  const auto taller = [&] {
    gemwright::tile t = c.tile;
    ++t.mr;
    return t;
  };
  while (c.tile.mr < in.m && !violated(c.mode, taller())) ++c.tile.mr;
  c.tile.mr = balanced_rows(in.m, c.tile.mr);
  hide_latency(c.tile);
  add_for_threads(in, out, fmt::format("along-columns-{}", columns), c);
}

// One load of B serves all rows of a tile. From L2 on the memory's speed is all that counts.
void add_one_column(const SpaceInput& in, SeedList& out, int most_rows) {
  Config c = along(out, balanced_rows(in.m, most_rows), 1);
  hide_latency(c.tile);
  c.tile.ku = std::max(c.tile.ku, 2);
  add_for_threads(in, out, fmt::format("along-{}", most_rows), c);
}

}  // namespace

bool along_k_pays(const SpaceInput& in, const SeedList& list) {
  constexpr std::int64_t kFewSteps = 4;  // the sums of the lanes take as long as so many multiply-adds
  if (in.format && *in.format == gemwright::packing{1}) return true;
  const std::int64_t width = vector_width(list.family()), lanes = up_to_multiple(in.problem.n, width);
  return in.problem.n <= kFewColumns || (8 * (lanes - in.problem.n) >= lanes && in.problem.k >= kFewSteps * width);
}

void add_along(const SpaceInput& in, SeedList& out) {
  if (!may_run_along_k(in, out.mode(), out.family())) return;
  if (in.problem.n > 1) {
    for (const int columns : column_counts(in, out)) add_several_columns(in, out, columns);
  }
  if (in.problem.n > kFewColumns) return;
  for (const int rows : {8, 16, 4}) add_one_column(in, out, rows);
}

}  // namespace gemwright::tuner
