#include "tests/kernels/dot_tiles.h"

namespace gemwright::test {

const std::vector<CompiledDotTile>& wide_dot_tiles(DotFamily f) {
  static const auto widened = standard_dot_tiles<compute_mode::bf16, isa::avx512f, 8, 2>();
  static const auto bf16 = standard_dot_tiles<compute_mode::bf16, isa::avx512_bf16, 14, 2>();
  static const auto u8s8 = standard_dot_tiles<compute_mode::u8s8, isa::avx512_vnni, 6, 4>();
  return f.mode == compute_mode::u8s8 ? u8s8 : f.family == isa::avx512f ? widened : bf16;
}

}  // namespace gemwright::test
