// A handful of tiles for the builds with sanitizers, where compiling is slow.
#include "tests/kernels/tiles.h"

namespace gemwright::test {

const std::vector<CompiledTile>& scalar_tiles() {
  static const std::vector<CompiledTile> tiles = [] {
    std::vector<CompiledTile> t;
    add_bias_relu<isa::scalar, 3, 5, 1, 1, prefetch::none>(t);
    add_bare<isa::scalar, 2, 4, 4, 2, prefetch::nta>(t);
    add_chain<isa::scalar, 2, 2, 1, 1, prefetch::none, epilogue_op::bias, epilogue_op::gelu_erf, epilogue_op::add,
              epilogue_op::scale>(t);
    add_chain<isa::scalar, 2, 2, 1, 1, prefetch::none, epilogue_op::mul, epilogue_op::silu, epilogue_op::clamp,
              epilogue_op::gelu_tanh>(t);
    add_chain<isa::scalar, 2, 2, 1, 1, prefetch::none, epilogue_op::clamp, epilogue_op::add, epilogue_op::mul>(t);
    return t;
  }();
  return tiles;
}

const std::vector<CompiledTile>& avx2_tiles() {
  static const std::vector<CompiledTile> tiles = [] {
    std::vector<CompiledTile> t;
    add_bias_relu<isa::avx2, 4, 3, 1, 1, prefetch::t0>(t);
    add_bare<isa::avx2, 3, 2, 4, 2, prefetch::none>(t);
    add_chain<isa::avx2, 2, 2, 1, 1, prefetch::none, epilogue_op::bias, epilogue_op::gelu_erf, epilogue_op::add,
              epilogue_op::scale>(t);
    add_chain<isa::avx2, 2, 2, 1, 1, prefetch::none, epilogue_op::mul, epilogue_op::silu, epilogue_op::clamp,
              epilogue_op::gelu_tanh>(t);
    add_chain<isa::avx2, 2, 2, 1, 1, prefetch::none, epilogue_op::clamp, epilogue_op::add, epilogue_op::mul>(t);
    add_spanning<isa::avx2, 3, 4, 2, 2, 1, prefetch::t0, epilogue_op::bias, epilogue_op::relu>(t);
    add_spanning<isa::avx2, 4, 4, 2, 1, 1, prefetch::t0, epilogue_op::bias, epilogue_op::relu>(t);
    return t;
  }();
  return tiles;
}

const std::vector<CompiledTile>& avx512f_tiles() {
  static const std::vector<CompiledTile> tiles = [] {
    std::vector<CompiledTile> t;
    add_bias_relu<isa::avx512f, 5, 3, 1, 1, prefetch::t0>(t);
    add_bare<isa::avx512f, 3, 2, 4, 2, prefetch::none>(t);
    add_chain<isa::avx512f, 2, 2, 1, 1, prefetch::none, epilogue_op::bias, epilogue_op::gelu_erf, epilogue_op::add,
              epilogue_op::scale>(t);
    add_chain<isa::avx512f, 2, 2, 1, 1, prefetch::none, epilogue_op::mul, epilogue_op::silu, epilogue_op::clamp,
              epilogue_op::gelu_tanh>(t);
    add_chain<isa::avx512f, 2, 2, 1, 1, prefetch::none, epilogue_op::clamp, epilogue_op::add, epilogue_op::mul>(t);
    add_spanning<isa::avx512f, 3, 4, 2, 2, 1, prefetch::t0, epilogue_op::bias, epilogue_op::relu>(t);
    add_spanning<isa::avx512f, 4, 4, 2, 1, 1, prefetch::t0, epilogue_op::bias, epilogue_op::relu>(t);
    return t;
  }();
  return tiles;
}

}  // namespace gemwright::test
