// The dot tiles that the tests run: for each family of each mode the extremes of rows, vectors, unrolling, accumulators
// and prefetch hints, with each type of C, bare and with a chain.
#pragma once

#include <gemwright/dot.h>

#include <string>
#include <vector>

namespace gemwright::test {

struct CompiledDotTile {
  dot_kernel_set set;
  bool bias_relu = false;  // the chain: bias, then relu; or
  bool bias_gelu = false;  // bias, then gelu_erf; or none

  std::string name() const;
};

struct DotFamily {
  compute_mode mode;
  isa family;
};

constexpr DotFamily kDotFamilies[] = {
    {compute_mode::bf16, isa::scalar},      {compute_mode::bf16, isa::avx2},        {compute_mode::bf16, isa::avx512f},
    {compute_mode::bf16, isa::avx512_bf16}, {compute_mode::u8s8, isa::scalar},      {compute_mode::u8s8, isa::avx2},
    {compute_mode::u8s8, isa::avx_vnni},    {compute_mode::u8s8, isa::avx512_vnni},
};

// Built once; addresses stay valid. One file a register width, so that they compile side by side.
const std::vector<CompiledDotTile>& scalar_dot_tiles(compute_mode mode);
const std::vector<CompiledDotTile>& narrow_dot_tiles(DotFamily f);
const std::vector<CompiledDotTile>& wide_dot_tiles(DotFamily f);

inline const std::vector<CompiledDotTile>& dot_tiles_of(DotFamily f) {
  if (f.family == isa::scalar) return scalar_dot_tiles(f.mode);
  return f.family == isa::avx2 || f.family == isa::avx_vnni ? narrow_dot_tiles(f) : wide_dot_tiles(f);
}

inline const char* element_name(element e) {
  return e == element::f32 ? "f32" : e == element::bf16 ? "bf16" : e == element::u8 ? "u8" : "s8";
}

inline std::string CompiledDotTile::name() const {
  const tile& t = set.shape;
  return std::string(compute_mode_name(set.mode)) + " " + isa_name(t.family) + " " + std::to_string(t.mr) + "x" +
         std::to_string(t.nv) + " ku" + std::to_string(t.ku) + " ka" + std::to_string(t.ka) + " " +
         prefetch_name(t.hint) + (t.panels > 1 ? " of " + std::to_string(t.panels) + " panels" : "") + " to " +
         element_name(set.c_type) +
         (bias_relu   ? " bias+relu"
          : bias_gelu ? " bias+gelu_erf"
                      : "");
}

template <compute_mode Mode, isa F, int MR, int NV, int KU, int KA, prefetch H, element C, bool BiasRelu>
void add_dot(std::vector<CompiledDotTile>& out) {
  if constexpr (BiasRelu) {
    using Chain = chain<epilogue_op::bias, epilogue_op::relu>;
    out.push_back({compiled_dot_tile<Mode, F, MR, NV, KU, KA, H, C, Chain>(), true});
  } else {
    out.push_back({compiled_dot_tile<Mode, F, MR, NV, KU, KA, H, C, chain<>>(), false});
  }
}

// Across P panels; scalar code, which stands in for such tiles, reads one.
template <compute_mode Mode, isa F, int MR, int NV, int P, int KU, int KA, prefetch H, element C, class Chain>
void add_dot_across(std::vector<CompiledDotTile>& out) {
  constexpr bool bare = Chain::empty;
  if constexpr (F != isa::scalar) {
    out.push_back(
        {compiled_dot_tile<Mode, F, MR, NV, KU, KA, H, C, Chain, P>(), !bare && !Chain::long_code, Chain::long_code});
  }
}

template <compute_mode Mode, isa F, int MR, int NV, element C>
void add_dot_gelu(std::vector<CompiledDotTile>& out) {
  using Chain = chain<epilogue_op::bias, epilogue_op::gelu_erf>;
  out.push_back({compiled_dot_tile<Mode, F, MR, NV, 1, 1, prefetch::t1, C, Chain>(), false, true});
}

// The tiles of one family, the first with one accumulator along K, to f32 and bare.
template <compute_mode Mode, isa F, int MR, int NV>
std::vector<CompiledDotTile> standard_dot_tiles() {
  std::vector<CompiledDotTile> t;
  add_dot<Mode, F, MR, NV, 1, 1, prefetch::none, element::f32, false>(t);
  add_dot<Mode, F, MR, NV, 2, 1, prefetch::t0, element::f32, true>(t);
  add_dot<Mode, F, 3, 1, 4, 1, prefetch::t1, element::bf16, true>(t);
  add_dot_gelu<Mode, F, 3, 2, element::f32>(t);
  add_dot<Mode, F, 2, 2, 2, 2, prefetch::nta, element::bf16, false>(t);
  add_dot<Mode, F, 4, 2, 1, 1, prefetch::t2, element::u8, true>(t);
  add_dot<Mode, F, 1, 1, 4, 4, prefetch::none, element::u8, false>(t);
  using op = epilogue_op;
  add_dot_across<Mode, F, 2, 2, 2, 1, 1, prefetch::none, element::f32, chain<>>(t);
  add_dot_across<Mode, F, 2, 3, 3, 2, 1, prefetch::t0, element::f32, chain<>>(t);
  add_dot_across<Mode, F, 1, 4, 4, 1, 1, prefetch::none, element::f32, chain<op::bias, op::relu>>(t);
  add_dot_across<Mode, F, 1, 4, 2, 2, 2, prefetch::t0, element::bf16, chain<op::bias, op::relu>>(t);
  add_dot_across<Mode, F, 3, 2, 2, 1, 1, prefetch::none, element::u8, chain<op::bias, op::gelu_erf>>(t);
  // Whose last columns take several narrower tiles.
  add_dot<Mode, F, 4, 3, 1, 1, prefetch::none, element::bf16, true>(t);
  add_dot<Mode, F, 4, 4, 2, 1, prefetch::t0, element::u8, true>(t);
  add_dot_across<Mode, F, 5, 4, 2, 2, 1, prefetch::t0, element::f32, chain<op::bias, op::relu>>(t);
  add_dot_across<Mode, F, 4, 3, 3, 2, 2, prefetch::none, element::bf16, chain<>>(t);
  return t;
}

// A handful, for the builds with sanitizers, where compiling is slow.
template <compute_mode Mode, isa F>
std::vector<CompiledDotTile> few_dot_tiles() {
  std::vector<CompiledDotTile> t;
  add_dot<Mode, F, 3, 2, 1, 1, prefetch::t0, element::f32, true>(t);
  add_dot<Mode, F, 2, 1, 2, 2, prefetch::none, element::bf16, false>(t);
  add_dot<Mode, F, 2, 1, 1, 1, prefetch::none, element::u8, true>(t);
  add_dot_gelu<Mode, F, 2, 2, element::bf16>(t);
  add_dot_across<Mode, F, 2, 2, 2, 1, 1, prefetch::none, element::f32, chain<>>(t);
  add_dot_across<Mode, F, 1, 4, 4, 1, 1, prefetch::none, element::f32, chain<>>(t);
  add_dot_across<Mode, F, 4, 4, 2, 1, 1, prefetch::none, element::f32, chain<>>(t);
  return t;
}

}  // namespace gemwright::test
