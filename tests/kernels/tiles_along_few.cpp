// A handful of tiles along K for the builds with sanitizers, where compiling is slow.
#include "tests/kernels/tiles.h"

namespace gemwright::test {
namespace {

template <isa F>
std::vector<CompiledTile> make_tiles() {
  using op = epilogue_op;
  return {along<F, 5, 1, 2, 1>(), along<F, 4, 3, 1, 1>(), along<F, 1, 2, 4, 4>(),
          along<F, 3, 4, 1, 1, op::bias, op::gelu_erf, op::add>()};
}

}  // namespace

const std::vector<CompiledTile>& along_tiles(isa family) {
  static const std::vector<CompiledTile> scalar = {along<isa::scalar, 4, 1, 1, 1>()}, avx2 = make_tiles<isa::avx2>(),
                                         avx512f = make_tiles<isa::avx512f>();
  return family == isa::avx512f ? avx512f : family == isa::avx2 ? avx2 : scalar;
}

}  // namespace gemwright::test
