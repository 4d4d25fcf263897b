#include "tests/kernels/tiles.h"

namespace gemwright::test {

const std::vector<CompiledTile>& avx512f_tiles() {
  static const std::vector<CompiledTile> tiles = [] {
    std::vector<CompiledTile> t;
    add_all<isa::avx512f, 8, 3, 1, 1, prefetch::none>(t);
    add_bare<isa::avx512f, 1, 1, 1, 1, prefetch::none>(t);
    add_bare<isa::avx512f, 30, 1, 1, 1, prefetch::none>(t);
    add_bias_relu<isa::avx512f, 14, 2, 2, 1, prefetch::t0>(t);
    add_bare<isa::avx512f, 6, 4, 4, 1, prefetch::t1>(t);
    add_bare<isa::avx512f, 5, 5, 1, 1, prefetch::t2>(t);
    add_bias_relu<isa::avx512f, 6, 2, 2, 2, prefetch::none>(t);
    add_bias_relu<isa::avx512f, 2, 2, 4, 2, prefetch::none>(t);
    add_bare<isa::avx512f, 2, 3, 4, 4, prefetch::nta>(t);
    add_chains<isa::avx512f, 5, 3, 1, 1, prefetch::none>(t);
    add_chain<isa::avx512f, 1, 1, 2, 2, prefetch::t0, epilogue_op::add, epilogue_op::gelu_erf, epilogue_op::mul>(t);
    add_spanning<isa::avx512f, 14, 2, 2, 1, 1, prefetch::none, epilogue_op::bias, epilogue_op::relu>(t);
    add_spanning<isa::avx512f, 1, 4, 2, 2, 2, prefetch::none>(t);
    add_spanning<isa::avx512f, 2, 4, 4, 4, 1, prefetch::t0, epilogue_op::bias, epilogue_op::gelu_erf, epilogue_op::add>(
        t);
    add_spanning<isa::avx512f, 3, 3, 3, 1, 1, prefetch::t1>(t);
    add_spanning<isa::avx512f, 5, 4, 4, 1, 2, prefetch::none>(t);
    add_bias_relu<isa::avx512f, 5, 4, 1, 1, prefetch::none>(t);
    return t;
  }();
  return tiles;
}

}  // namespace gemwright::test
