// The tiles that the kernel tests run: for each family the extremes of rows, vectors, unrolling, accumulators and
// prefetch hints, bare and with chains.
#pragma once

#include <gemwright/gemm.h>

#include <algorithm>
#include <string>
#include <vector>

namespace gemwright::test {

struct CompiledTile {
  kernel_set set;
  std::vector<epilogue_op> chain;

  std::string name() const;
  bool has(epilogue_op op) const { return std::find(chain.begin(), chain.end(), op) != chain.end(); }
  bool spans() const { return set.shape.panels > 1; }
  // Whether integers stay what they are, or half of that.
  bool exact() const { return !has(epilogue_op::gelu_tanh) && !has(epilogue_op::gelu_erf) && !has(epilogue_op::silu); }
  // Nothing but bias and relu.
  bool simple() const {
    return std::all_of(chain.begin(), chain.end(),
                       [](epilogue_op op) { return op == epilogue_op::bias || op == epilogue_op::relu; });
  }
};

inline const char* op_name(epilogue_op op) {
  constexpr const char* kNames[] = {"bias", "relu",  "gelu_tanh", "gelu_erf", "silu", "add",
                                    "mul",  "scale", "clamp",     "swiglu",   "geglu"};
  return kNames[static_cast<int>(op)];
}

// Built once; addresses stay valid. One file a family, so that they compile side by side.
const std::vector<CompiledTile>& scalar_tiles();
const std::vector<CompiledTile>& avx2_tiles();
const std::vector<CompiledTile>& avx512f_tiles();

// Whose vectors run along K, the first bare and with one accumulator; scalar tiles stand in for them on the same
// panels.
const std::vector<CompiledTile>& along_tiles(isa family);

inline const std::vector<CompiledTile>& tiles_of(isa family) {
  return family == isa::avx512f ? avx512f_tiles() : family == isa::avx2 ? avx2_tiles() : scalar_tiles();
}

inline std::string CompiledTile::name() const {
  const tile& t = set.shape;
  std::string text = std::string(isa_name(t.family)) + " " + std::to_string(t.mr) + "x" + std::to_string(t.nv) + " ku" +
                     std::to_string(t.ku) + " ka" + std::to_string(t.ka) + " " + prefetch_name(t.hint);
  if (t.along_k) text += " along k";
  if (t.panels > 1) text += " of " + std::to_string(t.panels) + " panels";
  for (const epilogue_op op : chain) text += std::string(op == chain.front() ? " " : "+") + op_name(op);
  return text;
}

template <isa F, int MR, int NV, int KU, int KA, prefetch H, epilogue_op... Ops>
void add_chain(std::vector<CompiledTile>& out) {
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<Ops...>>(), {Ops...}});
}
template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_bare(std::vector<CompiledTile>& out) {
  add_chain<F, MR, NV, KU, KA, H>(out);
}
template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_bias_relu(std::vector<CompiledTile>& out) {
  add_chain<F, MR, NV, KU, KA, H, epilogue_op::bias, epilogue_op::relu>(out);
}
// Tiles that span P panels.
template <isa F, int MR, int NV, int P, int KU, int KA, prefetch H, epilogue_op... Ops>
void add_spanning(std::vector<CompiledTile>& out) {
  out.push_back({compiled_tile<F, MR, NV, KU, KA, H, chain<Ops...>, false, P>(), {Ops...}});
}
// Tiles along K of some columns.
template <isa F, int MR, int Columns, int KU, int KA, epilogue_op... Ops>
CompiledTile along() {
  return {compiled_tile<F, MR, Columns, KU, KA, prefetch::none, chain<Ops...>, true>(), {Ops...}};
}
// Bare and with every chain of bias and relu.
template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_all(std::vector<CompiledTile>& out) {
  add_bare<F, MR, NV, KU, KA, H>(out);
  add_bias_relu<F, MR, NV, KU, KA, H>(out);
  add_chain<F, MR, NV, KU, KA, H, epilogue_op::bias>(out);
  add_chain<F, MR, NV, KU, KA, H, epilogue_op::relu>(out);
  add_chain<F, MR, NV, KU, KA, H, epilogue_op::relu, epilogue_op::bias>(out);
}
// Every operation: alone, at either end of a chain and in between.
template <isa F, int MR, int NV, int KU, int KA, prefetch H>
void add_chains(std::vector<CompiledTile>& out) {
  using op = epilogue_op;
  add_chain<F, MR, NV, KU, KA, H, op::bias, op::gelu_erf>(out);
  add_chain<F, MR, NV, KU, KA, H, op::bias, op::gelu_erf, op::add>(out);
  add_chain<F, MR, NV, KU, KA, H, op::bias, op::add>(out);
  add_chain<F, MR, NV, KU, KA, H, op::gelu_tanh, op::mul>(out);
  add_chain<F, MR, NV, KU, KA, H, op::silu>(out);
  add_chain<F, MR, NV, KU, KA, H, op::scale, op::bias, op::clamp, op::add>(out);
  add_chain<F, MR, NV, KU, KA, H, op::add, op::relu, op::mul, op::scale>(out);
  add_chain<F, MR, NV, KU, KA, H, op::clamp>(out);
  add_chain<F, MR, NV, KU, KA, H, op::mul, op::silu, op::scale, op::gelu_tanh, op::bias, op::gelu_erf, op::add,
            op::clamp, op::relu>(out);
}

}  // namespace gemwright::test
