// One step away: every parameter in turn moves to the values beside its own, and what depends on it is repaired.
#include <algorithm>
#include <set>

#include "tuner/space/limits.h"
#include "tuner/space/space.h"

namespace gemwright::tuner {
namespace {

using gemwright::isa;
using gemwright::prefetch;

// Collects valid canonical configs, each once.
class Neighbourhood {
 public:
  Neighbourhood(const SpaceInput& in, const Config& centre) : in_(in), seen_{key(centre)} {}

  // True when the change led to a config that was not there before.
  bool add(const Config& changed) {
    const auto c = repaired(in_, changed);
    if (!c || !seen_.insert(key(*c)).second) return false;
    found_.push_back(*c);
    return true;
  }
  std::vector<Config> take() { return std::move(found_); }

 private:
  const SpaceInput& in_;
  std::set<std::string> seen_;
  std::vector<Config> found_;
};

Config with(Config c, Param p, std::int64_t v) {
  set_value(c, p, v);
  return c;
}

// The values of p just below and just above; v itself need not be one of them.
std::vector<std::int64_t> beside(const std::vector<std::int64_t>& ladder, std::int64_t v) {
  std::vector<std::int64_t> found;
  const auto above = std::upper_bound(ladder.begin(), ladder.end(), v);
  const auto here = std::lower_bound(ladder.begin(), ladder.end(), v);
  if (here != ladder.begin()) found.push_back(*(here - 1));
  if (above != ladder.end()) found.push_back(*above);
  return found;
}

void other_families(const SpaceInput& in, const Config& c, Neighbourhood& out) {
  for (std::int64_t family : values(in, c, Param::isa)) {
    if (family == value(c, Param::isa)) continue;
    Config changed = with(c, Param::isa, family);
    // The same columns of C, as far as the family goes.
    if (!c.tile.along_k) changed.tile.nv = std::max(nr(c.tile) / vector_width(changed.tile.family), 1);
    out.add(changed);
  }
}

// Up or down until the program differs: where rows are spread evenly, several MR are one.
void other_rows(const SpaceInput& in, const Config& c, Neighbourhood& out) {
  const auto ladder = values(in, c, Param::mr);
  const auto here = std::lower_bound(ladder.begin(), ladder.end(), c.tile.mr);
  for (auto below = here; below != ladder.begin();) {
    if (out.add(with(c, Param::mr, *--below))) break;
  }
  for (auto above = std::upper_bound(ladder.begin(), ladder.end(), c.tile.mr); above != ladder.end(); ++above) {
    if (out.add(with(c, Param::mr, *above))) break;
  }
  // Good values wherever they are: half, twice, and the tallest that the registers allow.
  for (std::int64_t mr : {std::int64_t{c.tile.mr} / 2, std::int64_t{c.tile.mr} * 2, ladder.back()}) {
    if (mr >= 1 && mr <= ladder.back()) out.add(with(c, Param::mr, mr));
  }
}

// A wider tile is a flatter one: the rows that fit, and beside it the tallest.
void other_vectors(const SpaceInput& in, const Config& c, Neighbourhood& out) {
  for (std::int64_t nv : beside(values(in, c, Param::nv), c.tile.nv)) {
    const Config changed = with(c, Param::nv, nv);
    out.add(changed);
    const auto rows = values(in, changed, Param::mr);
    if (!rows.empty()) out.add(with(changed, Param::mr, rows.back()));
  }
}

void other_steps(const SpaceInput& in, const Config& c, Param p, Neighbourhood& out) {
  for (std::int64_t v : beside(values(in, c, p), value(c, p))) out.add(with(c, p, v));
}

void other_unrolls(const SpaceInput& in, const Config& c, Neighbourhood& out) {
  other_steps(in, c, Param::ka, out);
  Config single = c;
  single.tile.ka = 1;  // so that the ladder of ku is whole; fewer accumulators follow where they must
  for (std::int64_t ku : beside(values(in, single, Param::ku), c.tile.ku)) {
    Config changed = with(c, Param::ku, ku);
    changed.tile.ka = std::min(changed.tile.ka, changed.tile.ku);
    out.add(changed);
  }
}

// More or fewer threads along one dimension, and threads moved from one dimension to another.
void other_grids(const SpaceInput& in, const Config& c, Neighbourhood& out) {
  constexpr Param kGrid[] = {Param::tm, Param::tn, Param::tk};
  for (Param p : kGrid) {
    Config alone = c;  // the ladder of this dimension, whatever the others use
    alone.blocking.tm = alone.blocking.tn = alone.blocking.tk = 1;
    const auto ladder = values(in, alone, p);
    for (std::int64_t v : beside(ladder, value(c, p))) {
      const Config changed = with(c, p, v);
      if (threads_used(changed.blocking) <= in.threads) out.add(changed);
      for (Param other : kGrid) {
        if (other == p || v > value(c, p)) continue;
        const std::int64_t moved = value(c, other) * value(c, p) / v;
        const Config shifted = with(changed, other, moved);
        if (threads_used(shifted.blocking) <= in.threads) out.add(shifted);
      }
    }
  }
}

// A smaller block alone may change nothing, because a loop over blocks joins the loop over tiles inside it; then it is
// tried with the other orders.
void other_blocks(const SpaceInput& in, const Config& c, Param p, Neighbourhood& out) {
  for (std::int64_t v : beside(values(in, c, p), value(c, p))) {
    Config changed = with(c, p, v);
    if (out.add(changed)) continue;
    changed.blocking.rows_inside = !changed.blocking.rows_inside;
    out.add(changed);
  }
}

void other_orders(const Config& c, Neighbourhood& out) {
  for (int o = 0; o < gemwright::loop_order_count; ++o) out.add(with(c, Param::order, o));
  out.add(with(c, Param::rows_inside, c.blocking.rows_inside ? 0 : 1));
  for (int p = 0; p < gemwright::a_packing_count; ++p) out.add(with(c, Param::pack_a, p));
  for (int place = 0; place < gemwright::fusion_count; ++place) out.add(with(c, Param::fusion, place));
}

void other_prefetches(const SpaceInput& in, const Config& c, Neighbourhood& out) {
  constexpr std::int64_t kMiddle = 64;  // rows; where a config without prefetch starts
  for (std::int64_t hint : values(in, c, Param::hint)) {
    Config changed = with(c, Param::hint, hint);
    if (changed.blocking.prefetch_rows == 0) changed.blocking.prefetch_rows = kMiddle;
    out.add(changed);
  }
  if (c.tile.hint != prefetch::none) other_steps(in, c, Param::prefetch_rows, out);
}

}  // namespace

std::vector<Config> neighbours(const SpaceInput& in, const Config& c) {
  if (violated(in, c)) return {};
  Neighbourhood out(in, c);
  other_families(in, c, out);
  other_steps(in, c, Param::along, out);
  other_vectors(in, c, out);
  other_rows(in, c, out);
  other_unrolls(in, c, out);
  other_steps(in, c, Param::panel, out);
  other_steps(in, c, Param::pair, out);
  other_grids(in, c, out);
  for (Param p : {Param::kc, Param::mc, Param::nc}) other_blocks(in, c, p, out);
  other_orders(c, out);
  other_prefetches(in, c, out);
  return out.take();
}

}  // namespace gemwright::tuner
