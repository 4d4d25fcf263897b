// Tiles whose vectors run along K.
#include "tests/kernels/tiles.h"

namespace gemwright::test {
namespace {

template <isa F>
std::vector<CompiledTile> make_tiles() {
  using op = epilogue_op;
  return {along<F, 8, 1, 2, 1>(),
          along<F, 5, 1, 1, 1>(),
          along<F, 1, 1, 4, 4>(),
          along<F, 6, 1, 4, 2>(),
          along<F, 13, 1, 1, 1>(),
          along<F, 4, 3, 1, 1>(),
          along<F, 6, 4, 2, 1>(),
          along<F, 5, 5, 1, 1>(),
          along<F, 1, 2, 4, 4>(),
          along<F, 3, 2, 2, 2>(),
          along<F, 8, 1, 1, 1, op::bias, op::relu>(),
          along<F, 5, 4, 1, 1, op::bias, op::relu>(),
          along<F, 4, 5, 2, 2, op::bias, op::gelu_erf, op::add, op::scale>(),
          along<F, 7, 1, 2, 2, op::bias, op::gelu_erf, op::add, op::scale>(),
          along<F, 3, 1, 1, 1, op::mul, op::silu, op::clamp, op::gelu_tanh>(),
          along<F, 2, 3, 1, 1, op::mul, op::silu, op::clamp, op::gelu_tanh>()};
}

}  // namespace

const std::vector<CompiledTile>& along_tiles(isa family) {
  static const std::vector<CompiledTile> scalar = {along<isa::scalar, 4, 1, 1, 1>(), along<isa::scalar, 5, 5, 1, 1>()},
                                         avx2 = make_tiles<isa::avx2>(), avx512f = make_tiles<isa::avx512f>();
  return family == isa::avx512f ? avx512f : family == isa::avx2 ? avx2 : scalar;
}

}  // namespace gemwright::test
