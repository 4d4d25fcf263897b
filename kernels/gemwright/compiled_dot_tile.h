// The compiled functions of a tile of bf16 or u8s8, and nothing else, as compiled_tile.h has those of f32.
#pragma once

#include "gemwright/compute_mode.h"
#include "gemwright/dot_tile.h"
#include "gemwright/epilogue.h"
#include "gemwright/isa/dot_avx2.h"
#include "gemwright/isa/dot_avx512.h"
#include "gemwright/isa/dot_scalar.h"

namespace gemwright {
inline namespace gemwright_abi {

// The compiled functions of one dot tile with one type of C and one chain. KU counts groups of K. Families that do not
// compute the mode do not compile; on a target that cannot compile a family it falls to scalar code of one panel.
template <compute_mode Mode, isa Family, int MR, int NV, int KU, int KA, prefetch Hint, element C, class Chain,
          int Panels = 1>
constexpr dot_kernel_set compiled_dot_tile() {
  static_assert(Mode != compute_mode::f32 && computes(Family, Mode), "this family does not compute this mode");
  static_assert(C != element::s8, "C is f32, bf16 or u8");
  static_assert(Panels >= 1 && NV % Panels == 0, "panels have whole vectors");
#if defined(__x86_64__)
  if constexpr (Family == isa::avx512_bf16) {
    return avx512_bf16_dot::make_dot_kernel_set<MR, NV, KU, KA, Hint, C, Chain, Panels>();
  } else if constexpr (Family == isa::avx512f) {
    return avx512f_bf16::make_dot_kernel_set<MR, NV, KU, KA, Hint, C, Chain, Panels>();
  } else if constexpr (Family == isa::avx512_vnni) {
    return avx512_vnni_dot::make_dot_kernel_set<MR, NV, KU, KA, Hint, C, Chain, Panels>();
  } else if constexpr (Family == isa::avx_vnni) {
    return avx_vnni_dot::make_dot_kernel_set<MR, NV, KU, KA, Hint, C, Chain, Panels>();
  } else if constexpr (Family == isa::avx2 && Mode == compute_mode::bf16) {
    return avx2_bf16::make_dot_kernel_set<MR, NV, KU, KA, Hint, C, Chain, Panels>();
  } else if constexpr (Family == isa::avx2) {
    return avx2_u8s8::make_dot_kernel_set<MR, NV, KU, KA, Hint, C, Chain, Panels>();
  } else
#endif
      if constexpr (Mode == compute_mode::bf16) {
    return scalar_bf16::make_dot_kernel_set<MR, NV / Panels, KU, KA, Hint, C, Chain>();
  } else {
    return scalar_u8s8::make_dot_kernel_set<MR, NV / Panels, KU, KA, Hint, C, Chain>();
  }
}

}  // namespace gemwright_abi
}  // namespace gemwright
