#include "tests/kernels/dot_tiles.h"

namespace gemwright::test {

const std::vector<CompiledDotTile>& scalar_dot_tiles(compute_mode mode) {
  static const auto bf16 = standard_dot_tiles<compute_mode::bf16, isa::scalar, 4, 4>();
  static const auto u8s8 = standard_dot_tiles<compute_mode::u8s8, isa::scalar, 5, 3>();
  return mode == compute_mode::bf16 ? bf16 : u8s8;
}

}  // namespace gemwright::test
