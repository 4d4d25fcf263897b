// A handful of dot tiles for the builds with sanitizers.
#include "tests/kernels/dot_tiles.h"

namespace gemwright::test {

const std::vector<CompiledDotTile>& scalar_dot_tiles(compute_mode mode) {
  static const auto bf16 = few_dot_tiles<compute_mode::bf16, isa::scalar>();
  static const auto u8s8 = few_dot_tiles<compute_mode::u8s8, isa::scalar>();
  return mode == compute_mode::bf16 ? bf16 : u8s8;
}

const std::vector<CompiledDotTile>& narrow_dot_tiles(DotFamily f) {
  static const auto bf16 = few_dot_tiles<compute_mode::bf16, isa::avx2>();
  static const auto u8s8 = few_dot_tiles<compute_mode::u8s8, isa::avx2>();
  static const auto vnni = few_dot_tiles<compute_mode::u8s8, isa::avx_vnni>();
  return f.mode == compute_mode::bf16 ? bf16 : f.family == isa::avx2 ? u8s8 : vnni;
}

const std::vector<CompiledDotTile>& wide_dot_tiles(DotFamily f) {
  static const auto widened = few_dot_tiles<compute_mode::bf16, isa::avx512f>();
  static const auto bf16 = few_dot_tiles<compute_mode::bf16, isa::avx512_bf16>();
  static const auto u8s8 = few_dot_tiles<compute_mode::u8s8, isa::avx512_vnni>();
  return f.mode == compute_mode::u8s8 ? u8s8 : f.family == isa::avx512f ? widened : bf16;
}

}  // namespace gemwright::test
