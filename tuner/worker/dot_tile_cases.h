// The small problems that a tile of a dot mode is checked on: odd edges, every number of rows, values that go wrong
// easily, and blockings that cut them in all ways that a large problem can be cut.
#pragma once

#include <cstdint>
#include <vector>

#include "tuner/space/config.h"

namespace gemwright::tuner {

// Of operands of f32 and bf16. cancelling: neighbours along K nearly cancel. subnormal: every second row is below the
// normal numbers, of the others every second element. one_sided: rows of A without a negative value, and without a
// positive one. infinite: one infinity in A, and a NaN in another row.
enum class DotTileValues { normal, cancelling, subnormal, one_sided, infinite };

struct DotTileCase {
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  DotTileValues values = DotTileValues::normal;
  bool extreme = false;        // u8 and s8: the largest and smallest alone
  int a_zero = 0, c_zero = 0;  // of u8
  gemwright::blocking block{};
};

std::vector<DotTileCase> dot_tile_cases(const Config& config, const Problem& p);

}  // namespace gemwright::tuner
