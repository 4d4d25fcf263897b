#include "tests/kernels/dot_tiles.h"

namespace gemwright::test {

const std::vector<CompiledDotTile>& narrow_dot_tiles(DotFamily f) {
  static const auto bf16 = standard_dot_tiles<compute_mode::bf16, isa::avx2, 4, 2>();
  static const auto u8s8 = standard_dot_tiles<compute_mode::u8s8, isa::avx2, 3, 3>();
  static const auto vnni = standard_dot_tiles<compute_mode::u8s8, isa::avx_vnni, 6, 2>();
  return f.mode == compute_mode::bf16 ? bf16 : f.family == isa::avx2 ? u8s8 : vnni;
}

}  // namespace gemwright::test
