// Epilogue chains: what happens to each element of C after the product, in order, while it is still in a register.
//
// A chain is a type, so that a tile compiles exactly its operations. Each instruction set applies one operation to one
// vector (`apply` in micro_kernel.inl); arithmetic is f32.
#pragma once

#include "gemwright/tile.h"

namespace gemwright {
inline namespace gemwright_abi {

enum class epilogue_op : std::uint8_t { bias, relu };

template <epilogue_op... Ops>
struct chain {
  static constexpr bool empty = sizeof...(Ops) == 0;
  static constexpr bool has_bias = ((Ops == epilogue_op::bias) || ... || false);
};

}  // namespace gemwright_abi
}  // namespace gemwright
