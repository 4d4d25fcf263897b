#include "tuner/worker/dot_tile_cases.h"

#include <algorithm>
#include <array>

#include "tuner/space/limits.h"

namespace gemwright::tuner {
namespace {

constexpr int kValueKinds = 4;  // infinite is for cases of its own

// Blockings that cut a small problem in all ways that a large one can be cut.
std::vector<gemwright::blocking> blockings(const Config& config, const Problem& p) {
  using gemwright::a_packing;
  using gemwright::loop_order;
  const std::int64_t mr = config.tile.mr, width = config.format.panel, ahead = config.blocking.prefetch_rows;
  const gemwright::fusion at = config.blocking.chain_at;
  gemwright::blocking own = config.blocking;
  own.mc = std::min<std::int64_t>(own.mc, 4 * mr);
  std::vector<gemwright::blocking> all = {
      own,
      {mr, width, 7, loop_order::mnk, false, a_packing::shared, 1, 1, 1, ahead, at},
      {4 * mr, 4 * width, 1 << 20, loop_order::mnk, true, a_packing::job, 2, 2, 1, ahead, at},
      {2 * mr, width, 9, loop_order::mnk, true, a_packing::shared, 1, 2, 1, ahead, at},
      {mr, 2 * width, 11, loop_order::mnk, false, a_packing::job, 2, 1, 1, ahead, at},
      {2 * mr, width, 9, loop_order::mnk, true, a_packing::shared, 1, 2, 2, ahead},
      {mr, 2 * width, 1 << 20, loop_order::mnk, false, a_packing::shared, 2, 1, 3, ahead},
  };
  // Seven or eleven, which have no divisor in common with the number of values of K: each blocking meets each of them.
  if (reads_a_in_place(p, config.mode, config.tile.family)) {
    all.push_back({4 * mr, 4 * width, 1 << 20, loop_order::mnk, true, a_packing::none, 2, 2, 1, ahead, at});
    all.push_back({mr, 2 * width, 11, loop_order::mnk, false, a_packing::none, 2, 1, 1, ahead, at});
    all.push_back({mr, 2 * width, 11, loop_order::mnk, true, a_packing::none, 2, 1, 3, ahead});
    all.push_back({4 * mr, width, 1 << 20, loop_order::mnk, false, a_packing::none, 1, 1, 2, ahead});
  }
  Config cut = config;
  for (gemwright::blocking& b : all) {
    cut.blocking = b;
    if (sums_wait(p, cut) && b.pack_a == a_packing::job) b.pack_a = a_packing::shared;
  }
  return all;
}

}  // namespace

std::vector<DotTileCase> dot_tile_cases(const Config& config, const Problem& p) {
  const std::int64_t mr = config.tile.mr, width = nr(config.tile), wide = config.format.panel;
  const std::int64_t unroll = std::max(config.tile.ku, config.tile.ka) * gemwright::k_group(config.mode);
  // A tile across several panels also meets ends of N that leave it one, or all but one.
  const std::array<std::int64_t, 8> ns = {width,        1,
                                          wide + 1,     std::max<std::int64_t>(width - 1, 1),
                                          width + 1,    wide + width / 2 + 3,
                                          width + wide, std::max<std::int64_t>(2 * width - wide - 1, 1)};
  const std::array<std::int64_t, 6> ks = {unroll, 37, 1, 2 * unroll + 3, unroll + 1, 0};
  const std::array<int, 3> zeros = {131, 0, 255};
  const std::vector<gemwright::blocking> cuts = blockings(config, p);
  const bool integers = p.interface == Interface::u8s8;
  std::vector<DotTileCase> all;
  const auto add = [&](std::int64_t m, std::int64_t n, std::int64_t k, DotTileValues v) {
    if (has_pair(p)) n += n % 2;
    const bool extreme = integers && all.size() % 2 == 1;
    const int zero = integers ? zeros[all.size() / 2 % zeros.size()] : 0, c_zero = zeros[all.size() % zeros.size()];
    all.push_back({m, n, k, p.batch > 1 ? 2 : 1, v, extreme, zero, c_zero, cuts[all.size() % cuts.size()]});
  };
  const auto kind = [&] { return static_cast<DotTileValues>(all.size() % kValueKinds); };
  // Each number of rows has a function of its own.
  for (std::int64_t m = 1; m <= mr + 1; ++m) {
    add(m, ns[all.size() % ns.size()], ks[(all.size() * 5 + 1) % ks.size()], kind());
  }
  for (const std::int64_t n : ns) {
    for (const std::int64_t k : ks) add(2 * mr + 1, n, k, kind());
  }
  for (std::size_t i = 0; i < cuts.size(); ++i) add(mr, width + 1, 19, DotTileValues::infinite);
  add(0, width, 5, DotTileValues::normal);
  add(mr, 0, 5, DotTileValues::normal);
  return all;
}

}  // namespace gemwright::tuner
