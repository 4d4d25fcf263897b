// The compiled functions of an f32 tile, and nothing else: what a library of tiles is made of. Packing, the loop nest
// and threads (gemm.h) take the table that this gives.
#pragma once

#include "gemwright/config.h"
#include "gemwright/epilogue.h"
#include "gemwright/isa/avx2.h"
#include "gemwright/isa/avx512f.h"
#include "gemwright/isa/scalar.h"
#include "gemwright/tile.h"

namespace gemwright {
inline namespace gemwright_abi {

// The compiled functions of one tile with one chain. Families that the target machine cannot compile fall to scalar
// code of as many rows and vectors of one element, which reads the same panels: of one panel, where the tile spans
// several, and of one column, where it is along K.
template <isa Family, int MR, int NV, int KU, int KA, prefetch Hint, class Chain, bool AlongK = false, int Panels = 1>
constexpr kernel_set compiled_tile() {
  static_assert(!AlongK || Panels == 1, "a tile along K reads panels of one column");
  static_assert(Panels >= 1 && NV % Panels == 0, "panels have whole vectors");
#if defined(__x86_64__)
  if constexpr (Family == isa::avx512f && AlongK) {
    return avx512f_kernels::make_along_kernel_set<MR, NV, KU, KA, Hint, Chain>();
  } else if constexpr (Family == isa::avx2 && AlongK) {
    return avx2_kernels::make_along_kernel_set<MR, NV, KU, KA, Hint, Chain>();
  } else if constexpr (Family == isa::avx512f) {
    return avx512f_kernels::make_kernel_set<MR, NV, KU, KA, Hint, Chain, Panels>();
  } else if constexpr (Family == isa::avx2) {
    return avx2_kernels::make_kernel_set<MR, NV, KU, KA, Hint, Chain, Panels>();
  } else
#endif
  {
    constexpr int kColumns = AlongK ? 1 : NV / Panels;
    return scalar_kernels::make_kernel_set<MR, kColumns, KU, KA, Hint, Chain>();
  }
}

}  // namespace gemwright_abi
}  // namespace gemwright
