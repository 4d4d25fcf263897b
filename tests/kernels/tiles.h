// The tiles that the kernel tests run: for each family the extremes of rows, vectors, unrolling, accumulators and
// prefetch hints, bare and with chains.
#pragma once

#include <gemwright/gemm.h>

#include <string>
#include <vector>

namespace gemwright::test {

struct CompiledTile {
  kernel_set set;
  bool bias = false, relu = false;  // the chain, in this order unless `relu_first`
  bool relu_first = false;

  std::string name() const;
};

// Built once; addresses stay valid. One file a family, so that they compile side by side.
const std::vector<CompiledTile>& scalar_tiles();
const std::vector<CompiledTile>& avx2_tiles();
const std::vector<CompiledTile>& avx512f_tiles();

inline const std::vector<CompiledTile>& tiles_of(isa family) {
  return family == isa::avx512f ? avx512f_tiles() : family == isa::avx2 ? avx2_tiles() : scalar_tiles();
}

inline std::string CompiledTile::name() const {
  const tile& t = set.shape;
  return std::string(isa_name(t.family)) + " " + std::to_string(t.mr) + "x" + std::to_string(t.nv) + " ku" +
         std::to_string(t.ku) + " ka" + std::to_string(t.ka) + " " + prefetch_name(t.hint) +
         (relu_first     ? " relu+bias"
          : bias && relu ? " bias+relu"
          : bias         ? " bias"
          : relu         ? " relu"
                         : "");
}

template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_bare(std::vector<CompiledTile>& out) {
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<>>()});
}
template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_bias_relu(std::vector<CompiledTile>& out) {
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<epilogue_op::bias, epilogue_op::relu>>(), true, true});
}
// Bare and with every chain.
template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_all(std::vector<CompiledTile>& out) {
  add_bare<F, MR, NV, KU, KA, H>(out);
  add_bias_relu<F, MR, NV, KU, KA, H>(out);
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<epilogue_op::bias>>(), true, false});
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<epilogue_op::relu>>(), false, true});
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<epilogue_op::relu, epilogue_op::bias>>(), true, true, true});
}

}  // namespace gemwright::test
