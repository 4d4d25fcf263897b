#include "tests/kernels/tiles.h"

namespace gemwright::test {

const std::vector<CompiledTile>& scalar_tiles() {
  static const std::vector<CompiledTile> tiles = [] {
    std::vector<CompiledTile> t;
    add_all<isa::scalar, 4, 4, 1, 1, prefetch::none>(t);
    add_bare<isa::scalar, 1, 1, 1, 1, prefetch::none>(t);
    add_bare<isa::scalar, 2, 8, 4, 1, prefetch::t0>(t);
    add_bias_relu<isa::scalar, 3, 5, 4, 2, prefetch::none>(t);
    add_bias_relu<isa::scalar, 2, 4, 1, 2, prefetch::none>(t);
    add_bare<isa::scalar, 2, 4, 4, 4, prefetch::nta>(t);
    add_chains<isa::scalar, 2, 3, 1, 1, prefetch::none>(t);
    add_chain<isa::scalar, 1, 1, 2, 2, prefetch::t0, epilogue_op::add, epilogue_op::gelu_erf, epilogue_op::mul>(t);
    return t;
  }();
  return tiles;
}

}  // namespace gemwright::test
