#include "tests/kernels/tiles.h"

namespace gemwright::test {

const std::vector<CompiledTile>& avx2_tiles() {
  static const std::vector<CompiledTile> tiles = [] {
    std::vector<CompiledTile> t;
    add_all<isa::avx2, 4, 3, 1, 1, prefetch::none>(t);
    add_bare<isa::avx2, 1, 1, 1, 1, prefetch::none>(t);
    add_bare<isa::avx2, 14, 1, 2, 1, prefetch::t0>(t);
    add_bias_relu<isa::avx2, 6, 2, 4, 1, prefetch::t1>(t);
    add_bare<isa::avx2, 3, 4, 1, 1, prefetch::t2>(t);
    add_bias_relu<isa::avx2, 3, 2, 2, 2, prefetch::none>(t);
    add_bias_relu<isa::avx2, 1, 2, 4, 2, prefetch::none>(t);
    add_bare<isa::avx2, 1, 3, 4, 4, prefetch::nta>(t);
    add_chains<isa::avx2, 3, 2, 1, 1, prefetch::none>(t);
    add_chain<isa::avx2, 1, 1, 2, 2, prefetch::t0, epilogue_op::add, epilogue_op::gelu_erf, epilogue_op::mul>(t);
    add_spanning<isa::avx2, 6, 2, 2, 1, 1, prefetch::none, epilogue_op::bias, epilogue_op::relu>(t);
    add_spanning<isa::avx2, 1, 4, 2, 2, 2, prefetch::none>(t);
    add_spanning<isa::avx2, 2, 4, 4, 4, 1, prefetch::t0, epilogue_op::bias, epilogue_op::gelu_erf, epilogue_op::add>(t);
    add_spanning<isa::avx2, 3, 3, 3, 1, 1, prefetch::t1>(t);
    add_spanning<isa::avx2, 4, 4, 2, 2, 1, prefetch::t0, epilogue_op::bias, epilogue_op::relu>(t);
    add_bias_relu<isa::avx2, 4, 4, 1, 1, prefetch::none>(t);
    return t;
  }();
  return tiles;
}

}  // namespace gemwright::test
